"""Questions about logs and tables, answered in the background."""

from __future__ import annotations

import re
import secrets
import shlex
import threading
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from seedo import inference
from seedo.episodes import concatenate, pools_episodes
from seedo.errors import UserError
from seedo.lab._background import Background, Job, Jobs, Stopped
from seedo.lab._log import MOST_PATH, Log, TableFile
from seedo.lab._posteriors import Posteriors
from seedo.lab._replay import one
from seedo.lab._worlds import shown_as
from seedo.tables import Reading, read_table

_MOST_JOBS, _MOST_WAITING, _MOST_OWN = 200, 16, 3
_MOST_POOLED = 200_000  # episodes
_IN_EPISODE = re.compile(r"\bin\s+episode\s+(\d{1,18})\b", re.IGNORECASE)

_Name = Annotated[str, Field(max_length=200)]
_Statement = Annotated[str, Field(max_length=500)]


Find = Callable[[int], tuple[int, int]]
"""The place (file, row) of an episode of a log by its id."""


class Question(BaseModel):
    """A question and what is to be taken for granted; see `seedo ask`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    log: str = Field(max_length=MOST_PATH)
    question: str = Field(min_length=1, max_length=500)
    at: str | None = Field(None, pattern=r"^\d{1,7}\.\d{1,9}$")
    targets: _Name | None = None
    sources: _Name | None = None
    drop: tuple[_Name, ...] = Field((), max_length=200)
    keep: tuple[_Name, ...] = Field((), max_length=200)
    graph: str = Field("", max_length=5_000)
    nonlinear: bool = False
    require: tuple[_Statement, ...] = Field((), max_length=200)
    forbid: tuple[_Statement, ...] = Field((), max_length=200)
    believe: tuple[_Statement, ...] = Field((), max_length=200)
    max_parents: int | None = Field(None, ge=0, le=50)
    draws: int = Field(2000, ge=100, le=20_000)
    seed: int = Field(0, ge=0, le=2**32 - 1)


class Desk:
    """Takes questions and answers them one after the other."""

    def __init__(self, background: Background) -> None:
        self._jobs = Jobs(background, "questions", kept=_MOST_JOBS, most=_MOST_WAITING)
        self._posteriors = Posteriors()
        self._lock = threading.Lock()

    def take(self, owner: str, source: Log | TableFile, asked: Question, find: Find) -> str:
        """The name of the job that answers.

        Args:
            owner: the visitor.
            source: what is asked about.
            asked: the question.
            find: gives the place (file, row) of an episode of a log by its id.

        Raises:
            UserError: too many questions wait already.
        """
        name = secrets.token_hex(8)
        with self._lock:
            if sum(who == owner for who, _ in self._jobs.waiting()) >= _MOST_OWN:
                raise UserError("question", None, "wait until the questions before are answered")
            work = partial(self._work, source, asked, find)
            self._jobs.start((owner, name), work)
        return name

    def job(self, owner: str, name: str) -> Job | None:
        """The visitor's job of this name; None: there is none."""
        return self._jobs.find((owner, name))

    def _work(self, source: Log | TableFile, asked: Question, find: Find, job: Job) -> Any:
        try:
            return self._answer(job, source, asked, find)
        except Stopped:
            raise
        except UserError as error:
            parts = (error.field, error.value, error.remedy)
            said = (
                part.replace(str(source.path), source.shown) if isinstance(part, str) else part
                for part in parts
            )
            raise UserError(*said) from error  # type: ignore[arg-type]
        except Exception as error:  # data can be wrong in ways that nobody thought of
            remedy = f"these data cannot be used ({type(error).__name__})"
            raise UserError("question", None, remedy) from error

    def _answer(
        self, job: Job, source: Log | TableFile, asked: Question, find: Find
    ) -> dict[str, Any]:
        job.doing = "reading"
        rows, notes, command = _rows(source, asked, find)
        table = rows.table
        version = source.version if isinstance(source, Log) else source.path.stat().st_mtime_ns
        usual = asked.model_copy(update={"question": "", "log": source.key})
        in_question = _IN_EPISODE.search(asked.question)
        key = (version, usual, in_question and in_question[1])
        beliefs = _beliefs(asked, rows)
        job.doing = "computing"
        found = inference.ask(
            asked.question,
            table,
            beliefs,
            weigh=lambda: self._posteriors.weigh(key, job, table, beliefs),
        )
        return {**found.to_dict(), "notes": notes, "command": command}


