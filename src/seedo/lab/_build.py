"""Build: sample a system or draw one."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from seedo.errors import UserError
from seedo.lab import _challenges
from seedo.lab._lab import Page, TheLab
from seedo.lab._presets import presets
from seedo.lab._scenario import (
    MOST_TEXT,
    MOST_VARIABLES,
    NAMES,
    Scenario,
    decode,
    encode,
    read_json,
)
from seedo.lab._warm import FIRST
from seedo.lab._worlds import shown_as
from seedo.worlds import PRESETS, SPLITS
from seedo.worlds import plain_names as world_names
from seedo.worlds.rooms import DIFFICULTIES, LEVELS

_MOST_FILE = 65_536  # bytes


Code = Annotated[str, Query(max_length=MOST_TEXT, pattern="^[A-Za-z0-9_=-]*$")]
"""What `encode` writes."""


class Proposal(BaseModel):
    """A scenario as `Scenario.to_json` writes it; whatever is left out is as usual."""

    scenario: dict[str, Any] = Field(max_length=16)


class File(BaseModel):
    """What a scenario file contains."""

    text: str = Field(max_length=_MOST_FILE)


routes = APIRouter()


@routes.get("/build", include_in_schema=False)
def build(request: Request, page: Page, lab: TheLab, s: str = "") -> Response:
    scenario = decode(s) if s else FIRST
    data = {
        "scenario": scenario.to_json(),
        "address": lab.address(request),
        "presets": [
            {"name": p.name, "label": p.label, "notice": p.notice, "code": encode(p.scenario)}
            | {"scenario": p.scenario.to_json()}
            for p in presets()
        ],
        "most": {"variables": MOST_VARIABLES, "hidden": 3, "file": _MOST_FILE},
    }
    choices = {
        "names": NAMES,
        "worlds": [shown_as(name) for name in world_names()],
        "presets": tuple(PRESETS),
        "splits": SPLITS,
        "levels": LEVELS,
        "difficulties": (*DIFFICULTIES, "mixed"),
    }
    here = lab.settings.loopback and lab.settings.public is None
    return page("build.html", title="Build", data=data, choices=choices, here=here)


@routes.post("/api/build/look")
def look(proposal: Proposal) -> dict[str, Any]:
    """The scenario in full, its code for links, and what there is to see of its system."""
    return _look(Scenario.from_json(proposal.scenario))


@routes.post("/api/build/cast")
def who(lab: TheLab, proposal: Proposal) -> dict[str, Any]:
    """Who can act in the scenario, and who cannot and why."""
    roles = lab.cast(Scenario.from_json(proposal.scenario))
    return {"roles": [{"label": r.label, "kind": r.kind, "why_not": r.why_not} for r in roles]}


@routes.post("/api/build/open")
def open_file(file: File) -> dict[str, Any]:
    """As `look`, of a file's text."""
    if len(file.text.encode("utf-8", "replace")) > _MOST_FILE:
        raise UserError("file", None, f"larger than {_MOST_FILE:,} bytes")
    return _look(Scenario.from_json(read_json(file.text)))


@routes.get("/api/build/file")
def save(s: Code) -> Response:
    """The scenario of a link as a file."""
    text = json.dumps(decode(s).to_json(), indent=1) + "\n"
    attached = {"Content-Disposition": 'attachment; filename="system.json"'}
    return Response(text, media_type="application/json", headers=attached)


@routes.post("/api/build/challenge")
def challenge(lab: TheLab, proposal: Proposal) -> dict[str, str]:
    """A link to play the scenario that does not show its system."""
    name = _challenges.add(lab.engine, lab.keys, Scenario.from_json(proposal.scenario))
    return {"link": f"/play?challenge={name}"}


def _look(scenario: Scenario) -> dict[str, Any]:
    shown = shown_as(scenario.world)
    return {
        "scenario": scenario.to_json(),
        "code": encode(scenario),
        "sight": shown.sight(scenario),
        "about": shown.about(scenario),
        "no_game": shown.not_for_people(scenario),
    }
