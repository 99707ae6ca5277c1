"""Cells of a study: parts that do not depend on one another, done here or by workers."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from seedo.errors import FolderBusy, UserError, in_one_line
from seedo.execution import Task, Workers, cpu_type, spread
from seedo.studies._registry import find

T = TypeVar("T")
Progress = Callable[[int, int, str], None]
"""Takes how many cells are done, how many there are, and a note on hours."""
_HOUR = 3600.0
_PAUSE = 0.3  # seconds between looks at what another is making


class OutOfHours(Exception):
    """The machine-hours are used up; what was done is kept."""


@dataclass
class Crew:
    """Whoever does the cells of a study, and for how long.

    Attributes:
        study, scale: their names.
        out: the study's folder, where `cells.jsonl` says what is done and how long it took.
        workers: None: this process.
        hours: machine-hours that cells may take in all, those of earlier runs not counted; no cell
            is begun that the mean of those done says would take more. None: no end.
        progress: is told how far the study is.
    """

    study: str
    scale: str
    out: Path
    say: Callable[[str], None]
    workers: Workers | Executor | None = None
    hours: float | None = None
    progress: Progress | None = None
    spent: float = 0.0
    failed: list[str] = field(default_factory=list)

    def do(
        self, part: str, keys: Sequence[Any], told: dict[str, Any], here: Callable[[Any], Any]
    ) -> list[Any]:
        """What `here` gives of every key, after workers have left all it needs in the folder.

        Raises:
            UserError: cells failed; all others are done, and each that failed is named.
            OutOfHours: there was no time for some.
        """
        cells = [Cell(part, key, told, self) for key in keys]
        self.record = Record(self.out)
        known = self.record.seconds
        costs = {cell: known[cell.digest] for cell in cells if cell.digest in known}
        waiting = [cell for cell in cells if cell not in costs]
        results: dict[Cell, Any] = {}
        board = _Board(self, len(cells), dict(costs))
        if self.workers is None:
            for cell in board.affordable(waiting):
                self._here(cell, here, results, board)
        else:
            self._elsewhere(cells, board.affordable(waiting), board)
        if self.failed:
            remedy = "the rest is done; mend it, and the same command goes on"
            count = f"{len(self.failed)} of {len(cells)} cells failed"
            raise UserError(self.failed[0], None, f"{count}: {remedy}")
        if board.left:
            raise OutOfHours(board.told())
        return [results[cell] if cell in results else here(cell.key) for cell in cells]

    def _here(
        self, cell: Cell, here: Callable[[Any], Any], results: dict[Cell, Any], board: _Board
    ) -> None:
        start = time.perf_counter()
        try:
            results[cell] = here(cell.key)
        except Exception as error:  # whatever it is: the others go on
            why = str(error) if isinstance(error, UserError) else in_one_line(error)
            self._fail(cell, why)
            return
        seconds = time.perf_counter() - start
        self.record.keep(cell, seconds, cpu_type())
        board.done(cell, seconds)

    def _elsewhere(self, cells: Sequence[Cell], waiting: Iterator[Cell], board: _Board) -> None:
        assert self.workers is not None
        place = {cell: number for number, cell in enumerate(cells)}
        tasks = ((place[cell], Task("cell", cell.task())) for cell in waiting)
        wrong = spread(
            tasks, self.workers, lambda number, error: self._fail(cells[number], str(error))
        )
        for number, done in wrong:
            seconds = float(done.result["seconds"])
            self.record.keep(cells[number], seconds, done.cpu)
            board.done(cells[number], seconds)

    def _fail(self, cell: Cell, why: str) -> None:
        self.failed.append(f"cell {cell.name}: {why}")
        self.say(f"failed: {self.failed[-1]}")


@dataclass(frozen=True, eq=False)
class Cell:
    """A part of a study with a key, and the file that says that it is done."""

    part: str
    key: Any
    told: dict[str, Any]
    crew: Crew

    @property
    def name(self) -> str:
        """As users are told of it."""
        words = self.key if isinstance(self.key, list | tuple) else [self.key]
        return " ".join([self.part, *(str(word) for word in words)])

    def task(self) -> dict[str, Any]:
        """As it travels."""
        return {"study": self.crew.study, "scale": self.crew.scale, "part": self.part,
                "key": self.key, **self.told}  # fmt: skip

    @functools.cached_property
    def digest(self) -> str:
        """What tells it from all others, wherever the study's folder lies."""
        text = json.dumps(self.task() | {"out": None, "data": None}, sort_keys=True)
        below = str(Path(self.told["out"]).relative_to(self.crew.out.resolve()))
        return hashlib.sha256(f"{text} {below}".encode()).hexdigest()[:24]


