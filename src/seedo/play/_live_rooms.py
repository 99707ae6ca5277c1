"""One episode of world `rooms` played choice by choice from Python.

It is the episode that `simulate_rooms` would play: the same seed, stream and number give the same
rooms. A *choice* is a run of steps that ends when something has been transformed, or with the
trial; so few programs are called however many steps are walked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from seedo.episodes import EpisodeBatch, Origin
from seedo.play._rooms import RoomsRollout, play_step, rollout_batch
from seedo.worlds import stream_key
from seedo.worlds.rooms import (
    FIRST_TRANSFORM,
    MAX_WORDS,
    NOTHING,
    TRANSFORMED,
    RoomState,
    RoomsWorld,
    RoomTask,
    Symbolic,
    walk,
    words,
)


class Errand(NamedTuple):
    """What to do in a room, however many steps it takes."""

    object: int = -1  # 0..3; -1: stand still until the trial is over
    dimension: int = -1  # what to transform of it, index into DIMENSIONS; -1: take it


class Steps(NamedTuple):
    """The steps that a player makes up to the end of one choice, and what they amount to."""

    actions: tuple[int, ...]  # -1..10
    errand: Errand


@dataclass(frozen=True)
class _Runner:
    """A rooms player on an errand (its memory), along shortest paths."""

    name: str = "runner"
    knows_system: bool = False

    def act(self, world, task, errand, seen, key):
        there = jnp.arange(4) == errand.object
        near = (jnp.abs(seen.place).max(axis=1) <= 1) & there
        transform = jnp.asarray(
            [TRANSFORMED.index(d) + FIRST_TRANSFORM for d in range(len(TRANSFORMED))]
        )[jnp.maximum(errand.dimension, 0)]
        arrived = near.any() & (errand.dimension >= 0) & (seen.chosen < 0) & ~seen.finished
        move = jnp.where(arrived, transform, walk(seen, there))
        return jnp.where(errand.object < 0, NOTHING, move), errand


@dataclass(frozen=True)
class _Replay:
    """A rooms player that makes given steps; its memory: they, and how many are done."""

    name: str = "replay"
    knows_system: bool = False

    def act(self, world, task, script, seen, key):
        actions, done = script
        return actions[done], (actions, done + 1)


class LiveRooms:
    """An episode in progress.

    Args:
        world: of rooms.
        seed, stream, index: which of the world's episodes.
    """

    def __init__(self, world: RoomsWorld, seed: int, stream: str, index: int) -> None:
        self.world, self.index = world, index
        begun = _begin(world, stream_key(seed, stream), index)
        self.task, self.state, self.player_key, self._rows, self._seen = begun
        self.step = 0
        self.seen: Symbolic = jax.tree.map(np.asarray, self._seen)

    @property
    def finished(self) -> bool:
        return bool(self.seen.finished)

    @property
    def trial(self) -> int:
        return int(self.seen.trial)

    @property
    def exploiting(self) -> bool:
        """Whether the next choice is in the trial that counts."""
        return not self.finished and self.trial == self.world.settings.trials - 1

    @property
    def rows(self) -> RoomsRollout:
        """What is logged: fields of [S, ...], S steps of the world's horizon; those still to come
        as after the end of an episode."""
        rows: RoomsRollout = jax.tree.map(np.asarray, self._rows)
        return rows

    @property
    def returns(self) -> float:
        """1 where the odd one out was taken in the trial that counts."""
        rows = self.rows
        last = rows.trial == self.world.settings.trials - 1
        return float(((rows.reward > 0) & last).any())

    def act(self, choice: Errand | Steps) -> RoomsRollout:
        """Carry out a choice; fields of [k, ...] of the k steps it took.

        An errand ends when its object is transformed, or the verdict on the taken object has been
        dwelt on, or the limit of the trial is reached.

        Raises:
            RuntimeError: the episode is over.
        """
        if isinstance(choice, Steps):
            actions = np.full(self.world.horizon + 1, NOTHING, np.int32)
            actions[: len(choice.actions)] = choice.actions
            self.run(_Replay(), (jnp.asarray(actions), jnp.int32(0)))
        else:
            self.run(_Runner(), Errand(jnp.int32(choice.object), jnp.int32(choice.dimension)))
        return self._last

    def run(self, player: Any, memory: Any) -> Any:
        """Let a player act until a choice has been made; its memory afterwards."""
        if self.finished:
            raise RuntimeError("the episode is over")
        begun = self.step
        carried = _play(self.world, player, self.player_key, self.task, self.state, memory,
                        self.step, self._rows)  # fmt: skip
        self.state, memory, step, self._rows, self._seen = carried
        self.step, self.seen = int(step), jax.tree.map(np.asarray, self._seen)
        self._last: RoomsRollout = jax.tree.map(lambda a: a[begun : self.step], self.rows)
        return memory

    def verdict(self) -> str:
        """What the world said of the last choice; "" if nothing was taken or nothing said."""
        taken = (self._last.chosen >= 0).any()
        return words(self._last.tokens[-1]) if taken else ""


class RoomsActor:
    """A player of rooms on a live episode; it chooses what it would choose in `simulate_rooms`."""

    def __init__(self, player: Any, episode: LiveRooms) -> None:
        self._player, self._episode = player, episode
        self._memory = _init(episode.world, player, episode.player_key)
        self._asked: tuple[int, Steps] | None = None

    def action(self) -> Steps:
        """Its steps up to the end of its next choice; the same until the episode has moved on."""
        now = self._episode
        if self._asked is None or self._asked[0] != now.step:
            after, self._memory, end, rows, _ = _play(
                now.world, self._player, now.player_key, now.task, now.state, self._memory,
                now.step, now._rows,
            )  # fmt: skip
            actions, chosen = (
                np.asarray(a)[now.step : int(end)] for a in (rows.action, rows.chosen)
            )
            if chosen.max() >= 0:
                errand = Errand(int(chosen.max()))
            elif int(after.changed) != int(now.state.changed):
                errand = Errand(int(after.changed), int(after.along))
            else:
                errand = Errand()
            self._asked = now.step, Steps(tuple(int(a) for a in actions), errand)
        return self._asked[1]


def live_rooms_batch(origin: Origin, lived: Sequence[LiveRooms], explained: bool) -> EpisodeBatch:
    """Finished episodes of one world in log form; with what was said where `explained`."""
    rows = jax.tree.map(lambda *each: np.stack(each), *(e.rows for e in lived))
    index = np.array([e.index for e in lived])
    return rollout_batch(lived[0].world, origin, index, rows, explained)


@eqx.filter_jit
def _begin(world: RoomsWorld, key: Any, index: Any) -> tuple[Any, ...]:
    task_key, player_key = jax.random.split(jax.random.fold_in(key, index))
    task = world.sample(task_key)
    state, steps = world.reset(task), world.horizon
    nothing = jnp.full(steps, -1, jnp.int32)
    to_come = RoomsRollout(
        action=nothing,
        reward=jnp.zeros(steps),
        trial=jnp.full(steps, world.settings.trials - 1, jnp.int32),
        exploiting=jnp.full(steps, world.settings.level == "meta"),
        chosen=nothing,
        finished=jnp.ones(steps, bool),
        tokens=jnp.zeros((steps, MAX_WORDS), jnp.int32),
        predicted=None,
    )
    return task, state, player_key, to_come, world.observe(task, state)


@eqx.filter_jit
def _init(world: RoomsWorld, player: Any, player_key: Any) -> Any:
    return player.init(jax.random.split(player_key)[0])


@eqx.filter_jit
def _play(
    world: RoomsWorld,
    player: Any,
    player_key: Any,
    task: RoomTask,
    state: RoomState,
    memory: Any,
    t: Any,
    rows: RoomsRollout,
) -> tuple[RoomState, Any, Int[Array, ""], RoomsRollout, Symbolic]:
    """Steps up to the end of a choice, written into the rows from `t` on."""
    _, act_key = jax.random.split(player_key)

    def choosing(carried):
        now, _, t, _ = carried
        same = (now.trial == state.trial) & (now.changed == state.changed)
        return (t < world.horizon) & same & ~now.finished

    def step(carried):
        now, memory, t, rows = carried
        (now, memory), row = play_step(world, player, task, now, memory, t, act_key)
        row = row._replace(predicted=None)
        return now, memory, t + 1, jax.tree.map(lambda all, one: all.at[t].set(one), rows, row)

    now, memory, t, rows = jax.lax.while_loop(choosing, step, (state, memory, jnp.int32(t), rows))
    return now, memory, t, rows, world.observe(task, now)
