"""A model card: who played, under what conditions, on what, how well, and what is not known."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from seedo import __version__
from seedo.errors import UserError
from seedo.evaluation import Excerpt, Group, Review, Run, definitions
from seedo.reports._estimates import NONE, rounded, text
from seedo.reports._page import page, write_page
from seedo.reports._players import Sheet, sheet
from seedo.statistics import Estimate

Size = Callable[[str], float | None]
"""How many parameters a player has, by its name, as far as anything tells."""

_UNKNOWN = "not recorded"
_PHASES = {"explore": "experiments", "exploit": "scored actions", "questions": "questions"}
_KINDS = {
    "repaired": "one legal action in another wrapping",
    "ambiguous": "several actions, or one that is taken back",
    "illegal": "an action that cannot be done",
    "none": "no action",
}


class Subject(NamedTuple):
    """One run on the card; texts are plain, not yet escaped.

    Attributes:
        facts: about the model, its prompt and what it played, by title: pairs of what and how.
        replies: by phase, the share of each kind.
        acts: by phase, shares of what was done.
        excerpts: one of each kind of reply that was not clean.
        limits: what is not known or should be kept in mind.
        command: that plays it again; "": the log does not tell.
    """

    name: str
    facts: dict[str, list[tuple[str, str]]]
    replies: dict[str, dict[str, str]]
    acts: dict[str, dict[str, str]]
    excerpts: list[tuple[str, str, Excerpt]]
    limits: list[str]
    command: str


class Card(NamedTuple):
    """A page; `matrices` has a group's label, its readers, and a row for each run."""

    subjects: list[Subject]
    sheets: list[Sheet]
    matrices: list[tuple[str, list[str], list[tuple[str, list[str]]]]]
    problems: tuple[str, ...]
    command: str
    definitions: dict[str, str]
    version: str = __version__


def write_card(
    review: Review,
    path: str | os.PathLike[str],
    command: Sequence[str] = (),
    size: Size | None = None,
) -> None:
    """Writes the card of all runs of a review, as a page that needs nothing else or as Markdown;
    whole or not at all.

    Args:
        review: any runs; text players come first.
        path: ends in .html or .md.
        command: words that write this card again.
        size: see `Size`.

    Raises:
        UserError: the name ends in something else, or it cannot be written.
    """
    ending = Path(path).suffix.casefold()
    if ending not in (".html", ".md"):
        raise UserError("card", os.fspath(path), "end its name in .html or .md")
    made = card_of(review, command, size)
    html = ending == ".html"
    write_page(path, page("card.html", {}, card=made, none=NONE) if html else markdown(made))


def card_of(review: Review, command: Sequence[str] = (), size: Size | None = None) -> Card:
    """What the card says."""
    pairs = [(group, run) for group in review.groups for run in group.runs]
    pairs.sort(key=lambda pair: pair[1].spoken is None)  # stable: speakers first
    return Card(
        [_subject(group, run, size) for group, run in pairs],
        [sheet(group) for group in review.groups],
        [_matrix(group) for group in review.groups if group.read],
        review.problems,
        shlex.join(command),
        definitions(review),
    )


def _matrix(group: Group) -> tuple[str, list[str], list[tuple[str, list[str]]]]:
    readers = list(group.readers)
    rows = []
    for run in group.runs:
        known = run.metrics.readers
        shown = [text(known[name].return_ratio) if name in known else NONE for name in readers]
        rows.append((run.agent, [text(run.metrics.return_ratio), *shown]))
    return group.label, ["itself", *readers], rows


def _subject(group: Group, run: Run, size: Size | None) -> Subject:
    said = run.spoken
    return Subject(
        run.agent,
        {
            "Model": _model(run, size),
            "Conditions": _conditions(run),
            "Played": _played(group, run),
            "Cost": _cost(run),
        },
        {} if said is None else _shares(said.heard_in),
        _shares(run.acts),
        [] if said is None else [(k, _KINDS[k], e) for k, e in said.excerpts.items()],
        _limits(group, run, size),
        run.command,
    )


def _shares(by_phase: dict[str, dict[str, Estimate]]) -> dict[str, dict[str, str]]:
    return {
        _PHASES[phase]: {name: text(share, percent=True) for name, share in shares.items()}
        for phase, shares in by_phase.items()
    }


def _player(run: Run) -> str:
    return str(run.job.get("player", run.agent))


def _parameters(run: Run, size: Size | None) -> float | None:
    return None if size is None or run.spoken is None else size(_player(run))


