"""Players of world `blicket`: the expert, the exact Bayesian, and two ways in which people test.

The Bayesian's beliefs are exact: a weight for each rule and set of blickets, 2^(n+1) in all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jax.scipy.special import xlogy
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from seedo.errors import UserError
from seedo.worlds.blicket import (
    BlicketConfig,
    BlicketSeen,
    BlicketTask,
    BlicketWorld,
    bit_set,
    blicket_prior,
    lights,
)

_NEAR = 1e-4  # bits, and probability: differences that rounding may reverse are none

Move = tuple[Int[Array, ""], Int[Array, ""]]
"""(target, value); see `BlicketWorld`."""


class BlicketPlayer(Protocol):
    """A pure player of blicket machines, for one episode; the runner vmaps and scans it.

    `act` gets the task only where `knows_system`, else None.
    """

    @property
    def name(self) -> str: ...
    @property
    def knows_system(self) -> bool: ...

    def init(self, world: BlicketWorld, key: PRNGKeyArray) -> Any: ...

    def act(
        self,
        world: BlicketWorld,
        task: BlicketTask | None,
        memory: Any,
        seen: BlicketSeen,
        key: PRNGKeyArray,
    ) -> tuple[Move, Any]: ...


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


class _Beliefs(NamedTuple):
    weights: Float[Array, "2 H"]
    visits: Int[Array, " H"]  # how often each set of objects has been on the machine


@dataclass(frozen=True)
class BlicketBayesian:
    """Experiments by the greatest expected information about rule and blickets.

    It answers by the exact posterior; or, where it `knows_system`, rightly. Of equally informative
    experiments it takes one towards the contents that the machine has held least often, then the
    first object: from an empty conjunctive machine no single object tells anything, and without
    this rule it would toggle the first object for ever.
    """

    name: str
    knows_system: bool = False

    def init(self, world: BlicketWorld, key: PRNGKeyArray) -> _Beliefs:
        weights = blicket_beliefs(world.settings)
        return _Beliefs(weights, jnp.zeros(weights.shape[1], jnp.int32))

    def act(self, world, task, memory, seen, key):
        config = world.settings
        here = bit_set(seen.on)
        weights = blicket_update(config, memory.weights, seen.on, seen.light)
        visits = memory.visits.at[here].add(1)
        gains = blicket_gains(config, weights, seen.on)
        there = here ^ jnp.append(1 << jnp.arange(config.n), 0)
        best = gains >= gains.max() - _NEAR
        chosen = jnp.argmin(jnp.where(best, visits[there], jnp.iinfo(jnp.int32).max))
        experiment = _toggle(chosen, seen)
        known = blicket_answers(config, weights) if task is None else task.blickets
        return _either(seen, experiment, known), _Beliefs(weights, visits)


@dataclass(frozen=True)
class Random:
    """Any toggle, or observing; any answer."""

    name: str = "random"
    knows_system: bool = False

    def init(self, world: BlicketWorld, key: PRNGKeyArray) -> None:
        return None

    def act(self, world, task, memory, seen, key):
        n = world.settings.n
        chosen = jax.random.randint(key, (), 0, n + 1)
        answers = jax.random.bernoulli(key, 0.5, (n,))
        return _either(seen, _toggle(chosen, seen), answers), memory


@dataclass(frozen=True)
class OneAtATime:
    """Toggles each object alone, then back, over and over; a blicket is what changed the light in
    most of its trials.

    From an empty machine it tests every object alone; that finds all blickets of a disjunctive
    machine and none of a conjunctive one.
    """

    name: str = "one-at-a-time"
    knows_system: bool = False

    def init(self, world: BlicketWorld, key: PRNGKeyArray) -> Int[Array, " n"]:
        return jnp.zeros(world.settings.n, jnp.int32)

    def act(self, world, task, memory, seen, key):
        n = world.settings.n
        # Dark where the machine starts empty, bright where full: noise aside, it is not news.
        changed = seen.light != int(world.settings.start == "full")
        tried = (seen.step - 1) // 2 % n
        trial = (seen.light >= 0) & (seen.step % 2 == 1)
        score = memory.at[tried].add(jnp.where(trial, jnp.where(changed, 1, -1), 0))
        experiment = _toggle(seen.step // 2 % n, seen)
        return _either(seen, experiment, score > 0), score


class _Changes(NamedTuple):
    light: Int[Array, ""]
    changed: Bool[Array, " n"]


@dataclass(frozen=True)
class Cumulative:
    """Puts on one object after another (from a full machine: removes them), then the reverse in the
    same order, over and over; a blicket is what ever changed the light as it was moved."""

    name: str = "cumulative"
    knows_system: bool = False

    def init(self, world: BlicketWorld, key: PRNGKeyArray) -> _Changes:
        full = world.settings.start == "full"
        return _Changes(jnp.int32(full), jnp.zeros(world.settings.n, bool))

    def act(self, world, task, memory, seen, key):
        n = world.settings.n
        news = (seen.light >= 0) & (seen.light != memory.light)
        changed = memory.changed | (news & (jnp.arange(n) == seen.target))
        light = jnp.where(seen.light >= 0, seen.light, memory.light)
        return _either(seen, _toggle(seen.step % n, seen), changed), _Changes(light, changed)


def _toggle(chosen: Int[Array, ""], seen: BlicketSeen) -> Move:
    """Put on or remove object `chosen`; n: observe."""
    n = seen.on.shape[0]
    value = jnp.where(chosen < n, ~seen.on[jnp.minimum(chosen, n - 1)], False)
    return jnp.where(chosen < n, chosen, -1).astype(jnp.int32), value.astype(jnp.int32)


def _either(seen: BlicketSeen, experiment: Move, answers: Bool[Array, " n"]) -> Move:
    """The experiment, or the answer where a question is asked."""
    asking = seen.asked >= 0
    answer = answers[jnp.maximum(seen.asked, 0)].astype(jnp.int32)
    target = jnp.where(asking, seen.asked, experiment[0]).astype(jnp.int32)
    return target, jnp.where(asking, answer, experiment[1])


_ALL: tuple[BlicketPlayer, ...] = (
    BlicketBayesian("expert", knows_system=True),
    Random(),
    OneAtATime(),
    Cumulative(),
)
_PLAYERS = {player.name: player for player in _ALL}
BLICKET_PLAYERS = tuple(_PLAYERS)
"""Names for `blicket_player`."""


def blicket_player(name: str) -> BlicketPlayer:
    """A scripted player by name; the expert experiments as `bayes:eig` does and answers rightly."""
    if name not in _PLAYERS:
        raise UserError("scripted", name, f"use one of {', '.join(BLICKET_PLAYERS)}")
    return _PLAYERS[name]


def blicket_bayesian(name: str) -> BlicketBayesian:
    """The exact Bayesian of blicket machines; `eig` is the only way to experiment."""
    if name != "eig":
        raise UserError("bayes", name, "in world blicket use eig")
    return BlicketBayesian("bayes:eig")
