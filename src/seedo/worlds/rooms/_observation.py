"""What is seen of a room, as numbers."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from seedo.worlds.rooms._config import RoomsConfig
from seedo.worlds.rooms._rules import RoomState, room, transforms
from seedo.worlds.rooms._task import RoomTask


class Symbolic(NamedTuple):
    """What is seen before an action. Object places are relative to the agent's."""

    objects: Int[Array, "4 4"]  # colour, shape, texture and position class of each object
    place: Int[Array, "4 2"]  # object row and column minus the agent's, -8..8
    agent: Int[Array, " 2"]  # row and column, 1..9
    trial: Int[Array, ""]
    exploit: Bool[Array, ""]  # this is the exploit trial of a meta-episode
    transforms: Bool[Array, ""]  # a transformation is allowed now
    previous: Int[Array, ""]  # the action before; -1: nothing
    reward: Float[Array, ""]  # of the step before: 1 for the odd one, in every trial
    chosen: Int[Array, ""]  # object chosen in this trial; -1 before
    left: Int[Array, ""]  # steps left in the trial; after a choice: of its verdict
    cue: Int[Array, ""]  # 0: none; 1 + the dimension that decides
    finished: Bool[Array, ""]


def observe(config: RoomsConfig, task: RoomTask, state: RoomState) -> Symbolic:
    """What is seen in this state."""
    now = room(task, state)
    meta = config.level == "meta"
    return Symbolic(
        objects=now.objects,
        place=now.cells - state.agent,
        agent=state.agent,
        trial=state.trial,
        exploit=jnp.asarray(meta) & (state.trial == config.trials - 1),
        transforms=transforms(config, state),
        previous=state.previous,
        reward=(state.reward > 0).astype(jnp.float32),
        chosen=state.chosen,
        left=state.left,
        cue=jnp.where(config.cue, task.concept + 1, 0).astype(jnp.int32),
        finished=state.finished,
    )
