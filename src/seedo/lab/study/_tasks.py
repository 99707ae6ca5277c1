"""A task as it is put before a participant: all that can follow is known when it begins."""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.lab._naming import Naming
from seedo.lab._scenario import Scenario
from seedo.lab.study._config import StudyConfig
from seedo.lab.study._wording import Wording
from seedo.play import OutcomeTable, outcome_table
from seedo.worlds import EXPLOIT, OBSERVE, Spec

_KEPT = 4096  # tasks in memory, a few kilobytes each
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Task:
    """One hidden system with everything that could happen in its episode.

    Attributes:
        spec: of the world.
        naming: what variables are called, and the signs of what is shown.
        table: what follows every action at every step.
        goals: [S], the goal variable at exploit steps, -1 elsewhere.
        relevant: [n].
        units: [n], shown beside values; "": none.
        images: [n], the id of each variable's picture; "": none.
    """

    spec: Spec
    naming: Naming
    table: OutcomeTable
    goals: NDArray[np.int32]
    relevant: NDArray[np.bool_]
    units: tuple[str, ...] = ()
    images: tuple[str, ...] = ()

    nothing = (-1, 0.0)
    """The choice of who makes none."""

    @property
    def first(self) -> int:
        """Number of the first step that is the participant's."""
        return sum(phase == OBSERVE for phase in self.spec.phases)

    @property
    def choices(self) -> int:
        """How many steps are the participant's."""
        return self.spec.steps - self.first

    def read(self, step: int, target: int, shown: float) -> tuple[int, float]:
        """The action a participant means, on the system's own scale.

        Raises:
            UserError: it cannot be done at this step.
        """
        if target >= self.spec.n:
            raise UserError("target", target, f"use a variable from 0 to {self.spec.n - 1}")
        exploiting = self.spec.phases[step] == EXPLOIT
        if target < 0:
            if exploiting:
                raise UserError("target", target, "set a variable now")
            return -1, 0.0
        if exploiting and target == self.goals[step]:
            raise UserError("target", target, "the goal itself cannot be set")
        if exploiting and not self.relevant[target]:
            raise UserError("target", target, "set one of the variables that matter")
        actual = self.naming.shown_value(target, shown)
        for value in self.spec.do_values:
            if abs(value - actual) < 1e-6:
                return target, float(value)
        raise UserError("value", shown, "use one of the values on offer")

    def outcome(self, step: int, target: int, value: float) -> list[float | None]:
        """What followed an action, as people see it."""
        return self.naming.shown(self.table.outcome[step, self._action(target, value)])

    def returns(self, done: Sequence[tuple[int, float]]) -> float:
        """Mean expected value of the goals over the exploit steps of all the choices made."""
        steps = range(self.first, self.spec.steps)
        worth = [
            self.table.worth[step, self._action(*action)]
            for step, action in zip(steps, done, strict=True)
            if self.spec.phases[step] == EXPLOIT
        ]
        return float(np.mean(worth))

    @property
    def best(self) -> float:
        """The most that `returns` can be: what a player who knows the system gets."""
        most = []
        for step, phase in enumerate(self.spec.phases):
            if phase == EXPLOIT:
                allowed = [
                    self.table.worth[step, self._action(target, value)]
                    for target in range(self.spec.n)
                    for value in self.spec.do_values
                    if target != self.goals[step] and self.relevant[target]
                ]
                most.append(max(allowed))
        return float(np.mean(most))

    def values(self) -> list[list[float]]:
        """What each variable can be set to, as people see it, ascending."""
        return [
            sorted(self.naming.shown_value(i, v) for v in self.spec.do_values)
            for i in range(self.spec.n)
        ]

    def view(self, done: Sequence[tuple[int, float]]) -> dict[str, Any]:
        """Everything that somebody who has made these choices may see; there is a next step."""
        step = self.first + len(done)
        actions = [*((-1, 0.0) for _ in range(self.first)), *done]
        phases = self.spec.phases
        return {
            "names": list(self.naming.words),
            **self.beside(),
            "values": self.values(),
            "relevant": None if self.relevant.all() else self.relevant.tolist(),
            "step": step,
            "exploiting": phases[step] == EXPLOIT,
            "left": sum(phase == phases[step] for phase in phases[step:]),
            "goal": int(self.goals[step]) if phases[step] == EXPLOIT else None,
            "rows": [self._row(i, *action) for i, action in enumerate(actions)],
        }

    def beside(self) -> dict[str, Any]:
        """What is shown beside the names, if there is anything."""
        named = {"units": list(self.units), "images": list(self.images)}
        return {key: each for key, each in named.items() if any(each)}

    def _row(self, step: int, target: int, value: float) -> dict[str, Any]:
        return {
            "target": target,
            "value": self.naming.shown_value(target, value) if target >= 0 else None,
            "outcome": self.outcome(step, target, value),
        }

    def _action(self, target: int, value: float) -> int:
        """Where an action stands in the table."""
        if target < 0:
            return 0
        values = self.spec.do_values
        return 1 + target * len(values) + values.index(value)


def task_of(
    config: StudyConfig, condition: str, number: int, task: int, language: str | None = None
) -> Task:
    """A task as a participant (numbered from 1) of a condition meets it, in a language."""
    met = prepare(config.scenario(condition, number, task))
    wording = config.wording(condition, language)
    naming = own_naming(wording)
    if wording is None or naming is None:
        return met
    units = tuple(v.unit for v in wording.variables)
    images = tuple(config.image(v.image).id if v.image else "" for v in wording.variables)
    return replace(met, naming=naming, units=units, images=images)


def own_naming(wording: Wording | None) -> Naming | None:
    """What a wording calls the variables; None: nothing. No sign is turned."""
    if wording is None or not wording.variables:
        return None
    return Naming(tuple(v.name for v in wording.variables), (1,) * len(wording.variables))


def prepare(scenario: Scenario) -> Task:
    """The task of a scenario of world `dag`; from memory if it was asked for before."""
    with _ONE_AT_A_TIME:  # the first one of a world compiles, which others wait for
        return _prepare(scenario)


@functools.lru_cache(maxsize=_KEPT)
def _prepare(scenario: Scenario) -> Task:
    episode = scenario.begin()
    return Task(
        episode.world.spec,
        Naming.of(scenario, episode),
        outcome_table(episode),
        np.asarray(episode.task.goal),
        np.asarray(episode.task.relevant),
    )
