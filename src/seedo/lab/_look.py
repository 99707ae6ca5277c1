"""Look back: logs and runs, their episodes, and questions about them. Nothing is written."""

from __future__ import annotations

import functools
import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Path, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from seedo.episodes import EpisodeBatch
from seedo.errors import UserError
from seedo.experimenters import READERS, ROOMS_PLAYERS
from seedo.lab import _replay
from seedo.lab._cast import label
from seedo.lab._lab import Lab
from seedo.lab._log_index import Filter, order, select
from seedo.lab._logbook import MOST_PATH, Found, Log, Logbook, TableFile
from seedo.lab._questions import Desk, Question

PAGE = 25
_AT_ONCE = 0.4  # seconds that a request waits for an index, so that small logs come at once
_KEPT = 128  # results of one kind
_MOST_CELL = 200  # characters
_MOST_COLUMNS = 60

_SCRIPTED = frozenset({"expert", "random", *READERS, *ROOMS_PLAYERS})

_Key = Annotated[str, Query(max_length=MOST_PATH)]
_At = Annotated[str, Query(pattern=r"^\d{1,7}\.\d{1,9}$")]
_Bound = Annotated[float | None, Query(ge=-1e9, le=1e9)]
_Number = Annotated[int | None, Query(ge=0, le=2**62)]


