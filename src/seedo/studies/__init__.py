"""Studies: one claim each, with design, analysis and what would refute it.

Listing them (`names`) imports none, and does not start JAX.
"""

from __future__ import annotations

from concurrent.futures import Executor
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedo.execution import Workers
from seedo.studies._registry import REGISTRY, find, names

if TYPE_CHECKING:
    from seedo.studies._campaigns import CHOSEN, FIRST, Campaign, read_campaigns
    from seedo.studies._cells import Crew, OutOfHours, Progress, do_cell
    from seedo.studies._price import priced
    from seedo.studies._spoken import InProcess, TextPlayer, ThroughInspect, find_text_player
    from seedo.studies._study import Finding, Say, Study, Work

_HEAVY = {
    "_campaigns": ("CHOSEN", "FIRST", "Campaign", "read_campaigns"),
    "_price": ("priced",),
    "_cells": ("Crew", "OutOfHours", "do_cell"),
    "_study": ("Finding", "Say", "Study", "Work"),
    "_spoken": ("InProcess", "TextPlayer", "ThroughInspect", "find_text_player"),
}


def __getattr__(name: str) -> Any:
    for module, attributes in _HEAVY.items():
        if name in attributes:
            return getattr(import_module(f"seedo.studies.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def study(
    name: str,
    scale: str,
    out: str | Path,
    seed: int = 0,
    say: Say = print,
    player: TextPlayer | None = None,
    data: str | Path | None = None,
    workers: Workers | Executor | None = None,
    hours: float | None = None,
    progress: Progress | None = None,
) -> Finding:
    """Run a study by name into a folder and write its `study.json`.

    Args:
        player: who is studied, for a study that `needs_player`; see `find_text_player`.
        data: folder of recorded data, for a study that `needs_data`.
        workers: who plays logs and runs and does cells, to the same bytes, see
            `execution.open_workers`; or any executor of `concurrent.futures`.
        hours: machine-hours that cells may take in this run.
        progress: is told how many cells are done, how many there are, and hours in words.

    Raises:
        UserError: unknown study or scale; a player where the study has its own, or none where it
            needs one; the same with data; cells failed.
        OutOfHours: there were no hours for some cells; the same call goes on.
    """
    where = None if data is None else Path(data)
    return find(name).run(scale, Path(out), seed, say, player, where, workers, hours, progress)


__all__ = [
    "CHOSEN",
    "FIRST",
    "REGISTRY",
    "Campaign",
    "Crew",
    "Finding",
    "InProcess",
    "OutOfHours",
    "Say",
    "Study",
    "TextPlayer",
    "ThroughInspect",
    "Work",
    "do_cell",
    "find",
    "find_text_player",
    "names",
    "priced",
    "read_campaigns",
    "study",
]
