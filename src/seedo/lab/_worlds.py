"""What each world offers to the pages, by name: the one place that asks which world it is."""

from __future__ import annotations

import functools

from seedo.lab._blickets import Blicket
from seedo.lab._causes import Causes
from seedo.lab._raw import Raw, Through
from seedo.lab._rooms import Rooms
from seedo.lab._shown import Shown

_WORLDS: dict[str, type[Shown]] = {
    "dag": Causes,
    "rooms": Rooms,
    "blicket": Blicket,
    "raw": Raw,
    "through": Through,
}


@functools.cache
def shown_as(world: str) -> Shown:
    """How a world is shown; whichever is not ours, by what all worlds have in common."""
    return _WORLDS.get(world.partition(":")[0], Shown)(world)
