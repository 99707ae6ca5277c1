"""Closed-form scores of the families (a node and a set of parents) of a linear-Gaussian network.

Model, for every node j with parents S:  x_j = sum_{i in S} w_ij x_i + eps_j, with
eps_j ~ N(0, noise_variance) and w_ij ~ N(0, weight_variance), all independent and zero-mean.
Integrating the weights out gives y ~ N(0, noise_variance I + weight_variance X X^T) over the rows
in which x_j was not set by an intervention (Bishop, Pattern Recognition and Machine Learning,
2006, eqs. 3.49-3.54 and 3.77-3.86; for interventions Cooper & Yoo, UAI 1999).
"""

from __future__ import annotations

import math
from functools import cache
from itertools import combinations
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np


class Rows(NamedTuple):
    """What was seen in one episode so far.

    Attributes:
        outcome: float[R, n], value of every variable; a row with any NaN is absent (padding).
        target: int[R], the variable that was set in each row, -1 for a plain observation.
    """

    outcome: jax.Array | np.ndarray
    target: jax.Array | np.ndarray


class Moments(NamedTuple):
    """All that rows say about families; what one more row adds does not depend on how many.

    Attributes:
        gram: float[n, n, n], `[j, a, b]` is the sum of x_a x_b over the rows that left j alone.
        rows: float[n], the number of those rows.
    """

    gram: jax.Array
    rows: jax.Array


class FamilyTable(NamedTuple):
    """All F parent sets of each of n nodes, smallest first; numpy, made once.

    Attributes:
        parents: int[n, F, p], indices of the parents, filled up with n.
        member: bool[n, F, n], whether a variable is in the set.
        code: int[n, F], the set as a bit mask (bit i = variable i).
    """

    parents: np.ndarray
    member: np.ndarray
    code: np.ndarray


@cache
def family_table(n: int, max_parents: int) -> FamilyTable:
    """Lists the families of n nodes with at most `max_parents` parents each."""
    width = min(max_parents, n - 1)
    rows = [
        [
            subset + (n,) * (width - size)
            for size in range(width + 1)
            for subset in combinations([i for i in range(n) if i != child], size)
        ]
        for child in range(n)
    ]
    parents = np.asarray(rows, np.int32).reshape(n, len(rows[0]), width)
    member = (parents[..., None] == np.arange(n)).any(-2)
    return FamilyTable(parents, member, member @ (1 << np.arange(n)))


class Families(NamedTuple):
    """What the rows say about every family, in the order of `family_table`.

    Attributes:
        score: float[n, F], log marginal likelihood (nats) of the node's values given the parents'.
        weight: float[n, F, n], posterior-mean weight of every variable on the node (0 where the
            variable is no parent).
    """

    score: jax.Array
    weight: jax.Array


def fit_families(
    evidence: Rows | Moments,
    table: FamilyTable,
    noise_variance: float,
    weight_variance: float,
    root_variance: float | None = None,
) -> Families:
    """Scores all families on one episode; pure, may be jitted and vmapped; dtype of the outcome.

    `root_variance`: of the noise of nodes without parents, if it is another.
    """
    gram, rows = as_moments(evidence)
    system, moment = _systems(gram, table, weight_variance / noise_variance)
    n = len(table.parents)
    child = np.arange(n)[:, None]
    factor, log_det = _factorise(system)
    power = gram[child, child, child]
    weights = [weight_variance / noise_variance * s for s in _substitute(factor, moment)]
    residual = power - sum(b * w for b, w in zip(moment, weights, strict=True))
    # Without parents the ratio of the variances has no say in `log_det` and `residual`.
    variance = family_noise(table, noise_variance, root_variance)
    constant = rows[:, None] * (math.log(2 * math.pi) + jnp.log(variance))
    score = -0.5 * (constant + log_det + residual / variance)
    dense = jnp.zeros((*score.shape, n), score.dtype)
    for u, weight in enumerate(weights):
        dense += weight[..., None] * (table.parents[..., u, None] == np.arange(n))
    return Families(jnp.broadcast_to(score, table.code.shape), dense)


def family_noise(
    table: FamilyTable, noise_variance: float, root_variance: float | None
) -> float | jax.Array:
    """Variance of the child's own noise in every family, float[n, F], or of all."""
    if root_variance is None:
        return noise_variance
    return jnp.where(jnp.asarray(table.code) == 0, root_variance, noise_variance)


