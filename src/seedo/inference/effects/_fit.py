"""A regression of the outcome's mean, and means under settings of the cause with their errors.

Every figure is a mean of fitted values over rows (g-computation, Robins 1986), and its error the
sum over rows of their influence on it: of which rows there are, and of what was fitted to them
(Bartlett et al., Stefanski & Boos 2002, "The calculus of M-estimation"). In two arms without
covariates this is the difference of means with Welch's error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from seedo.inference.effects._sample import Sample
from seedo.inference.effects._terms import Terms

Array = NDArray[np.float64]
Link = Literal["identity", "logit", "log"]

_STEPS = 50
_LARGEST = 25.0
"""Linear predictor beyond which a fit is said to run away (separation)."""


def mean_of(link: Link, eta: Array) -> Array:
    if link == "identity":
        return eta
    if link == "logit":
        found: Array = expit(eta)
        return found
    return np.exp(np.minimum(eta, 600.0))


def slope_of(link: Link, mean: Array) -> Array:
    """Derivative of the mean by the linear predictor, which is the variance function as well."""
    if link == "identity":
        return np.ones_like(mean)
    return mean * (1 - mean) if link == "logit" else mean


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted mean.

    Attributes:
        sample: the rows, also those whose outcome is missing.
        terms: columns of the regression.
        link: from the linear predictor to the mean.
        used: bool[R], rows with an outcome.
        matrix: float64[U, k], of the rows used.
        coefficients: float64[k].
        inverse: float64[k, k], inverse of the weighted information.
        residual: float64[U].
        slope: float64[U], of the mean by the linear predictor.
        separated: a penalty keeps the coefficients finite, the rows do not.
    """

    sample: Sample
    terms: Terms
    link: Link
    used: NDArray[np.bool_]
    matrix: Array
    coefficients: Array
    inverse: Array
    residual: Array
    slope: Array
    separated: bool = False

    @property
    def weight(self) -> Array:
        """float64[U]."""
        return self.sample.weights[self.used]

    @property
    def leverage(self) -> Array:
        """float64[U] in [0, 1), share of a row in its own fitted value."""
        found = self.slope * np.einsum("ij,jk,ik->i", self.matrix, self.inverse, self.matrix)
        return np.clip(found, 0.0, 1 - 1e-9)

    @property
    def parameters(self) -> int:
        return int(np.linalg.matrix_rank(self.inverse, hermitian=True))


def fit(sample: Sample, terms: Terms, link: Link) -> Fitted:
    """Fits by (quasi-)likelihood: least squares, logistic or Poisson.

    Where a logistic fit runs away because settings and outcome are separated, Firth's penalty
    (1993) keeps it finite.
    """
    used = np.isfinite(sample.outcome)
    matrix = terms.matrix(sample)[used]
    y, weight = sample.outcome[used], sample.weights[used]
    if link == "identity":
        inverse = _inverse(matrix, weight)
        beta = inverse @ (matrix.T @ (weight * y))
        # A second pass takes out what the Gram matrix lost to rounding.
        beta = beta + inverse @ (matrix.T @ (weight * (y - matrix @ beta)))
        mean = matrix @ beta
        ones = np.ones_like(y)
        return Fitted(sample, terms, link, used, matrix, beta, inverse, y - mean, ones)
    found = _iterate(matrix, y, weight, link, firth=False)
    separated = found is None
    if found is None:
        found = _iterate(matrix, y, weight, link, firth=True)
    assert found is not None
    beta, inverse, mean = found
    return Fitted(sample, terms, link, used, matrix, beta, inverse, y - mean,
                  slope_of(link, mean), separated)  # fmt: skip


def _inverse(matrix: Array, weight: Array) -> Array:
    gram = matrix.T @ (weight[:, None] * matrix)
    scale = np.sqrt(np.maximum(np.diag(gram), 1e-300))
    inner = np.linalg.pinv(gram / np.outer(scale, scale), rcond=1e-11, hermitian=True)
    found: Array = inner / np.outer(scale, scale)
    return found


