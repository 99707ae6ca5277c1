"""The loop: anyone on any world.

Where world and player are pure, thousands of episodes are one compiled program; else each is played
step by step in Python (`_live`). Either way the same seed, stream and number give the same system
and the same noise, whoever plays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, PRNGKeyArray

from seedo.errors import UserError
from seedo.experimenters import Experimenter
from seedo.play._parts import in_parts
from seedo.worlds import Action, World, stream_key


class Setup(NamedTuple):
    """What is fixed before the first step of an episode."""

    task: Any
    noise_key: PRNGKeyArray
    player_key: PRNGKeyArray


class Refused(NamedTuple):
    """The first action of an episode that the world does not have, if there is any."""

    any: Any  # bool
    step: Any
    target: Any
    value: Any


def set_up(world: World, key: PRNGKeyArray, task: Any = None) -> Setup:
    """Draw a task, or only the noise for a given one.

    Task and noise depend on the key alone, never on who plays.
    """
    keys = jax.random.split(key, 3 if world.noisy else 2)
    drawn = world.sample(keys[0]) if task is None else task
    return Setup(drawn, keys[1] if world.noisy else keys[0], keys[-1])


def begin(world: World, player: Experimenter, setup: Setup) -> tuple[Any, PRNGKeyArray]:
    """The player's memory before the first step, and the key of its actions."""
    begin_key, act_key = jax.random.split(setup.player_key)
    known = world.privileged(setup.task) if player.knows_system else None
    return player.begin(world.spec, begin_key, known), act_key


class Step(NamedTuple):
    """A step that was taken."""

    action: Action
    legal: Any  # bool: there is such an action
    reward: Any
    over: Any  # bool: the episode is
    state: Any  # after it
    memory: Any  # the player's, after it


def take_step(
    world: World,
    player: Experimenter,
    task: Any,
    now: tuple[Any, Any],
    act_key: PRNGKeyArray,
    noise_key: PRNGKeyArray,
) -> Step:
    """One step from `now`, the world's state and the player's memory; the keys are the step's."""
    state, memory = now
    action, memory = player.act(memory, world.observe(task, state), act_key)
    legal = world.legal(task, state, action)
    after, reward, over = world.step(task, state, action, noise_key)
    return Step(action, legal, reward, over, after, memory)


def play(world: World, player: Experimenter, key: PRNGKeyArray) -> Any:
    """One episode, as the world's rollout; pure, so that it can be jitted and vmapped."""
    return _scan(world, player, set_up(world, key))[0]


def play_noting(
    world: World, player: Experimenter, setup: Setup, note: Callable[[Any], Any]
) -> tuple[Any, Any]:
    """One episode from a beginning that is set, and what `note` finds in the player's memory after
    every step, stacked [S, ...]."""
    rollout, _, notes = _scan(world, player, setup, note)
    return rollout, notes


def _nothing(memory: Any) -> None:
    return None


def _scan(
    world: World, player: Experimenter, setup: Setup, note: Callable[[Any], Any] = _nothing
) -> tuple[Any, Refused, Any]:
    task = setup.task
    memory, act_key = begin(world, player, setup)

    def step(carry: Any, t: Int[Array, ""]) -> Any:
        noise_key = noise_at(world, setup, t)
        done = take_step(world, player, task, carry, jax.random.fold_in(act_key, t), noise_key)
        row = world.row(task, carry[0], done.action, done.reward, done.state)
        chosen = (done.legal, done.action.target, done.action.value)
        return (done.state, done.memory), (row, chosen, note(done.memory))

    start = (world.reset(task, setup.noise_key), memory)
    _, (rows, chosen, notes) = jax.lax.scan(step, start, jnp.arange(world.spec.steps))
    legal, target, value = chosen
    first = jnp.argmin(legal)
    refused = Refused(~legal.all(), first, target[first], value[first])
    return world.rollout(task, rows), refused, notes


def noise_at(world: World, setup: Setup, t: Int[Array, ""] | int) -> PRNGKeyArray:
    """The key of the world's noise at step t."""
    return jax.random.fold_in(setup.noise_key, t) if world.noisy else setup.noise_key


