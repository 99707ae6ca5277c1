"""Which rows of a table tell about one variable's mechanism, and what is always in it.

What belongs to a unit (a patient, a batch) or drifts in time moves several variables at once, and
none of them need move another. So where rows come in units, every unit has a constant of its own
(fixed effects: only what varies within units tells about edges; Wooldridge 2010, ch. 10), and where
they have a time, a smooth trend is always in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.polynomial.legendre import legvander
from numpy.typing import NDArray
from scipy.special import chdtri

from seedo.inference.scores._likeness import constant_within
from seedo.tables import Table

MOST_UNITS = 300
"""Units of which each has a constant."""
TREND = 3
"""Degree of the polynomial in time."""
_DEPENDS = 0.01


class RowGroup(NamedTuple):
    """Rows in which a variable followed one mechanism.

    Attributes:
        rows: bool[R].
        offsets: float64[N, c], a column for every source but the first, for every regime that
            shifts the variable, of the trend in time, and for every unit but one.
        spent: rows that the units' constants use up.
    """

    rows: NDArray[np.bool_]
    offsets: NDArray[np.float64]
    spent: int = 0


def row_groups(table: Table, child: int, shifted_by: Sequence[int] = ()) -> list[RowGroup]:
    """The rows of `child`: its own mechanism first, then each that replaced it.

    Args:
        table: complete rows.
        child: the variable.
        shifted_by: regimes with unknown targets that are taken to shift it.
    """
    used = np.unique(table.regime)
    regimes = {int(i): table.regimes[i] for i in used}
    set_ = [i for i, r in regimes.items() if child in r.hard]
    replaced = [i for i, r in regimes.items() if child in r.replaced and child not in r.hard]
    shifts = [i for i, r in regimes.items() if child in r.soft or i in shifted_by]
    own = ~np.isin(table.regime, [*set_, *replaced])
    every = [own, *(table.regime == i for i in replaced)]
    found = []
    for rows in every:
        units_ = _units(table, rows) if within_units(table) else None
        parts = [_offsets(table, rows, shifts), _trend(table, child, rows)]
        if units_ is not None:
            parts.append(units_)
        spent = units_.shape[1] if units_ is not None else 0
        found.append(RowGroup(rows, np.concatenate(parts, axis=1), spent))
    return found


def repeated_units(table: Table) -> NDArray[np.int64] | None:
    """int64[R], units numbered without gaps, where some have several rows; None elsewhere."""
    if table.unit is None:
        return None
    different, code = np.unique(table.unit, return_inverse=True)
    return code.reshape(-1).astype(np.int64) if 1 < len(different) < table.rows else None


def within_units(table: Table) -> bool:
    """Whether every unit has a constant of its own: where there are not too many, and all that is
    modelled are numbers that vary within units. Elsewhere rows count for less; see `_fit`."""
    code = repeated_units(table)
    if code is None or code.max() >= MOST_UNITS or 2 * code.max() > table.rows:
        return False
    for j in np.flatnonzero(~table.factors):
        column, x = table.columns[j], table.values[:, j]
        if column.named or column.type == "count" or constant_within(x, code):
            return False
    return True


def _units(table: Table, rows: NDArray[np.bool_]) -> NDArray[np.float64]:
    """A centred column for every unit but the first, in some of the rows."""
    code = repeated_units(table)
    assert code is not None
    there = np.unique(code[rows])[1:]
    found = (code[rows, None] == there).astype(np.float64)
    return found - found.mean(0) if len(found) else found


def _trend(table: Table, child: int, rows: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Centred powers of time; of levels and counts only where they depend on it, because without
    them their families are exact."""
    nothing = np.zeros((int(rows.sum()), 0))
    if table.time is None or not np.isfinite(table.time).all():
        return nothing
    time = table.time[rows]
    degree = min(TREND, len(np.unique(time)) // 3)
    if degree < 1 or len(time) < 4 * (TREND + 1):
        return nothing
    place = (time - time.min()) / np.ptp(time)
    found = legvander(2 * place - 1, degree)[:, 1:]
    found = found - found.mean(0)
    column = table.columns[child]
    if (column.named or column.type == "count") and not _drifts(table.values[rows, child], found):
        return nothing
    return found


def _drifts(values: NDArray[np.float64], trend: NDArray[np.float64]) -> bool:
    """Whether any level (or the number itself, where there are many) goes with the trend."""
    different = np.unique(values)
    y = (values[:, None] == different).astype(float) if len(different) < 12 else values[:, None]
    y = y - y.mean(0)
    frame = np.linalg.qr(trend)[0]
    share = ((frame.T @ y) ** 2).sum(0) / np.maximum((y**2).sum(0), 1e-12)
    limit = chdtri(trend.shape[1], _DEPENDS / y.shape[1])
    return bool((share * len(values) > limit).any())


def _offsets(table: Table, rows: NDArray[np.bool_], shifts: Sequence[int]) -> NDArray[np.float64]:
    columns = []
    if len(table.sources) > 1:
        source = table.source[rows]
        # Centred, so that the intercept is that of the average row whatever its source.
        for k in np.unique(table.source)[1:]:
            columns.append((source == k).astype(np.float64) - (table.source == k).mean())
    columns += [(table.regime[rows] == i).astype(np.float64) for i in shifts]
    return np.column_stack(columns) if columns else np.zeros((int(rows.sum()), 0))


def units(table: Table, standardise: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and spread of every variable where it was left alone (everywhere, if it never was)."""
    n = table.n
    if not standardise:
        return np.zeros(n), np.ones(n)
    centre, scale = np.empty(n), np.empty(n)
    hard = table.hard
    for j in range(n):
        own = table.values[~hard[:, j], j]
        x = own if len(own) > 1 and np.ptp(own) > 0 else table.values[:, j]
        centre[j], scale[j] = x.mean(), x.std()
    return centre, np.where(scale > 0, scale, 1.0)
