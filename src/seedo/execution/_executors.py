"""Executors by name: `local:4`, `ray`, `ray:ADDRESS`, `submitit:PROFILE`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from seedo.errors import UserError
from seedo.execution._workers import Processes, Workers

VARIABLE = "SEEDO_EXECUTOR"
"""Of the environment: what is meant where a command does not say."""
EXECUTORS = {
    "serial": "here, one after the other",
    "local[:N]": "N processes of this machine, by default one a core",
    "ray[:ADDRESS]": "a Ray cluster: of this machine, or auto, HOST:PORT, ray://HOST:PORT",
    "submitit[:PROFILE]": "Slurm through submitit: local, slurm, or a JSON file of its parameters",
}
"""Executors by name, and what each is."""
_MOST = 4096


def check_executor(name: str | None) -> str:
    """The name of an executor, or of the one that the environment names; nothing is started.

    Raises:
        UserError: there can be none of this name.
    """
    field = "--executor"
    if name is None:
        name, field = os.environ.get(VARIABLE) or "serial", VARIABLE
    kind, colon, rest = name.partition(":")
    if kind not in _OPENED or (colon and not rest) or (kind == "serial" and rest):
        raise UserError(field, name, f"use one of {', '.join(EXECUTORS)}")
    if kind == "local" and colon:
        count = int(rest) if rest.isascii() and rest.isdigit() else 0
        if not 1 <= count <= _MOST:
            raise UserError(field, name, f"give a number of processes, 1 to {_MOST}, e.g. local:4")
    return name


@contextmanager
def open_workers(name: str | None) -> Iterator[Workers | None]:
    """Workers by name, for as long as they are needed; None: work is done here, see `EXECUTORS`.

    Raises:
        UserError: there are none of this name, they cannot be reached, or a package is missing.
    """
    kind, _, rest = check_executor(name).partition(":")
    workers = _OPENED[kind](rest)
    if workers is None:
        yield None
        return
    try:
        yield workers
    except BaseException:
        workers.close(now=True)
        raise
    workers.close()


def _ray(address: str) -> Workers:
    from seedo.execution._ray import RayWorkers

    return RayWorkers(address)


def _submitit(profile: str) -> Workers:
    from seedo.execution._submitit import SubmititWorkers

    return SubmititWorkers(profile)


_OPENED = {
    "serial": lambda rest: None,
    "local": lambda rest: Processes(int(rest) if rest else os.cpu_count() or 1),
    "ray": _ray,
    "submitit": _submitit,
}
