"""What each strategy of exploring would test next, given the explorer's own history."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray
from numpy.typing import NDArray

from seedo.episodes import EXPLOIT, EXPLORE, EpisodeBatch
from seedo.inference.binary import reachable
from seedo.inference.design import expected_information_gain
from seedo.inference.exact import ExactPosterior, SubsetPosterior, bayes_posterior, bayes_supported
from seedo.inference.scores import Moments, add_row, no_rows
from seedo.worlds import kind_of, stream_key

RANDOM = "random"
"""Name of the strategy of whoever takes anything."""
EXPLORERS = (RANDOM, "in turn", "positive test", "largest effect", "information")
"""Strategies of exploring, by name; see `explorer_scores`."""

_MOST_LISTED = 5  # variables of which every graph is listed
_TIE = 1e-5  # relative: rounding
_NEAR = 0.1  # relative, of information: two equal ones differ by up to so much in these draws
_DRAWS = 1024
_AT_ONCE = 32


@dataclass(frozen=True, eq=False)
class Choices:
    """D choices among A things, and which of them each strategy would take.

    Attributes:
        episode: int64[D], row of the batch.
        could: bool[D, A].
        chosen: int64[D], one of those that could be.
        best: for each strategy bool[D, A]; several are as good, and taken at random.
        missing: for each strategy that could not be had, why.
    """

    episode: NDArray[np.int64]
    could: NDArray[np.bool_]
    chosen: NDArray[np.int64]
    best: dict[str, NDArray[np.bool_]]
    missing: dict[str, str] = field(default_factory=dict)


def explored(batch: EpisodeBatch) -> Choices | str:
    """Every experiment of a log of world `dag`: which relevant variable was set, or none (what it
    was set to does not count); or why nobody can tell what else would have been."""
    reader = _READ.get(kind_of(batch.origin.world).family)
    if reader is None:
        return f"strategies of exploring are known for {', '.join(_READ)}, not {batch.origin.world}"
    if not (batch.phase == EXPLORE).any():
        return "no explore phase"
    return reader(batch)


def _of_graphs(batch: EpisodeBatch) -> Choices | str:
    config = json.loads(batch.origin.world_config)
    if (reason := bayes_supported(config)) is not None:
        return reason
    relevant = int(batch.mask[0].sum())
    posterior = bayes_posterior(config, relevant)
    values = tuple(float(value) for value in config["do_values"])
    listed = _listed(posterior)
    missing = {} if listed else {"positive test": f"every graph is weighed: up to {_MOST_LISTED} "
                                                  "variables, and one size of noise"}  # fmt: skip
    exploring = batch.phase == EXPLORE
    # What followed an answer is no part of what was explored.
    outcome = np.where((batch.phase == EXPLOIT)[:, :, None], np.nan, batch.outcome)
    parts = []
    for start in range(0, batch.rows, _AT_ONCE):
        at = np.minimum(np.arange(start, start + _AT_ONCE), batch.rows - 1)  # all of one shape
        found = _read(
            posterior, values, jnp.asarray(outcome[at]),
            jnp.asarray(batch.target[at], jnp.int32), jnp.asarray(exploring[at]),
            jnp.asarray(batch.mask[at]),
        )  # fmt: skip
        parts.append(jax.tree.map(np.asarray, found))
    marks, chosen = jax.tree.map(lambda *each: np.concatenate(each)[: batch.rows], *parts)
    episode, step = np.nonzero(exploring & (chosen >= 0))
    best = {name: marks[name][episode, step] for name in EXPLORERS if name in marks}
    could = np.ones((len(episode), relevant), np.bool_)
    return Choices(episode, could, chosen[episode, step].astype(np.int64), best, missing)


_READ = {"dag": _of_graphs}
"""By family of worlds."""


def _listed(posterior: SubsetPosterior) -> ExactPosterior | None:
    """The same beliefs, graph by graph, where these are few."""
    if posterior.n > _MOST_LISTED or posterior.root_variance is not None:
        return None
    return ExactPosterior(
        posterior.n, posterior.max_parents, posterior.noise_variance, posterior.weight_variance
    )


def explorer_scores(
    posterior: SubsetPosterior,
    do_values: tuple[float, ...],
    moments: Moments,
    tried: Int[Array, " k"],
    key: PRNGKeyArray,
) -> dict[str, Float[Array, " k"]]:
    """How much each of `EXPLORERS` likes to set each variable. Pure; may be jitted.

    *in turn*: what was set least often; *positive test*: the largest share of a graph's links that
    would carry the change, each graph weighed by how likely it is beside the likeliest (Coenen,
    Rehder & Gureckis 2015; up to five variables); *largest effect*: the sum of the sizes of the
    expected effects on all others; *information*: expected bits about the graph, from
    draws.

    Args:
        posterior: beliefs of whoever explores, over the k variables that count.
        do_values: what an experiment may set.
        moments: of the rows seen.
        tried: how often each variable was set.
        key: of the draws behind information.
    """
    k = posterior.n
    bits = expected_information_gain(posterior, moments, do_values, key, _DRAWS)
    effect = jnp.abs(posterior.effect_matrix(moments)) * (1 - jnp.eye(k))
    found = {
        RANDOM: jnp.zeros(k),
        "in turn": -tried.astype(float),
        "largest effect": effect.sum(axis=1),
        "information": jnp.maximum(bits.mean(axis=1), 0.0),
    }
    if (listed := _listed(posterior)) is not None:
        log = listed.log_probs(moments)
        weight = jnp.exp(log - log.max())
        found["positive test"] = (weight * _carried(listed)).max(axis=1)
    return found


def _carried(listed: ExactPosterior) -> NDArray[np.float32]:
    """float32[k, K]: share of a graph's links that start at a variable or at what it reaches."""
    graphs = listed.dags.astype(bool)
    reached = reachable(graphs) | np.eye(listed.n, dtype=bool)
    own = np.einsum("gij,gj->ig", reached, graphs.sum(axis=2))
    return (own / np.maximum(graphs.sum(axis=(1, 2)), 1)).astype(np.float32)