def _model(run: Run, size: Size | None) -> list[tuple[str, str]]:
    name = _player(run)
    facts = [("player", name)]
    if run.spoken is None:
        unread = "its conversations cannot be read"
        kind = unread if run.unread else "acts in numbers, not in words"
        return [*facts, ("kind", kind)]
    kind, _, rest = name.partition(":")
    if kind == "llm":
        facts.append(("provider, as Inspect names it", rest.partition("/")[0]))
    elif kind == "mcp":
        return [*facts, ("provider", "an agent elsewhere, over MCP: what it is only it can say")]
    else:
        facts.append(("provider", "none: in this process"))
    count = _parameters(run, size)
    facts.append(
        ("parameters", _UNKNOWN if count is None else
         f"about {rounded(count / 1e6)} million, as its name or its files tell")
    )  # fmt: skip
    if kind != "llm":
        drawn = "sample" in run.options
        facts.append(("replies", "drawn" if drawn else "always the likeliest"))
        longest = [o.partition("=")[2] for o in run.options if o.startswith("max-tokens=")]
        return [*facts, ("longest reply, tokens", longest[0] if longest else "as is usual here")]
    called = run.job.get("model")
    called = called if isinstance(called, dict) else {}
    for title, key in (("temperature", "temperature"), ("longest reply, tokens", "max_tokens")):
        value = called.get(key)
        facts.append((title, "the provider's own, not recorded" if value is None else f"{value}"))
    return facts


def _conditions(run: Run) -> list[tuple[str, str]]:
    told = run.job.get("conditions")
    if not isinstance(told, dict):
        return []
    facts = [(str(name), _yes(value)) for name, value in told.items()]
    shown = run.job.get("examples")
    if isinstance(shown, dict) and isinstance(shown.get("indices"), list):
        numbers = ", ".join(map(str, shown["indices"]))
        who = f"{shown.get('player', 'player unknown')}, seed {shown.get('seed', 'unknown')}"
        facts.append(("examples shown", f"episodes {numbers} of stream `examples`, by {who}"))
    chosen = run.job.get("chosen")
    if isinstance(chosen, dict):
        facts.append(("how they were chosen", _chosen(chosen)))
    return facts


