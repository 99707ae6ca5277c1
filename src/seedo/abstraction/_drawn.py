"""What is drawn for interchange: which other episode, and which levers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def partners(
    goal: NDArray[np.int64], drawn: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of every episode two others with its goal; itself where there are none."""
    first, second = np.arange(len(goal)), np.arange(len(goal))
    for at in np.unique(goal):
        own = drawn.permutation(np.flatnonzero(goal == at))
        first[own], second[own] = np.roll(own, 1), np.roll(own, 2)
    return first, second


def levers_of(goal: NDArray[np.int64], n: int, drawn: np.random.Generator) -> NDArray[np.bool_]:
    """Some levers of every goal, bool[B, n]; at least one."""
    chosen = drawn.random((len(goal), n)) < 0.5
    one = (goal + 1 + drawn.integers(n - 1, size=len(goal))) % n
    chosen[np.arange(len(goal)), one] = True
    chosen[np.arange(len(goal)), goal] = False
    return chosen
