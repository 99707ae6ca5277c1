"""Errors as estimates: roots of mean squares, and other units."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.statistics import Estimate, ratio


def root_mean_square(squares: NDArray[Any]) -> Estimate:
    """The root of the mean of squares, float[K] of K independent units, at least one."""
    return root_of(ratio(squares, np.ones(len(squares))))


def root_of(estimate: Estimate) -> Estimate:
    """The root of a mean square, and of its interval."""
    return _changed(estimate, lambda x: math.sqrt(max(x, 0.0)))


def scaled(estimate: Estimate, by: float) -> Estimate:
    """An estimate in another unit, `by` > 0 of which make one of its own."""
    return _changed(estimate, lambda x: by * x)


def _changed(estimate: Estimate, how: Callable[[float], float]) -> Estimate:
    ends = (estimate.value, estimate.low, estimate.high)
    value, low, high = (None if x is None else how(x) for x in ends)
    return Estimate(value, low, high, estimate.n, estimate.reason)
