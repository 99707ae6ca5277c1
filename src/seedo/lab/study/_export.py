"""The responses of a study as episodes, and as tables for whoever analyses them elsewhere."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from seedo.episodes import PHASES, cannot_write, write_atomic, write_batch
from seedo.errors import UserError
from seedo.lab._scenario import STREAM, Scenario
from seedo.lab.study._config import StudyConfig
from seedo.lab.study._items import after_task, language_of, time_id
from seedo.lab.study._pay import reached
from seedo.lab.study._psych_ds import column_of, description, file_name
from seedo.lab.study._store import Participant, StepRow, StudyStore
from seedo.lab.study._task import NOTHING, Task
from seedo.lab.study._tasks import task_of
from seedo.play import Live, live_batch, origin
from seedo.worlds import OBSERVE

PEOPLE = "person"

Whose = Literal["everybody", "finished", "unfinished"]
"""Whose responses are exported; `unfinished`: of whoever is at it, has left or was sent away."""


@dataclass(frozen=True)
class _Taken:
    """A task of a participant, finished or not; `lived` is None unless it is finished."""

    participant: Participant
    task: int
    scenario: Scenario
    steps: tuple[StepRow, ...]
    lived: Live | None


def export(
    store: StudyStore,
    config: StudyConfig,
    out: str | Path,
    practice: bool = False,
    progress: Callable[[int, int], None] | None = None,
    only: Whose = "everybody",
    psych_ds: bool = False,
) -> list[Path]:
    """Write a folder: all of it or nothing.

    `runs/CONDITION/` are logs like any others: each finished task is an episode, played again on
    the system and the noise that the participant met, so that returns and their ceiling and floor
    are exact. `participants.csv`, `tasks.csv`, `steps.csv` and `pages.csv` have a line a
    participant, finished task, response and page; `study.json` says what was done. Nothing in it
    names a browser or a link.

    Args:
        store: the responses; participants who finish while this runs may be left out.
        config: the study, as it was when they were given.
        out: the folder; must not be there, or be empty.
        practice: practice tasks too, as runs of their own.
        progress: called with (participants done, participants in all).
        only: whose.
        psych_ds: the tables as Psych-DS wants them, in `data`, with a dictionary of their columns
            in `dataset_description.json`.

    Returns:
        The run folders.

    Raises:
        UserError: nobody is to be exported, or the folder is not empty or cannot be written.
    """
    target = Path(out)
    _refuse_taken(target)
    people = store.participants()
    if not people:
        raise UserError("study", config.name, "nobody has taken part yet")
    if only != "everybody":
        people = [p for p in people if (p.state == "finished") == (only == "finished")]
        if not people:
            raise UserError("only", only, "there is no such participant yet")
    taken: list[_Taken] = []
    for done, participant in enumerate(people):
        if progress:
            progress(done, len(people))
        taken += _tasks(store, config, participant, practice)
    if progress:
        progress(len(people), len(people))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise cannot_write(target, error) from error
    try:
        names = _write_runs(made / "runs", config, taken)
        languages = _languages(store, config, people)
        tables = {
            "participants": _participants(store, config, people, taken, languages),
            "tasks": _finished(store, config, taken),
            "steps": _responses(store, config, taken, languages),
            "pages": _pages(store, people),
        }
        if psych_ds:
            (made / "data").mkdir()
            write_atomic(made / "dataset_description.json", description(config, tables))
        for name, rows in tables.items():
            place = f"data/{file_name(config.name, name)}" if psych_ds else f"{name}.csv"
            write_atomic(made / place, _csv(rows))
        settings = config.to_json()
        settings.pop("recruit", None)  # has the codes that are worth money
        about = {"study": settings, "sha256": config.sha256, "participants": len(people),
                 "only": only}  # fmt: skip
        text = json.dumps(about, indent=1, ensure_ascii=False) + "\n"
        write_atomic(made / "study.json", text.encode())
        _refuse_taken(target)
        os.replace(made, target)  # onto an empty folder this is allowed
    except OSError as error:
        raise cannot_write(target, error) from error
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(made)
    return [target / "runs" / name for name in names]


def pseudonym(participant: Participant) -> str:
    """What a participant is called in logs and tables: `p007`."""
    return f"p{participant.number:03d}"


def _refuse_taken(target: Path) -> None:
    try:
        taken = target.exists() and (not target.is_dir() or any(target.iterdir()))
    except OSError as error:
        raise cannot_write(target, error) from error
    if taken:
        raise UserError("out", str(target), "already there, and not empty: choose another --out")


def _tasks(
    store: StudyStore, config: StudyConfig, participant: Participant, practice: bool
) -> list[_Taken]:
    """The tasks that a participant has begun, in the order they were met."""
    by_task: dict[int, list[StepRow]] = {}
    for row in store.steps(participant.id):
        by_task.setdefault(row.task, []).append(row)
    order = [*(range(-config.practice, 0) if practice else ()), *participant.task_order]
    found = []
    for task in order:
        if task not in by_task:
            continue
        scenario = config.scenario(participant.condition, participant.number, task)
        steps = tuple(by_task[task])
        found.append(_Taken(participant, task, scenario, steps, _played(scenario, steps)))
    return found


def _played(scenario: Scenario, steps: Sequence[StepRow]) -> Live | None:
    """The episode that these responses make; None if some are missing yet."""
    responses, actions = iter(steps), []
    episode = scenario.begin()
    for number, phase in enumerate(episode.world.spec.phases):
        if phase == OBSERVE:
            actions.append(NOTHING)
            continue
        row = next(responses, None)
        if row is None:
            break
        if row.step != number:
            return None
        actions.append((row.target, row.value))
    if actions:
        episode.follow(actions)
    return episode if episode.finished else None


# -- logs ------------------------------------------------------------------------------------------


def _write_runs(folder: Path, config: StudyConfig, taken: Iterable[_Taken]) -> list[str]:
    """A run for every condition in which a task is finished; their names."""
    folder.mkdir()
    runs: dict[tuple[str, bool], list[_Taken]] = {}
    for one in taken:
        if one.lived is not None:
            runs.setdefault((one.participant.condition, one.task < 0), []).append(one)
    labels = [label for label, _ in config.conditions()]
    names = _folders(labels)
    written = []
    for practised in (False, True):
        for label in labels:
            if (label, practised) in runs:
                name = names[label] + ("-practice" if practised else "")
                _write_run(folder / name, config, label, runs[label, practised], practised)
                written.append(name)
    return written


def _write_run(
    folder: Path, config: StudyConfig, label: str, taken: list[_Taken], practised: bool
) -> None:
    lived = [one.lived for one in taken if one.lived is not None]
    who = PEOPLE if len(config.conditions()) == 1 else f"{PEOPLE} ({label})"
    source = replace(
        origin(lived[0].world, who, taken[0].scenario.seed),
        created=max(one.steps[-1].answered_at for one in taken),
    )
    batch = live_batch(source, lived, systems=True)
    batch = replace(batch, participant=[pseudonym(one.participant) for one in taken])
    people = {pseudonym(one.participant): one.participant for one in taken}
    wording = config.wording(label)
    write_batch(
        folder,
        batch,
        {
            "task": "study",
            "study": config.name,
            "study_sha256": config.sha256,
            "condition": label,
            "practice": practised,
            "systems": config.systems,
            "names": taken[0].scenario.names,
            **({} if wording is None else {"wording": wording.to_json()}),
            "stream": STREAM,
            "seed": taken[0].scenario.seed,
            "task_order": {name: list(person.task_order) for name, person in people.items()},
        },
    )


def _folders(labels: Sequence[str]) -> dict[str, str]:
    """A folder name for every condition."""
    found: dict[str, str] = {}
    for label in labels:
        plain = re.sub(r"[^a-z0-9.]+", "-", label.lower()).strip("-.")[:80] or "condition"
        name, number = plain, 2
        while name in found.values():
            name, number = f"{plain}-{number}", number + 1
        found[label] = name
    return found


# -- tables ----------------------------------------------------------------------------------------


def _languages(
    store: StudyStore, config: StudyConfig, people: Iterable[Participant]
) -> dict[int, str]:
    """The language of everybody by id; {} where the study has only one."""
    if len(config.languages) == 1:
        return {}
    return {p.id: language_of(config, p.condition, store.answers(p.id)) for p in people}


def _participants(
    store: StudyStore,
    config: StudyConfig,
    people: Sequence[Participant],
    taken: list[_Taken],
    languages: Mapping[int, str],
) -> list[list[Any]]:
    asked = [f"attention-{check + 1}" for check in range(config.checks)]
    of_quiz = [f"@quiz-{number + 1}" for number in range(config.quiz.tries if config.quiz else 0)]
    questions = [*config.asked("before"), *config.asked("end")]
    headings = [*asked, *map(column_of, questions)]
    asked += [question.id for question in questions]
    written = {question.id for question in questions if question.kind == "text"}
    rows: list[list[Any]] = [
        ["participant", "number", "condition", *(["wording"] if config.wordings else []),
         *(["language"] if languages else []), "state", "attention_passed", "tasks_finished",
         "task_order", "minutes", "seconds_in_tasks", "score",
         *(each[1:] for each in of_quiz), *headings]
    ]  # fmt: skip
    for person in people:
        own = [one for one in taken if one.participant.id == person.id and one.task >= 0]
        answers = store.answers(person.id)
        rows.append(
            [
                pseudonym(person),
                person.number,
                person.condition,
                *_wording_id(config, person),
                *([languages[person.id]] if languages else []),
                person.state,
                "" if person.attention_passed is None else int(person.attention_passed),
                sum(one.lived is not None for one in own),
                " ".join(map(str, person.task_order)),
                _minutes(person),
                round(sum(row.milliseconds for one in own for row in one.steps) / 1000, 3),
                _score(store, config, person),
                *(answers.get(each, "") for each in of_quiz),
                *(
                    _harmless(answers.get(name, "")) if name in written else answers.get(name, "")
                    for name in asked
                ),
            ]
        )
    return rows


def _wording_id(config: StudyConfig, person: Participant) -> list[str]:
    """In a list; nothing in it where the study has no wordings."""
    wording = config.wording(person.condition)
    return [wording.id if wording else ""] if config.wordings else []


def _minutes(person: Participant) -> float | str:
    """From consent to the end; "" before."""
    if person.finished_at is None:
        return ""
    begun, ended = map(datetime.fromisoformat, (person.consented_at, person.finished_at))
    return round((ended - begun).total_seconds() / 60, 2)


def _score(store: StudyStore, config: StudyConfig, person: Participant) -> float | str:
    """As in the pay list; "" before the end."""
    earned = reached(store, config, person) if person.state == "finished" else None
    return "" if earned is None else round(earned, 4)


def _harmless(text: str) -> str:
    """What people wrote, such that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _position(one: _Taken) -> int:
    """When a task was met, from 1; practice: 0, -1, ..."""
    return one.task + 1 if one.task < 0 else one.participant.task_order.index(one.task) + 1


