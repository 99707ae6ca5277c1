"""Worlds: distributions over systems to experiment on."""

from __future__ import annotations

from typing import Any, Literal, overload

from seedo.errors import UserError
from seedo.worlds._dags import count_dags, enumerate_dags, sample_dag
from seedo.worlds._scm import MONTE_CARLO_DRAWS, System
from seedo.worlds._spec import (
    EXPLOIT,
    EXPLORE,
    OBSERVE,
    PHASES,
    Spec,
    Task,
    World,
    episode_key,
    stream_key,
    variable_names,
)
from seedo.worlds.blicket import BlicketConfig, BlicketWorld, matched
from seedo.worlds.blicket import configure as configure_blicket
from seedo.worlds.dag import (
    HELD_CAUSE,
    HELD_EFFECT,
    PRESETS,
    SPLITS,
    DagConfig,
    DagWorld,
    configure,
    held_out_set,
    legal_returns,
)
from seedo.worlds.rooms import RoomsConfig, RoomsWorld
from seedo.worlds.rooms import configure as configure_rooms

WORLDS = ("dag", "rooms", "blicket")
"""Names for `make`."""


@overload
def make(
    name: Literal["dag"], preset: str | None = None, split: str = "train", **options: Any
) -> DagWorld: ...
@overload
def make(
    name: Literal["rooms"], preset: str | None = None, split: str = "train", **options: Any
) -> RoomsWorld: ...
@overload
def make(
    name: Literal["blicket"], preset: str | None = None, split: str = "train", **options: Any
) -> BlicketWorld: ...
@overload
def make(name: str, preset: str | None = None, split: str = "train", **options: Any) -> Any: ...
def make(name: str, preset: str | None = None, split: str = "train", **options: Any) -> Any:
    """A world by name, e.g. `make("dag", split="heldout-link", n=5)`.

    Args:
        name: one of `WORLDS`.
        preset: of that world; None: `linear` for `dag`, else `default`.
        split: of that world.
        options: fields of `DagConfig`, `RoomsConfig` or `BlicketConfig`.
    """
    if name == "dag":
        return DagWorld(configure(preset or "linear", split, **options))
    if name == "rooms":
        return RoomsWorld(configure_rooms(preset or "default", split, **options))
    if name == "blicket":
        return BlicketWorld(configure_blicket(preset or "default", split, **options))
    raise UserError("world", name, f"use one of {', '.join(WORLDS)}")


@overload
def from_config(name: Literal["dag"], config: dict[str, Any]) -> DagWorld: ...
@overload
def from_config(name: Literal["rooms"], config: dict[str, Any]) -> RoomsWorld: ...
@overload
def from_config(name: Literal["blicket"], config: dict[str, Any]) -> BlicketWorld: ...
@overload
def from_config(name: str, config: dict[str, Any]) -> Any: ...
def from_config(name: str, config: dict[str, Any]) -> Any:
    """The world that a log's `world_config` describes."""
    if name == "dag":
        return DagWorld(DagConfig.from_dict(config))
    if name == "rooms":
        return RoomsWorld(RoomsConfig.from_dict(config))
    if name == "blicket":
        return BlicketWorld(BlicketConfig.from_dict(config))
    raise UserError("world", name, f"use one of {', '.join(WORLDS)}")


__all__ = [
    "EXPLOIT",
    "EXPLORE",
    "HELD_CAUSE",
    "HELD_EFFECT",
    "MONTE_CARLO_DRAWS",
    "OBSERVE",
    "PHASES",
    "PRESETS",
    "SPLITS",
    "WORLDS",
    "BlicketConfig",
    "BlicketWorld",
    "DagConfig",
    "DagWorld",
    "RoomsConfig",
    "RoomsWorld",
    "Spec",
    "System",
    "Task",
    "World",
    "configure",
    "configure_blicket",
    "configure_rooms",
    "count_dags",
    "enumerate_dags",
    "episode_key",
    "from_config",
    "held_out_set",
    "legal_returns",
    "make",
    "matched",
    "sample_dag",
    "stream_key",
    "variable_names",
]
