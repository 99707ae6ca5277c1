"""What a run of a text player said: how replies were read, what was done, tokens, money."""

from __future__ import annotations

import io
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.episodes import EXPLOIT, EXPLORE
from seedo.errors import UserError
from seedo.statistics import Estimate, mean, missing, share, share_of
from seedo.storage import Place

NAME = "conversations.jsonl"

DEFINITIONS: dict[str, str] = {
    "malformed": "share of a text player's replies that were not unmistakably one legal action"
    " (with `strict`: not in the form asked for); none of them was carried out. Episodes are"
    " resampled whole.",
    "heard": "shares of replies that were `clean` (one legal action in the form asked for),"
    " `repaired` (one in another wrapping), `ambiguous` (several, or none that was chosen),"
    " `illegal` (one that cannot be done) or `none` (no action); the last three are malformed.",
    "acts": "shares of the steps of a phase at which something was set or answered (`legal`), only"
    " observed (`observed`), or nothing was done after too many malformed replies (`passed`); and"
    " share of the replies there that were `refused`. A player that never acts is all passed."
    " What a passed experiment showed counts as unseen for whoever reads the explorations."
    " `echoed`: share of the actions of a phase that are the very line with which the turn showed"
    " what an action looks like, which was drawn at random: whoever only gives it back, 100 %,"
    " plays at random.",
    "malformed at a step": "share of episodes with at least one malformed reply at that step.",
    "passed": "share of episodes in which a step passed with nothing done, after too many malformed"
    " replies.",
    "tokens": "mean of an episode, the whole conversation being sent again for every reply.",
}


@dataclass(frozen=True)
class Excerpt:
    """A reply with what was said before and after it; long texts are cut in the middle.

    Attributes:
        step: from 0, that it was for.
        why: the reason for which it was refused; "": it was taken, as `taken`.
    """

    episode: int
    step: int
    asked: str
    said: str
    answered: str
    why: str
    taken: str


@dataclass(frozen=True)
class Spoken:
    """The conversations of one run; see `DEFINITIONS`.

    Attributes:
        malformed_at: by step, those with any malformed reply.
        heard: share of replies by how they were read; {} where an older log does not say.
        repairs: how often each repair was made, see `language.scenes.REPAIRS`.
        heard_in: the same by phase: `explore`, `exploit`, `questions` (replies to be answers).
        acts: by phase (`explore`, `exploit`), shares by name; see `DEFINITIONS`.
        excerpts: by how a reply was read, the first that was read so; none of clean ones.
        dollars: of all episodes together; None: unknown. dollars_each: of an episode.
        retries: calls and episodes that were tried again.
        calls: what `run.json` says of the run as a whole, failed episodes included; {} without it.
    """

    episodes: int
    malformed: Estimate
    malformed_at: dict[int, Estimate]
    heard: dict[str, Estimate]
    heard_in: dict[str, dict[str, Estimate]]
    repairs: dict[str, int]
    acts: dict[str, dict[str, Estimate]]
    excerpts: dict[str, Excerpt]
    passed: Estimate
    tokens_in: Estimate
    tokens_out: Estimate
    dollars: float | None
    dollars_each: Estimate
    retries: int
    calls: dict[str, Any]


TAKEN = ("clean", "repaired")
"""Kinds of replies that were carried out."""
KINDS = (*TAKEN, "ambiguous", "illegal", "none")
"""How a reply can have been read."""

_PHASES = {"explore": EXPLORE, "exploit": EXPLOIT}


def conversations(folder: Place) -> list[dict[str, Any]]:
    """What was said in a run, an episode an entry; [] where nobody spoke.

    Raises:
        UserError: a line is not a conversation.
    """
    return list(_lines(folder / NAME)) if (folder / NAME).is_file() else []


