"""The lab as an ASGI application."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles

from seedo import __version__
from seedo.errors import UserError
from seedo.lab import _build, _compare, _home, _look, _play, _watch, study
from seedo.lab._comparisons import Comparisons
from seedo.lab._findings import Findings
from seedo.lab._games import Games
from seedo.lab._lab import HERE, Lab
from seedo.lab._logbook import Logbook
from seedo.lab._probing import Probing
from seedo.lab._questions import Desk
from seedo.lab._replays import Replays
from seedo.lab._security import Guard, Keys, private_folder
from seedo.lab._settings import LabSettings
from seedo.lab._store import METADATA, open_database

_PARTS = (study, _home, _build, _play, _watch, _compare, _look)
"""Modules with `routes`, looked through in this order: a study has the most visitors at once."""


def create_app(settings: LabSettings) -> FastAPI:
    """The application; nothing runs yet but what its folder needs.

    Raises:
        UserError: a folder, database or study file that cannot be used.
    """
    private_folder(settings.data)
    keys = Keys(settings.data)
    lab = Lab(settings, keys, open_database(settings.data / "lab.sqlite", METADATA))
    _add_services(lab)
    app = FastAPI(title="Seedo lab", version=__version__, docs_url=None, redoc_url=None)
    app.state.lab = lab
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    for part in _PARTS:
        app.include_router(part.routes)
    answer = partial(_answer, lab)
    app.add_middleware(Guard, settings=settings, keys=keys, answer=answer)

    @app.exception_handler(UserError)
    async def refused(request: Request, error: UserError) -> Response:
        return _answer(lab, request, 422, str(error), error.field)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        first: Any = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"][1:])[:80] or "body"
        got = None if isinstance(first.get("input"), dict | list) else first.get("input")
        shown = UserError(field, None if got is None else str(got)[:60], first["msg"])
        return _answer(lab, request, 422, str(shown), field)

    @app.exception_handler(HTTPException)
    async def failed(request: Request, error: HTTPException) -> Response:
        field = error.field if isinstance(error, study.Said) else ""
        return _answer(lab, request, error.status_code, str(error.detail), field)

    return app


def _add_services(lab: Lab) -> None:
    background = lab.background
    logbook = Logbook(lab.settings.logs, background)
    lab.add(
        Games(lab.engine),
        Findings(lab.engine, background),
        _watch.Preparing(background),
        Probing(background),
        Comparisons(lab.settings.data / "comparisons", background),
        logbook,
        Replays(logbook),
        Desk(background),
    )
    study.open_study(lab)


def _answer(lab: Lab, request: Request, status: int, line: str, field: str) -> Response:
    """The line as JSON for a script, as a page for a person."""
    # Half a surrogate pair, of which a client's JSON may be full, cannot be sent back.
    line, field = (text.encode("utf-8", "replace").decode() for text in (line, field))
    if request.scope["path"].startswith("/api/"):
        return JSONResponse({"error": line, "field": field}, status)
    shown = {"line": line, "researcher": request.state.researcher}
    return lab.page(request, "error.html", status, title="Not possible", **shown)
