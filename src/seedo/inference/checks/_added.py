"""Whether terms that a model leaves out would have mattered: a robust score test."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, fdtrc

Array = NDArray[np.float64]


def added_terms(
    residual: Array,
    model: Array,
    extra: Array,
    curvature: Array | None = None,
    weight: Array | None = None,
    clusters: NDArray[np.int64] | None = None,
    known: bool = False,
) -> float:
    """p-value of the hypothesis that `extra` adds nothing to a fitted generalised linear model.

    The score of the extra terms, made orthogonal to the model's, over its empirical variance
    (White 1982; Wooldridge 1991, eq. 3.6), so that unequal spreads raise no alarm. Referred to an
    F distribution, which keeps its level in small tables too.

    Args:
        residual: float64[R], outcome less fitted mean.
        model: float64[R, k], the model's terms.
        extra: float64[R, q], those left out.
        curvature: float64[R], variance function at the fitted means (1 for a line).
        weight: float64[R], how many rows a row stands for.
        clusters: int64[R], rows that are not independent of each other.
        known: the variance is that of `curvature` and no other (what is yes or no).
    """
    weight = np.ones(len(residual)) if weight is None else weight
    both = weight if curvature is None else weight * curvature
    gram = model.T @ (both[:, None] * model)
    scale = np.sqrt(np.maximum(np.diag(gram), 1e-300))
    inverse = np.linalg.pinv(gram / np.outer(scale, scale), rcond=1e-10, hermitian=True)
    inverse /= np.outer(scale, scale)
    orthogonal = extra - model @ (inverse @ (model.T @ (both[:, None] * extra)))
    size = np.sqrt((weight[:, None] * extra**2).sum(axis=0))
    left = np.sqrt((weight[:, None] * orthogonal**2).sum(axis=0))
    orthogonal = orthogonal[:, left > 1e-6 * np.maximum(size, 1e-300)]
    if not orthogonal.shape[1]:
        return 1.0
    scores = orthogonal * residual[:, None]
    exact = 0.0
    if known and clusters is None:
        total = (weight[:, None] * scores).sum(axis=0)
        variance = orthogonal.T @ (both[:, None] * orthogonal)
        norm = np.sqrt(np.maximum(np.diag(variance), 1e-300))
        inner = np.linalg.pinv(variance / np.outer(norm, norm), rcond=1e-9, hermitian=True)
        rank = int(np.linalg.matrix_rank(inner, tol=1e-9, hermitian=True))
        exact = float(chdtrc(rank, total / norm @ inner @ (total / norm)))
    if clusters is None:
        total = (weight[:, None] * scores).sum(axis=0)
        variance = scores.T @ (weight[:, None] * scores)
        units = float(weight.sum())
    else:
        sums = np.zeros((int(clusters.max()) + 1, scores.shape[1]))
        np.add.at(sums, clusters, weight[:, None] * scores)
        total, variance, units = sums.sum(axis=0), sums.T @ sums, float(len(np.unique(clusters)))
    norm = np.sqrt(np.maximum(np.diag(variance), 1e-300))
    inner = np.linalg.pinv(variance / np.outer(norm, norm), rcond=1e-9, hermitian=True)
    rank = int(np.linalg.matrix_rank(variance / np.outer(norm, norm), tol=1e-9, hermitian=True))
    standard = total / norm
    statistic = float(standard @ inner @ standard)
    # With k terms fitted, residuals are short: statistic <= units, so the F form below is exact
    # for Hotelling's T squared of independent scores.
    free = units - rank
    if rank == 0 or free <= 0 or statistic >= units:
        return 1.0
    f = free / rank * statistic / (units - statistic) if clusters is None else (
        statistic * free / (rank * max(units - 1, 1)))  # fmt: skip
    # Where the variance is known both must hold: each is rough where few rows tell.
    return max(exact, float(fdtrc(rank, free, f)))