def spoken(lines: list[dict[str, Any]], calls: object, phases: Sequence[int] = ()) -> Spoken | None:
    """What `conversations` show; None where there are none.

    `phases` are those of the log's steps, the same in every episode; without any, nothing is told
    by phase.
    """
    if not lines:
        return None
    wrong = [len(line["malformed"]) for line in lines]
    steps = Counter(step for line in lines for step in {entry[0] for entry in line["malformed"]})
    costs = [line["cost"] for line in lines]
    return Spoken(
        episodes=len(lines),
        malformed=share_of(wrong, [line["replies"] for line in lines]),
        malformed_at={step: share(steps[step], len(lines)) for step in sorted(steps)},
        heard=_heard(line["heard"] for line in lines),
        heard_in=_heard_in(lines, phases),
        repairs=dict(Counter(how for line in lines for entry in line["heard"] for how in entry[2])),
        acts={
            name: _acts(lines, phases, phase)
            for name, phase in _PHASES.items()
            if phase in phases and any(line["heard"] for line in lines)
        },
        excerpts=_excerpts(lines),
        passed=share(sum(bool(line["passed"]) for line in lines), len(lines)),
        tokens_in=_tokens([line["tokens_in"] for line in lines]),
        tokens_out=_tokens([line["tokens_out"] for line in lines]),
        dollars=None if None in costs else sum(costs),
        dollars_each=missing("the price is unknown") if None in costs else mean(costs),
        retries=sum(line["retries"] for line in lines),
        calls=calls if isinstance(calls, dict) else {},
    )


def passed_steps(lines: list[dict[str, Any]]) -> dict[int, list[int]]:
    """By episode, the steps of `conversations` that passed with nothing done."""
    return {line["episode"]: line["passed"] for line in lines if line["passed"]}


def values_of(
    lines: list[dict[str, Any]], episodes: Sequence[int]
) -> dict[str, NDArray[np.float64]]:
    """Of every episode of a log, float64[B], NaN where unknown: share of its replies that were
    malformed, tokens in and out, dollars; {} without conversations."""
    if not lines:
        return {}
    columns: dict[str, dict[int, float]] = {
        "malformed": {e["episode"]: len(e["malformed"]) / e["replies"]
                      for e in lines if e["replies"] > 0},
        **{
            name: {e["episode"]: e[key] for e in lines if e[key] is not None}
            for name, key in (
                ("tokens_in", "tokens_in"), ("tokens_out", "tokens_out"), ("dollars", "cost")
            )
        },
    }  # fmt: skip
    return {
        name: np.array([known.get(episode, math.nan) for episode in episodes])
        for name, known in columns.items()
    }


def _heard_in(lines: list[dict[str, Any]], phases: Sequence[int]) -> dict[str, dict[str, Estimate]]:
    found = {}
    for name, phase in _PHASES.items():
        found[name] = _heard(_of_phase(line, phases, phase) for line in lines)
    found["questions"] = _heard([e for e in line["heard"] if e[4]] for line in lines)
    return {name: shares for name, shares in found.items() if shares}


def _of_phase(line: Mapping[str, Any], phases: Sequence[int], phase: int) -> list[Any]:
    """The replies for steps of a phase, less those to questions."""
    return [e for e in line["heard"] if not e[4] and e[0] < len(phases) and phases[e[0]] == phase]


_LONGEST = 600


def _excerpts(lines: list[dict[str, Any]]) -> dict[str, Excerpt]:
    found: dict[str, Excerpt] = {}
    for line in lines:
        wrong = iter(line["malformed"])  # one for each reply that was read as such, in order
        for place, (step, kind, _, taken, _, *number) in enumerate(line["heard"]):
            why = "" if kind in TAKEN else str(next(wrong, ("", ""))[1])
            if kind == "clean" or kind in found:
                continue
            # Older logs do not say which reply it was: known where every one was read.
            told = len(line["heard"]) == line["replies"]
            at = number[0] if number else place if told else None
            around = None if at is None else _around(line, at)
            if around is not None:
                found[kind] = Excerpt(line["episode"], step, *around, why, taken)
    return {kind: found[kind] for kind in KINDS if kind in found}


def _around(line: Mapping[str, Any], reply: int) -> tuple[str, str, str] | None:
    """A reply of the player's own, by number, with what was said before and after it."""
    at = _replies(line).get(reply)
    if at is None:
        return None
    texts = ["", *(m["content"] for m in line["messages"]), ""]
    return _cut(texts[at]), _cut(texts[at + 1]), _cut(texts[at + 2])


