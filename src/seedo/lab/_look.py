"""Look back: logs and runs, their episodes, and questions about them. Nothing is written."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from seedo.errors import UserError
from seedo.experimenters import READERS, ROOMS_PLAYERS
from seedo.lab import _palette, _replay
from seedo.lab._background import Job
from seedo.lab._cast import label
from seedo.lab._finished import Finished
from seedo.lab._lab import Page, Visitor, service
from seedo.lab._log import MOST_PATH, Log, TableFile
from seedo.lab._log_check import Checks
from seedo.lab._log_index import Filter, order, select
from seedo.lab._logbook import Found, Logbook
from seedo.lab._questions import Desk, Question, state
from seedo.lab._replays import Replays, guarded, plain
from seedo.lab._worlds import shown_as
from seedo.worlds import kind_of

PAGE = 25
_AT_ONCE = 0.4  # seconds that a request waits for an index, so that small logs come at once
_MOST_CELL = 200  # characters
_MOST_COLUMNS = 60
_MOST_DAMAGE = 3  # lines of one log in the list

_SCRIPTED = frozenset({"expert", "random", *READERS, *ROOMS_PLAYERS})

_Key = Annotated[str, Query(max_length=MOST_PATH)]
_At = Annotated[str, Query(pattern=r"^\d{1,7}\.\d{1,9}$")]


class Wanted(BaseModel):
    """Which episodes of a log to list, in which order; see `Filter`."""

    model_config = ConfigDict(extra="forbid")

    log: str = Field(max_length=MOST_PATH)
    low: float | None = Field(None, ge=-1e9, le=1e9)
    high: float | None = Field(None, ge=-1e9, le=1e9)
    goal: int | None = Field(None, ge=0, le=2**62)
    best: bool | None = None
    tested: list[int] = Field([], max_length=64)
    text: str = Field("", max_length=200)
    episode: int | None = Field(None, ge=0, le=2**62)
    person: str = Field("", max_length=200)
    sort: Literal["id", "returns", "-returns", "regret", "-regret"] = "id"
    page: int = Field(0, ge=0, le=1_000_000)


routes = APIRouter()

TheChecks = Annotated[Checks, service(Checks)]


def _logbook(
    visitor: Visitor,
    shared: Annotated[Logbook, service(Logbook)],
    finished: Annotated[Finished, service(Finished)],
) -> Logbook:
    return shared.also("my games", finished.folder(visitor))


TheLogbook = Annotated[Logbook, Depends(_logbook)]
"""As it is for one visitor, whose games nobody else finds."""


def _replays(logbook: TheLogbook, shared: Annotated[Replays, service(Replays)]) -> Replays:
    return shared.reading(logbook)


TheReplays = Annotated[Replays, Depends(_replays)]
TheDesk = Annotated[Desk, service(Desk)]


def _asked(visitor: Visitor, desk: TheDesk, job: Annotated[str, Path(max_length=40)]) -> Job:
    found = desk.job(visitor, job)
    if found is None:
        raise HTTPException(404, "this question is no longer known: ask again")
    return found


Asked = Annotated[Job, Depends(_asked)]


@routes.get("/look", include_in_schema=False)
def look(page: Page, logbook: TheLogbook) -> Response:
    return page("look.html", title="Look back", data={"roots": logbook.roots})


@routes.get("/look/log", include_in_schema=False)
def look_log(page: Page, logbook: TheLogbook, log: _Key) -> Response:
    source = logbook.open(log)
    table = isinstance(source, TableFile)
    return page(
        "look_log.html", title="Look back", shown=source.shown, table=table,
        data={"log": source.key, "shown": source.shown, "table": table},
    )  # fmt: skip


@routes.get("/api/look/logs")
def logs(
    visitor: Visitor,
    logbook: TheLogbook,
    checks: TheChecks,
    finished: Annotated[Finished, service(Finished)],
) -> Any:
    """The list; `checking`: some logs are still being read through."""
    finished.catch_up(visitor).wait(_AT_ONCE)
    found, more = logbook.found()
    listed = [_listed(f, checks) for f in found]
    checking = any(one.get("checking") for one in listed)
    return plain({"logs": listed, "more": more, "checking": checking})


@routes.get("/api/look/log")
def summary(logbook: TheLogbook, log: _Key) -> Any:
    source = logbook.open(log)
    if isinstance(source, TableFile):
        return plain(_table(source))
    indexing = logbook.index(source)
    index = indexing.wait(_AT_ONCE)
    return plain({
        **_described(source),
        "ready": index is not None,
        "done": indexing.done,
        "files": len(source.parts),
        "figures": index and index.figures,
        "damage": index.damage if index else (),
        "people": len(index.people) if index else 0,
    })  # fmt: skip


@routes.get("/api/look/episodes")
def episodes(logbook: TheLogbook, replays: TheReplays, wanted: Annotated[Wanted, Query()]) -> Any:
    source = replays.log(wanted.log)
    index = logbook.index(source).wait(_AT_ONCE)
    if index is None:
        raise UserError("log", source.key, "still being read: try again in a moment")
    filtered = Filter(
        wanted.low, wanted.high, wanted.goal, wanted.best, tuple(wanted.tested), wanted.text,
        wanted.episode, wanted.person,
    )  # fmt: skip
    try:
        at = order(index, select(index, source, filtered), wanted.sort)
    except UnicodeEncodeError as error:
        raise UserError("text", None, "use text that can be searched for") from error
    shown = at[wanted.page * PAGE : (wanted.page + 1) * PAGE]
    rows = [index.shown(i) for i in shown]
    return plain({"count": len(at), "page": wanted.page, "size": PAGE, "rows": rows})


@routes.get("/api/look/episode")
def episode(replays: TheReplays, log: _Key, at: _At) -> Any:
    source, batch = replays.episode(log, at)
    talk = source.beside("conversations.jsonl", 1 << 40) is not None
    return plain({**guarded(_replay.replay, source, batch), "talk": talk})


@routes.get("/api/look/hindsight")
def hindsight(replays: TheReplays, log: _Key, at: _At) -> Any:
    return plain(replays.compiled(_replay.hindsight, log, at))


@routes.get("/api/look/strategies")
def strategies(replays: TheReplays, log: _Key, at: _At) -> Any:
    return plain(replays.compiled(_replay.strategies, log, at))


@routes.get("/api/look/frames", response_class=Response)
def frames(replays: TheReplays, log: _Key, at: _At) -> Response:
    return Response(replays.compiled(_replay.frames, log, at), media_type="image/png")


@routes.get("/api/look/conversation")
def conversation(replays: TheReplays, log: _Key, at: _At) -> Any:
    source, batch = replays.episode(log, at)
    messages = guarded(_replay.conversation, source, int(batch.episode_id[0]))
    return plain({"messages": messages})


@routes.post("/api/look/ask", status_code=202)
def ask(visitor: Visitor, logbook: TheLogbook, desk: TheDesk, asked: Question) -> Any:
    source = logbook.open(asked.log)

    def find(number: int) -> tuple[int, int]:
        assert isinstance(source, Log)
        place: tuple[int, int] = logbook.index(source).wait().find(number)
        return place

    return {"job": desk.take(visitor, source, asked, find)}


@routes.get("/api/look/ask/{job}")
def asked_before(found: Asked) -> Any:
    return plain(state(found))


@routes.delete("/api/look/ask/{job}")
def stop(found: Asked) -> Any:
    found.stop()
    return {}


def _listed(found: Found, checks: Checks) -> dict[str, Any]:
    plain = {"key": found.key, "shown": found.shown, "changed": found.changed}
    if found.log is None:
        return {**plain, "why_not": found.why_not}
    try:
        described = _described(found.log)
    except UserError as error:  # its world is a plug-in's that is broken
        return {**plain, "why_not": str(error)}
    condition, checking = checks.condition(found.log)
    shown = {
        "readable": condition.readable,
        "broken": len(condition.damage),
        "files": condition.parts,
        "damage": condition.damage[:_MOST_DAMAGE],
        "checked": condition.checked,
        "checking": checking,
    }
    return {**plain, **described, **shown, "why_not": ""}


def _described(log: Log) -> dict[str, Any]:
    origin = log.origin
    shown = shown_as(origin.world)
    return {
        "shown": log.shown,
        "world": origin.world,
        "split": origin.split,
        "player": origin.experimenter,
        "label": label(_name(origin.experimenter)),
        "look": _palette.look(_name(origin.experimenter))._asdict(),
        "seed": origin.seed,
        "created": origin.created or "",
        "names": list(origin.variables),
        "steps": log.steps,
        "rows": log.rows,
        "bytes": sum(part.bytes for part in log.parts),
        "complete": log.complete,
        "explained": "explanation" in log.optional,
        "shape": shown.shape,
        "pooled": shown.pooled,
        "no_questions": ""
        if kind_of(origin.world).measures_variables
        else f"Moves in world {origin.world} are no measurements: nothing to ask.",
        "stream": _replay.stream_of(log) or "",
    }


def _name(player: str) -> str:
    """A log's player as on the command line: in logs, scripted ones have no prefix."""
    return f"scripted:{player}" if player in _SCRIPTED else player


def _table(source: TableFile) -> dict[str, Any]:
    """The first rows of a table."""
    columns = source.columns()
    names = list(columns.arrays)[:_MOST_COLUMNS]
    cells = [columns.arrays[name].slice(0, PAGE).to_pylist() for name in names]
    return {
        "shown": source.shown,
        "bytes": source.bytes,
        "rows": columns.rows,
        "columns": len(columns.arrays),
        "names": names,
        "first": [["" if c is None else str(c)[:_MOST_CELL] for c in row]
                  for row in zip(*cells, strict=True)],
    }  # fmt: skip
