"""What a player of world `rooms` did and what was said, step by step, with pictures.

Frame k is the room after k steps: what led there, what is said there, and what a network that
predicts words expects to be said there.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.lab._cast import player
from seedo.lab._pictures import data_url
from seedo.lab._scenario import STREAM, Scenario
from seedo.play import play, set_up
from seedo.worlds import episode_key
from seedo.worlds.rooms import (
    ACTIONS,
    DIMENSIONS,
    FIRST_TRANSFORM,
    POSITIONS,
    VALUES,
    RoomState,
    RoomsWorld,
    uniquely,
    words,
)

MOST_ROOM_STEPS = 600
_TILE = 9  # pixels of a square
_CENTRE, _BESIDE = (5, 5), (6, 5)


def room_setting(scenario: Scenario) -> dict[str, Any]:
    """What is the same for everyone who plays, the hidden rule included, as JSON.

    Raises:
        UserError: episodes too long to be shown.
    """
    world = scenario.stage()
    _check(world)
    task = _task(world, episode_key(scenario.seed, STREAM, scenario.index))
    return {
        "world": "rooms",
        "trials": world.settings.trials,
        "rule": DIMENSIONS[int(task.concept)],
        "cue": world.settings.cue,
    }


def room_frames(scenario: Scenario, name: str) -> dict[str, Any]:
    """The frames of one of our own players, as JSON.

    Raises:
        UserError: it cannot act here, or episodes too long to be shown.
    """
    world = scenario.stage()
    _check(world)
    acting = player(name, scenario)
    key = episode_key(scenario.seed, STREAM, scenario.index)
    played = jax.tree.map(np.asarray, eqx.filter_jit(play)(world, acting, key)).rows
    return tell_rooms(scenario, played.action, played.predicted)


def room_picture(world: RoomsWorld, task: Any, state: RoomState) -> str:
    """The room now as a data URL."""
    return data_url(_from_above(jax.tree.map(np.asarray, _sights(world, task, state)), 0))


def tell_rooms(
    scenario: Scenario,
    actions: Sequence[int] | NDArray[np.int32],
    expected: NDArray[np.int32] | None = None,
) -> dict[str, Any]:
    """The frames of an episode.

    Args:
        scenario: which one.
        actions: -1..10, at least up to the end of the episode.
        expected: int32[S, L], tokens that the player thought would be said before each action.
    """
    world = scenario.stage()
    padded = np.full(world.spec.steps + 1, -1, np.int32)  # a state follows the last action too
    padded[: len(actions)] = actions
    key = episode_key(scenario.seed, STREAM, scenario.index)
    shown = jax.tree.map(np.asarray, _replay(world, key, padded))
    finished = shown["finished"]
    count = int(finished.argmax()) + 1 if finished.any() else len(finished)
    pictures, rooms = _Distinct(), _Distinct()
    frames: list[dict[str, Any]] = []
    for k in range(count):
        frame = {
            "picture": pictures.add(_from_above(shown, k), data_url),
            "view": pictures.add(shown["view"][k], data_url),
            "room": rooms.add(shown["objects"][k], describe),
            "trial": int(shown["trial"][k]),
            "counts": bool(shown["trial"][k] == world.settings.trials - 1),
            "said": words(shown["words"][k]),
            "possible": _possible(world, int(shown["consistent"][k])),
            "odd": shown["cells"][k][shown["odd"][k]].tolist(),
            "chosen": int(shown["chosen"][k]),
            "reward": 0.0 if k == 0 else float(shown["reward"][k - 1]),
        }
        if k:
            frame["did"] = _deed(int(actions[k - 1]), shown, k)
        if expected is not None and k < len(expected) and not finished[k]:
            frame["expected"] = words(expected[k])
        frames.append(frame)
    won = any(frame["reward"] > 0 and frames[k]["counts"] for k, frame in enumerate(frames[1:]))
    return {
        "frames": frames,
        "pictures": pictures.told,
        "rooms": rooms.told,
        "returns": float(won),
    }


def _check(world: RoomsWorld) -> None:
    if world.spec.steps > MOST_ROOM_STEPS:
        remedy = f"the lab shows episodes of at most {MOST_ROOM_STEPS}: fewer trials, lower limit"
        raise UserError("steps", world.spec.steps, remedy)


class _Distinct:
    """Each array told once, in order of appearance."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self._place: dict[bytes, int] = {}

    def add(self, array: NDArray[Any], tell: Callable[[NDArray[Any]], Any]) -> int:
        """Where in `told` the array is."""
        own = array.tobytes()
        if own not in self._place:
            self._place[own] = len(self.told)
            self.told.append(tell(array))
        return self._place[own]


