"""Worlds by name: ours, and those of plug-ins."""

from __future__ import annotations

from typing import Any

from seedo.errors import UserError
from seedo.plugins import WORLDS as REGISTRY
from seedo.worlds._world import World


def names() -> tuple[str, ...]:
    """Names for `make`: ours, then those of plug-ins."""
    return REGISTRY.names()


def find(name: str) -> type[World]:
    """The class of a world, by its name, as KIND:REST or as `module:Class`.

    Raises:
        UserError: there is none, or it is no world.
    """
    found: Any = REGISTRY.find(_kind(name)[0])
    if not (isinstance(found, type) and issubclass(found, World)):
        brings = REGISTRY.origin(name)
        raise UserError("world", name, f"{brings} gives no subclass of seedo.worlds.World there")
    return found


def kind_of(name: str) -> type[World]:
    """The class of a log's world; `World` itself, with all its defaults, where none of this name
    is here (recorded systems, other people's worlds)."""
    return find(name) if name in REGISTRY or name in _named_here else World


def make(name: str, preset: str | None = None, split: str = "train", **options: object) -> Any:
    """A world by name, e.g. `make("dag", split="heldout-link", n=5)`.

    Args:
        name: one of `names()`, with :REST where the kind takes that, or `module:Class`.
        preset: of that world; None: its first.
        split: of that world.
        options: settings of the world; see `World.settings_of`.

    Raises:
        UserError: no such world, preset, split or setting.
    """
    cls = find(name)
    if rest := _kind(name)[1]:
        options[cls.named_by] = rest
    return _called(cls.make(preset, split, **options), name)


def from_config(name: str, config: dict[str, Any]) -> Any:
    """The world that a log's `world_config` describes.

    Raises:
        UserError: there is none of this name. A log cannot have a module imported: a world that was
            named as `module:Class` has to be named again in this process, or come as a plug-in.
    """
    if ":" in name and name not in _named_here:
        raise UserError("world", name, "a log alone loads no code: make it a plug-in")
    return _called(find(name).from_config(config), name)


def _kind(name: str) -> tuple[str, str]:
    """A name KIND:REST in parts; the whole name and "" where it is none."""
    kind, _, rest = name.partition(":")
    if rest and kind in REGISTRY and getattr(REGISTRY.find(kind), "named_by", ""):
        return kind, rest
    return name, ""


_named_here: set[str] = set()
"""Worlds `module:Class` that somebody asked for in this process."""


def _called(world: World, name: str) -> World:
    """The world, whose logs carry the name that it was asked for by."""
    if ":" in name:
        world.name = name
        _named_here.add(name)
    return world
