"""Page Data: a visitor's own table, asked as the command line asks it."""

from __future__ import annotations

from seedo.lab._lab import Lab
from seedo.lab.data._pages import routes
from seedo.lab.data._shelf import Shelf
from seedo.lab.data._working import Working

__all__ = ["open_data", "routes"]


def open_data(lab: Lab) -> None:
    """Keep what the page needs; tables that nobody opened for long are deleted."""
    shelf = Shelf(lab.settings.data / "tables", lab.keys)
    shelf.sweep()
    lab.add(shelf, Working(lab.background))
