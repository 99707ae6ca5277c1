"""Labelled DAGs with bounded in-degree: counting, enumeration, exact uniform sampling.

Counting peels off sinks. A sink may choose its parents freely among the nodes that remain without
touching their in-degrees, so the inclusion-exclusion of Robinson (1977) carries over to a bound on
in-degree; the layered form that sampling needs follows Kuipers and Moffa (2015), with sinks in the
place of their outpoints.
"""

from __future__ import annotations

import functools
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

ENUMERABLE = 5
"""Largest number of variables for which all DAGs are listed."""


def _subsets_up_to(m: int, k: int) -> int:
    return sum(math.comb(m, j) for j in range(min(m, k) + 1))


@functools.cache
def _covering_counts(n: int, k: int) -> dict[tuple[int, int, int], int]:
    """`[s, u, m]`: ways for s nodes to take at most k parents each out of m so that u given ones
    all have a child."""
    count: dict[tuple[int, int, int], int] = {}
    for s in range(n + 1):
        for m in range(n - s + 1):
            count[s, 0, m] = _subsets_up_to(m, k) ** s
            for u in range(1, m + 1):
                # All choices that cover u - 1 of them, less those that avoid the last one.
                count[s, u, m] = count[s, u - 1, m] - count[s, u - 1, m - 1]
    return count


@functools.cache
def _layer_counts(n: int, k: int) -> dict[tuple[int, int], int]:
    """`[m, s]`: labelled DAGs on m nodes, in-degree at most k, with exactly s sinks."""
    cover = _covering_counts(n, k)
    count: dict[tuple[int, int], int] = {}
    for m in range(1, n + 1):
        for s in range(1, m):
            below = m - s
            count[m, s] = math.comb(m, s) * sum(
                count[below, t] * cover[s, t, below] for t in range(1, below + 1)
            )
        count[m, m] = 1
    return count


def count_dags(n: int, max_parents: int) -> int:
    """Number of labelled DAGs on n nodes with at most `max_parents` parents each."""
    layers = _layer_counts(n, min(max_parents, n - 1))
    return sum(layers[n, s] for s in range(1, n + 1))


@functools.cache
def enumerate_dags(n: int, max_parents: int) -> np.ndarray:
    """All labelled DAGs, `uint8[K, n, n]`, `[parent, child]`, in a fixed order; n at most 5."""
    if n > ENUMERABLE:
        raise ValueError(f"n={n}: DAGs are listed for n <= {ENUMERABLE} only; sample instead")
    nodes = range(n)
    families = [
        [
            sum(1 << p for p in parents)
            for size in range(min(max_parents, n - 1) + 1)
            for parents in itertools.combinations([i for i in nodes if i != j], size)
        ]
        for j in nodes
    ]
    grids = np.meshgrid(*[np.array(f, np.uint8) for f in families], indexing="ij")
    masks = np.stack([g.ravel() for g in grids], axis=-1)  # [combinations, child]
    # A graph is acyclic when repeatedly removing the nodes without remaining parents empties it.
    remaining = np.full(len(masks), (1 << n) - 1, np.uint8)
    for _ in nodes:
        source = (masks & remaining[:, None]) == 0
        remaining &= ~(source @ (1 << np.arange(n))).astype(np.uint8)
    masks = masks[remaining == 0]
    adjacency = (masks[:, None, :] >> np.arange(n)[None, :, None]) & 1
    adjacency.setflags(write=False)
    return adjacency.astype(np.uint8)


def ancestors(adjacency: Bool[Array, "n n"]) -> Bool[Array, "n n"]:
    """`[i, j]`: a directed path leads from i to j (never true on the diagonal of a DAG)."""
    n = adjacency.shape[-1]
    reach = adjacency
    for _ in range(max(1, math.ceil(math.log2(max(n, 2))))):
        reach = reach | ((reach.astype(jnp.float32) @ reach.astype(jnp.float32)) > 0)
    return reach


