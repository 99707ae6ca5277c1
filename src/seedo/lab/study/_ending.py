"""How a participation ends: the code that is shown, and the score that is paid for."""

from __future__ import annotations

from collections.abc import Iterable

from seedo.lab.study._config import StudyConfig
from seedo.lab.study._store import Participant, StepRow
from seedo.lab.study._tasks import task_of


def failed(person: Participant) -> bool:
    """Whether the checks say that somebody did not take part in earnest."""
    return person.state == "screened" or person.attention_passed == 0


def end_code(config: StudyConfig, person: Participant) -> str:
    """The code that a participant is shown at the end; "": none."""
    recruit = config.recruit
    if recruit is None:
        return "" if person.state == "screened" else person.end_code
    if failed(person) and (recruit.failed or person.state == "screened"):
        return recruit.failed
    return recruit.passed or person.end_code


def score(config: StudyConfig, person: Participant, steps: Iterable[StepRow]) -> float | None:
    """What somebody has earned in the tasks they have finished, as a share of the best possible.

    The sum of the expected returns of their choices by the sum of the best choices': 1 for who
    knows the systems, about 0 for who guesses, below for who does harm. None: nothing to divide.
    """
    by_task: dict[int, list[tuple[int, float]]] = {}
    for row in steps:
        if row.task >= 0:
            by_task.setdefault(row.task, []).append((row.target, row.value))
    earned = possible = 0.0
    for number, done in by_task.items():
        task = task_of(config, person.condition, person.number, number)
        if task.over(done):
            earned += task.returns(done)
            possible += task.best
    return earned / possible if possible > 0 else None
