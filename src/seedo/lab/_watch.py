"""Watch: experimenters side by side on one scenario."""

from __future__ import annotations

import json
import os
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
from seedo.lab._lab import Lab, Page, TheLab, service
from seedo.lab._probing import Probing
from seedo.lab._scenario import MOST_TEXT, Scenario, decode, encode
from seedo.lab._spoken_frames import speaks, spoken_frames
from seedo.lab._warm import FIRST
from seedo.lab._worlds import shown_as
from seedo.worlds import plain_names as world_names
from seedo.worlds.raw import read_about

MOST_PLAYERS = 4
_MOST_STEP = 10_000
_Code = Annotated[str, Query(max_length=MOST_TEXT)]
_Names = Annotated[tuple[str, ...], Query(max_length=20)]
_Folder = Annotated[str, Query(max_length=300)]


class Asked(BaseModel):
    """Whose frames, of what.

    Attributes:
        s: the scenario, as in a link.
        player: one of the cast.
        through: an abstraction of the lab's that the players read what is shown through.
        begin: also begin what costs something, or has failed.
    """

    model_config = ConfigDict(extra="forbid")

    s: str = Field(max_length=MOST_TEXT)
    player: str = Field(max_length=300)
    through: str = Field("", max_length=300)
    begin: bool = False


class Preparing(Jobs):
    """What players did, being prepared."""

    def __init__(self, background: Background) -> None:
        # No more than compile side by side: the first to be asked for is the first to be ready.
        super().__init__(background, "watch", threads=min(4, max(2, os.cpu_count() or 1)))


routes = APIRouter()


@routes.get("/watch", include_in_schema=False)
def watch(
    lab: TheLab,
    page: Page,
    s: _Code = "",
    world: str = "dag",
    players: _Names = (),
    through: _Folder = "",
    step: Annotated[int, Query(ge=0, le=_MOST_STEP)] = 0,
) -> Response:
    scenario = decode(s) if s else _first(world)
    code, seen = encode(scenario), _seen(lab, scenario, through)
    shown, roles = shown_as(seen.world), lab.cast(seen)
    data = {
        "s": code,
        "through": through,
        "shape": shown.shape,
        "cast": [role.to_json() for role in roles],
        "players": _chosen(players, roles, (*shown.usual, *lab.settings.agents)),
        "step": step,
        "most": MOST_PLAYERS,
    }
    as_opened = scenario == shown_as(scenario.world).first() and data["players"] == list(
        shown.usual
    )
    return page(
        "watch.html", title="Watch", data=data, code=code, about=shown.about(scenario),
        shown=shown, people=not shown_as(scenario.world).not_for_people(scenario),
        others=[shown_as(name) for name in world_names() if name != scenario.world],
        variants=[(name, encode(each)) for name, each in shown.variants(scenario)],
        readers=_readers(lab, scenario) if shown.variants(scenario) else [],
        why_first=shown.why_first if as_opened else "",
    )  # fmt: skip


@routes.get("/watch/new", include_in_schema=False)
def another(s: _Code = "", players: _Names = (), through: _Folder = "") -> Response:
    """The same settings with another system."""
    code = encode(_another(decode(s) if s else FIRST))
    query = urlencode(
        [("s", code), *([("through", through)] if through else [])]
        + [("players", name) for name in players]
    )
    return RedirectResponse(f"/watch?{query}", 303)


@routes.get("/api/watch/setting")
def setting(lab: TheLab, s: _Code, through: _Folder = "") -> dict[str, Any]:
    """What is hidden from the players."""
    scenario = _seen(lab, decode(s), through)
    return shown_as(scenario.world).setting(scenario)


@routes.post("/api/watch/frames")
def frames(lab: TheLab, jobs: Annotated[Preparing, service(Preparing)], asked: Asked) -> Response:
    """A player's frames, or how far they are: state `ready`, `preparing`, `failed`,
    `unavailable` or, where asking costs something, `waiting`."""
    scenario = _seen(lab, decode(asked.s), asked.through)
    role = _role(lab, scenario, asked.player)
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
    doing = job.doing or "waiting for those before it"
    return JSONResponse({"state": "preparing", "doing": doing, **waited})


@routes.post("/api/watch/decoded")
def decoded(
    lab: TheLab, probing: Annotated[Probing, service(Probing)], asked: Asked
) -> dict[str, Any]:
    """Arrows decoded from a network's states by linear probes, or how far that is."""
    scenario = _seen(lab, decode(asked.s), asked.through)
    role = _role(lab, scenario, asked.player)
    if role.why_not:
        return {"state": "unavailable", "why": role.why_not}
    return probing.ask(scenario, asked.player, asked.begin)


def _shown(folder: Path, scenario: Scenario, name: str, job: Job) -> str:
    """A player's frames as JSON; replies of language models are kept in `folder`."""
    if speaks(name):
        shown = spoken_frames(scenario, name, folder, job.progress)
    else:
        shown = shown_as(scenario.world).frames(scenario, name, job.progress)
    return json.dumps(shown, allow_nan=False, separators=(",", ":"))


def _role(lab: Lab, scenario: Scenario, name: str) -> Role:
    """Who has this name."""
    role = next((r for r in lab.cast(scenario) if r.name == name), None)
    if role is None:
        raise UserError("player", name[:60], "nobody of this name acts in this world")
    return role


def _seen(lab: Lab, scenario: Scenario, through: str) -> Scenario:
    """The scenario as its players see it; a link opens no folder but those of the lab's start."""
    if not through:
        return scenario
    if through not in lab.settings.abstractions:
        remedy = "none of the abstractions that the lab was started with: give it --abstraction"
        raise UserError("through", through[:60], remedy)
    return shown_as(scenario.world).through(scenario, through)


def _readers(lab: Lab, scenario: Scenario) -> list[tuple[str, str]]:
    """Abstractions to watch through, each with the link's text of what it reads."""
    found = []
    for folder in lab.settings.abstractions:
        about = read_about(Path(folder))
        config = scenario.config.to_dict() | about["shows"]
        if about["n"] != config["n"]:
            config = {"n": about["n"], "do_values": config["do_values"]} | about["shows"]
        fields = {"world": scenario.world, "config": config, "seed": scenario.seed}
        found.append((folder, encode(Scenario.from_json(fields | {"index": scenario.index}))))
    return found


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
