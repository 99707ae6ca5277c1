"""A training job, whatever is learnt and however.

It claims a folder, takes steps from where it was stopped, writes rows of metrics and checkpoints,
stops when learning diverges, and leaves an agent. What differs between ways to learn is a `Method`.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from seedo import __version__
from seedo.episodes import lock_folder
from seedo.errors import UserError
from seedo.learning._checkpoint import finish, load_checkpoint, prepare, save_checkpoint
from seedo.learning._folder import FORMAT, count_parameters
from seedo.learning._together import ALONE, Alone
from seedo.learning._weights import from_bytes, to_bytes


class State(NamedTuple):
    """All that one step hands to the next; pytrees of arrays."""

    network: Any
    rest: Any  # of the optimiser, and whatever else goes on


class Report(NamedTuple):
    """What a progress display needs."""

    fraction: float
    row: dict[str, Any]  # the latest line of metrics.jsonl
    doing: str  # the same in words
    seconds_left: float


class Method(ABC):
    """A way to learn, as a job carries it out.

    Attributes:
        architecture: of the network; has `to_json`.
        total: steps to take; None: as many as `minutes` of wall time allow.
        watched: fields of a row; learning has diverged when one of them is not finite.
        goes_on: the finished folder keeps what the optimiser knew.
    """

    architecture: Any
    total: int | None = None
    minutes: float | None = None
    watched: tuple[str, ...] = ()
    goes_on = True

    @abstractmethod
    def start(self) -> State:
        """The state before the first step; a checkpoint has arrays of the same shapes."""

    def begin(self, state: State, done: int, rows: list[str]) -> State:
        """Get ready to go on after `done` steps and the lines `rows`; the state to go on with."""
        return state

    @abstractmethod
    def step(self, state: State, number: int, fraction: float) -> tuple[State, Any]:
        """The state after step `number`, and figures of it; it depends on nothing else.

        Args:
            fraction: of the job that is behind it.
        """

    def arrays(self, state: State) -> State:
        """A state that `begin` or `step` gave as arrays, as `start` gives them: for methods whose
        steps keep theirs elsewhere than in JAX."""
        return state

    @abstractmethod
    def due(self, done: int) -> bool:
        """Whether a row is written after so many steps."""

    @abstractmethod
    def row(
        self, state: State, figures: list[Any], done: int, seconds: float, last: bool
    ) -> dict[str, Any]:
        """A line of metrics.jsonl about the steps since the last one, which took so long."""

    @abstractmethod
    def told(self, row: dict[str, Any]) -> str:
        """A row in words, for a progress display."""

    @abstractmethod
    def record(self, row: dict[str, Any]) -> dict[str, Any]:
        """What agent.json keeps of the training that ended with this row."""

    def files(self, network: Any) -> dict[str, bytes]:
        """The files of the finished network, its weights first."""
        return {"weights.safetensors": to_bytes(network)}

    def end(self) -> None:  # noqa: B027 (most have nothing to let go of)
        """Let go of what `begin` has taken, however the job ends."""


def train(
    method: Method,
    out: Path,
    job: dict[str, Any],
    *,
    resume: bool,
    progress: Callable[[Report], None] | None,
    checkpoint_seconds: float,
    among: Alone = ALONE,
) -> None:
    """Carry out a job and leave an agent folder.

    The result depends on `job` alone, however often it was interrupted. `among` is who carries it
    out: the first of them holds the folder and reports.

    Raises:
        UserError: an output folder that is not this job's, or divergence.
    """
    with among.holding(claimed(out, job, resume)) as open_:
        if open_:
            _run(method, out, progress, checkpoint_seconds, among)


@contextmanager
def claimed(out: Path, job: dict[str, Any], resume: bool) -> Iterator[bool]:
    """Hold an agent's folder for a job; False if it is finished already."""
    if prepare(out, json.loads(json.dumps(job)), resume):
        yield False
        return
    lock = lock_folder(out)
    try:
        yield True
    finally:
        os.close(lock)


