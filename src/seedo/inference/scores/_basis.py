"""Columns that let a parent act in other ways than by a straight line.

Every variable gets a group of columns, its linear part first, so that a family may use as many of
them as its form asks for: the variable itself; then its square, and its logarithm where it is
positive, both exact for the mechanisms that are met most often; then cosines of its rank, which
bend anywhere and are bounded, so that no outlier rules them. Each column is made orthogonal to the
linear part and scaled to unit variance, so that a family of a straight line loses little by being
offered them. A variable of named levels gets one column for each level but the first, which is all
that can be said of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedo.tables import Table

WAVES = 4
"""Cosines of the rank: half, one, one and a half and two periods."""
FEW = 6
"""Up to so many different values, powers say all there is to say."""

LINEAR, BENT, WAVY = 0, 1, 2
"""Forms of an additive mechanism: how much of each parent's group is used."""


@dataclass(frozen=True, eq=False)
class Basis:
    """Groups of columns of n variables.

    Attributes:
        columns: float64[R, m], in no units; the groups one after the other.
        start: int64[n], where each variable's group begins.
        width: int64[3, n], how many of its columns each form uses.
        penalty: float64[m], prior precision of each column's coefficient, relative to the linear
            part's.
    """

    columns: NDArray[np.float64]
    start: NDArray[np.int64]
    width: NDArray[np.int64]
    penalty: NDArray[np.float64]

    def of(self, variable: int, form: int) -> NDArray[np.int64]:
        """Positions of the columns that a form uses of a variable."""
        begin = self.start[variable]
        return np.arange(begin, begin + self.width[form, variable])

    @property
    def bends(self) -> bool:
        """Whether any variable can act in other ways than linearly."""
        return bool((self.width[WAVY] > self.width[LINEAR]).any())


def make_basis(table: Table, standard: NDArray[np.float64]) -> Basis:
    """The groups of all variables of a table, from its values in standard units, [R, n]."""
    groups: list[list[NDArray[np.float64]]] = []
    widths, penalties = [], []
    for j, column in enumerate(table.columns):
        if column.named and len(column.levels) > 2:
            linear = _levels(table.values[:, j], len(column.levels))
            bent: list[NDArray[np.float64]] = []
            waves: list[NDArray[np.float64]] = []
        else:
            linear = [standard[:, j]]
            bent, waves = _bends(table.values[:, j], standard[:, j])
        groups.append([*linear, *bent, *waves])
        widths.append((len(linear), len(linear) + len(bent), len(groups[-1])))
        penalties += [1.0] * (len(linear) + len(bent)) + [1.0 + k for k in range(len(waves))]
    sizes = np.array([len(group) for group in groups])
    return Basis(
        np.column_stack([column for group in groups for column in group]),
        np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64),
        np.array(widths, np.int64).T,
        np.array(penalties),
    )


def _levels(values: NDArray[np.float64], count: int) -> list[NDArray[np.float64]]:
    """Indicators of all levels but the first, orthogonal to each other, of unit variance."""
    found: list[NDArray[np.float64]] = []
    for level in range(1, count):
        _add(found, (values == level).astype(np.float64), [np.ones(len(values)), *found])
    return found or [np.zeros(len(values))]


def _bends(
    values: NDArray[np.float64], standard: NDArray[np.float64]
) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """Square, logarithm; cosines of the rank (powers, where there are few different values)."""
    distinct, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    against = [np.ones(len(values)), standard]
    bent: list[NDArray[np.float64]] = []
    waves: list[NDArray[np.float64]] = []
    if len(distinct) <= 2:
        return bent, waves
    _add(bent, standard**2, against)
    if len(distinct) <= FEW:
        for power in range(3, len(distinct)):
            _add(waves, standard**power, [*against, *bent, *waves])
        return bent, waves
    if distinct[0] > 0:
        _add(bent, np.log(values), [*against, *bent])
    middle = (np.cumsum(counts) - counts / 2) / len(values)  # the rank, ties in the middle
    for k in range(1, WAVES + 1):
        _add(waves, np.cos(np.pi * k * middle)[place.ravel()], [*against, *bent, *waves])
    return bent, waves


def _add(
    found: list[NDArray[np.float64]],
    column: NDArray[np.float64],
    against: list[NDArray[np.float64]],
) -> None:
    """Appends a column's part that is orthogonal to others, unless hardly any of it is left."""
    size = np.linalg.norm(column - column.mean())
    design = np.column_stack(against)
    for _ in range(2):  # twice is enough (Kahan): squares of heavy tails are nearly collinear
        column = column - design @ np.linalg.lstsq(design, column, rcond=None)[0]
    spread = column.std()
    if np.linalg.norm(column) > 1e-6 * size and spread > 0:
        found.append((column - column.mean()) / spread)