@functools.cache
def _log_tables(n: int, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log counts for the sampler: layers `[m, s]`, next layer `[s, m, t]`, parents `[s, u, m]`."""

    def log(x: int) -> float:
        return math.log(x) if x > 0 else -math.inf

    cover, layers = _covering_counts(n, k), _layer_counts(n, k)
    layer = np.full((n + 1, n + 1), -np.inf, np.float32)
    following = np.full((n + 1, n + 1, n + 1), -np.inf, np.float32)
    parents = np.full((n + 1, n + 1, n + 1), -np.inf, np.float32)
    for (m, s), c in layers.items():
        layer[m, s] = log(c) - log(sum(layers[m, r] for r in range(1, m + 1)))
    for (s, u, m), c in cover.items():
        parents[s, u, m] = log(c)
        if u >= 1:
            following[s, m, u] = log(c * layers[m, u])
    # Only differences within a row matter; centring keeps float32 exact enough at n = 50.
    for s, m in itertools.product(range(n + 1), repeat=2):
        top = following[s, m].max()
        if np.isfinite(top):
            following[s, m] -= top
    following[:, 0, 0] = 0.0  # nothing remains below the last layer
    return layer, following, parents


def sample_dag(key: PRNGKeyArray, n: int, max_parents: int) -> Bool[Array, "n n"]:
    """One labelled DAG, uniform over all with in-degree at most `max_parents`; any n.

    Exact up to float32 rounding of the log counts: it draws the layers of sinks and then each
    node's parents from their conditional distributions, with no Markov chain involved.
    """
    if n <= ENUMERABLE:
        dags = jnp.asarray(enumerate_dags(n, max_parents))
        return dags[jax.random.randint(key, (), 0, len(dags))].astype(bool)
    k = min(max_parents, n - 1)
    layer, following, parents = (jnp.asarray(t) for t in _log_tables(n, k))
    splits = np.array([(c, d) for c in range(k + 1) for d in range(k + 1 - c)])
    log_choose = jnp.asarray(
        [[math.log(c) if (c := math.comb(m, j)) else -np.inf for j in range(k + 1)]
         for m in range(n + 1)],
        jnp.float32,
    )  # fmt: skip
    positions = jnp.arange(n)
    key_first, key_next, key_nodes, key_labels = jax.random.split(key, 4)

    def begin_layer(key, size, below):
        """Size of the layer under one of `size` nodes that has `below` nodes under it."""
        t = jax.random.categorical(key, following[size, below])
        return t, (positions >= below - t) & (positions < below)

    first = jax.random.categorical(key_first, layer[n])
    below = n - first
    t, uncovered = begin_layer(key_next, first, below)

    def node(state, key):
        left, below, t, uncovered = state
        key_split, key_pick, key_layer = jax.random.split(key, 3)
        u = uncovered.sum()
        c, d = splits[:, 0], splits[:, 1]
        weight = (
            log_choose[u, c]
            + log_choose[below - u, d]
            + jnp.where(c <= u, parents[left - 1, jnp.maximum(u - c, 0), below], -jnp.inf)
        )
        pick = jax.random.categorical(key_split, weight)
        score = jax.random.uniform(key_pick, (n,))

        def subset(mask, size):
            ranked = jnp.argsort(jnp.argsort(jnp.where(mask, score, 2.0)))
            return mask & (ranked < size)

        new = subset(uncovered, jnp.asarray(c)[pick])
        chosen = new | subset((positions < below) & ~uncovered, jnp.asarray(d)[pick])
        uncovered = uncovered & ~new
        left = left - 1
        done = left == 0
        below_next = below - t
        t_next, uncovered_next = begin_layer(key_layer, t, below_next)
        state = (
            jnp.where(done, t, left),
            jnp.where(done, below_next, below),
            jnp.where(done, t_next, t),
            jnp.where(done, uncovered_next, uncovered),
        )
        return state, chosen

    _, chosen = jax.lax.scan(node, (first, below, t, uncovered), jax.random.split(key_nodes, n))
    ordered = chosen[::-1].T  # row p, column q: p is a parent of q, in topological positions
    labels = jax.random.permutation(key_labels, n)
    return ordered[labels][:, labels]


def sample_rooted_dag(key: PRNGKeyArray, n: int, max_parents: int) -> Bool[Array, "n n"]:
    """A DAG in the manner of the public description of Lampinen et al. (2023): the number of roots
    is uniform in 1..n-1; every other variable takes 1..max_parents parents (uniform number, uniform
    choice) among those before it; names are permuted, since the order would give causes away."""
    key_roots, key_size, key_pick, key_labels = jax.random.split(key, 4)
    position = jnp.arange(n)
    roots = jax.random.randint(key_roots, (), 1, n)
    most = jnp.minimum(max_parents, position)
    size = 1 + jnp.floor(jax.random.uniform(key_size, (n,)) * most).astype(jnp.int32)
    size = jnp.where(position < roots, 0, jnp.minimum(size, most))
    earlier = position[:, None] < position[None, :]
    score = jnp.where(earlier, jax.random.uniform(key_pick, (n, n)), 2.0)
    rank = jnp.argsort(jnp.argsort(score, axis=0), axis=0)
    ordered = earlier & (rank < size[None, :])
    labels = jax.random.permutation(key_labels, n)
    return ordered[labels][:, labels]


def random_subset(key: PRNGKeyArray, n: int, size: int) -> Bool[Array, " n"]:
    """A uniformly drawn subset of `size` of n variables, as a mask."""
    return jnp.argsort(jnp.argsort(jax.random.uniform(key, (n,)))) < size


def place(block: Bool[Array, "k k"], where: Int[Array, " n"], inside: Bool[Array, " n"]):
    """Lay a small graph over the variables of a mask; `where[i]` is i's row in `block`."""
    k = block.shape[-1]
    index = jnp.clip(where, 0, k - 1)
    return block[index][:, index] & inside[:, None] & inside[None, :]


def effects(weights: Float[Array, "n n"]) -> Float[Array, "n n"]:
    """Total effects `[i, j]` of a linear system, (I - W)^-1, by its finite Neumann series."""
    n = weights.shape[-1]
    total = eye = jnp.eye(n, dtype=weights.dtype)
    if n <= 8:
        # Sums of products, not `@`: many tiny matrix products are slow on a CPU.
        for _ in range(n - 1):
            total = eye + (weights[:, :, None] * total).sum(axis=1)
        return total
    return jax.lax.fori_loop(0, n - 1, lambda _, t: eye + weights @ t, total)