def weight_covariance(
    evidence: Rows | Moments, table: FamilyTable, noise_variance: float, weight_variance: float
) -> jax.Array:
    """Posterior covariance of every family's weights, float[n, F, n, n] (0 beside the parents)."""
    gram, _ = as_moments(evidence)
    system, moment = _systems(gram, table, weight_variance / noise_variance)
    factor, _ = _factorise(system)
    n, families, width = table.parents.shape
    dense = jnp.zeros((n, families, n, n), gram.dtype)
    place = [table.parents[..., u, None] == np.arange(n) for u in range(width)]
    for u in range(width):
        unit = [jnp.full_like(m, v == u) for v, m in enumerate(moment)]
        for v, entry in enumerate(_substitute(factor, unit)):
            spot = place[u][..., :, None] & place[v][..., None, :]
            dense += weight_variance * entry[..., None, None] * spot
    return dense


def no_rows(n: int) -> Moments:
    """The moments of nothing seen yet."""
    return Moments(jnp.zeros((n, n, n)), jnp.zeros(n))


def add_row(moments: Moments, outcome: jax.Array, target: jax.Array) -> Moments:
    """The moments after one more row: outcome float[n], target int[], -1 if nothing was set.

    A row with a NaN changes nothing.
    """
    row = as_moments(Rows(outcome[None], jnp.asarray(target)[None]))
    return Moments(moments.gram + row.gram, moments.rows + row.rows)


def as_moments(evidence: Rows | Moments) -> Moments:
    """Moments as they are; those of rows, summed up."""
    if isinstance(evidence, Moments):
        return evidence
    n = evidence.outcome.shape[-1]
    present = jnp.isfinite(evidence.outcome).all(-1)[:, None]
    x = jnp.where(present, evidence.outcome, 0)
    free = (present & (evidence.target[:, None] != np.arange(n))).astype(x.dtype)
    gram = jnp.einsum("rj,ra,rb->jab", free, x, x, precision="highest")
    return Moments(gram, free.sum(0))


def _systems(
    gram: jax.Array, table: FamilyTable, ratio: float
) -> tuple[list[list[jax.Array]], list[jax.Array]]:
    """Normal equations of all families: lower triangle of I + ratio X'X, and X'y."""
    gram = jnp.pad(gram, ((0, 0), (0, 1), (0, 1)))  # index n: an empty parent, all zeros
    n, _, width = table.parents.shape
    child = np.arange(n)[:, None]
    parents = [table.parents[..., u] for u in range(width)]
    system = [
        [ratio * gram[child, parents[u], parents[v]] + (u == v) for v in range(u + 1)]
        for u in range(width)
    ]
    return system, [gram[child, p, child] for p in parents]


def _factorise(
    lower: list[list[jax.Array]],
) -> tuple[list[list[jax.Array]], jax.Array | float]:
    """Cholesky factor and log det, unrolled: every entry is an array over all families.

    Systems have at most a handful of rows, where a LAPACK call for each is far slower than this.
    """
    factor: list[list[jax.Array]] = []
    log_det: jax.Array | float = 0.0
    for u in range(len(lower)):
        row: list[jax.Array] = []
        for v in range(u):
            inner = sum(row[k] * factor[v][k] for k in range(v))
            row.append((lower[u][v] - inner) / factor[v][v])
        pivot = lower[u][u] - sum(entry * entry for entry in row)
        log_det = log_det + jnp.log(pivot)
        row.append(jnp.sqrt(pivot))
        factor.append(row)
    return factor, log_det


def _substitute(factor: list[list[jax.Array]], right: list[jax.Array]) -> list[jax.Array]:
    """A^-1 b from the Cholesky factor of A."""
    size = len(right)
    forward: list[jax.Array] = []
    for u, row in enumerate(factor):
        forward.append((right[u] - sum(row[k] * forward[k] for k in range(u))) / row[u])
    solution = list(forward)
    for u in reversed(range(size)):
        later = sum(factor[k][u] * solution[k] for k in range(u + 1, size))
        solution[u] = (forward[u] - later) / factor[u][u]
    return solution
