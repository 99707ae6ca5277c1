"""Tables of earlier rows, with which a campaign starts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.play.campaign._parts import Start
from seedo.play.campaign._plan import Plan
from seedo.play.campaign._runs import lenient
from seedo.spaces import Knob
from seedo.tables import MISSING, Columns, near, read_columns

Array = NDArray[np.float64]

_TRUE = ("true", "yes", "1", "1.0", "y", "t", "observed")
_FALSE = ("false", "no", "0", "0.0", "n", "f", "", "set")


@dataclass(frozen=True)
class Earlier:
    """Rows from before the campaign.

    Attributes:
        settings: float64[E, K], what knobs were set to, or were seen at in rows in which nobody set
            them; NaN where a table does not say.
        readings: float64[E, M], NaN where a table does not say.
        observed: bool[E], rows in which nobody set the knobs.
        told: what was read and what is odd, one line each.
    """

    settings: Array
    readings: Array
    observed: NDArray[np.bool_]
    told: tuple[str, ...] = ()


def read_earlier(plan: Plan) -> Earlier:
    """The rows of all tables of a plan.

    Raises:
        UserError: a table cannot be read, or lacks all knobs or all readings.
    """
    parts = [_read(start, plan) for start in plan.start]
    if not parts:
        nothing = np.zeros((0, plan.space.size)), np.zeros((0, len(plan.names)))
        return Earlier(*nothing, np.zeros(0, np.bool_))
    return Earlier(
        np.concatenate([part.settings for part in parts]),
        np.concatenate([part.readings for part in parts]),
        np.concatenate([part.observed for part in parts]),
        tuple(line for part in parts for line in part.told),
    )


def _read(start: Start, plan: Plan) -> Earlier:
    try:
        table = read_columns(start.file)
    except OSError as error:
        raise UserError(f"start {start.file}", None, f"cannot be read: {error.strerror}") from None
    columns = {name.strip(): name for name in table.arrays}
    there = [knob for knob in plan.space.knobs if knob.name in columns]
    read = [name for name in plan.names if name in columns]
    if not there and not start.observed:
        remedy = f"it has no column of a knob: {near(plan.space.names[0], list(columns))}"
        raise UserError(f"start {start.file}", plan.space.names[0], remedy)
    if not read:
        remedy = f"it has no column of a reading: {near(plan.names[0], list(columns))}"
        raise UserError(f"start {start.file}", plan.names[0], remedy)
    settings = np.full((table.rows, plan.space.size), np.nan)
    told = list(table.warnings)
    for i, knob in enumerate(plan.space.knobs):
        if knob.name in columns:
            cells = table.text(columns[knob.name]).to_pylist()
            numbers = None if knob.named else table.numbers([columns[knob.name]])[:, 0]
            settings[:, i], unknown = _values(knob, cells, numbers)
            if unknown:
                told.append(
                    f"{start.file}: {knob.name} has no level {unknown[0]!r}"
                    + (f" nor {len(unknown) - 1} others" if len(unknown) > 1 else "")
                    + ": such rows are no runs"
                )
    numbers = table.numbers([columns[name] for name in read])
    readings = np.full((table.rows, len(plan.names)), np.nan)
    for j, name in enumerate(read):
        readings[:, plan.names.index(name)] = numbers[:, j]
    observed = _observed(start, [str(c) for c in columns], table, settings)
    whole = np.isfinite(settings).all(axis=1)
    kept = observed | whole
    told += _told(start, plan, settings, observed, whole)
    return Earlier(settings[kept], readings[kept], observed[kept], tuple(told))


def _values(
    knob: Knob, cells: Sequence[str | None], numbers: Array | None
) -> tuple[Array, list[str]]:
    """float64[R] values of a column, and names in it that are no level."""
    if numbers is not None:
        return numbers, []
    plain = [None if cell is None or cell.lower() in MISSING else cell for cell in cells]
    # "1.0" and 1 are one level where a file was written by a program that knows only numbers.
    by_number = {float(level): level for level in knob.levels if _number(level) is not None}
    named = []
    for cell in plain:
        number = None if cell is None else _number(cell)
        known = cell is None or cell in knob.levels or number is None
        named.append(cell if known else by_number.get(number or 0.0, cell))
    values = np.array([lenient(knob, cell) for cell in named])
    missed = zip(named, values, strict=True)
    unknown = dict.fromkeys(str(c) for c, v in missed if c is not None and math.isnan(v))
    return values, list(unknown)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _observed(
    start: Start, names: Sequence[str], table: Columns, settings: Array
) -> NDArray[np.bool_]:
    """bool[R]: rows in which nobody set the knobs: those said to be, and those without any."""
    nothing = np.asarray(np.isnan(settings).all(axis=1), np.bool_)
    if isinstance(start.observed, bool):
        return np.full(len(nothing), True) if start.observed else nothing
    if start.observed not in names:
        raise UserError("start.observed", start.observed, near(start.observed, list(names)))
    cells = [str(cell or "").lower() for cell in table.text(start.observed).to_pylist()]
    for row, cell in enumerate(cells):
        if cell not in _TRUE + _FALSE:
            remedy = "give true or false: whether nobody set the knobs in that row"
            raise UserError(table.place(row, start.observed), cell, remedy)
    return nothing | np.array([cell in _TRUE for cell in cells], np.bool_)


def _told(
    start: Start, plan: Plan, settings: Array, observed: NDArray[np.bool_],
    whole: NDArray[np.bool_],
) -> list[str]:  # fmt: skip
    runs = whole & ~observed
    told = [f"{start.file}: {_rows(int(runs.sum()))} of earlier runs"
            + (f", {observed.sum():,} observations" if observed.any() else "")]  # fmt: skip
    outside = int((~plan.space.allows(settings[runs])).sum()) if runs.any() else 0
    if outside:
        told.append(
            f"{start.file}: {_rows(outside)} outside of what can be set now: kept as data, "
            "never proposed"
        )
    part = int((~observed & ~whole).sum())
    if part:
        told.append(f"{start.file}: {_rows(part)} without a usable value of every knob: left out")
    return told


def _rows(count: int) -> str:
    return f"{count:,} row{'s' * (count != 1)}"
