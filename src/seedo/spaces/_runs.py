"""Runs that were made: settings and what was read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedo.spaces._goals import Goals


@dataclass(frozen=True, eq=False)
class Runs:
    """R runs in their order.

    Attributes:
        settings: float64[R, K]; NaN for a knob that nobody set (rows that were only observed).
        readings: float64[R, M]; NaN where none was got: the run failed, or nothing was measured.
        names: of the M readings.
    """

    settings: NDArray[np.float64]
    readings: NDArray[np.float64]
    names: tuple[str, ...]

    @classmethod
    def none(cls, knobs: int, names: tuple[str, ...]) -> Runs:
        """No run yet."""
        return cls(np.empty((0, knobs)), np.empty((0, len(names))), names)

    def __len__(self) -> int:
        return len(self.settings)

    def plus(self, settings: NDArray[np.float64], readings: NDArray[np.float64]) -> Runs:
        """With further runs, float64[R', K] and float64[R', M], at the end."""
        return Runs(
            np.concatenate([self.settings, np.atleast_2d(settings)]),
            np.concatenate([self.readings, np.atleast_2d(readings)]),
            self.names,
        )

    def of(self, goals: Goals) -> NDArray[np.float64]:
        """float64[R, G]: the readings of the goals."""
        return self.readings[:, [self.names.index(name) for name in goals.readings]]

    def values(self, goals: Goals) -> NDArray[np.float64]:
        """float64[R]: what is to be raised, see `Goals.value`; NaN where a run gave nothing."""
        return goals.value(self.of(goals))
