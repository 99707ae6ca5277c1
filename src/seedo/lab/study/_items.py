"""The things to do between instructions and end, and under which names their answers are stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from seedo.lab.study._config import StudyConfig
from seedo.lab.study._store import Participant

QUIZ = "@quiz-"
"""Begins the names of tries at the quiz; no question's id has such a sign."""


LANGUAGE = "@language"
"""The language that somebody's link asked for."""


class Item(NamedTuple):
    """One of the things to do between instructions and questions.

    Attributes:
        kind: `before` and `after` (questions before the tasks, after a task), `practice`, `check`
            or `task`.
        which: number of the task (practice: negative), or of the check from 0.
    """

    kind: str
    which: int


class Standing(NamedTuple):
    """A participant and what they have done.

    Attributes:
        done: by task, (target, value) of the choices made, in order.
        answers: by question and attention check.
        times: by task, when these choices were made.
    """

    participant: Participant
    done: dict[int, list[tuple[int, float]]]
    answers: dict[str, str]
    times: dict[int, list[str]]


def items(config: StudyConfig, order: tuple[int, ...]) -> list[Item]:
    """Practice, then the tasks in this order, with the attention checks spread among them.

    The questions of before come first, those after a task follow it.
    """
    listed = [Item("before", 0)] if config.asked("before") else []
    listed += [Item("practice", which) for which in range(-config.practice, 0)]
    for position, task in enumerate(order):
        for check in range(config.checks):
            if check * config.tasks // config.checks == position:
                listed.append(Item("check", check))
        listed.append(Item("task", task))
        if config.asked("task"):
            listed.append(Item("after", task))
    return listed


def check_id(check: int) -> str:
    """Under which it is stored whether an attention check was answered rightly."""
    return f"attention-{check + 1}"


def after_task(question: str, task: int) -> str:
    """Under which the answer to a question after a task is stored."""
    return f"{question}@{task}"


def asked_id(item: Item) -> str:
    """Stored once the questions of an item are answered, or left out."""
    return f"@{item.kind}-{item.which}"


def began_id(task: int) -> str:
    """Under which it is stored when a task was begun, in a study with limits of time."""
    return f"@began-{task}"


def time_id(task: int, step: int) -> str:
    """Stored where a choice was `late`, or `missed`: made by nobody before the time was over."""
    return f"@time-{task}-{step}"


def language_of(config: StudyConfig, condition: str, answers: Mapping[str, str]) -> str:
    """The language that somebody takes part in: their condition's, or their link's."""
    asked = answers.get(LANGUAGE, config.spoken.default)
    return config.language(condition) or asked


def tries(standing: Standing) -> int:
    """How often somebody has tried the quiz."""
    return sum(name.startswith(QUIZ) for name in standing.answers)


def understood(standing: Standing) -> bool:
    """Whether a try at the quiz was right."""
    return any(said == "right" for name, said in standing.answers.items() if name.startswith(QUIZ))
