"""One compiled program that runs an experimenter on thousands of tasks of a world."""

from __future__ import annotations

import functools
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from seedo.experimenters import (
    Experimenter,
    Given,
    Stage,
    execute,
    first_observation,
    next_observation,
    references,
    set_stage,
)
from seedo.worlds import EXPLOIT, System, World, stream_key


class Rollout(NamedTuple):
    """Finished episodes; every field has a leading episode axis B."""

    target: Int[Array, "B S"]
    value: Float[Array, "B S"]
    outcome: Float[Array, "B S n"]
    goal: Int[Array, "B S"]
    relevant: Bool[Array, "B n"]
    log_probs: Float[Array, "B S A"] | None
    returns: Float[Array, " B"]
    oracle_return: Float[Array, " B"]
    random_return: Float[Array, " B"]
    system: System
    expected: Float[Array, "B n V n"] | Float[Array, "B R n V n"]  # of R rounds if it drifts


def play(world: World, experimenter: Experimenter, key: PRNGKeyArray) -> Rollout:
    """One episode; pure, so that it can be jitted and vmapped."""
    return _play_on(world, experimenter, set_stage(world, key))


def _play_on(world: World, experimenter: Experimenter, stage: Stage) -> Rollout:
    spec = world.spec
    init_key, act_key = jax.random.split(stage.player_key)
    known = stage.expected if experimenter.knows_system else None
    state = experimenter.init(spec, init_key, known)

    def step(carry, t):
        state, observation = carry
        action, state = experimenter.act(state, observation, jax.random.fold_in(act_key, t))
        target, value, outcome, worth = execute(world, stage, t, action)
        following = next_observation(world, stage, t, target, value, outcome)
        return (state, following), (target, value, outcome, worth, action.log_probs)

    first = jax.tree.map(
        lambda a, like: jnp.asarray(a, like.dtype),
        first_observation(world, stage),
        jax.eval_shape(
            lambda: next_observation(
                world, stage, 0, jnp.asarray(0), jnp.asarray(0.0), jnp.zeros(spec.n)
            )
        ),
    )
    _, (target, value, outcome, worth, log_probs) = jax.lax.scan(
        step, (state, first), jnp.arange(spec.steps)
    )
    oracle_return, random_return = references(world, stage)
    exploits = sum(p == EXPLOIT for p in spec.phases)
    return Rollout(
        target=target,
        value=value,
        outcome=outcome,
        goal=stage.goal,
        relevant=stage.relevant,
        log_probs=log_probs,
        returns=worth.sum() / exploits,
        oracle_return=oracle_return,
        random_return=random_return,
        system=stage.system,
        expected=stage.expected,
    )


def rollout(
    world: World, experimenter: Experimenter, seed: int, stream: str, indices: Int[Array, " B"]
) -> Rollout:
    """Episodes `indices` of a stream, in one compiled program.

    Networks of one shape share it: their weights are handed to it.
    """
    return _rollout(world, experimenter, stream_key(seed, stream), indices)


@eqx.filter_jit
def _rollout(
    world: World, experimenter: Experimenter, key: PRNGKeyArray, indices: Int[Array, " B"]
) -> Rollout:
    return jax.vmap(lambda i: play(world, experimenter, jax.random.fold_in(key, i)))(indices)


def set_stages(
    world: World, seed: int, stream: str, indices: Int[Array, " B"], given: Given | None = None
) -> Stage:
    """The stages that `rollout` sets, for several players to be put on: compiled once for all.

    With `given`, that system in all of them; the noise is that of each episode.
    """
    return _set_stages(world, stream_key(seed, stream), indices, given)


@functools.partial(jax.jit, static_argnums=0)
def _set_stages(
    world: World, key: PRNGKeyArray, indices: Int[Array, " B"], given: Given | None
) -> Stage:
    return jax.vmap(lambda i: set_stage(world, jax.random.fold_in(key, i), given))(indices)


@eqx.filter_jit
def rollout_on(world: World, experimenter: Experimenter, stages: Stage) -> Rollout:
    """What `rollout` plays, on stages that are set: worlds that differ only in what they draw
    share the program."""
    return jax.vmap(lambda stage: _play_on(world, experimenter, stage))(stages)
