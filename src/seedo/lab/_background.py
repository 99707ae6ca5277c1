"""All that a lab works out in the background: one service, in lanes."""

from __future__ import annotations

import atexit
import heapq
import itertools
import logging
import threading
import time
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterator
from typing import Any

from seedo.errors import UserError

Work = Callable[["Job"], Any]
"""Is given its job, to say how far it is, and returns the result."""

_PATIENCE = 20.0  # seconds


class Stopped(Exception):
    """Nobody wants the result any more."""


class Job:
    """One piece of work.

    Attributes:
        done, total: of its steps; 0 of 0 where they are not counted.
        doing: in words.
        result: of the work; None: not yet.
        failure: what it raised; None: nothing.
        began: when it was asked for (monotonic).
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._taken = threading.Lock()
        self._over, self._stop = threading.Event(), threading.Event()
        self.done, self.total, self.doing = 0, 0, ""
        self.result: Any = None
        self.failure: Exception | None = None
        self.began = time.monotonic()
        self.late = False

    @property
    def over(self) -> bool:
        return self._over.is_set()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def why(self) -> str:
        """Why it failed, in a line; "": it has not."""
        if self.failure is None:
            return ""
        if isinstance(self.failure, UserError):
            return str(self.failure)
        if isinstance(self.failure, Stopped):
            return "stopped"
        return f"it failed ({type(self.failure).__name__}): the terminal says more"

    def wait(self, seconds: float | None = None) -> Any:
        """The result; None if it is not there by then.

        Raises:
            Exception: what the work raised.
        """
        self._over.wait(seconds)
        if self.failure is not None:
            raise self.failure
        return self.result

    def progress(self, done: int, total: int, doing: str | None = None) -> None:
        """Say how far it is, and what it is at; raises Stopped if that is no longer wanted."""
        self.rest(0.0)
        self.done, self.total = done, total
        if doing is not None:
            self.doing = doing

    def told(self, waiting: str) -> dict[str, Any]:
        """How far it is, as JSON but for the result; `waiting`: what it does before it is begun."""
        return {
            "over": self.over,
            "doing": self.doing or waiting,
            "done": self.done,
            "total": self.total,
            "seconds": round(self.seconds, 1),
            "error": self.why,
        }

    def rest(self, seconds: float) -> None:
        """Do nothing for a while; raises Stopped as soon as the job is not wanted any more."""
        if self._stop.wait(seconds):
            raise Stopped

    def stop(self) -> None:
        """Have it end when it next says how far it is."""
        self._stop.set()

    def run(self) -> None:
        """Do it, unless that is done or under way."""
        if not self._taken.acquire(blocking=False):
            return
        try:
            self.rest(0.0)
            self.result = self._work(self)
        except Exception as error:  # whoever waits has to learn that it will never come
            if not isinstance(error, UserError | Stopped):
                logging.getLogger(__name__).error("work in the background failed", exc_info=error)
            self.failure = error
        finally:
            self._over.set()


class Background:
    """Does jobs, lane by lane: what is in one lane is done by as many threads as the lane has, in
    the order in which it was asked for, and what can be late after everything else.

    Nobody waits for a thread at the end of the process, but for a moment: a compiler that is cut
    off takes the process down with it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._order: Iterator[int] = itertools.count()
        self._waiting: dict[str, list[tuple[bool, int, Job]]] = defaultdict(list)
        self._threads: Counter[str] = Counter()
        self._running: set[Job] = set()
        self._closed = False
        atexit.register(self.close)

    def start(self, lane: str, work: Work, threads: int = 1, late: bool = False) -> Job:
        """Have something done.

        Args:
            lane: which one; it is made if there is none.
            work: to do.
            threads: at most, of the lane.
            late: after everything in the lane that somebody waits for.
        """
        job = Job(work)
        self.put(lane, job, threads, late)
        return job

    def put(self, lane: str, job: Job, threads: int = 1, late: bool = False) -> None:
        """As `start`; a job that is put twice is done once, when its turn first comes."""
        job.late = late
        with self._lock:
            heapq.heappush(self._waiting[lane], (late, next(self._order), job))
            if self._closed or self._threads[lane] >= threads:
                return
            self._threads[lane] += 1
        threading.Thread(target=self._serve, args=(lane,), daemon=True, name=lane).start()

    def _serve(self, lane: str) -> None:
        while True:
            with self._lock:
                if self._closed or not self._waiting[lane]:
                    self._threads[lane] -= 1
                    return
                job = heapq.heappop(self._waiting[lane])[-1]
                self._running.add(job)
            job.run()
            with self._lock:
                self._running.discard(job)

    def close(self, patience: float = _PATIENCE) -> None:
        """Begin nothing more, and let what is running end within so many seconds."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for job in running:
            job.stop()
        until = time.monotonic() + patience
        while any(self._threads.values()) and time.monotonic() < until:
            time.sleep(0.02)


class Jobs:
    """Jobs of one kind by key: each is done once, and the results asked for last are kept.

    Args:
        background: where they are done.
        lane: in which they are done, unless `start` names another.
        threads: of a lane.
        kept: so many at most, not counting those that are not over.
        most: may be waiting.
    """

    def __init__(
        self, background: Background, lane: str, threads: int = 1, kept: int = 48, most: int = 24
    ) -> None:
        self._background, self._lane, self._threads = background, lane, threads
        self._kept, self._most = kept, most
        self._jobs: OrderedDict[Hashable, Job] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: Hashable) -> Job | None:
        """The job of this key, if there is one."""
        with self._lock:
            job = self._jobs.get(key)
            if job is not None:
                self._jobs.move_to_end(key)
            return job

    def waiting(self) -> list[Any]:
        """Keys of those that are not over."""
        with self._lock:
            return [key for key, job in self._jobs.items() if not job.over]

    def start(self, key: Hashable, work: Work, lane: str = "", late: bool = False) -> Job:
        """The job of this key, begun if there is none or it has failed.

        Args:
            key: what tells it from others.
            work: to do.
            lane: in place of the usual one.
            late: see `Background`; asked for again and not late, it comes sooner.

        Raises:
            UserError: too many are waiting.
        """
        with self._lock:
            job = self._jobs.get(key)
            if job is None or job.failure is not None:
                waiting = sum(not other.over for other in self._jobs.values())
                if waiting >= self._most:
                    raise UserError("jobs", waiting, "that many are waiting: wait a moment")
                job = self._jobs[key] = Job(work)
            elif late or not job.late:
                self._jobs.move_to_end(key)
                return job
            self._jobs.move_to_end(key)
            over = [k for k, other in self._jobs.items() if other.over]
            for old in over[: max(0, len(self._jobs) - self._kept)]:
                del self._jobs[old]
        self._background.put(lane or self._lane, job, self._threads, late)
        return job
