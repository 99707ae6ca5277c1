"""Runs that were made: settings and what was read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedo.spaces._goals import Goals


def same_setting(settings: NDArray[np.float64], setting: NDArray[np.float64]) -> NDArray[np.bool_]:
    """bool[R]: which settings float64[R, K] are this one, float64[K], as written with some nine
    digits."""
    return np.asarray(np.isclose(settings, setting, rtol=1e-9, atol=1e-12).all(axis=1))


def fresh(settings: NDArray[np.float64], taken: NDArray[np.float64]) -> NDArray[np.float64]:
    """Settings float64[M', K] of float64[M, K] that are none of those taken, float64[T, K]; all of
    them where none is left."""
    if not len(taken):
        return settings
    kept = ~among(settings, taken)
    return settings[kept] if kept.any() else settings


def among(settings: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.bool_]:
    """bool[M]: which settings float64[M, K] are one of others, float64[T, K], to the last digit."""
    return np.asarray(np.isin(_rows(settings), _rows(others)))


def _rows(settings: NDArray[np.float64]) -> NDArray[np.void]:
    """Settings float64[M, K] as one value each; no minus zeros."""
    whole = np.ascontiguousarray(settings + 0.0)
    found: NDArray[np.void] = whole.view(np.dtype((np.void, whole.itemsize * whole.shape[1])))[:, 0]
    return found


def distinct(settings: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The different settings, float64[D, K] in order, of float64[R, K]; and int64[R], the position
    of each among them."""
    found, which = np.unique(settings, axis=0, return_inverse=True)
    return found, which.reshape(-1)


@dataclass(frozen=True, eq=False)
class Runs:
    """R runs in their order.

    Attributes:
        settings: float64[R, K], the values that the knobs had.
        readings: float64[R, M]; NaN where none was got: the run failed, or nothing was measured.
        names: of the M readings.
        observed: bool[R], rows in which nobody set the knobs: they had these values by themselves,
            perhaps for reasons that readings share. None: there is none.
    """

    settings: NDArray[np.float64]
    readings: NDArray[np.float64]
    names: tuple[str, ...]
    observed: NDArray[np.bool_] | None = None

    @classmethod
    def none(cls, knobs: int, names: tuple[str, ...]) -> Runs:
        """No run yet."""
        return cls(np.empty((0, knobs)), np.empty((0, len(names))), names)

    def __len__(self) -> int:
        return len(self.settings)

    def plus(
        self, settings: NDArray[np.float64], readings: NDArray[np.float64], observed: bool = False
    ) -> Runs:
        """With further runs, float64[R', K] and float64[R', M], at the end."""
        more = np.atleast_2d(settings)
        return Runs(
            np.concatenate([self.settings, more]),
            np.concatenate([self.readings, np.atleast_2d(readings)]),
            self.names,
            np.concatenate([self.seen, np.full(len(more), observed)]),
        )

    @property
    def seen(self) -> NDArray[np.bool_]:
        """bool[R]: rows in which nobody set the knobs."""
        return np.zeros(len(self), np.bool_) if self.observed is None else self.observed

    @property
    def made(self) -> Runs:
        """The runs in which the knobs were set."""
        return self.take(~self.seen)

    def take(self, keep: NDArray[np.bool_]) -> Runs:
        """Some of the runs, by bool[R]."""
        return Runs(self.settings[keep], self.readings[keep], self.names, self.seen[keep])

    def of(self, goals: Goals) -> NDArray[np.float64]:
        """float64[R, G]: the readings of the goals."""
        return goals.read(self.readings, self.names)

    def values(self, goals: Goals) -> NDArray[np.float64]:
        """float64[R]: what is to be raised, see `Goals.value`; NaN where a run gave nothing."""
        return goals.value(self.of(goals))
