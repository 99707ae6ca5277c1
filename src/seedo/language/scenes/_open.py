"""A scene for an episode of any world."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seedo.errors import UserError
from seedo.language.scenes._blicket_scene import BlicketScene
from seedo.language.scenes._conditions import Conditions
from seedo.language.scenes._dag_scene import DagScene
from seedo.language.scenes._rooms_scene import RoomsScene
from seedo.language.scenes._scene import Message, Scene

SCENES: dict[str, Any] = {s.world_name: s for s in (DagScene, RoomsScene, BlicketScene)}


def open_scene(
    world: Any,
    seed: int,
    stream: str,
    index: int,
    conditions: Conditions | None = None,
    opening: Sequence[Message] = (),
) -> Scene:
    """Episode `index` of a stream of a world, in words; the one that every other player meets.

    Raises:
        UserError: the world cannot be put into words, or not under these conditions.
    """
    if world.name not in SCENES:
        raise UserError("world", world.name, f"in words: {', '.join(SCENES)}")
    for field in ("rounds", "drift"):
        if field in world.config():
            raise UserError(
                field, world.config()[field], "in words there is one round: leave it out"
            )
    scene: Scene = SCENES[world.name](world, seed, stream, index, conditions, opening)
    return scene
