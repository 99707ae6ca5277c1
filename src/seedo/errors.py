"""What is said to a user whose input cannot be used, and the checks that everybody needs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeGuard


class UserError(ValueError):
    """Bad input, in the user's words.

    Args:
        field: what was given (an option, a column, a file).
        value: the value that cannot be used.
        remedy: what is accepted, or what to do.

    `str()` is one line: ``field: got value; remedy``. The command line prints it and exits with 2.
    """

    def __init__(self, field: str, value: object, remedy: str) -> None:
        self.field, self.value, self.remedy = field, value, remedy
        text = f"{field}: got {value!r}; {remedy}" if value is not None else f"{field}: {remedy}"
        super().__init__(" ".join(text.split()))


class FolderBusy(UserError):
    """A folder that another job is writing to at the moment."""


class DamagedShard(UserError):
    """A log shard that is truncated, altered or not an episode log."""


def one_of(field: str, value: object, options: Sequence[str]) -> None:
    """Raises UserError unless the value is among the options."""
    if value not in options:
        shown = ", ".join(option or "(empty)" for option in options)
        raise UserError(field, value, f"use one of {shown}")


def whole(field: str, value: object, lowest: int, highest: int) -> None:
    """Raises UserError unless the value is a whole number within these bounds."""
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise UserError(field, value, f"use a whole number from {lowest} to {highest}")


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value is a finite number of Python's; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def in_one_line(error: BaseException, most: int = 200) -> str:
    """Whatever was raised by code of others: its kind, and the beginning of what it says."""
    said = " ".join(str(error).split())[:most]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
