"""Games of people against hidden systems.

A game is its scenario and what was done, both committed before anything is shown; everything else
follows by replay, so a lab that is killed loses nothing.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from starlette.exceptions import HTTPException

from seedo.errors import UserError
from seedo.lab._naming import Naming
from seedo.lab._scenario import Scenario, decode, encode
from seedo.lab._store import METADATA
from seedo.lab._worlds import shown_as
from seedo.play import Live
from seedo.worlds import OBSERVE

_GAME = sa.Table(
    "game",
    METADATA,
    sa.Column("id", sa.String(24), primary_key=True),
    sa.Column("visitor", sa.String(32), nullable=False, index=True),
    sa.Column("scenario", sa.Text, nullable=False),
    sa.Column("created", sa.String(32), nullable=False),
)
_STEP = sa.Table(
    "game_step",
    METADATA,
    sa.Column("game", sa.ForeignKey("game.id"), primary_key=True),
    sa.Column("step", sa.Integer, primary_key=True),
    sa.Column("target", sa.Integer, nullable=False),
    sa.Column("value", sa.Float, nullable=False),
)
_MOST_LIVE = 256
_LOCKS = 64


@dataclass
class Game:
    """A game in memory.

    Attributes:
        id: opaque; says nothing about the system.
        visitor: whose it is.
        created: ISO 8601 time.
        episode: after the steps so far.
        naming: what the person sees.
        moves: (target, value) of the steps so far, in the system's own units; -1: only looked.
        followed: what the person was shown of each of them, as JSON.
        prepared: what the others do has been asked for.
    """

    id: str
    visitor: str
    created: str
    scenario: Scenario
    episode: Live
    naming: Naming
    moves: list[tuple[int, float]] = field(default_factory=list)
    followed: list[dict[str, Any]] = field(default_factory=list)
    prepared: bool = False

    def read(self, target: int, value: float) -> tuple[int, float]:
        """An action as the person means it, in the system's units, for the next step.

        Raises:
            UserError: it is not allowed there.
        """
        shown = shown_as(self.scenario.world)
        return shown.read(self.episode, self.naming, target, value)

    def carry_out(self, move: tuple[int, float]) -> None:
        """Do what was chosen."""
        shown = shown_as(self.scenario.world)
        self.followed.append(shown.carry_out(self.episode, self.naming, move))
        self.moves.append(move)


class Games:
    """All games of one lab."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._live: OrderedDict[str, Game] = OrderedDict()
        self._guard = threading.Lock()
        # By id, so that two requests for one game never run at once, whoever holds the object.
        self._locks = tuple(threading.RLock() for _ in range(_LOCKS))

    def open(self, visitor: str, scenario: Scenario) -> str:
        """Start a game; its id.

        Raises:
            UserError: a scenario that people cannot play.
        """
        if why_not := shown_as(scenario.world).not_for_people(scenario):
            raise UserError("world", scenario.world, why_not)
        name = secrets.token_hex(12)
        row = {
            "id": name,
            "visitor": visitor,
            "scenario": encode(scenario),
            "created": datetime.now(UTC).isoformat(),
        }
        with self._engine.begin() as connection:
            connection.execute(sa.insert(_GAME).values(row))
        return name

    def of(self, visitor: str) -> Sequence[sa.Row[Any]]:
        """A visitor's games, the earliest first: `id`, `scenario`, `created`, `steps` done."""
        kept = (
            sa.select(
                _GAME.c.id,
                _GAME.c.scenario,
                _GAME.c.created,
                sa.func.count(_STEP.c.step).label("steps"),
            )
            .select_from(_GAME.outerjoin(_STEP))
            .where(_GAME.c.visitor == visitor)
            .group_by(_GAME.c.id)
            .order_by(_GAME.c.created)
        )
        with self._engine.connect() as connection:
            return connection.execute(kept).all()

    def unfinished(self, visitor: str, like: Scenario) -> str | None:
        """The visitor's last game, if it is not over and set up like this one."""
        last = (
            sa.select(_GAME.c.id, _GAME.c.scenario, sa.func.count(_STEP.c.step))
            .select_from(_GAME.outerjoin(_STEP))
            .where(_GAME.c.visitor == visitor)
            .group_by(_GAME.c.id)
            .order_by(_GAME.c.created.desc())
            .limit(1)
        )
        with self._engine.connect() as connection:
            row = connection.execute(last).first()
        if row is None:
            return None
        name, code, done = row
        kept = decode(code)
        same = replace(kept, seed=like.seed, index=like.index) == like
        return name if same and done < like.stage().spec.steps else None

    def lock(self, name: str) -> threading.RLock:
        """To be held while a game is used."""
        return self._locks[hash(name) % _LOCKS]

    def check(self, name: str, visitor: str) -> bool:
        """Whether the game is in memory, so that getting it takes no time.

        Raises:
            HTTPException: 404, the visitor has no such game.
        """
        with self._guard:
            game = self._live.get(name)
        if game is not None and game.visitor == visitor:
            return True
        self._row(name, visitor)
        return False

    def get(self, name: str, visitor: str) -> Game:
        """A game, replayed if it is not in memory; the first one of its kind is compiled for.

        Raises:
            HTTPException: 404, the visitor has no such game.
        """
        with self.lock(name):
            with self._guard:
                game = self._live.get(name)
                if game is not None and game.visitor == visitor:
                    self._live.move_to_end(name)
                    return game
            game = self._replayed(self._row(name, visitor))
            with self._guard:
                self._live[name] = game
                while len(self._live) > _MOST_LIVE:
                    self._live.popitem(last=False)
            return game

    def act(self, game: Game, step: int, target: int, value: float) -> None:
        """Carry out what the person chose; the same again changes nothing.

        Args:
            step: which one it is meant to be, from 0.
            target, value: as the person sees them; target -1: only look.

        Raises:
            HTTPException: 409, the step is done otherwise already, or not up yet.
            UserError: an action that is not allowed.
        """
        with self.lock(game.id):
            now = len(game.moves)
            if step < now:
                done, was = game.moves[step]
                same = target == done and (
                    done < 0 or abs(game.naming.shown_value(done, value) - was) < 1e-6
                )
                if not same:
                    raise HTTPException(
                        409, f"step {step + 1} is done already: load the page again"
                    )
                return
            if game.episode.finished:
                raise HTTPException(409, "this game is over: start another one")
            if step > now:
                raise HTTPException(409, f"step {step + 1} is not up yet: step {now + 1} is")
            move = game.read(target, value)
            self._keep(game, [move])

    def look(self, game: Game) -> None:
        """All steps of the observe phase that are left."""
        with self.lock(game.id):
            phases = game.episode.world.spec.phases
            left = sum(phase == OBSERVE for phase in phases[len(game.moves) :])
            if left:
                self._keep(game, [(-1, 0.0)] * left)

    def _keep(self, game: Game, moves: list[tuple[int, float]]) -> None:
        rows = [
            {"game": game.id, "step": len(game.moves) + i, "target": target, "value": value}
            for i, (target, value) in enumerate(moves)
        ]
        with self._engine.begin() as connection:
            connection.execute(sa.insert(_STEP), rows)
        for move in moves:
            game.carry_out(move)

    def _row(self, name: str, visitor: str) -> sa.Row[Any]:
        kept = sa.select(_GAME).where(_GAME.c.id == name[:64], _GAME.c.visitor == visitor)
        with self._engine.connect() as connection:
            row = connection.execute(kept).first()
        if row is None:
            raise HTTPException(404, "this browser has no such game: start one from Play")
        return row

    def _replayed(self, row: sa.Row[Any]) -> Game:
        name, scenario = row.id, decode(row.scenario)
        episode = shown_as(scenario.world).begin(scenario)
        game = Game(name, row.visitor, row.created, scenario, episode, Naming.of(scenario, episode))
        kept = sa.select(_STEP.c.target, _STEP.c.value).where(_STEP.c.game == name)
        with self._engine.connect() as connection:
            moves = connection.execute(kept.order_by(_STEP.c.step)).all()
        for target, value in moves:
            game.carry_out((target, value))
        if not moves:  # so that nobody waits for the compiler at the first step
            scenario.begin().act(-1)
        return game
