"""Playing many episodes in parts of one size, so that a program is compiled once."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def in_parts(play: Callable[[jax.Array], Any], start: int, count: int, most: int) -> Any:
    """`play` of the episodes start..start+count-1, as NumPy arrays with a leading episode axis.

    It gets the numbers of at most `most` episodes at a time, always equally many; the parts after
    the first run on all processor cores.
    """
    size = min(most, 1 << max(count - 1, 0).bit_length())

    def part(first: int) -> Any:
        played = play(jnp.arange(first, first + size))
        keep = min(size, start + count - first)
        return jax.tree.map(lambda a: np.asarray(a)[:keep], played)

    first, *others = range(start, start + count, size)
    parts = [part(first)]
    if others:
        with ThreadPoolExecutor(min(os.cpu_count() or 1, len(others))) as pool:
            parts += pool.map(part, others)
    return jax.tree.map(lambda *columns: np.concatenate(columns), *parts)
