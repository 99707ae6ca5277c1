"""Your data: a table is dropped, corrected, asked, and experiments are planned and entered."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from seedo.errors import UserError
from seedo.lab._background import Job
from seedo.lab._lab import Page, Visitor, service
from seedo.lab._replays import plain
from seedo.lab._security import MOST_TABLE, TABLES
from seedo.lab.data import _answers, _campaign, _history, _rows, _runs
from seedo.lab.data._answers import Outcome, Question, Wanted
from seedo.lab.data._campaign import Begun, Result
from seedo.lab.data._runs import Entered
from seedo.lab.data._said import Said
from seedo.lab.data._shelf import DAYS, MOST_TABLES, Kept, Shelf
from seedo.lab.data._words import on_page
from seedo.lab.data._working import Working, state
from seedo.tables import SUFFIXES

routes = APIRouter()
"""The page and what it asks for."""

TheShelf = Annotated[Shelf, service(Shelf)]
TheWorking = Annotated[Working, service(Working)]
_Key = Annotated[str, Path(max_length=40)]


def _kept(visitor: Visitor, shelf: TheShelf, key: _Key) -> Kept:
    return shelf.find(visitor, key)


TheTable = Annotated[Kept, Depends(_kept)]


def _asked(visitor: Visitor, working: TheWorking, job: _Key) -> Job:
    found = working.job(visitor, job)
    if found is None:
        raise HTTPException(404, "this is no longer known: ask again")
    return found


Asked = Annotated[Job, Depends(_asked)]


@routes.get("/data", include_in_schema=False)
def data(page: Page) -> Response:
    limits = {"bytes": MOST_TABLE, "tables": MOST_TABLES, "days": DAYS, "suffixes": SUFFIXES}
    return page("data.html", title="Your data", data=limits, limits=limits)


@routes.get(TABLES)
def tables(visitor: Visitor, shelf: TheShelf) -> Any:
    return plain({"tables": [kept.listed() for kept in shelf.all(visitor)]})


@routes.post(TABLES, status_code=201)
async def take(
    request: Request, visitor: Visitor, shelf: TheShelf,
    name: Annotated[str, Query(min_length=1, max_length=1_000)],
) -> Any:  # fmt: skip
    """A table: the body is the file as it is."""
    body = await request.body()
    kept = await run_in_threadpool(shelf.take, visitor, name, body)
    return plain(await run_in_threadpool(_shown, kept))


@routes.get(TABLES + "/{key}")
def table(kept: TheTable) -> Any:
    return plain(_shown(kept))


@routes.put(TABLES + "/{key}")
def say(visitor: Visitor, shelf: TheShelf, kept: TheTable, said: Said) -> Any:
    """How columns are to be read and what is taken for granted."""
    _rows.check(kept, said)
    shelf.say(kept, said)
    return plain(_shown(shelf.find(visitor, kept.key)))


@routes.delete(TABLES + "/{key}")
def delete(visitor: Visitor, shelf: TheShelf, working: TheWorking, kept: TheTable) -> Any:
    working.stop(visitor, working.now(visitor))
    shelf.delete(kept)
    return {}


@routes.post(TABLES + "/{key}/ask", status_code=202)
def ask(visitor: Visitor, working: TheWorking, kept: TheTable, said: Question) -> Any:
    return {"job": working.start(visitor, partial(_answers.asked, working, kept, said))}


@routes.post(TABLES + "/{key}/graph", status_code=202)
def graph(visitor: Visitor, working: TheWorking, kept: TheTable) -> Any:
    return {"job": working.start(visitor, partial(_answers.graph, working, kept))}


@routes.post(TABLES + "/{key}/levers", status_code=202)
def levers(visitor: Visitor, working: TheWorking, kept: TheTable, said: Outcome) -> Any:
    return {"job": working.start(visitor, partial(_answers.levers, working, kept, said))}


@routes.post(TABLES + "/{key}/advise", status_code=202)
def advise(visitor: Visitor, working: TheWorking, kept: TheTable, said: Wanted) -> Any:
    return {"job": working.start(visitor, partial(_answers.advised, working, kept, said))}


@routes.post(TABLES + "/{key}/runs")
def enter(kept: TheTable, entered: Entered) -> Any:
    """What came out of an experiment."""
    _runs.enter(kept, entered)
    return plain(_shown(kept))


@routes.delete(TABLES + "/{key}/runs/last")
def take_back(kept: TheTable) -> Any:
    _runs.undo(kept)
    return plain(_shown(kept))


@routes.post(TABLES + "/{key}/campaign", status_code=201)
def begin(kept: TheTable, said: Begun) -> Any:
    """A campaign of experiments, as `seedo experiment` goes on with it."""
    return plain(_campaign.begin(kept, said))


@routes.delete(TABLES + "/{key}/campaign")
def end(kept: TheTable) -> Any:
    _campaign.delete(kept)
    return {}


@routes.post(TABLES + "/{key}/campaign/next", status_code=202)
def propose(visitor: Visitor, working: TheWorking, kept: TheTable) -> Any:
    return {"job": working.start(visitor, partial(_campaign.propose, kept))}


@routes.post(TABLES + "/{key}/campaign/found", status_code=202)
def found(visitor: Visitor, working: TheWorking, kept: TheTable) -> Any:
    return {"job": working.start(visitor, partial(_campaign.report, kept))}


@routes.post(TABLES + "/{key}/campaign/runs")
def tell(kept: TheTable, result: Result) -> Any:
    return plain(_campaign.tell(kept, result))


@routes.get(TABLES + "/{key}/history")
def export(kept: TheTable) -> Response:
    """All answers; each `result` is what the command beside it prints with `--json`."""
    attached = {"Content-Disposition": 'attachment; filename="answers.json"'}
    return Response(_history.exported(kept), media_type="application/json", headers=attached)


@routes.get(TABLES + "/{key}/history/{number}")
def one_answer(kept: TheTable, number: Annotated[int, Path(ge=0, le=1_000_000)]) -> Response:
    """One answer as `--json` prints it."""
    return Response(_history.one(kept, number), media_type="application/json")


@routes.delete(TABLES + "/{key}/history")
def forget(kept: TheTable) -> Any:
    _history.forget(kept)
    return {}


@routes.get("/api/data/work/{job}")
def work(found: Asked) -> Any:
    return _in_words(plain(state(found)))


@routes.delete("/api/data/work/{job}")
def stop(visitor: Visitor, working: TheWorking, job: _Key, found: Asked) -> Any:
    working.stop(visitor, job)
    return {}


def _shown(kept: Kept) -> dict[str, Any]:
    return {
        **_rows.view(kept),
        "history": _in_words(list(_history.entries(kept))),
        "runs": _runs.listed(kept),
        **_campaign_of(kept),
    }


def _campaign_of(kept: Kept) -> dict[str, Any]:
    """How far the campaign is, or why that cannot be told: another process may have it."""
    try:
        return {"campaign": _campaign.shown(kept), "campaign_error": ""}
    except UserError as error:
        return {"campaign": None, "campaign_error": str(error)}


def _in_words(value: Any) -> Any:
    """What is shown, with labels of the page in the place of options; commands stay."""
    if isinstance(value, dict):
        return {k: v if k == "command" else _in_words(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_in_words(v) for v in value]
    return on_page(value) if isinstance(value, str) else value
