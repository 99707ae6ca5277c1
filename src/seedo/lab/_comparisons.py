"""All comparisons of one lab: kept in a folder, played one after the other."""

from __future__ import annotations

import contextlib
import re
import secrets
import shutil
import threading
from functools import partial
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException

from seedo.errors import UserError
from seedo.lab._background import Background, Job
from seedo.lab._comparison import FEWEST, Cell, Comparison, compiled, heaviness
from seedo.lab._comparison_run import ComparisonRun
from seedo.lab._scenario import Config, Scenario

_NAME = re.compile(r"[0-9a-f]{16}")
_MOST_WAITING = 20
_OPEN = ("queued", "running")


class Comparisons:
    """Comparisons by id; what an earlier lab left unfinished is gone on with."""

    def __init__(self, folder: Path, background: Background) -> None:
        self._folder, self._background = folder, background
        self._lock = threading.Lock()
        self._queue: list[tuple[ComparisonRun, Job]] = []
        self._prepared: set[Config] = set()
        self._runs: dict[str, ComparisonRun] = {}
        for found in folder.glob("*") if folder.is_dir() else ():
            if _NAME.fullmatch(found.name):
                with contextlib.suppress(UserError):  # killed before it was one
                    self._runs[found.name] = ComparisonRun(found)
        for run in sorted(self._runs.values(), key=lambda run: run.created):
            if run.state == "queued":
                self._enqueue(run)

    def add(self, comparison: Comparison, visitor: str) -> ComparisonRun:
        """Keep it and play it when its turn comes.

        Raises:
            UserError: too many are waiting.
        """
        with self._lock:
            waiting = sum(run.state in _OPEN for run in self._runs.values())
            if waiting >= _MOST_WAITING:
                raise UserError("comparisons", waiting, "that many are waiting: cancel one")
            name = secrets.token_hex(8)
            run = ComparisonRun.create(self._folder / name, comparison, visitor)
            self._runs[name] = run
        self._enqueue(run)
        return run

    def get(self, name: str, visitor: str) -> ComparisonRun:
        """A visitor's own comparison.

        Raises:
            HTTPException: 404, there is none of this id.
        """
        run = self._runs.get(name)
        if run is None or run.visitor != visitor:
            raise HTTPException(404, "no such comparison of yours in this lab")
        return run

    def of(self, visitor: str) -> list[ComparisonRun]:
        """A visitor's comparisons, the newest first."""
        own = [run for run in list(self._runs.values()) if run.visitor == visitor]
        return sorted(own, key=lambda run: -run.created)

    def ahead(self, run: ComparisonRun) -> int:
        """How many are played before this one."""
        waiting = self._open()
        return waiting.index(run) if run in waiting else 0

    def shown(self, run: ComparisonRun) -> dict[str, Any]:
        """How far it is, for a page that waits."""
        return {**run.progress(), "ahead": self.ahead(run)}

    def go_on(self, run: ComparisonRun) -> None:
        """Queue one again that was cancelled or failed."""
        if run.state in ("cancelled", "failed"):
            run.again()
            self._enqueue(run)

    def delete(self, run: ComparisonRun) -> None:
        """Stop it, and remove it with its files."""
        run.cancel()
        with self._lock:
            self._runs.pop(run.name, None)
        shutil.rmtree(self._folder / run.name, ignore_errors=True)

    def prepare(self, scenario: Scenario, players: tuple[str, ...]) -> None:
        """Compile for those who are likely to be chosen, while the visitor chooses; once a world.

        Leaves off when a comparison begins.
        """
        if self._open():
            return
        with self._lock:
            if scenario.config in self._prepared:
                return
            self._prepared.add(scenario.config)
        cells = sorted(Comparison(scenario, players, FEWEST, 0).cells(), key=heaviness)
        self._background.start("preparing comparisons", partial(self._prepare, cells))

    def _prepare(self, cells: list[Cell], job: Job) -> None:
        for cell in cells:
            job.rest(0.0)
            if self._open():
                return
            with contextlib.suppress(UserError):
                compiled(cell)

    def _open(self) -> list[ComparisonRun]:
        """Those that are being played, or will be, in order."""
        with self._lock:
            self._queue = [(run, job) for run, job in self._queue if not job.over]
            return [run for run, _ in self._queue]

    def _enqueue(self, run: ComparisonRun) -> None:
        play = partial(run.play, self._background)
        with self._lock:
            self._queue.append((run, self._background.start("comparisons", play)))
