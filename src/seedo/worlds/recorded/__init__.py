"""Worlds out of tables: campaigns that somebody made in reality."""

from seedo.worlds.recorded._record import Record
from seedo.worlds.recorded._world import MODES, RecordedWorld

__all__ = ["MODES", "Record", "RecordedWorld"]
