"""World `blicket` as a task: objects on a machine, then a question about each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.lab._naming import Naming
from seedo.lab._scenario import Scenario
from seedo.lab.study._task import NOTHING, Action, Task
from seedo.worlds import EXPLOIT
from seedo.worlds.blicket import bit_set, lit


@dataclass(frozen=True, kw_only=True)
class Machine(Task):
    """A blicket machine; what is named last is the machine itself.

    An action moves an object (1: onto the machine, 0: off), or answers the question about one (1:
    it is a blicket, 0: it is none).

    Attributes:
        bright: [2^n], whether the machine lights up, by the set of objects on it (bit i: object i).
        flips: [S], steps whose light shows the opposite.
        blickets: [n].
        on: [n], the objects on the machine at first.
    """

    bright: NDArray[np.bool_]
    flips: NDArray[np.bool_]
    blickets: NDArray[np.bool_]
    on: NDArray[np.bool_]
    shape = "machine"
    names = ("letters", "nonsense")
    rival = "scripted:one-at-a-time"
    chance = "about a half"

    @classmethod
    def of(cls, scenario: Scenario) -> Machine:
        episode = scenario.begin()
        task = episode.task
        every = jnp.arange(2 ** len(task.blickets))
        return Machine(
            spec=episode.world.spec,
            naming=Naming.of(scenario, episode),
            bright=np.asarray(lit(task.conjunctive, bit_set(task.blickets), every)),
            flips=np.asarray(task.flips),
            blickets=np.asarray(task.blickets),
            on=np.asarray(episode.observation.outcome[:-1]) == 1,
        )

    @property
    def objects(self) -> int:
        """How many there are."""
        return len(self.blickets)

    def values(self) -> list[list[float]]:
        return [[0.0, 1.0]] * self.objects

    def read(self, step: int, target: int, shown: float) -> Action:
        asked = self._asked(step)
        if target < 0:
            if asked is not None:
                raise UserError("target", target, "answer the question now")
            return NOTHING
        if target >= self.objects:
            raise UserError("target", target, f"use an object from 0 to {self.objects - 1}")
        if asked is not None and target != asked:
            raise UserError("target", target, "answer about the object that is asked about")
        if shown not in (0.0, 1.0):
            raise UserError("value", shown, "use 0 or 1")
        return target, float(shown)

    def goal(self) -> str:
        return ""

    def returns(self, done: Sequence[Action]) -> float:
        return float(np.mean(self._right(done)))

    @property
    def best(self) -> float:
        return 1.0

    def seen(self, done: Sequence[Action]) -> dict[str, Any]:
        rows = self._rows(done)
        now = rows[-1]["on"] if rows else self.on.tolist()
        light = rows[-1]["light"] if rows else None
        return {"goal": self._asked(len(done)), "on": now, "light": light, "rows": rows}

    def came(self, done: Sequence[Action]) -> dict[str, Any]:
        right = self._right(done)
        return {"right": right, "returns": round(float(np.mean(right)), 4)}

    def scripted(self, lapses: float, rng: np.random.Generator) -> list[Action]:
        """Each object alone, in turn; a blicket is what lit the machine more often than not."""
        done: list[Action] = []
        on, score = self.on.copy(), np.zeros(self.objects)
        for step, phase in enumerate(self.spec.phases):
            guesses = rng.random() < lapses
            if phase == EXPLOIT:
                asked = step - self._toggles
                yes = rng.random() < 0.5 if guesses or not score[asked] else score[asked] > 0
                done.append((asked, float(yes)))
                continue
            here = int(rng.integers(self.objects)) if guesses else step // 2 % self.objects
            on[here] = not on[here]
            done.append((here, float(on[here])))
            if on.sum() == 1:  # alone on the machine
                alone = int(on.argmax())
                score[alone] += 1 if self._light(step, on) else -1
        return done

    @property
    def _toggles(self) -> int:
        return self.spec.steps - self.objects

    def _asked(self, step: int) -> int | None:
        """The object that a step's question is about; None: it is an experiment."""
        return step - self._toggles if step >= self._toggles else None

    def _light(self, step: int, on: NDArray[np.bool_]) -> bool:
        here = int((on << np.arange(self.objects)).sum())
        return bool(self.bright[here] ^ self.flips[step])

    def _rows(self, done: Sequence[Action]) -> list[dict[str, Any]]:
        """What was done in experiments so far, what was on the machine then, and its light."""
        on, rows = self.on.copy(), []
        for step, (target, value) in enumerate(done[: self._toggles]):
            if target >= 0:
                on[target] = value == 1
            rows.append({"target": target, "value": value, "on": on.tolist(),
                         "light": self._light(step, on)})  # fmt: skip
        return rows

    def _right(self, done: Sequence[Action]) -> list[bool]:
        """Whether each question was answered rightly; all choices are made."""
        answers = done[self._toggles :]
        return [
            target >= 0 and bool(self.blickets[number]) == (value == 1)
            for number, (target, value) in enumerate(answers)
        ]