def _yes(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _chosen(chosen: dict[str, Any]) -> str:
    if chosen.get("stream") is None:
        return f"the first ones: {chosen.get('why', 'no reason given')}"
    sets, returns = chosen.get("candidates"), chosen.get("returns")
    if not (isinstance(sets, list) and isinstance(returns, list) and len(sets) == len(returns)):
        return json.dumps(chosen)
    tried = (
        f"{' '.join(map(str, own if isinstance(own, list) else [own]))} earned "
        f"{'nothing known' if earned is None else earned}"
        for own, earned in zip(sets, returns, strict=True)
    )
    where = f"{chosen.get('episodes', 'some')} episodes of stream {chosen['stream']}"
    return f"by what the model earned with each on {where}: {'; '.join(tried)}"


def _played(group: Group, run: Run) -> list[tuple[str, str]]:
    rows = [row for row in group.rows if row.kind == "run" and row.runs == (run.path,)]
    others = [row for row in group.rows if row.kind == "seeds" and run.path in row.runs]
    facts = [
        ("world", group.label),
        ("episodes", f"{run.episodes:,}"),
        ("different systems", f"{rows[0].systems:,}" if rows else _UNKNOWN),
        ("seed", str(run.seed)),
        ("stream", str(run.job.get("stream", _UNKNOWN))),
        ("run folder", run.path),
    ]
    if others:
        facts.append(("other seeds", f"{len(others[0].runs)} runs, see the row of their mean"))
    return facts


def _cost(run: Run) -> list[tuple[str, str]]:
    said = run.spoken
    if said is None:
        return [("tokens", "unknown" if run.unread else "none: it does not speak")]
    facts = [
        (f"tokens {way} of an episode", e.reason if e.value is None else
         text(e, form="{:,.0f}".format))
        for way, e in (("in", said.tokens_in), ("out", said.tokens_out))
    ]  # fmt: skip
    each = said.dollars_each
    facts.append(("dollars of an episode", each.reason if each.value is None else
                  text(each, form="{:,.5f}".format)))  # fmt: skip
    total = "the price is unknown" if said.dollars is None else f"{said.dollars:,.4f}"
    facts.append(("dollars of all finished episodes", total))
    facts.append(("calls and episodes tried again", f"{said.retries:,}"))
    if isinstance(summary := said.calls.get("summary"), str):
        facts.append(("all calls of the run", summary))
    return facts


def _limits(group: Group, run: Run, size: Size | None) -> list[str]:
    """What is not known, said rather than left blank."""
    found = list(run.warnings)
    if run.spoken is not None:
        if _parameters(run, size) is None:
            found.append("how many parameters it has is not known")
        if (run.job.get("model") or {}).get("temperature") is None and _player(run)[:4] == "llm:":
            found.append("the temperature was left to the provider: replies may differ next time")
        found.append(
            "nothing tells what the model had been trained on: that it has met tasks like these "
            "cannot be ruled out"
        )
        if run.spoken.dollars is None:
            found.append("no price was given: money is not known")
        if run.spoken.tokens_in.value is None:
            found.append("tokens were not counted")
    if not any(row.kind == "seeds" and run.path in row.runs for row in group.rows):
        found.append(
            "one run: intervals are about other systems of this world, not about another run of "
            "the same player on these"
        )
    if len(group.runs) == 1:
        found.append("nobody else's run of this world is here: there are no paired differences")
    m = run.metrics
    for title, figure in (("return ratio", m.return_ratio), ("Bayes ratio", m.bayes_ratio),
                          ("exploit regret", m.exploit_regret)):  # fmt: skip
        if figure.value is None:
            found.append(f"{title} is not known: {figure.reason}")
    if run.information is None:
        found.append("what its experiments told was not measured: add --bits")
    elif run.information.bits.value is None:
        found.append(f"what its experiments told is not known: {run.information.bits.reason}")
    if run.stated is None or run.stated.directed.value is None:
        why = "nobody was asked" if run.stated is None else run.stated.directed.reason
        found.append(f"which variable influences which: {why} (--prompt structure asks)")
    if not run.command:
        found.append("the log does not tell the command that plays it again")
    return found


# -- Markdown -------------------------------------------------------------------------------------


def markdown(card: Card) -> str:
    """The card as Markdown, for repositories of models; tables have players as columns."""
    lines = [
        f"# Model card: {_inline(', '.join(dict.fromkeys(s.name for s in card.subjects)))}",
        "",
    ]
    lines += [
        f"Written by Seedo {card.version} from logs of runs. Brackets are 95 % intervals.",
        "",
    ]
    for table in card.sheets:
        lines += [f"## {_inline(table.label)}", ""]
        lines += [_inline(table.heading), ""] if table.heading else []
        lines += [*_turned(table), ""]
    for label, readers, rows in card.matrices:
        lines += [f"## Who explored × who reads: {_inline(label)}", ""]
        lines += [*_grid(["explored by", *readers], [[name, *cells] for name, cells in rows]), ""]
    for subject in card.subjects:
        lines += _spelled(subject)
    if card.problems:
        lines += ["## Left out", "", *(f"- {_inline(p)}" for p in card.problems), ""]
    lines += ["## What the words mean", ""]
    lines += [f"- **{_inline(term)}**: {_inline(says)}" for term, says in card.definitions.items()]
    if card.command:
        lines += ["", "This card again:", "", *_fenced(card.command)]
    return "\n".join(lines).rstrip() + "\n"


def _turned(table: Sheet) -> list[str]:
    """Figures as rows."""
    rows = [["systems", *(line.systems for line in table.lines)]]
    for place, column in enumerate(table.columns):
        rows.append([column.title, *(line.cells[place][0] for line in table.lines)])
    return _grid(["", *(line.name for line in table.lines)], rows)


def _spelled(subject: Subject) -> list[str]:
    lines = [f"## {_inline(subject.name)}", ""]
    for title, facts in subject.facts.items():
        if facts:
            lines += [f"### {title}", "", *_grid(["", ""], [list(fact) for fact in facts]), ""]
    for title, shares in (("How replies were read", subject.replies),
                          ("What was done", subject.acts)):  # fmt: skip
        if shares:
            names = list(dict.fromkeys(name for own in shares.values() for name in own))
            rows = [[phase, *(own.get(n, NONE) for n in names)] for phase, own in shares.items()]
            lines += [f"### {title}", "", *_grid(["", *names], rows), ""]
    for kind, says, excerpt in subject.excerpts:
        lines += [f"### A reply that was read as: {kind} ({says})", ""]
        lines += [f"Episode {excerpt.episode}, step {excerpt.step + 1}.", ""]
        for who, words in (("said to it", excerpt.asked), ("its reply", excerpt.said),
                           ("said next", excerpt.answered)):  # fmt: skip
            lines += [f"{who}:", "", *_fenced(words), ""]
    lines += ["### Limits", "", *(f"- {_inline(limit)}" for limit in subject.limits), ""]
    if subject.command:
        lines += ["### This run again", "", *_fenced(subject.command), ""]
    return lines


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    def row(cells: Sequence[str]) -> str:
        return f"| {' | '.join(map(_inline, cells))} |"

    return [row(head), f"|{'---|' * len(head)}", *map(row, rows)]


def _inline(words: str) -> str:
    """Text in which nothing is markup, on one line."""
    shown = re.sub(r"([\\`*_{}\[\]<>()#+!|~$&])", r"\\\1", " ".join(_visible(words).split()))
    return shown.replace("://", ":\u200b//")  # no link by itself


def _fenced(words: str) -> list[str]:
    """Text as a block in which nothing is markup, whatever back-ticks it holds."""
    longest = max((len(run) for run in re.findall(r"`+", words)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", *_visible(words).split("\n"), fence]


def _visible(words: str) -> str:
    """Signs that cannot be seen, or that turn the direction of writing, are spelled."""
    return "".join(
        c if c == "\n" or (c.isprintable() and c not in _TURNS) else f"\\u{ord(c):04x}"
        for c in words.replace("\r\n", "\n")
    )


_TURNS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
