"""Checks of what a study's file gives, each with a line that names the field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seedo.errors import UserError
from seedo.lab._called import unseen

MOST_TEXT = 20_000  # characters


def text(field: str, value: object, most: int = MOST_TEXT) -> None:
    """Raises UserError unless the value is a text with something in it."""
    if not isinstance(value, str) or not value.strip():
        raise UserError(field, None, "write a text")
    if len(value) > most:
        raise UserError(field, f"{len(value)} characters", f"use at most {most}")


def plain_text(field: str, value: object, lines: bool = False) -> None:
    """Raises UserError for characters that cannot be seen, or turn the order of others round.

    Args:
        lines: line breaks and tabs are allowed.
    """
    within = "\n\t\u200c\u200d" if lines else ""  # the last two: Persian, Hindi
    if sign := unseen(str(value), " \u00a0\u202f" + within):
        raise UserError(field, sign, "leave out the character that cannot be seen")


def distinct(field: str, names: Sequence[str], remedy: str) -> None:
    """Raises UserError for a name that comes twice."""
    for name in names:
        if names.count(name) > 1:
            raise UserError(field, name, remedy)


def flag(field: str, value: object) -> None:
    """Raises UserError unless the value is true or false."""
    if not isinstance(value, bool):
        raise UserError(field, value, "use true or false")


def table(field: str, value: object, known: tuple[str, ...]) -> dict[str, Any]:
    """A table that has none but these keys.

    Raises:
        UserError: it is none, or has others.
    """
    if not isinstance(value, Mapping):
        raise UserError(field, str(value)[:40], f"write it as a table: [{field}]")
    for key in value:
        if key not in known:
            raise UserError(f"{field}: unknown key", key[:40], f"use only {', '.join(known)}")
    return dict(value)


def tables(field: str, value: object) -> list[Any]:
    """A list of tables, not yet looked into.

    Raises:
        UserError: it is none.
    """
    if not isinstance(value, list):
        raise UserError(field, str(value)[:40], f"write each as a table: [[{field}]]")
    return value
