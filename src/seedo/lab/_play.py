"""Play: a game against the hidden system, and how it compares.

What is hidden leaves the server only when the game is over: the system, the world's seed and index
at the end, a goal at its exploit step.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path as FilePath
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from seedo.episodes import PHASES, to_parquet
from seedo.errors import UserError
from seedo.lab import _challenges, _palette
from seedo.lab._belief import no_belief
from seedo.lab._cast import kind, label
from seedo.lab._findings import Findings
from seedo.lab._finished import Finished, log_of
from seedo.lab._games import Game, Games
from seedo.lab._lab import Lab, Page, TheLab, Visitor, service
from seedo.lab._scenario import (
    MOST_STEPS,
    MOST_TEXT,
    MOST_VARIABLES,
    Scenario,
    decode,
    encode,
)
from seedo.lab._shown import known
from seedo.lab._spoken_frames import spoken_frames
from seedo.lab._verdict import Move, instead, instead_in_words, lesson, own_path, tries, verdict
from seedo.lab._warm import FIRST
from seedo.lab._worlds import shown_as

_MOST_VALUE = 1e6
_INFORMED = "bayes:eig"
_READERS = {_INFORMED: "the Bayesian", "pretrained:dag": "the understudy"}
"""Whose advice the verdict quotes: the first of them that can act."""

GameId = Annotated[str, Path(max_length=64)]


class Opening(BaseModel):
    """Which game to start: of a link's scenario, of a challenge, or else of the usual scenario."""

    s: str | None = Field(None, max_length=MOST_TEXT)
    challenge: str | None = Field(None, max_length=64)


class Step(BaseModel):
    """One choice: step from 0; target -1 only looks; the value as it is shown."""

    step: int = Field(ge=0, le=MOST_STEPS)
    target: int = Field(ge=-1, le=MOST_VARIABLES)
    value: float = Field(0.0, ge=-_MOST_VALUE, le=_MOST_VALUE)


class Speaking(BaseModel):
    """Which language model is to play."""

    player: str = Field(max_length=300)


class Again(BaseModel):
    """`same`: the same system and noise; else another system of the same kind."""

    same: bool = False


routes = APIRouter()

TheGames = Annotated[Games, service(Games)]
TheFindings = Annotated[Findings, service(Findings)]
TheFinished = Annotated[Finished, service(Finished)]


def _own(game: GameId, visitor: Visitor, games: TheGames) -> Game:
    return games.get(game, visitor)


def _over(game: Annotated[Game, Depends(_own)]) -> Game:
    if not game.episode.finished:
        phases, over = shown_as(game.scenario.world).stages(game.episode)
        raise HTTPException(409, f"the game is not over: {len(phases) - over} more to go")
    return game


Own = Annotated[Game, Depends(_own)]
Over = Annotated[Game, Depends(_over)]


@routes.get("/play", include_in_schema=False)
def enter(
    request: Request,
    page: Page,
    lab: TheLab,
    visitor: Visitor,
    games: TheGames,
    s: Annotated[str | None, Query(max_length=MOST_TEXT)] = None,
    challenge: Annotated[str | None, Query(max_length=64)] = None,
    fresh: bool = False,
) -> Response:
    """`fresh`: another system of the link's kind, drawn by lot. Who comes from another site is
    asked first: a page elsewhere opens no game by itself."""
    if request.headers.get("sec-fetch-site") == "cross-site":
        link = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return page("enter.html", title="Play", link=link)
    name = None
    if s is None and challenge is None:
        name = games.unfinished(visitor, FIRST)
    if name is None:
        scenario = _scenario(lab, s, challenge)
        name = games.open(visitor, another(scenario) if fresh else scenario)
    return RedirectResponse(f"/play/{name}", 303)


@routes.get("/play/{game}", include_in_schema=False)
def play(page: Page, visitor: Visitor, games: TheGames, game: GameId) -> Response:
    ready = games.check(game, visitor)
    shown = _shown_to_player(games, games.get(game, visitor)) if ready else None
    data = {"game": game, "state": shown}
    return page("play.html", title="Play", data=data, kinds=_kinds())


