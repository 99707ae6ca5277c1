"""Work in the background that pages ask after until it is done."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from seedo.errors import UserError

Work = Callable[[Callable[[int, int], None]], dict[str, Any]]
"""Gets a function to call with (done, total); returns JSON."""

_AT_ONCE = 4
_KEPT = 48
_MOST_WAITING = 24


@dataclass
class Job:
    """One piece of work.

    Attributes:
        done, total: of its steps.
        result: the JSON text; None: not yet.
        why: why it failed; "": it has not.
    """

    done: int = 0
    total: int = 0
    result: str | None = None
    why: str = ""
    begun: float = field(default_factory=time.monotonic)

    @property
    def over(self) -> bool:
        return self.result is not None or bool(self.why)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.begun


class Jobs:
    """Jobs by key: each is done once, and the results asked for last are kept."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[Hashable, Job] = OrderedDict()
        self._lock = threading.Lock()
        self._places = threading.Semaphore(_AT_ONCE)

    def find(self, key: Hashable) -> Job | None:
        """The job of this key, if there is one."""
        with self._lock:
            job = self._jobs.get(key)
            if job is not None:
                self._jobs.move_to_end(key)
            return job

    def start(self, key: Hashable, work: Work) -> Job:
        """The job of this key, begun if there is none or it has failed.

        Raises:
            UserError: too many are waiting.
        """
        with self._lock:
            job = self._jobs.get(key)
            if job is not None and not job.why:
                self._jobs.move_to_end(key)
                return job
            waiting = sum(not other.over for other in self._jobs.values())
            if waiting >= _MOST_WAITING:
                raise UserError("players", waiting, "that many are being prepared: wait a moment")
            job = self._jobs[key] = Job()
            self._jobs.move_to_end(key)
            over = [k for k, other in self._jobs.items() if other.over]
            for old in over[: max(0, len(self._jobs) - _KEPT)]:
                del self._jobs[old]
        # Nobody waits for it at the end of the process.
        threading.Thread(target=self._run, args=(job, work), daemon=True).start()
        return job

    def _run(self, job: Job, work: Work) -> None:
        def progress(done: int, total: int) -> None:
            job.done, job.total = done, total

        with self._places:
            try:
                job.result = json.dumps(work(progress), allow_nan=False, separators=(",", ":"))
            except UserError as error:
                job.why = str(error)
            except Exception as error:
                logging.getLogger(__name__).exception("a player could not be shown")
                job.why = f"it failed ({type(error).__name__}): the terminal says more"
