"""What is shown, in few numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.extmath import randomized_svd

COMPONENTS = 64
"""Principal components that are read, at most."""
_STEPS = 4_000
"""From which they are found."""


def principal(
    raw: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """(centre [D], components [D, C], their standard deviations [C]) of steps, without the
    components that hold next to nothing."""
    rows = rng.permutation(len(raw))[:_STEPS]
    centre = raw[rows].mean(axis=0)
    most = min(COMPONENTS, raw.shape[1], len(rows) - 1)
    _, sizes, vectors = randomized_svd(
        raw[rows] - centre, most, random_state=int(rng.integers(2**31))
    )
    kept = sizes > 1e-3 * sizes[0]
    return centre, vectors[kept].T, sizes[kept] / np.sqrt(len(rows))
