"""Players of world `blicket`: the expert, the exact Bayesian, and two ways in which people test.

The Bayesian's beliefs are exact: a weight for each rule and set of blickets, 2^(n+1) in all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.special import xlogy
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from seedo.errors import UserError
from seedo.experimenters._protocol import Player
from seedo.worlds import Action, Observation, Spec
from seedo.worlds.blicket import (
    BlicketConfig,
    BlicketTask,
    BlicketWorld,
    bit_set,
    blicket_prior,
    lights,
)

_NEAR = 1e-4  # bits, and probability: differences that rounding may reverse are none

# -- exact beliefs --------------------------------------------------------------------------------


def blicket_beliefs(config: BlicketConfig) -> Float[Array, "2 H"]:
    """Beliefs before the first experiment; see `blicket_prior`."""
    return jnp.asarray(blicket_prior(config), jnp.float32)


def blicket_update(
    config: BlicketConfig,
    beliefs: Float[Array, "2 H"],
    on: Bool[Array, " n"],
    light: Int[Array, ""],
) -> Float[Array, "2 H"]:
    """Beliefs after the light (0 or 1) that objects `on` the machine gave; -1: nothing was seen."""
    told = lights(config.n, bit_set(on)) == (light == 1)
    weights = beliefs * jnp.where(told, 1.0 - config.flip, config.flip)
    return jnp.where(light < 0, beliefs, weights / weights.sum())


def blicket_gains(
    config: BlicketConfig, beliefs: Float[Array, "2 H"], on: Bool[Array, " n"]
) -> Float[Array, " n+1"]:
    """Expected information, in bits, about rule and blickets from toggling each object, and from
    only observing (last)."""
    there = bit_set(on) ^ jnp.append(1 << jnp.arange(config.n), 0)
    bright = jax.vmap(lambda contents: (beliefs * lights(config.n, contents)).sum())(there)
    shown = config.flip + (1 - 2 * config.flip) * bright
    return jnp.maximum(_entropy(shown) - _entropy(jnp.asarray(config.flip)), 0.0)


def blicket_probabilities(
    config: BlicketConfig, beliefs: Float[Array, "2 H"]
) -> Float[Array, " n"]:
    """Probability that each object is a blicket."""
    sets = jnp.arange(beliefs.shape[1])[:, None] >> jnp.arange(config.n) & 1
    return beliefs.sum(0) @ sets.astype(beliefs.dtype)


def blicket_answers(config: BlicketConfig, beliefs: Float[Array, "2 H"]) -> Bool[Array, " n"]:
    """The Bayes-optimal answers: yes where the probability is above 1/2."""
    return blicket_probabilities(config, beliefs) > 0.5 + _NEAR


def _entropy(p: Array) -> Array:
    """Bits of a coin."""
    q = jnp.clip(p, 0.0, 1.0)
    return -(xlogy(q, q) + xlogy(1 - q, 1 - q)) / jnp.log(2.0)


# -- players --------------------------------------------------------------------------------------


class _Seen(NamedTuple):
    """An observation in the words of this world."""

    on: Bool[Array, " n"]  # objects on the machine, as far as they can be seen
    light: Int[Array, ""]  # after the last experiment; -1: none, or that was seen before
    target: Int[Array, ""]  # object that the last step moved or answered about; -1: none
    step: Int[Array, ""]
    asked: Int[Array, ""]  # object that this step's question is about; -1: an experiment


def _read(config: BlicketConfig, seen: Observation) -> _Seen:
    light = seen.outcome[-1]
    return _Seen(
        on=seen.outcome[:-1] == 1,
        light=jnp.where(jnp.isnan(light), -1, light).astype(jnp.int32),
        target=seen.target,
        step=config.toggles + config.n - seen.steps_left,
        asked=seen.goal,
    )


class _Beliefs(NamedTuple):
    weights: Float[Array, "2 H"]
    visits: Int[Array, " H"]  # how often each set of objects has been on the machine
    blickets: Bool[Array, " n"] | None  # of those who know the system


@dataclass(frozen=True)
class BlicketBayesian(Player):
    """Experiments by the greatest expected information about rule and blickets.

    It answers by the exact posterior; or, where it `knows_system`, rightly. Of equally informative
    experiments it takes one towards the contents that the machine has held least often, then the
    first object: from an empty conjunctive machine no single object tells anything, and without
    this rule it would toggle the first object for ever.
    """

    name: str
    config: BlicketConfig
    knows_system: bool = False

    def begin(self, spec: Spec, key: PRNGKeyArray, privileged: BlicketTask | None) -> _Beliefs:
        weights = blicket_beliefs(self.config)
        known = None if privileged is None else privileged.blickets
        return _Beliefs(weights, jnp.zeros(weights.shape[1], jnp.int32), known)

    def act(self, memory, observation, key):
        config, seen = self.config, _read(self.config, observation)
        here = bit_set(seen.on)
        weights = blicket_update(config, memory.weights, seen.on, seen.light)
        visits = memory.visits.at[here].add(1)
        gains = blicket_gains(config, weights, seen.on)
        there = here ^ jnp.append(1 << jnp.arange(config.n), 0)
        best = gains >= gains.max() - _NEAR
        chosen = jnp.argmin(jnp.where(best, visits[there], jnp.iinfo(jnp.int32).max))
        known = memory.blickets
        answers = blicket_answers(config, weights) if known is None else known
        return _either(seen, chosen, answers), _Beliefs(weights, visits, known)


@dataclass(frozen=True)
class Random(Player):
    """Any toggle, or observing; any answer."""

    name: str
    config: BlicketConfig

    def begin(self, spec: Spec, key: PRNGKeyArray, privileged: None) -> None:
        return None

    def act(self, memory, observation, key):
        n = self.config.n
        chosen = jax.random.randint(key, (), 0, n + 1)
        answers = jax.random.bernoulli(key, 0.5, (n,))
        return _either(_read(self.config, observation), chosen, answers), memory


@dataclass(frozen=True)
class OneAtATime(Player):
    """Toggles each object alone, then back, over and over; a blicket is what changed the light in
    most of its trials.

    From an empty machine it tests every object alone; that finds all blickets of a disjunctive
    machine and none of a conjunctive one.
    """

    name: str
    config: BlicketConfig

    def begin(self, spec: Spec, key: PRNGKeyArray, privileged: None) -> Int[Array, " n"]:
        return jnp.zeros(self.config.n, jnp.int32)

    def act(self, memory, observation, key):
        n, seen = self.config.n, _read(self.config, observation)
        # Dark where the machine starts empty, bright where full: noise aside, it is not news.
        changed = seen.light != int(self.config.start == "full")
        tried = (seen.step - 1) // 2 % n
        trial = (seen.light >= 0) & (seen.step % 2 == 1)
        score = memory.at[tried].add(jnp.where(trial, jnp.where(changed, 1, -1), 0))
        return _either(seen, seen.step // 2 % n, score > 0), score


class _Changes(NamedTuple):
    light: Int[Array, ""]
    changed: Bool[Array, " n"]


@dataclass(frozen=True)
class Cumulative(Player):
    """Puts on one object after another (from a full machine: removes them), then the reverse in the
    same order, over and over; a blicket is what ever changed the light as it was moved."""

    name: str
    config: BlicketConfig

    def begin(self, spec: Spec, key: PRNGKeyArray, privileged: None) -> _Changes:
        full = self.config.start == "full"
        return _Changes(jnp.int32(full), jnp.zeros(self.config.n, bool))

    def act(self, memory, observation, key):
        n, seen = self.config.n, _read(self.config, observation)
        news = (seen.light >= 0) & (seen.light != memory.light)
        changed = memory.changed | (news & (jnp.arange(n) == seen.target))
        light = jnp.where(seen.light >= 0, seen.light, memory.light)
        return _either(seen, seen.step % n, changed), _Changes(light, changed)


def _either(seen: _Seen, chosen: Int[Array, ""], answers: Bool[Array, " n"]) -> Action:
    """Toggle object `chosen` (n: observe); or answer, where a question is asked."""
    n, asking = seen.on.shape[0], seen.asked >= 0
    put = (chosen < n) & ~seen.on[jnp.minimum(chosen, n - 1)]
    toggled = jnp.where(chosen < n, chosen, -1)
    answer = answers[jnp.maximum(seen.asked, 0)]
    return Action(
        jnp.where(asking, seen.asked, toggled).astype(jnp.int32),
        jnp.where(asking, answer, put).astype(jnp.float32),
    )


_PLAYERS: dict[str, Callable[[str, BlicketConfig], Player]] = {
    "expert": lambda name, config: BlicketBayesian(name, config, knows_system=True),
    "random": Random,
    "one-at-a-time": OneAtATime,
    "cumulative": Cumulative,
}
BLICKET_PLAYERS = tuple(_PLAYERS)
"""Names for `blicket_player`."""


def blicket_player(name: str, world: BlicketWorld) -> Player:
    """A scripted player by name; the expert experiments as `bayes:eig` does and answers rightly."""
    if name not in _PLAYERS:
        raise UserError("scripted", name, f"use one of {', '.join(BLICKET_PLAYERS)}")
    return _PLAYERS[name](name, world.settings)


def blicket_bayesian(name: str, world: BlicketWorld) -> BlicketBayesian:
    """The exact Bayesian of blicket machines; `eig` is the only way to experiment."""
    if name != "eig":
        raise UserError("bayes", name, "in world blicket use eig")
    return BlicketBayesian("bayes:eig", world.settings)
