"""Which rows of a table tell about one variable's mechanism, and what is always in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedo.tables import Table


class RowGroup(NamedTuple):
    """Rows in which a variable followed one mechanism.

    Attributes:
        rows: bool[R].
        offsets: float64[N, c], a column for every source but the first and for every regime that
            shifts the variable.
    """

    rows: NDArray[np.bool_]
    offsets: NDArray[np.float64]


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
    return [RowGroup(rows, _offsets(table, rows, shifts)) for rows in every]


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
