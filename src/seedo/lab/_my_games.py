"""My games: what this browser's visitor has played to the end, and the score over all of it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from seedo.lab._finished import FEWEST, MOST_GAMES, Finished, share
from seedo.lab._lab import Page, Visitor, service

_AT_ONCE = 1.0  # seconds that a request waits for games that have just ended

routes = APIRouter()


@routes.get("/games", include_in_schema=False)
def games(page: Page) -> Response:
    return page("games.html", title="My games", data={"fewest": FEWEST, "most": MOST_GAMES})


@routes.get("/api/games")
def listed(visitor: Visitor, finished: Annotated[Finished, service(Finished)]) -> dict[str, Any]:
    """The visitor's games, the latest first; `ready`: none is still being written down."""
    writing = finished.catch_up(visitor)
    writing.wait(_AT_ONCE)
    results = finished.listed(visitor)
    return {
        "ready": writing.over,
        "share": share(results),
        "games": [result._asdict() for result in results],
    }
