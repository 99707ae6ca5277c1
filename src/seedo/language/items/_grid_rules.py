"""The family of rules that change a grid; grids are int8[rows, columns], 0 is the background.

A rule is a change of shape followed by a recolouring (a function of colour, the background
included). Changes of shape:

- `same`; `mirror` left-right or up-down; `transpose` about either diagonal; `turn` by 90, 180, 270;
- `move` by up to two places each way, what leaves the grid is lost; `roll`: it comes in again;
- `fall` in one of four directions: colours drop through background to the border or each other;
- `fill`: background that does not reach the border (over edges) takes a colour;
- `beam` in one of four directions: every colour runs on through background until it meets a colour;
- `double`: every cell becomes two by two; `crop` to the smallest box that holds all colours;
- `append` the mirror image at the right or below.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

COLOURS = 5
NEW = COLOURS
"""What `fill` leaves behind; the recolouring makes a colour of it."""
DIRECTIONS = ("up", "down", "left", "right")

Grid = np.ndarray


class Shape(NamedTuple):
    """A change of shape; `how` as the name needs."""

    name: str
    how: tuple[int | str, ...] = ()


_OFFSETS = [o for o in itertools.product(range(-2, 3), repeat=2) if o != (0, 0)]

SHAPES = (
    Shape("same"),
    *(Shape("mirror", (axis,)) for axis in (0, 1)),
    *(Shape("transpose", (diagonal,)) for diagonal in ("main", "anti")),
    *(Shape("turn", (quarters,)) for quarters in (1, 2, 3)),
    *(Shape("move", offset) for offset in _OFFSETS),
    *(Shape("roll", offset) for offset in _OFFSETS),
    *(Shape("fall", (direction,)) for direction in DIRECTIONS),
    Shape("fill"),
    *(Shape("beam", (direction,)) for direction in DIRECTIONS),
    Shape("double"),
    Shape("crop"),
    *(Shape("append", (axis,)) for axis in (0, 1)),
)

_TURNS = {"up": 0, "right": 1, "down": 2, "left": 3}
"""Quarter turns, counter-clockwise, after which a direction points up."""


def reshape(shape: Shape, grid: Grid) -> Grid:
    """The grid after a change of shape."""
    how = shape.how
    if shape.name == "mirror":
        return np.flip(grid, int(how[0]))
    if shape.name == "transpose":
        return grid.T if how[0] == "main" else np.rot90(grid, 2).T
    if shape.name == "turn":
        return np.rot90(grid, int(how[0]))
    if shape.name in ("move", "roll"):
        return _displaced(grid, int(how[0]), int(how[1]), around=shape.name == "roll")
    if shape.name in ("fall", "beam"):
        quarters = _TURNS[str(how[0])]
        upwards = np.rot90(grid, quarters)
        return np.rot90(_fallen(upwards) if shape.name == "fall" else _beamed(upwards), -quarters)
    if shape.name == "fill":
        return np.where(_enclosed(grid), np.int8(NEW), grid)
    if shape.name == "double":
        return np.kron(grid, np.ones((2, 2), np.int8))
    if shape.name == "crop":
        rows, columns = (np.flatnonzero(grid.any(axis)) for axis in (1, 0))
        return grid[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if len(rows) else grid
    if shape.name == "append":
        return np.concatenate([grid, np.flip(grid, int(how[0]))], axis=int(how[0]))
    return grid


def _displaced(grid: Grid, down: int, right: int, around: bool) -> Grid:
    rows, columns = (
        np.arange(size) - by for size, by in zip(grid.shape, (down, right), strict=True)
    )
    moved = grid[np.ix_(rows % len(rows), columns % len(columns))]
    if not around:
        moved[(rows < 0) | (rows >= len(rows))] = 0
        moved[:, (columns < 0) | (columns >= len(columns))] = 0
    return moved


def _fallen(grid: Grid) -> Grid:
    """Colours dropped to the top."""
    order = np.argsort(grid == 0, axis=0, kind="stable")
    return np.take_along_axis(grid, order, axis=0)


def _beamed(grid: Grid) -> Grid:
    """Every colour run on upwards."""
    beamed = grid.copy()
    for row in range(len(grid) - 2, -1, -1):
        beamed[row] = np.where(grid[row] == 0, beamed[row + 1], grid[row])
    return beamed


def _enclosed(grid: Grid) -> Grid:
    """bool[rows, columns]: background from which no way over background leads outside."""
    free = np.pad(grid == 0, 1, constant_values=True)
    reached = np.zeros_like(free)
    reached[0, 0] = True
    while True:
        spread = reached.copy()
        spread[1:] |= reached[:-1]
        spread[:-1] |= reached[1:]
        spread[:, 1:] |= reached[:, :-1]
        spread[:, :-1] |= reached[:, 1:]
        spread &= free
        if (spread == reached).all():
            return (free & ~reached)[1:-1, 1:-1]
        reached = spread


def recolouring(pairs: list[tuple[Grid, Grid]]) -> dict[int, int] | None:
    """The function of colour that makes the second grid of each pair of the first; None: none."""
    mapping: dict[int, int] = {}
    for before, after in pairs:
        if before.shape != after.shape:
            return None
        for one, other in set(zip(before.ravel().tolist(), after.ravel().tolist(), strict=True)):
            if mapping.setdefault(one, other) != other:
                return None
    return mapping


def answers(examples: list[tuple[Grid, Grid]], question: Grid) -> set[tuple | None]:
    """What the rules of the family that fit all examples make of the question, as nested tuples;
    None stands for a rule that fits but would have to recolour a colour the examples lack."""
    found: set[tuple | None] = set()
    for shape in SHAPES:
        first, second = examples[0]
        if recolouring([(reshape(shape, first), second)]) is None:
            continue
        mapping = recolouring([(reshape(shape, before), after) for before, after in examples])
        if mapping is None:
            continue
        shaped = reshape(shape, question)
        if not set(shaped.ravel().tolist()) <= set(mapping):
            found.add(None)
        else:
            found.add(tuple(tuple(mapping[c] for c in row) for row in shaped.tolist()))
    return found
