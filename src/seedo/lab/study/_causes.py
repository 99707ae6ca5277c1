"""World `dag` as a task: all that can follow is known when it begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.lab._naming import Naming
from seedo.lab._scenario import NAMES, Scenario
from seedo.lab.study._task import NOTHING, Action, Task, settings
from seedo.language.scenes import THEMES
from seedo.play import OutcomeTable, outcome_table
from seedo.worlds import EXPLOIT, configure


@dataclass(frozen=True, kw_only=True)
class Causes(Task):
    """A system of quantities.

    Attributes:
        table: what follows every action at every step.
        goals: [S], the goal variable at exploit steps, -1 elsewhere.
        relevant: [n].
    """

    table: OutcomeTable
    goals: NDArray[np.int32]
    relevant: NDArray[np.bool_]
    shape = "causes"
    names = NAMES
    rival = "scripted:largest-effect"

    @classmethod
    def of(cls, scenario: Scenario) -> Causes:
        episode = scenario.begin()
        return Causes(
            spec=episode.world.spec,
            naming=Naming.of(scenario, episode),
            table=outcome_table(episode),
            goals=np.asarray(episode.task.goal),
            relevant=np.asarray(episode.task.relevant),
        )

    @classmethod
    def check(cls, label: str, scenario: Scenario) -> None:
        super().check(label, scenario)
        if scenario.names not in ("familiar", "contrary"):
            return
        config, most = scenario.config, max(map(len, THEMES.values()))
        if config.n > most:
            remedy = f"such names exist for at most {most} variables"
            raise UserError(f"n ({label})", config.n, remedy)
        if {-v for v in config.do_values} != set(config.do_values):
            remedy = "such names need values symmetric about 0"
            raise UserError(f"do_values ({label})", list(config.do_values), remedy)

    @classmethod
    def agent(cls, scenario: Scenario) -> list[str]:
        asked = scenario.config.to_dict()
        usual = configure(asked["preset"], asked["split"], n=asked["n"]).to_dict()
        words = ["seedo", "perform", cls.rival, "--preset", asked["preset"]]
        words += ["--split", asked["split"], "--n", str(asked["n"])]
        return words + settings({k: v for k, v in asked.items() if usual.get(k) != v})

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
            return NOTHING
        if exploiting and target == self.goals[step]:
            raise UserError("target", target, "the goal itself cannot be set")
        if exploiting and not self.relevant[target]:
            raise UserError("target", target, "set one of the variables that matter")
        actual = self.naming.shown_value(target, shown)
        for value in self.spec.do_values:
            if abs(value - actual) < 1e-6:
                return target, float(value)
        raise UserError("value", shown, "use one of the values on offer")

    def goal(self) -> str:
        last = int(self.goals[-1])
        return self.spec.variables[last] if last >= 0 else ""

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

    def seen(self, done: Sequence[Action]) -> dict[str, Any]:
        step = self.first + len(done)
        actions = [*(NOTHING for _ in range(self.first)), *done]
        return {
            "relevant": None if self.relevant.all() else self.relevant.tolist(),
            "goal": int(self.goals[step]) if self.spec.phases[step] == EXPLOIT else None,
            "rows": [self._row(i, *action) for i, action in enumerate(actions)],
        }

    def came(self, done: Sequence[Action]) -> dict[str, Any]:
        last = self.spec.steps - 1
        return {
            "target": done[-1][0],
            "value": self.naming.shown_value(*done[-1]),
            "outcome": self.outcome(last, *done[-1]),
            "goal": int(self.goals[last]),
            "returns": round(self.returns(done), 4),
            "exploits": sum(int(goal >= 0) for goal in self.goals),
        }

    def scripted(self, lapses: float, rng: np.random.Generator) -> list[Action]:
        """Each variable in turn, then the largest effect."""
        done: list[Action] = []
        turns = rng.permutation(self.spec.n)
        for step in range(self.first, self.spec.steps):
            value = float(rng.choice(self.spec.do_values))
            if self.spec.phases[step] != EXPLOIT:
                careful = rng.random() >= lapses
                target = int(
                    turns[len(done) % len(turns)] if careful else rng.integers(self.spec.n)
                )
                done.append((target, value))
                continue
            goal = int(self.goals[step])
            legal = [t for t in range(self.spec.n) if t != goal and self.relevant[t]]
            slopes = {t: s for t, s in self._slopes(done, goal).items() if t in legal}
            if rng.random() < lapses or not slopes:
                done.append((int(rng.choice(legal)), value))
                continue
            best = max(slopes, key=lambda t: abs(slopes[t]))
            done.append((best, max(self.spec.do_values, key=lambda v: v * slopes[best])))
        return done

    def _slopes(self, done: Sequence[Action], goal: int) -> dict[int, float]:
        """By target, how much of what was set arrived at the goal, on average."""
        found: dict[int, list[float]] = {}
        for number, (target, value) in enumerate(done):
            shown = self.outcome(self.first + number, target, value)[goal]
            if target != goal and value and shown is not None:
                found.setdefault(target, []).append(shown * self.naming.signs[goal] / value)
        return {target: float(np.mean(each)) for target, each in found.items()}

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
