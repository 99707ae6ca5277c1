"""An item on stage, for our own players."""

from __future__ import annotations

import zlib

import numpy as np

from seedo.language.items._item import Item
from seedo.language.scenes import CANNOT


class ItemPerformance:
    """`scripted:expert` knows the answer, `scripted:random` draws one; others play no items."""

    def __init__(self, item: Item) -> None:
        self.item = item

    def line(self, player: str, seed: int) -> str:
        """What the player replies; CANNOT where it plays worlds only."""
        if player == "scripted:expert":
            return f"Answer: {self.item.gold}"
        if player == "scripted:random":
            rng = np.random.default_rng([seed, zlib.crc32(self.item.id.encode())])
            return f"Answer: {self.item.form.draw(rng)}"
        return CANNOT
