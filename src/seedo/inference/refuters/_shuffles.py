"""A table in which a variable's values are exchanged between rows, as its design allows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seedo.inference.checks import constant_within
from seedo.tables import Table

Array = NDArray[np.float64]


def shuffled(
    table: Table, variable: int, strata: NDArray[np.int64], rng: np.random.Generator
) -> Table:
    """The table with the variable's values shuffled within strata.

    Where units have one value each, units are exchanged; where it varies within them, rows within
    each. Missing values stay where they are.

    Args:
        table: all rows.
        variable: what is shuffled.
        strata: int64[R]; rows of -1 keep their values.
        rng: of the shuffle.
    """
    x = table.values[:, variable]
    used = (strata >= 0) & np.isfinite(x)
    unit = table.units_of(used)
    place = np.flatnonzero(used)
    if unit is None or len(np.unique(unit)) == len(unit):
        return _placed(table, variable, place, _permuted(x[used], strata[used], rng))
    if not constant_within(x[used], unit):
        return _placed(table, variable, place, _permuted(x[used], unit, rng))
    first = np.unique(unit, return_index=True)[1]
    own = _permuted(x[used][first], strata[used][first], rng)
    return _placed(table, variable, place, own[unit])


def shifted(table: Table, variable: int, used: NDArray[np.bool_], by: int) -> Table:
    """The table with the variable's values moved on by so many rows, the last ones to the front.

    Neighbours stay neighbours, so that what goes over from row to row in the variable stays there.

    Args:
        table: all rows.
        variable: whose values are moved.
        used: bool[R], rows among which they are, in the order of time.
        by: how many rows.
    """
    x = table.values[:, variable]
    place = np.flatnonzero(used & np.isfinite(x))
    if table.time is not None:
        place = place[np.argsort(table.time[place], kind="stable")]
    return _placed(table, variable, place, np.roll(x[place], by))


def _permuted(x: Array, groups: NDArray[np.int64], rng: np.random.Generator) -> Array:
    """Values in random order within each group."""
    # Sorted by group, and at random within it: position by position, one row's value is another's.
    order = np.lexsort((rng.random(len(x)), groups))
    found = np.empty_like(x)
    found[np.argsort(groups, kind="stable")] = x[order]
    return found


def _placed(table: Table, variable: int, rows: NDArray[np.int64], x: Array) -> Table:
    values = table.values.copy()
    values[rows, variable] = x
    return replace(table, values=values)
