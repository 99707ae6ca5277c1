"""Finished games of people: what each scored, and a log of it for whose it is.

Logs lie in the lab's folder, those of one visitor in a folder whose name only the lab can tell, so
that Look back lists them for that visitor alone.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from seedo.episodes import DatasetWriter, EpisodeBatch
from seedo.lab._background import Background, Job
from seedo.lab._games import Game, Games
from seedo.lab._scenario import STREAM
from seedo.lab._security import Keys
from seedo.lab._shown import known
from seedo.lab._store import METADATA
from seedo.lab._worlds import shown_as
from seedo.play import live_batch, origin
from seedo.statistics import ratios

MOST_GAMES = 300
_LANE = "game logs"
FEWEST = 5
"""Games from which on a mean gets an interval."""

_RESULT = sa.Table(
    "game_result",
    METADATA,
    sa.Column("game", sa.ForeignKey("game.id"), primary_key=True),
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("returns", sa.Float, nullable=False),
    sa.Column("best", sa.Float),
    sa.Column("chance", sa.Float),
    sa.Column("log", sa.String(80), nullable=False),
)


class Result(NamedTuple):
    """A finished game.

    Attributes:
        game: its id.
        created: ISO 8601 time at which it was begun.
        about: its scenario in a line.
        returns, best, chance: what the person earned, and who knows the system or picks blindly
            would on average; None: unknown.
        log: the folder of its log, in the visitor's own.
        again: the same system had been played before, so the score is of no new game.
    """

    game: str
    created: str
    about: str
    returns: float
    best: float | None
    chance: float | None
    log: str
    again: bool


class Finished:
    """What is kept of finished games.

    Args:
        data: the lab's folder.
        keys: what it signs with.
        engine: its database.
        games: all games.
        background: where logs are written.
    """

    def __init__(
        self, data: Path, keys: Keys, engine: sa.Engine, games: Games, background: Background
    ) -> None:
        self._root, self._keys, self._engine, self._games = data / "games", keys, engine, games
        self._background = background
        self._going_on: dict[str, int] = {}  # steps of games that were not over when looked at

    @property
    def root(self) -> Path:
        """The folder of all visitors' folders."""
        return self._root

    def folder(self, visitor: str) -> Path:
        """Where the logs of a visitor's games are; not there before the first one."""
        return self._root / self._keys.sign("games", visitor)[:32]

    def keep(self, game: Game) -> Job:
        """Have a finished game's score and log written; nobody has to wait."""
        return self._background.start(_LANE, partial(self._keep, game))

    def catch_up(self, visitor: str) -> Job:
        """Have those written that were not: all that were to be kept before this, and those of a
        lab that was killed."""
        return self._background.start(_LANE, partial(self._catch_up, visitor))

    def listed(self, visitor: str) -> list[Result]:
        """A visitor's finished games, the latest first, at most `MOST_GAMES`."""
        rows = self._games.of(visitor)
        kept = sa.select(_RESULT).where(_RESULT.c.game.in_([row.id for row in rows]))
        with self._engine.connect() as connection:
            found = {row.game: row for row in connection.execute(kept)}
        seen: set[str] = set()
        results = []
        for row in rows:  # the earliest first
            if (end := found.get(row.id)) is None:
                continue
            again = row.scenario in seen
            seen.add(row.scenario)
            results.append(Result(row.id, row.created, end.about, end.returns, end.best,
                                  end.chance, end.log, again))  # fmt: skip
        return results[::-1][:MOST_GAMES]

    def _catch_up(self, visitor: str, job: Job) -> None:
        rows = {row.id: row.steps for row in self._games.of(visitor)}
        kept = sa.select(_RESULT.c.game).where(_RESULT.c.game.in_(rows))
        with self._engine.connect() as connection:
            there = {row.game for row in connection.execute(kept)}
        for name, steps in rows.items():
            if name in there or steps == self._going_on.get(name, 0):
                continue
            job.rest(0.0)
            game = self._games.get(name, visitor)
            if game.episode.finished:
                self._keep(game, job)
            else:
                self._going_on[name] = steps

    def _keep(self, game: Game, job: Job) -> None:
        episode = game.episode
        where = f"{game.created[:10]}-{game.scenario.world.partition(':')[0]}-{game.id[:8]}"
        folder = self.folder(game.visitor) / where
        if not (folder / "manifest.json").is_file():
            batch = log_of(game)
            # A system drawn by hand is no draw of the world's, and no stream finds it again.
            drawn = {} if game.scenario.drawn else {"stream": STREAM}
            told = {"what": "a game in the lab", "game": game.id} | drawn
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            with DatasetWriter(folder, batch.origin, 1, 1, told, resume=True) as writer:
                while (shard := writer.next_shard) is not None:
                    writer.write(shard, batch)
        row = {
            "game": game.id,
            "about": shown_as(game.scenario.world).about(game.scenario),
            "returns": episode.returns,
            "best": known(episode.oracle_return),
            "chance": known(episode.random_return),
            "log": where,
        }
        with self._engine.begin() as connection:
            there = sa.select(_RESULT.c.game).where(_RESULT.c.game == game.id)
            if connection.execute(there).first() is None:
                connection.execute(sa.insert(_RESULT).values(row))


def log_of(game: Game) -> EpisodeBatch:
    """A finished game as an episode log, system and all, with the names that somebody gave."""
    episode, called = game.episode, game.scenario.called
    where = replace(origin(episode.world, "person", game.scenario.seed), created=game.created)
    if called is not None:
        where = replace(where, variables=called.names)
    return live_batch(where, [episode], systems=True)


def share(results: list[Result]) -> dict[str, Any]:
    """What was earned of what was possible, over first games on their systems.

    Returns:
        `games` that count; `value`, their mean return by the mean of the best, `low` and `high`,
        95 % (percentile bootstrap over games, from `FEWEST` games on), None where unknown.
    """
    counted = [(r.returns, r.best) for r in results if not r.again and r.best is not None]
    told: dict[str, Any] = {"games": len(counted), "value": None, "low": None, "high": None}
    if not counted:
        return told
    returns, best = zip(*counted, strict=True)
    found = ratios([returns], [best])[0].to_json()
    told["value"] = found["value"]
    if len(counted) >= FEWEST:
        told |= {"low": found["low"], "high": found["high"]}
    return told
