"""The tour: a guess from correlations, what comes of it, experiments, and a second try.

Both tries are games of the lab's own on one system: the first is only shown 40 rows, the second
experiments.
"""

from __future__ import annotations

import functools
from dataclasses import replace

from fastapi import APIRouter
from starlette.responses import Response

from seedo.lab._lab import Page
from seedo.lab._presets import misleading
from seedo.lab._scenario import Scenario, encode

LOOKS, EXPERIMENTS = 40, 6

routes = APIRouter()


@functools.cache
def tries() -> tuple[Scenario, Scenario]:
    """The game that only looks, and the one that experiments, on the same system."""
    system, one = misleading(), {"rounds": 1, "exploits": 1}
    looking = {"observations": LOOKS, "experiments": 0} | one
    setting = {"observations": 0, "experiments": EXPERIMENTS} | one
    return tuple(  # type: ignore[return-value]
        replace(system, config=replace(system.config, **budget)) for budget in (looking, setting)
    )


@routes.get("/tour", include_in_schema=False)
def tour(page: Page) -> Response:
    first, second = tries()
    data = {"first": encode(first), "second": encode(second), "system": first.to_json()}
    return page("tour.html", title="Tour", data=data)