class Record:
    """`cells.jsonl` of a study's folder: a line for every cell that is done, with what it took."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "cells.jsonl"
        self.seconds: dict[str, float] = {}
        told_before = self._path.read_bytes() if self._path.is_file() else b""
        # Whoever wrote last may have died in the midst of a line.
        self._torn = bool(told_before) and not told_before.endswith(b"\n")
        for line in told_before.split(b"\n"):
            with contextlib.suppress(ValueError, KeyError, TypeError):  # torn: its cell is redone
                told = json.loads(line)
                self.seconds[told["digest"]] = float(told["seconds"])

    def keep(self, cell: Cell, seconds: float, cpu: str) -> None:
        """Note that a cell is done."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        about = {"cell": cell.name, "seconds": round(seconds, 3), "cpu": cpu, "digest": cell.digest}
        with self._path.open("ab") as file:
            file.write(b"\n" * self._torn + json.dumps(about).encode() + b"\n")
        self._torn = False


class _Board:
    """How far the cells are, what they cost, and what is still to come."""

    def __init__(self, crew: Crew, total: int, costs: dict[Cell, float]) -> None:
        self.crew, self.total, self.costs = crew, total, costs
        self.sum = sum(costs.values())
        self.flying: set[Cell] = set()
        self.left = 0

    @property
    def mean(self) -> float:
        """Seconds of a cell, as far as is known."""
        return self.sum / len(self.costs) if self.costs else 0.0

    def affordable(self, cells: Sequence[Cell]) -> Iterator[Cell]:
        """Cells as long as there are hours for them."""
        self._show()
        for number, cell in enumerate(cells):
            due = self.crew.spent + self.mean * (len(self.flying) + 1)
            if self.crew.hours is not None and due > self.crew.hours * _HOUR:
                self.left = len(cells) - number
                return
            self.flying.add(cell)
            yield cell

    def done(self, cell: Cell, seconds: float) -> None:
        """A cell is done."""
        self.flying.discard(cell)
        self.costs[cell] = seconds
        self.sum += seconds
        self.crew.spent += seconds
        self._show()

    def told(self) -> str:
        """In words: what is done, and what the rest will take."""
        count, rest = len(self.costs), self.total - len(self.costs)
        spent = f"{self.crew.spent / _HOUR:.2f} machine-hours"
        coming = f", about {rest * self.mean / _HOUR:.2f} to go" if self.costs and rest else ""
        return f"{count} of {self.total} cells done, {spent}{coming}"

    def _show(self) -> None:
        if self.crew.progress is not None:
            self.crew.progress(len(self.costs), self.total, self.told())


def in_turn(make: Callable[[], T], waits: bool) -> T:
    """What `make` gives; where another is making it, after that one, if it `waits`."""
    while True:
        try:
            return make()
        except FolderBusy:
            if not waits:
                raise
            time.sleep(_PAUSE)


def do_cell(told: dict[str, Any]) -> dict[str, Any]:
    """What a worker does: a part of a study, by name, with a key; how many seconds it took."""
    start = time.perf_counter()
    find(told["study"]).do_cell(told)
    return {"seconds": time.perf_counter() - start}
