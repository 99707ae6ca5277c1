"""Runs of agents that act elsewhere: episodes come one by one, in any order, whenever they end.

Every call is on the disk before it is answered, so a killed server goes on in the middle of an
episode, and nobody can begin a system anew with what was learnt of it before.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from seedo.episodes import DatasetWriter, cannot_write, write_atomic
from seedo.errors import UserError
from seedo.language.runs._conversations import Conversations, line
from seedo.language.runs._record import BESIDE, RunPlan, finished_episodes
from seedo.language.runs._replay import Recorded
from seedo.play import check_size, origin

SESSIONS = "sessions"
"""Folder, within a run, of what was told to the episodes that were begun."""

_NAME = re.compile(r"(\d{5,10})-([0-9a-f]{12})\.json")


def _check_ours(out: Path) -> None:
    """Raises UserError for a folder that another command has filled."""
    try:
        task = json.loads((out / "manifest.json").read_text())["job"].get("task")
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return  # the writer says what is wrong
    if task != "serve-mcp":
        raise UserError(str(out), None, "holds a run of another command: choose another --out")


class AgentRun:
    """A run folder that an agent fills through tools, a shard an episode.

    Args:
        plan: what is played; its world is simulated.
        name: of the agent; the log's experimenter is `mcp:NAME`.
        count: episodes 0 to count - 1 of the stream, each to be begun once.
        out: the folder.
        resume: go on with an interrupted run.

    Raises:
        UserError: a bad number or name, a world that is measured, a folder that cannot be written
            or holds something else.
    """

    def __init__(
        self, plan: RunPlan, name: str, count: int, out: str | Path, resume: bool = False
    ) -> None:
        check_size(count, plan.seed)
        if not re.fullmatch(r"[\w.+/@-]{1,60}", name, re.ASCII):
            raise UserError("name", name, "use letters, digits and . + / @ _ -, up to 60")
        if plan.world.host:
            remedy = "its episodes are measured: a server that was killed could not go on; no --out"
            raise UserError("world", plan.world.name, remedy)
        self.plan, self.count = plan, count
        self._origin = origin(plan.world, f"mcp:{name}", plan.seed)
        job = plan.job(self._origin.experimenter) | {"task": "serve-mcp"}
        if plan.stream != "perform":
            job["options"] += ["--stream", plan.stream]
        _check_ours(Path(out))
        beside = (*BESIDE, SESSIONS)
        self._writer = DatasetWriter(out, self._origin, 1, count, job, resume=resume, beside=beside)
        try:
            self._folder = self._writer.path / SESSIONS
            self._said = Conversations(self._writer.path)
            self._said.check(finished_episodes(self._writer, 1))
            self._index = dict(self._known())  # of every session ever begun
            for session, index in self._index.items():
                if index in self._writer.missing:
                    self.keep(session, self.open(session))
        except BaseException:
            self.close()
            raise

    def _known(self) -> Iterator[tuple[str, int]]:
        try:
            self._folder.mkdir(exist_ok=True)
            names = sorted(path.name for path in self._folder.iterdir())
        except OSError as error:
            raise cannot_write(self._folder, error) from error
        for name in names:
            if found := _NAME.fullmatch(name):
                yield found[2], int(found[1])

    @property
    def finished(self) -> int:
        """Episodes that are in the log."""
        return self.count - len(self._writer.missing)

    @property
    def path(self) -> Path:
        """The folder."""
        return self._writer.path

    def __contains__(self, session: str) -> bool:
        return session in self._index

    def begin(self, index: int | None = None) -> tuple[str, Recorded]:
        """A new session: an episode that nobody has begun; the first of them if `index` is None.

        Raises:
            UserError: there is none.
        """
        begun = {*self._index.values(), *finished_episodes(self._writer, 1)}
        free = next((i for i in range(self.count) if i not in begun), None)
        if index is None and free is None:
            remedy = f"all {self.count} have been begun, {self.finished} are finished"
            raise UserError("index", None, remedy)
        if index is not None and index >= self.count:
            raise UserError("index", index, f"this run has {self.count}: use 0 to {self.count - 1}")
        if index in begun:
            remedy = "begun before, and each system is met once: leave index out for the next"
            raise UserError("index", index, remedy)
        chosen = free if index is None else index
        assert chosen is not None
        recorded = self._fresh(chosen)
        session = secrets.token_hex(6)
        self._index[session] = chosen
        try:
            self.keep(session, recorded)
        except BaseException:
            del self._index[session]
            raise
        return session, recorded

    def _fresh(self, index: int) -> Recorded:
        plan = self.plan
        return Recorded(plan.world, plan.seed, plan.stream, index, plan.conditions, plan.examples)

    def open(self, session: str) -> Recorded:
        """A session as it was left.

        Raises:
            UserError: its file cannot be read, or is not what `keep` writes.
        """
        path = self._path(session)
        recorded = self._fresh(self._index[session])
        try:
            recorded.go_on(json.loads(path.read_bytes()))
        except OSError as error:
            raise UserError(str(path), None, f"cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, RuntimeError, RecursionError) as error:
            remedy = "no session of this run: restore it, or delete it to have its task begun anew"
            raise UserError(str(path), None, remedy) from error
        return recorded

    def keep(self, session: str, recorded: Recorded) -> None:
        """Write what the session was told; where it is over, its episode into the log."""
        told = json.dumps(recorded.turns(), allow_nan=False, separators=(",", ":"))
        write_atomic(self._path(session), told.encode())
        index, scene = self._index[session], recorded.scene
        if scene.finished and index in self._writer.missing:
            self._said.write([line(scene, index)])
            log = type(scene).log(self._origin, [scene], self.plan.systems)
            self._writer.write(index, log)

    def _path(self, session: str) -> Path:
        return self._folder / f"{self._index[session]:05d}-{session}.json"

    def close(self) -> None:
        """Lets other jobs write to the folder; everything is on the disk already."""
        self._writer.close()
