"""Agents that learn to experiment by watching.

Each subpackage loads when it is first used, so that ``import seedo`` stays quick and does not
start JAX: ``from seedo import worlds, experimenters`` or ``seedo.worlds``.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from gymnasium.envs.registration import register

__version__ = "0.1.0"

_SUBPACKAGES = (
    "statistics",
    "tables",
    "episodes",
    "worlds",
    "inference",
    "experimenters",
    "play",
    "learning",
    "evaluation",
    "reports",
    "language",
    "studies",
    "lab",
)

register(
    id="seedo/dag-v0",
    entry_point="seedo.worlds.gym:DagEnv",
    vector_entry_point="seedo.worlds.gym:DagVectorEnv",
)
register(id="seedo/rooms-v0", entry_point="seedo.worlds.rooms.gym:RoomsEnv")


def __getattr__(name: str) -> ModuleType:
    if name in _SUBPACKAGES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBPACKAGES})
