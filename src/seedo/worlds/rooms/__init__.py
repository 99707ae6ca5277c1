"""World `rooms`: four objects, one of which is the odd one out; see `docs/rooms.md`."""

from __future__ import annotations

from seedo.worlds.rooms._attributes import (
    COLOURS,
    DIMENSIONS,
    HELD_OUT,
    POSITIONS,
    SHAPES,
    TEXTURES,
    VALUES,
)
from seedo.worlds.rooms._config import (
    DIFFICULTIES,
    EXPLAIN,
    LEVELS,
    RoomsConfig,
    configure,
)
from seedo.worlds.rooms._expert import concepts_left, expert, in_view, look_round, walk
from seedo.worlds.rooms._explain import (
    MAX_WORDS,
    irrelevant,
    shuffled,
    vocabulary,
    words,
    wrong_verdict,
)
from seedo.worlds.rooms._log import VARIABLES, logged_actions, room_log
from seedo.worlds.rooms._observation import Symbolic
from seedo.worlds.rooms._pixels import Sights, backgrounds, pictures
from seedo.worlds.rooms._rules import (
    ACTIONS,
    FIRST_TRANSFORM,
    NOTHING,
    TRANSFORMED,
    RoomState,
    action_number,
    action_setting,
    uniquely,
)
from seedo.worlds.rooms._task import RoomTask
from seedo.worlds.rooms._world import RoomsObservation, RoomsRollout, RoomsRow, RoomsWorld

__all__ = [
    "ACTIONS",
    "COLOURS",
    "DIFFICULTIES",
    "DIMENSIONS",
    "EXPLAIN",
    "FIRST_TRANSFORM",
    "HELD_OUT",
    "LEVELS",
    "MAX_WORDS",
    "NOTHING",
    "POSITIONS",
    "SHAPES",
    "TEXTURES",
    "TRANSFORMED",
    "VALUES",
    "VARIABLES",
    "RoomState",
    "RoomTask",
    "RoomsConfig",
    "RoomsObservation",
    "RoomsRollout",
    "RoomsRow",
    "RoomsWorld",
    "Sights",
    "Symbolic",
    "action_number",
    "action_setting",
    "backgrounds",
    "concepts_left",
    "configure",
    "expert",
    "in_view",
    "irrelevant",
    "logged_actions",
    "look_round",
    "pictures",
    "room_log",
    "shuffled",
    "uniquely",
    "vocabulary",
    "walk",
    "words",
    "wrong_verdict",
]
