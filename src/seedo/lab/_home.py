"""The first page."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from seedo.lab._lab import Page

routes = APIRouter()


@routes.get("/", include_in_schema=False)
def home(page: Page) -> Response:
    return page("home.html", title="Seedo lab")


@routes.get("/favicon.ico", include_in_schema=False)
def icon() -> Response:
    return Response(status_code=204)