@routes.post("/api/play")
def open_game(lab: TheLab, visitor: Visitor, games: TheGames, opening: Opening) -> dict[str, str]:
    return {"game": games.open(visitor, _scenario(lab, opening.s, opening.challenge))}


@routes.get("/api/play/{game}")
def state(games: TheGames, game: Own) -> dict[str, Any]:
    return _shown_to_player(games, game)


@routes.post("/api/play/{game}/look")
def look(games: TheGames, game: Own) -> dict[str, Any]:
    games.look(game)
    return _shown_to_player(games, game)


@routes.post("/api/play/{game}/steps")
def step(
    games: TheGames, findings: TheFindings, finished: TheFinished, game: Own, chosen: Step
) -> dict[str, Any]:
    games.act(game, chosen.step, chosen.target, chosen.value)
    if game.episode.finished:
        finished.keep(game)
    _prepare(findings, game)
    return _shown_to_player(games, game)


@routes.get("/api/play/{game}/end")
def end(lab: TheLab, findings: TheFindings, game: Over, others: bool = True) -> dict[str, Any]:
    """`others`: have it worked out how others play and would have played."""
    challengers = _challenges.scores(lab.engine, lab.keys, game.scenario)
    names = _speakers(lab, _others(game))
    return _end(findings, game, others) | {
        "challengers": [c._asdict() for c in challengers],
        "speakers": [_speaker(findings, game, name) for name in names],
    }


@routes.post("/api/play/{game}/speak", status_code=202)
def speak(lab: TheLab, findings: TheFindings, game: Over, asked: Speaking) -> dict[str, str]:
    """Have a language model of the lab's play this game too: only when asked, as it may cost."""
    scenario = _others(game)
    if asked.player not in _speakers(lab, scenario):
        raise UserError("player", asked.player[:60], "no language model of this lab plays here")
    work = partial(_spoken, scenario, asked.player, lab.settings.data / "watch")
    findings.again(game.id, f"spoken {asked.player}", asked.player, work)
    return {}


@routes.get("/api/play/{game}/unveiled")
def unveiled(game: Over) -> dict[str, Any]:
    """What the person was not shown, where anything was hidden beside the system."""
    shown = shown_as(game.scenario.world)
    return {"unveiled": shown.unveiled(game.scenario, game.naming, list(game.moves))}


@routes.post("/api/play/{game}/again")
def again(visitor: Visitor, games: TheGames, game: Own, wanted: Again) -> dict[str, str]:
    chosen = game.scenario if wanted.same else another(game.scenario)
    return {"game": games.open(visitor, chosen)}


@routes.get("/api/play/{game}/log")
def log(game: Over) -> Response:
    name = f'attachment; filename="game-{game.id[:8]}.parquet"'
    kind_of = "application/vnd.apache.parquet"
    shard = to_parquet(log_of(game)).to_pybytes()
    return Response(shard, media_type=kind_of, headers={"Content-Disposition": name})


def another(scenario: Scenario) -> Scenario:
    """Another system of the same kind, drawn by lot."""
    seed, index = secrets.randbelow(2**32), secrets.randbelow(2**31)
    return shown_as(scenario.world).another(scenario, seed, index)


@cache
def _kinds() -> list[tuple[str, str]]:
    """Other games than the usual one: what people call them, and a link's text."""
    raw = shown_as("raw")
    return [(name, encode(kind)) for name, kind in raw.variants(raw.first())]


def _scenario(lab: Lab, code: str | None, challenge: str | None) -> Scenario:
    if code is not None and challenge is not None:
        raise UserError("challenge", challenge, "give this or s")
    if code is not None:
        return decode(code)
    return another(FIRST) if challenge is None else _challenges.get(lab.engine, challenge)


def _shown_to_player(games: Games, game: Game) -> dict[str, Any]:
    with games.lock(game.id):
        return _state(game)


