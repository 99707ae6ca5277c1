"""What the knobs of a simulated response surface are, and settings of them on a unit scale."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

NUMERIC = 0
"""A knob that takes any value of a range."""
STEPPED = 1
"""A knob that takes values a step apart."""
CATEGORICAL = 2
"""A knob whose levels have no order."""
MOST_LEVELS = 10
MOST_KNOBS = 12
"""Most knobs of a surface."""


class Knobs(NamedTuple):
    """D knobs. A setting has values from 0 to 1: along the range, or levels as `code / (L - 1)`.

    Attributes:
        kinds: int64[D].
        levels: int64[D], how many values a knob has that is not numeric.
        mixture: whether the values are shares that sum to one.
    """

    kinds: NDArray[np.int64]
    levels: NDArray[np.int64]
    mixture: bool


def draw_knobs(rng: np.random.Generator) -> Knobs:
    """Knobs as laboratories have them: 1 to 12, mostly 3 to 6; numeric, a grid, some of them
    categorical, or a mixture."""
    chance = [0.04, 0.1, 0.18, 0.2, 0.16, 0.14] + [0.03] * 6
    count = 1 + int(rng.choice(MOST_KNOBS, p=chance))
    style = rng.choice(["free", "grid", "mixed", "mixture"], p=[0.36, 0.16, 0.2, 0.28])
    kinds = np.full(count, NUMERIC)
    if style == "grid":
        kinds[:] = STEPPED
    elif style == "free":
        kinds[rng.random(count) < 0.25] = STEPPED
    elif style == "mixed":
        kinds = rng.choice([NUMERIC, STEPPED, CATEGORICAL], count, p=[0.45, 0.2, 0.35])
    levels = rng.integers(2, MOST_LEVELS + 1, count)
    return Knobs(kinds, levels, style == "mixture" and count > 2)


def snapped(knobs: Knobs, u: Array) -> Array:
    """Values of knobs that are not numeric brought to the nearest they have; same shape."""
    steps = knobs.levels - 1
    return np.where(knobs.kinds == NUMERIC, u, np.rint(u * steps) / steps)


def draw_settings(knobs: Knobs, count: int, rng: np.random.Generator) -> Array:
    """Settings float64[count, D], spread as those of laboratories are: evenly, or crowded towards
    one end of a range; shares of mixtures with zeros, often in steps."""
    size = (count, len(knobs.kinds))
    u = rng.random(size)
    if knobs.mixture:
        return _shares(u, rng)
    crowded = np.where(rng.random(size[1]) < 0.3, _log_uniform(rng, 0.4, 4.0, size[1]), 1.0)
    even = np.floor(u * knobs.levels) / (knobs.levels - 1)
    return np.where(knobs.kinds == NUMERIC, u**crowded, even)


def _shares(u: Array, rng: np.random.Generator) -> Array:
    count, parts = u.shape
    amount = (-np.log(u + 1e-12)) ** _log_uniform(rng, 0.6, 2.0)
    left_out = rng.random(u.shape) < rng.choice([0.0, 0.3, 0.55], p=[0.5, 0.25, 0.25])
    left_out[np.arange(count), rng.integers(parts, size=count)] = False
    amount[left_out] = 0.0
    share = amount / amount.sum(axis=1, keepdims=True)
    steps = rng.choice([1000, 10, 20], p=[0.4, 0.35, 0.25])
    parts_of = share * steps  # what rounding down leaves goes to the largest remainders
    whole = np.floor(parts_of)
    order = np.argsort(np.argsort(whole - parts_of, axis=1), axis=1)
    left = np.rint(steps - whole.sum(axis=1, keepdims=True))
    found: Array = (whole + (order < left)) / steps
    return found


def _log_uniform(
    rng: np.random.Generator, low: float, high: float, size: int | None = None
) -> Array:
    drawn: Array = np.exp(rng.uniform(np.log(low), np.log(high), size))
    return drawn
