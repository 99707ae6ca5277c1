"""A fitted plant, as draws of what would be read, and what further settings promise under them."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from seedo.experimenters.proposers._front import Gain, Ranges
from seedo.experimenters.proposers._search import Judge
from seedo.spaces import Goals, Runs

Array = NDArray[np.float64]


class Plant(ABC):
    """Whoever can draw what would be read of the goals.

    Attributes:
        goals: with the scales of what was read, see `goal_readings`.
    """

    goals: Goals

    @abstractmethod
    def drawn(self, settings: Array) -> Array:
        """What is read of the goals, float64[S, M, G], under S draws, the same at every call."""

    @abstractmethod
    def trusted(self, rng: np.random.Generator) -> bool:
        """Whether a setting that was never run may be kept."""

    def draws(self, settings: Array) -> Array:
        """What is to be raised, float64[S, M], under S draws."""
        drawn = self.drawn(settings)
        return self.goals.value(drawn.reshape(-1, drawn.shape[2])).reshape(drawn.shape[:2])

    def toward_best(self, tried: Array) -> Judge:
        """Expected improvement on settings tried, float64[T, K]."""
        # Of every draw its own best: at that setting nothing is gained by running it again.
        best = self.draws(tried).max(axis=1, keepdims=True) if len(tried) else np.array(-np.inf)

        def promise(x: Array) -> Array:
            drawn = self.draws(x)
            if not np.isfinite(best).all():
                found: Array = drawn.mean(axis=0)
                return found
            gain: Array = np.maximum(drawn - best, 0).mean(axis=0)
            return gain

        return promise

    def toward_front(self, tried: Array, runs: Runs, rng: np.random.Generator) -> Judge:
        """Hypervolume that is added to that of settings tried, float64[T, K]."""
        ranges = Ranges.of(self.goals.worths(goal_readings(self.goals, runs)))

        def worths(x: Array) -> Array:
            drawn = self.drawn(x)
            raised = self.goals.worths(drawn.reshape(-1, drawn.shape[2]))
            return ranges.of_worths(raised.reshape(drawn.shape))

        if len(tried):
            gain = Gain(worths(tried), rng)
            return lambda x: gain(worths(x))

        def open_to_all(x: Array) -> Array:
            drawn = worths(x)
            return Gain(drawn[:, :0], np.random.default_rng(0))(drawn)

        return open_to_all


def goal_readings(goals: Goals, runs: Runs) -> Array:
    """Readings of the goals, float64[R, G], that tell their scales: of runs, or of all rows where
    runs are too few."""
    read = [some.of(goals) for some in (runs.made, runs)]
    known = [y[np.isfinite(y).all(axis=1)] for y in read]
    return known[0] if len(known[0]) > 1 else known[1]
