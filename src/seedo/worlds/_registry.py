"""Worlds by name: ours, and those of plug-ins."""

from __future__ import annotations

import functools
from typing import Any

from seedo.errors import UserError
from seedo.plugins import WORLDS as REGISTRY
from seedo.worlds._world import World


def names() -> tuple[str, ...]:
    """Names for `make`: ours, then those of plug-ins."""
    return REGISTRY.names()


def plain_names() -> tuple[str, ...]:
    """Those names that nothing has to follow; a plug-in that cannot be loaded is among them."""
    return _plain(names())


@functools.cache
def _plain(known: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in known if not _wants_more(name))


def _wants_more(name: str) -> bool:
    try:
        return bool(find(name).named_by)
    except UserError:
        return False


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


def kind_of(name: str, config: str = "{}") -> type[World]:
    """The class of a log's world; `World` itself, with all its defaults, where none of this name
    is here (imported logs, other people's worlds).

    Args:
        name: of the world.
        config: its `world_config`; a world KIND:REST has one that is not empty, where a log that
            was imported under such a name says nothing.
    """
    kind, rest = _kind(name)
    if rest:
        return find(kind) if config.strip() not in ("", "{}") else World
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
    kind, rest = _kind(name)
    if rest:
        rest = cls.spelt(rest)
        name = f"{kind}:{rest}"
        options[cls.named_by] = rest
    return _called(cls.make(preset, split, **options), name)


def from_config(name: str, config: dict[str, Any]) -> Any:
    """The world that a log's `world_config` describes.

    Raises:
        UserError: there is none of this name. A log cannot have a module imported: a world that was
            named as `module:Class`, or is called from outside, has to be named again in this
            process, or come as a plug-in.
    """
    kind, rest = _kind(name)
    cls = find(kind) if rest or name in REGISTRY else None
    remade = cls is not None and bool(rest) and cls.remade
    unnamed = cls is not None and bool(cls.named_by) and not rest
    if unnamed or (":" in name and name not in _named_here and not remade):
        raise UserError("world", name, _ALONE)
    if cls is not None and rest:  # what the name says, whatever the settings say
        rest = cls.spelt(rest)
        name = f"{kind}:{rest}"
        config = config | {cls.named_by: rest}
    return _called(find(name).from_config(config), name)


def _kind(name: str) -> tuple[str, str]:
    """A name KIND:REST in parts; the whole name and "" where it is none."""
    kind, _, rest = name.partition(":")
    if rest and kind in REGISTRY and getattr(REGISTRY.find(kind), "named_by", ""):
        return kind, rest
    return name, ""


_ALONE = "a log alone loads and calls nothing: name the world, or make it a plug-in"
_named_here: set[str] = set()
"""Worlds `module:Class` that somebody asked for in this process."""


def _called(world: World, name: str) -> World:
    """The world, whose logs carry the name that it was asked for by."""
    if ":" in name:
        world.name = name
        _named_here.add(name)
    return world
