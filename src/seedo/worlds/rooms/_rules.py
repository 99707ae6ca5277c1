"""The rules of world `rooms`: what an action does."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from seedo.worlds.rooms._attributes import COLOUR, SHAPE, TEXTURE
from seedo.worlds.rooms._config import RoomsConfig
from seedo.worlds.rooms._task import RoomTask

NOTHING = -1
"""The action of staying where one is."""
ACTIONS = (
    "north",
    "north-east",
    "east",
    "south-east",
    "south",
    "south-west",
    "west",
    "north-west",
    "transform colour",
    "transform texture",
    "transform shape",
)
"""Names of the actions: eight moves, then three transformations."""
MOVES = np.array([(-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1)], np.int32)
"""Row and column steps of actions 0..7."""
FIRST_TRANSFORM = len(MOVES)
"""Number of the first action that transforms an object."""
TRANSFORMED = (COLOUR, TEXTURE, SHAPE)
"""The dimensions that actions 8, 9 and 10 transform."""

_WHOLE = 1e-6


def action_setting(number: Int[Array, ""]) -> tuple[Int[Array, ""], Float[Array, ""]]:
    """(target, value) of the action of a number, as in the log; nothing is (-1, 0)."""
    moves = number < FIRST_TRANSFORM
    target = jnp.where(moves, jnp.minimum(number, 0), number - FIRST_TRANSFORM + 1)
    value = jnp.where(moves, jnp.maximum(number, 0), 1)
    return target.astype(jnp.int32), value.astype(jnp.float32)


def action_number(target: Int[Array, ""], value: Float[Array, ""]) -> Int[Array, ""]:
    """The number of an action, int32; -1 where there is no such action. The inverse of
    `action_setting`."""
    direction = jnp.round(value)
    moves = (target == 0) & (direction >= 0) & (direction < FIRST_TRANSFORM)
    moves &= jnp.abs(value - direction) < _WHOLE
    changes = (target > 0) & (target <= len(TRANSFORMED)) & (jnp.abs(value - 1) < _WHOLE)
    changed = jnp.where(changes, target + FIRST_TRANSFORM - 1, NOTHING)
    return jnp.where(moves, direction, changed).astype(jnp.int32)


# What became of the last action, if it was a transformation.
NO_EFFECT, CHANGED, NOTHING_NEAR, NOT_ALLOWED = range(4)


class RoomState(NamedTuple):
    """Where an episode stands."""

    agent: Int[Array, " 2"]  # row and column, 1..9
    trial: Int[Array, ""]  # stays at the last one after the end
    left: Int[Array, ""]  # steps left: before a choice until the limit, then of lingering
    chosen: Int[Array, ""]  # object chosen in this trial; -1 before
    changed: Int[Array, ""]  # object transformed in this trial; -1: none
    along: Int[Array, ""]  # dimension of that transformation; -1: none
    effect: Int[Array, ""]  # of the last action: NO_EFFECT, CHANGED, NOTHING_NEAR or NOT_ALLOWED
    previous: Int[Array, ""]  # last action; -1: nothing
    reward: Float[Array, ""]  # of the last step
    consistent: Int[Array, ""]  # bit d: concept d explains all rewards so far
    finished: Bool[Array, ""]


class Room(NamedTuple):
    """What is in the room now."""

    objects: Int[Array, "4 4"]  # colour, shape, texture and position class of each object
    cells: Int[Array, "4 2"]  # row and column of each object


def reset(config: RoomsConfig, task: RoomTask) -> RoomState:
    """The first state of an episode."""
    nothing, zero = jnp.asarray(NOTHING, jnp.int32), jnp.zeros((), jnp.int32)
    if config.cue:
        consistent = 1 << task.concept
    else:
        consistent = jnp.asarray(15 if config.level == "basic" else 7, jnp.int32)
    return RoomState(
        agent=task.start[0],
        trial=zero,
        left=jnp.asarray(config.limit, jnp.int32),
        chosen=nothing,
        changed=nothing,
        along=nothing,
        effect=zero,
        previous=nothing,
        reward=jnp.zeros(()),
        consistent=consistent,
        finished=jnp.asarray(False),
    )


def room(task: RoomTask, state: RoomState) -> Room:
    """The room of the current trial, transformations included."""
    each = jnp.arange(4)
    masks = task.second[state.trial]
    masks = masks ^ jnp.where(jnp.arange(3) == state.along, 1 << jnp.maximum(state.changed, 0), 0)
    values = task.values[state.trial]
    looks = jnp.where((masks >> each[:, None]) & 1, values[:, 1], values[:, 0])
    classes = task.classes[state.trial]
    return Room(jnp.concatenate([looks, classes[:, None]], axis=1), task.cells[state.trial])


def alike(objects: Int[Array, "4 4"]) -> Int[Array, "4 4"]:
    """How many objects share each value of each object, itself included: [object, dimension]."""
    return (objects[:, None] == objects).sum(axis=1, dtype=jnp.int32)


def touched(cells: Int[Array, "4 2"], agent: Int[Array, " 2"]) -> Bool[Array, " 4"]:
    """Which object the agent touches (a king's move away, or under it): at most one."""
    return jnp.abs(cells - agent).max(axis=-1) <= 1


def transforms(config: RoomsConfig, state: RoomState) -> Bool[Array, ""]:
    """Whether a transformation is allowed now."""
    experiment = state.trial < config.trials - 1
    return experiment & (state.chosen < 0) & (state.changed < 0) & ~state.finished


def step(
    config: RoomsConfig, task: RoomTask, state: RoomState, action: Int[Array, ""]
) -> tuple[RoomState, Float[Array, ""]]:
    """The state after an action (-1..10) and its reward. After the end nothing happens."""
    now = room(task, state)
    acting = ~state.finished & (state.chosen < 0)

    moving = acting & (action >= 0) & (action < FIRST_TRANSFORM)
    direction = jnp.asarray(MOVES)[jnp.clip(action, 0, FIRST_TRANSFORM - 1)]
    to = state.agent + jnp.where(moving, direction, 0)
    inside = ((to >= 1) & (to <= 9)).all()
    agent = jnp.where(inside, to, state.agent)

    asked = acting & (action >= FIRST_TRANSFORM)
    near = touched(now.cells, agent)
    allowed = transforms(config, state)
    changing = asked & allowed & near.any()
    changed = jnp.where(changing, jnp.argmax(near), state.changed)
    dimension = jnp.asarray(TRANSFORMED)[jnp.clip(action - FIRST_TRANSFORM, 0, 2)]
    along = jnp.where(changing, dimension, state.along)
    failed = jnp.where(allowed, NOTHING_NEAR, NOT_ALLOWED)
    effect = jnp.where(asked, jnp.where(changing, CHANGED, failed), NO_EFFECT)

    on = (now.cells == agent).all(axis=-1)
    choosing = moving & on.any()
    chosen = jnp.where(choosing, jnp.argmax(on), state.chosen)
    unique = alike(now.objects)[jnp.maximum(chosen, 0)] == 1
    right = choosing & unique[task.concept]
    exploiting = (state.trial == config.trials - 1) & (config.level == "meta")
    worth = jnp.where(exploiting, config.exploit_reward, 1.0)
    reward = jnp.where(right, worth, 0.0)
    explains = (unique == right) << jnp.arange(4)
    explains = explains[0] | explains[1] | explains[2] | explains[3]
    consistent = jnp.where(choosing, state.consistent & explains, state.consistent)

    left = jnp.where(state.finished, state.left, state.left - 1)
    over = ~state.finished & ~choosing & (left == 0)
    last = over & (state.trial == config.trials - 1)
    onward = over & ~last
    trial = state.trial + onward
    left = jnp.where(choosing, config.linger, jnp.where(onward, config.limit, left))
    after = RoomState(
        agent=jnp.where(onward, task.start[trial], agent),
        trial=trial,
        left=left,
        chosen=jnp.where(onward, -1, chosen),
        changed=jnp.where(onward, -1, changed),
        along=jnp.where(onward, -1, along),
        effect=jnp.where(over, NO_EFFECT, effect),
        previous=jnp.where(state.finished, NOTHING, action),
        reward=reward,
        consistent=consistent,
        finished=state.finished | last,
    )
    return after, reward


def uniquely(objects: Int[Array, "4 4"]) -> Bool[Array, "4 4"]:
    """Which object is the odd one out along which dimension: [object, dimension]."""
    return alike(objects) == 1
