"""Time pressure: how long a choice or a task may take, by the clock of the lab."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from seedo.errors import UserError, is_number, one_of
from seedo.lab.study._fields import table

AT_END = ("task", "choice", "late")
"""What the end of the time does: the task ends, the choice is lost, or it is only marked."""

LIMITS = ("choice_seconds", "task_seconds")
GRACE = timedelta(seconds=2)
"""For the way to the lab and back."""

_MOST = 3600


class Due(NamedTuple):
    """When a choice has to be made; `of` is `choice` or `task`, whichever ends first."""

    at: datetime
    of: str


@dataclass(frozen=True)
class Pressure:
    """Table `[time]`; 0 seconds: as long as people like.

    Attributes:
        choice_seconds: for one choice, from when it was offered.
        task_seconds: for all choices of a task, from when somebody has begun it.
        at_end: one of `AT_END`; with `choice`, the end of a task's time ends the task all the same.
    """

    choice_seconds: float = 0
    task_seconds: float = 0
    at_end: str = "task"

    def __bool__(self) -> bool:
        return self.choice_seconds > 0 or self.task_seconds > 0

    def limits(self, began: datetime, answered: Sequence[datetime]) -> dict[str, datetime]:
        """When `choice` and `task` end, as far as they are limited.

        Args:
            began: when the task was begun.
            answered: when its choices so far were made.
        """
        since = {"choice": answered[-1] if answered else began, "task": began}
        seconds = {"choice": self.choice_seconds, "task": self.task_seconds}
        return {of: at + timedelta(seconds=seconds[of]) for of, at in since.items() if seconds[of]}

    def due(self, began: datetime, answered: Sequence[datetime]) -> Due:
        """When the next choice has to be made; see `limits`."""
        ends = self.limits(began, answered)
        of = min(ends, key=lambda each: ends[each])
        return Due(ends[of], of)

    @staticmethod
    def from_json(plain: object) -> Pressure:
        """The inverse of `to_json`; also of the file's table.

        Raises:
            UserError: names the key that cannot be used.
        """
        fields = table("time", plain, (*LIMITS, "at_end"))
        for name in LIMITS:
            seconds(f"time.{name}", fields.get(name, 0))
        one_of("time.at_end", fields.get("at_end", "task"), AT_END)
        return Pressure(**fields)

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        return {name: getattr(self, name) for name in (*LIMITS, "at_end")}


UNHURRIED = Pressure()


def seconds(field: str, value: object) -> None:
    """Raises UserError unless the value is a limit."""
    if not is_number(value) or not (value == 0 or 1 <= value <= _MOST):
        raise UserError(field, value, f"use 1 to {_MOST} seconds, or 0 for no limit")
