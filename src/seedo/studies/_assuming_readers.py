"""Readers that assume a lot about a system, and readers that assume next to nothing."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from numpy.typing import NDArray

from seedo.episodes import EpisodeBatch
from seedo.experimenters import READERS, History
from seedo.inference.exact import SubsetPosterior
from seedo.inference.scores import Moments
from seedo.studies._histories import in_equal_parts

NOISE_GRID = tuple(2.0**k for k in range(-4, 5))
"""Noise variances that the reader who is not told thinks equally probable."""
ASSUMED_NOISE = 1.0
_MAX_PARENTS = 2
_AT_ONCE = 256


def history_moments(batch: EpisodeBatch) -> Moments:
    """What the exact reader keeps of the steps before the last, float32 [B, n, n, n] and [B, n]."""
    x = batch.outcome[:, :-1].astype(np.float64)
    free = (batch.target[:, :-1, None] != np.arange(batch.n)).astype(np.float64)
    gram = np.stack([(x * free[:, :, j, None]).swapaxes(1, 2) @ x for j in range(batch.n)], 1)
    return Moments(jnp.asarray(gram, jnp.float32), jnp.asarray(free.sum(1), jnp.float32))


def exact_effects(moments: Moments, goals: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Expected total effects on the goal, float64[B, n], under two models.

    Both take mechanisms for linear, all common causes for visible and names for meaningless, with
    N(0, 1) weights and a uniform prior over DAGs of in-degree up to 2. "exact" takes the noise
    variance for `ASSUMED_NOISE`; "exact, noise unknown" for one of `NOISE_GRID`, equally probable
    beforehand, and averages over them by their marginal likelihoods.
    """

    def part(rows: NDArray[np.int64]) -> tuple[Array, Array]:
        own = Moments(moments.gram[rows], moments.rows[rows])
        return _effects(own, jnp.asarray(goals[rows]))

    effects = in_equal_parts(len(goals), _AT_ONCE, part)
    names = ("exact", "exact, noise unknown")
    return {n: e.astype(np.float64) for n, e in zip(names, effects, strict=True)}


@jax.jit
def _effects(moments: Moments, goal: Int[Array, " B"]) -> tuple[Array, Array]:
    def under(variance: Array, own: Moments, goal: Array) -> tuple[Array, Array]:
        posterior = SubsetPosterior(own.rows.shape[-1], _MAX_PARENTS, variance)  # type: ignore[arg-type]
        evidence = posterior._grow(posterior.families(own).score).log_sums[-1]
        return posterior.effects(own, goal), evidence

    def episode(own: Moments, goal: Array) -> tuple[Array, Array]:
        effects, evidence = jax.lax.map(lambda v: under(v, own, goal), jnp.asarray(NOISE_GRID))
        known = effects[NOISE_GRID.index(ASSUMED_NOISE)]
        return known, jax.nn.softmax(evidence) @ effects

    return jax.vmap(episode)(moments, goal)


def action_means(batch: EpisodeBatch, do_values: tuple[float, ...]) -> NDArray[np.float64]:
    """float64[B, n, V]: the goal's mean over the experiments that did just this.

    It assumes nothing of mechanisms, noise, common causes or names. Means are shrunk towards the
    goal's mean over all rows that left it alone, as if one more row had shown that.
    """
    rows, goal = np.arange(batch.rows), batch.goal[:, -1].astype(np.int64)
    target, value = batch.target[:, :-1], batch.value[:, :-1]
    y = batch.outcome[rows, :-1, goal].astype(np.float64)
    free = target != goal[:, None]
    overall = (y * free).sum(1) / np.maximum(free.sum(1), 1)
    found = np.empty((batch.rows, batch.n, len(do_values)))
    for i in range(batch.n):
        for k, v in enumerate(do_values):
            own = (target == i) & (np.abs(value - v) < 1e-6) & free
            found[:, i, k] = ((y * own).sum(1) + overall) / (own.sum(1) + 1)
    return found


def heuristic_scores(
    name: str, batch: EpisodeBatch, do_values: tuple[float, ...]
) -> NDArray[np.float64]:
    """float64[B, n, V]: what a heuristic makes of the steps before the last."""

    def part(rows: NDArray[np.int64]) -> Array:
        history = History(
            outcome=jnp.asarray(batch.outcome[rows, :-1]),
            target=jnp.asarray(batch.target[rows, :-1], jnp.int32),
            value=jnp.asarray(np.nan_to_num(batch.value[rows, :-1]), jnp.float32),
            seen=jnp.ones((len(rows), batch.steps - 1), bool),
        )
        goal = jnp.asarray(batch.goal[rows, -1], jnp.int32)
        return _heuristic(name, history, goal, jnp.asarray(do_values))

    scores: NDArray[Any] = in_equal_parts(batch.rows, _AT_ONCE, part)
    return scores.astype(np.float64)


@partial(jax.jit, static_argnames="name")
def _heuristic(
    name: str, history: History, goal: Int[Array, " B"], values: Float[Array, " V"]
) -> Float[Array, "B n V"]:
    return jax.vmap(READERS[name], in_axes=(0, 0, None))(history, goal, values)
