"""How much experiments tell about the graph: those that were made, against the best and any."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int
from numpy.typing import NDArray

from seedo.episodes import EXPLOIT, EXPLORE, EpisodeBatch
from seedo.inference.design import expected_information_gain
from seedo.inference.exact import SubsetPosterior, bayes_posterior, bayes_supported
from seedo.inference.scores import Moments, add_row, no_rows
from seedo.statistics import Estimate, clusters_of, mean, missing, ratios
from seedo.worlds import kind_of, stream_key

DRAWS = 1024
"""Outcomes behind each expected gain: fewer make the best one look better than it is."""
EPISODES = 256
"""The first of a run, which are read: the best experiment takes long to find."""

_AT_ONCE = 32

DEFINITIONS: dict[str, str] = {
    "bits": "bits about the graph that each step of the explore phase was expected to tell, given"
    " all that the episode had shown by then: mutual information of graph and outcome by the exact"
    " posterior of the Bayes reader (Lindley, 1956). A step on which nothing was set counts as the"
    " observation that it was.",
    "best bits": "the same of the experiment that was expected to tell most at that step.",
    "random bits": "the same, on average over all experiments that could be made.",
    "information ratio": "bits / best bits, in means: 1 chooses like `bayes:eig`.",
    "bits above random": "(bits - random bits) / (best bits - random bits), in means: 0 chooses"
    " like chance, 1 like `bayes:eig`.",
    "bits left": "entropy over graphs after the explore phase.",
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

    chosen: Float[Array, " T"]
    best: Float[Array, " T"]
    random: Float[Array, " T"]
    left: Float[Array, ""]


def information(batch: EpisodeBatch, episodes: int = EPISODES) -> Information:
    """What the experiments of a run were expected to tell; without a value where the graph has no
    exact posterior.

    Args:
        batch: of a world `dag`.
        episodes: at most so many are read, the first ones.
    """
    config = json.loads(batch.origin.world_config)
    if kind_of(batch.origin.world).family != "dag":
        return Information.unknown(f"world {batch.origin.world} has no posterior over graphs")
    if (reason := bayes_supported(config)) is not None:
        return Information.unknown(reason)
    if not (batch.phase == EXPLORE).any():
        return Information.unknown("no explore phase")
    count = min(batch.rows, episodes)
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
    columns = (np.concatenate(column)[:count] for column in zip(*parts, strict=True))
    chosen, best, random, left = columns
    return _estimates(chosen, best, random, left, batch, count)


def _estimates(
    chosen: NDArray[np.float32],
    best: NDArray[np.float32],
    random: NDArray[np.float32],
    left: NDArray[np.float32],
    batch: EpisodeBatch,
    count: int,
) -> Information:
    steps = (batch.phase[:count] == EXPLORE).sum(1)
    people = clusters_of(None if batch.participant is None else batch.participant[:count])
    own, top, chance = (a.astype(np.float64).sum(1) / steps for a in (chosen, best, random))
    of_best, above = ratios([own, own - chance], [top, top - chance], cluster=people)
    over = partial(mean, cluster=people)
    return Information(
        count, over(own), over(top), over(chance), of_best, above, over(left.astype(np.float64))
    )


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
            told = own, found[:-1].max(), found[:-1].mean()
            return add_row(moments, outcome[chosen], jnp.where(known, at, -1)), told

        moments, (own, best, random) = jax.lax.scan(
            step, no_rows(posterior.n), (outcome, target, exploring)
        )
        return _Told(own, best, random, posterior.entropy(moments))

    # One after the other: steps that are no exploring then cost nothing.
    return jax.lax.map(episode, (outcome, target, exploring, relevant))
