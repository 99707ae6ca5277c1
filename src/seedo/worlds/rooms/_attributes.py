"""What objects can look like, where they can stand, and which values are held out."""

from __future__ import annotations

import itertools

import numpy as np

DIMENSIONS = ("colour", "shape", "texture", "position")
"""What objects can differ in."""
COLOUR, SHAPE, TEXTURE, POSITION = range(4)

COLOURS = {  # name: red, green, blue
    "red": (226, 24, 30),
    "green": (20, 158, 40),
    "blue": (32, 60, 232),
    "purple": (122, 20, 160),
    "orange": (255, 134, 0),
    "yellow": (250, 232, 20),
    "brown": (128, 72, 24),
    "pink": (255, 112, 190),
    "cyan": (0, 214, 235),
    "maroon": (104, 0, 32),
    "navy": (14, 16, 108),
    "forest": (0, 84, 44),
    "olive": (128, 132, 0),
    "teal": (0, 132, 132),
    "lavender": (186, 156, 255),
    "peach": (255, 196, 150),
    "lime": (160, 245, 20),
    "mint": (152, 255, 196),
    "magenta": (240, 0, 200),
}
"""Colours by name: red, green, blue, 0 to 255."""
SHAPES = (
    "triangle",
    "square",
    "circle",
    "ring",
    "plus",
    "cross",
    "tee",
    "cup",
    "arch",
    "hook",
    "hourglass",
)
"""Names of shapes."""
TEXTURES = ("solid", "striped", "barred", "chequered", "gridded", "speckled")
"""Solid, horizontal stripes, vertical stripes, checker, grid, noise."""
POSITIONS = ("corner", "x wall", "y wall", "centre")
"""Names of places in a room."""

VALUES = (tuple(COLOURS), SHAPES, TEXTURES, POSITIONS)
"""The names of each dimension's values, in the order of `DIMENSIONS`."""

HELD_OUT = (("orange", "navy", "teal", "mint"), ("ring", "arch"), ("gridded",))
"""About a fifth of the colours, shapes and textures: never in split `train`."""


def value_pairs(dimension: int, split: str) -> np.ndarray:
    """Ordered pairs of different values that a room of this split may show, int32 [P, 2].

    `heldout-values`: both values are held out; where only one is, the pair contains it. Every other
    split: neither is.
    """
    names = VALUES[dimension]
    held = {names.index(name) for name in HELD_OUT[dimension]}
    ordered = itertools.permutations(range(len(names)), 2)
    if split != "heldout-values":
        return np.array([pair for pair in ordered if not held & set(pair)], np.int32)
    needed = min(len(held), 2)
    return np.array([pair for pair in ordered if len(held & set(pair)) == needed], np.int32)
