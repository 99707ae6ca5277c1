"""What came out of experiments: rows beside the table, in files that the command line reads too."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from seedo.episodes import write_atomic
from seedo.errors import UserError
from seedo.lab.data import _rows
from seedo.lab.data._shelf import EXPERIMENTS, TARGETS, Kept
from seedo.tables import Table, near

MOST = 10_000
"""Rows that can be entered."""

_Name = Annotated[str, Field(max_length=1_000)]
_Cell = Annotated[str, Field(max_length=200)]


class Entered(BaseModel):
    """One experiment: what was set, and what was read; by column, as text or number."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    set: dict[_Name, _Cell | float] = Field({}, max_length=50)
    values: dict[_Name, _Cell | float | None] = Field(max_length=1_000)


def enter(kept: Kept, entered: Entered) -> None:
    """Adds a row; nothing is kept of one that the table would not be read with as it was entered.

    Raises:
        UserError: a column is unknown, a value cannot be used, or nothing was read.
    """
    names = _rows.columns_of(kept.path)
    cells = _cells(names, entered)
    rows = entered_rows(kept)
    if len(rows) >= MOST:
        raise UserError("runs", len(rows), f"{MOST:,} are kept at most: add them to the table")
    before, _ = _rows.read(kept)
    marks = [*_marks(kept, rows), ";".join(entered.set)]
    files = {name: kept.beside(name) for name in (EXPERIMENTS, TARGETS)}
    held = {name: path.read_bytes() if path else None for name, path in files.items()}
    wrong: UserError | None = None
    for decimal in (".", ","):
        row = {name: _text(value, decimal) for name, value in cells.items()}
        _write(kept, names, [*rows, row], marks, before.rows - len(rows))
        try:
            _check(kept, cells, before)
            return
        except UserError as error:
            wrong = wrong or error
    for name, data in held.items():
        if data is None:
            (kept.place / name).unlink(missing_ok=True)
        else:
            write_atomic(kept.place / name, data)
    assert wrong is not None
    raise wrong


def undo(kept: Kept) -> None:
    """Takes the last row back.

    Raises:
        UserError: there is none.
    """
    rows = entered_rows(kept)
    if not rows:
        raise UserError("runs", None, "none was entered: there is nothing to take back")
    before, _ = _rows.read(kept)
    _write(kept, list(rows[0]), rows[:-1], _marks(kept, rows)[:-1], before.rows - len(rows))


def entered_rows(kept: Kept) -> list[dict[str, str]]:
    """The rows that were entered, as text by column."""
    path = kept.beside(EXPERIMENTS)
    if path is None:
        return []
    with open(path, encoding="utf-8", newline="") as file:
        return [dict(row) for row in csv.DictReader(file)]


def listed(kept: Kept) -> list[dict[str, Any]]:
    """The same with what was set in each."""
    rows = entered_rows(kept)
    return [{"set": [name for name in mark.split(";") if name], "values": row}
            for row, mark in zip(rows, _marks(kept, rows), strict=True)]  # fmt: skip


def _cells(names: Sequence[str], entered: Entered) -> dict[str, str | float | None]:
    for name in (*entered.set, *entered.values):
        if name not in names:
            raise UserError("column", name, near(name, names))
    if any(";" in name for name in entered.set):
        raise UserError("set", ";".join(entered.set), "a column with ; in its name: rename it")
    cells = {name: entered.set.get(name, entered.values.get(name)) for name in names}
    for name, value in cells.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise UserError(name, value, "give a finite number, or leave it empty")
    if not any(str(value).strip() for name, value in entered.values.items()
               if value is not None and name not in entered.set):  # fmt: skip
        raise UserError("values", None, "nothing was read: give a value of at least one column")
    return cells


def _marks(kept: Kept, rows: list[dict[str, str]]) -> list[str]:
    """What was set in each of the rows that were entered, joined by `;`."""
    column = kept.said.targets
    if column:
        return [row.get(column, "") for row in rows]
    path = kept.beside(TARGETS)
    found = [""] * len(rows)
    if path is not None:
        with open(path, encoding="utf-8", newline="") as file:
            told = list(csv.DictReader(file))
        first = int(told[0]["rows"]) if told else 0
        for line in told:
            found[int(line["rows"]) - first] = line["targets"]
    return found


def _text(value: str | float | None, decimal: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip().replace(".", decimal) if _number(value) is not None else value.strip()
    return repr(value).removesuffix(".0").replace(".", decimal)


def _number(value: str | float | None) -> float | None:
    try:
        return None if value is None else float(value)
    except ValueError:
        return None


def _write(
    kept: Kept, names: Sequence[str], rows: list[dict[str, str]], marks: list[str], base: int
) -> None:  # fmt: skip
    """Both files, of a table that has `base` rows of its own."""
    if not rows:
        for name in (EXPERIMENTS, TARGETS):
            (kept.place / name).unlink(missing_ok=True)
        return
    column = kept.said.targets
    if column:
        rows = [{**row, column: mark} for row, mark in zip(rows, marks, strict=True)]
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomic(kept.place / EXPERIMENTS, text.getvalue().encode("utf-8", "replace"))
    if column:
        return
    first = base + 1
    lines = io.StringIO()
    plain = csv.writer(lines, lineterminator="\n")
    plain.writerow(["rows", "targets"])
    plain.writerows([first + i, mark] for i, mark in enumerate(marks))
    write_atomic(kept.place / TARGETS, lines.getvalue().encode("utf-8", "replace"))


def _check(kept: Kept, cells: dict[str, str | float | None], before: Table) -> None:
    """Raises UserError unless the table is read with the last row as it was entered."""
    table, _ = _rows.read(kept)
    for name, value in cells.items():
        if name not in table.variables or value is None or not str(value).strip():
            continue
        at = table.index(name)
        column, read = table.columns[at], float(table.values[-1, at])
        if column.named:
            known = before.columns[before.index(name)].levels if name in before.variables else ()
            if known and column.levels != known:
                raise UserError(name, value, f"use one of {', '.join(known[:12])}")
            continue
        number = _number(value)
        if number is None:
            raise UserError(name, value, "give a number, or leave it empty")
        if not np.isclose(read, number, rtol=1e-9, atol=0):
            remedy = f"it would be read as {read:g}: say “Decimal” or “Missing” of the column"
            raise UserError(name, value, remedy)
