"""One compiled program that runs an experimenter on thousands of tasks of a world."""

from __future__ import annotations

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from understudy.experimenters import Action, Experimenter, Observation
from understudy.worlds import EXPLOIT, System, World, legal_returns, stream_key


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
    expected: Float[Array, "B n V n"]


class Given(NamedTuple):
    """A system to experiment on that is not drawn from the world, and its goal variable."""

    system: System
    goal: Int[Array, ""]


class Stage(NamedTuple):
    """What is fixed before the experimenter's first step."""

    system: System
    relevant: Bool[Array, " n"]
    goal: Int[Array, " S"]  # the goal variable at exploit steps, -1 elsewhere
    expected: Float[Array, "n V n"]
    noise_key: PRNGKeyArray
    player_key: PRNGKeyArray


def set_stage(world: World, key: PRNGKeyArray, given: Given | None = None) -> Stage:
    """Draw a task, or only the noise for a given one.

    System and noise depend on the key alone, never on who plays.
    """
    task_key, noise_key, player_key = jax.random.split(key, 3)
    phases = jnp.asarray(world.spec.phases)
    if given is not None:
        goal = jnp.where(phases == EXPLOIT, given.goal, -1)
        relevant = jnp.ones(world.spec.n, bool)
        expected = world.expected(given.system)
        return Stage(given.system, relevant, goal, expected, noise_key, player_key)
    task = world.sample(task_key)
    order = jnp.cumsum(phases == EXPLOIT) - 1
    goal = jnp.where(phases == EXPLOIT, task.goals[jnp.maximum(order, 0)], -1)
    return Stage(
        task.system, task.relevant, goal, world.expected(task.system), noise_key, player_key
    )


def first_observation(world: World, stage: Stage) -> Observation:
    spec = world.spec
    return Observation(
        phase=jnp.asarray(spec.phases[0]),
        steps_left=jnp.asarray(spec.steps),
        target=jnp.asarray(-1),
        value=jnp.asarray(0.0),
        outcome=jnp.full(spec.n, jnp.nan),
        relevant=stage.relevant,
        goal=stage.goal[0],
    )


def execute(
    world: World, stage: Stage, t: Int[Array, ""], action: Action
) -> tuple[Int[Array, ""], Float[Array, ""], Float[Array, " n"], Float[Array, ""]]:
    """Carry out an action at step t: (target, value, outcome, expected return).

    The value is moved to the nearest of the grid. An exploit step that sets nothing, or the goal
    itself, or an irrelevant variable, is refused: it becomes an observation and returns 0.
    """
    spec = world.spec
    values = jnp.asarray(spec.do_values)
    goal, n = stage.goal[t], spec.n
    index = jnp.argmin(jnp.abs(values - action.value))
    target = jnp.clip(action.target, -1, n - 1)
    exploiting = jnp.asarray(spec.phases)[t] == EXPLOIT
    allowed = (target >= 0) & (target != goal) & stage.relevant[target]
    target = jnp.where(exploiting & ~allowed, -1, target)
    value = jnp.where(target < 0, 0.0, values[index])
    outcome = world.outcome(stage.system, target, value, jax.random.fold_in(stage.noise_key, t))
    worth = jnp.where(exploiting & (target >= 0), stage.expected[target, index, goal], 0.0)
    return target, value, outcome, worth


def next_observation(world: World, stage: Stage, t, target, value, outcome) -> Observation:
    """What is seen before step t + 1."""
    spec = world.spec
    following = jnp.minimum(t + 1, spec.steps - 1)
    return Observation(
        phase=jnp.asarray(spec.phases)[following],
        steps_left=spec.steps - following,
        target=target,
        value=value,
        outcome=outcome,
        relevant=stage.relevant,
        goal=stage.goal[following],
    )


def references(world: World, stage: Stage) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Mean over exploit steps of the best and of the average legal action's expected return."""
    phases = jnp.asarray(world.spec.phases)

    def at(goal):
        worth = legal_returns(stage.expected, goal, stage.relevant)
        legal = jnp.isfinite(worth)
        average = jnp.where(legal, worth, 0.0).sum() / jnp.maximum(legal.sum(), 1)
        return jnp.where(legal.any(), worth.max(), 0.0), average

    best, average = jax.vmap(at)(jnp.maximum(stage.goal, 0))
    exploiting = phases == EXPLOIT
    count = exploiting.sum()
    return (best * exploiting).sum() / count, (average * exploiting).sum() / count


def play(world: World, experimenter: Experimenter, key: PRNGKeyArray) -> Rollout:
    """One episode; pure, so that it can be jitted and vmapped."""
    spec = world.spec
    stage = set_stage(world, key)
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
    """Episodes `indices` of a stream, in one compiled program."""
    return _rollout(world, experimenter, stream_key(seed, stream), indices)


@functools.partial(jax.jit, static_argnums=(0, 1))
def _rollout(
    world: World, experimenter: Experimenter, key: PRNGKeyArray, indices: Int[Array, " B"]
) -> Rollout:
    return jax.vmap(lambda i: play(world, experimenter, jax.random.fold_in(key, i)))(indices)
