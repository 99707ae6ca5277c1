"""One episode of world `rooms` played choice by choice from Python.

A choice is a run of steps that ends when something has been transformed, or with the trial.
"""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from seedo.play._live import Actor, Live
from seedo.worlds import Action
from seedo.worlds.rooms import (
    FIRST_TRANSFORM,
    NOTHING,
    TRANSFORMED,
    RoomsRow,
    RoomState,
    Symbolic,
    action_setting,
    walk,
    words,
)


class Choice(NamedTuple):
    """What to do in a room, however many steps it takes."""

    object: int = -1  # 0..3; -1: stand still until the trial is over
    dimension: int = -1  # what to transform of it, index into DIMENSIONS; -1: take it
    after: LiveRooms | None = None  # the episode after it, if its steps are known; None: the
    # steps are those of a shortest path


class LiveRooms(Live):
    """An episode in progress that takes one choice after another."""

    @property
    def symbolic(self) -> Symbolic:
        """What is seen before the next step, as numbers."""
        seen: Symbolic = self.observation.symbolic
        return seen

    @property
    def exploiting(self) -> bool:
        """Whether the next choice is in the trial that counts."""
        return not self.finished and int(self.symbolic.trial) == self.world.settings.trials - 1

    @property
    def actions(self) -> tuple[int, ...]:
        """Numbers of the actions so far."""
        return tuple(int(row.action) for row in self.rows)

    def copy(self) -> LiveRooms:
        """The same episode, to be played on differently."""
        other = copy.copy(self)
        other.seen, other.rows, other.rewards = self.seen[:], self.rows[:], self.rewards[:]
        return other

    def chosen_since(self, before: RoomState) -> bool:
        """Whether a choice has been made since a state."""
        now = self.state
        return self.finished or now.trial != before.trial or now.changed != before.changed

    def choose(self, choice: Choice) -> RoomsRow:
        """Carry out a choice; the rows [k, ...] of the k steps that it took.

        It ends when its object is transformed, or the verdict on the taken object has been dwelt
        on, or the limit of the trial is reached.

        Raises:
            RuntimeError: the episode is over.
        """
        first, before = self.step, self.state
        if choice.after is not None:
            vars(self).update(vars(choice.after.copy()))
        while self.step == first or not self.chosen_since(before):
            wanted = np.asarray(choice[:2], np.int32)
            self.carry_out(_onward(self.symbolic, wanted))
        return _stacked(self.rows[first:])

    def verdict(self) -> str:
        """What the world said of the last choice; "" if nothing was taken or nothing said."""
        return words(self.rows[-1].words) if self.seen[-2].symbolic.chosen >= 0 else ""


class RoomsActor:
    """A player on a live episode; it chooses what it would choose in `rollout`."""

    def __init__(self, player: Any, episode: LiveRooms) -> None:
        self._player, self._episode = player, episode
        self._follow()

    def _follow(self) -> None:
        """Go on from what has happened, whoever did it."""
        self._ahead = self._episode.copy()
        self._actor = Actor(self._player, self._ahead)
        self._asked: tuple[int, Choice] | None = None

    def action(self) -> Choice:
        """Its next choice and what becomes of it; the same until the episode has moved on."""
        now = self._episode
        if self._asked is not None and self._asked[0] == now.step:
            return self._asked[1]
        if self._ahead.actions != now.actions:
            self._follow()
        ahead = self._ahead
        while not ahead.chosen_since(now.state):
            ahead.carry_out(self._actor.chosen()._replace(said=None))
        taken = max(int(row.chosen) for row in ahead.rows[now.step :])
        if taken >= 0:
            choice = Choice(taken)
        elif ahead.state.changed != now.state.changed:
            choice = Choice(int(ahead.state.changed), int(ahead.state.along))
        else:
            choice = Choice()
        self._asked = now.step, choice._replace(after=ahead)
        return self._asked[1]


def _stacked(rows: list[RoomsRow]) -> RoomsRow:
    """Rows of steps as one, with a leading axis."""
    stacked: RoomsRow = jax.tree.map(lambda *column: np.stack(column), *rows)
    return stacked


@eqx.filter_jit
def _onward(seen: Symbolic, wanted: Any) -> Action:
    """The next step of a choice (its object and dimension) along a shortest path."""
    thing, dimension = wanted
    there = jnp.arange(4) == thing
    near = ((jnp.abs(seen.place).max(axis=1) <= 1) & there).any()
    number = [TRANSFORMED.index(d) + FIRST_TRANSFORM for d in range(len(TRANSFORMED))]
    arrived = near & (dimension >= 0) & (seen.chosen < 0) & ~seen.finished
    move = jnp.where(arrived, jnp.asarray(number)[jnp.maximum(dimension, 0)], walk(seen, there))
    return Action(*action_setting(jnp.where(thing < 0, NOTHING, move)))
