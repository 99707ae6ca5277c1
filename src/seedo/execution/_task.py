"""Work as text: what is to be done, by name, with what; and the answer, as text too."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import platform
import socket
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedo import __version__
from seedo.errors import UserError, in_one_line
from seedo.plugins import resolve

KINDS = {
    "shard": "seedo.play:play_shard",
    "measure": "seedo.evaluation:measure_run",
    "cell": "seedo.studies:do_cell",
    "conversations": "seedo.language.runs:hold_conversations",
    "sleep": "seedo.execution._sleep:sleep",
}
"""What a task can ask for: functions of JSON objects. A task names nothing else."""


@dataclass(frozen=True)
class Task:
    """Something to be done, by any process that has Seedo.

    Attributes:
        kind: one of `KINDS`.
        told: what with, JSON-able; no secrets, they stay in the environment of whoever works.
    """

    kind: str
    told: Mapping[str, Any]

    def to_text(self) -> str:
        """As it travels: beside the task, which program asks and where it stands."""
        about = {"kind": self.kind, "told": dict(self.told), **_asker()}
        return json.dumps(about, allow_nan=False)


@functools.cache
def _asker() -> dict[str, str]:
    return {"version": __version__, "folder": os.getcwd()}


def carry_out(text: str) -> str:
    """Do a task that came as text, and answer as text; never raises for what the task is.

    The answer is an object: `done`, what the task's function returned; or `refused`, the parts of a
    `UserError`; or `failed`, how it went wrong, in a line. With it `cpu`, see `cpu_type`.
    """
    answer: dict[str, Any] = {"cpu": cpu_type()}
    try:
        asked = json.loads(text)
        _check_version(asked["version"])
        with contextlib.suppress(OSError):  # names of files are as the asker means them
            if os.getcwd() != asked["folder"]:
                os.chdir(asked["folder"])
        answer["done"] = resolve(KINDS[asked["kind"]], "task")(asked["told"])
        return json.dumps(answer, allow_nan=False)
    except UserError as error:
        told = {"field": error.field, "value": error.value, "remedy": error.remedy}
        answer["refused"] = told | {"value": None if error.value is None else str(error.value)}
    except Exception as error:  # whatever it is, the one who asked should see it
        last = traceback.extract_tb(error.__traceback__)[-1]
        answer["failed"] = f"{in_one_line(error)} ({last.filename}, line {last.lineno})"
    return json.dumps(answer | {"where": socket.gethostname()})


def _check_version(asked: str) -> None:
    if asked != __version__:
        remedy = f"asked by Seedo {asked}: install the same version where work is done"
        raise UserError(f"worker {socket.gethostname()}", f"Seedo {__version__}", remedy)


@functools.cache
def cpu_type() -> str:
    """What decides, beside the program, over the last bits of a result: the kind of processor."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return f"{platform.machine()} {value.strip()}"
    return f"{platform.machine()} {platform.processor()}".strip()
