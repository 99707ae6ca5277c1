"""What a participant does, in the order in which it has to be done.

Where somebody is follows from what is stored of them, so nothing is lost with the process.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, NamedTuple

import numpy as np
from fastapi import Depends
from starlette.exceptions import HTTPException

from seedo.lab._lab import service
from seedo.lab._security import Keys
from seedo.lab.study._assignment import hashed
from seedo.lab.study._ending import score
from seedo.lab.study._items import (
    LANGUAGE,
    QUIZ,
    Item,
    Standing,
    after_task,
    asked_id,
    began_id,
    check_id,
    items,
    language_of,
    time_id,
    tries,
    understood,
)
from seedo.lab.study._joining import Joining
from seedo.lab.study._kinds import KINDS
from seedo.lab.study._pay import erase
from seedo.lab.study._places import stamp
from seedo.lab.study._questions import Question, read_answers
from seedo.lab.study._store import Conflict, Gone, PageRow, Participant, StepRow
from seedo.lab.study._task import NOTHING, Action, Task, choices_of
from seedo.lab.study._tasks import task_of
from seedo.lab.study._time import GRACE, Pressure
from seedo.lab.study._words import Said
from seedo.worlds import variable_names

MOST_ANSWER = 2000  # characters
_NOT_NEXT = "error-not-next"


Spent = tuple[int, int] | None
"""Milliseconds on a page, and of them away from it; None: the page did not say."""


class _Check(NamedTuple):
    """An attention check: what can be set and what it is called, and the (target, value) that is
    asked for."""

    called: dict[str, Any]
    values: list[list[float]]
    target: int
    value: float


class Session:
    """A study that is open to participants; `visitor` is always the browser's random name."""

    def __init__(self, joining: Joining, keys: Keys) -> None:
        self.joining, self._keys = joining, keys
        self.config, self.store, config = joining.config, joining.store, joining.config
        self._items = functools.lru_cache(4096)(functools.partial(items, config))

    # -- what is shown ----------------------------------------------------------------------------

    def language(self, visitor: str, asked: str = "") -> str:
        """The language for this browser; of who does not take part yet, the one asked for."""
        standing = self._standing(visitor)
        if standing is None:
            offered = self.config.spoken.offered
            return asked if asked in offered else self.config.spoken.default
        return self._language(standing)

    def _language(self, standing: Standing) -> str:
        return language_of(self.config, standing.participant.condition, standing.answers)

    def view(self, visitor: str) -> dict[str, Any]:
        """The screen that this browser has to show next, and nothing that is hidden."""
        standing = self._standing(visitor)
        if standing is None:
            return self.joining.full_screen() if self.joining.is_full() else {"screen": "consent"}
        if self.joining.late(standing.participant):
            return self.joining.late_screen(standing.participant) | self._foot(standing)
        return self._view(standing)

    def _view(self, standing: Standing) -> dict[str, Any]:
        participant = standing.participant
        state = participant.state
        if state == "instructions":
            shown: dict[str, Any] = {"screen": "instructions", **self._told(standing)}
            if tries(standing):
                shown["again"] = True
        elif state == "quiz" and self.config.quiz is not None:
            number = tries(standing) + 1
            shown = {"screen": "quiz", "try": number, "questions": self._quiz(standing)}
        elif state == "tasks" and self._hopeless(standing):
            self._send_away(participant)
            shown = self._ended(self._again(standing), "screened")
        elif state == "tasks":
            self._run_out(standing)
            due = self._due(standing)
            if due < len(self._items(participant.task_order)):
                shown = self._item(standing, due)
            else:
                after = "questions" if self.config.asked("end") else "finished"
                self._settle(standing)
                self._keep(lambda: self.store.set_state(participant.id, after, "tasks"))
                if after == "finished":
                    self._note_score(participant)
                shown = self._ended(self._again(standing), after)
        else:
            shown = self._ended(standing, state)
        return shown | self._foot(standing)

    def _told(self, standing: Standing) -> dict[str, Any]:
        """What the instructions of a condition have of their own."""
        condition, language = standing.participant.condition, self._language(standing)
        text = self.config.instruction(condition, language)
        wording = self.config.wording(condition, language)
        story = {"story": wording.story} if wording and wording.story else {}
        if wording and wording.image:
            story |= {"image": self.config.image(wording.image).id, "alt": wording.alt}
        return {"condition": text} | story

    def _foot(self, standing: Standing) -> dict[str, str]:
        """For every screen: going on elsewhere, and in which language."""
        participant = standing.participant
        language = {"language": self._language(standing)} if len(self.config.languages) > 1 else {}
        return {"resume": self._token(participant.number, participant.consented_at)} | language

    def _ended(self, standing: Standing, state: str) -> dict[str, Any]:
        if state == "questions":
            return {"screen": "questions", **self._asking(standing, self.config.asked("end"))}
        return self.joining.end_screen(standing.participant, self._language(standing))

    def _asking(self, standing: Standing, questions: Iterable[Question]) -> dict[str, Any]:
        """Questions in somebody's language; what is answered stays as in the study's file."""
        language = self._language(standing)
        shown = [(question.shown(), f"question-{question.id}") for question in questions]
        return {"questions": [self._translated(each, key, language) for each, key in shown]}

    def _quiz(self, standing: Standing) -> list[dict[str, Any]]:
        assert self.config.quiz is not None
        language = self._language(standing)
        shown = self.config.quiz.shown()
        return [self._translated(each, each["id"], language) for each in shown]

    def _translated(self, shown: dict[str, Any], key: str, language: str) -> dict[str, Any]:
        if language == self.config.spoken.default:
            return shown
        labels = [
            self.config.told(f"{key}_{n + 1}", language) for n in range(len(shown["options"]))
        ]
        return shown | {"text": self.config.told(key, language), "labels": labels}

    def _item(self, standing: Standing, due: int) -> dict[str, Any]:
        participant = standing.participant
        listed = self._items(participant.task_order)
        item = listed[due]
        if item.kind == "check":
            check = self._check(standing, item.which)
            end = "low" if check.value == min(check.values[check.target]) else "high"
            words = self.config.spoken.words(self._language(standing))
            name = check.called["names"][check.target]
            return {
                "screen": "check",
                "item": due,
                **check.called,
                "values": check.values,
                "asked": words[f"check-{end}"].replace("{name}", name),
            }
        if item.kind in ("before", "after"):
            asked = self._asking(standing, self._asked(item))
            return {"screen": "ask", "item": due, **asked}
        practice = item.kind == "practice"
        shown = {
            "item": due,
            "practice": practice,
            "number": sum(other.kind == item.kind for other in listed[: due + 1]),
            "of": self.config.practice if practice else self.config.tasks,
        }
        pressure = self.config.pressure(participant.condition)
        if pressure and began_id(item.which) not in standing.answers:
            return {"screen": "ready", **shown, **pressure.to_json()}
        seen = self._task(standing, item.which).view(standing.done.get(item.which, []))
        return {"screen": "task", **shown, **seen, **self._clocks(standing, item.which)}

    # -- what is done -----------------------------------------------------------------------------

    def consent(
        self, visitor: str, link: Mapping[str, str], address: str | None = None
    ) -> dict[str, Any]:
        """Join, or be where one is already.

        Args:
            link: the parameters of the link by which the page was opened.
            address: of the network.

        Raises:
            Said: see `Joining.join`.
        """
        self.joining.join(self._hashed(visitor), link, address, self._token)
        standing, asked = self._standing(visitor), link.get("lang", "")
        if standing and asked in self.config.spoken.offered and LANGUAGE not in standing.answers:
            self._keep(lambda: self.store.add_answers(standing.participant.id, {LANGUAGE: asked}))
        return self.view(visitor)

    def ready(self, visitor: str, spent: Spent = None) -> dict[str, Any]:
        """Leave the instructions."""
        standing = self._who(visitor)
        participant = standing.participant
        if participant.state == "instructions":
            due = self.config.quiz is not None and not understood(standing)
            after = "quiz" if due else "tasks"
            self._keep(lambda: self.store.set_state(participant.id, after, "instructions"))
            self._note_page(participant, f"instructions-{tries(standing) + 1}", spent)
        return self.view(visitor)

    def quiz(
        self, visitor: str, number: int, answers: dict[str, str], spent: Spent = None
    ) -> dict[str, Any]:
        """The answers of try `number` (from 1) to the questions about the instructions.

        Only whether they are right is stored. The same try again changes nothing.

        Raises:
            Said: 409, it is not their turn.
            UserError: there is no answer to one of them.
        """
        standing = self._who(visitor)
        participant, quiz = standing.participant, self.config.quiz
        tried = tries(standing)
        if quiz is None or number > tried + 1:
            raise Said(409, _NOT_NEXT)
        if number <= tried:
            return {"view": self.view(visitor)}
        if participant.state != "quiz":
            raise Said(409, _NOT_NEXT)
        passed = quiz.passed([answers.get(shown["id"], "") for shown in quiz.shown()])
        if not passed and number < quiz.tries:
            after = "instructions"
        else:
            after = "screened" if quiz.end and not passed else "tasks"
        said = {f"{QUIZ}{number}": "right" if passed else "wrong"}
        self._keep(lambda: self.store.add_answers(participant.id, said, after))
        self._note_page(participant, f"quiz-{number}", spent)
        return {"view": self.view(visitor)}

    def begin(self, visitor: str, item: int) -> dict[str, Any]:
        """Begin a task whose time is limited; it is begun once and for all.

        Raises:
            Said: 409, it is not its turn.
        """
        standing = self._who(visitor)
        chosen, due = self._turn(standing, item, ("practice", "task"))
        if item > due:
            raise Said(409, _NOT_NEXT)
        name = began_id(chosen.which)
        if self.config.pressure(standing.participant.condition) and name not in standing.answers:
            # What has to be worked out first is not to take their time.
            self._task(standing, chosen.which).view([])
            began = {name: stamp(self.joining.clock())}
            try:
                self.store.add_answers(standing.participant.id, began)
            except Conflict:
                pass  # of two at once the first counts
            except Gone as error:
                raise Said(404, "error-gone") from error
        return {"view": self.view(visitor)}

    def step(
        self,
        visitor: str,
        item: int,
        step: int,
        target: int,
        value: float,
        milliseconds: int,
        away: int = 0,
    ) -> dict[str, Any]:
        """One choice in a task; the same one again is answered as it was the first time.

        Returns:
            `after`: what followed the last choice of a task, else None; `view`.

        Raises:
            Said: 409, it is not this choice's turn, or it was made otherwise before.
            UserError: an action that cannot be carried out.
        """
        standing = self._who(visitor)
        participant = standing.participant
        now = self.joining.clock()
        self._run_out(standing)
        chosen, due = self._turn(standing, item, ("practice", "task"))
        if self._pressed(standing, chosen.which) is None:
            raise Said(409, _NOT_NEXT)
        task = self._task(standing, chosen.which)
        done = standing.done.setdefault(chosen.which, [])
        number = step - task.first  # among the choices of this task
        fresh = number == len(done)
        if not 0 <= number <= len(done) or item > due or (fresh and task.over(done)):
            raise Said(409, _NOT_NEXT)
        action = task.read(step, target, value)
        if standing.answers.get(time_id(chosen.which, step)) == "missed":
            raise Said(409, "error-time")
        late = fresh and self._late(standing, chosen.which, now)
        mark = (time_id(chosen.which, step), "late") if late else None
        at = stamp(now) if self.config.timed else None
        self._keep(
            lambda: self.store.add_step(
                participant.id, chosen.which, step, *action, milliseconds, at, mark
            )
        )
        if away:
            page = f"task-{chosen.which}-step-{step}"
            self._note_page(participant, page, (milliseconds, away))
        if fresh:
            done.append(action)
            standing.times.setdefault(chosen.which, []).append(at or "")
        after = None
        if self.config.feedback and number + 1 == len(done) and task.over(done):
            after = task.after(done)
        return {"after": after, "view": self._view(standing)}

    def check(
        self, visitor: str, item: int, target: int, value: float, spent: Spent = None
    ) -> dict[str, Any]:
        """The answer to an attention check; only whether it was right is stored.

        Raises:
            Said: 409, it is not its turn, or it was answered otherwise before.
        """
        standing = self._who(visitor)
        participant = standing.participant
        chosen, due = self._turn(standing, item, ("check",))
        if item > due:
            raise Said(409, _NOT_NEXT)
        asked = self._check(standing, chosen.which)
        right = (target, value) == (asked.target, asked.value)
        answer = {check_id(chosen.which): "right" if right else "wrong"}
        self._keep(lambda: self.store.add_answers(participant.id, answer))
        self._note_page(participant, f"check-{chosen.which + 1}", spent)
        standing.answers.update(answer)
        self._settle(standing)
        view = self._view(standing)
        warned = not right and self.config.check_action != "note" and view["screen"] != "screened"
        return {"view": view} | ({"warned": True} if warned else {})

    def ask(
        self, visitor: str, item: int, answers: dict[str, str], spent: Spent = None
    ) -> dict[str, Any]:
        """The answers to questions before the tasks, or after one.

        Raises:
            Said: 409, it is not their turn, or they were answered otherwise before.
            UserError: names the question whose answer cannot be used.
        """
        standing = self._who(visitor)
        chosen, due = self._turn(standing, item, ("before", "after"))
        if item > due:
            raise Said(409, _NOT_NEXT)
        given = read_answers(self._asked(chosen), answers)
        if chosen.kind == "after":
            given = {after_task(name, chosen.which): said for name, said in given.items()}
        given[asked_id(chosen)] = "asked"
        self._keep(lambda: self.store.add_answers(standing.participant.id, given))
        page = "before" if chosen.kind == "before" else f"task-{chosen.which}"
        self._note_page(standing.participant, page, spent)
        standing.answers.update(given)
        return {"view": self._view(standing)}

    def answer(self, visitor: str, answers: dict[str, str], spent: Spent = None) -> dict[str, Any]:
        """The answers to the questions at the end.

        Raises:
            Said: 409, it is not their turn, or they were answered otherwise before.
            UserError: names the question whose answer cannot be used.
        """
        standing = self._who(visitor)
        participant, kept = standing.participant, standing.answers
        if participant.state not in ("questions", "finished"):
            raise Said(409, "error-tasks-first")
        questions = self.config.asked("end")
        known = {question.id for question in questions}
        given = read_answers(questions, answers)
        if participant.state == "finished":
            if {name: text for name, text in kept.items() if name in known} != given:
                raise Said(409, "error-answered")
        else:
            self._keep(lambda: self.store.add_answers(participant.id, given, "finished"))
            self._note_page(participant, "questions", spent)
            self._note_score(participant)
        return {"view": self.view(visitor)}

    def resume(self, visitor: str, token: str) -> dict[str, Any]:
        """Go on in this browser.

        Raises:
            Said: 404, nobody has this link; 409, the browser is another participant's.
        """
        participant = self.store.of_resume(hashed(token))
        if participant is None:
            raise Said(404, "error-no-link")
        try:
            self.store.move(participant.id, self._hashed(visitor))
        except Conflict as error:
            raise Said(409, "error-other-browser") from error
        except Gone as error:
            raise Said(404, "error-no-link") from error
        return self.view(visitor)

    def withdraw(self, visitor: str) -> dict[str, bool]:
        """Delete everything of whoever uses this browser; `deleted`: whether there was anything."""
        participant = self.store.of_visitor(self._hashed(visitor))
        if participant is None:
            return {"deleted": False}
        return {"deleted": erase(self.store, self.joining.pay, [participant]) > 0}

    def erase(self, participant_ids: Collection[int]) -> int:
        """Delete everything of participants; how many there were."""
        people = [p for p in self.store.participants() if p.id in set(participant_ids)]
        return erase(self.store, self.joining.pay, people)

    # -- where somebody is ------------------------------------------------------------------------

    def _standing(self, visitor: str) -> Standing | None:
        kept = self.store.standing(self._hashed(visitor))
        if kept is None:
            return None
        return _stood(*kept)

    def _who(self, visitor: str) -> Standing:
        standing = self._standing(visitor)
        if standing is None:
            raise Said(404, "error-unknown")
        self.joining.stay(standing.participant)
        return standing

    def _turn(self, standing: Standing, item: int, kinds: tuple[str, ...]) -> tuple[Item, int]:
        """The item, and the index of the one that is next.

        Raises:
            Said: 409, it is not of these kinds.
        """
        listed = self._items(standing.participant.task_order)
        early = standing.participant.state in ("instructions", "quiz", "screened")
        early = early or item >= len(listed)
        if early or listed[item].kind not in kinds:
            raise Said(409, _NOT_NEXT)
        return listed[item], self._due(standing)

    def _due(self, standing: Standing) -> int:
        """Index of the next item; their number when all are done."""
        choices = self._choices(standing.participant)
        early = KINDS[self.config.kind].ends_early
        listed = self._items(standing.participant.task_order)
        for index, item in enumerate(listed):
            if item.kind == "check":
                if check_id(item.which) not in standing.answers:
                    return index
            elif item.kind in ("before", "after"):
                if asked_id(item) not in standing.answers:
                    return index
            elif len(done := standing.done.get(item.which, [])) < choices:
                if not (early and done and self._task(standing, item.which).over(done)):
                    return index
        return len(listed)

    # -- time -------------------------------------------------------------------------------------

    def _pressed(self, standing: Standing, task: int) -> tuple[Pressure, datetime] | None:
        """The limits of a task and when it was begun; None: it was not yet.

        Where nothing is limited a task has always been begun.
        """
        pressure = self.config.pressure(standing.participant.condition)
        began = standing.answers.get(began_id(task))
        if not pressure:
            return pressure, self.joining.clock()
        return None if began is None else (pressure, datetime.fromisoformat(began))

    def _clocks(self, standing: Standing, task: int) -> dict[str, Any]:
        """What is left of the time, in milliseconds; nothing where it is not limited."""
        pressed = self._pressed(standing, task)
        if pressed is None or not pressed[0]:
            return {}
        pressure, began = pressed
        now = self.joining.clock()
        ends = pressure.limits(began, _times(standing, task))
        left = {of: round((at - now) / timedelta(milliseconds=1)) for of, at in ends.items()}
        grace = round(GRACE / timedelta(milliseconds=1))
        return {"clocks": left, "grace": grace, "at_end": pressure.at_end}

    def _late(self, standing: Standing, task: int, now: datetime) -> bool:
        """Whether the time for the next choice of a task is over."""
        pressed = self._pressed(standing, task)
        if pressed is None or not pressed[0]:
            return False
        pressure, began = pressed
        return now > pressure.due(began, _times(standing, task)).at + GRACE

    def _run_out(self, standing: Standing) -> None:
        """Note the choices that nobody made in time; `standing` is then as it is after them.

        What a browser says of the time, or that it was closed, counts for nothing.
        """
        participant = standing.participant
        if participant.state != "tasks" or not self.config.pressure(participant.condition):
            return
        listed, due = self._items(participant.task_order), self._due(standing)
        if due == len(listed) or listed[due].kind not in ("practice", "task"):
            return
        task = listed[due].which
        pressed = self._pressed(standing, task)
        if pressed is None or pressed[0].at_end == "late":
            return
        pressure, began = pressed
        met = self._task(standing, task)
        done, times = standing.done.setdefault(task, []), standing.times.setdefault(task, [])
        now, ended = self.joining.clock(), False
        while not met.over(done) and (ended or self._late(standing, task, now)):
            over = pressure.due(began, _times(standing, task))
            ended = ended or pressure.at_end == "task" or over.of == "task"
            at = stamp(min(over.at, now))
            step = met.first + len(done)
            mark = (time_id(task, step), "missed")
            try:
                self.store.add_step(participant.id, task, step, *NOTHING, 0, at, mark)
            except Gone as error:
                raise Said(404, "error-gone") from error
            except Conflict:  # in another tab something was quicker: it counts
                self._catch_up(standing)
                return
            done.append(NOTHING)
            times.append(at)
            standing.answers[mark[0]] = mark[1]

    def _catch_up(self, standing: Standing) -> None:
        """Take over what has been stored of somebody meanwhile."""
        rows = self.store.steps(standing.participant.id)
        now = _stood(standing.participant, rows, self.store.answers(standing.participant.id))
        for old, new in ((standing.done, now.done), (standing.times, now.times)):
            old.clear()
            old.update(new)  # type: ignore[arg-type]
        standing.answers.update(now.answers)

    def _settle(self, standing: Standing) -> None:
        """Once all attention checks are answered, note whether they were passed."""
        said = [standing.answers.get(check_id(check)) for check in range(self.config.checks)]
        if said and None not in said:
            passed = said.count("right") >= self.config.checks_to_pass
            self._keep(lambda: self.store.set_attention(standing.participant.id, passed))

    def _hopeless(self, standing: Standing) -> bool:
        """Whether the attention checks can no longer be passed, in a study that then ends."""
        ids = map(check_id, range(self.config.checks))
        wrong = sum(standing.answers.get(check) == "wrong" for check in ids)
        most = self.config.checks - self.config.checks_to_pass
        return self.config.check_action == "end" and wrong > most

    def _send_away(self, participant: Participant) -> None:
        self._keep(lambda: self.store.set_attention(participant.id, False))
        self._keep(lambda: self.store.set_state(participant.id, "screened", "tasks"))

    def _asked(self, item: Item) -> tuple[Question, ...]:
        return self.config.asked("before" if item.kind == "before" else "task")

    def _check(self, standing: Standing, check: int) -> _Check:
        """What an attention check asks for, in letters or as the next task calls things."""
        participant = standing.participant
        rng = np.random.default_rng([self.config.seed, participant.number, 1 + check])
        if self.config.check_words == "story":
            position = check * self.config.tasks // self.config.checks
            task = self._task(standing, participant.task_order[position])
            called, values = task.called(), task.values()
            called["names"] = called["names"][: len(values)]
        else:
            spec = self._spec(participant)
            called = {"names": list(variable_names(spec.n))}
            values = [sorted(spec.do_values)] * spec.n
        target = int(rng.integers(len(values)))
        ends = (min(values[target]), max(values[target]))
        return _Check(called, values, target, float(ends[rng.integers(2)]))

    def _spec(self, participant: Participant) -> Any:
        scenario = self.config.scenario(participant.condition, participant.number, 0)
        return scenario.stage().spec

    def _choices(self, participant: Participant) -> int:
        return choices_of(self._spec(participant))

    def _task(self, standing: Standing, task: int) -> Task:
        who, language = standing.participant, self._language(standing)
        return task_of(self.config, who.condition, who.number, task, language)

    # -- secrets ----------------------------------------------------------------------------------

    def _hashed(self, visitor: str) -> str:
        return self._keys.sign("participant", visitor)

    def _token(self, number: int, consented_at: str) -> str:
        """The secret of a participant's link to resume with."""
        return self._keys.sign("resume", f"{self.config.name}/{number}/{consented_at}")[:32]

    def _again(self, standing: Standing) -> Standing:
        """The participant as they are now."""
        found = self.store.of_visitor(standing.participant.visitor_hash)
        return standing._replace(participant=found or standing.participant)

    def _note_page(self, participant: Participant, page: str, spent: Spent) -> None:
        if spent is not None:
            self._keep(lambda: self.store.add_page(participant.id, PageRow(page, *spent)))

    def _note_score(self, participant: Participant) -> None:
        earned = score(self.config, participant, self.store.steps(participant.id))
        if earned is not None:
            at = stamp(self.joining.clock())
            self._keep(lambda: self.store.set_score(participant.id, earned, at))

    def _keep(self, write: Any) -> None:
        try:
            write()
        except Conflict as error:
            raise Said(409, "error-counted") from error
        except Gone as error:
            raise Said(404, "error-gone") from error


def _stood(participant: Participant, rows: Iterable[StepRow], answers: dict[str, str]) -> Standing:
    done: dict[int, list[Action]] = {}
    times: dict[int, list[str]] = {}
    for row in rows:
        done.setdefault(row.task, []).append((row.target, row.value))
        times.setdefault(row.task, []).append(row.answered_at)
    return Standing(participant, done, answers, times)


def _times(standing: Standing, task: int) -> list[datetime]:
    return [datetime.fromisoformat(at) for at in standing.times.get(task, [])]


MaybeSession = Annotated[Session | None, service(Session)]
"""The study that is open; None: there is none."""


async def _open(session: MaybeSession) -> Session:
    if session is None:
        raise HTTPException(404, "no study is open: start the lab with --study FILE")
    return session


TheSession = Annotated[Session, Depends(_open)]
