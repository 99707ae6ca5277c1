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
    components that hold next to nothing.

    Of more than `COMPONENTS` numbers, nor are those kept that hold no more than noise alike in all
    numbers would by chance: brought to unit variance each would be as loud as what means something.
    """
    rows = rng.permutation(len(raw))[:_STEPS]
    centre = raw[rows].mean(axis=0)
    most = min(COMPONENTS, raw.shape[1], len(rows) - 1)
    _, sizes, vectors = randomized_svd(
        raw[rows] - centre, most, random_state=int(rng.integers(2**31))
    )
    kept = sizes > 1e-3 * sizes[0]
    if raw.shape[1] > COMPONENTS:
        total = float(((raw[rows] - centre) ** 2).sum(dtype=np.float64))
        kept &= np.arange(len(sizes)) < _above_noise(
            sizes.astype(float) ** 2, total, len(rows), raw.shape[1]
        )
    return centre, vectors[kept].T, sizes[kept] / np.sqrt(len(rows))


def _above_noise(powers: NDArray[Any], total: float, steps: int, numbers: int) -> int:
    """How many components, largest first, hold more than noise would; at least one.

    Noise has the variance that is left to all further ones, and its largest component is at the
    edge of the Marchenko-Pastur law (Kritchman & Nadler 2008).

    Args:
        powers: squared singular values, largest first; total: the sum of all there are.
    """
    left = total - np.concatenate([[0.0], np.cumsum(powers)[:-1]])
    noise = left / (numbers - np.arange(len(powers)))
    below = powers <= noise * (1 + np.sqrt(numbers / steps)) ** 2
    return max(1, int(below.argmax())) if below.any() else len(powers)
