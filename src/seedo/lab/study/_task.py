"""A task as it is put before a participant, whatever its world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from seedo.errors import UserError
from seedo.lab._naming import Naming
from seedo.lab._scenario import Scenario
from seedo.worlds import EXPLOIT, OBSERVE, Spec

MOST_STEPS = 600
"""Of a task: each is answered by the lab."""

Action = tuple[int, float]
"""Target and value, on the system's own scale; target -1: nothing is set."""

NOTHING: Action = (-1, 0.0)


@dataclass(frozen=True, kw_only=True)
class Task:
    """One hidden system and what can be known of it; what has been done is told each time.

    Attributes:
        spec: of the world.
        naming: what variables are called, and the signs of what is shown.
        units: [n], shown beside values; "": none.
        images: [n], the id of each variable's picture; "": none.
        shape: how a page shows it.
        names: what factor `names` may be.
        rival: who plays the same systems, as on the command line.
        chance: the score of who guesses, in words.
        ends_early: whether choices may decide that the task is over.
    """

    spec: Spec
    naming: Naming
    units: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    shape: ClassVar[str]
    names: ClassVar[tuple[str, ...]]
    rival: ClassVar[str]
    chance: ClassVar[str] = "about 0"
    ends_early: ClassVar[bool] = False

    @classmethod
    def of(cls, scenario: Scenario) -> Task:
        """The task of a scenario of its world."""
        raise NotImplementedError

    @classmethod
    def check(cls, label: str, scenario: Scenario) -> None:
        """Raises UserError for what cannot be shown in a condition of this label."""
        one_of_names(label, scenario.names, cls.names)

    @classmethod
    def nameable(cls, spec: Spec) -> tuple[str, ...]:
        """The variables that a wording gives names to, as the world calls them."""
        return spec.variables

    @classmethod
    def agent(cls, scenario: Scenario) -> list[str]:
        """The words of a command by which an agent meets these systems, up to how many."""
        world = scenario.stage()
        asked = world.config()
        words = ["seedo", "perform", cls.rival, "--world", world.name, "--split", world.split]
        words += ["--preset", str(asked["preset"])] if asked.get("preset") else []
        return words + settings(world.own_settings(asked))

    @property
    def first(self) -> int:
        """Number of the first step that is the participant's."""
        return sum(phase == OBSERVE for phase in self.spec.phases)

    @property
    def choices(self) -> int:
        """How many steps are the participant's, at most."""
        return choices_of(self.spec)

    def over(self, done: Sequence[Action]) -> bool:
        """Whether nothing is left to choose after these choices."""
        return len(done) >= self.choices

    def phase(self, done: Sequence[Action], step: int) -> int:
        """What a step was for, after these choices: EXPLORE or EXPLOIT."""
        return self.spec.phases[step]

    def goal(self) -> str:
        """The variable that is to become large at the end, as the world calls it; "": none."""
        raise NotImplementedError

    def values(self) -> list[list[float]]:
        """What can be set to what, as people see it, ascending; by variable, from the first."""
        raise NotImplementedError

    def read(self, step: int, target: int, shown: float) -> Action:
        """The action a participant means.

        Raises:
            UserError: it cannot be done at this step.
        """
        raise NotImplementedError

    def returns(self, done: Sequence[Action]) -> float:
        """What all the choices made earn."""
        raise NotImplementedError

    @property
    def best(self) -> float:
        """The most that `returns` can be: what a player who knows the system gets."""
        raise NotImplementedError

    def seen(self, done: Sequence[Action]) -> dict[str, Any]:
        """What somebody who has made these choices may see of the system."""
        raise NotImplementedError

    def came(self, done: Sequence[Action]) -> dict[str, Any]:
        """What somebody is told when all choices are made."""
        raise NotImplementedError

    def scripted(self, lapses: float, rng: np.random.Generator) -> list[Action]:
        """The choices of somebody careful, each replaced by a guess with probability `lapses`."""
        raise NotImplementedError

    def view(self, done: Sequence[Action]) -> dict[str, Any]:
        """Everything that somebody who has made these choices may see; there is a next step."""
        step = self.first + len(done)
        phases = self.spec.phases
        return {
            "shape": self.shape,
            **self.called(),
            "values": self.values(),
            "step": step,
            "exploiting": phases[step] == EXPLOIT,
            "left": sum(phase == phases[step] for phase in phases[step:]),
            **self.seen(done),
        }

    def after(self, done: Sequence[Action]) -> dict[str, Any]:
        """What is told when the task is done."""
        return {"shape": self.shape, **self.called(), **self.came(done)}

    def called(self) -> dict[str, Any]:
        """Names, and what is shown beside them, if there is anything."""
        beside = {"units": list(self.units), "images": list(self.images)}
        return {"names": list(self.naming.words)} | {k: v for k, v in beside.items() if any(v)}


def choices_of(spec: Spec) -> int:
    """How many steps are a participant's: those of phase `observe` are nobody's choice."""
    return sum(phase != OBSERVE for phase in spec.phases)


def settings(own: dict[str, Any]) -> list[str]:
    """Settings of a world as words of a command."""
    words: list[str] = []
    for field, value in own.items():
        text = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        words += ["--set", f"{field}={text}"]
    return words


def one_of_names(label: str, names: str, allowed: tuple[str, ...]) -> None:
    """Raises UserError unless variables can be called so."""
    if names not in allowed:
        remedy = f"in this world use {' or '.join(allowed)}, or a [[wording]]"
        raise UserError(f"names ({label})", names, remedy)
