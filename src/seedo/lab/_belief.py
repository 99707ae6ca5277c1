"""What a history says about the graph, step by step: the exact posterior of whoever knows the
world's prior."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from seedo import programs
from seedo.inference.exact import SubsetPosterior, bayes_supported
from seedo.inference.scores import add_row, no_rows
from seedo.lab._once import once
from seedo.worlds import DagConfig

_MOST_VARIABLES = 10


class Belief(NamedTuple):
    """After some of the steps.

    Attributes:
        edges: float64[n, n], P(i -> j).
        bits: entropy of the posterior over graphs.
    """

    edges: NDArray[np.float64]
    bits: float


def no_belief(config: Any) -> str:
    """Why there is no exact posterior for a world; "" if there is."""
    if not isinstance(config, DagConfig):
        return "the exact posterior is for world dag"
    if config.n > _MOST_VARIABLES:
        return f"exact for at most {_MOST_VARIABLES} variables"
    if config.relevant not in (None, config.n):
        return "the exact posterior here is for worlds in which every variable matters"
    return bayes_supported(config.to_dict()) or ""


def beliefs(
    config: DagConfig, targets: Sequence[int], outcomes: Sequence[NDArray[np.float32]]
) -> list[Belief]:
    """The posterior before the first step and after each one; `no_belief` must be "".

    Args:
        config: the world whose prior is taken.
        targets: of the S steps so far; -1: only observed.
        outcomes: [n] each, what followed.
    """
    size = config.steps
    target = np.full(size, -1, np.int32)
    outcome = np.zeros((size, config.n), np.float32)
    steps = len(targets)
    if steps:
        target[:steps], outcome[:steps] = targets, np.stack(list(outcomes))
    root = config.noise_variance if config.root_variance is None else config.root_variance
    variances = jnp.asarray([config.noise_variance, config.weight_scale**2, root], jnp.float32)
    limit = min(config.max_parents, config.n - 1)
    with once("beliefs", config.n, limit, size):
        edges, bits = _program()(config.n, limit, variances, outcome, target, steps)
    edges, bits = np.asarray(edges, np.float64)[: steps + 1], np.asarray(bits)[: steps + 1]
    return [Belief(e, float(b)) for e, b in zip(edges, bits, strict=True)]


@functools.cache
def _program() -> Any:
    """Compiled in little time: it runs once an episode."""
    return jax.jit(_posteriors, static_argnums=(0, 1), compiler_options=programs.quickly())


def _posteriors(n: int, limit: int, variances: Any, outcome: Any, target: Any, steps: Any):
    """Variances, unlike numbers of variables, are arguments: no world is compiled anew for them."""
    posterior = SubsetPosterior(n, limit, *variances)

    def after(moments):
        return posterior.edge_marginals(moments), posterior.entropy(moments)

    def step(moments, row):
        t, outcome, target = row
        # Rows still to come cost nothing.
        moments = add_row(moments, outcome, target)
        blank = jnp.zeros((n, n), outcome.dtype), jnp.zeros((), outcome.dtype)
        return moments, jax.lax.cond(t < steps, after, lambda _: blank, moments)

    first = no_rows(n)
    rows = (jnp.arange(len(target)), outcome, target)
    _, (edges, bits) = jax.lax.scan(step, first, rows)
    before = after(first)
    return jnp.concatenate([before[0][None], edges]), jnp.concatenate([before[1][None], bits])
