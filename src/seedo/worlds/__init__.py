"""Worlds: distributions over systems to experiment on."""

from __future__ import annotations

from seedo.worlds._bench import Bench, BenchState
from seedo.worlds._check import check, same, shaped, traced
from seedo.worlds._dag_config import (
    HELD_CAUSE,
    HELD_EFFECT,
    PRESETS,
    SPLITS,
    DagConfig,
    configure,
    held_out_set,
)
from seedo.worlds._dags import count_dags, enumerate_dags, random_subset, sample_dag
from seedo.worlds._registry import find, from_config, kind_of, make, names, plain_names
from seedo.worlds._scm import MONTE_CARLO_DRAWS, System, draw_noise
from seedo.worlds._spec import (
    EXPLOIT,
    EXPLORE,
    OBSERVE,
    PHASES,
    Spec,
    episode_key,
    stream_key,
    variable_names,
)
from seedo.worlds._world import Action, Observation, References, Rollout, Row, World, set_to
from seedo.worlds.blicket import BlicketConfig, BlicketWorld, matched
from seedo.worlds.blicket import configure as configure_blicket
from seedo.worlds.dag import DagWorld, Draw, Task, legal_returns
from seedo.worlds.rooms import RoomsConfig, RoomsWorld
from seedo.worlds.rooms import configure as configure_rooms

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
    "Action",
    "Bench",
    "BenchState",
    "BlicketConfig",
    "BlicketWorld",
    "DagConfig",
    "DagWorld",
    "Draw",
    "Observation",
    "References",
    "Rollout",
    "RoomsConfig",
    "RoomsWorld",
    "Row",
    "Spec",
    "System",
    "Task",
    "World",
    "check",
    "configure",
    "configure_blicket",
    "configure_rooms",
    "count_dags",
    "draw_noise",
    "enumerate_dags",
    "episode_key",
    "find",
    "from_config",
    "held_out_set",
    "kind_of",
    "legal_returns",
    "make",
    "matched",
    "names",
    "plain_names",
    "random_subset",
    "same",
    "sample_dag",
    "set_to",
    "shaped",
    "stream_key",
    "traced",
    "variable_names",
]
