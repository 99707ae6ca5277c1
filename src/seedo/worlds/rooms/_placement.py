"""Where four objects can stand: every placement, listed once.

A room is 11 x 11 squares with a ring of walls; rows and columns 1..9 are free. Objects are at least
three king's moves apart, so that a square touches at most one of them and none is shut in.
"""

from __future__ import annotations

import functools
import itertools
from typing import NamedTuple

import numpy as np

SIZE = 11
APART = 3

CLASS_CELLS: tuple[tuple[tuple[int, int], ...], ...] = (
    tuple(itertools.product((1, 9), (1, 9))),
    tuple(itertools.product((1, 9), range(3, 8))),
    tuple(itertools.product(range(3, 8), (1, 9))),
    tuple(itertools.product(range(3, 8), range(3, 8))),
)
"""The squares (row, column) of each position class, in the order of `POSITIONS`."""


class Placements(NamedTuple):
    """Placements by the classes of their four slots; sizes[p] of them from offset[p]."""

    classes: np.ndarray  # int32 [P, 4]
    offset: np.ndarray  # int32 [P]
    sizes: np.ndarray  # int32 [P]
    cells: np.ndarray  # uint32 [N]: slot s in byte s, 16 * row + column


@functools.cache
def placements(first: int) -> Placements:
    """All placements of `first` (1 or 2) objects of one class and 4 - `first` of another.

    Slots of one class are interchangeable, so each set of squares is listed once.
    """
    classes, tables = [], []
    for one, other in itertools.permutations(range(4), 2):
        if first == 2 and one > other:
            continue
        classes.append((one,) * first + (other,) * (4 - first))
        tables.append(_pattern(one, first, other, 4 - first))
    sizes = np.array([len(table) for table in tables], np.int32)
    return Placements(
        classes=np.array(classes, np.int32),
        offset=(np.cumsum(sizes) - sizes).astype(np.int32),
        sizes=sizes,
        cells=np.concatenate(tables),
    )


def _pattern(one: int, n_one: int, other: int, n_other: int) -> np.ndarray:
    left, right = _spread(one, n_one), _spread(other, n_other)
    gaps = np.abs(left[:, None, :, None] - right[None, :, None, :]).max(axis=-1)
    i, j = np.nonzero(gaps.min(axis=(2, 3)) >= APART)
    together = np.concatenate([left[i], right[j]], axis=1).astype(np.uint32)
    codes = 16 * together[..., 0] + together[..., 1]
    return (codes << (8 * np.arange(4, dtype=np.uint32))).sum(axis=1, dtype=np.uint32)


def _spread(kind: int, n: int) -> np.ndarray:
    """Sets of n squares of one class that are far enough apart, [M, n, 2]."""
    cells = np.array(CLASS_CELLS[kind])
    sets = cells[np.array(list(itertools.combinations(range(len(cells)), n)))]
    gaps = np.abs(sets[:, :, None] - sets[:, None]).max(axis=-1)
    gaps[:, np.arange(n), np.arange(n)] = SIZE
    return sets[gaps.min(axis=(1, 2)) >= APART]