def _state(game: Game) -> dict[str, Any]:
    """What the person may know by now."""
    episode, naming, shown = game.episode, game.naming, shown_as(game.scenario.world)
    if not shown.graphs:
        return _plain_state(game)
    spec, done = episode.world.spec, len(game.moves)
    rows = []
    for t, (target, value) in enumerate(list(game.moves)):
        rows.append(
            {
                "phase": PHASES[spec.phases[t]],
                "target": target,
                "value": naming.shown_value(target, value),
                "goal": int(episode.seen[t].goal),
            }
            | game.followed[t]
        )
    now = episode.observation
    phases = [PHASES[p] for p in spec.phases]
    return {
        "names": shown.called(naming),
        "units": [naming.unit(i) for i in range(spec.n)],
        "story": game.scenario.called.story if game.scenario.called else "",
        "raw": not episode.world.measures_variables,
        "values": [sorted(naming.shown_value(i, v) for v in spec.do_values) for i in range(spec.n)],
        "relevant": [bool(x) for x in np.asarray(now.relevant)],
        "phases": phases,
        "step": done,
        "phase": "end" if episode.finished else phases[done],
        "goal": -1 if episode.finished else int(now.goal),
        "rows": rows,
    }


def _plain_state(game: Game) -> dict[str, Any]:
    """The same of a world that has no graph to show."""
    episode, naming, shown = game.episode, game.naming, shown_as(game.scenario.world)
    phases, over = shown.stages(episode)
    return {
        "plain": True,
        "lead": shown.lead(game.scenario),
        "columns": shown.columns(naming),
        "phases": [PHASES[phase] for phase in phases],
        "at": over,
        "step": len(game.moves),
        "phase": "end" if episode.finished else PHASES[phases[over]],
        "turn": None if episode.finished else shown.turn(episode, naming).to_json(),
        "rows": list(game.followed),
    }


def _prepare(findings: Findings, game: Game) -> None:
    """While the person thinks, the others play; they need not know what the person does.

    From the middle of the game on: many are given up before.
    """
    over = game.episode.finished
    shown = shown_as(game.scenario.world)
    phases, done = shown.stages(game.episode)
    if 2 * done < len(phases) or (game.prepared and not over):
        return
    game.prepared = True
    scenario = _others(game)
    for name in shown.opponents(scenario):
        believe = shown.graphs and name == _INFORMED and not no_belief(scenario.config)
        findings.ask(
            game.id,
            f"own {name}",
            name,
            partial(own_path, name, scenario, believe),
            late=not over,
        )


def _end(findings: Findings, game: Game, others: bool) -> dict[str, Any]:
    """The comparison as far as it is known; what is missing is being worked out."""
    found = findings.found(game.id)
    scenario, episode, moves = _others(game), game.episode, list(game.moves)
    shown = shown_as(game.scenario.world)
    names = shown.opponents(scenario)
    missing = {f"{part} {name}" for part in ("own", "instead") for name in names} - set(found)
    if missing and others:
        _prepare(findings, game)
        for name in names:
            there = partial(instead if shown.graphs else instead_in_words, name, scenario, moves)
            findings.ask(game.id, f"instead {name}", name, there)
    common = {
        "done": not missing,
        "score": {
            "you": episode.returns,
            "best": known(episode.oracle_return),
            "chance": known(episode.random_return),
        },
        "code": encode(game.scenario),
    }
    if not shown.graphs:
        return common | {
            "plain": True,
            "verdict": shown.verdict(episode, game.naming, moves),
            "truth": shown.truth(episode, game.naming),
            "rivals": [_plain_rival(name, found) for name in names],
        }
    blind = no_belief(scenario.config)
    if "lesson" not in found and not blind and others:
        missing.add("lesson")
        findings.ask(game.id, "lesson", "lesson", partial(lesson, scenario, moves))
    rivals = [_rival(game, name, found) for name in names]
    learnt = found.get("lesson", {})
    return common | {
        "done": not missing,
        "verdict": _verdict(game, found),
        "tries": [
            {
                "goal": one.goal,
                "chosen": _shown(game, [one.chosen])[0],
                "worth": one.worth,
                "best": _shown(game, [one.best])[0],
                "most": one.most,
            }
            for one in tries(episode, moves)
        ],
        "rivals": rivals,
        "learning": {
            "why_not": blind or learnt.get("failed", ""),
            "you": learnt.get("bits"),
            "most": found.get(f"own {_INFORMED}", {}).get("bits"),
        },
        "graph": _graph(game) | {"belief": learnt.get("edges")},
        "told": scenario is not game.scenario,
    }