def _met(config: StudyConfig, one: _Taken, language: str | None = None) -> Task:
    """The task as it was met."""
    who = one.participant
    return task_of(config, who.condition, who.number, one.task, language)


def _finished(store: StudyStore, config: StudyConfig, taken: Iterable[_Taken]) -> list[list[Any]]:
    questions = config.asked("task")
    answers: dict[int, dict[str, str]] = {}
    rows: list[list[Any]] = [
        ["participant", "condition", "task", "position", "seed", "episode_id", "goal",
         "seconds", "returns", "oracle_return", "random_return", *map(column_of, questions)]
    ]  # fmt: skip
    for one in taken:
        episode = one.lived
        if episode is None:
            continue
        person = one.participant.id
        if person not in answers:
            answers[person] = store.answers(person)
        rows.append(
            [
                pseudonym(one.participant),
                one.participant.condition,
                one.task,
                _position(one),
                one.scenario.seed,
                episode.index,
                _met(config, one).goal(),
                round(sum(row.milliseconds for row in one.steps) / 1000, 3),
                *(
                    round(float(value), 6)
                    for value in (episode.returns, episode.oracle_return, episode.random_return)
                ),
                *(
                    _harmless(answers[person].get(after_task(q.id, one.task), ""))
                    for q in questions
                ),
            ]
        )
    return rows


