"""How a model is called in a run, and what one played episode tells."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any, Protocol

from seedo.errors import UserError
from seedo.language.runs._costs import Spending


@dataclass(frozen=True)
class Calls:
    """How a model is called.

    Attributes:
        max_connections: calls in flight, and episodes played at once.
        timeout: seconds after which a call that has not been answered is tried again.
        retries: of a call, after which its episode has failed for now.
        backoff: seconds before the first retry; twice as many before the next, up to a minute,
            and each time up to as many again at random.
        rounds: how often failed episodes are begun again before the run stops.
        temperature, max_tokens: of the model; None: its own.
        cache: answer a call from Inspect's cache on this machine if the same model was asked the
            same with the same seed and settings before.
    """

    max_connections: int = 10
    timeout: int = 120
    retries: int = 6
    backoff: float = 1.0
    rounds: int = 2
    temperature: float | None = None
    max_tokens: int | None = None
    cache: bool = False

    def __post_init__(self) -> None:
        least = {"max_connections": 1, "timeout": 1, "retries": 0, "rounds": 1, "max_tokens": 1}
        for field, lowest in least.items():
            value = getattr(self, field)
            if field == "max_tokens" and value is None:
                continue
            if not isinstance(value, int) or isinstance(value, bool) or value < lowest:
                raise UserError(field, value, f"use a whole number from {lowest}")
        for field in ("backoff", "temperature"):
            value = getattr(self, field)
            if field == "temperature" and value is None:
                continue
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not math.isfinite(value) or value < 0:
                raise UserError(field, value, "use a number from 0")


OUT_OF_BUDGET = "stopped by the budget"
"""`Played.failure` of an episode that was refused another call."""


class Watch(Protocol):
    """Somebody who follows an evaluation while it runs."""

    def called(self, spent: Spending, evaluation: str) -> None:
        """A call of an evaluation was answered, at this cost."""

    def may_call(self) -> bool:
        """Whether another call may be made."""

    def ended(self) -> None:
        """An episode was played to its end."""


@dataclass(frozen=True)
class Played:
    """One try at an episode, as Inspect's log has it.

    Attributes:
        record: see `runs.replay`.
        failure: why it is not finished, in a sentence; "": it is.
        spent: tokens. known: whether the server said how many, every time.
        retried: what went wrong -> how many calls were made again because of it.
        truncated: replies that the server cut off for their length.
        seconds: that it took.
    """

    episode: int
    record: dict[str, Any]
    failure: str
    spent: Spending
    known: bool
    retried: Counter[str]
    truncated: int
    seconds: float | None
