"""A review as a page and as a table for the terminal."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from typing import Any

from markupsafe import Markup
from rich.box import SIMPLE
from rich.table import Table

from seedo.evaluation import BAYES, COSTS, Frontier, Group, Review, Run, definitions
from seedo.reports._figures import figures
from seedo.reports._frontier_figure import frontier_figures
from seedo.reports._page import page, write_page
from seedo.reports._regret_figure import shown_runs
from seedo.statistics import Estimate

_NONE = "–"


def write_report(
    review: Review, path: str | os.PathLike[str], frontier: Frontier | None = None
) -> None:
    """Writes one HTML file that needs nothing else; whole or not at all.

    With a `frontier`, return against cost comes first among its figures.

    Raises:
        UserError: it cannot be written.
    """
    write_page(path, html(review, frontier))


def html(review: Review, frontier: Frontier | None = None) -> str:
    """The page; all text from logs is escaped."""
    return page(
        "report.html",
        {
            "estimate": text,
            "short": short,
            "config": _config,
            "counted": counted,
            "figure": _rounded,
        },
        review=review,
        frontier=frontier,
        costs=COSTS,
        frontier_figures={
            title: Markup(svg)
            for title, svg in (frontier_figures(frontier) if frontier else {}).items()
        },
        columns=COLUMNS,
        # Figures are drawn here; matplotlib escapes the names in them.
        figures={title: Markup(svg) for title, svg in figures(review).items()},
        definitions=definitions(review, frontier),
        none=_NONE,
    )


def _config(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)


def text(estimate: Estimate, percent: bool = False) -> str:
    """`0.843 [0.831, 0.855]`, or a dash."""
    if estimate.value is None:
        return _NONE
    form: Callable[[float], str] = "{:.1%}".format if percent else "{:.3f}".format
    if estimate.low is None or estimate.high is None:
        return form(estimate.value)
    return f"{form(estimate.value)} [{form(estimate.low)}, {form(estimate.high)}]"


def counted(run: Run) -> str:
    """How many episodes, of how many people."""
    of = "" if run.participants is None else f" of {units(run)}"
    return f"{run.episodes:,}{of}"


def units(run: Run) -> str:
    """What the intervals rest on."""
    if run.participants is None:
        return f"{run.episodes:,}"
    return "1 person" if run.participants == 1 else f"{run.participants:,} people"


def short(estimate: Estimate, percent: bool = False) -> str:
    """The value alone, or a dash."""
    if estimate.value is None:
        return _NONE
    return f"{estimate.value:.1%}" if percent else f"{estimate.value:.3f}"


COLUMNS: tuple[tuple[str, Callable[[Run], Estimate], bool], ...] = (
    ("return ratio", lambda run: run.metrics.return_ratio, False),
    ("Bayes ratio", lambda run: run.metrics.bayes_ratio, False),
    ("normalised return", lambda run: run.metrics.normalised_return, False),
    ("action match", lambda run: run.metrics.action_match, True),
    ("oracle log-likelihood", lambda run: run.metrics.oracle_log_likelihood, False),
    ("distinct tested", lambda run: run.metrics.distinct_tested, False),
    ("cued set explored", lambda run: run.metrics.cued_set_explored, True),
    ("random floor", lambda run: run.metrics.random_floor, False),
)
"""Columns of the report's table of runs: title, estimate, whether in per cent."""


def _empty(caption: str, names: Sequence[str], numbers: Sequence[str]) -> Table:
    """A table whose names are folded where it is narrow, and whose numbers are not."""
    made = Table(box=SIMPLE, padding=(0, 1, 0, 0), caption=caption, caption_justify="left")
    for title in names:
        made.add_column(title, overflow="fold", min_width=8)
    for title in numbers:
        made.add_column(title, justify="right", no_wrap=True)
    return made