def _beliefs(asked: Question, rows: inference.LogRows) -> inference.Beliefs:
    """What the visitor takes for granted."""
    form: inference.Form = "nonlinear" if asked.nonlinear else "auto"
    graph = None
    if asked.graph.strip():
        graph = inference.parse_graph(asked.graph, rows.table.variables)
    elif asked.nonlinear:
        raise UserError("nonlinear", None, "needs the graph: give it too")
    return inference.stated_beliefs(
        rows.table, graph=graph, require=asked.require, forbid=asked.forbid, believe=asked.believe,
        max_parents=asked.max_parents, prior=rows.prior, model=rows.model, form=form,
        draws=asked.draws, seed=asked.seed,
    )  # fmt: skip


def state(job: Job) -> dict[str, Any]:
    """How far an answer is, JSON-able."""
    return job.told("waiting for questions asked before") | {"answer": job.result}


def _rows(
    source: Log | TableFile, asked: Question, find: Find
) -> tuple[inference.LogRows, list[str], str]:
    """The rows that are asked about, what was noticed, and the command that asks the same."""
    if isinstance(source, TableFile):
        for name in ("targets", "sources"):
            # A name that is no column would be opened as a file, wherever it lies.
            if getattr(asked, name) and getattr(asked, name) not in source.columns().arrays:
                raise UserError(name, getattr(asked, name), "choose a column of the table")
        table, notes = read_table(
            source.path,
            asked.targets or None,
            sources=asked.sources or None,
            drop=asked.drop,
            keep=asked.keep or None,
            reading=Reading(asked=asked.question),
        )
        return (
            inference.LogRows(table.repeated(), None, None),
            notes,
            _command(source.shown, asked, None),
        )
    for name in ("targets", "sources", "drop", "keep"):
        if getattr(asked, name):
            raise UserError(name, None, "only for tables: a log says itself what was done")
    title = source.shown
    at = asked.at
    named = _IN_EPISODE.search(asked.question)
    if at is None and named and not shown_as(source.origin.world).pooled:
        at = "{}.{}".format(*find(int(named[1])))
    if at is not None:
        batch = one(source, *map(int, at.split(".")))
        episode = int(batch.episode_id[0])
        return inference.exact.batch_rows(batch, title), [], _command(title, asked, episode, source)
    if source.rows > _MOST_POOLED:
        remedy = f"choose an episode: the lab pools at most {_MOST_POOLED:,}"
        raise UserError("episodes", source.rows, remedy)
    return _pooled(source), [], _command(title, asked, None, source)


def _pooled(log: Log) -> inference.LogRows:
    """All episodes of a log about one system."""
    unused = tuple(name for name in log.optional if name != "system")
    batch = concatenate([log.read(part, unused) for part in range(len(log.parts))])
    try:
        pooled = pools_episodes(batch)
    except (ValueError, AttributeError, RecursionError):
        pooled = False
    if not pooled:
        remedy = f"each of the {batch.rows:,} episodes has a system of its own: choose an episode"
        raise UserError("episode", None, remedy)
    return inference.exact.batch_rows(batch, log.shown)


def _command(shown: str, asked: Question, episode: int | None, log: Log | None = None) -> str:
    """What is typed for the same answer."""
    words = ["seedo", "ask", shown, asked.question]
    if episode is not None:
        words += ["--episode", str(episode)]
    for name in ("targets", "sources"):
        if getattr(asked, name):
            words += [f"--{name}", getattr(asked, name)]
    for name in ("drop", "keep"):
        if getattr(asked, name):
            words += [f"--{name}", ",".join(getattr(asked, name))]
    for name in ("require", "forbid", "believe"):
        for text in getattr(asked, name):
            words += [f"--{name}", text]
    if asked.graph.strip():
        words += ["--graph", "graph.txt"]
    if asked.nonlinear:
        words.append("--nonlinear")
    for name, usual in (("max_parents", None), ("draws", 2000), ("seed", 0)):
        if getattr(asked, name) != usual:
            words += [f"--{name.replace('_', '-')}", str(getattr(asked, name))]
    if log is None or log.path.is_dir():
        return shlex.join(words)
    if log.path.suffix != ".csv":
        return ""  # a shard without its folder
    words[2] = "LOG"
    return f"seedo import {shlex.quote(shown)} --out LOG && {shlex.join(words)}"
