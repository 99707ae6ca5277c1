"""Numbers with intervals that studies compare: ratios, shares, and what the bootstrap draws."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from seedo.statistics import LEVEL, Estimate, Power, power, ratios, resampled_sums

RESAMPLES = 2000
_ROUNDING = 1e-9  # of least squares on values that are all the same


def ratios_of(pairs: Mapping[str, tuple[NDArray[Any], NDArray[Any]]]) -> dict[str, Any]:
    """Ratios of means of float[B] columns, JSON-able; all see the same resampled episodes."""
    tops, bottoms = zip(*pairs.values(), strict=True)
    return {n: e.to_json() for n, e in zip(pairs, ratios(tops, bottoms), strict=True)}


def resampled(columns: NDArray[np.float64], seed: int = 0) -> NDArray[np.float64]:
    """Means of float[c, B] over resampled episodes, the same for all: float[2000, c]."""
    return resampled_sums(columns, seed) / columns.shape[1]


def estimate(value: float, draws: NDArray[np.float64], n: int) -> dict[str, Any]:
    """A number with its percentile interval, JSON-able."""
    low, high = np.quantile(draws, [0.025, 0.975])
    return {"value": float(value), "low": float(low), "high": float(high), "n": n}


def share_of(top: NDArray[np.float64], bottom: NDArray[np.float64]) -> dict[str, Any]:
    """The mean of one column as a share of that of another, float64[B] each."""
    draws = resampled(np.stack([top, bottom]))
    return estimate(top.mean() / bottom.mean(), draws[:, 0] / draws[:, 1], len(top))


def resampled_means(scores: list[NDArray[np.float64]], seed: int = 0) -> list[NDArray[np.float64]]:
    """Means over the episodes of paired bootstrap samples, float64[RESAMPLES, ...] each.

    Args:
        scores: float64[B, ...] each, about the same B episodes: all see the same samples.
        seed: of the resampling.
    """
    size = len(scores[0])
    rng = np.random.default_rng(seed)
    times = rng.multinomial(size, np.full(size, 1 / size), RESAMPLES) / size
    return [np.tensordot(times, s, 1) for s in scores]


def power_of(effect: Estimate) -> Power | None:
    """The power behind an effect, from its t interval; None where no episode shows it."""
    if effect.high is None or effect.value is None:
        return None
    half = effect.high - effect.value
    if half < _ROUNDING:
        return None
    sd = half * math.sqrt(effect.n) / float(stats.t.ppf((1 + LEVEL) / 2, effect.n - 1))
    return power(effect.n, sd)
