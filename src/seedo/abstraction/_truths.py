"""What probes look for: the system, and what the exact posterior knows of it."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from seedo.episodes import EpisodeBatch
from seedo.errors import UserError
from seedo.inference.exact import SubsetPosterior, bayes_supported, posterior_of
from seedo.inference.scores import Rows
from seedo.worlds import World


class Truths(NamedTuple):
    """Of B episodes; a posterior is that of the rows before a step, T steps that were asked for.

    Attributes:
        edges: bool[B, n, n], whether i is a parent of j.
        effects: float[B, n, n], total effects of i on j: from the least do-value to the largest,
            what j changes by in expectation for each unit of i.
        expected: float[B, n, V, n], of j with i set to each do-value.
        believed_edges: by step, float[B, n, n], probabilities; empty as what follows where there is
            no exact posterior.
        believed_effects: by step, float[B, n, n], expectations.
        entropy: by step, float[B], of the posterior over graphs, in bits.
    """

    edges: NDArray[np.bool_]
    effects: NDArray[np.float64]
    expected: NDArray[np.float64]
    believed_edges: dict[int, NDArray[np.float32]]
    believed_effects: dict[int, NDArray[np.float32]]
    entropy: dict[int, NDArray[np.float32]]


def exact_posterior(world: World) -> SubsetPosterior | None:
    """The exact posterior of a world, whose expectations are what the best player goes by; None:
    there is none.

    Raises:
        UserError: levers have costs, or some variables are irrelevant.
    """
    config = world.config()
    if world.spec.costs:
        raise UserError("costs", config.get("costs"), "probes know no prices: leave it out")
    if config.get("relevant") not in (None, world.spec.n):
        raise UserError(
            "relevant", config["relevant"], "probes take all for relevant: leave it out"
        )
    if bayes_supported({**config, "relevant": world.spec.n}) is not None:
        return None
    return posterior_of(config, world.spec.n)


def truths(world: World, batch: EpisodeBatch, steps: Sequence[int]) -> Truths:
    """What is true of the systems of a batch that has them, and what could be known at some steps.

    Raises:
        UserError: see `exact_posterior`; or the batch has no systems.
    """
    posterior = exact_posterior(world)
    if batch.system is None:
        raise UserError("logs", None, "hold no systems: play with systems=True")
    systems = [json.loads(system) for system in batch.system]
    weights = np.array([system["weights"] for system in systems], np.float64)
    expected = np.array([system["expected"] for system in systems], np.float64)
    n, values = batch.n, world.spec.do_values
    low, high = int(np.argmin(values)), int(np.argmax(values))
    effects = (expected[:, :, high] - expected[:, :, low]) / (values[high] - values[low])
    found = {}
    if posterior is not None:
        found = {step: _beliefs(posterior, *_before(batch, step)) for step in steps}
    edges, totals, entropy = (
        {step: np.asarray(columns[k]) for step, columns in found.items()} for k in range(3)
    )
    return Truths(weights[:, :n, :n] != 0, effects, expected, edges, totals, entropy)


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
