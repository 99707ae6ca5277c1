"""Shares of a whole: factors whose sum is the same in every row."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from seedo.tables._table import Table

_MOST = 12
"""Factors among which mixtures are looked for."""


@dataclass(frozen=True)
class Mixture:
    """Factors none of which can be changed alone.

    Attributes:
        parts: positions of variables, ascending, at least two.
        total: what they add up to.
    """

    parts: tuple[int, ...]
    total: float


def mixtures(table: Table) -> tuple[Mixture, ...]:
    """Sets of factors that are never negative and add up to one constant, but for rounding.

    Smallest sets only, and none shares a factor with another.
    """
    values = table.values
    able = []
    for i in np.flatnonzero(table.factors).tolist():
        column = values[np.isfinite(values[:, i]), i]
        named = table.columns[i].named
        if not named and len(column) > 2 and column.min() >= 0 and np.ptp(column) > 0:
            able.append(i)
    found: list[Mixture] = []
    for size in range(2, len(able[:_MOST]) + 1):
        for parts in combinations(able[:_MOST], size):
            used = {i for mixture in found for i in mixture.parts}
            if used.isdisjoint(parts) and (total := _total(values[:, parts])) is not None:
                found.append(Mixture(parts, total))
    return tuple(found)


def _total(shares: NDArray[np.float64]) -> float | None:
    shares = shares[np.isfinite(shares).all(axis=1)]
    sums = shares.sum(axis=1)
    if len(sums) < 3:
        return None
    # Numbers written with d decimals are off by half a unit of the last one, each.
    rounding = shares.shape[1] * 10.0 ** -decimals(shares) * 0.51
    narrow = 0.02 * float(np.ptp(shares, axis=0).min())
    off = np.abs(sums - np.median(sums)).max()
    if off > min(max(rounding, 1e-9), narrow) or sums.mean() <= 0:
        return None
    return float(np.round(np.median(sums), 9))


def decimals(values: NDArray[np.float64], most: int = 9) -> int:
    """How many decimals numbers are written with, at most `most`."""
    finite = values[np.isfinite(values)]
    scale = max(float(np.abs(finite).max(initial=0.0)), 1.0)
    for d in range(most):
        if np.allclose(finite, np.round(finite, d), rtol=0, atol=1e-9 * scale):
            return d
    return most
