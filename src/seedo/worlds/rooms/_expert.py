"""The expert: experiments that tell the concept, and shortest paths."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from seedo.worlds.rooms._observation import Symbolic
from seedo.worlds.rooms._placement import SIZE
from seedo.worlds.rooms._rules import (
    FIRST_TRANSFORM,
    MOVES,
    NOTHING,
    TRANSFORMED,
    touched,
    uniquely,
)

LONGEST_PATH = 11
"""No shortest path in a room is longer (`tests/test_rooms.py` searches them all)."""

_INSIDE = np.array([0] + [0b01111111110] * 9 + [0], np.uint32)
_MIDDLE = np.array([0] * 4 + [0b00001110000] * 3 + [0] * 4, np.uint32)
"""Squares from which every square inside the walls is in view."""
_TRANSFORM_OF = np.array([TRANSFORMED.index(d) for d in range(3)], np.int32) + FIRST_TRANSFORM


def expert(seen: Symbolic, possible: Bool[Array, " 4"], key: PRNGKeyArray) -> Int[Array, ""]:
    """The next action of an expert, int32; -1 while a verdict is dwelt on and after the end.

    `possible` are the dimensions that may be the concept. Where a transformation is allowed, the
    expert tests one of them (drawn with `key`): it transforms the nearest object along it and takes
    the object that is then unique; two tests always settle which of three it is. Elsewhere it takes
    the nearest object that is unique along a possible dimension; where none is, the nearest object.
    """
    cells = seen.place + seen.agent
    odd = (uniquely(seen.objects) & possible).any(axis=1)
    testable = possible[:3]
    experiment = seen.transforms & testable.any()
    test = jnp.argmax(jnp.where(testable, jax.random.uniform(key, (3,)), -1.0))
    near = touched(cells, seen.agent).any()
    goal = jnp.where(experiment, _beside(cells), _squares(cells, odd | ~odd.any()))
    moved = _path_step(cells, seen.agent, goal)
    action = jnp.where(experiment & near, jnp.asarray(_TRANSFORM_OF)[test], moved)
    return jnp.where(seen.finished | (seen.chosen >= 0), NOTHING, action).astype(jnp.int32)


def walk(seen: Symbolic, targets: Bool[Array, " 4"]) -> Int[Array, ""]:
    """The move that begins a shortest path to the nearest target; -1 where moves do nothing."""
    cells = seen.place + seen.agent
    moved = _path_step(cells, seen.agent, _squares(cells, targets))
    return jnp.where(seen.finished | (seen.chosen >= 0), NOTHING, moved).astype(jnp.int32)


def look_round(seen: Symbolic) -> Int[Array, ""]:
    """The move that begins a shortest path to where the whole room is in view; -1 where moves do
    nothing."""
    cells = seen.place + seen.agent
    goal = jnp.asarray(_MIDDLE) & ~_squares(cells, jnp.ones(4, bool))
    moved = _path_step(cells, seen.agent, goal, jnp.full((1, 2), SIZE // 2))
    return jnp.where(seen.finished | (seen.chosen >= 0), NOTHING, moved).astype(jnp.int32)


def in_view(seen: Symbolic) -> Bool[Array, " 4"]:
    """Which objects a frame shows, or hides under the agent only."""
    return jnp.abs(seen.place).max(axis=-1) <= SIZE // 2


def concepts_left(seen: Symbolic) -> Bool[Array, " 4"]:
    """Right after a choice: the dimensions that would have been rewarded as this choice was."""
    return uniquely(seen.objects)[jnp.maximum(seen.chosen, 0)] == (seen.reward > 0)


def _beside(cells: Int[Array, "4 2"]) -> Array:
    """The squares from which an object is touched, as bits by row."""
    taken = _squares(cells, jnp.ones(4, bool))
    return _grown(taken) & ~taken


def _path_step(
    cells: Int[Array, "4 2"],
    agent: Int[Array, " 2"],
    goal: Int[Array, " 11"],
    towards: Int[Array, "n 2"] | None = None,
) -> Int[Array, ""]:
    """The move (0..7) that begins a shortest path to the nearest goal square.

    A flood from the goal over squares without objects. Of equally short ways the one that comes
    nearest, as the crow flies, to the goal (or to `towards`), so that a way is straight where it
    can be.
    """
    free = jnp.asarray(_INSIDE) & ~_squares(cells, jnp.ones(4, bool))
    here = _squares(agent[None], jnp.ones(1, bool))
    around = _grown(here) & ~here & (free | goal)
    reached, first = goal & jnp.asarray(_INSIDE), jnp.zeros(SIZE, jnp.uint32)

    def flood(_, flooded):
        reached, first = flooded
        first = jnp.where((first != 0).any(), first, reached & around)
        return reached | (_grown(reached) & free), first

    _, first = jax.lax.fori_loop(0, LONGEST_PATH, flood, (reached, first))
    to = agent + jnp.asarray(MOVES)
    reach = (first[to[:, 0]] >> to[:, 1].astype(jnp.uint32)) & 1
    ends = cells if towards is None else towards
    flight = ((to[:, None] - ends) ** 2).sum(axis=-1)
    wanted = (goal[ends[:, 0]] >> ends[:, 1].astype(jnp.uint32)) & 1
    # Where no object is itself a goal, squares beside objects are: any object will do.
    wanted = jnp.where((wanted == 1).any(), wanted == 1, True)
    flight = jnp.where(wanted, flight, 999).min(axis=-1)
    return jnp.argmin(jnp.where(reach == 1, flight, 9999)).astype(jnp.int32)


def _squares(cells: Int[Array, "n 2"], which: Bool[Array, " n"]) -> Array:
    """Squares as bits (column) by row, uint32 [11]."""
    rows = jnp.arange(SIZE)
    bits = jnp.left_shift(jnp.uint32(1), cells[:, 1].astype(jnp.uint32))
    member = (rows[:, None] == cells[:, 0]) & which
    bits = jnp.where(member, bits, jnp.uint32(0))
    squares = bits[:, 0]
    for i in range(1, bits.shape[1]):
        squares = squares | bits[:, i]
    return squares


def _grown(squares: Array) -> Array:
    """These squares and those a king's move away."""
    wide = squares | (squares << 1) | (squares >> 1)
    blank = jnp.zeros(1, jnp.uint32)
    above = jnp.concatenate([wide[1:], blank])
    below = jnp.concatenate([blank, wide[:-1]])
    return wide | above | below