def settings_of(recipe: Any) -> dict[str, Any]:
    """A recipe as plain JSON. What older versions had no word for goes unsaid where it is usual."""
    settings = asdict(recipe) | {"widths": [list(width) for width in recipe.widths]}
    if not settings.get("rename"):
        settings.pop("rename", None)
    return settings


def describe(architecture: dict[str, Any], training: dict[str, Any]) -> bytes:
    """agent.json."""
    description = {"format": FORMAT, "architecture": architecture, "training": training}
    return json.dumps(description, indent=1, sort_keys=True).encode()


def short(x: Any) -> float:
    """A figure as rows keep it: six digits."""
    return float(f"{float(x):.6g}")


def _run(
    method: Method,
    out: Path,
    progress: Callable[[Report], None] | None,
    checkpoint_seconds: float,
    among: Alone,
) -> None:
    state, rows, done, elapsed = _restored(method, out, among)
    began = time.monotonic() - elapsed
    first, entered = done, time.monotonic()
    last_row = last_saved = entered
    figures: list[Any] = []

    def behind() -> float:
        """Fraction of the job that is."""
        if method.total is not None:
            return done / method.total
        assert method.minutes is not None
        return among.agreed((time.monotonic() - began) / (60 * method.minutes))

    try:
        state = method.begin(state, done, rows)
        while (fraction := behind()) < 1.0 or not rows:
            state, found = method.step(state, done, fraction)
            figures.append(found)
            done += 1
            part = min(behind(), 1.0)
            ends = part == 1.0
            if not ends and not method.due(done):
                continue
            row = method.row(state, figures, done, time.monotonic() - last_row, ends)
            figures, last_row = [], time.monotonic()
            for name in method.watched:
                if not np.isfinite(row[name]):
                    raise UserError("loss", row[name], "learning diverged: lower learning_rate")
            rows.append(json.dumps(row))
            if not among.first:
                continue
            if progress:
                each = (last_row - entered) / (done - first)
                left = each * (done / max(part, 1e-9) - done)
                progress(Report(part, row, method.told(row), left))
            if last_row - last_saved >= checkpoint_seconds and not ends:
                position = {"step": done, "elapsed": last_row - began}
                now = method.arrays(state)
                files = {"weights.safetensors": to_bytes(now.network)} | _beside(now, rows)
                save_checkpoint(out, files | {"state.json": json.dumps(position).encode()})
                last_saved = time.monotonic()
        state = method.arrays(state)
    finally:
        method.end()
    if not among.first:
        return
    files = method.files(state.network)
    training = method.record(json.loads(rows[-1])) | {
        "parameters": count_parameters(state.network),
        "seedo_version": __version__,
        "weights_sha256": hashlib.sha256(next(iter(files.values()))).hexdigest(),
    }
    beside = _beside(state, rows)
    files |= beside if method.goes_on else {"metrics.jsonl": beside["metrics.jsonl"]}
    files["agent.json"] = describe(method.architecture.to_json(), training)
    finish(out, files)


def _restored(method: Method, out: Path, among: Alone) -> tuple[State, list[str], int, float]:
    """State, rows, steps done and seconds elapsed: as a checkpoint has them, or at the start."""
    state = method.start()
    saved = among.told(load_checkpoint(out) if among.first else None)
    if saved is None:
        return state, [], 0, 0.0
    source = out / "checkpoint"
    state = State(
        from_bytes(saved["weights.safetensors"], state.network, source),
        from_bytes(saved["optimizer.safetensors"], state.rest, source),
    )
    at = json.loads(saved["state.json"])
    # Jobs of earlier versions counted rounds.
    done = at["step"] if "step" in at else at["round"]
    return state, saved["metrics.jsonl"].decode().splitlines(), done, at.get("elapsed", 0.0)


def _beside(state: State, rows: list[str]) -> dict[str, bytes]:
    return {
        "optimizer.safetensors": to_bytes(state.rest),
        "metrics.jsonl": "".join(row + "\n" for row in rows).encode(),
    }
