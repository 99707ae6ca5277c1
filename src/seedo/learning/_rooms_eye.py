"""Objects from pixels: where to look is fixed, what is seen there is learnt.

The eye is drawn to squares whose picture is rare in view (at most as often as there are objects);
floor and walls are not. What a picture shows, and in which respects two pictures are alike, is for
the network to learn. A sorting eye puts pictures, in each of a few respects, under as many kinds as
there are words, and its network says what it says by these kinds: a texture that the words are
silent about is then nothing to tell two objects apart by.
"""

from __future__ import annotations

from typing import NamedTuple, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, UInt8
from numpy.typing import NDArray

from seedo.learning._layers import GatedMLP, Linear
from seedo.worlds.rooms import Sights, backgrounds, pictures

OBJECTS = 4
SIDE = 11  # squares of the view
TILE = 9  # pixels of a square
MIDDLE = SIDE * SIDE // 2
"""The agent's own square."""
_HASH = np.random.default_rng(5).integers(1, 2**32, 3 * TILE * TILE, dtype=np.uint32) | 1


class Glimpse(NamedTuple):
    """What the eye takes from a frame."""

    # Of the squares it is drawn to: their bytes, or (integers) which of the world's they are.
    pictures: UInt8[Array, "*steps O f"] | Int[Array, "*steps O"]
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


def glimpse_of(seen: Sights, agent: Int[Array, " 2"]) -> Glimpse:
    """The same, of the frame that shows this, without drawing it.

    A picture is given by its number, so that one that is seen a thousand times is looked at once.
    """
    square = (seen.place + SIDE // 2) @ jnp.asarray([SIDE, 1])
    order = jnp.argsort(jnp.where(seen.visible, square, SIDE * SIDE))
    picture, place, visible = (array[order] for array in seen)
    here = (jnp.arange(SIDE * SIDE)[:, None] == square[order]) & visible
    middles = jnp.asarray(_flat()[:, 3 * TILE * TILE // 2])[picture]
    empty = jnp.asarray(backgrounds().reshape(9, 9, SIDE * SIDE))[agent[0] - 1, agent[1] - 1]
    shown = (here * middles).sum(-1).astype(empty.dtype)
    brightness = jnp.where(here.any(-1), shown, empty)
    return Glimpse(picture, place.astype(jnp.int32), visible, brightness)


def _flat() -> NDArray[np.uint8]:
    """Every picture that an object can have, uint8 [1254, f]."""
    return pictures().reshape(-1, 3 * TILE * TILE)


class Eye(eqx.Module):
    """Codes of pictures: every square by the same weights, a convolution of stride 9.

    Attributes:
        known: codes of all the world's pictures, where they have been worked out beforehand.
    """

    inward: Linear
    mlp: GatedMLP
    outward: Linear
    around: Linear
    known: Float[Array, "p ..."] | None

    def __init__(self, width: int, code: int, size: int, key: PRNGKeyArray) -> None:
        keys = jax.random.split(key, 4)
        self.inward = Linear(3 * TILE * TILE, width, keys[0])
        self.mlp = GatedMLP(width, 2 * width, keys[1])
        self.outward = Linear(width, code, keys[2])
        self.around = Linear(SIDE * SIDE, size, keys[3])
        self.known = None

    def codes(self, pictures: Array) -> Float[Array, "*steps O *c"]:
        """Pictures as in `Glimpse`."""
        if pictures.dtype == jnp.uint8:
            return self._codes(pictures)
        known = self._all_codes() if self.known is None else self.known
        return known[pictures]

    def knowing(self) -> Self:
        """An eye that has worked out the codes of all pictures, for who looks step by step."""
        known = self._all_codes()
        return eqx.tree_at(lambda eye: eye.known, self, known, is_leaf=lambda x: x is None)

    def _all_codes(self) -> Float[Array, "p ..."]:
        return self._codes(jnp.asarray(_flat()))

    def _codes(self, pictures: UInt8[Array, "*axes f"]) -> Float[Array, "*axes *c"]:
        x = self.inward(pictures.astype(jnp.float32) / 128.0)
        return self.outward(x + self.mlp(x))

    def surroundings(self, brightness: UInt8[Array, "*steps q"]) -> Float[Array, "*steps d"]:
        return self.around(brightness.astype(jnp.float32) / 128.0)


class SortingEye(Eye):
    """Its codes are probabilities of kinds in a few respects [D, k]."""

    respects: int = eqx.field(static=True)

    def __init__(self, respects: int, kinds: int, size: int, key: PRNGKeyArray) -> None:
        super().__init__(96, respects * kinds, size, key)
        self.respects = respects

    def _codes(self, pictures: UInt8[Array, "*axes f"]) -> Float[Array, "*axes D k"]:
        x = super()._codes(pictures)
        return jax.nn.softmax(x.reshape(*x.shape[:-1], self.respects, -1), -1)
