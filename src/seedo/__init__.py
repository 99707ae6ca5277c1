"""Agents that learn to experiment by watching.

Each subpackage loads when it is first used, so that ``import seedo`` stays quick and does not
start JAX: ``from seedo import worlds, experimenters`` or ``seedo.worlds``.
"""

from __future__ import annotations

import re
from importlib import import_module
from types import ModuleType

from gymnasium.envs.registration import register

from seedo.plugins import WORLDS

__version__ = "0.1.0"

_SUBPACKAGES = (
    "recipes",
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


def _register_environments() -> None:
    """Every world as `seedo/WORLD-v0`, those of plug-ins too; none is imported."""
    for name in WORLDS.names():
        if not re.fullmatch(r"[\w.-]+", name):  # what Gymnasium would not take, from a plug-in
            continue
        register(
            id=f"seedo/{name}-v0",
            entry_point="seedo.play.gym:environment",
            vector_entry_point="seedo.play.gym:environments",
            kwargs={"world": name},
        )


_register_environments()


def __getattr__(name: str) -> ModuleType:
    if name in _SUBPACKAGES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBPACKAGES})
