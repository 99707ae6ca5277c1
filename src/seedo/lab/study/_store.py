"""Responses of participants: an SQLite file, or any database that SQLAlchemy speaks to.

What is kept of a participant: keyed hashes (of the browser's random name, of the link to resume
with and, in a study that recruits, of who came and from which network), what they did and when, and
their answers to the questions that the study declares.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from seedo.errors import UserError
from seedo.lab._settings import LabSettings
from seedo.lab._store import forget, open_database
from seedo.lab.study._config import StudyConfig
from seedo.lab.study._entry import UNKNOWN, Came
from seedo.lab.study._writer import Writer

STATES = ("instructions", "quiz", "tasks", "questions", "finished", "screened")
"""Where a participant is; withdrawn ones are no longer there at all. `screened`: sent away."""

STUDY_METADATA = sa.MetaData()

_STUDIES = sa.Table(
    "studies",
    STUDY_METADATA,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("config", sa.Text, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("created", sa.String(32), nullable=False),
)
_PARTICIPANTS = sa.Table(
    "participants",
    STUDY_METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("study", sa.ForeignKey("studies.name"), nullable=False),
    sa.Column("visitor_hash", sa.String(64), nullable=False),
    sa.Column("resume_hash", sa.String(64), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("condition", sa.Text, nullable=False),
    sa.Column("task_order", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("consented_at", sa.String(32), nullable=False),
    sa.Column("finished_at", sa.String(32)),
    sa.Column("end_code", sa.String(64), nullable=False),
    sa.Column("attention_passed", sa.Integer),
    sa.UniqueConstraint("study", "visitor_hash"),
    sa.UniqueConstraint("study", "number"),
    sa.UniqueConstraint("resume_hash"),
    sqlite_autoincrement=True,  # the id of a deleted participant is nobody else's later
)


def _of_participant() -> sa.Column[Any]:
    return sa.Column(
        "participant_id", sa.ForeignKey("participants.id", ondelete="CASCADE"), primary_key=True
    )


_STEPS = sa.Table(
    "steps",
    STUDY_METADATA,
    _of_participant(),
    sa.Column("task", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("step", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("target", sa.Integer, nullable=False),
    sa.Column("value", sa.Float, nullable=False),
    sa.Column("milliseconds", sa.Integer, nullable=False),
    sa.Column("answered_at", sa.String(32), nullable=False),
)
_ANSWERS = sa.Table(
    "answers",
    STUDY_METADATA,
    _of_participant(),
    sa.Column("question", sa.String(64), primary_key=True),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("answered_at", sa.String(32), nullable=False),
)
_PLACES = sa.Table(
    "places",
    STUDY_METADATA,
    _of_participant(),
    sa.Column("person_hash", sa.String(64), unique=True),
    sa.Column("session_hash", sa.String(64)),
    sa.Column("network_hash", sa.String(64)),
    sa.Column("seen_at", sa.String(32), nullable=False),
    sa.Column("score", sa.Float),
)
_PAGES = sa.Table(
    "pages",
    STUDY_METADATA,
    _of_participant(),
    sa.Column("page", sa.String(64), primary_key=True),
    sa.Column("milliseconds", sa.Integer, nullable=False),
    sa.Column("away", sa.Integer, nullable=False),
)
_OF_PLACES = [c for c in _PLACES.c if c.name != "participant_id"]

# What every response of everybody asks for; SQLAlchemy would otherwise work out anew what each
# statement means.
_WHO: sa.BindParameter[int] = sa.bindparam("who")
_STEPS_OF = (
    sa.select(*(c for c in _STEPS.c if c.name != "participant_id"))
    .where(_STEPS.c.participant_id == _WHO)
    .order_by(_STEPS.c.task, _STEPS.c.step)
)
_ANSWERS_OF = sa.select(_ANSWERS.c.question, _ANSWERS.c.answer).where(
    _ANSWERS.c.participant_id == _WHO
)
_STEP_THERE = sa.select(_STEPS.c.target, _STEPS.c.value).where(
    _STEPS.c.participant_id == _WHO,
    _STEPS.c.task == sa.bindparam("of_task"),
    _STEPS.c.step == sa.bindparam("of_step"),
)


@dataclass(frozen=True)
class Participant:
    """A row of `participants` and the one of `places`; times are ISO 8601 in UTC.

    Attributes:
        number: from 1, within the study.
        condition: a label of `StudyConfig.conditions()`.
        task_order: the tasks 0..tasks-1 in the order they are met.
        state: one of `STATES`.
        attention_passed: 1 or 0 after the last attention check; None before, or without any.
        person_hash, session_hash, network_hash: see `Came`.
        seen_at: when they last did something, up to a tenth of the time-out earlier.
        score: share of what the best choices would have earned; None until they have finished.
    """

    id: int
    study: str
    visitor_hash: str
    resume_hash: str
    number: int
    condition: str
    task_order: tuple[int, ...]
    state: str
    consented_at: str
    finished_at: str | None
    end_code: str
    attention_passed: int | None
    person_hash: str | None
    session_hash: str | None
    network_hash: str | None
    seen_at: str
    score: float | None


@dataclass(frozen=True)
class StepRow:
    """One response.

    Attributes:
        task: 0..tasks-1, or negative: practice.
        step: of the episode, from 0. Its steps of phase `observe` are nobody's choice and are not
            stored: the first is number `config.observations`.
        target: the variable set, -1: only looked.
        value: on the system's own scale, whatever sign its name shows; 0 where target is -1.
        milliseconds: from when the choice was offered, by the participant's clock.
    """

    task: int
    step: int
    target: int
    value: float
    milliseconds: int
    answered_at: str


@dataclass(frozen=True)
class PageRow:
    """A page that somebody has left.

    Attributes:
        page: `instructions-1`, `quiz-1`, `before`, `task-3` (the questions after it), `check-1`,
            `questions`; of choices, only where somebody was away: `task-3-step-0`.
        milliseconds: from when it was shown until it was left, by the participant's clock.
        away: of them, while another window or tab had the focus.
    """

    page: str
    milliseconds: int
    away: int


@dataclass(frozen=True)
class Enrolment:
    """What is decided when somebody consents."""

    number: int
    condition: str
    task_order: tuple[int, ...]
    end_code: str
    resume_hash: str
    consented_at: str


class Conflict(Exception):
    """Something else has been answered there already."""


class Gone(Exception):
    """The participant is no longer there."""


class Taken(Exception):
    """This browser takes part as somebody else, or this person in another browser."""


class StudyStore:
    """The responses of one study. Whatever a method has written is committed when it returns.

    Args:
        engine: with the tables of `STUDY_METADATA`.
        study: its name.
    """

    def __init__(self, engine: sa.Engine, study: str) -> None:
        self.engine, self.study = engine, study
        self._writer = Writer(engine)
        self._of_visitor = self._people().where(
            _PARTICIPANTS.c.visitor_hash == sa.bindparam("visitor")
        )
        here = self._mine(sa.select(_PARTICIPANTS.c.id)).where(_PARTICIPANTS.c.id == _WHO)
        self._held = here.with_for_update()

    @staticmethod
    def open(settings: LabSettings, config: StudyConfig) -> StudyStore:
        """The store of a study in the lab's database for it, made if missing.

        Raises:
            UserError: a database that cannot be used, or responses to a study that has changed.
        """
        place = settings.database or settings.data / f"study-{config.name}.sqlite"
        store = StudyStore(open_database(place, STUDY_METADATA), config.name)
        store.declare(config)
        return store

    def _lock(self, connection: sa.Connection) -> None:
        """Let no other writer of this study come between, up to the end of the transaction.

        SQLite, which never does, ignores FOR UPDATE.
        """
        mine = sa.select(_STUDIES.c.name).where(_STUDIES.c.name == self.study)
        connection.execute(mine.with_for_update())

    def _lock_participant(self, connection: sa.Connection, participant_id: int) -> None:
        """The same for one participant.

        Raises:
            Gone: there is no such participant.
        """
        if connection.execute(self._held, {"who": participant_id}).first() is None:
            raise Gone

    def _mine(self, query: Any) -> Any:
        return query.where(_PARTICIPANTS.c.study == self.study)

    def _people(self) -> Any:
        both = _PARTICIPANTS.outerjoin(_PLACES, _PARTICIPANTS.c.id == _PLACES.c.participant_id)
        return self._mine(sa.select(_PARTICIPANTS, *_OF_PLACES).select_from(both))

    # -- the study --------------------------------------------------------------------------------

    def declare(self, config: StudyConfig) -> None:
        """Store the study's settings beside the responses.

        Raises:
            UserError: there are responses to other settings under this name.
        """
        text = json.dumps(config.to_json(), ensure_ascii=False)
        row = {"config": text, "sha256": config.sha256}
        with contextlib.suppress(sa.exc.IntegrityError), self.engine.begin() as connection:
            connection.execute(sa.insert(_STUDIES).values(name=self.study, created=_now(), **row))
            return

        def update(connection: sa.Connection) -> None:
            self._lock(connection)
            here = _STUDIES.c.name == self.study
            kept = connection.execute(sa.select(_STUDIES.c.sha256).where(here)).scalar_one()
            count = sa.select(sa.func.count()).select_from(_PARTICIPANTS)
            if kept != config.sha256 and connection.execute(self._mine(count)).scalar_one():
                remedy = (
                    "its file has changed since there are participants: restore it, "
                    "or give the changed study another name"
                )
                raise UserError("study", self.study, remedy)
            connection.execute(sa.update(_STUDIES).where(here).values(**row))

        self._writer.run(update)

    def config(self) -> StudyConfig:
        """The settings that are stored with the responses.

        Raises:
            UserError: there is no such study in this database.
        """
        query = sa.select(_STUDIES.c.config).where(_STUDIES.c.name == self.study)
        with self.engine.connect() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise UserError("study", self.study, "there is no such study in this database")
        return StudyConfig.from_json(json.loads(row.config))

    # -- participants -----------------------------------------------------------------------------

    def enrol(
        self,
        visitor_hash: str,
        decide: Callable[[Sequence[Participant]], Enrolment],
        came: Came = UNKNOWN,
    ) -> Participant:
        """The participant that this browser is; a new one if there is none yet.

        Somebody who comes again in the same session, in another browser, goes on there.

        Args:
            visitor_hash: of the browser.
            decide: called with all participants so far while nobody else can join; what it raises
                leaves everything as it was.
            came: what the link says.

        Raises:
            Taken: the browser is another person's, or the person takes part in another session.
        """

        def join(connection: sa.Connection) -> Participant:
            self._lock(connection)
            rows = connection.execute(self._people().order_by("id"))
            others = [_participant(row) for row in rows]
            there = _already(others, visitor_hash, came)
            if there is not None:
                if there.visitor_hash != visitor_hash:
                    self._set(connection, there.id, visitor_hash=visitor_hash)
                return there
            chosen = decide(others)
            values = {
                "study": self.study,
                "visitor_hash": visitor_hash,
                "resume_hash": chosen.resume_hash,
                "number": chosen.number,
                "condition": chosen.condition,
                "task_order": json.dumps(chosen.task_order),
                "state": STATES[0],
                "consented_at": chosen.consented_at,
                "end_code": chosen.end_code,
            }
            new = connection.execute(sa.insert(_PARTICIPANTS).values(**values))
            (new_id,) = new.inserted_primary_key or (0,)
            place = {
                "participant_id": new_id,
                "person_hash": came.person,
                "session_hash": came.session,
                "network_hash": came.address,
                "seen_at": chosen.consented_at,
            }
            connection.execute(sa.insert(_PLACES).values(**place))
            here = _PARTICIPANTS.c.id == new_id
            return _participant(connection.execute(self._people().where(here)).one())

        return self._writer.run(join)

    def stay(
        self,
        participant_id: int,
        at: str,
        may: Callable[[Participant, Sequence[Participant]], bool],
    ) -> bool:
        """Note that somebody is here, if they may be; nobody joins meanwhile.

        Args:
            at: the time to note.
            may: called with the participant and all participants.

        Raises:
            Gone: there is no such participant.
        """

        def note(connection: sa.Connection) -> bool:
            self._lock(connection)
            self._lock_participant(connection, participant_id)
            people = [_participant(row) for row in connection.execute(self._people())]
            if not may(next(p for p in people if p.id == participant_id), people):
                return False
            self._place(connection, participant_id, seen_at=at)
            return True

        return self._writer.run(note)

    def set_score(self, participant_id: int, score: float, at: str) -> None:
        """Note what somebody has earned.

        Raises:
            Gone: there is no such participant.
        """

        def note(connection: sa.Connection) -> None:
            self._lock_participant(connection, participant_id)
            self._place(connection, participant_id, seen_at=at, score=score)

        self._writer.run(note)

    def _place(self, connection: sa.Connection, participant_id: int, **values: Any) -> None:
        """Change a row of `places`, which those who joined under an older version have not."""
        here = _PLACES.c.participant_id == participant_id
        if not connection.execute(sa.update(_PLACES).where(here).values(**values)).rowcount:
            connection.execute(sa.insert(_PLACES).values(participant_id=participant_id, **values))

    def participants(self) -> list[Participant]:
        """All of them, in the order they joined."""
        with self.engine.connect() as connection:
            rows = connection.execute(self._people().order_by("id"))
            return [_participant(row) for row in rows]

    def of_visitor(self, visitor_hash: str) -> Participant | None:
        """Whom a browser belongs to."""
        return self._one(_PARTICIPANTS.c.visitor_hash == visitor_hash)

    def standing(
        self, visitor_hash: str
    ) -> tuple[Participant, list[StepRow], dict[str, str]] | None:
        """Whom a browser belongs to, with `steps` and `answers`."""
        with self.engine.connect() as connection:
            row = connection.execute(self._of_visitor, {"visitor": visitor_hash}).first()
            if row is None:
                return None
            return _participant(row), _steps(connection, row.id), _answers(connection, row.id)

    def of_resume(self, resume_hash: str) -> Participant | None:
        """Whom a link to resume with belongs to."""
        return self._one(_PARTICIPANTS.c.resume_hash == resume_hash)

    def _one(self, condition: Any) -> Participant | None:
        with self.engine.connect() as connection:
            query = self._people().where(condition)
            row = connection.execute(query).first()
        return None if row is None else _participant(row)

    def move(self, participant_id: int, visitor_hash: str) -> None:
        """Let the participant go on in another browser.

        Raises:
            Conflict: that browser is another participant's.
            Gone: there is no such participant.
        """
        try:
            self._update(participant_id, visitor_hash=visitor_hash)
        except sa.exc.IntegrityError as error:
            raise Conflict from error

    def set_state(self, participant_id: int, state: str, after: str) -> None:
        """From state `after` to `state`, and nothing in any other; `finished` notes when.

        Raises:
            Gone: there is no such participant.
        """

        def update(connection: sa.Connection) -> None:
            self._lock_participant(connection, participant_id)
            self._set(connection, participant_id, _PARTICIPANTS.c.state == after, state=state)

        self._writer.run(update)

    def set_attention(self, participant_id: int, passed: bool) -> None:
        """Note whether the attention checks were passed.

        Raises:
            Gone: there is no such participant.
        """
        self._update(participant_id, attention_passed=int(passed))

    def _update(self, participant_id: int, **values: Any) -> None:

        def update(connection: sa.Connection) -> None:
            self._lock_participant(connection, participant_id)
            self._set(connection, participant_id, **values)

        self._writer.run(update)

    def _set(
        self, connection: sa.Connection, participant_id: int, *conditions: Any, **values: Any
    ) -> None:
        if values.get("state") == "finished":
            values["finished_at"] = _now()
        here = sa.and_(_PARTICIPANTS.c.id == participant_id, *conditions)
        connection.execute(sa.update(_PARTICIPANTS).where(here).values(**values))

    def delete(self, *participant_ids: int) -> int:
        """Delete everything of participants; how many there were."""

        def remove(connection: sa.Connection) -> int:
            there = 0
            for participant_id in participant_ids:
                with contextlib.suppress(Gone):
                    self._lock_participant(connection, participant_id)
                    there += 1
                    for table in (_STEPS, _ANSWERS, _PLACES, _PAGES):
                        its = table.c.participant_id == participant_id
                        connection.execute(sa.delete(table).where(its))
                    its = _PARTICIPANTS.c.id == participant_id
                    connection.execute(sa.delete(_PARTICIPANTS).where(its))
            return there

        deleted = self._writer.run(remove)
        if deleted:
            forget(self.engine)
        return deleted

    def counts(self) -> dict[tuple[str, str], int]:
        """Participants by (condition, state), where there are any."""
        by = (_PARTICIPANTS.c.condition, _PARTICIPANTS.c.state)
        query = self._mine(sa.select(*by, sa.func.count())).group_by(*by)
        with self.engine.connect() as connection:
            return {(condition, state): n for condition, state, n in connection.execute(query)}

    def progress(self) -> dict[int, int]:
        """How many responses in tasks, practice left out, each participant id has given."""
        query = (
            self._mine(sa.select(_STEPS.c.participant_id, sa.func.count()))
            .join(_PARTICIPANTS, _PARTICIPANTS.c.id == _STEPS.c.participant_id)
            .where(_STEPS.c.task >= 0)
            .group_by(_STEPS.c.participant_id)
        )
        with self.engine.connect() as connection:
            return {participant: count for participant, count in connection.execute(query)}

    # -- responses --------------------------------------------------------------------------------

    def steps(self, participant_id: int) -> list[StepRow]:
        """All responses in tasks, by task and step."""
        with self.engine.connect() as connection:
            return _steps(connection, participant_id)

    def answers(self, participant_id: int) -> dict[str, str]:
        """Answers by the question's id; those to attention checks as `attention-1` ..., each
        `right` or `wrong`."""
        with self.engine.connect() as connection:
            return _answers(connection, participant_id)

    def add_step(
        self,
        participant_id: int,
        task: int,
        step: int,
        target: int,
        value: float,
        milliseconds: int,
        at: str | None = None,
        mark: tuple[str, str] | None = None,
    ) -> bool:
        """Keep a response; False: exactly this one was here already.

        Args:
            at: when it was given; None: now.
            mark: an answer, by its question, that is kept with it or not at all.

        Raises:
            Conflict: another response to this step was here already.
            Gone: there is no such participant.
        """

        def add(connection: sa.Connection) -> bool:
            self._lock_participant(connection, participant_id)
            place = {"who": participant_id, "of_task": task, "of_step": step}
            kept = connection.execute(_STEP_THERE, place).first()
            if kept is not None:
                if (kept.target, kept.value) != (target, value):
                    raise Conflict
                return False
            new = {
                "participant_id": participant_id,
                "task": task,
                "step": step,
                "target": target,
                "value": value,
                "milliseconds": milliseconds,
                "answered_at": at or _now(),
            }
            connection.execute(sa.insert(_STEPS), new)
            if mark is not None:
                question, answer = mark
                values = {"question": question, "answer": answer, "answered_at": at or _now()}
                connection.execute(
                    sa.insert(_ANSWERS).values(participant_id=participant_id, **values)
                )
            return True

        return self._writer.run(add)

    def add_page(self, participant_id: int, row: PageRow) -> None:
        """Keep how long a page was looked at; what was said first counts.

        Raises:
            Gone: there is no such participant.
        """

        def add(connection: sa.Connection) -> None:
            self._lock_participant(connection, participant_id)
            here = (_PAGES.c.participant_id == participant_id) & (_PAGES.c.page == row.page)
            if connection.execute(sa.select(_PAGES).where(here)).first() is None:
                values = {"participant_id": participant_id, **vars(row)}
                connection.execute(sa.insert(_PAGES).values(**values))

        self._writer.run(add)

    def pages(self, participant_id: int) -> list[PageRow]:
        """How long pages were looked at, by name."""
        query = (
            sa.select(_PAGES.c.page, _PAGES.c.milliseconds, _PAGES.c.away)
            .where(_PAGES.c.participant_id == participant_id)
            .order_by(_PAGES.c.page)
        )
        with self.engine.connect() as connection:
            return [PageRow(*row) for row in connection.execute(query)]

    def add_answers(
        self, participant_id: int, answers: Mapping[str, str], state: str | None = None
    ) -> bool:
        """Keep answers, and with them set the state; False: exactly these were here already.

        Raises:
            Conflict: one of these questions has another answer already.
            Gone: there is no such participant.
        """

        def add(connection: sa.Connection) -> bool:
            self._lock_participant(connection, participant_id)
            kept = _answers(connection, participant_id)
            if any(kept.get(question, answer) != answer for question, answer in answers.items()):
                raise Conflict
            new = [
                {
                    "participant_id": participant_id,
                    "question": question,
                    "answer": answer,
                    "answered_at": _now(),
                }
                for question, answer in answers.items()
                if question not in kept
            ]
            if new:
                connection.execute(sa.insert(_ANSWERS), new)
            if state is not None:
                self._set(connection, participant_id, state=state)
            return bool(new)

        return self._writer.run(add)


def _already(people: Sequence[Participant], visitor_hash: str, came: Came) -> Participant | None:
    """Who of them comes; None: nobody yet.

    Raises:
        Taken: browser, person and session do not belong together.
    """
    for person in people:
        if person.visitor_hash == visitor_hash:
            if came.person not in (None, person.person_hash):
                raise Taken
            return person
    for person in people:
        if came.person is not None and person.person_hash == came.person:
            if person.session_hash != came.session:
                raise Taken
            return person
    return None


def _steps(connection: sa.Connection, participant_id: int) -> list[StepRow]:
    return [StepRow(*row) for row in connection.execute(_STEPS_OF, {"who": participant_id})]


def _answers(connection: sa.Connection, participant_id: int) -> dict[str, str]:
    rows = connection.execute(_ANSWERS_OF, {"who": participant_id})
    return {row.question: row.answer for row in rows}


def _participant(row: Any) -> Participant:
    fields = dict(row._mapping)
    order, seen = tuple(json.loads(row.task_order)), row.seen_at or row.consented_at
    return Participant(**fields | {"task_order": order, "seen_at": seen})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
