"""Estimates with 95 % intervals: means, ratios of means, shares, independent seeds.

Episodes of one person resemble each other more than those of different people, so intervals that
take every episode for independent are too narrow. Where a `cluster` (whose each entry is) is given,
clusters are the units: intervals are about the people, for the systems that they worked on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

LEVEL = 0.95
"""Of all intervals."""
RESAMPLES = 2000
_UNITS = 4096  # beyond this many episodes the bootstrap draws groups of episodes
_DRAWS_AT_ONCE = 256
_FEWEST = 5  # below, a bootstrap has too few different resamples for its tails

Cluster = NDArray[np.int64]
"""Whose each value is: int64[B], equal for values that belong together."""


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval; None where it cannot be had, and then `reason` says why.

    Attributes:
        value, low, high: the estimate and the ends of its interval.
        n: units it rests on (episodes, unless said otherwise).
        reason: why the value, or else the interval, is missing; "" if nothing is.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "n": self.n,
        }
        return {**fields, "reason": self.reason} if self.reason else fields


def missing(reason: str) -> Estimate:
    """An estimate that cannot be had."""
    return Estimate(None, reason=reason)


def _estimate(value: float, low: float, high: float, n: int, reason: str = "") -> Estimate:
    def plain(x: float) -> float | None:
        return float(x) if math.isfinite(x) else None

    return Estimate(plain(value), plain(low), plain(high), n, reason)


def clusters_of(names: Sequence[str] | None) -> Cluster | None:
    """int64[B] that is the same where the names are; None for None."""
    return None if names is None else np.unique(np.asarray(names), return_inverse=True)[1]


def mean(values: ArrayLike, cluster: Cluster | None = None) -> Estimate:
    """Mean with Student's t interval; NaN entries do not count.

    Several runs that differ in their seed are one entry each. With clusters, the mean of the
    clusters' means, each of them one entry.
    """
    x = np.asarray(values, np.float64).ravel()
    if cluster is not None:
        x = _cluster_means(x, cluster)
    x = x[np.isfinite(x)]
    if not len(x):
        return missing("no values")
    if len(x) == 1:
        return Estimate(float(x[0]), n=1, reason="one value: no interval")
    if x.min() == x.max():  # scipy warns of lost precision here
        return _estimate(x[0], x[0], x[0], len(x))
    interval = stats.ttest_1samp(x, 0.0).confidence_interval(LEVEL)
    return _estimate(x.mean(), interval.low, interval.high, len(x))


def _cluster_means(x: NDArray[np.float64], cluster: Cluster) -> NDArray[np.float64]:
    known = np.isfinite(x)
    names, which = np.unique(cluster[known], return_inverse=True)
    return np.bincount(which, x[known], len(names)) / np.bincount(which, minlength=len(names))


def proportion(hits: ArrayLike, cluster: Cluster | None = None) -> Estimate:
    """The share of true entries of bool[B].

    Wilson's interval; with clusters, the mean of their shares with Student's t interval within
    [0, 1], or, where all their shares are the same, Wilson's with the clusters for trials.
    """
    x = np.asarray(hits, np.bool_).ravel()
    if cluster is None or not len(x):
        return share(int(x.sum()), len(x))
    found = mean(x, cluster)
    if found.value is None or found.low is None or found.high is None:
        return found
    low, high = max(0.0, found.low), min(1.0, found.high)
    if found.low == found.high:
        wilson = stats.binomtest(round(found.value * found.n), found.n).proportion_ci(
            LEVEL, method="wilson"
        )
        low, high = min(wilson.low, found.value), max(wilson.high, found.value)
    return _estimate(found.value, low, high, found.n)


def share(count: int, total: int) -> Estimate:
    """A proportion with Wilson's interval (Wilson 1927)."""
    if total == 0:
        return missing("no episodes")
    interval = stats.binomtest(int(count), int(total)).proportion_ci(LEVEL, method="wilson")
    return _estimate(count / total, interval.low, interval.high, total)


