"""What is worked out in the background, kept, and found again after a reload or a restart."""

from __future__ import annotations

import atexit
import itertools
import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa

from seedo.errors import UserError
from seedo.lab._store import METADATA

_FINDING = sa.Table(
    "game_finding",
    METADATA,
    sa.Column("game", sa.ForeignKey("game.id"), primary_key=True),
    sa.Column("part", sa.String(80), primary_key=True),
    sa.Column("content", sa.Text, nullable=False),
)


_PATIENCE = 20.0  # seconds


class _Job(NamedTuple):
    late: bool  # wanted now comes first
    order: int
    game: str
    part: str
    work: Callable[[], Any]


class Findings:
    """Parts of games' comparisons, each JSON.

    A thread of its own for every worker's name: what it has to compile is then never compiled twice
    at the same time, and the quick ones do not wait for the slow.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._guard = threading.Lock()
        self._queues: dict[str, queue.PriorityQueue[_Job]] = {}
        self._asked: dict[tuple[str, str], bool] = {}  # True: for later
        self._order: Iterator[int] = itertools.count()
        self._working = 0
        self._stopped = False
        atexit.register(self._stop)

    def found(self, game: str) -> dict[str, Any]:
        """What there is of a game, by part."""
        kept = sa.select(_FINDING.c.part, _FINDING.c.content).where(_FINDING.c.game == game)
        with self._engine.connect() as connection:
            return {part: json.loads(text) for part, text in connection.execute(kept)}

    def ask(
        self, game: str, part: str, worker: str, work: Callable[[], Any], late: bool = False
    ) -> None:
        """Have a part worked out, once; `late`: after everything that somebody waits for.

        Work that fails leaves {"failed": why}.
        """
        with self._guard:
            asked = self._asked.get((game, part))
            if asked is False or (asked and late):
                return
            self._asked[game, part] = late
            jobs = self._queues.get(worker)
            if jobs is None:
                jobs = self._queues[worker] = queue.PriorityQueue()
                threading.Thread(target=self._serve, args=(jobs,), daemon=True).start()
            jobs.put(_Job(late, next(self._order), game, part, work))

    def _serve(self, jobs: queue.PriorityQueue[_Job]) -> None:
        while True:
            job = jobs.get()
            with self._guard:
                if self._stopped:
                    return
                self._working += 1
            try:
                if job.part not in self.found(job.game):  # asked for again, sooner
                    self._work(job)
            except sa.exc.SQLAlchemyError:  # not kept: it will be asked for again
                logging.getLogger(__name__).exception("part %s of a comparison", job.part)
            finally:
                with self._guard:
                    self._asked.pop((job.game, job.part), None)
                    self._working -= 1

    def _work(self, job: _Job) -> None:
        try:
            content = job.work()
        except UserError as error:
            content = {"failed": error.remedy}
        except Exception as error:  # the page has to learn that this will never come
            logging.getLogger(__name__).exception("part %s of a comparison", job.part)
            content = {"failed": f"it failed: {type(error).__name__}"}
        row = {"game": job.game, "part": job.part, "content": json.dumps(content)}
        with self._engine.begin() as connection:
            connection.execute(sa.insert(_FINDING).values(row))

    def _stop(self) -> None:
        """Let what is running end: a compiler that is cut off takes the process down with it."""
        with self._guard:
            self._stopped = True
        until = time.monotonic() + _PATIENCE
        while self._working and time.monotonic() < until:
            time.sleep(0.05)
