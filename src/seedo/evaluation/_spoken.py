"""What a run of a text player said besides acting: malformed replies, tokens, money, retries."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedo.errors import UserError
from seedo.statistics import Estimate, mean, missing, ratio, share

NAME = "conversations.jsonl"

DEFINITIONS: dict[str, str] = {
    "malformed": "share of a text player's replies that were no legal action in the asked form;"
    " none of them was carried out. Episodes are resampled whole.",
    "malformed at a step": "share of episodes with at least one malformed reply at that step.",
    "passed": "share of episodes in which a step passed with nothing done, after too many malformed"
    " replies.",
    "tokens": "mean of an episode, the whole conversation being sent again for every reply.",
}


@dataclass(frozen=True)
class Spoken:
    """The conversations of one run; see `DEFINITIONS`.

    Attributes:
        malformed_at: by step, those with any malformed reply.
        dollars: of all episodes together; None: unknown.
        retries: calls and episodes that were tried again.
        calls: what `run.json` says of the run as a whole, failed episodes included; {} without it.
    """

    episodes: int
    malformed: Estimate
    malformed_at: dict[int, Estimate]
    passed: Estimate
    tokens_in: Estimate
    tokens_out: Estimate
    dollars: float | None
    retries: int
    calls: dict[str, Any]


def spoken(folder: Path, calls: object) -> Spoken | None:
    """What the conversations of a run folder show; None where it has none.

    Raises:
        UserError: a line is not a conversation.
    """
    if not (folder / NAME).is_file():
        return None
    lines = list(_lines(folder / NAME))
    if not lines:
        return None
    wrong = [len(line["malformed"]) for line in lines]
    steps = Counter(step for line in lines for step in {entry[0] for entry in line["malformed"]})
    costs = [line["cost"] for line in lines]
    return Spoken(
        episodes=len(lines),
        malformed=ratio(wrong, [line["replies"] for line in lines]),
        malformed_at={step: share(steps[step], len(lines)) for step in sorted(steps)},
        passed=share(sum(bool(line["passed"]) for line in lines), len(lines)),
        tokens_in=_tokens([line["tokens_in"] for line in lines]),
        tokens_out=_tokens([line["tokens_out"] for line in lines]),
        dollars=None if None in costs else sum(costs),
        retries=sum(line["retries"] for line in lines),
        calls=calls if isinstance(calls, dict) else {},
    )


def _tokens(counts: list[int | None]) -> Estimate:
    known = [count for count in counts if count is not None]
    return mean(known) if known else missing("tokens were not counted")


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    kinds: dict[str, Any] = {"malformed": list, "passed": list, "replies": int, "retries": int}
    kinds |= {"tokens_in": int | None, "tokens_out": int | None, "cost": float | int | None}
    with path.open("rb") as file:
        for number, text in enumerate(file, 1):
            try:
                line = json.loads(text)
                bad = [k for k, kind in kinds.items() if not isinstance(line[k], kind)]
                bad += ["malformed" for entry in line["malformed"] if not isinstance(entry[0], int)]
            except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
                raise UserError(f"{path} line {number}", None, "not a conversation") from error
            if bad:
                raise UserError(f"{path} line {number}", None, f"{bad[0]} is not what it should be")
            yield line
