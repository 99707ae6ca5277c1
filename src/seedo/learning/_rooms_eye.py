"""Objects from pixels: where to look is fixed, what is seen there is learnt.

The eye is drawn to squares whose picture is rare in view (at most as often as there are objects);
floor and walls are not. What a picture shows, and in which respects two pictures are alike, is for
the network to learn.
"""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, UInt8

from seedo.learning._layers import GatedMLP, Linear

OBJECTS = 4
SIDE = 11  # squares of the view
TILE = 9  # pixels of a square
MIDDLE = SIDE * SIDE // 2
"""The agent's own square."""
_HASH = np.random.default_rng(5).integers(1, 2**32, 3 * TILE * TILE, dtype=np.uint32) | 1


class Glimpse(NamedTuple):
    """What the eye takes from a frame."""

    pictures: UInt8[Array, "*steps O f"]  # of the squares it is drawn to
    place: Int[Array, "*steps O 2"]  # their row and column minus the agent's
    present: Bool[Array, "*steps O"]  # false where fewer squares drew it
    brightness: UInt8[Array, "*steps q"]  # of all squares: where the walls are


def glimpse(frame: UInt8[Array, "99 99 3"]) -> Glimpse:
    """What the eye takes from one frame."""
    squares = frame.reshape(SIDE, TILE, SIDE, TILE, 3).swapaxes(1, 2).reshape(SIDE * SIDE, -1)
    name = (squares.astype(jnp.uint32) * _HASH).sum(-1)
    often = (name[:, None] == name).sum(-1)
    rare = (often <= OBJECTS) & (jnp.arange(len(often)) != MIDDLE)
    present, index = jax.lax.top_k(rare.astype(jnp.int32), OBJECTS)
    place = jnp.stack([index // SIDE, index % SIDE], -1) - SIDE // 2
    seen = present > 0
    place = jnp.where(seen[:, None], place, 0)
    middles = squares[:, squares.shape[1] // 2]
    return Glimpse(squares[index], place.astype(jnp.int32), seen, middles)


class Eye(eqx.Module):
    """Codes of pictures in a few respects, each of unit length."""

    inward: Linear
    mlp: GatedMLP
    outward: Linear
    around: Linear
    respects: int = eqx.field(static=True)

    def __init__(self, respects: int, code: int, size: int, key: PRNGKeyArray) -> None:
        keys = jax.random.split(key, 4)
        width = 96
        self.respects = respects
        self.inward = Linear(3 * TILE * TILE, width, keys[0])
        self.mlp = GatedMLP(width, 2 * width, keys[1])
        self.outward = Linear(width, respects * code, keys[2])
        self.around = Linear(SIDE * SIDE, size, keys[3])

    def codes(self, pictures: UInt8[Array, "*steps O f"]) -> Float[Array, "*steps O D c"]:
        x = self.inward(pictures.astype(jnp.float32) / 128.0)
        x = self.outward(x + self.mlp(x))
        x = x.reshape(*x.shape[:-1], self.respects, -1)
        return x * jax.lax.rsqrt((x * x).sum(-1, keepdims=True) + 1e-6)

    def surroundings(self, brightness: UInt8[Array, "*steps q"]) -> Float[Array, "*steps d"]:
        return self.around(brightness.astype(jnp.float32) / 128.0)
