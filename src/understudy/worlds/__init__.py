"""Worlds: distributions over systems to experiment on."""

from __future__ import annotations

from typing import Any

from understudy.errors import UserError
from understudy.worlds._dags import count_dags, enumerate_dags, sample_dag
from understudy.worlds._scm import MONTE_CARLO_DRAWS, System
from understudy.worlds._spec import (
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
from understudy.worlds.dag import (
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


def make(name: str, preset: str = "linear", split: str = "train", **options: Any) -> DagWorld:
    """A world by name, e.g. `make("dag", split="heldout-link", n=5)`; options of `DagConfig`."""
    if name != "dag":
        raise UserError("world", name, "use one of dag")
    return DagWorld(configure(preset, split, **options))


def from_config(name: str, config: dict[str, Any]) -> DagWorld:
    """The world that a log's `world_config` describes."""
    if name != "dag":
        raise UserError("world", name, "use one of dag")
    return DagWorld(DagConfig.from_dict(config))


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
    "DagConfig",
    "DagWorld",
    "Spec",
    "System",
    "Task",
    "World",
    "configure",
    "count_dags",
    "enumerate_dags",
    "episode_key",
    "from_config",
    "held_out_set",
    "legal_returns",
    "make",
    "sample_dag",
    "stream_key",
    "variable_names",
]
