"""Episodes of world `rooms`: what is drawn before anyone acts."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, PRNGKeyArray, UInt32

from seedo.worlds.rooms._attributes import COLOUR, POSITION, SHAPE, TEXTURE, value_pairs
from seedo.worlds.rooms._config import DIFFICULTIES, RoomsConfig
from seedo.worlds.rooms._draws import Draws
from seedo.worlds.rooms._placement import placements

_ORDERS = np.array(list(itertools.permutations(range(4))), np.int32)
_HARD_ORDERS = np.array(list(itertools.permutations(range(3))), np.int32)
# Which objects hold the second value, as bits: the six ways of 2-2.
_HALVES = np.array([m for m in range(16) if m.bit_count() == 2], np.int32)
_WORDS = 3


class RoomTask(NamedTuple):
    """All trials of one episode. T trials; rows and columns 1..9."""

    concept: Int[Array, ""]  # dimension that decides, index into DIMENSIONS
    cells: Int[Array, "T 4 2"]  # row and column of each object
    classes: Int[Array, "T 4"]  # position class of each object
    start: Int[Array, "T 2"]  # where the agent begins
    values: Int[Array, "T 3 2"]  # the two colours, shapes and textures of the trial
    second: Int[Array, "T 3"]  # bit o: object o begins with the second value


def sample_task(config: RoomsConfig, key: PRNGKeyArray) -> RoomTask:
    """One episode; see `docs/rooms.md` for what each level promises."""
    words = jax.random.bits(key, (config.trials * _WORDS + 1,), jnp.uint32)
    concepts = jnp.asarray(config.concepts, jnp.int32)
    concept = concepts[Draws(words[0]).below(len(config.concepts))]
    rooms = words[1:].reshape(config.trials, _WORDS)
    exploit = jnp.arange(config.trials) == config.trials - 1
    drawn = jax.vmap(lambda own, last: _room(config, concept, own, last))(rooms, exploit)
    return RoomTask(concept, *drawn)


def _room(config: RoomsConfig, concept: Array, words: UInt32[Array, " W"], last: Array):
    looks, layout, place = (Draws(words[i]) for i in range(_WORDS))
    values = jnp.stack([_pair(config, d, looks) for d in (COLOUR, SHAPE, TEXTURE)])
    order = jnp.asarray(_ORDERS)[layout.below(24)]
    slots = jnp.asarray(_ORDERS)[layout.below(24)]
    second = _second(config, concept, order, layout, last)

    two = placements(2)
    if config.level == "basic" and POSITION in config.concepts:
        # The position concept: one object of another class than the other three, in slot 0.
        one = placements(1)
        alone = concept == POSITION
        pattern = jnp.where(
            alone, place.below(len(one.sizes)) + len(two.sizes), place.below(len(two.sizes))
        )
        table = _joined(two, one)
    else:
        pattern, table = place.below(len(two.sizes)), two
    row = jnp.asarray(table.offset)[pattern] + place.below(jnp.asarray(table.sizes)[pattern])
    codes = (jnp.asarray(table.cells)[row] >> (8 * slots.astype(jnp.uint32))).astype(jnp.int32)
    cells = jnp.stack([(codes >> 4) & 15, codes & 15], axis=-1)
    classes = jnp.asarray(table.classes)[pattern, slots]
    return cells, classes, _free_cell(cells, place), values, second


def _joined(two, one):
    return type(two)(
        classes=np.concatenate([two.classes, one.classes]),
        offset=np.concatenate([two.offset, one.offset + len(two.cells)]),
        sizes=np.concatenate([two.sizes, one.sizes]),
        cells=np.concatenate([two.cells, one.cells]),
    )


def _pair(config: RoomsConfig, dimension: int, draws: Draws) -> Int[Array, " 2"]:
    pairs = value_pairs(dimension, config.split)
    return jnp.asarray(pairs)[draws.below(len(pairs))]


def _second(config: RoomsConfig, concept: Array, order: Array, draws: Draws, last: Array) -> Array:
    """Which objects hold the second colour, shape and texture: three masks."""
    dimensions = jnp.arange(3)
    halves = jnp.stack([jnp.asarray(_HALVES)[draws.below(6)] for _ in range(3)])
    odd = 1 << order[0]
    if config.level == "basic":
        return jnp.where(dimensions == concept, odd, halves)
    if config.level == "confounded":
        return jnp.broadcast_to(odd, (3,))
    apart = 1 << order[:3]
    if config.level == "deconfounded":
        return apart
    if config.difficulty == "mixed":
        hard = draws.below(4)
    else:
        hard = jnp.asarray(DIFFICULTIES.index(config.difficulty))
    rank = jnp.asarray(_HARD_ORDERS)[draws.below(6)]
    return jnp.where(last, apart, jnp.where(rank < hard, halves, 0))


def _free_cell(cells: Int[Array, "4 2"], draws: Draws) -> Int[Array, " 2"]:
    """A square that touches no object, each equally likely."""
    rows = jnp.arange(1, 10)
    near = jnp.abs(rows[:, None] - cells[:, 0]) <= 1
    reach = jnp.where(near, 7 << (cells[:, 1] - 1), 0)
    # Columns 1..9 of each row, as bits; objects and their neighbours taken out.
    taken = reach[:, 0] | reach[:, 1] | reach[:, 2] | reach[:, 3]
    free = ~taken & 0b1111111110
    counts = jax.lax.population_count(free)
    before = [jnp.zeros((), jnp.int32)]
    for r in range(9):
        before.append(before[-1] + counts[r])
    rank = draws.below(before[-1])
    row = sum((rank >= before[r]).astype(jnp.int32) for r in range(1, 10))
    left = rank - jnp.stack(before)[row]
    bits = (free[row] >> jnp.arange(1, 10)) & 1
    column = jnp.zeros((), jnp.int32)
    for c in range(9):
        column = column + (left >= bits[c]).astype(jnp.int32) * (column == c)
        left = left - bits[c]
    return jnp.stack([row + 1, column + 1])
