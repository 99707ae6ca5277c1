"""What a way of drawing variables is."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
from jaxtyping import Array, Float, PRNGKeyArray

LARGEST = 6.0
"""Values up to about this size are told apart in every drawing; beyond, pictures saturate."""


class Drawing(NamedTuple):
    """A way of drawing.

    Attributes:
        shape: of what is shown; pictures have three colours, signals a column a variable.
        draw: (values f32[n], key) -> what is shown without noise, f32[shape], pictures from 0 to 1;
            the key is of what changes from step to step and means nothing (phases, wordings).
        steady: whether the same values always look the same, but for noise.
        reader: what is shown, f32[shape] -> its numbers, f32[D]; NaN: not told this time. None:
            what is shown is numbers itself.
    """

    shape: tuple[int, ...]
    draw: Callable[[Float[Array, " n"], PRNGKeyArray], Float[Array, ...]]
    steady: bool = True
    reader: Callable[[Float[Array, ...]], Float[Array, " D"]] | None = None

    def numbers(self, raw: Float[Array, ...]) -> Float[Array, " D"]:
        """What an encoder is given of what is shown."""
        return raw.reshape(-1) if self.reader is None else self.reader(raw)

    def noisy(
        self, values: Float[Array, " n"], key: PRNGKeyArray, own: PRNGKeyArray, noise: float
    ) -> Float[Array, ...]:
        """What is shown, with noise of a standard deviation: of every number shown; in words, which
        are none, of every variable before it is told.

        Args:
            key: as of `draw`. own: of the noise.
        """
        if self.reader is None:
            return self.draw(values, key) + noise * jax.random.normal(own, self.shape)
        return self.draw(values + noise * jax.random.normal(own, values.shape), key)
