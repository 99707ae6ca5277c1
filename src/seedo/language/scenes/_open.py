"""A scene for an episode of any world: ours, those that plug-ins bring, or one from the spec."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from seedo.errors import UserError
from seedo.language.scenes._conditions import Conditions
from seedo.language.scenes._plain_scene import PlainScene
from seedo.language.scenes._scene import Message, Scene
from seedo.plugins import Registry

SCENES = Registry(
    "seedo.scenes",
    "scene",
    {
        "dag": "seedo.language.scenes._dag_scene:DagScene",
        "rooms": "seedo.language.scenes._rooms_scene:RoomsScene",
        "blicket": "seedo.language.scenes._blicket_scene:BlicketScene",
    },
)
"""Scenes by the name of a world, or of its family; a plug-in names the class of its own."""


def scene_of(world: Any) -> type[Scene]:
    """The class that puts episodes of a world into words.

    Raises:
        UserError: a plug-in's cannot be loaded, or is no scene; or nobody speaks of such a world.
    """
    name = next((own for own in (world.name, world.family) if own in SCENES), None)
    if name is None and world.spec.space is not None:
        remedy = "its knobs are set all at once; who speaks sets one variable a step"
        raise UserError("world", world.name, remedy)
    found: Any = PlainScene if name is None else SCENES.find(name)
    if not (isinstance(found, type) and issubclass(found, Scene)):
        remedy = f"{SCENES.origin(str(name))} gives no subclass of seedo.language.Scene there"
        raise UserError("scene", name, remedy)
    return found


def _one_world(world: Any, config: str) -> Any:
    """The first world of this class and configuration: worlds are compiled once for each object."""
    key = (type(world), config)
    if key not in _worlds:
        if len(_worlds) >= _MOST_WORLDS:
            _worlds.pop(next(iter(_worlds)))
        _worlds[key] = world
    return _worlds[key]


_MOST_WORLDS = 32
_worlds: dict[tuple[type, str], Any] = {}


def open_scene(
    world: Any,
    seed: int,
    stream: str,
    index: int,
    conditions: Conditions | None = None,
    opening: Sequence[Message] = (),
) -> Any:
    """Episode `index` of a stream of a world, in words; the one that every other player meets.

    The result is a `Scene`. Worlds of one class and configuration are taken for the same, so that
    they are compiled once.

    Raises:
        UserError: the world cannot be put into words, or not under these conditions.
    """
    kind: Any = scene_of(world)
    config = world.config()
    if not world.host:
        world = _one_world(world, json.dumps(config, sort_keys=True, default=str))
    for field in kind.untold:
        if field in config:
            raise UserError(field, config[field], "not in words: leave it out")
    return kind(world, seed, stream, index, conditions, opening)