def _from_above(shown: Any, k: int) -> NDArray[np.uint8]:
    """The whole room, uint8[99, 99, 3], its player a white square: the view is the player's, so
    seen from the centre it is of everything but the centre."""
    picture: NDArray[np.uint8] = shown["centre"][k].copy()

    def square(row: int, column: int) -> tuple[slice, slice]:
        return (
            slice(_TILE * row, _TILE * (row + 1)),
            slice(_TILE * column, _TILE * (column + 1)),
        )

    # One row further down, the centre is one square above the middle.
    picture[square(*_CENTRE)] = shown["beside"][k][square(_CENTRE[0] - 1, _CENTRE[1])]
    picture[square(*shown["agent"][k])] = 255
    return picture


def describe(objects: NDArray[np.int32]) -> list[str]:
    """What the objects of a room look like, int32[K, 4], and where they lie."""
    return [
        f"{VALUES[0][colour]} {VALUES[2][texture]} {VALUES[1][shape]} ({POSITIONS[place]})"
        for colour, shape, texture, place in objects
    ]


def _possible(world: RoomsWorld, consistent: int) -> list[str]:
    """The dimensions that may decide, given the rewards so far."""
    known = DIMENSIONS if world.settings.level == "basic" else DIMENSIONS[:3]
    return [name for d, name in enumerate(known) if consistent >> d & 1]


def _deed(action: int, shown: Any, k: int) -> str:
    before, after = int(shown["trial"][k - 1]), int(shown["trial"][k])
    if shown["chosen"][k - 1] >= 0:
        return "dwells on the verdict" if after == before else "goes on to the next trial"
    if action < 0:
        return "stands still"
    if action >= FIRST_TRANSFORM:
        done = shown["changed"][k] > shown["changed"][k - 1]
        what = ACTIONS[action].removeprefix("transform ")
        return (
            f"changes the {what} of the object beside it" if done else f"tries to change a {what}"
        )
    took = after == before and shown["chosen"][k] >= 0
    return f"goes {ACTIONS[action]}" + (" and takes the object there" if took else "")


@functools.partial(jax.jit, static_argnums=0)
def _task(world: RoomsWorld, key: Any) -> Any:
    return set_up(world, key).task


@functools.partial(jax.jit, static_argnums=0)
def _replay(world: RoomsWorld, key: Any, actions: Any) -> dict[str, Any]:
    """What there is before every action, and the reward of each."""
    task = set_up(world, key).task
    states, reward = world.retrace(task, actions)

    def show(state: RoomState) -> dict[str, Any]:
        seen = world.symbolic(task, state)
        return {
            **_above(world, task, state),
            "view": world.pixels(task, state),
            "words": world.explain(task, state),
            "objects": seen.objects,
            "cells": seen.place + seen.agent,
            "odd": uniquely(seen.objects)[:, task.concept],
            "trial": state.trial,
            "chosen": state.chosen,
            "changed": state.changed,
            "consistent": state.consistent,
            "finished": state.finished,
        }

    shown: dict[str, Any] = jax.vmap(show)(states)
    return shown | {"reward": reward}


def _above(world: RoomsWorld, task: Any, state: RoomState) -> dict[str, Any]:
    """What `_from_above` puts together."""
    return {
        "centre": world.pixels(task, state._replace(agent=jnp.asarray(_CENTRE))),
        "beside": world.pixels(task, state._replace(agent=jnp.asarray(_BESIDE))),
        "agent": state.agent,
    }


@functools.partial(jax.jit, static_argnums=0)
def _sights(world: RoomsWorld, task: Any, state: RoomState) -> dict[str, Any]:
    return jax.tree.map(lambda array: array[None], _above(world, task, state))


@functools.partial(jax.jit, static_argnums=0)
def walk(world: Any, key: Any, actions: Any) -> tuple[Any, Any]:
    """What is seen before every action, uint8[S, 99, 99, 3], and the reward of each, float[S]."""
    task = set_up(world, key).task
    states, reward = world.retrace(task, actions)
    return jax.vmap(lambda state: world.pixels(task, state))(states), reward
