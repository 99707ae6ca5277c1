"""Filled-in values that agree with the regression they are for, whatever its terms.

Chained equations know lines and products; what a spline, an interaction or a logistic mean of the
outcome says of a missing cause or covariate they know roughly. Here each value is proposed from a
regression on the others without the outcome, and taken by what the outcome's own regression says
of it (Bartlett, Seaman, White & Carpenter 2015, SMC-FCS; Metropolis steps instead of rejection).
No Python library has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seedo.inference.effects._fit import Fitted, fit, mean_of
from seedo.inference.effects._imputation import drawn
from seedo.inference.effects._sample import Sample

Array = NDArray[np.float64]

_ROUNDS = 5
_STEPS = 10
"""Proposals for each cell in a round; the regressions are drawn anew in every round."""


def agreed(
    filled: Array, missing: NDArray[np.bool_], named: Sequence[bool], model: Fitted,
    rng: np.random.Generator,
) -> Array:  # fmt: skip
    """A filled-in table drawn on until it agrees with a regression.

    Args:
        filled: float64[R, n]: outcome (NaN where missing), cause, covariates in the order of the
            model's sample; otherwise without holes.
        missing: bool[R, n], what was filled in; nothing of the outcome.
        named: bool[n], columns of which only values that occur are drawn.
        model: its terms, its link, and the sample whose values are replaced by these.
        rng: of everything.
    """
    filled = filled.copy()
    every = np.ones(len(filled), np.bool_)
    holes = [j for j in range(1, filled.shape[1]) if missing[:, j].any()]
    for _ in range(_ROUNDS):
        fitted = fit(_sample(model.sample, filled), model.terms, model.link)
        noise = _noise(fitted)
        values, vectors = np.linalg.eigh(fitted.inverse * noise)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        beta = fitted.coefficients + root @ rng.normal(size=len(root))
        if model.link == "identity":
            noise *= len(fitted.residual) / rng.chisquare(len(fitted.residual))
        for j in holes:
            rows = missing[:, j]
            others = [k for k in range(1, filled.shape[1]) if k != j]
            weight = model.sample.weights
            propose = drawn(filled, j, others, named, every, rows, weight, rng)
            mine = filled[rows]
            at = _likelihood(model, mine, rows, beta, noise)
            for _ in range(_STEPS):
                other = mine.copy()
                other[:, j] = propose()
                new = _likelihood(model, other, rows, beta, noise)
                taken = np.log(rng.random(len(at))) < new - at
                mine[taken], at[taken] = other[taken], new[taken]
            filled[rows] = mine
    return filled


def _sample(sample: Sample, filled: Array) -> Sample:
    held = tuple(
        replace(c, values=filled[:, 2 + k]) for k, c in enumerate(sample.covariates)
    )  # fmt: skip
    return replace(sample, outcome=filled[:, 0], cause=filled[:, 1], covariates=held)


def _noise(fitted: Fitted) -> float:
    """Variance of the outcome over what its mean says, if it is not yes or no."""
    if fitted.link == "logit":
        return 1.0
    free = max(float(fitted.weight.sum()) - fitted.parameters, 1.0)
    part = fitted.residual**2 / np.maximum(fitted.slope, 1e-9)
    return max(float((fitted.weight * part).sum()) / free, 1e-300)


def _likelihood(
    model: Fitted, rows: Array, which: NDArray[np.bool_], beta: Array, noise: float
) -> Array:
    """float64[S], log likelihood of each row's outcome; nought where that is missing."""
    sample = _sample(model.sample.take(which), rows)
    eta = model.terms.matrix(sample) @ beta
    y = rows[:, 0]
    if model.link == "identity":
        found = -((y - eta) ** 2) / (2 * noise)
    elif model.link == "logit":
        mean = np.clip(mean_of("logit", eta), 1e-12, 1 - 1e-12)
        found = y * np.log(mean) + (1 - y) * np.log1p(-mean)
    else:
        found = (y * eta - mean_of("log", eta)) / noise
    return np.where(np.isfinite(y), found, 0.0)
