"""World `rooms`: its parts behind the protocol of all worlds."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, UInt8
from numpy.typing import NDArray

from seedo.episodes import EpisodeBatch, Origin
from seedo.worlds._spec import EXPLOIT, EXPLORE, Spec
from seedo.worlds._world import Action, References, World
from seedo.worlds.rooms._config import PRESETS, SPLITS, RoomsConfig, configure
from seedo.worlds.rooms._expert import expert
from seedo.worlds.rooms._explain import explain, words
from seedo.worlds.rooms._log import VARIABLES, room_log
from seedo.worlds.rooms._observation import Symbolic, observe
from seedo.worlds.rooms._pixels import Sights, pixels, sights
from seedo.worlds.rooms._rules import (
    FIRST_TRANSFORM,
    NOTHING,
    RoomState,
    action_number,
    reset,
    room,
    step,
)
from seedo.worlds.rooms._task import RoomTask, sample_task


class RoomsObservation(NamedTuple):
    """What is seen and heard before a step. What a player does not use is not computed."""

    symbolic: Symbolic
    words: Int[Array, " L"]  # tokens of what is said now, 0 after the last word
    frame: UInt8[Array, "99 99 3"]  # red, green and blue; see `_pixels.py`


class RoomsRow(NamedTuple):
    """What is kept of a step; of an episode with a leading axis S."""

    action: Int[Array, ""]  # 0 to 10; -1: nothing, or after the end
    reward: Float[Array, ""]
    trial: Int[Array, ""]  # before the action
    exploiting: Bool[Array, ""]  # in the exploit trial of a meta-episode
    chosen: Int[Array, ""]  # object chosen by this action, -1 if none
    finished: Bool[Array, ""]  # before the action
    words: Int[Array, " L"]  # said before the action
    predicted: Int[Array, " L"] | None  # what the player expected to be said; None: it never does


class RoomsRollout(NamedTuple):
    """A finished episode, or B of them where every field has a leading axis B."""

    rows: RoomsRow
    returns: Float[Array, "*B"]
    oracle_return: Float[Array, "*B"]
    random_return: Float[Array, "*B"]


class RoomsWorld(World):
    """Odd-one-out rooms; see `RoomsConfig`. Methods are pure JAX for one episode.

    The return is 1 where the odd one out is taken in the last trial. Actions have numbers here, see
    `ACTIONS`; the protocol's are laid out as in the log.
    """

    name = "rooms"
    noisy: ClassVar[bool] = False
    explanations: ClassVar[tuple[str, ...]] = ("words", "none")
    family: ClassVar[str] = "rooms"
    no_strategies: ClassVar[str] = "in rooms there is no causal graph to read"
    measures_variables: ClassVar[bool] = False
    refuses: ClassVar[bool] = False
    tries: ClassVar[tuple[int, ...] | None] = (1, 2, 3)  # colour, texture and shape
    splits: ClassVar[tuple[str, ...]] = SPLITS
    presets: ClassVar[tuple[str, ...]] = tuple(PRESETS)
    pictures: ClassVar[bool] = True

    def __init__(self, config: RoomsConfig) -> None:
        self.settings = config
        phase = EXPLOIT if config.trials == 1 else EXPLORE  # when trials change, the player decides
        directions = tuple(float(direction) for direction in range(FIRST_TRANSFORM))
        self.spec = Spec(VARIABLES, directions, (phase,) * config.horizon)

    @classmethod
    def make(cls, preset: str | None, split: str, **options: Any) -> RoomsWorld:
        return RoomsWorld(configure(preset or "default", split, **options))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> RoomsWorld:
        return RoomsWorld(RoomsConfig.from_dict(config))

    @classmethod
    def settings_of(cls) -> dict[str, Any]:
        fields = dataclasses.fields(RoomsConfig)
        return {f.name: f.default for f in fields if f.name not in ("preset", "split")}

    @property
    def split(self) -> str:
        return self.settings.split

    @property
    def at_once(self) -> int:
        return 256

    def config(self) -> dict[str, Any]:
        return self.settings.to_dict()

    # -- the protocol -----------------------------------------------------------------------------

    def sample(self, key: PRNGKeyArray) -> RoomTask:
        """All trials of an episode."""
        return sample_task(self.settings, key)

    def reset(self, task: RoomTask, key: PRNGKeyArray | None = None) -> RoomState:
        """The first state of an episode; nothing is drawn."""
        return reset(self.settings, task)

    def observe(self, task: RoomTask, state: RoomState) -> RoomsObservation:
        return RoomsObservation(
            self.symbolic(task, state), self.explain(task, state), self.pixels(task, state)
        )

    def step(
        self, task: RoomTask, state: RoomState, action: Action, key: PRNGKeyArray | None = None
    ) -> tuple[RoomState, Float[Array, ""], Bool[Array, ""]]:
        """After the end nothing happens; nothing is drawn."""
        after, reward = self.advance(task, state, action_number(action.target, action.value))
        return after, reward, after.finished

    def references(self, task: RoomTask) -> References:
        return References(jnp.float32(1.0), jnp.float32(0.25))

    def legal(self, task: RoomTask, state: RoomState, action: Action) -> Bool[Array, ""]:
        """Everything that has a number may be tried at any time."""
        return (action.target == -1) | (action_number(action.target, action.value) != NOTHING)

    def row(
        self, task: RoomTask, before: RoomState, action: Action, reward: Any, after: RoomState
    ) -> RoomsRow:
        number = action_number(action.target, action.value)
        fresh = (before.chosen < 0) & (after.trial == before.trial) & (after.chosen >= 0)
        meta = self.settings.level == "meta"
        return RoomsRow(
            action=jnp.where(before.finished, NOTHING, number),
            reward=reward,
            trial=before.trial,
            exploiting=jnp.asarray(meta) & (before.trial == self.settings.trials - 1),
            chosen=jnp.where(fresh, after.chosen, -1),
            finished=before.finished,
            words=self.explain(task, before),
            predicted=action.said,
        )

    def rollout(self, task: RoomTask, rows: RoomsRow) -> RoomsRollout:
        return RoomsRollout(rows, self.returned(rows), *self.references(task))

    def returned(self, rows: RoomsRow) -> Float[Array, ""]:
        """1 where the odd one out was taken in the last trial, from rows [S, ...]."""
        last = rows.trial == self.settings.trials - 1
        return ((rows.reward > 0) & last).any(-1).astype(jnp.float32)

    def to_log(
        self,
        origin: Origin,
        episode_id: NDArray[np.int64],
        played: Any,
        systems: bool = False,
        explain: str = "none",
    ) -> EpisodeBatch:
        """A `RoomsRollout` in log form; with `words`, what was said at every step. There are no
        systems to log."""
        rows = played.rows
        return room_log(
            origin,
            episode_id,
            rows.action,
            rows.reward,
            rows.trial,
            rows.chosen,
            rows.exploiting | (self.settings.trials == 1),
            _texts(rows.words) if explain == "words" else None,
        )

    # -- by number, and one view at a time --------------------------------------------------------

    def advance(
        self, task: RoomTask, state: RoomState, action: Int[Array, ""] | int
    ) -> tuple[RoomState, Float[Array, ""]]:
        """The state after the action of a number (-1..10) and its reward; after the end nothing
        happens."""
        return step(self.settings, task, state, jnp.asarray(action))

    def retrace(
        self, task: RoomTask, actions: Int[Array, " S"]
    ) -> tuple[RoomState, Float[Array, " S"]]:
        """The states [S, ...] before every one of these actions, by number, and its reward."""

        def onward(state: RoomState, action: Array) -> tuple[RoomState, Any]:
            after, reward = self.advance(task, state, action)
            return after, (state, reward)

        states: RoomState
        states, reward = jax.lax.scan(onward, self.reset(task), actions)[1]
        return states, reward

    def symbolic(self, task: RoomTask, state: RoomState) -> Symbolic:
        """What is seen, as numbers."""
        return observe(self.settings, task, state)

    def pixels(self, task: RoomTask, state: RoomState) -> UInt8[Array, "99 99 3"]:
        """What is seen, as pixels, red, green and blue; see `_pixels.py`."""
        now = room(task, state)
        return pixels(now.objects, now.cells, state.agent)

    def sights(self, task: RoomTask, state: RoomState) -> Sights:
        """What the frame is made of, for who reads many frames: see `Sights`."""
        now = room(task, state)
        return sights(now.objects, now.cells, state.agent)

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
        """The number of the expert's action as if `dimension` decided; -1: by what the rewards so
        far allow."""
        left = (state.consistent >> jnp.arange(4)) & 1 == 1
        possible = jnp.where(jnp.asarray(dimension) < 0, left, jnp.arange(4) == dimension)
        return expert(self.symbolic(task, state), possible, key)


def _texts(tokens: NDArray[np.int32]) -> list[list[str]]:
    """The words of int32[B, S, L]."""
    kinds, which = np.unique(tokens.reshape(-1, tokens.shape[-1]), axis=0, return_inverse=True)
    said = np.array([words(kind) for kind in kinds], object)
    found: list[list[str]] = said[which.reshape(tokens.shape[:2])].tolist()
    return found
