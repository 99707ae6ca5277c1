"""Many small draws from one random word: random bits are what sampling a room costs most."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Int, UInt32


class Draws:
    """Takes draws from a 32-bit word, most significant first.

    The word is a fraction of 2^32; n times it has the draw before the binary point and the fraction
    for the next draw after it. Draws of n1, n2, ... are uniform to within n1 n2 ... / 2^32.
    """

    def __init__(self, word: UInt32[Array, ""]) -> None:
        self._word = word

    def below(self, n: Int[Array, ""] | int) -> Int[Array, ""]:
        """A whole number from 0 to n - 1, int32; n < 2^16."""
        n = jnp.asarray(n, jnp.uint32)
        high, low = self._word >> 16, self._word & 0xFFFF
        middle = high * n + ((low * n) >> 16)
        self._word = self._word * n
        return (middle >> 16).astype(jnp.int32)
