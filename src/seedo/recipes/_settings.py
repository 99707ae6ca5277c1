"""Settings of ways to learn: what each is, in one line, and what it may be."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import MISSING, field, fields
from typing import Any

from seedo.errors import UserError, one_of, whole

LARGEST_SEED = 2**32 - 1

Check = Callable[[str, Any], None]
"""(field, value) -> None; raises UserError for a value that it may not have."""


def setting(
    default: Any = MISSING, help: str = "", check: Check | None = None, option: str | None = None
) -> Any:
    """A field of a recipe.

    Args:
        help: one line. check: what it may be; None where the field says so by its type.
        option: of the command line, where it is not the field's name.
    """
    return field(default=default, metadata={"help": help, "check": check, "option": option})


def count(lowest: int, highest: int) -> Check:
    """A whole number within bounds."""
    return lambda name, value: whole(name, value, lowest, highest)


def choice(*options: str) -> Check:
    """One of some words."""
    return lambda name, value: one_of(name, value, options)


def _number(allowed: Callable[[float], bool], remedy: str) -> Check:
    def check(name: str, value: Any) -> None:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (number and math.isfinite(value) and allowed(value)):
            raise UserError(name, value, f"use a {remedy}")

    return check


positive = _number(lambda x: x > 0, "finite number above 0")
not_negative = _number(lambda x: x >= 0, "finite number, 0 or more")
share = _number(lambda x: 0 <= x <= 1, "number from 0 to 1")
some_share = _number(lambda x: 0 < x <= 1, "number above 0, up to 1")
between = _number(lambda x: 0 < x < 1, "number between 0 and 1")


def widths(name: str, value: Any) -> None:
    for entry in value:
        if not (isinstance(entry, tuple) and len(entry) == 2 and isinstance(entry[0], str)):
            raise UserError(name, entry, "give pairs of a name and a whole number")


class Checked:
    """A dataclass whose fields are checked when it is made."""

    def __post_init__(self) -> None:
        own: Any = self
        for each in fields(own):
            value, check = getattr(self, each.name), each.metadata["check"]
            if check is not None and not (value is None and "None" in str(each.type)):
                check(each.name, value)
