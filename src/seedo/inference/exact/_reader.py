"""The Bayes-optimal reader: what any action is expected to do to the goal, given a history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from seedo.errors import UserError
from seedo.inference.exact._subsets import SubsetPosterior
from seedo.inference.scores._families import Rows

MAX_VARIABLES = 10
"""The most (relevant) variables the exact reader takes."""


class EffectsPosterior(Protocol):
    """A posterior that knows total effects: `SubsetPosterior`, `ExactPosterior`."""

    @property
    def n(self) -> int:
        """Number of variables."""

    def effects(self, rows: Rows, goal: jax.Array | int) -> jax.Array:
        """E[total effect of each variable on the goal | rows], float[n]."""


def bayes_expected(
    posterior: EffectsPosterior,
    rows: Rows,
    goals: np.ndarray,
    do_values: Sequence[float],
    relevant: np.ndarray | None = None,
    chunk: int = 256,
) -> np.ndarray:
    """E[x_goal | do(x_i = v), rows] for every action, averaged over graphs and weights.

    Zero-mean noise leaves no intercept, so it is v times the expected total effect of i on the
    goal (see `ExactPosterior.effects` for why that is exact).

    Args:
        posterior: over as many variables as are relevant.
        rows: a batch, outcome float[B, R, n] and target int[B, R].
        goals: int[B].
        do_values: the V values an intervention may set.
        relevant: bool[B, n], equally many in each episode; the others are taken to have no effect
            on the relevant ones, so that setting one of them counts as an observation.
        chunk: episodes in one compiled call.

    Returns:
        float[B, n, V], in the outcome's dtype; 0 for irrelevant variables, v for the goal itself.

    Raises:
        UserError: when a goal is hidden or irrelevant, or the number of variables is not the
            posterior's.
    """
    outcome, target, goals = np.asarray(rows.outcome), np.asarray(rows.target), np.asarray(goals)
    batch, _, n = outcome.shape
    if relevant is None:
        relevant = np.ones((batch, n), bool)
    relevant = np.asarray(relevant, bool)
    sizes = relevant.sum(1)
    if (sizes != posterior.n).any():
        wrong = int(sizes[sizes != posterior.n][0])
        raise UserError("relevant variables", wrong, f"this posterior is over {posterior.n}")
    hidden = (goals < 0) | (goals >= n)
    if hidden.any() or not relevant[np.arange(batch), goals].all():
        raise UserError("goal", None, "every episode needs a goal among its relevant variables")

    chosen = np.argsort(~relevant, axis=1, kind="stable")[:, : posterior.n]  # [B, k]
    rank = np.where(relevant, np.cumsum(relevant, 1) - 1, -1)  # [B, n]
    target = np.where(target < 0, -1, np.take_along_axis(rank, np.maximum(target, 0), 1))
    outcome = np.take_along_axis(outcome, chosen[:, None, :], 2)
    goal = rank[np.arange(batch), goals]

    effects = np.zeros((batch, n), outcome.dtype)
    for start in range(0, batch, chunk):
        part = slice(start, start + chunk)
        seen = Rows(_fill(outcome[part], chunk), _fill(target[part], chunk).astype(np.int32))
        found = np.asarray(_effects(posterior, seen, _fill(goal[part], chunk).astype(np.int32)))
        size = len(goal[part])
        np.put_along_axis(effects[part], chosen[part], found[:size], 1)
    expected: np.ndarray = effects[:, :, None] * np.asarray(do_values, effects.dtype)
    return expected


def bayes_supported(config: Mapping[str, Any]) -> str | None:
    """Why there is no exact reader for a `dag` world of this configuration, or None if there is.

    The reader's prior is uniform over graphs. Splits that leave systems out (`train` never has the
    held-out link, `heldout-link` always) draw from a part of it; the reader does not use that.

    Args:
        config: fields of `seedo.worlds.DagConfig`; those that are missing count as harmless.
    """
    size = config.get("relevant") or config.get("n") or 0
    if size > MAX_VARIABLES:
        return f"{size} variables; the exact reader takes at most {MAX_VARIABLES}"
    if config.get("mechanism", "linear") != "linear":
        return f"mechanism {config['mechanism']}; the exact reader is for linear ones"
    if config.get("noise_family", "normal") not in ("normal", "gaussian"):
        return f"{config['noise_family']} noise; the exact reader is for normal noise"
    if config.get("noise_variance_sd"):
        return "noise variance differs between variables and is unknown to the exact reader"
    if config.get("drift"):
        return "the weights drift from round to round; the exact reader is for constant ones"
    if config.get("levers", "same") != "same":
        return "levers of different sizes; the exact reader is for one grid of do-values"
    if config.get("confounders"):
        return "hidden confounders; the exact reader sees all variables"
    if config.get("weight_family", "normal") != "normal":
        return f"{config['weight_family']} weights; the exact reader is for normal weights"
    if config.get("graph", "uniform") != "uniform":
        return f"graph prior {config['graph']}; the exact reader is for uniform"
    return None


def bayes_posterior(config: Mapping[str, Any], size: int | None = None) -> SubsetPosterior:
    """The exact posterior of a `dag` world of this configuration; `bayes_supported` must be None.

    Args:
        config: fields of `seedo.worlds.DagConfig`.
        size: the number of (relevant) variables, if it is not that of the configuration.
    """
    size = size or config.get("relevant") or config["n"]
    noise, weight = float(config["noise_variance"]), float(config["weight_scale"]) ** 2
    scale = config.get("shock_scale", 1.0) if config.get("shocks") == "observed" else 1.0
    root = None if scale == 1 else noise * scale**2
    return SubsetPosterior(size, min(config["max_parents"], size - 1), noise, weight, root)


@partial(jax.jit, static_argnames="posterior")
def _effects(posterior: EffectsPosterior, rows: Rows, goal: jax.Array) -> jax.Array:
    return jax.vmap(posterior.effects)(rows, jnp.asarray(goal))


def _fill(array: np.ndarray, size: int) -> np.ndarray:
    """Repeats the first episode so that every chunk has one shape, hence one compilation."""
    missing = size - len(array)
    return np.concatenate([array, np.repeat(array[:1], missing, 0)]) if missing else array
