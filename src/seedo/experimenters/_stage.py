"""One task, and what acting in it does: the same for whoever runs or trains a player."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from seedo.experimenters._protocol import Action, Observation
from seedo.worlds import EXPLOIT, System, World, legal_returns


class Given(NamedTuple):
    """A system to experiment on that is not drawn from the world, and its goal variable."""

    system: System
    goal: Int[Array, ""]


class Stage(NamedTuple):
    """What is fixed before the experimenter's first step."""

    system: System  # where it drifts: with its weights of the first round
    relevant: Bool[Array, " n"]
    goal: Int[Array, " S"]  # the goal variable at exploit steps, -1 elsewhere
    expected: Float[Array, "n V n"] | Float[Array, "R n V n"]  # of R rounds if it drifts
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
        task.system, task.relevant, goal, expectations(world, task.system), noise_key, player_key
    )


def expectations(world: World, system: System) -> Float[Array, "n V n"] | Float[Array, "R n V n"]:
    """E[x_j | do(x_i = v)], of every round if the world drifts and so does the system."""
    if not world.spec.rounds or system.second is None:
        return world.expected(system)
    numbers = jnp.arange(world.spec.rounds[-1] + 1)
    return jax.vmap(lambda r: world.expected(world.in_round(system, r)))(numbers)


def _at_step(world: World, stage: Stage, t: Int[Array, ""]) -> tuple[System, Float[Array, "n V n"]]:
    """The system as it is at step t, and its expectations."""
    if stage.system.second is None:
        return stage.system, stage.expected
    number = jnp.asarray(world.spec.rounds)[t]
    return world.in_round(stage.system, number), stage.expected[number]


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
    system, expected = _at_step(world, stage, t)
    outcome = world.outcome(system, target, value, jax.random.fold_in(stage.noise_key, t))
    worth = jnp.where(exploiting & (target >= 0), expected[target, index, goal], 0.0)
    return target, value, outcome, worth


def worths(world: World, stage: Stage, t: Int[Array, ""]) -> Float[Array, " A"]:
    """Expected goal value of every action if step t exploits; -inf of those that are refused."""
    goal = jnp.maximum(stage.goal[t], 0)
    return legal_returns(_at_step(world, stage, t)[1], goal, stage.relevant)


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

    def at(t):
        worth = worths(world, stage, t)
        legal = jnp.isfinite(worth)
        average = jnp.where(legal, worth, 0.0).sum() / jnp.maximum(legal.sum(), 1)
        return jnp.where(legal.any(), worth.max(), 0.0), average

    best, average = jax.vmap(at)(jnp.arange(len(phases)))
    exploiting = phases == EXPLOIT
    count = exploiting.sum()
    return (best * exploiting).sum() / count, (average * exploiting).sum() / count