def _speakers(lab: Lab, scenario: Scenario) -> list[str]:
    """The lab's language models that may play the scenario."""
    return list(shown_as(scenario.world).speakers(lab.settings.speakers))


def _spoken(scenario: Scenario, name: str, folder: FilePath) -> dict[str, Any]:
    told = spoken_frames(scenario, name, folder, lambda done, total: None)
    return {"returns": told["returns"], "malformed": told["malformed"]}


def _speaker(findings: Findings, game: Game, name: str) -> dict[str, Any]:
    part = f"spoken {name}"
    found = findings.found(game.id).get(part, {})
    return {
        "name": name,
        "label": label(name),
        "look": _palette.look(name)._asdict(),
        "playing": findings.running(game.id, part),
        "returns": found.get("returns"),
        "malformed": found.get("malformed", 0),
        "why_not": found.get("failed", ""),
    }


def _others(game: Game) -> Scenario:
    """The game as others play it, with whom the person is compared."""
    return shown_as(game.scenario.world).rivals(game.scenario)


def _rival(game: Game, name: str, found: dict[str, Any]) -> dict[str, Any]:
    rival, own, there = _played(name, found)
    shown = {"own": own and _shown(game, own["moves"]), "instead": there and _shown(game, there)}
    return rival | shown


def _plain_rival(name: str, found: dict[str, Any]) -> dict[str, Any]:
    rival, _, there = _played(name, found)
    return rival | {"instead": there}


def _played(name: str, found: dict[str, Any]) -> tuple[dict[str, Any], Any, Any]:
    """What is known of a rival, of its own game, and of what it would have done; None: not yet."""
    own, there = found.get(f"own {name}"), found.get(f"instead {name}")
    failed = (
        part["failed"] for part in (own, there) if isinstance(part, dict) and "failed" in part
    )
    why_not = next(failed, "")
    own, there = (None, None) if why_not else (own, there)
    rival = {"name": name, "label": label(name), "kind": kind(name), "why_not": why_not}
    rival |= {"look": _palette.look(name)._asdict(), "returns": own and own["returns"]}
    return rival, own, there


def _verdict(game: Game, found: dict[str, Any]) -> str:
    reader, advice = "", None
    for name in _READERS:
        known = found.get(f"instead {name}")
        if known is None:
            break  # of whoever comes first, as soon as it is known
        if not isinstance(known, dict):
            reader, advice = _READERS[name], [(int(t), float(v)) for t, v in known]
            break

    def say(move: Move) -> str:
        target, value = move[0], game.naming.shown_value(*move)
        said = f"{game.naming.words[target]} at {value:+g}".replace("-", "−")
        return said + game.naming.unit(target)

    words = game.naming.words
    return verdict(game.episode, game.moves, say, words.__getitem__, reader, advice)


def _shown(game: Game, moves: Sequence[Sequence[Any]]) -> list[list[float]]:
    return [[int(t), game.naming.shown_value(int(t), float(v))] for t, v in moves]


def _graph(game: Game) -> dict[str, Any]:
    """The hidden system as the person would draw it; hidden causes last."""
    weights = np.asarray(game.episode.task.system.weights, np.float64)
    hidden = len(weights) - len(game.naming.words)
    signs = np.array([*game.naming.signs, *[1] * hidden])
    shown = weights * signs[:, None] * signs
    edges = [
        {"from": int(i), "to": int(j), "weight": round(float(shown[i, j]), 2)}
        for i, j in np.argwhere(weights != 0)
    ]
    names = [*game.naming.words, *(f"H{i + 1}" for i in range(hidden))]
    drawn = game.scenario.drawn
    places = list(drawn.places) if drawn is not None and drawn.places else None
    return {"names": names, "hidden": hidden, "edges": edges, "places": places}