def _iterate(
    matrix: Array, y: Array, weight: Array, link: Link, firth: bool
) -> tuple[Array, Array, Array] | None:
    """Newton's steps; None where they run away and are not held back."""
    beta = np.zeros(matrix.shape[1])
    average = float((weight * y).sum() / weight.sum())
    if link == "log":
        beta[0] = np.log(max(average, 1e-8))
    else:
        beta[0] = np.log((average + 1e-8) / (1 - average + 1e-8))
        if average in (0.0, 1.0):
            beta[0] = np.log((y.sum() + 0.5) / (len(y) - y.sum() + 0.5))
    mean = mean_of(link, matrix @ beta)
    inverse = _inverse(matrix, weight * slope_of(link, mean))
    for _ in range(_STEPS if not firth else 4 * _STEPS):
        slope = np.maximum(slope_of(link, mean), 1e-12)
        inverse = _inverse(matrix, weight * slope)
        score = weight * (y - mean)
        if firth:
            hat = weight * slope * np.einsum("ij,jk,ik->i", matrix, inverse, matrix)
            score = score + hat * (0.5 - mean if link == "logit" else 0.5)
        step = inverse @ (matrix.T @ score)
        size = float(np.max(np.abs(matrix @ step)))
        beta = beta + step * min(1.0, 5.0 / max(size, 1e-12))
        eta = matrix @ beta
        if not firth and link == "logit" and np.abs(eta).max() > _LARGEST:
            return None
        mean = mean_of(link, eta)
        if size < 1e-9 * (1 + np.abs(eta).max()):
            return beta, _inverse(matrix, weight * np.maximum(slope_of(link, mean), 1e-12)), mean
    return (beta, inverse, mean) if firth or link == "log" else None


@dataclass(frozen=True, eq=False)
class Means:
    """Means of the outcome in m situations.

    Attributes:
        fitted: what they come from.
        values: float64[m].
        own: float64[R, m], each row's part in the error through being one of those averaged over
            (weights not applied).
        influence: float64[R, m], the same and its part through the coefficients (HC2, HC3).
        direction: float64[m, k], derivative by the coefficients.
    """

    fitted: Fitted
    values: Array
    own: Array
    influence: Array
    direction: Array

    def combined(self, weights: Array) -> Means:
        """Linear combinations.

        Args:
            weights: float64[m, c].
        """
        return Means(self.fitted, self.values @ weights, self.own @ weights,
                     self.influence @ weights, weights.T @ self.direction)  # fmt: skip


def means(
    fitted: Fitted,
    settings: list[float],
    population: NDArray[np.bool_] | None = None,
    held: Mapping[str, float] | None = None,
) -> Means:
    """Mean outcome if the cause were set to each of `settings`.

    Args:
        fitted: a regression.
        settings: values of the cause.
        population: bool[R], rows over which is averaged; all if None.
        held: covariates that are set to one value, too, by name.
    """
    sample, held = fitted.sample, held or {}
    covariates = tuple(
        replace(c, values=np.full(sample.rows, held[c.name])) if c.name in held else c
        for c in sample.covariates
    )
    sample = replace(sample, covariates=covariates)
    matrices = [fitted.terms.matrix(sample, value) for value in settings]
    return _means(fitted, matrices, population)


def slopes(fitted: Fitted, population: NDArray[np.bool_] | None = None) -> Means:
    """Mean derivative of the outcome by the cause, in each row at its own value (one figure)."""
    sample = fitted.sample
    step = 1e-4 * fitted.terms.cause.scale
    up = fitted.terms.matrix(sample, sample.cause + step)
    down = fitted.terms.matrix(sample, sample.cause - step)
    both = _means(fitted, [up, down], population)
    return both.combined(np.array([[1.0], [-1.0]]) / (2 * step))


def _means(fitted: Fitted, matrices: list[Array], population: NDArray[np.bool_] | None) -> Means:
    sample = fitted.sample
    share = sample.weights.copy()
    if population is not None:
        share = share * population
    total = share.sum()
    in_population = share > 0
    count = sample.rows
    values, owns, direction = [], [], []
    for matrix in matrices:
        mean = mean_of(fitted.link, matrix @ fitted.coefficients)
        value = float(share @ mean / total)
        gradient = (share * slope_of(fitted.link, mean)) @ matrix / total
        own = np.where(in_population, mean - value, 0.0) / total
        if not fitted.terms.covariates:
            own = np.zeros(count)
        values.append(value)
        owns.append(own)
        direction.append(gradient)
    directions = np.array(direction)
    own_part = np.stack(owns, axis=1)
    parts = own_part.copy()
    # HC2 is Welch's in plain arms; where terms were chosen by these rows, HC3 allows for that.
    power = 1.0 if fitted.terms.rich else 0.5
    corrected = fitted.residual / (1 - fitted.leverage) ** power
    parts[fitted.used] += corrected[:, None] * (fitted.matrix @ (fitted.inverse @ directions.T))
    return Means(fitted, np.array(values), own_part, parts, directions)
