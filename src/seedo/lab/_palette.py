"""How an experimenter is drawn, on every page and in every figure: a colour, a marker and a dash.

The colours are Okabe and Ito's, darker on light paper and lighter on dark paper where they would be
too faint; markers and dashes tell players apart without them.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

_COLOURS = (
    ("#0072b2", "#6ec1f5"),  # blue
    ("#00694c", "#3fc79a"),  # bluish green
    ("#a65200", "#f0a030"),  # orange
    ("#9c3f75", "#e29bc4"),  # reddish purple
    ("#555b63", "#aab0b8"),  # grey, for black
    ("#7a6a00", "#f0e442"),  # yellow
    ("#3b3b8f", "#a9a9ff"),  # between blue and purple, for sky blue
    ("#8a2f2f", "#ff9d9d"),  # vermilion
)
"""On light and on dark paper."""

_MARKERS = "o^sDXvP*"
_DASHES = ((), (5, 2), (1, 1.5), (5, 2, 1, 2), (9, 3), (3, 1, 1, 1, 1, 1), (1, 3), (7, 1))

_PLACES = {
    "bayes:eig": (0, 0),
    "pretrained:dag": (1, 1),
    "scripted:largest-effect": (2, 2),
    "scripted:expert": (3, 3),
    "scripted:random": (4, 4),
    "bayes:goal": (6, 5),
    "pretrained:dag-plain": (5, 6),
    "pretrained:dag-soft": (7, 7),
    "pretrained:dag-text": (5, 4),
    "scripted:total-correlation": (0, 2),
    "scripted:partial-correlation": (3, 6),
    "scripted:slope": (4, 0),
    "scripted:best-outcome": (2, 5),
    "scripted:last-reward": (7, 3),
}
"""Colour, and marker and dash, of those who are known by name: those whom pages open with differ
in all of them."""


class Look(NamedTuple):
    """How one experimenter is drawn.

    Attributes:
        light, dark: colour on light and on dark paper, #rrggbb.
        marker: as Matplotlib names them, one of `o^sDXvP*`.
        dash: lengths of strokes and gaps, in widths of the line; empty: a solid line.
    """

    light: str
    dark: str
    marker: str
    dash: tuple[float, ...]


def look(name: str) -> Look:
    """How the player of this name is drawn; the same everywhere and at any time.

    Args:
        name: as on the command line; any.
    """
    place = _PLACES.get(name)
    if place is None:
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4])
        place = number % len(_COLOURS), number // len(_COLOURS) % len(_MARKERS)
    colour, line = place
    return Look(*_COLOURS[colour], _MARKERS[line], _DASHES[line])
