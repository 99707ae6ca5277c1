"""A campaign that was recorded: what was set, what was read, and what it was for."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.spaces import Goals, Knob, Linear, distinct, same_setting
from seedo.tables import decimals

Array = NDArray[np.float64]

_OFF = 0.005
"""How far sums may be from their total, as a share of it, to be called parts of a whole."""


@dataclass(frozen=True, eq=False)
class Record:
    """R runs that were made.

    Attributes:
        knobs: K things that were set, with ranges that hold all that was.
        settings: float64[R, K]; levels are codes.
        names: of the M readings.
        readings: float64[R, M], NaN where nothing was read.
        goals: what it was for.
        notes: what whoever plays should know, one line each.
        watched: float64[O, K + M], rows in which nobody set the knobs, with their readings.
    """

    knobs: tuple[Knob, ...]
    settings: Array
    names: tuple[str, ...]
    readings: Array
    goals: Goals
    notes: tuple[str, ...] = ()
    watched: Array | None = None

    @functools.cached_property
    def _distinct(self) -> tuple[Array, NDArray[np.int64]]:
        return distinct(self.settings)

    @property
    def distinct(self) -> Array:
        """float64[D, K]: the settings that were tried."""
        return self._distinct[0]

    @property
    def which(self) -> NDArray[np.int64]:
        """int64[R]: position of each run's setting in `distinct`."""
        return self._distinct[1]

    def rows_at(self, setting: Array) -> NDArray[np.int64]:
        """Positions of the runs at a setting, float64[K]."""
        return np.flatnonzero(same_setting(self.distinct, setting)[self.which])

    @functools.cached_property
    def values(self) -> Array:
        """float64[R]: what the goals make of each run; NaN where it failed."""
        return self.goals.value(self.goals.read(self.readings, self.names))

    @functools.cached_property
    def worths(self) -> Array:
        """float64[D]: the mean of each setting's replicates; where all failed, as the worst."""
        return self._means(self.values)

    def _means(self, values: Array) -> Array:
        known = np.isfinite(values)
        count = np.bincount(self.which[known], minlength=len(self.distinct))
        total = np.bincount(self.which[known], values[known], len(self.distinct))
        means = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
        return np.where(np.isnan(means), np.nanmin(means), means)

    def replicate_sd(self, reading: int) -> float | None:
        """Standard deviation of a reading among replicates; None: too few were made."""
        y = self.readings[:, reading]
        known = np.isfinite(y)
        which, y = self.which[known], y[known]
        count = np.bincount(which, minlength=len(self.distinct))
        mean = np.bincount(which, y, len(self.distinct)) / np.maximum(count, 1)
        free = int((count - 1).clip(0).sum())
        if free < 5:
            return None
        return float(np.sqrt(((y - mean[which]) ** 2).sum() / free))


def made(
    knobs: tuple[Knob, ...], settings: Array, names: tuple[str, ...], readings: Array,
    goals: Goals, notes: tuple[str, ...], watched: Array | None = None,
) -> Record:  # fmt: skip
    """A record, with a scale for each of several goals: the spread of what it is worth.

    Raises:
        UserError: no run gave the readings that are wanted.
    """
    wanted = goals.read(readings, names)
    known = np.isfinite(wanted).all(axis=1)
    if not known.any():
        raise UserError("goals", ", ".join(goals.readings), "no run that was recorded has them")
    if len(goals.each) > 1:
        spreads = goals.worths(wanted[known]).std(axis=0)
        pairs = zip(goals.each, spreads, strict=True)
        each = [replace(g, scale=g.scale or (float(s) if s > 0 else 1.0)) for g, s in pairs]
        goals = replace(goals, each=tuple(each))
        shown = ", ".join(f"{g.aim} {g.reading} / {g.scale:.4g}" for g in each)
        notes = (*notes, f"several goals are one sum, each in units of its spread: {shown}")
    return Record(knobs, settings, names, readings, goals, notes, watched)


def whole_of(knobs: tuple[Knob, ...], settings: Array) -> tuple[Linear, float] | None:
    """The knobs that are parts of a whole, and how far the recorded sums are from it at most;
    None where they are not.

    All of the numeric knobs that are never negative, if their sum is the same but for rounding.
    """
    able = [i for i, k in enumerate(knobs) if not k.named and settings[:, i].min() >= 0]
    able = [i for i in able if np.ptp(settings[:, i]) > 0]
    if len(able) < 2:
        return None
    sums = settings[:, able].sum(axis=1)
    total = float(np.median(sums))
    off = float(np.abs(sums - total).max())
    widths = np.ptp(settings[:, able], axis=0)
    # Numbers written with d decimals are off by half a unit of the last one, each.
    rounding = 0.51 * len(able) * 10.0 ** -decimals(settings[:, able])
    if total <= 0 or off > max(_OFF * total, rounding) or off > 0.05 * widths.min():
        return None
    rounded = float(f"{total:.3g}")
    total = rounded if abs(rounded - total) <= max(off, 1e-9 * total) else total
    return Linear(tuple((knobs[i].name, 1.0) for i in able), "==", total), off
