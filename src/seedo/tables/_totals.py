"""Rows of totals below a table."""

from __future__ import annotations

import re
from dataclasses import replace

from seedo.tables._columns import Columns, as_text

_MOST = 3  # of them
_TOTAL = re.compile(
    r"(grand |sub)?totals?|sum|sums|(gesamt|zwischen|end)?summe|gesamt|insgesamt|somme|suma|totale?"
    r"|\u03a3|\u2211",
    re.IGNORECASE,
)


def is_total(cell: str) -> bool:
    """Whether a cell says that its row is a total: `Total`, `Summe:`."""
    return _TOTAL.fullmatch(cell.strip().rstrip(":").strip()) is not None


def without_totals(block: Columns) -> tuple[Columns, str]:
    """A file without the totals in its last rows, and what to say; empty if there are none.

    Such a row's first cell that holds anything is a word for a total that stands nowhere else in
    its column: a group may be called so.
    """
    rows = block.rows
    last = max(rows - _MOST, 1)
    begins: dict[int, str] = {}
    ends = rows
    for row in range(rows - 1, last - 1, -1):
        found = _first_cell(block, row)
        if found is None or not is_total(found[1]) or _elsewhere(block, *found, last):
            break
        begins[row], ends = found[1], row
    if not begins:
        return block, ""
    arrays = {name: array.slice(0, ends) for name, array in block.arrays.items()}
    shown = f"{block.line(ends)} ({begins[ends]!r}"
    more = f" and {len(begins) - 1} below" if len(begins) > 1 else ""
    return replace(block, arrays=arrays, rows=ends), f"{shown}{more}) is a total and left out"


def _first_cell(block: Columns, row: int) -> tuple[str, str] | None:
    """Name of the first column in which a row holds anything, and that; None if it is no text."""
    for name, array in block.arrays.items():
        cell = array[row].as_py()
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            continue
        return (name, cell) if isinstance(cell, str) else None
    return None


def _elsewhere(block: Columns, name: str, cell: str, last: int) -> bool:
    """Whether a column holds the same word above its last rows."""
    text = as_text(block.arrays[name].slice(0, last))
    held = set() if text is None else {c.casefold() for c in text.unique().to_pylist() if c}
    return cell.strip().casefold() in held
