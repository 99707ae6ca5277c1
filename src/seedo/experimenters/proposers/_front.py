"""Towards a front of several goals: the hypervolume that a further setting is expected to add.

What is to be raised is counted in ranges of what was read (`Ranges`), from a reference a little
below the worst. Of two goals, the hypervolume that a point adds to a front is a sum over its steps;
its expectation has a closed form where goals are independent and normal (Emmerich, Giannakoglou &
Naujoks 2006, IEEE Transactions on Evolutionary Computation 10). Of more goals, it is the mean over
directions of how far a front reaches (Deng & Zhang 2019, IEEE Transactions on Evolutionary
Computation 23; Golovin & Zhang 2020, Random hypervolume scalarizations, ICML).

A weighted sum would find convex parts of a front alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Array = NDArray[np.float64]

_BELOW = 0.1
"""How far the reference lies below the worst that was read, in ranges."""
LITTLE = 5e-4
"""Hypervolume, of ranges of what was read, that is not worth a run: see `NOTHING`."""
_WAYS = 32
"""Directions in which fronts of more than two goals are looked at."""


@dataclass(frozen=True, eq=False)
class Ranges:
    """Ranges of what was read of G goals.

    Attributes:
        low, span: float64[G], the worst, and how far the best is from it.
    """

    low: Array
    span: Array

    @classmethod
    def of(cls, worths: Array) -> Ranges:
        """Of worths float64[R, G] without NaN, R > 0."""
        low, high = worths.min(axis=0), worths.max(axis=0)
        return cls(low, np.where(high > low, high - low, 1.0))

    def of_worths(self, worths: Array) -> Array:
        """Worths float64[..., G] in ranges above the reference."""
        found: Array = (worths - self.low) / self.span + _BELOW
        return found


@dataclass(frozen=True, eq=False)
class Stairs:
    """What a front of two goals leaves open above the reference, 0 in both.

    Attributes:
        left, right: float64[B], from where to where each of B strips goes along the first goal; the
            last one has no end.
        height: float64[B], up to which the front covers it along the second.
    """

    left: Array
    right: Array
    height: Array

    @classmethod
    def over(cls, points: Array) -> Stairs:
        """Over points float64[M, 2], of which those count that no other one beats."""
        points = points[(points > 0).all(axis=1)]
        points = points[np.lexsort((-points[:, 1], -points[:, 0]))]
        # From the right, those that are higher than all before.
        before = np.maximum.accumulate(np.concatenate([[0.0], points[:, 1]]))[:-1]
        front = points[points[:, 1] > before][::-1]
        edges = np.concatenate([[0.0], front[:, 0], [np.inf]])
        return cls(edges[:-1], edges[1:], np.concatenate([front[:, 1], [0.0]]))

    def added(self, points: Array) -> Array:
        """float64[M]: the hypervolume that each of the points float64[M, 2] adds."""
        wide = np.clip(points[:, [0]], self.left, self.right) - self.left
        found: Array = (wide * np.maximum(points[:, [1]] - self.height, 0)).sum(axis=1)
        return found

    def expected(self, mean: Array, error: Array) -> Array:
        """float64[M]: the same of points that are normal, float64[M, 2] each."""
        first, second = (
            lambda edges, g=g: _above(mean[:, [g]], error[:, [g]], edges) for g in (0, 1)
        )
        wide = first(self.left)
        wide[:, :-1] -= first(self.right[:-1])
        found: Array = (wide * second(self.height)).sum(axis=1)
        return found


def _above(mean: Array, error: Array, edge: Array) -> Array:
    """By how much a normal variable is above an edge, on average."""
    z = (mean - edge) / error
    found: Array = error * (z * ndtr(z) + np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))
    return found


class Gain:
    """The hypervolume that settings add to those tried, on average over joint draws of both.

    Args:
        tried: float64[S, T, G], S draws of T settings, in ranges above the reference.
        rng: of the directions in which more than two goals are looked at.
    """

    def __init__(self, tried: Array, rng: np.random.Generator) -> None:
        self._stairs: list[Stairs] = []
        if tried.shape[2] == 2:
            self._stairs = [Stairs.over(draw) for draw in tried]
            return
        self._ways = ways(_WAYS, tried.shape[2], rng)
        self._best = [
            _power(reach(draw, self._ways).max(axis=0, initial=0.0), tried.shape[2])
            for draw in tried
        ]

    def __call__(self, drawn: Array) -> Array:
        """float64[M], of draws float64[S, M, G]."""
        if self._stairs:
            each = [s.added(draw) for s, draw in zip(self._stairs, drawn, strict=True)]
        else:
            power = drawn.shape[2]
            each = [
                np.maximum(_power(reach(draw, self._ways), power) - best, 0).mean(axis=1)
                for draw, best in zip(drawn, self._best, strict=True)
            ]
        found: Array = np.mean(each, axis=0)
        return found


def ways(count: int, goals: int, rng: np.random.Generator) -> Array:
    """Directions float64[count, goals] in which goals are raised together, evenly drawn."""
    found = np.abs(rng.normal(size=(count, goals)))
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def reach(points: Array, directions: Array) -> Array:
    """float64[M, D]: how far along each direction, float64[D, G], from the reference, points
    float64[M, G] are better in all goals."""
    found: Array = points[:, [0]] / directions[:, 0]
    for g in range(1, points.shape[1]):
        np.minimum(found, points[:, [g]] / directions[:, g], out=found)
    return np.maximum(found, 0, out=found)


def _power(x: Array, power: int) -> Array:
    """By products, which is many times faster."""
    found = x
    for _ in range(power - 1):
        found = found * x
    return found


def beaten_by(worths: Array) -> NDArray[np.int64]:
    """int64[R]: how many of worths float64[R, G] are as good in all goals and better in one."""
    one, other = worths[:, None], worths[None]
    better = (other >= one).all(axis=2) & (other > one).any(axis=2)
    found: NDArray[np.int64] = better.sum(axis=1)
    return found
