"""What is seen of a room, as pixels.

The view is 11 x 11 squares of 9 x 9 pixels with the agent (white) in the middle square; squares
outside the room are black like the floor, walls are grey. An object is its shape cut out of its
texture, in its colour. The object under the agent is hidden by it.

A frame is a copy of the background that the agent's square has, with four tiles copied in. Over a
batch that is a loop over frames of contiguous copies, in place: a gather that looks every byte up
would cost XLA on a CPU several times as much.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_batching import custom_vmap
from jaxtyping import Array, Bool, Int, UInt8

from seedo.worlds.rooms._attributes import COLOURS, SHAPES, TEXTURES
from seedo.worlds.rooms._placement import SIZE

TILE = 9
VIEW = SIZE * TILE
WALL = 72
AGENT = 255
_REACH = SIZE // 2


def shape_mask(name: str) -> np.ndarray:
    """The outline of a shape, bool [9, 9]."""
    row, column = np.mgrid[:TILE, :TILE]
    up, right = row - 4, column - 4
    across, down = abs(right), abs(up)
    masks = {
        "triangle": 2 * across <= row,
        "square": (across <= 3) & (down <= 3),
        "circle": up**2 + right**2 <= 20,
        "ring": (up**2 + right**2 <= 20) & (up**2 + right**2 >= 5),
        "plus": (across <= 1) | (down <= 1),
        "cross": (abs(up - right) <= 1) | (abs(up + right) <= 1),
        "tee": (row <= 2) | (across <= 1),
        "cup": (row >= 6) | (across >= 2),
        "arch": (row <= 2) | (across >= 2),
        "hook": (column <= 2) | (row >= 6),
        "hourglass": across <= down,
    }
    return masks[name]


def texture_mask(name: str) -> np.ndarray:
    """Where a texture lets its colour through, bool [9, 9]."""
    row, column = np.mgrid[:TILE, :TILE]
    masks = {
        "solid": np.ones((TILE, TILE), bool),
        "striped": row % 2 == 0,
        "barred": column % 2 == 0,
        "chequered": (row + column) % 2 == 0,
        "gridded": (row % 2 == 0) | (column % 2 == 0),
        "speckled": np.random.default_rng(11).random((TILE, TILE)) < 0.6,
    }
    return masks[name]


@functools.cache
def _tiles() -> np.ndarray:
    """Every object's picture, then the agent's, uint8 [19 * 11 * 6 + 1, 9, 27]."""
    shapes = np.array([shape_mask(name) for name in SHAPES])
    textures = np.array([texture_mask(name) for name in TEXTURES])
    drawn = shapes[:, None] & textures
    tiles = drawn[..., None] * np.array(list(COLOURS.values()), np.uint8)[:, None, None, None, None]
    agent = np.full((1, TILE, TILE * 3), AGENT, np.uint8)
    return np.concatenate([tiles.reshape(-1, TILE, TILE * 3), agent])


@functools.cache
def _backgrounds() -> np.ndarray:
    """The room without objects as seen from each square, uint8 [81, 99, 297]."""
    squares = np.zeros((SIZE + 2 * _REACH,) * 2, np.uint8)
    room = squares[_REACH:-_REACH, _REACH:-_REACH]
    room[[0, -1]], room[:, [0, -1]] = WALL, WALL
    views = np.array([squares[r : r + SIZE, c : c + SIZE] for r, c in np.ndindex(10, 10) if r * c])
    views[:, _REACH, _REACH] = AGENT
    return np.repeat(np.repeat(views, TILE, axis=1), 3 * TILE, axis=2)


class Sights(NamedTuple):
    """Which objects are seen, and where: with the agent's place, all that a frame is made of."""

    picture: Int[Array, " 4"]  # of each object, an index into `pictures()`
    place: Int[Array, "4 2"]  # row and column minus the agent's; 0 where it is not seen
    visible: Bool[Array, " 4"]  # neither out of view nor under the agent


def sights(objects: Int[Array, "4 4"], cells: Int[Array, "4 2"], agent: Int[Array, " 2"]) -> Sights:
    """What is seen of a room; arguments as in `Room` and `RoomState`."""
    colour, shape, texture = objects[:, 0], objects[:, 1], objects[:, 2]
    picture = (colour * len(SHAPES) + shape) * len(TEXTURES) + texture
    place = cells - agent
    distance = jnp.abs(place).max(axis=-1)
    visible = (distance <= _REACH) & (distance > 0)
    return Sights(picture, jnp.where(visible[:, None], place, 0), visible)


def pictures() -> np.ndarray:
    """Every picture that an object can have, uint8 [1254, 9, 9, 3]."""
    return _tiles()[:-1].reshape(-1, TILE, TILE, 3)


def backgrounds() -> np.ndarray:
    """Brightness of every square of the room without objects, seen from row and column 1 to 9,
    uint8 [9, 9, 11, 11]."""
    return _backgrounds()[:, ::TILE, :: 3 * TILE].reshape(9, 9, SIZE, SIZE)


def pixels(
    objects: Int[Array, "4 4"], cells: Int[Array, "4 2"], agent: Int[Array, " 2"]
) -> UInt8[Array, "99 99 3"]:
    """The view of a room; arguments as in `Room` and `RoomState`. Fast under `vmap`."""
    seen = sights(objects, cells, agent)
    # What is out of view or under the agent becomes one more picture of the agent.
    tile = jnp.where(seen.visible, seen.picture, len(_tiles()) - 1)
    back = (agent[0] - 1) * 9 + agent[1] - 1
    frame = _frames(back[None], tile[None], seen.place[None] + _REACH)[0]
    return frame.reshape(VIEW, VIEW, 3)


@custom_vmap
def _frames(
    back: Int[Array, " B"], tile: Int[Array, "B 4"], place: Int[Array, "B 4 2"]
) -> UInt8[Array, "B 99 297"]:
    backgrounds, tiles = jnp.asarray(_backgrounds()), jnp.asarray(_tiles())

    def draw(i, frames):
        view = jax.lax.dynamic_slice(backgrounds, (back[i], 0, 0), (1, VIEW, 3 * VIEW))
        frames = jax.lax.dynamic_update_slice(frames, view, (i, 0, 0))
        for o in range(4):
            picture = jax.lax.dynamic_slice(tiles, (tile[i, o], 0, 0), (1, TILE, 3 * TILE))
            corner = (i, TILE * place[i, o, 0], 3 * TILE * place[i, o, 1])
            frames = jax.lax.dynamic_update_slice(frames, picture, corner)
        return frames

    frames = jnp.zeros((back.shape[0], VIEW, 3 * VIEW), jnp.uint8)
    return jax.lax.fori_loop(0, back.shape[0], draw, frames)


@_frames.def_vmap
def _(size, batched, back, tile, place):
    """A batch of batches is one batch."""
    spread = [
        array if own else jnp.broadcast_to(array, (size, *array.shape))
        for array, own in zip((back, tile, place), batched, strict=True)
    ]
    flat = [array.reshape(-1, *array.shape[2:]) for array in spread]
    frames = _frames(*flat)
    return frames.reshape(size, -1, VIEW, 3 * VIEW), True
