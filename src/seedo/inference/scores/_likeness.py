"""How alike rows of one group are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc

Array = NDArray[np.float64]


def constant_within(values: Array, groups: NDArray[np.int64]) -> bool:
    """Whether a variable has one value in every group."""
    size = int(groups.max()) + 1
    low, high = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(low, groups, values)
    np.maximum.at(high, groups, values)
    return bool(np.all(high[np.unique(groups)] == low[np.unique(groups)]))


def resemblance(residual: Array, groups: NDArray[np.int64], used: int) -> tuple[float, float]:
    """Intraclass correlation of residuals, and its p-value (one-way analysis of variance).

    Args:
        residual: float64[R].
        groups: int64[R].
        used: parameters of the model that are constant within groups (the intercept is one).
    """
    count = np.bincount(groups).astype(np.float64)
    sums = np.bincount(groups, residual)
    count, sums = count[count > 0], sums[count > 0]
    means = sums / count
    within = float((residual**2).sum() - (count * means**2).sum())
    between = float((count * means**2).sum())
    free_between, free_within = len(count) - used, len(residual) - len(count)
    if free_between < 1 or free_within < 1 or within <= 0:
        return 0.0, 1.0
    f = (between / free_between) / (within / free_within)
    usual = float(count.sum() - (count**2).sum() / count.sum()) / max(len(count) - 1, 1)
    return (f - 1) / (f - 1 + usual), float(fdtrc(free_between, free_within, f))
