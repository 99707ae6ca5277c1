"""Challenges as files and codes: made of a system or of a finished game, and opened elsewhere."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from seedo.episodes import PHASES
from seedo.errors import UserError
from seedo.lab import _challenges
from seedo.lab._cast import label
from seedo.lab._findings import Findings
from seedo.lab._games import Games
from seedo.lab._lab import Page, TheLab, Visitor, service
from seedo.lab._scenario import Scenario
from seedo.lab._sealed import MOST_SCORES, MOST_WHO, Challenge, Score, seal, to_file, unseal
from seedo.lab._worlds import shown_as

_COUNTED = {"observe": "observations", "explore": "experiments", "exploit": "that count"}

routes = APIRouter()


class Sent(BaseModel):
    """A challenge from elsewhere: its code, or its file's text."""

    text: str = Field(max_length=65_536)


class Made(BaseModel):
    """A scenario to be sealed, as `Scenario.to_json` writes it."""

    scenario: dict[str, Any] = Field(max_length=16)


@routes.get("/challenge", include_in_schema=False)
def challenge(page: Page) -> Response:
    return page("challenge.html", title="Challenge")


@routes.post("/api/challenge/open")
def open_sealed(lab: TheLab, sent: Sent) -> dict[str, Any]:
    """Keep a sealed challenge, to be played here; its system is not told."""
    found = unseal(sent.text)
    if why_not := shown_as(found.scenario.world).not_for_people(found.scenario):
        raise UserError("world", found.scenario.world, why_not)
    name = _challenges.add(lab.engine, lab.keys, found.scenario)
    _challenges.keep_scores(lab.engine, name, found.scores)
    scores = [score._asdict() for score in found.scores]
    return {"link": f"/play?challenge={name}", "about": about(found.scenario), "scores": scores}


@routes.post("/api/challenge/seal")
def seal_scenario(made: Made) -> dict[str, str]:
    """A system as a sealed challenge."""
    scenario = Scenario.from_json(made.scenario)
    return _sealed(Challenge(scenario, ()))


@routes.post("/api/challenge/seal/{game}")
def seal_game(
    visitor: Visitor,
    games: Annotated[Games, service(Games)],
    findings: Annotated[Findings, service(Findings)],
    game: str,
    who: Annotated[str, Query(max_length=MOST_WHO)] = "",
) -> dict[str, str]:
    """A finished game as a sealed challenge, with its player's score (under the name `who`) and
    those of the others that are known by now."""
    played = games.get(game, visitor)
    if not played.episode.finished:
        raise UserError("game", game[:24], "not over: play it to its end first")
    scores = [Score(who.strip() or "somebody", played.episode.returns)]
    for part, content in findings.found(game).items():
        kind, _, name = part.partition(" ")
        if kind == "own" and "returns" in content:
            scores.append(Score(label(name)[:MOST_WHO], content["returns"]))
    return _sealed(Challenge(played.scenario, tuple(scores[:MOST_SCORES])))


def about(scenario: Scenario) -> str:
    """What may be told of a game before it: its size and budget."""
    shown = shown_as(scenario.world)
    phases = Counter(PHASES[phase] for phase in shown.stages(shown.begin(scenario))[0])
    budget = (f"{phases[name]} {said}" for name, said in _COUNTED.items() if phases[name])
    return f"{shown.title}, {scenario.stage().spec.n} variables: {', '.join(budget)}"


def _sealed(challenge: Challenge) -> dict[str, str]:
    code = seal(challenge)
    return {"code": code, "file": to_file(code, about(challenge.scenario))}
