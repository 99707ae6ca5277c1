"""Cells that were read as they stand though they look like something else."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_DATE = re.compile(
    r"(\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/.]\d\d?[-/.](\d{4}|\d\d)|\d\d?[. -][a-z]{3,9}[. -]+\d{2,4}"
    r"|[a-z]{3,9} \d\d?,? \d{4})([t ]\d\d?:\d\d.*)?",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"\d{1,3}:\d\d(:\d\d)?(\.\d+)?")
_FRACTION = re.compile(r"[+-]?(\d+ )?\d+/\d+")
_FORMULA = re.compile(r"=.*\d.*")
_AMOUNT = re.compile(r"[+-]?\d[\d.,]*(\s+[^\W\d]{1,8}|[a-zµμ°%]{2,5}|[kKM])(/\w+)?")
_ORDINAL = re.compile(r"\d+(st|nd|rd|th|er|e|ème)\b.*", re.IGNORECASE)
_KINDS = (
    (_DATE, "dates in several forms, or of days that do not exist", "write all as 2024-12-31"),
    (_CLOCK, "times of day or lengths of time", "write them as numbers of one unit, 12.5"),
    (_FRACTION, "fractions", "write them as numbers, 0.5"),
    (_FORMULA, "formulas", "save the table with their values"),
    (_AMOUNT, "numbers with a unit", "write all as numbers of one unit, the unit in the header"),
)


def misread_names(name: str, cells: Sequence[str | None], count: NDArray[np.int64]) -> str:
    """What to say about a column of names of which half or more look like amounts or dates.

    Args:
        name: of the column.
        cells: the D different ones, None where nothing is there.
        count: int64[D], how often each is there.

    Returns:
        A line with examples and what to do; empty if they look like names.
    """
    there = [(cell, int(n)) for cell, n in zip(cells, count, strict=True) if cell]
    looks: dict[int, list[str]] = {}
    seen = 0
    for cell, number in there:
        # A plain number beside them is an amount too; one kind of sign must be there.
        kind = _kind(cell)
        seen += number * (kind is not None)
        if kind is not None and kind >= 0:
            looks.setdefault(kind, []).append(cell)
    if not looks or 2 * seen < sum(number for _, number in there):
        return ""
    kind = max(looks, key=lambda k: len(looks[k]))
    examples = [cell[:40] for cell in looks[kind]]
    examples += [cell[:40] for cell, _ in there if cell not in looks[kind]]
    _, what, remedy = _KINDS[kind]
    shown = ", ".join(map(repr, examples[:3]))
    return (f"{shown} look like {what}, but are read as names: {remedy}; if names are right, "
            f"--types {name}=categorical")  # fmt: skip


def _kind(cell: str) -> int | None:
    """Which of the kinds a cell is; -1 a number in plain digits, None a name."""
    if re.fullmatch(r"[+-]?\d+([.,]\d+)?", cell):
        return -1 if cell.isascii() else len(_KINDS) - 1
    if _ORDINAL.fullmatch(cell):
        return None
    return next((k for k, (form, *_) in enumerate(_KINDS) if form.fullmatch(cell)), None)


def misread_days(name: str, values: NDArray[np.float64]) -> str:
    """What to say about numbers that all are days written as 20241231; empty if they are not.

    Args:
        name: of the column.
        values: float64[R], NaN where missing.
    """
    there = np.unique(values[np.isfinite(values)])
    if len(there) < 2 or (there != np.floor(there)).any():
        return ""
    year, month, day = there // 10_000, there // 100 % 100, there % 100
    held = (year >= 1800) & (year <= 2199) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    if not held.all():
        return ""
    shown = f"{int(there[0])}, {int(there[1])}"
    first = f"{int(year[0])}-{int(month[0]):02d}-{int(day[0]):02d}"
    return (f"{shown} look like dates, but are used as numbers: write {first}, or leave the column "
            f"out with --drop {name}")  # fmt: skip
