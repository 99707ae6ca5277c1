"""The first page."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from seedo.lab._lab import Lab


def router(lab: Lab) -> APIRouter:
    routes = APIRouter()

    @routes.get("/", include_in_schema=False)
    def home(request: Request) -> Response:
        return lab.page(request, "home.html", title="Seedo lab")

    @routes.get("/favicon.ico", include_in_schema=False)
    def icon() -> Response:
        return Response(status_code=204)

    return routes