def _responses(
    store: StudyStore,
    config: StudyConfig,
    taken: Iterable[_Taken],
    languages: Mapping[int, str],
) -> list[list[Any]]:
    in_units = any(v.unit for wording in config.wordings for v in wording.variables)
    rows: list[list[Any]] = [
        ["participant", "condition", "task", "position", "task_finished", "step", "phase",
         "variable", "value", "shown_variable", "shown_value",
         *(["shown_unit"] if in_units else []), "milliseconds", "answered_at",
         *(["time"] if config.timed else [])]
    ]  # fmt: skip
    marks: dict[int, dict[str, str]] = {}
    for one in taken:
        person = one.participant
        met = _met(config, one, languages.get(person.id))
        done = [(row.target, row.value) for row in one.steps]
        if config.timed and person.id not in marks:
            marks[person.id] = store.answers(person.id)
        for row in one.steps:
            acted = row.target >= 0
            rows.append(
                [
                    pseudonym(one.participant),
                    one.participant.condition,
                    one.task,
                    _position(one),
                    int(one.lived is not None),
                    row.step,
                    PHASES[met.phase(done, row.step)],
                    met.spec.variables[row.target] if acted else "",
                    row.value if acted else "",
                    met.naming.words[row.target] if acted else "",
                    met.naming.shown_value(row.target, row.value) if acted else "",
                    *([met.units[row.target] if acted and met.units else ""] if in_units else []),
                    row.milliseconds,
                    row.answered_at,
                    *(
                        [marks[person.id].get(time_id(one.task, row.step), "in time")]
                        if config.timed
                        else []
                    ),
                ]
            )
    return rows


def _pages(store: StudyStore, people: Iterable[Participant]) -> list[list[Any]]:
    rows: list[list[Any]] = [["participant", "page", "milliseconds", "away_milliseconds"]]
    for person in people:
        rows += [[pseudonym(person), *vars(row).values()] for row in store.pages(person.id)]
    return rows


def _csv(rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