def table(review: Review) -> Table:
    """One row a run and, for each world and split, what to hold it against; fits 120 columns."""
    made = _empty(
        "Shares of the omniscient return (Bayes ratio: of the Bayes-optimal reader's); "
        "heuristic and Bayes: what these readers make of the same explorations.",
        ["agent"],
        ["n", "return ratio [95 %]", "Bayes ratio [95 %]", "match", "tested", "heuristic", "Bayes"],
    )
    for group in review.groups:
        made.add_section()
        made.add_row(_escape(group.label), style="bold")
        for run in group.runs:
            m = run.metrics
            made.add_row(
                f"  {_escape(run.agent)}",
                units(run),
                text(m.return_ratio),
                text(m.bayes_ratio),
                short(m.action_match, percent=True),
                _NONE if m.distinct_tested.value is None else f"{m.distinct_tested.value:.2f}",
                _NONE
                if m.best_heuristic is None
                else short(m.readers[m.best_heuristic].return_ratio),
                short(m.readers[BAYES].return_ratio),
            )
        for seeds in group.seeds:
            made.add_row(
                f"  {_escape(seeds.agent)}, mean of seeds",
                f"{len(seeds.runs)} runs",
                text(seeds.return_ratio),
                text(seeds.bayes_ratio),
                style="italic",
            )
        for label, estimate in references(group):
            row = (f"  {label}", f"{estimate.n:,}", text(estimate))
            made.add_row(*row, style="dim")
    return made


def matrix(review: Review) -> Table:
    """Who explored (a row) × who reads (a column): return ratios."""
    names = list(dict.fromkeys(name for group in review.groups for name in group.readers))
    made = _empty(
        "Return ratios of readers (columns) of the same explorations (rows).", ["explored by"],
        [_escape(name) for name in ("itself", *names)],
    )  # fmt: skip
    for group in review.groups:
        made.add_section()
        made.add_row(_escape(group.label), style="bold")
        for run in group.runs:
            readers = run.metrics.readers
            cells = [short(readers[n].return_ratio) if n in readers else _NONE for n in names]
            made.add_row(f"  {_escape(run.agent)}", short(run.metrics.return_ratio), *cells)
    return made


def spoken_table(review: Review) -> Table | None:
    """What text players said, one row a run; None where there are no text players."""
    runs = [run for run in review.runs if run.spoken]
    if not runs:
        return None
    made = _empty(
        "Shares of replies; repaired: one legal action in another wrapping; malformed: none of "
        "them carried out. Tokens: of an episode.",
        ["text player"],
        ["episodes", "clean", "repaired", "malformed [95 %]", "of these ambiguous", "illegal",
         "tokens in", "out", "dollars", "retries"],
    )  # fmt: skip
    for run in runs:
        said = run.spoken
        assert said is not None
        made.add_row(
            _escape(run.agent),
            f"{said.episodes:,}",
            *(_bare_share(said.heard.get(kind)) for kind in ("clean", "repaired")),
            text(said.malformed, percent=True),
            *(_bare_share(said.heard.get(kind)) for kind in ("ambiguous", "illegal")),
            *(_NONE if e.value is None else f"{e.value:,.0f}"
              for e in (said.tokens_in, said.tokens_out)),
            _NONE if said.dollars is None else f"{said.dollars:,.4f}",
            f"{said.retries:,}",
        )  # fmt: skip
    return made


def acts_table(review: Review) -> Table | None:
    """What text players did at the steps of each phase, one row a run; None where nobody spoke."""
    runs = [run for run in review.runs if run.spoken and run.spoken.acts]
    if not runs:
        return None
    made = _empty(
        "Shares of the steps of a phase: something was set or answered (acted), only observed, or "
        "passed with nothing done; refused: share of replies.",
        ["text player"],
        [f"{phase}: {name}" for phase in ("experiments", "scored") for name in _ACTS],
    )
    for run in runs:
        assert run.spoken is not None
        told = [run.spoken.acts.get(phase, {}) for phase in ("explore", "exploit")]
        made.add_row(
            _escape(run.agent),
            *(_bare_share(acts.get(name)) for acts in told for name in _ACTS.values()),
        )
    return made


_ACTS = {"acted": "legal", "observed": "observed", "passed": "passed", "refused": "refused"}


def _bare_share(estimate: Estimate | None) -> str:
    return _NONE if estimate is None or estimate.value is None else f"{estimate.value:.0%}"


def beside_table(review: Review) -> Table | None:
    """People less others on the same systems, one row a pair of runs; None where there are none."""
    pairs = [pair for group in review.groups for pair in group.beside]
    if not pairs:
        return None
    made = _empty(
        "Difference in shares of the omniscient return on the same systems and noise; "
        "intervals over people.",
        ["people", "less"],
        ["systems", "participants", "difference [95 %]"],
    )
    for pair in pairs:
        shown = pair.difference.reason if pair.difference.value is None else text(pair.difference)
        made.add_row(
            _escape(pair.people),
            _escape(pair.other),
            f"{pair.systems:,}",
            f"{pair.participants:,}",
            shown,
        )
    return made


