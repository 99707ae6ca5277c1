"""Registries by entry point: what others bring is found by name and loaded when it is used."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from seedo.errors import UserError, in_one_line


@dataclass(frozen=True)
class Registry:
    """Things of one kind by name: our own, and those of installed plug-ins.

    Attributes:
        group: of entry points, e.g. `seedo.worlds`.
        field: what users call such a thing in a command, e.g. `world`.
        own: `module:attribute` of each of ours; a plug-in cannot take their names.
    """

    group: str
    field: str
    own: Mapping[str, str]

    def names(self) -> tuple[str, ...]:
        """All names: ours first, then those of plug-ins in order; nothing is loaded."""
        return (*self.own, *sorted(set(installed(self.group)) - set(self.own)))

    def __contains__(self, name: str) -> bool:
        return name in self.own or name in installed(self.group)

    def find(self, name: str) -> Any:
        """The thing of a name, or at `module:attribute` (any module that can be imported).

        Raises:
            UserError: there is none, or its plug-in cannot be loaded.
        """
        self.check(name)
        if name in self.own:
            return resolve(self.own[name], self.field)
        if (entry := installed(self.group).get(name)) is not None:
            return _loaded(entry, self.field)
        return resolve(name, self.field)

    def check(self, name: str) -> None:
        """Raises UserError for a name that there cannot be; nothing is loaded."""
        if name not in self and ":" not in name:
            raise UserError(self.field, name, f"use one of {', '.join(self.names())}")

    def origin(self, name: str) -> str:
        """Who brings it: `seedo`, or the distribution of a plug-in."""
        entry = None if name in self.own else installed(self.group).get(name)
        return "seedo" if entry is None or entry.dist is None else entry.dist.name


WORLDS = Registry(
    "seedo.worlds",
    "world",
    {
        "dag": "seedo.worlds.dag:DagWorld",
        "raw": "seedo.worlds.raw:RawWorld",
        "through": "seedo.worlds.raw:ThroughWorld",
        "rooms": "seedo.worlds.rooms:RoomsWorld",
        "blicket": "seedo.worlds.blicket:BlicketWorld",
        "plants": "seedo.worlds.plants:PlantsWorld",
        "recorded": "seedo.worlds.recorded:RecordedWorld",
        "external": "seedo.worlds.external:ExternalWorld",
        "surfaces": "seedo.worlds.surfaces:SurfacesWorld",
    },
)
"""Stands here for those who list worlds without loading any."""


def resolve(target: str, field: str) -> Any:
    """What stands at `module:attribute`.

    Raises:
        UserError: it cannot be imported, or has no such attribute.
    """
    module, _, attribute = target.partition(":")
    try:
        found: Any = import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except Exception as error:  # whatever a module of others' does when it is imported
        raise UserError(field, target, f"cannot be imported: {in_one_line(error, 160)}") from error
    return found


@functools.cache
def installed(group: str) -> dict[str, EntryPoint]:
    """The entry points of plug-ins in a group, by name; looked up once."""
    return {entry.name: entry for entry in entry_points(group=group)}


def _loaded(entry: EntryPoint, field: str) -> Any:
    brings = entry.dist.name if entry.dist is not None else entry.value
    try:
        return entry.load()
    except Exception as error:
        remedy = f"plug-in {brings} ({entry.value}) cannot be loaded: {in_one_line(error, 160)}"
        raise UserError(field, entry.name, remedy) from error
