"""Exact posterior over DAGs by listing them: any prior over graphs, up to 5 variables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import log

import jax
import jax.numpy as jnp
import numpy as np

from seedo.inference.scores._families import (
    Families,
    FamilyTable,
    Moments,
    Rows,
    family_table,
    fit_families,
)
from seedo.worlds import enumerate_dags


@cache
def _listing(n: int, max_parents: int) -> tuple[np.ndarray, np.ndarray]:
    """Adjacency uint8[K, n, n] (parent, child); each node's family in each DAG, bool[n, F, K].

    One-hot, because a product with it is ten times faster than a gather on CPUs.
    """
    dags = np.asarray(enumerate_dags(n, max_parents))
    code = np.einsum("kij,i->kj", dags.astype(np.int64), 1 << np.arange(n))
    return dags, family_table(n, max_parents).code[:, :, None] == code.T[:, None, :]


@dataclass(frozen=True, eq=False)
class ExactPosterior:
    """Posterior over the K DAGs of `seedo.worlds.enumerate_dags(n, max_parents)`.

    Methods take the `Rows` of one episode, are pure, and may be jitted and vmapped; a vmap over B
    episodes holds B K n^2 numbers in `effects`, so go in chunks (as `bayes_expected` does).
    Where the prior is uniform and only expectations are wanted, `SubsetPosterior` gives the same
    numbers far faster.

    Attributes:
        n: number of variables, at most 5.
        max_parents: largest in-degree listed.
        noise_variance: known variance of every node's noise.
        weight_variance: prior variance of every weight.
        log_prior: float[K] (nats, need not be normalised) or None for uniform.
    """

    n: int
    max_parents: int
    noise_variance: float = 1.0
    weight_variance: float = 1.0
    log_prior: np.ndarray | None = None

    @property
    def dags(self) -> np.ndarray:
        """Adjacency [parent, child] of every DAG, uint8[K, n, n]."""
        return _listing(self.n, self.max_parents)[0]

    @property
    def table(self) -> FamilyTable:
        """The families, in the order of `family_scores`."""
        return family_table(self.n, self.max_parents)

    def families(self, rows: Rows | Moments) -> Families:
        """Score [n, F] (nats) and posterior-mean weights [n, F, n] of every family."""
        return fit_families(rows, self.table, self.noise_variance, self.weight_variance)

    def family_scores(self, rows: Rows) -> jax.Array:
        """Log marginal likelihoods, float[n, F] (nats)."""
        return self.families(rows).score

    def log_probs(self, rows: Rows | Moments) -> jax.Array:
        """Log posterior probability of every DAG, float[K] (nats)."""
        return self._log_probs(self.families(rows).score)

    def edge_marginals(self, rows: Rows) -> jax.Array:
        """P(i -> j | rows), float[n, n]."""
        probability = jnp.exp(self.log_probs(rows))
        dags = self.dags.astype(probability.dtype)
        return jnp.einsum("k,kij->ij", probability, dags, precision="highest")

    def entropy(self, rows: Rows) -> jax.Array:
        """Entropy of the posterior over DAGs, in bits, float[]."""
        log_probs = self.log_probs(rows)
        nats = -jnp.where(jnp.isneginf(log_probs), 0, jnp.exp(log_probs) * log_probs).sum()
        return nats / log(2)

    def effects(self, rows: Rows, goal: jax.Array | int) -> jax.Array:
        """E[total effect of each variable on the goal | rows], float[n]; 1 at the goal itself.

        Given a DAG, weights of different nodes are independent a posteriori and a directed path
        uses each child once, so the expected product along a path is the product of the posterior
        means: the total effect at the posterior-mean weights W, v = e_goal + W v, is exact. n - 1
        iterations reach the fixed point, for no path is longer.
        """
        families = self.families(rows)
        weight = [self._spread(child, families.weight[child].T) for child in range(self.n)]
        unit = jnp.broadcast_to((np.arange(self.n) == goal)[:, None], weight[0].shape)
        unit = unit.astype(weight[0].dtype)

        def lengthen(_: int, effect: jax.Array) -> jax.Array:
            return sum((w * e for w, e in zip(weight, effect, strict=True)), start=unit)

        # A loop, because XLA fuses the unrolled iterations and computes each one many times over.
        effect = jax.lax.fori_loop(0, self.n - 1, lengthen, unit)
        return jnp.matmul(effect, jnp.exp(self._log_probs(families.score)), precision="highest")

    def effect_matrix(self, rows: Rows) -> jax.Array:
        """E[total effect of i on j | rows], float[n, n]; 1 on the diagonal."""
        return jax.vmap(lambda goal: self.effects(rows, goal), out_axes=1)(jnp.arange(self.n))

    def _log_probs(self, score: jax.Array) -> jax.Array:
        total = sum(self._spread(child, score[child]) for child in range(self.n))
        if self.log_prior is not None:
            total = total + jnp.asarray(self.log_prior, score.dtype)
        return jax.nn.log_softmax(jnp.asarray(total))

    def _spread(self, child: int, by_family: jax.Array) -> jax.Array:
        """From a value for each family of `child`, [..., F], to one for each DAG, [..., K]."""
        chosen = _listing(self.n, self.max_parents)[1][child].astype(by_family.dtype)
        return jnp.matmul(by_family, chosen, precision="highest")
