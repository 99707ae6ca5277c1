"""Watch: experimenters side by side on one scenario."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, RedirectResponse, Response

from seedo.errors import UserError, one_of
from seedo.experimenters import is_spoken
from seedo.lab._background import Background, Job, Jobs
from seedo.lab._cast import Role
from seedo.lab._lab import Page, TheLab, service
from seedo.lab._scenario import MOST_TEXT, Scenario, decode, encode
from seedo.lab._spoken_frames import speaks, spoken_frames
from seedo.lab._warm import FIRST
from seedo.lab._worlds import shown_as
from seedo.worlds import plain_names as world_names

MOST_PLAYERS = 4
_MOST_STEP = 10_000
_Code = Annotated[str, Query(max_length=MOST_TEXT)]
_Names = Annotated[tuple[str, ...], Query(max_length=20)]


class Asked(BaseModel):
    """Whose frames, of what.

    Attributes:
        s: the scenario, as in a link.
        player: one of the cast.
        begin: also begin what costs something, or has failed.
    """

    model_config = ConfigDict(extra="forbid")

    s: str = Field(max_length=MOST_TEXT)
    player: str = Field(max_length=300)
    begin: bool = False


class Preparing(Jobs):
    """What players did, being prepared."""

    def __init__(self, background: Background) -> None:
        super().__init__(background, "watch", threads=4)


routes = APIRouter()


@routes.get("/watch", include_in_schema=False)
def watch(
    lab: TheLab,
    page: Page,
    s: _Code = "",
    world: str = "dag",
    players: _Names = (),
    step: Annotated[int, Query(ge=0, le=_MOST_STEP)] = 0,
) -> Response:
    scenario = decode(s) if s else _first(world)
    shown, roles, code = shown_as(scenario.world), lab.cast(scenario), encode(scenario)
    data = {
        "s": code,
        "shape": shown.shape,
        "cast": [vars(role) for role in roles],
        "players": _chosen(players, roles, (*shown.usual, *lab.settings.agents)),
        "step": step,
        "most": MOST_PLAYERS,
    }
    others = [shown_as(name) for name in world_names() if name != scenario.world]
    return page(
        "watch.html", title="Watch", data=data, code=code, about=shown.about(scenario),
        shown=shown, others=others,
    )  # fmt: skip


@routes.get("/watch/new", include_in_schema=False)
def another(s: _Code = "", players: _Names = ()) -> Response:
    """The same settings with another system."""
    code = encode(_another(decode(s) if s else FIRST))
    query = urlencode([("s", code), *(("players", name) for name in players)])
    return RedirectResponse(f"/watch?{query}", 303)


@routes.get("/api/watch/setting")
def setting(s: _Code) -> dict[str, Any]:
    """What is hidden from the players."""
    scenario = decode(s)
    return shown_as(scenario.world).setting(scenario)


@routes.post("/api/watch/frames")
def frames(lab: TheLab, jobs: Annotated[Preparing, service(Preparing)], asked: Asked) -> Response:
    """A player's frames, or how far they are: state `ready`, `preparing`, `failed`,
    `unavailable` or, where asking costs something, `waiting`."""
    scenario = decode(asked.s)
    role = next((r for r in lab.cast(scenario) if r.name == asked.player), None)
    if role is None:
        raise UserError("player", asked.player[:60], "nobody of this name acts in this world")
    if role.why_not:
        return JSONResponse({"state": "unavailable", "why": role.why_not})
    key = (encode(scenario), asked.player)
    job = jobs.find(key)
    if job is None and is_spoken(asked.player) and not asked.begin:
        return JSONResponse({"state": "waiting"})
    if job is None or (job.failure and asked.begin):
        job = jobs.start(key, partial(_shown, lab.settings.data / "watch", scenario, asked.player))
    if job.result is not None:
        return Response(f'{{"state":"ready","shown":{job.result}}}', media_type="application/json")
    if job.failure:
        return JSONResponse({"state": "failed", "why": job.why})
    waited = {"done": job.done, "total": job.total, "seconds": round(job.seconds, 1)}
    return JSONResponse({"state": "preparing", **waited})


def _shown(folder: Path, scenario: Scenario, name: str, job: Job) -> str:
    """A player's frames as JSON; replies of language models are kept in `folder`."""
    if speaks(name):
        shown = spoken_frames(scenario, name, folder, job.progress)
    else:
        shown = shown_as(scenario.world).frames(scenario, name, job.progress)
    return json.dumps(shown, allow_nan=False, separators=(",", ":"))


def _first(world: str) -> Scenario:
    one_of("world", world, world_names())
    return shown_as(world).first()


def _another(scenario: Scenario) -> Scenario:
    """Another episode of the same settings; drawn by hand or not, now drawn by lot."""
    return replace(scenario, index=secrets.randbelow(1_000_000), drawn=None)


def _chosen(asked: tuple[str, ...], roles: list[Role], usual: tuple[str, ...]) -> list[str]:
    """Names out of the cast, at most as many as are shown; none asked for: the usual."""
    known = {role.name for role in roles}
    names: list[str] = []
    for text in asked:
        names += [text] if text in known else text.split(",")
    found = [name for name in dict.fromkeys(names) if name in known]
    if not found:
        able = {role.name for role in roles if not role.why_not}
        found = [name for name in usual if name in able]
    return found[:MOST_PLAYERS]
