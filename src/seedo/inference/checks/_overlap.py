"""Whether settings of the cause occur among like rows, so that there is something to compare."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

Overlap = Literal["good", "some", "none"]
"""How far groups that got different values of a cause can be compared."""

EXTREME = 0.02
"""Chance of a setting below which rows have no counterparts (Crump et al. 2009 take 0.1 off)."""


def overlap(chance: Array, weight: Array | None = None) -> Overlap:
    """How far two settings occur among like rows.

    Args:
        chance: float64[R], fitted chance of the second of the two settings given covariates.
        weight: float64[R], how many rows a row stands for.
    """
    weight = np.ones(len(chance)) if weight is None else weight
    outside = (chance < EXTREME) | (chance > 1 - EXTREME)
    share = float(weight[outside].sum() / weight.sum())
    return "none" if share > 0.9 else "some" if share > 0.3 else "good"


def separated(treated: NDArray[np.bool_], covariate: Array) -> bool:
    """Whether one covariate alone decides who is treated: all of them beyond all the others."""
    if treated.all() or not treated.any():
        return True
    one, other = covariate[treated], covariate[~treated]
    return bool(one.min() > other.max() or one.max() < other.min())