def ratios(
    numerators: Sequence[ArrayLike],
    denominators: Sequence[ArrayLike],
    seed: int = 0,
    cluster: Cluster | None = None,
) -> list[Estimate]:
    """Ratios of means with percentile intervals of the paired bootstrap over episodes.

    All ratios see the same resamples, so the cost is that of one. An episode counts for a ratio if
    both of its entries are finite. Beyond 4,096 episodes, groups of neighbouring episodes (chosen
    without looking at them) are drawn instead of single ones, which has the same limit.

    With clusters, whole clusters are drawn (the cluster bootstrap: Davison & Hinkley 1997, section
    3.8), and the percentiles are those that make up for their number (Hesterberg 2015, American
    Statistician 69:371, the expanded percentile interval): of the normal's tails, those at
    sqrt(m / (m - 1)) times Student's quantile with m - 1 degrees of freedom.

    Args:
        numerators: k arrays float[B], one entry an episode.
        denominators: k arrays float[B].
        seed: of the resampling; the same seed gives the same intervals.
        cluster: whose each entry is; None: each its own.
    """
    top = np.atleast_2d(np.asarray(numerators, np.float64))
    bottom = np.atleast_2d(np.asarray(denominators, np.float64))
    known = np.isfinite(top) & np.isfinite(bottom)
    unit, least = "episode", 2
    if cluster is None:
        counts = known.sum(1)
    else:
        unit, least = "participant", _FEWEST
        counts = np.array([len(np.unique(cluster[row])) for row in known])
    both = np.concatenate([np.where(known, top, 0.0), np.where(known, bottom, 0.0)])
    units = both if cluster is None else _summed(both, cluster)
    draws = resampled_sums(_grouped(units), seed)  # [RESAMPLES, 2k]
    k = len(top)
    found = []
    for i in range(k):
        if counts[i] == 0:
            found.append(missing("no episode in which both are known"))
            continue
        below = both[k + i].sum()
        if below <= 0:
            found.append(missing("the mean in the denominator is not positive"))
            continue
        value = both[i].sum() / below
        if counts[i] < least:
            reason = f"{_counted(counts[i], unit)}: no interval"
            found.append(Estimate(float(value), n=int(counts[i]), reason=reason))
        elif (draws[:, k + i] <= 0).any():
            reason = f"too few {unit}s for an interval: resampled denominators reach 0"
            found.append(Estimate(float(value), n=int(counts[i]), reason=reason))
        else:
            tails = _tails(None if cluster is None else int(counts[i]))
            low, high = np.quantile(draws[:, i] / draws[:, k + i], tails)
            found.append(_estimate(value, low, high, int(counts[i])))
    return found


def ratio(numerator: ArrayLike, denominator: ArrayLike, seed: int = 0) -> Estimate:
    """One ratio of means; see `ratios`."""
    return ratios([numerator], [denominator], seed)[0]


def share_of(
    parts: ArrayLike, wholes: ArrayLike, cluster: Cluster | None = None, seed: int = 0
) -> Estimate:
    """The share of all things counted that are of one kind, episodes (or clusters) drawn whole.

    Where it is the same in all of them, none or all things say, so are resamples, and the interval
    would be a point: then Wilson's, with episodes (or clusters) for trials.

    Args:
        parts: int[B], of that kind in each episode. wholes: int[B], of any kind.
        cluster, seed: as of `ratios`.
    """
    top, bottom = np.asarray(parts, np.float64), np.asarray(wholes, np.float64)
    (found,) = ratios([top], [bottom], seed, cluster)
    if found.value is None or found.low is None or found.low != found.high:
        return found
    there = bottom > 0
    trials = int(there.sum()) if cluster is None else len(np.unique(cluster[there]))
    wilson = share(round(found.value * trials), trials)
    assert wilson.low is not None
    assert wilson.high is not None
    low, high = min(wilson.low, found.value), max(wilson.high, found.value)
    return _estimate(found.value, low, high, trials)


def _counted(count: int, unit: str) -> str:
    return f"one {unit}" if count == 1 else f"{count} {unit}s"


def _tails(clusters: int | None) -> list[float]:
    """Levels of the percentiles that make an interval."""
    if clusters is None:
        return [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    wide = math.sqrt(clusters / (clusters - 1)) * stats.t.ppf((1 + LEVEL) / 2, clusters - 1)
    return [float(stats.norm.cdf(-wide)), float(stats.norm.cdf(wide))]


def _summed(columns: NDArray[np.float64], cluster: Cluster) -> NDArray[np.float64]:
    """Sums over clusters: float[c, number of clusters]."""
    names, which = np.unique(cluster, return_inverse=True)
    return np.stack([np.bincount(which, row, len(names)) for row in columns])


def _grouped(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    size = columns.shape[1]
    if size <= 2 * _UNITS:
        return columns
    starts = np.arange(_UNITS) * size // _UNITS
    return np.add.reduceat(columns, starts, axis=1)


def resampled_sums(columns: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Sums of the columns float[c, B] over resampled episodes: float[RESAMPLES, c]."""
    size = columns.shape[1]
    rng = np.random.default_rng(seed)
    sums = []
    for start in range(0, RESAMPLES, _DRAWS_AT_ONCE):
        draws = min(_DRAWS_AT_ONCE, RESAMPLES - start)
        drawn = rng.integers(0, size, (draws, size)) + size * np.arange(draws)[:, None]
        times = np.bincount(drawn.ravel(), minlength=draws * size).reshape(draws, size)
        sums.append(times.astype(np.float64) @ columns.T)
    return np.concatenate(sums)
