"""What probes look for: the system, and what the exact posterior knows of it."""

from __future__ import annotations

import functools
import json
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from seedo.episodes import EpisodeBatch
from seedo.errors import UserError
from seedo.inference.exact import SubsetPosterior, posterior_of
from seedo.inference.scores import Rows
from seedo.worlds import World


class Truths(NamedTuple):
    """Of B episodes of S steps; a posterior is that of the rows before a step.

    Attributes:
        edges: bool[B, n, n], whether i is a parent of j.
        effects: float[B, n, n], total effects of i on j.
        believed_edges: float[B, S, n, n], probabilities.
        believed_effects: float[B, S, n, n], expectations.
        entropy: float[B, S], of the posterior over graphs, in bits.
    """

    edges: NDArray[np.bool_]
    effects: NDArray[np.float64]
    believed_edges: NDArray[np.float32]
    believed_effects: NDArray[np.float32]
    entropy: NDArray[np.float32]


def truths(world: World, batch: EpisodeBatch) -> Truths:
    """What is true of the systems of a batch that has them, and what could be known.

    Raises:
        UserError: the world has no exact posterior, or the batch no systems.
    """
    if batch.system is None:
        raise UserError("logs", None, "hold no systems: play with systems=True")
    weights = np.array([json.loads(system)["weights"] for system in batch.system], np.float64)
    n = batch.n
    effects = np.linalg.inv(np.eye(weights.shape[1]) - weights)[:, :n, :n]
    posterior = posterior_of(world.config(), n)
    found = [
        _beliefs(posterior, *_before(batch, step)) for step in range(batch.steps)
    ]  # one program for all steps
    edges, totals, entropy = (np.stack(columns, 1) for columns in zip(*found, strict=True))
    true = np.asarray(effects, np.float64)
    return Truths(weights[:, :n, :n] != 0, true, edges, totals, entropy)


def _before(batch: EpisodeBatch, step: int) -> tuple[Any, Any]:
    seen = np.arange(batch.steps) < step
    outcome = np.where(seen[:, None], batch.outcome, np.nan)
    return jnp.asarray(outcome, jnp.float32), jnp.asarray(batch.target, jnp.int32)


@functools.partial(jax.jit, static_argnums=0)
def _beliefs(posterior: SubsetPosterior, outcome: Any, target: Any) -> Any:
    def one(now: tuple[Any, Any]) -> Any:
        rows = Rows(*now)
        edges, effects = posterior.edge_marginals(rows), posterior.effect_matrix(rows)
        return edges, effects, posterior.entropy(rows)

    return jax.lax.map(one, (outcome, target), batch_size=64)
