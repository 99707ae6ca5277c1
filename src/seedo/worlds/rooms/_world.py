"""World `rooms`: its parts behind one face."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, UInt8

from seedo.worlds.rooms._config import RoomsConfig, configure
from seedo.worlds.rooms._expert import expert
from seedo.worlds.rooms._explain import explain
from seedo.worlds.rooms._observation import Symbolic, observe
from seedo.worlds.rooms._pixels import pixels
from seedo.worlds.rooms._rules import RoomState, reset, room, step
from seedo.worlds.rooms._task import RoomTask, sample_task


class RoomsWorld:
    """Odd-one-out rooms; see `RoomsConfig`. Methods are pure JAX for one episode."""

    name = "rooms"

    family = "rooms"
    host = False
    players: ClassVar[dict] = {}
    explanations = ("words", "none")

    @classmethod
    def make(cls, preset, split, **options):
        return cls(configure(preset or "default", split, **options))

    @classmethod
    def from_config(cls, config):
        return cls(RoomsConfig.from_dict(config))

    def __init__(self, config: RoomsConfig) -> None:
        self.settings = config
        self.horizon = config.horizon

    def __eq__(self, other: object) -> bool:
        """Worlds of the same settings are one: programs compiled for the one serve the other."""
        return isinstance(other, RoomsWorld) and self.settings == other.settings

    def __hash__(self) -> int:
        return hash(self.settings)

    @property
    def split(self) -> str:
        return self.settings.split

    def config(self) -> dict[str, Any]:
        return self.settings.to_dict()

    def sample(self, key: PRNGKeyArray) -> RoomTask:
        """All trials of an episode."""
        return sample_task(self.settings, key)

    def reset(self, task: RoomTask) -> RoomState:
        """The first state of an episode."""
        return reset(self.settings, task)

    def step(
        self, task: RoomTask, state: RoomState, action: Int[Array, ""]
    ) -> tuple[RoomState, Float[Array, ""]]:
        """The state after an action (int32, -1..10) and its reward; after the end nothing
        happens."""
        return step(self.settings, task, state, action)

    def observe(self, task: RoomTask, state: RoomState) -> Symbolic:
        """What is seen, as numbers."""
        return observe(self.settings, task, state)

    def pixels(self, task: RoomTask, state: RoomState) -> UInt8[Array, "99 99 3"]:
        """What is seen, as pixels, red, green and blue; see `_pixels.py`."""
        now = room(task, state)
        return pixels(now.objects, now.cells, state.agent)

    def explain(self, task: RoomTask, state: RoomState) -> Int[Array, " L"]:
        """Tokens of what is said now, 0 after the last word."""
        return explain(self.settings, task, state)

    def expert(
        self,
        task: RoomTask,
        state: RoomState,
        dimension: Int[Array, ""] | int,
        key: PRNGKeyArray,
    ) -> Int[Array, ""]:
        """The expert's action as if `dimension` decided; -1: by what the rewards so far allow."""
        left = (state.consistent >> jnp.arange(4)) & 1 == 1
        possible = jnp.where(jnp.asarray(dimension) < 0, left, jnp.arange(4) == dimension)
        return expert(self.observe(task, state), possible, key)