def check_action(world: World, player: str, action: Action, legal: bool, step: int) -> None:
    """Raises UserError for an action that the world does not have, naming player and step."""
    if legal:
        return
    if world.spec.space is not None:
        _check_setting(world, player, action, step)
    values = ", ".join(f"{v:g}" for v in world.spec.do_values)
    raise UserError(
        f"player {player}, step {step}",
        f"Action({int(action.target)}, {float(action.value):g})",
        f"world {world.name} has targets -1 to {world.spec.n - 1} and values {values}",
    )


def _check_setting(world: World, player: str, action: Action, step: int) -> None:
    """Raises UserError for an action of a world with a space that it does not have."""
    space, owner = world.spec.space, f"player {player}, step {step}"
    assert space is not None
    if action.setting is None:
        remedy = f"world {world.name} has a space: give a setting, see `worlds.set_to`"
        raise UserError(owner, f"Action({int(action.target)}, {float(action.value):g})", remedy)
    setting = np.asarray(action.setting, np.float64)
    if setting.shape != (world.spec.n,) or not np.isnan(setting[space.size :]).all():
        remedy = f"a setting has {world.spec.n} numbers, NaN for what cannot be set"
        raise UserError(owner, setting.tolist(), remedy)
    try:
        space.check(setting[: space.size])
    except UserError as error:
        raise UserError(owner, None, str(error)) from error


@eqx.filter_jit
def _played(
    world: World, player: Experimenter, key: PRNGKeyArray, indices: Int[Array, " B"]
) -> tuple[Any, Refused]:
    return jax.vmap(lambda i: _scan(world, player, set_up(world, jax.random.fold_in(key, i)))[:2])(
        indices
    )


@eqx.filter_jit
def _played_on(world: World, player: Experimenter, setups: Setup) -> tuple[Any, Refused]:
    return jax.vmap(lambda setup: _scan(world, player, setup)[:2])(setups)


@eqx.filter_jit
def set_ups(world: World, key: PRNGKeyArray, indices: Int[Array, " B"], task: Any = None) -> Setup:
    """The beginnings of episodes, for several players to be put to: compiled once for all.

    With `task`, that one in all of them; the noise is that of each episode.
    """
    return jax.vmap(lambda i: set_up(world, jax.random.fold_in(key, i), task))(indices)


def rollout_on(world: World, player: Experimenter, setups: Setup) -> Any:
    """What `rollout` plays, from beginnings that are set: worlds that differ only in what they draw
    share the program.

    Raises:
        UserError: the player chose an action that the world does not have.
    """
    return _legal(world, player, *_played_on(world, player, setups))


def rollout(
    world: World,
    player: Experimenter,
    seed: int,
    stream: str,
    indices: Int[Array, " B"],
    rules: World | None = None,
) -> Any:
    """Episodes `indices` of a stream, in one compiled program.

    Networks of one shape share it: their weights are handed to it.

    Args:
        rules: a world that this one differs from only in what is drawn before the first step.
            What is played is then compiled for that world, once for all that have its rules, and
            only the drawing for this one: same systems and noise, up to rounding.

    Raises:
        UserError: the player chose an action that the world does not have; `rules` has other
            variables, values or phases.
    """
    key = stream_key(seed, stream)
    if rules is None:
        return _legal(world, player, *_played(world, player, key, indices))
    if rules.spec != world.spec:
        raise UserError("rules", rules.name, "use a world of the same variables, values and phases")
    return rollout_on(rules, player, set_ups(world, key, indices))


def _legal(world: World, player: Experimenter, played: Any, refused: Refused) -> Any:
    """What was played, if the world has all actions that were chosen."""
    if (wrong := np.flatnonzero(refused.any)).size:
        first = jax.tree.map(lambda a: np.asarray(a)[wrong[0]], refused)
        action = Action(first.target, first.value)
        check_action(world, player.name, action, False, int(first.step))
    return played


def simulate(
    world: World,
    player: Experimenter,
    seed: int,
    stream: str,
    start: int,
    count: int,
    rules: World | None = None,
) -> Any:
    """Episodes start..start+count-1 of a stream, as the world's rollout in NumPy arrays.

    They are played in chunks of one fixed size, so that a world and a player are compiled once
    whatever the number of episodes; the chunks after the first on all processor cores. Neither may
    be plain Python (`host`): `played_by` plays those. `rules`: see `rollout`.

    Raises:
        UserError: the player chose an action that the world does not have.
    """
    most = player.episodes_at_once or world.at_once
    return in_parts(
        lambda index: rollout(world, player, seed, stream, index, rules), start, count, most
    )
