"""Intervals of means and of differences between them, which cover and stay where a mean can be."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, stdtrit

from seedo.inference.checks import SHARE, unequal_spread
from seedo.inference.effects._estimate import LEVEL, Estimate, t_estimate
from seedo.inference.effects._fit import Fitted, Means
from seedo.inference.effects._sample import TOPS

Array = NDArray[np.float64]

MANY_CLUSTERS = 2000
"""Clusters from which leaving each out changes nothing and is spared."""
_ALIKE = 2.0
"""Ratio of arm sizes up to which a common variance may be estimated."""


def quantile(freedom: float) -> float:
    """Of t, at the upper end of the 95 % interval."""
    return float(stdtrit(freedom if math.isfinite(freedom) else 1e8, (1 + LEVEL) / 2))


def covariance(found: Means) -> Array:
    """float64[m, m], covariance of the figures.

    Independent rows: HC2 (MacKinnon & White 1985), Welch's variance in two arms. Clusters: each
    left out in turn (CR3, Bell & McCaffrey 2002), which is right where they are few.
    """
    fitted = found.fitted
    sample = fitted.sample
    weight = sample.weights
    if sample.clusters is None:
        frequency = bool(np.all(weight == np.round(weight)))
        root = np.sqrt(weight if frequency else weight**2)[:, None]
        if fitted.link == "logit" and frequency:
            # What is yes or no has no other variance than its mean says; the empirical one is
            # nought where all answers are alike.
            own = found.own * root
            return own.T @ own + found.direction @ fitted.inverse @ found.direction.T
        weighted = found.influence * root
        return weighted.T @ weighted
    parts = _cluster_parts(found)
    count = len(parts)
    covered: Array = parts.T @ parts * ((count - 1) / count)
    return covered


def _cluster_parts(found: Means) -> Array:
    fitted = found.fitted
    sample = fitted.sample
    assert sample.clusters is not None
    clusters = sample.clusters
    count = int(clusters.max()) + 1
    used = fitted.used
    scores = (fitted.weight * fitted.residual)[:, None] * fitted.matrix
    direction = fitted.inverse @ found.direction.T
    parts = np.zeros((count, len(found.values)))
    np.add.at(parts, clusters, sample.weights[:, None] * found.own)
    sums = np.zeros((count, fitted.matrix.shape[1]))
    np.add.at(sums, clusters[used], scores)
    if count > MANY_CLUSTERS:
        return parts + sums @ direction
    for g in range(count):
        mine = clusters[used] == g
        rows = fitted.matrix[mine]
        gram = rows.T @ ((fitted.weight * fitted.slope)[mine][:, None] * rows)
        left = np.eye(len(gram)) - gram @ fitted.inverse
        parts[g] += np.linalg.lstsq(left, sums[g], rcond=1e-8)[0] @ direction
    return parts


def freedom(fitted: Fitted, direction: Array) -> float:
    """Degrees of freedom of the variance of one figure.

    In arms without covariates Welch's (1947). For other independent rows and a line those of Bell
    & McCaffrey (2002): Satterthwaite's, if spreads are equal. For clusters, one less than there
    are.
    """
    sample = fitted.sample
    if sample.clusters is not None:
        return max(float(len(np.unique(sample.clusters)) - 1), 1.0)
    total = float(fitted.weight.sum())
    usual = max(total - fitted.parameters, 1.0)
    if fitted.link != "identity" or not direction.any():
        return usual
    weight, matrix = fitted.weight, fitted.matrix
    a = matrix @ (fitted.inverse @ direction)
    # A ratio: of one size, whatever the units.
    a = a / (float(np.abs(a).max()) or 1.0)
    square = a**2 / (1 - fitted.leverage)
    if fitted.terms.cause.form == "levels" and not sample.covariates:
        arm = np.unique(sample.cause[fitted.used], return_inverse=True)[1].reshape(-1)
        parts = np.bincount(arm, weight * square * fitted.residual**2)
        size = np.maximum(np.bincount(arm, weight) - 1, 1.0)
        below = float((parts**2 / size).sum())
        return float(np.clip(parts.sum() ** 2 / below, 1.0, usual)) if below > 0 else usual
    inner = matrix.T @ ((weight * square)[:, None] * matrix)
    both = fitted.inverse @ inner
    above = float((weight * a**2).sum()) ** 2
    below = float((weight * square**2 * (1 - 2 * fitted.leverage)).sum() + np.trace(both @ both))
    return float(np.clip(above / below, 1.0, usual)) if below > 0 else usual


def mean_estimate(found: Means, place: int, how: str = "") -> Estimate:
    """One mean with an interval within what the outcome's mean can be."""
    variance = covariance(found)
    error = math.sqrt(max(float(variance[place, place]), 0.0))
    return _mean(found, place, error, how)