def router(lab: Lab) -> APIRouter:
    routes = APIRouter()
    logbook, desk = Logbook(lab.settings.logs), Desk()
    one_at_a_time = threading.Lock()  # what compiles

    def opened(key: str) -> Log:
        source = logbook.open(key)
        if isinstance(source, TableFile):
            raise UserError("log", key[:80], "a table has no episodes: ask it questions")
        return source

    @_kept
    def episode(version: str, key: str, at: str) -> EpisodeBatch:
        part, row = map(int, at.split("."))
        return _replay.one(opened(key), part, row)

    def at_episode(key: str, at: str) -> tuple[Log, EpisodeBatch]:
        log = opened(key)
        return log, episode(log.version, log.key, at)

    @_kept
    def hindsight(version: str, key: str, at: str) -> dict[str, Any]:
        with one_at_a_time:
            return _plain(_replay.hindsight(*at_episode(key, at)))  # type: ignore[no-any-return]

    @_kept
    def strategies(version: str, key: str, at: str) -> dict[str, Any]:
        with one_at_a_time:
            return _plain(_replay.strategies(at_episode(key, at)[1]))  # type: ignore[no-any-return]

    @_kept
    def frames(version: str, key: str, at: str) -> bytes:
        with one_at_a_time:
            return _replay.frames(*at_episode(key, at))

    @routes.get("/look", include_in_schema=False)
    def look(request: Request) -> Response:
        return lab.page(request, "look.html", title="Look back", data={"roots": logbook.roots})

    @routes.get("/look/log", include_in_schema=False)
    def look_log(request: Request, log: _Key) -> Response:
        source = logbook.open(log)
        table = isinstance(source, TableFile)
        return lab.page(
            request, "look_log.html", title="Look back", shown=source.shown, table=table,
            data={"log": source.key, "shown": source.shown, "table": table},
        )  # fmt: skip

    @routes.get("/api/look/logs")
    def logs() -> Any:
        found, more = logbook.found()
        return _plain({"logs": [_listed(f) for f in found], "more": more})

    @routes.get("/api/look/log")
    def summary(log: _Key) -> Any:
        source = logbook.open(log)
        if isinstance(source, TableFile):
            return _plain(_table(source))
        indexing = logbook.index(source)
        index = indexing.wait(_AT_ONCE)
        return _plain({
            **_described(source),
            "ready": index is not None,
            "done": indexing.done,
            "files": len(source.parts),
            "figures": index and index.figures,
            "damage": index.damage if index else (),
            "people": len(index.people) if index else 0,
        })  # fmt: skip

    @routes.get("/api/look/episodes")
    def episodes(
        log: _Key,
        low: _Bound = None,
        high: _Bound = None,
        goal: _Number = None,
        best: bool | None = None,
        tested: Annotated[list[int], Query(max_length=64)] = [],  # noqa: B006
        text: Annotated[str, Query(max_length=200)] = "",
        episode: _Number = None,
        person: Annotated[str, Query(max_length=200)] = "",
        sort: Literal["id", "returns", "-returns", "regret", "-regret"] = "id",
        page: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> Any:
        source = opened(log)
        index = logbook.index(source).wait(_AT_ONCE)
        if index is None:
            raise UserError("log", source.key, "still being read: try again in a moment")
        wanted = Filter(low, high, goal, best, tuple(tested), text, episode, person)
        try:
            at = order(index, select(index, source, wanted), sort)
        except UnicodeEncodeError as error:
            raise UserError("text", None, "use text that can be searched for") from error
        c = index.columns
        return _plain({
            "count": len(at),
            "page": page,
            "size": PAGE,
            "rows": [
                {
                    "at": f"{c.part[i]}.{c.row[i]}",
                    "id": c.id[i],
                    "returns": c.returns[i],
                    "oracle_return": c.oracle_return[i],
                    "goal": c.goal[i],
                    "target": c.target[i],
                    "value": c.value[i],
                    "best": index.best_at(i),
                    "person": index.people[c.person[i]] if index.people else "",
                }
                for i in at[page * PAGE : (page + 1) * PAGE]
            ],
        })  # fmt: skip

    @routes.get("/api/look/episode")
    def one_episode(log: _Key, at: _At) -> Any:
        source, batch = at_episode(log, at)
        talk = source.beside("conversations.jsonl", 1 << 40) is not None
        return _plain({**_guarded(_replay.replay, source, batch), "talk": talk})

    @routes.get("/api/look/hindsight")
    def looking_back(log: _Key, at: _At) -> Any:
        source = opened(log)
        return hindsight(source.version, source.key, at)

    @routes.get("/api/look/strategies")
    def what_others_do(log: _Key, at: _At) -> Any:
        source = opened(log)
        return strategies(source.version, source.key, at)

    @routes.get("/api/look/frames", response_class=Response)
    def pictures(log: _Key, at: _At) -> Response:
        source = opened(log)
        return Response(frames(source.version, source.key, at), media_type="image/png")

    @routes.get("/api/look/conversation")
    def talk(log: _Key, at: _At) -> Any:
        source, batch = at_episode(log, at)
        messages = _guarded(_replay.conversation, source, int(batch.episode_id[0]))
        return _plain({"messages": messages})

    @routes.post("/api/look/ask", status_code=202)
    def ask(request: Request, asked: Question) -> Any:
        source = logbook.open(asked.log)

        def find(number: int) -> tuple[int, int]:
            assert isinstance(source, Log)
            index = logbook.index(source).wait(None)
            assert index is not None
            return index.find(number)

        return {"job": desk.take(request.state.visitor, source, asked, find)}

    @routes.get("/api/look/ask/{job}")
    def asked_before(request: Request, job: Annotated[str, Path(max_length=40)]) -> Any:
        found = desk.job(request.state.visitor, job)
        if found is None:
            raise HTTPException(404, "this question is no longer known: ask again")
        return _plain(found.state())

    @routes.delete("/api/look/ask/{job}")
    def stop(request: Request, job: Annotated[str, Path(max_length=40)]) -> Any:
        found = desk.job(request.state.visitor, job)
        if found is None:
            raise HTTPException(404, "this question is no longer known")
        found.stopped = True
        return {}

    return routes


def _kept(compute: Callable[..., Any]) -> Callable[..., Any]:
    """Keeps the latest results; errors are not kept."""
    results: OrderedDict[Any, Any] = OrderedDict()
    lock = threading.Lock()

    @functools.wraps(compute)
    def kept(*key: Any) -> Any:
        with lock:
            if key in results:
                results.move_to_end(key)
                return results[key]
        found = _guarded(compute, *key)
        with lock:
            results[key] = found
            while len(results) > _KEPT:
                results.popitem(last=False)
        return found

    return kept


def _guarded(compute: Callable[..., Any], *arguments: Any) -> Any:
    """A log is anybody's: whatever goes wrong with it is one line."""
    try:
        return compute(*arguments)
    except UserError:
        raise
    except Exception as error:
        kind = type(error).__name__
        raise UserError("episode", None, f"cannot be worked with ({kind})") from error


def _listed(found: Found) -> dict[str, Any]:
    plain = {"key": found.key, "shown": found.shown, "changed": found.changed}
    if found.log is None:
        return {**plain, "why_not": found.why_not}
    return {**plain, **_described(found.log), "why_not": ""}


def _described(log: Log) -> dict[str, Any]:
    origin = log.origin
    return {
        "shown": log.shown,
        "world": origin.world,
        "split": origin.split,
        "player": origin.experimenter,
        "label": _player(origin.experimenter),
        "seed": origin.seed,
        "created": origin.created or "",
        "names": list(origin.variables),
        "steps": log.steps,
        "rows": log.rows,
        "bytes": sum(part.bytes for part in log.parts),
        "complete": log.complete,
        "explained": "explanation" in log.optional,
        "pooled": not origin.world.startswith(("dag", "rooms", "blicket")),
        "no_questions": f"Moves in world {origin.world} are no measurements: nothing to ask."
        if origin.world in ("rooms", "blicket")
        else "",
        "stream": _replay.stream_of(log) or "",
    }


def _player(name: str) -> str:
    """What people call a log's player, whose name has no prefix if it is scripted."""
    return label(f"scripted:{name}" if name in _SCRIPTED else name)


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


def _plain(value: Any) -> Any:
    """As JSON can carry it: no NaN, no half characters, nothing of NumPy."""
    if isinstance(value, dict):
        return {_plain(str(k)): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()[:20_000]
    return value
