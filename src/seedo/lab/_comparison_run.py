"""A comparison being played: part by part, on all cores, and kept cell by cell.

Its folder holds `comparison.json` (what is compared), `cells/NN.json` (estimates of each finished
cell, or why there are none), `runs/NAME/` (its episodes, as `seedo perform` would leave them)
and, once it is over, `end.json`. Every file is there whole or not at all, so a killed lab goes on
from the cells it has.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from seedo.episodes import EpisodeBatch, concatenate, lock_folder, write_atomic, write_batch
from seedo.errors import UserError
from seedo.lab._background import Background, Job, Stopped
from seedo.lab._cast import label, player, why_not
from seedo.lab._comparison import (
    PART,
    Cell,
    Comparison,
    above_one,
    compiled,
    described,
    heaviness,
    measured,
    play_part,
    run_name,
    so_far,
)
from seedo.lab._palette import look
from seedo.lab._scenario import STREAM, encode
from seedo.lab._time_left import Ahead, Pace, time_left

_READING = threading.Lock()  # what is compiled is so once, not once a thread


@dataclass
class _Progress:
    """What has been played of one cell.

    Attributes:
        state: `waiting`, `preparing` (compiling), `running`, `reading`, `done` or `gap`.
        following: the next part to begin.
        parts: finished ones.
        begun: when the first part was begun (monotonic).
        since: when the first part was done.
        reading: when its final estimates were begun.
        result: the final estimates, or `reason`: why there are none.
        shown: the estimates shown last, and how many parts they rest on.
    """

    cell: Cell
    state: str = "waiting"
    following: int = 0
    parts: dict[int, EpisodeBatch] = field(default_factory=dict)
    begun: float = 0.0
    since: float = 0.0
    reading: float = 0.0
    result: dict[str, Any] | None = None
    shown: tuple[int, dict[str, Any]] = (0, {})

    @property
    def over(self) -> bool:
        return self.state in ("done", "gap")


class ComparisonRun:
    """One comparison: its folder, what is finished, what is under way.

    Attributes:
        name: its id.
        visitor: who asked for it.
        created: seconds since the epoch.
        state: `queued`, `running`, `done`, `cancelled` or `failed`.
        error: one line, where it failed.

    Raises:
        UserError: a folder that is not a comparison's.
    """

    def __init__(self, folder: Path) -> None:
        try:
            plain = json.loads((folder / "comparison.json").read_text())
            self.comparison = Comparison.from_json(plain)
            self.visitor, self.created = str(plain["visitor"]), float(plain["created"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError("comparison", folder.name, "damaged: delete its folder") from error
        self.name, self._folder = folder.name, folder
        self.state, self.error = "queued", ""
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._pace = Pace()
        self._cells = [self._restored(cell) for cell in self.comparison.cells()]
        end = folder / "end.json"
        if end.exists():
            said = json.loads(end.read_text())
            self.state, self.error = said["state"], said["error"]

    def _restored(self, cell: Cell) -> _Progress:
        kept = self._kept(cell)
        if not kept.exists():
            return _Progress(cell)
        result = json.loads(kept.read_text())
        return _Progress(cell, "gap" if "reason" in result else "done", result=result)

    @staticmethod
    def create(folder: Path, comparison: Comparison, visitor: str) -> ComparisonRun:
        """A new one, kept in `folder` from now on."""
        (folder / "cells").mkdir(parents=True)
        about = {**comparison.to_json(), "visitor": visitor, "created": time.time()}
        write_atomic(folder / "comparison.json", json.dumps(about, indent=1).encode())
        return ComparisonRun(folder)

    def again(self) -> None:
        """Ready to go on after it was cancelled or failed."""
        with self._changed:
            self._stop = threading.Event()
            self.state, self.error = "queued", ""
            for index, at in enumerate(self._cells):
                if not at.over:
                    self._cells[index] = _Progress(at.cell)
        (self._folder / "end.json").unlink(missing_ok=True)

    def cancel(self) -> None:
        """Stop before the next part; finished cells stay."""
        with self._changed:
            if self.state in ("queued", "running"):
                self._stop.set()
                self._ended("cancelled")
                self._changed.notify_all()

    def play(self, background: Background, job: Job) -> None:
        """Play what is missing; returns when it is done, cancelled or failed."""
        with self._changed:
            if self.state != "queued":
                return
            self.state, stop = "running", self._stop
        lock = None
        try:
            lock = lock_folder(self._folder)
            work, threads = partial(self._work, stop), _threads()
            for part in [background.start("parts", work, threads) for _ in range(threads)]:
                part.wait()
            with self._changed:
                if not stop.is_set():
                    self._ended("done")
        except Exception as error:
            self._fail(error, stop)
        finally:
            if lock is not None:
                os.close(lock)

    def _work(self, stop: threading.Event, job: Job) -> None:
        try:
            while (task := self._next(stop)) is not None:
                job.rest(0.0)
                self._do(stop, *task)
        except Stopped:  # with the lab: the next one goes on
            with self._changed:
                stop.set()
                self._changed.notify_all()
        except Exception as error:
            self._fail(error, stop)

    def _next(self, stop: threading.Event) -> tuple[_Progress, int] | None:
        """A part to play, of the first cell that has one; None: there will be none."""
        with self._changed:
            while True:
                if stop.is_set() or all(at.over for at in self._cells):
                    return None
                for at in self._in_order():
                    if at.state == "waiting":
                        at.state, at.following = "preparing", 1
                        return at, 0
                    if at.state == "running" and at.following < self._part_count:
                        at.following += 1
                        return at, at.following - 1
                self._changed.wait()

    def _in_order(self) -> list[_Progress]:
        """Value by value; at each, everyone's first part comes before anyone's second: there is
        something of everyone to see then, and it is known how long everyone takes."""
        width = len(self.comparison.players)

        def place(at: _Progress) -> tuple[int, bool, int]:
            return at.cell.index // width, at.state != "waiting", heaviness(at.cell)

        return sorted(self._cells, key=place)

    @property
    def _part_count(self) -> int:
        return -(-self.comparison.episodes // PART)

    def _do(self, stop: threading.Event, at: _Progress, part: int) -> None:
        if part == 0:
            at.begun = time.monotonic()
            if self._is_gap(at):
                return
        began = time.monotonic()
        start = part * PART
        count = min(PART, self.comparison.episodes - start)
        batch = play_part(at.cell, start, count) if part else compiled(at.cell, count)
        with self._changed:
            if stop.is_set():
                return
            at.parts[part] = batch
            now = time.monotonic()
            if part == 0:
                at.state, at.since = "running", now
                self._pace.note("compile", at.cell.player, now - at.begun)
            else:
                self._pace.note("play", at.cell.player, now - began, count)
            whole = len(at.parts) == self._part_count
            if whole:
                at.state = "reading"
            self._changed.notify_all()
        if whole:
            self._finish(at)

    def _is_gap(self, at: _Progress) -> bool:
        """Whether the player cannot act here, which then is kept; may load a network."""
        reason = why_not(at.cell.player, at.cell.scenario)
        if not reason:
            return False
        result = {"reason": reason}
        write_atomic(self._kept(at.cell), json.dumps(result).encode())
        with self._changed:
            at.result, at.state = result, "gap"
            self._changed.notify_all()
        return True

    def _finish(self, at: _Progress) -> None:
        batch = concatenate([at.parts[i] for i in range(self._part_count)])
        with _READING:
            at.reading = time.monotonic()
            result = measured(batch)
        took = time.monotonic() - at.reading
        for who in (at.cell.player, ""):
            self._pace.note("read", who, took, batch.rows)
        run = self._run_folder(at.cell)
        shutil.rmtree(run, ignore_errors=True)  # of a lab that was killed on the way
        write_batch(run, batch, _job(at.cell))
        write_atomic(self._kept(at.cell), json.dumps(result, sort_keys=True).encode())
        with self._changed:
            at.result, at.state, at.parts = result, "done", {}
            self._changed.notify_all()

    def _fail(self, error: Exception, stop: threading.Event) -> None:
        if not isinstance(error, UserError):
            logging.getLogger(__name__).error("a comparison failed", exc_info=error)
        said = " ".join(str(error).split())[:300] or type(error).__name__
        with self._changed:
            if not stop.is_set():
                stop.set()
                self._ended("failed", said)
                self._changed.notify_all()

    def _ended(self, state: str, error: str = "") -> None:
        self.state, self.error = state, error
        said = {"state": state, "error": error}
        write_atomic(self._folder / "end.json", json.dumps(said).encode())

    def _kept(self, cell: Cell) -> Path:
        return self._folder / "cells" / f"{cell.index:02d}.json"

    def _run_folder(self, cell: Cell) -> Path:
        return self._folder / "runs" / run_name(cell)

    def run_folder(self, index: int) -> Path | None:
        """The episodes of a finished cell; None: there are none."""
        with self._changed:
            found = [at for at in self._cells if at.cell.index == index and at.state == "done"]
        return self._run_folder(found[0].cell) if found else None

    def summary(self) -> dict[str, Any]:
        """One line of a list."""
        comparison = self.comparison
        return {
            "id": self.name,
            "state": self.state,
            "created": self.created,
            "players": [label(name) for name in comparison.players],
            "sweep": comparison.label,
            "values": list(comparison.values),
            "episodes": comparison.episodes,
        }

    def results(self) -> dict[str, Any]:
        """What is compared and what has come out of it: the same however it came about."""
        comparison = self.comparison
        with self._changed:
            cells = [(at, at.result, list(at.parts.values())) for at in self._cells]
        return {
            **comparison.to_json(),
            "stream": STREAM,
            "cells": [
                {**described(comparison, at.cell), **(result or _so_far(at, parts))}
                for at, result, parts in cells
            ],
        }

    def progress(self) -> dict[str, Any]:
        """The results with how far they are, for a page that waits."""
        results = self.results()
        with self._changed:
            of = self.comparison.episodes
            for at, cell in zip(self._cells, results["cells"], strict=True):
                done = of if at.state == "done" else self._done(at)
                cell |= {"state": at.state, "done": done, "of": of, "rate": self._rate(at)}
                cell["look"] = look(at.cell.player)._asdict()
                cell["above_one"] = above_one(cell["bayes_ratio"]) if "bayes_ratio" in cell else ""
            eta, awaited = self._time_left() if self.state == "running" else (None, [])
        return {
            **self.summary(),
            "error": self.error,
            "seed": self.comparison.seed,
            "code": encode(self.comparison.scenario),
            "drawn": self.comparison.scenario.drawn is not None,
            "cells": results["cells"],
            "eta": eta,
            "awaited": awaited,
        }

    def _done(self, at: _Progress) -> int:
        return sum(part.rows for part in at.parts.values())

    def _rate(self, at: _Progress) -> float | None:
        """Episodes a second since the first part; None: not known yet."""
        later = self._done(at) - min(PART, self.comparison.episodes)
        if at.state != "running" or later <= 0:
            return None
        return later / max(time.monotonic() - at.since, 1e-3)

    def _time_left(self) -> tuple[float | None, list[str]]:
        """Seconds left, and what has to be over before they are known."""
        now, first = time.monotonic(), min(PART, self.comparison.episodes)
        ahead = [
            Ahead(
                at.cell.player,
                label(at.cell.player),
                None if at.since else (now - at.begun if at.begun else 0.0),
                self.comparison.episodes - max(self._done(at), first),
                now - at.reading if at.reading else 0.0,
                self.comparison.episodes,
            )
            for at in self._cells
            if not at.over
        ]
        return time_left(ahead, self._pace, _threads())


def _threads() -> int:
    # Two even on one core: while one player is compiled, another plays.
    return min(max(2, os.cpu_count() or 1), 16)


def _so_far(at: _Progress, parts: list[EpisodeBatch]) -> dict[str, Any]:
    """Estimates from the parts that are there, computed when there are more of them."""
    if not parts:
        return {}
    if len(parts) > at.shown[0]:
        at.shown = (len(parts), so_far(concatenate(parts)))
    return at.shown[1]


def _job(cell: Cell) -> dict[str, Any]:
    """What the manifest of a run says about how it came about."""
    who = player(cell.player, cell.scenario)
    about = {
        "task": "perform",
        "agent": who.name,
        "player": cell.player,
        "stream": STREAM,
        "systems": True,
        "explain": "none",
        "seed": cell.scenario.seed,
        "world": cell.scenario.world,
    }
    return about | getattr(who, "record", {})