def _mean(found: Means, place: int, error: float, how: str) -> Estimate:
    fitted = found.fitted
    value, rows = float(found.values[place]), int(fitted.weight.sum())
    free = freedom(fitted, found.direction[place])
    scale = fitted.sample.scale
    if scale == "yes/no":
        value = min(max(value, 0.0), 1.0)
        low, high = wilson(value, _effective(found, value, error), quantile(free))
        return Estimate(value, error, free, min(low, value), max(high, value), how, rows)
    if scale in TOPS:
        return _on_logits(t_estimate(value, error, free, how, rows), TOPS[scale])
    if scale in ("count", "positive") and value > 0 and error > 0:
        # On the logarithm's scale, which keeps the interval above zero and fits a skewed mean.
        factor = math.exp(min(quantile(free) * error / value, 700.0))
        return Estimate(value, error, free, value / factor, value * factor, how, rows)
    return t_estimate(value, error, free, how, rows)


def _on_logits(found: Estimate, top: float) -> Estimate:
    """A mean of shares, whose interval stays between nought and the top."""
    share, error = found.value / top, found.standard_error / top
    if not 0 < share < 1:
        # A curve that has left the range: its interval is moved back with it, not cut to a point.
        value = min(max(found.value, 0.0), top)
        low, high = (end - found.value + value for end in (found.low, found.high))
        return replace(found, value=value, low=max(low, 0.0), high=min(high, top))
    half = min(quantile(found.freedom) * error / (share * (1 - share)), 700.0)
    at = math.log(share / (1 - share))
    low, high = (top / (1 + math.exp(-at - step)) for step in (-half, half))
    return replace(found, low=low, high=high)


def _effective(found: Means, value: float, error: float) -> float:
    """Rows of which a plain proportion would have this error."""
    if error > 0 and 0 < value < 1:
        # HC2 divides by n - 1 where Wilson has n: the difference is left out.
        rows = min(max(value * (1 - value) / error**2, 1e-3), 1e15) + 1
        if not found.fitted.separated:
            return rows
        # A penalty alone keeps the slope finite: no more is known than from as many rows.
        return min(rows, float(found.fitted.weight.sum()) / max(found.fitted.parameters, 1))
    fitted = found.fitted
    close = np.abs(fitted.matrix @ fitted.coefficients) > 5 if fitted.link == "logit" else (
        np.ones(len(fitted.residual), np.bool_))  # fmt: skip
    return max(float(fitted.weight[close].sum()) / max(fitted.parameters, 1), 1.0)


def wilson(share: float, rows: float, width: float = 1.959963984540054) -> tuple[float, float]:
    """Wilson's (1927) interval of a proportion.

    Args:
        share: observed.
        rows: of how many.
        width: quantile of the normal (or t) distribution.
    """
    square = width**2 / rows
    centre = (share + square / 2) / (1 + square)
    half = width / (1 + square) * math.sqrt(share * (1 - share) / rows + square / (4 * rows))
    low = 0.0 if share == 0 else max(centre - half, 0.0)
    return low, (1.0 if share == 1 else min(centre + half, 1.0))


