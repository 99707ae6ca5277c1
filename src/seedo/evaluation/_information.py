"""How much experiments tell: those that were made, against the best and any."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int
from numpy.typing import NDArray

from seedo.episodes import EXPLOIT, EXPLORE, EpisodeBatch
from seedo.errors import UserError
from seedo.evaluation._blicket import read_blicket
from seedo.inference.design import expected_information_gain
from seedo.inference.exact import SubsetPosterior, bayes_posterior, bayes_supported
from seedo.inference.scores import Moments, add_row, no_rows
from seedo.statistics import Cluster, Estimate, clusters_of, mean, missing, ratios
from seedo.worlds import kind_of, stream_key

DRAWS = 1024
"""Outcomes behind each expected gain: fewer make the best one look better than it is."""
EPISODES = 256
"""The first of a run, which are read: the best experiment takes long to find."""

_AT_ONCE = 32

DEFINITIONS: dict[str, str] = {
    "bits": "bits about the graph (blicket machines: about rule and blickets) that each step of the"
    " explore phase was expected to tell, given all that the episode had shown by then: mutual"
    " information of graph and outcome by the exact posterior of the Bayes reader (Lindley, 1956)."
    " A step on which nothing was set counts as the observation that it was, one that passed after"
    " malformed replies as nothing.",
    "best bits": "the same of the experiment that was expected to tell most at that step.",
    "random bits": "the same, on average over all experiments that could be made.",
    "information ratio": "bits / best bits, in means: 1 chooses like `bayes:eig`.",
    "bits above random": "(bits - random bits) / (best bits - random bits), in means: 0 chooses"
    " like chance, 1 like `bayes:eig`.",
    "bits left": "entropy of that posterior after the explore phase.",
}


@dataclass(frozen=True)
class Information:
    """Of one run; see `DEFINITIONS`. `episodes` were read."""

    episodes: int
    bits: Estimate
    best_bits: Estimate
    random_bits: Estimate
    information_ratio: Estimate
    bits_above_random: Estimate
    bits_left: Estimate

    @classmethod
    def unknown(cls, reason: str) -> Information:
        """Nothing, and why."""
        return cls(0, *[missing(reason)] * 6)


class _Told(NamedTuple):
    """Of one episode; 0 at steps that are no exploring."""

    chosen: Any  # [T]
    best: Any  # [T]
    random: Any  # [T]
    left: Any  # []


class Bits(NamedTuple):
    """Of B episodes, float64[B]: bits a step of the explore phase; see `DEFINITIONS`."""

    chosen: NDArray[np.float64]
    best: NDArray[np.float64]
    random: NDArray[np.float64]
    left: NDArray[np.float64]


def information(batch: EpisodeBatch, episodes: int = EPISODES) -> Information:
    """What the experiments of a run were expected to tell; without a value where the world has no
    exact posterior.

    Args:
        batch: of a world `dag` or `blicket`.
        episodes: at most so many are read, the first ones.
    """
    told = bits_of_episodes(batch, episodes)
    if isinstance(told, str):
        return Information.unknown(told)
    return estimates(told, clusters_of(batch.participant))


def estimates(told: Bits, people: Cluster | None) -> Information:
    """The means over episodes; `people`: whose the episodes of the whole log are."""
    count = len(told.left)
    people = None if people is None else people[:count]
    own, top, chance, left = told
    of_best, above = ratios([own, own - chance], [top, top - chance], cluster=people)
    over = partial(mean, cluster=people)
    return Information(count, over(own), over(top), over(chance), of_best, above, over(left))


def bits_of_episodes(batch: EpisodeBatch, episodes: int = EPISODES) -> Bits | str:
    """The first episodes of a run one by one, see `information`; or why it is unknown."""
    if not (batch.phase == EXPLORE).any():
        return "no explore phase"
    batch = batch.take(slice(0, min(batch.rows, episodes)))
    family = kind_of(batch.origin.world).family
    if family == "blicket":
        told = _of_machines(batch)
    elif family == "dag":
        told = _of_graphs(batch)
    else:
        return f"world {batch.origin.world} has no exact posterior"
    if isinstance(told, str):
        return told
    steps = (batch.phase == EXPLORE).sum(1)
    chosen, best, random, left = (np.asarray(column, np.float64) for column in told)
    return Bits(chosen.sum(1) / steps, best.sum(1) / steps, random.sum(1) / steps, left)


def _of_machines(batch: EpisodeBatch) -> _Told | str:
    try:
        found = read_blicket(batch)
    except UserError as error:
        return str(error)
    return _Told(found.expected, found.greedy, found.chance, found.entropy[:, -1])


def _of_graphs(batch: EpisodeBatch) -> _Told | str:
    config = json.loads(batch.origin.world_config)
    if (reason := bayes_supported(config)) is not None:
        return reason
    count = batch.rows
    posterior = bayes_posterior(config, int(batch.mask[0].sum()))
    values = tuple(float(value) for value in config["do_values"])
    # What followed an answer is no part of what was explored.
    outcome = np.where((batch.phase == EXPLOIT)[:, :, None], np.nan, batch.outcome)
    parts = []
    for start in range(0, count, _AT_ONCE):
        at = np.minimum(np.arange(start, start + _AT_ONCE), count - 1)  # all of one shape
        told = _read(
            posterior,
            values,
            jnp.asarray(outcome[at]),
            jnp.asarray(batch.target[at], jnp.int32),
            jnp.asarray(batch.phase[at] == EXPLORE),
            jnp.asarray(batch.mask[at]),
        )
        parts.append(told)
    return _Told(*(np.concatenate(column)[:count] for column in zip(*parts, strict=True)))


@partial(jax.jit, static_argnums=(0, 1))
def _read(
    posterior: SubsetPosterior,
    do_values: tuple[float, ...],
    outcome: Float[Array, "B T n"],
    target: Int[Array, "B T"],
    exploring: Bool[Array, "B T"],
    relevant: Bool[Array, "B n"],
) -> _Told:
    key = stream_key(0, "information")
    targets = (*range(posterior.n), -1)

    def gains(moments: Moments) -> Float[Array, " k+1"]:
        # It does not depend on the sign of what is set, but on its size.
        found = expected_information_gain(posterior, moments, do_values, key, DRAWS, targets)
        return jnp.maximum(found, 0.0)

    def episode(seen) -> _Told:
        outcome, target, exploring, relevant = seen
        chosen = jnp.argsort(~relevant, stable=True)[: posterior.n]

        def step(moments: Moments, now):
            outcome, target, exploring = now
            found = jax.lax.cond(
                exploring, gains, lambda _: jnp.zeros((len(targets), len(do_values))), moments
            )
            at = jnp.where(target >= 0, jnp.argmax(chosen == target), -1)
            known = (target < 0) | (chosen == target).any()
            own = jnp.where(known, found[at].mean(), found[-1].mean())
            own = jnp.where(jnp.isnan(outcome[chosen]).any(), 0.0, own)  # it has shown nothing
            told = own, found[:-1].max(), found[:-1].mean()
            return add_row(moments, outcome[chosen], jnp.where(known, at, -1)), told

        moments, (own, best, random) = jax.lax.scan(
            step, no_rows(posterior.n), (outcome, target, exploring)
        )
        return _Told(own, best, random, posterior.entropy(moments))

    # One after the other: steps that are no exploring then cost nothing.
    return jax.lax.map(episode, (outcome, target, exploring, relevant))
