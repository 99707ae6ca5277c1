"""A trained agent by name, for a world."""

from __future__ import annotations

from typing import Any

from seedo.learning._agent import load_agent
from seedo.learning._rooms_agent import load_rooms_agent


def find_agent(name: str, world: Any, greedy: bool, seed: int) -> Any:
    """The agent of a name or folder that plays in this family of worlds.

    Raises:
        UserError: there is none, it is damaged, or it plays elsewhere.
    """
    load: Any = {"rooms": load_rooms_agent}.get(world.family, load_agent)
    return load(name, greedy)