def difference(found: Means, end: int, start: int, how: str = "") -> Estimate:
    """Mean at `end` less mean at `start`.

    Of probabilities, from Wilson's intervals by squaring and adding (Newcombe 1998, method 10;
    for means that go together Zou & Donner 2008), so that it stays within [-1, 1]. Of other means,
    by t; two arms of like size and spread share one variance, as in a regression.
    """
    fitted = found.fitted
    variance = covariance(found)
    value = float(found.values[end] - found.values[start])
    squared = float(variance[end, end] + variance[start, start] - 2 * variance[end, start])
    error = math.sqrt(max(squared, 0.0))
    rows = int(fitted.weight.sum())
    free = freedom(fitted, found.direction[end] - found.direction[start])
    if fitted.sample.scale == "yes/no":
        errors = np.sqrt(np.maximum(np.diag(variance), 0.0))
        one, other = (_mean(found, i, float(errors[i]), "") for i in (end, start))
        product = errors[end] * errors[start]
        r = float(np.clip(variance[end, start] / product, -1, 1)) if product > 0 else 0.0
        low, high = _squared_and_added(value, one, other, r)
        return Estimate(value, error, free, low, high, how, rows)
    common = _common_error(found, end, start)
    if common is not None:
        error, free = common
    estimate = t_estimate(value, error, free, how, rows)
    if fitted.sample.scale not in TOPS:
        return estimate
    top = TOPS[fitted.sample.scale]
    value, low, high = (
        min(max(x, -top), top) for x in (value, estimate.low, estimate.high)
    )  # fmt: skip
    return replace(estimate, value=value, low=low, high=high)


def _squared_and_added(
    value: float, one: Estimate, other: Estimate, r: float
) -> tuple[float, float]:
    def reach(a: float, b: float) -> float:
        return math.sqrt(max(a * a + b * b - 2 * r * a * b, 0.0))

    low = value - reach(one.value - one.low, other.high - other.value)
    high = value + reach(one.high - one.value, other.value - other.low)
    return max(low, -1.0), min(high, 1.0)


def _common_error(found: Means, end: int, start: int) -> tuple[float, float] | None:
    """The error from one variance for all arms, unless spreads or sizes differ."""
    fitted = found.fitted
    sample = fitted.sample
    curve = fitted.terms.cause
    if sample.clusters is not None or sample.weight is not None or sample.covariates:
        return None
    if fitted.link != "identity" or (curve.form == "line" and len(np.unique(sample.cause)) > 2):
        return None
    cause = sample.cause[fitted.used]
    levels, size = np.unique(cause, return_counts=True)
    if len(levels) != 2 or size.max() > _ALIKE * size.min() or size.min() < 3:
        return None
    one, other = (fitted.residual[cause == level] for level in levels)
    if unequal_spread(one, other) < SHARE["curvature"]:
        return None
    free = float(size.sum() - 2)
    spread = float(fitted.residual @ fitted.residual) / free
    direction = found.direction[end] - found.direction[start]
    return math.sqrt(spread * float(direction @ fitted.inverse @ direction)), free


def wald(found: Means) -> tuple[float, int, float]:
    """Chi-squared of all figures being nought, its degrees of freedom, and how many units."""
    variance = covariance(found)
    scale = np.sqrt(np.maximum(np.diag(variance), 1e-300))
    standard = found.values / scale
    inner = np.linalg.pinv(variance / np.outer(scale, scale), rcond=1e-9, hermitian=True)
    rank = int(np.linalg.matrix_rank(variance / np.outer(scale, scale), 1e-9, hermitian=True))
    sample = found.fitted.sample
    units = float(found.fitted.weight.sum())
    if sample.clusters is not None:
        units = float(len(np.unique(sample.clusters)))
    return float(standard @ inner @ standard), max(rank, 1), units


def probability_of_effect(chi_squared: float, rank: int, units: float) -> float:
    """That there is an effect, from even odds: the unit-information Bayes factor (BIC).

    2 log BF = units log(1 + chi^2 / units) - rank log units (Kass & Wasserman 1995; Wagenmakers
    2007, eq. 10). In many rows that prior is so wide that it would speak for no effect where the
    95 % interval excludes it (Lindley 1957): it is narrowed until the odds are even where the
    interval just ends at no effect. It says whether, not how large: the estimate is not shrunk.
    """

    def gain(statistic: float) -> float:
        return units * math.log1p(statistic / max(units - rank - 1, 1.0))

    twice = gain(chi_squared) - min(rank * math.log(units), gain(float(chdtri(rank, 0.05))))
    return 1 / (1 + math.exp(-min(max(twice / 2, -700.0), 700.0)))
