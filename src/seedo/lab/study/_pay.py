"""The pay list: the one place where people are named as their platform names them.

It is a file of its own beside the responses, and what leads from one to the other is a keyed hash.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from seedo.lab._security import Keys
from seedo.lab._store import forget, open_database
from seedo.lab.study._config import StudyConfig
from seedo.lab.study._ending import end_code, failed, score
from seedo.lab.study._entry import Named, one_time
from seedo.lab.study._store import Participant, StudyStore
from seedo.lab.study._writer import Writer

_METADATA = sa.MetaData()
_PEOPLE = sa.Table(
    "people",
    _METADATA,
    sa.Column("person_hash", sa.String(64), primary_key=True),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("session", sa.Text, nullable=False),
    sa.Column("study", sa.Text, nullable=False),
)


class Due(NamedTuple):
    """Who is to be paid what.

    Attributes:
        person, session: as the platform names them.
        state: as in `Participant`.
        attention: `passed`, `failed` or "".
        code: the one they were shown; "" before the end.
        score: share of what the best choices would have earned; None before the end.
        bonus: in the currency of the study's file.
    """

    person: str
    session: str
    state: str
    attention: str
    code: str
    score: float | None
    bonus: float


class PayList:
    """The pay list of one study: SQLite, so that nothing is lost with the process.

    Args:
        folder: the lab's.
        study: its name.

    Raises:
        UserError: the file cannot be used.
    """

    def __init__(self, folder: Path, study: str) -> None:
        self._engine = open_database(folder / f"pay-{study}.sqlite", _METADATA)
        self._writer = Writer(self._engine)

    def add(self, person_hash: str, named: Named) -> bool:
        """Name a person; whether they were not named before."""
        here = _PEOPLE.c.person_hash == person_hash

        def insert(connection: sa.Connection) -> bool:
            if connection.execute(sa.select(_PEOPLE).where(here)).first() is not None:
                return False
            row = {"person_hash": person_hash, **named._asdict()}
            connection.execute(sa.insert(_PEOPLE).values(**row))
            return True

        return self._writer.run(insert)

    def named(self, person_hash: str | None) -> Named | None:
        """A person, as named; None: not in the list."""
        query = sa.select(*_PEOPLE.c[1:]).where(_PEOPLE.c.person_hash == person_hash)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else Named(*row)

    def keep_only(self, people: Sequence[Participant]) -> None:
        """Remove who is no participant: deleted, or never joined; nobody may be joining."""
        with self._engine.connect() as connection:
            hashes = connection.execute(sa.select(_PEOPLE.c.person_hash)).scalars().all()
        self.remove(*set(hashes) - {person.person_hash for person in people})

    def remove(self, *person_hashes: str | None) -> None:
        """Remove people."""

        def delete(connection: sa.Connection) -> int:
            here = [_PEOPLE.c.person_hash == each for each in person_hashes]
            return sum(connection.execute(sa.delete(_PEOPLE).where(h)).rowcount for h in here)

        if self._writer.run(delete):
            forget(self._engine)


def erase(store: StudyStore, pay: PayList, people: Sequence[Participant]) -> int:
    """Delete everything of participants, their names in the pay list too; how many there were."""
    deleted = store.delete(*(person.id for person in people))
    pay.remove(*(person.person_hash for person in people))
    return deleted


def due(store: StudyStore, config: StudyConfig, pay: PayList) -> list[Due]:
    """Everybody in the pay list, in the order they joined."""
    listed = []
    for person in store.participants():
        named = pay.named(person.person_hash)
        if named is None:
            continue
        ended = person.state in ("finished", "screened")
        earned = reached(store, config, person) if ended else None
        attention = {None: "", 0: "failed", 1: "passed"}[person.attention_passed]
        listed.append(
            Due(
                named.person,
                named.session,
                person.state,
                attention,
                end_code(config, person) if ended else "",
                earned,
                _bonus(config, person, earned),
            )
        )
    return listed


def reached(store: StudyStore, config: StudyConfig, person: Participant) -> float | None:
    """The score of who has finished; worked out again if it could not be noted."""
    if person.score is not None:
        return person.score
    return score(config, person, store.steps(person.id))


def pay_table(listed: Sequence[Due]) -> str:
    """The pay list as CSV."""
    rows = [[*each[:5], "" if each.score is None else round(each.score, 4), f"{each.bonus:.2f}"]
            for each in listed]  # fmt: skip
    return _csv([list(Due._fields), *rows])


def bonus_table(listed: Sequence[Due]) -> str:
    """Person and amount of everybody with a bonus, as Prolific's bulk payment reads them."""
    return _csv([[each.person, f"{each.bonus:.2f}"] for each in listed if each.bonus >= 0.005])


def one_time_links(config: StudyConfig, keys: Keys, address: str, first: int, number: int) -> str:
    """Links that let one person in each, as CSV: the number that the pay list knows, the link."""
    links = [[f"{address}?link={one_time(config, n, keys)}"] for n in range(first, first + number)]
    return _csv([["number", "link"], *([first + i, *link] for i, link in enumerate(links))])


def _bonus(config: StudyConfig, person: Participant, earned: float | None) -> float:
    if config.recruit is None or earned is None or person.state != "finished" or failed(person):
        return 0.0
    return round(config.recruit.bonus * min(max(earned, 0.0), 1.0), 2)


def _csv(rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