def information_table(review: Review) -> Table | None:
    """What experiments were expected to tell, one row a run; None where nobody asked."""
    runs = [run for run in review.runs if run.information]
    if not runs:
        return None
    made = _empty(
        "Bits about the graph that a step of exploring was expected to tell; share: of what the "
        "best experiment would have; above random: 0 chooses like chance, 1 like the best.",
        ["agent"],
        ["n", "bits [95 %]", "best", "random", "share [95 %]", "above random [95 %]", "left"],
    )
    for group in review.groups:
        made.add_section()
        made.add_row(_escape(group.label), style="bold")
        for run in group.runs:
            if (own := run.information) is None:
                continue
            if (reason := own.bits.reason) and own.bits.value is None:
                made.add_row(f"  {_escape(run.agent)}", _NONE, _escape(reason))
                continue
            made.add_row(
                f"  {_escape(run.agent)}",
                f"{own.episodes:,}",
                text(own.bits),
                *(f"{e.value:.3f}" for e in (own.best_bits, own.random_bits)),
                text(own.information_ratio),
                text(own.bits_above_random),
                short(own.bits_left),
            )
    return made


def regret_table(review: Review) -> Table | None:
    """How good the best setting was after some runs, one row a run; None where none are chosen."""
    runs = [run for run in review.runs if run.regret]
    if not runs:
        return None
    shown = shown_runs(runs)
    made = _empty(
        "Best: found in all runs. Then its regret: 0 is the best setting there is, 1 is chance. "
        "Area: mean over all runs. Kept: of the setting kept in the end.",
        ["player"],
        ["n", "best", *(f"after {n}" for n in shown), "area [95 %]", "kept [95 %]"],
    )
    for group in review.groups:
        if not any(run.regret for run in group.runs):
            continue
        made.add_section()
        made.add_row(_escape(group.label), style="bold")
        for run in group.runs:
            if run.regret is not None:
                best = _rounded(run.regret.best[-1].value)
                cells = [best, *(short(run.regret.after(n)) for n in shown)]
                whole = (text(run.regret.area), text(run.regret.kept))
                made.add_row(f"  {_escape(run.agent)}", units(run), *cells, *whole)
    return made


def frontier_table(frontier: Frontier) -> Table:
    """Return and costs of every run; for each cost whether it is in the Pareto set."""
    made = _empty(
        "Pareto set for experiments, FLOPs and ms alone: yes; open: the interval of the "
        f"difference reaches 0; no. FLOPs: XLA's count. Measured on {frontier.machine}.",
        ["player"],
        ["return [95 %]", "return ratio [95 %]", "exp.", "FLOPs", "ms", "in numbers"],
    )
    made.add_column("Pareto", no_wrap=True)
    for group in frontier.groups:
        made.add_section()
        made.add_row(_escape(group.label), style="bold")
        for point in group.points:
            speed = point.speed
            made.add_row(
                f"  {_escape(point.agent)}",
                text(point.returns),
                text(point.return_ratio),
                _rounded(point.experiments.value),
                _rounded(point.flops),
                _rounded(speed.single if speed else None),
                _rounded(speed.batched if speed else None),
                "/".join(point.pareto[name] or _NONE for name in COSTS),
            )
    return made


def _rounded(number: float | None) -> str:
    """Three digits: 0.0123, 4,230, 1.27e+08; a dash for None."""
    if number is None:
        return _NONE
    if number == 0 or 1e-3 <= number < 1e6:
        digits = f"{float(f'{number:.3g}'):,.4f}"
        return digits.rstrip("0").rstrip(".")
    return f"{number:.3g}"


def references(group: Group) -> list[tuple[str, Estimate]]:
    """What the runs of a group are held against, lowest first."""
    if all(run.regret for run in group.runs):
        return []  # settings are measured by their regret
    best = group.best_heuristic
    found = [("random floor", group.references["random"])]
    if best is not None:
        found.append((f"best: {best}", group.references[best]))
    if group.read:
        found.append(("Bayes reader", group.references[BAYES]))
    return [*found, ("omniscient ceiling", group.references["oracle"])]


def _escape(name: str) -> str:
    return name.replace("[", r"\[")
