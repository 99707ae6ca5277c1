"""Watch: experimenters side by side on one scenario."""

from __future__ import annotations

import functools
import secrets
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, RedirectResponse, Response

from seedo.errors import UserError
from seedo.lab._cast import Role, cast
from seedo.lab._frames import dag_frames, dag_setting
from seedo.lab._lab import Lab
from seedo.lab._room_frames import room_frames, room_setting
from seedo.lab._scenario import MOST_TEXT, Scenario, decode, encode
from seedo.lab._spoken_frames import is_spoken, spoken_frames
from seedo.lab._warm import FIRST
from seedo.lab._watch_jobs import Job, Jobs, Work
from seedo.worlds import DagConfig, configure_rooms

MOST_PLAYERS = 4
_MOST_STEP = 10_000
_USUAL = {
    "dag": ("scripted:largest-effect", "bayes:eig", "pretrained:dag", "scripted:expert"),
    "rooms": ("scripted:expert", "scripted:last-rewarded"),
}


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


def router(lab: Lab) -> APIRouter:
    routes = APIRouter()
    jobs = Jobs()

    @routes.get("/watch", include_in_schema=False)
    def watch(
        request: Request,
        s: _Code = "",
        world: str = "dag",
        players: _Names = (),
        step: Annotated[int, Query(ge=0, le=_MOST_STEP)] = 0,
    ) -> Response:
        scenario = decode(s) if s else _first(world)
        roles = _roles(lab, scenario)
        code = encode(scenario)
        data = {
            "s": code,
            "world": scenario.world,
            "cast": [vars(role) for role in roles],
            "players": _chosen(players, roles, scenario.world),
            "step": step,
            "most": MOST_PLAYERS,
        }
        other = "rooms" if scenario.world == "dag" else "dag"
        return lab.page(
            request, "watch.html", title="Watch", data=data, code=code, about=_about(scenario),
            world=scenario.world, other=other,
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
        return room_setting(scenario) if scenario.world == "rooms" else dag_setting(scenario)

    @routes.post("/api/watch/frames")
    def frames(asked: Asked) -> Response:
        """A player's frames, or how far they are: state `ready`, `preparing`, `failed`,
        `unavailable` or, where asking costs something, `waiting`."""
        scenario = decode(asked.s)
        role = next((r for r in _roles(lab, scenario) if r.name == asked.player), None)
        if role is None:
            raise UserError("player", asked.player[:60], "nobody of this name acts in this world")
        if role.why_not:
            return _said({"state": "unavailable", "why": role.why_not})
        key = (encode(scenario), asked.player)
        job = jobs.find(key)
        if job is None and asked.player.startswith("llm:") and not asked.begin:
            return _said({"state": "waiting"})
        if job is None or (job.why and asked.begin):
            job = jobs.start(key, _work(lab, scenario, asked.player))
        return _progress(job)

    return routes


def _roles(lab: Lab, scenario: Scenario) -> list[Role]:
    return cast(scenario, lab.settings.agents, lab.settings.models)


def _work(lab: Lab, scenario: Scenario, name: str) -> Work:
    if is_spoken(name):
        return functools.partial(_spoken, scenario, name, lab)
    frames = room_frames if scenario.world == "rooms" else dag_frames
    return functools.partial(frames, scenario, name)


def _spoken(scenario: Scenario, name: str, lab: Lab, progress: Any) -> dict[str, Any]:
    return spoken_frames(scenario, name, lab.settings.data / "watch", progress)


def _progress(job: Job) -> Response:
    if job.result is not None:
        return Response(f'{{"state":"ready","shown":{job.result}}}', media_type="application/json")
    if job.why:
        return _said({"state": "failed", "why": job.why})
    waited = {"done": job.done, "total": job.total, "seconds": round(job.seconds, 1)}
    return _said({"state": "preparing", **waited})


def _said(fields: dict[str, Any]) -> Response:
    return JSONResponse(fields)


def _first(world: str) -> Scenario:
    return Scenario(configure_rooms()) if world == "rooms" else FIRST


def _another(scenario: Scenario) -> Scenario:
    """Another episode of the same settings; drawn by hand or not, now drawn by lot."""
    return replace(scenario, index=secrets.randbelow(1_000_000), drawn=None)


def _chosen(asked: tuple[str, ...], roles: list[Role], world: str) -> list[str]:
    """Names out of the cast, at most as many as are shown; none asked for: the usual."""
    known = {role.name for role in roles}
    names: list[str] = []
    for text in asked:
        names += [text] if text in known else text.split(",")
    found = [name for name in dict.fromkeys(names) if name in known]
    if not found:
        able = {role.name for role in roles if not role.why_not}
        agents = [r.name for r in roles if r.kind == "network" and ":" not in r.name]
        usual = [*_USUAL[world], *(agents if world == "rooms" else [])]
        found = [name for name in usual if name in able]
    return found[:MOST_PLAYERS]


def _about(scenario: Scenario) -> str:
    """The scenario in a line."""
    c: Any = scenario.config
    if not isinstance(c, DagConfig):
        return f"Rooms, level {c.level}: {c.trials} trial{'s' if c.trials > 1 else ''}"
    drawn = "drawn by hand" if scenario.drawn else f"preset {c.preset}"
    parts = [f"{c.n} variables"]
    parts += [f"{c.confounders} hidden"] if c.confounders else []
    parts += [f"{c.observations} observations"] if c.observations else []
    parts += [f"{c.experiments} experiments", f"{c.exploits} action" + "s" * (c.exploits > 1)]
    parts += [f"{c.rounds} rounds of both"] if c.rounds > 1 else []
    return f"Causes and effects, {drawn}: {', '.join(parts)}"
