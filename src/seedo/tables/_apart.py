"""A table of unknown origin, first read in a process of its own, which may be lost.

A file of a few kilobytes can claim any number of cells, and what unpacks it asks for the memory at
once: where that is refused, some libraries end the process. So the process is another one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from seedo.errors import UserError

SECONDS = 60
"""How long reading may take."""
BYTES = 2 << 30
"""How much memory it may take, that of the libraries included."""


@dataclass(frozen=True)
class Measured:
    """How large a table is.

    Attributes:
        rows: below the header.
        columns: with a name.
        longest: characters of the longest name.
    """

    rows: int
    columns: int
    longest: int


def measured_apart(path: Path, seconds: float = SECONDS, most: int = BYTES) -> Measured:
    """Reads a table in a process with bounds on time and memory, and tells how large it is.

    Args:
        path: of the file.
        seconds: that it may take.
        most: bytes of memory that it may take.

    Raises:
        UserError: it cannot be read as a table, or not within the bounds.
    """
    command = [sys.executable, "-m", "seedo.tables._alone", str(path), str(most)]
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=seconds, env=alone, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        remedy = f"takes longer than {seconds:g} seconds to read: part it, or save it as CSV"
        raise UserError(str(path), None, remedy) from None
    try:
        told = json.loads(done.stdout)
    except ValueError:  # the process was ended where memory was refused
        told = {"field": str(path), "value": None,
                "remedy": f"takes more than {most / (1 << 30):g} GB of memory to read: part it, or "
                "save it as CSV"}  # fmt: skip
    if "remedy" in told:
        raise UserError(told["field"], told["value"], told["remedy"])
    return Measured(told["rows"], told["columns"], told["longest"])
