"""Agents that learn to experiment by watching.

Each subpackage loads when it is first used, so that ``import understudy`` stays quick and does not
start JAX: ``from understudy import worlds, experimenters`` or ``understudy.worlds``.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from gymnasium.envs.registration import register

__version__ = "0.1.0"

_SUBPACKAGES = (
    "worlds",
    "episodes",
    "inference",
    "experimenters",
    "learning",
    "evaluation",
    "language",
    "studies",
    "lab",
)

register(
    id="understudy/dag-v0",
    entry_point="understudy.worlds.gym:DagEnv",
    vector_entry_point="understudy.worlds.gym:DagVectorEnv",
)
register(id="understudy/rooms-v0", entry_point="understudy.worlds.rooms.gym:RoomsEnv")


def __getattr__(name: str) -> ModuleType:
    if name in _SUBPACKAGES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBPACKAGES})
