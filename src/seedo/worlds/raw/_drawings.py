"""How variables are shown: pictures, signals, a mixture, words; pure JAX, one step each.

What shows which variable, where, in which colour and which way round is drawn from a seed of the
drawing, and is the same in all systems of a world.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from seedo.worlds.raw._drawing import LARGEST, Drawing
from seedo.worlds.raw._words import words

SIDE = 32
"""Height and width of a picture, pixels."""
SAMPLES = 64
"""Samples of a signal."""


def drawing(name: str, n: int, seed: int) -> Drawing:
    """The drawing of a name for n variables, one of `DRAWINGS`."""
    return DRAWINGS[name](n, np.random.default_rng([seed, n]))


def _gauges(n: int, rng: np.random.Generator) -> Drawing:
    """Dials with a needle, one in each square of a grid."""
    cells = _Cells(n, rng)
    turn, zero = rng.choice([-1.0, 1.0], n), rng.uniform(0, 2 * np.pi, n)
    length, far = 0.46 * cells.width, (cells.points**2).sum(-1)

    def draw(values: Array, key: Array) -> Array:
        angle = jnp.asarray(zero) + jnp.asarray(turn) * 2.4 * jnp.tanh(values / LARGEST)
        down, right = jnp.sin(angle)[:, None, None], jnp.cos(angle)[:, None, None]
        along = down * cells.points[..., 0] + right * cells.points[..., 1]
        foot = jnp.clip(along, 0.0, length)
        off = far + foot * (foot - 2 * along)  # squared distance from the needle
        return cells.placed(jnp.exp(-off / 1.3))

    return Drawing((SIDE, SIDE, 3), draw)


def _lamps(n: int, rng: np.random.Generator) -> Drawing:
    """Lamps that are brighter or darker, one in each square of a grid."""
    cells = _Cells(n, rng)
    way = rng.choice([-1.0, 1.0], n)
    glow = np.exp(-(cells.points**2).sum(-1) / (2 * (0.3 * cells.width) ** 2))

    def draw(values: Array, key: Array) -> Array:
        bright = jax.nn.sigmoid(jnp.asarray(way) * values / 2.5)
        return cells.placed(bright[:, None, None] * jnp.asarray(glow))

    return Drawing((SIDE, SIDE, 3), draw)


def _parts(n: int, rng: np.random.Generator) -> Drawing:
    """Round parts that slide on straight tracks through the whole picture; they may overlap."""
    colours = _colours(n, rng)
    angle = rng.permutation(n) * np.pi / n + rng.uniform(0, np.pi)
    direction = rng.choice([-1.0, 1.0], n)[:, None] * np.stack([np.sin(angle), np.cos(angle)], -1)
    middle = (SIDE - 1) / 2 + 5.0 * np.stack([np.cos(angle), -np.sin(angle)], -1)
    axis = np.arange(SIDE, dtype=np.float32)

    def draw(values: Array, key: Array) -> Array:
        moved = 11.0 * jnp.tanh(values / LARGEST)[:, None] * jnp.asarray(direction)
        at = jnp.asarray(middle) + moved  # [n, 2]
        down = 3 * jnp.exp(-((axis - at[:, :1]) ** 2) / 5.0)  # [n, SIDE]
        across = jnp.exp(-((axis - at[:, 1:]) ** 2) / 5.0)
        light = (across[:, :, None] * jnp.asarray(colours)[:, None]).reshape(n, -1)
        # Summed part by part: over a batch, many small products are several times as slow.
        total = sum((down[i][:, None] * light[i] for i in range(n)), jnp.zeros((), jnp.float32))
        return (total / (1 + total)).reshape(SIDE, SIDE, 3)

    return Drawing((SIDE, SIDE, 3), draw)


def _signals(n: int, rng: np.random.Generator) -> Drawing:
    """A tone a variable, as a microphone hears it: its loudness tells, its phase does not."""
    place = rng.permutation(n)
    pitch = 3 + 2 * rng.permutation(n)  # cycles in all samples
    way = rng.choice([-1.0, 1.0], n)
    time = np.arange(SAMPLES)[:, None] / SAMPLES

    def draw(values: Array, key: Array) -> Array:
        phase = jax.random.uniform(key, (n,), maxval=2 * jnp.pi)
        loud = 0.1 + jax.nn.sigmoid(jnp.asarray(way) * values / 2.5)
        heard = loud * jnp.sin(2 * jnp.pi * pitch * time + phase)
        return heard[:, jnp.asarray(place)]

    return Drawing((SAMPLES, n), draw, steady=False)


def _mixture(n: int, rng: np.random.Generator) -> Drawing:
    """Numbers that are smooth functions of all variables at once.

    h = W x with orthonormal columns, h + sin(h) / 2, which is monotone in each, and a rotation: no
    two states look alike.
    """
    size = 4 * n
    spread = np.linalg.qr(rng.normal(size=(size, size)))[0][:, :n] * np.sqrt(size / n) / 2
    rotation = np.linalg.qr(rng.normal(size=(size, size)))[0]

    def draw(values: Array, key: Array) -> Array:
        h = jnp.asarray(spread, jnp.float32) @ values
        return jnp.asarray(rotation, jnp.float32) @ (h + jnp.sin(h) / 2)

    return Drawing((size,), draw)


DRAWINGS: dict[str, Callable[[int, np.random.Generator], Drawing]] = {
    "gauges": _gauges,
    "lamps": _lamps,
    "parts": _parts,
    "signals": _signals,
    "mixture": _mixture,
    "words": words,
}
"""Ways of drawing n variables, by name."""
REACH = {"lamps": 9.0, "signals": 9.0, "words": 9.0}
"""Size of the largest value that a drawing tells from larger ones, where less than knobs could
be set to."""


def _colours(n: int, rng: np.random.Generator) -> np.ndarray:
    """A colour for each, f64[n, 3], none of them dark."""
    hue = (rng.permutation(n) / n + rng.uniform())[:, None] + np.array([0, 1 / 3, 2 / 3])
    return 0.35 + 0.65 * (0.5 + 0.5 * np.cos(2 * np.pi * hue))


class _Cells:
    """The squares of a grid, one a variable, some perhaps empty.

    Attributes:
        width: of a square, pixels. points: of a square, from its middle, f32[width, width, 2].
    """

    def __init__(self, n: int, rng: np.random.Generator) -> None:
        self.side = int(np.ceil(np.sqrt(n)))
        self.width = SIDE // self.side
        axis = np.arange(self.width, dtype=np.float32) - (self.width - 1) / 2
        self.points = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1)
        self._shows = np.full(self.side**2, n)  # n: nothing
        self._shows[rng.permutation(self.side**2)[:n]] = np.arange(n)
        colours = np.concatenate([_colours(n, rng), np.zeros((1, 3))]).astype(np.float32)
        squares = colours[self._shows].reshape(self.side, self.side, 3)
        self._colours = squares.repeat(self.width, 0).repeat(self.width, 1)

    def placed(self, drawn: Float[Array, "n w w"]) -> Float[Array, "32 32 3"]:
        """Squares in their places and colours."""
        side, width = self.side, self.width
        grid = jnp.concatenate([drawn, jnp.zeros((1, width, width), drawn.dtype)])[self._shows]
        whole = grid.reshape(side, side, width, width).swapaxes(1, 2).reshape(side * width, -1)
        margin = SIDE - side * width
        return jnp.pad(whole[..., None] * self._colours, ((0, margin), (0, margin), (0, 0)))
