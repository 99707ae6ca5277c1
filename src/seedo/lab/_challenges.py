"""Challenges: scenarios kept here, so that a link to one does not show its system."""

from __future__ import annotations

import json
from collections.abc import Sequence

import sqlalchemy as sa
from starlette.exceptions import HTTPException

from seedo.lab._scenario import Scenario, decode, encode
from seedo.lab._sealed import Score
from seedo.lab._security import Keys
from seedo.lab._store import METADATA

_CHALLENGE = sa.Table(
    "challenge",
    METADATA,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("scenario", sa.Text, nullable=False),
    sa.Column("created", sa.DateTime, server_default=sa.func.now(), nullable=False),
)
_SCORES = sa.Table(
    "challenge_scores",
    METADATA,
    sa.Column("id", sa.ForeignKey("challenge.id"), primary_key=True),
    sa.Column("scores", sa.Text, nullable=False),
)


def add(engine: sa.Engine, keys: Keys, scenario: Scenario) -> str:
    """Keep a scenario; the same scenario gets the same id, which says nothing about it."""
    code, name = encode(scenario), _name(keys, scenario)
    try:
        with engine.begin() as connection:
            connection.execute(sa.insert(_CHALLENGE).values(id=name, scenario=code))
    except sa.exc.IntegrityError:
        pass  # here already
    return name


def get(engine: sa.Engine, name: str) -> Scenario:
    """The scenario of an id.

    Raises:
        HTTPException: 404, no such challenge.
    """
    kept = sa.select(_CHALLENGE.c.scenario).where(_CHALLENGE.c.id == name[:64])
    with engine.connect() as connection:
        row = connection.execute(kept).first()
    if row is None:
        raise HTTPException(404, "no such challenge in this lab: ask for the link again")
    return decode(row.scenario)


def keep_scores(engine: sa.Engine, name: str, scores: Sequence[Score]) -> None:
    """Keep what came with a challenge, in place of what did before."""
    row = {"id": name, "scores": json.dumps([list(score) for score in scores])}
    with engine.begin() as connection:
        connection.execute(sa.delete(_SCORES).where(_SCORES.c.id == name))
        connection.execute(sa.insert(_SCORES).values(row))


def scores(engine: sa.Engine, keys: Keys, scenario: Scenario) -> list[Score]:
    """What came with the challenge that has this scenario; nothing if none did."""
    kept = sa.select(_SCORES.c.scores).where(_SCORES.c.id == _name(keys, scenario))
    with engine.connect() as connection:
        row = connection.execute(kept).first()
    return [] if row is None else [Score(*score) for score in json.loads(row.scores)]


def _name(keys: Keys, scenario: Scenario) -> str:
    # Keyed: without the lab's secret, nobody can check a guess of the system.
    return keys.sign("challenge", encode(scenario))[:16]
