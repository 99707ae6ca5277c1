"""Groups of rows that share a treatment and resemble each other: pseudo-replication."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seedo.inference.scores._likeness import constant_within, resemblance

__all__ = ["constant_within", "groups_of", "resemblance"]

Array = NDArray[np.float64]


def groups_of(values: Array, most: float = 1 / 3) -> NDArray[np.int64] | None:
    """Groups by a column's values; None where hardly two rows share one."""
    if not np.isfinite(values).all():
        return None
    different, code = np.unique(values, return_inverse=True)
    if len(different) < 3 or len(different) > most * len(values):
        return None
    return code.reshape(-1).astype(np.int64)
