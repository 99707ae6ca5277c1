"""What is worked out of visitors' tables in the background: one thing at a time for each."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from seedo import inference
from seedo.errors import UserError
from seedo.lab._background import Background, Job, Jobs, Stopped
from seedo.lab._posteriors import Posteriors
from seedo.lab.data._said import Assumed
from seedo.lab.data._words import error_on_page
from seedo.tables import Table

_LANE = "tables"
_KEPT, _WAITING = 200, 16
_THREADS = 2
"""So that what was stopped, and goes on until it next says how far it is, holds nobody up."""


class Working:
    """Jobs by visitor, and posteriors by what they rest on."""

    def __init__(self, background: Background) -> None:
        self._jobs = Jobs(background, _LANE, _THREADS, _KEPT, _WAITING)
        self._now: dict[str, str] = {}
        self._lock = threading.Lock()
        self._posteriors = Posteriors()

    def start(self, visitor: str, work: Callable[[Job], Any]) -> str:
        """The name of a job that does it.

        Raises:
            UserError: something else is being worked out for this visitor, or too much for others.
        """
        with self._lock:
            job = self.job(visitor, self._now.get(visitor, ""))
            if job is not None and not job.over:
                remedy = "something is being worked out already: wait, or stop it"
                raise UserError("work", None, remedy)
            name = secrets.token_hex(8)
            self._jobs.start((visitor, name), lambda job: _guarded(work, job))
            self._now[visitor] = name
        return name

    def job(self, visitor: str, name: str) -> Job | None:
        """A visitor's job; None: there is none."""
        return self._jobs.find((visitor, name))

    def now(self, visitor: str) -> str:
        """The visitor's job that is not over; "" if there is none."""
        name = self._now.get(visitor, "")
        job = self.job(visitor, name)
        return name if job is not None and not job.over else ""

    def stop(self, visitor: str, name: str) -> None:
        """Let a job end when it next says how far it is; another may begin meanwhile."""
        job = self.job(visitor, name)
        if job is not None:
            job.stop()
        with self._lock:
            if self._now.get(visitor) == name:
                del self._now[visitor]

    def weigh(
        self, job: Job, table: Table, assumed: Assumed, beliefs: inference.Beliefs
    ) -> inference.CausalPosterior:
        """The posterior over the graphs of a table, worked out once for what it rests on."""
        key = f"{_digest(table)} {assumed.model_dump_json()}"
        found = self._posteriors.weigh(key, job, table, beliefs)
        job.doing, job.done, job.total = "working out the answer", 0, 0
        return found


def state(job: Job) -> dict[str, Any]:
    """How far a job is."""
    return job.told("waiting for what others asked before") | {"result": job.result}


def _guarded(work: Callable[[Job], Any], job: Job) -> Any:
    """Data can be wrong in ways that nobody thought of: whatever goes wrong is one line."""
    job.doing = "reading the table"
    try:
        return work(job)
    except Stopped:
        raise
    except UserError as error:
        raise error_on_page(error) from error
    except Exception as error:
        remedy = f"these data cannot be used ({type(error).__name__}): leave columns out, or say "
        remedy += "more about them"
        raise UserError("table", None, remedy) from error


def _digest(table: Table) -> str:
    """What tells a table from others as far as graphs are concerned."""
    found = hashlib.sha256()
    for part in (table.values, table.regime, table.source, table.episode, table.step, table.unit,
                 table.weight, table.time):  # fmt: skip
        found.update(b"-" if part is None else np.ascontiguousarray(part).tobytes())
    said = (table.variables, table.columns, table.others, table.unit_name, table.values.shape,
            [(r.name, sorted(r.hard), sorted(r.soft), sorted(r.replaced), r.unknown)
             for r in table.regimes])  # fmt: skip
    found.update(repr(said).encode("utf-8", "replace"))
    return found.hexdigest()