def _replies(line: Mapping[str, Any]) -> dict[int, int]:
    """Which of the messages each reply of the player's own is, by number; {} without messages."""
    messages = line.get("messages")
    if not isinstance(messages, list) or not all(
        isinstance(m, dict) and isinstance(m.get("content"), str) for m in messages
    ):
        return {}
    said = [i for i, m in enumerate(messages) if m.get("role") == "assistant"]
    first = len(said) - line["replies"]  # examples come before
    return {k - first: at for k, at in enumerate(said) if k >= first}


def _cut(text: str) -> str:
    half = _LONGEST // 2
    return text if len(text) <= _LONGEST else f"{text[:half]} […] {text[-half:]}"


def _heard(entries: Iterable[Sequence[Any]]) -> dict[str, Estimate]:
    counts = [Counter(entry[1] for entry in each) for each in entries]
    totals = [count.total() for count in counts]
    if not sum(totals):
        return {}
    return {kind: share_of([count[kind] for count in counts], totals) for kind in KINDS}


def _acts(lines: list[dict[str, Any]], phases: Sequence[int], phase: int) -> dict[str, Estimate]:
    """What was done at the steps of a phase; episodes are resampled whole."""
    found: dict[str, list[int]] = {k: [] for k in ("legal", "observed", "passed", "refused")}
    steps, replies = [], []
    for line in lines:
        own = _of_phase(line, phases, phase)
        taken = [entry[3] for entry in own if entry[3]]
        passed = [step for step in line["passed"] if step < len(phases) and phases[step] == phase]
        found["observed"].append(taken.count("observe"))
        found["legal"].append(len(taken) - taken.count("observe"))
        found["passed"].append(len(passed))
        found["refused"].append(len(own) - len(taken))
        steps.append(len(taken) + len(passed))
        replies.append(len(own))
    shares = {
        name: share_of(count, replies if name == "refused" else steps)
        for name, count in found.items()
    }
    echoes = [_echoes(line, phases, phase) for line in lines]
    if any(echoes):
        shares["echoed"] = share_of([sum(each) for each in echoes], [len(each) for each in echoes])
    return shares


_SHOWS = " such as:"  # ends the line before the one that shows an action


def _echoes(line: Mapping[str, Any], phases: Sequence[int], phase: int) -> list[bool]:
    """Of every action of a phase whose turn ended in a line that shows one, whether it is that."""
    found, replies = [], _replies(line)
    for _, _, _, taken, _, *number in _of_phase(line, phases, phase):
        at = replies.get(number[0], 0) if number and taken else 0
        asked = line["messages"][at - 1]["content"].split("\n") if at else []
        if len(asked) > 1 and asked[-2].endswith(_SHOWS):
            found.append(asked[-1] == taken)
    return found


def _tokens(counts: list[int | None]) -> Estimate:
    known = [count for count in counts if count is not None]
    return mean(known) if known else missing("tokens were not counted")


def _is_heard(entry: Any) -> bool:
    step, kind, how, line, asked, *number = entry
    if not all(isinstance(at, int) for at in number) or len(number) > 1:
        return False
    texts = all(isinstance(text, str) for text in (kind, line, asked, *how))
    return texts and isinstance(step, int) and isinstance(how, list)


def _lines(path: Place) -> Iterator[dict[str, Any]]:
    kinds: dict[str, Any] = {"malformed": list, "passed": list, "replies": int, "retries": int}
    kinds["episode"] = int
    kinds |= {"tokens_in": int | None, "tokens_out": int | None, "cost": float | int | None}
    with io.BytesIO(path.read_bytes()) as file:
        for number, text in enumerate(file, 1):
            try:
                line = json.loads(text)
                bad = [k for k, kind in kinds.items() if not isinstance(line[k], kind)]
                bad += [
                    "malformed"
                    for entry in line["malformed"]
                    if not (isinstance(entry[0], int) and isinstance(entry[1], str))
                ]
                bad += ["passed" for step in line["passed"] if not isinstance(step, int)]
                line.setdefault("heard", [])  # not said by older versions
                line.setdefault("answers", {})
                bad += ["answers"] if not isinstance(line["answers"], dict) else []
                bad += ["heard" for entry in line["heard"] if not _is_heard(entry)]
            except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
                raise UserError(f"{path} line {number}", None, "not a conversation") from error
            if bad:
                raise UserError(f"{path} line {number}", None, f"{bad[0]} is not what it should be")
            yield line