def taken(scores: dict[str, Float[Array, " A"]]) -> dict[str, Bool[Array, " A"]]:
    """Which things each of `explorer_scores` would take: the best, and what rounding, or the draws
    behind information, cannot tell from it."""
    found = {}
    for name, score in scores.items():
        top = score.max()
        slack = _NEAR * top if name == "information" else _TIE * jnp.maximum(jnp.abs(top), 1e-2)
        found[name] = score >= top - slack
    return found


@partial(jax.jit, static_argnums=(0, 1))
def _read(
    posterior: SubsetPosterior,
    do_values: tuple[float, ...],
    outcome: Float[Array, "B T n"],
    target: Int[Array, "B T"],
    exploring: Bool[Array, "B T"],
    relevant: Bool[Array, "B n"],
) -> tuple[dict[str, Bool[Array, "B T k"]], Int[Array, "B T"]]:
    key, k = stream_key(0, "exploring"), posterior.n

    def marks(moments: Moments, tried: Int[Array, " k"]) -> dict[str, Bool[Array, " k"]]:
        return taken(explorer_scores(posterior, do_values, moments, tried, key))

    def episode(seen):
        outcome, target, exploring, relevant = seen
        chosen = jnp.argsort(~relevant, stable=True)[:k]
        shapes = jax.eval_shape(marks, no_rows(k), jnp.zeros(k, jnp.int32))
        nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)

        def step(carry, now):
            moments, tried = carry
            outcome, target, exploring = now
            found = jax.lax.cond(exploring, marks, lambda *_: nothing, moments, tried)
            at = jnp.where((chosen == target).any(), jnp.argmax(chosen == target), -1)
            moments = add_row(moments, outcome[chosen], at)
            return (moments, tried + ((jnp.arange(k) == at) & exploring)), (found, at)

        start = no_rows(k), jnp.zeros(k, jnp.int32)
        return jax.lax.scan(step, start, (outcome, target, exploring))[1]

    # One after the other: steps that are no exploring then cost nothing.
    return jax.lax.map(episode, (outcome, target, exploring, relevant))
