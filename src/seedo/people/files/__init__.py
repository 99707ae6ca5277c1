"""Files of published studies in which people chose interventions, as logs; no data is shipped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from seedo.errors import UserError, one_of
from seedo.people.files._acl import read_acl
from seedo.people.files._blicket import read_blicket
from seedo.people.files._chip import read_chip
from seedo.people.files._pseudonyms import Pseudonyms
from seedo.people.files._trials import GRAPH, MACHINE, Trial, batches

READERS: Mapping[str, Callable[[Path], list[Trial]]] = {
    "acl": read_acl,
    "chip": read_chip,
    "blicket": read_blicket,
}
"""How the files of each format are read."""


def read_trials(kind: str, files: Sequence[Path], names: Pseudonyms) -> list[Trial]:
    """All trials of some files, people under pseudonyms.

    Args:
        kind: one of `READERS`.

    Raises:
        UserError: no such format, or a file cannot be read; names file, column and row.
    """
    one_of("--format", kind, list(READERS))
    trials = [trial for file in files for trial in READERS[kind](file)]
    if not trials:
        raise UserError("files", ", ".join(map(str, files))[:200], "there are no trials in them")
    return [trial.under(names.of(kind, trial.person)) for trial in trials]


__all__ = ["GRAPH", "MACHINE", "READERS", "Pseudonyms", "Trial", "batches", "read_trials"]
