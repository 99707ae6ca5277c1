"""What a person may choose at a step, and how a choice is read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import numpy as np

from seedo.errors import UserError
from seedo.lab._naming import Naming
from seedo.play import Live
from seedo.worlds import EXPLOIT, EXPLORE, OBSERVE, Action

MOST_VALUES = 8
"""Values of a variable that a person chooses among."""


class Option(NamedTuple):
    """One choice: the action as the person sees it, in words, e.g. "A at +2"."""

    target: int
    value: float
    label: str


class Line(NamedTuple):
    """Choices that belong together, e.g. all values of a variable."""

    name: str
    options: tuple[Option, ...]


class Turn(NamedTuple):
    """What a person is asked at a step.

    Attributes:
        title, task: what the step is for, and what to do.
        lines: all that may be chosen.
        picture: a data URL of what there is to see; "" for none.
    """

    title: str
    task: str
    lines: tuple[Line, ...]
    picture: str = ""

    @property
    def options(self) -> list[Option]:
        return [option for line in self.lines for option in line.options]

    def find(self, target: int, value: float) -> Option | None:
        """The option of an action as the person sees it; None: it is not offered."""
        return next(
            (o for o in self.options if o.target == target and abs(o.value - value) < 1e-6), None
        )

    def read(self, target: int, value: float) -> Option:
        """As `find`.

        Raises:
            UserError: it is not offered.
        """
        found = self.find(target, value)
        if found is None:
            offered = "; ".join(f"{o.target} at {o.value:g}: {o.label}" for o in self.options[:12])
            raise UserError("target", f"{target} at {value:g}", f"choose one of {offered}")
        return found

    def to_json(self) -> dict[str, Any]:
        lines = [
            {"name": line.name, "options": [option._asdict() for option in line.options]}
            for line in self.lines
        ]
        return {"title": self.title, "task": self.task, "lines": lines, "picture": self.picture}


def signed(value: float) -> str:
    """A value as people read it, e.g. "+2"."""
    return f"{value:+g}".replace("-", "−") if value else "0"


def place(phases: Sequence[int], step: int) -> tuple[int, int]:
    """A step's number within its phase, from 1, and how many there are."""
    same = [t for t, phase in enumerate(phases) if phase == phases[step]]
    return same.index(step) + 1, len(same)


def plain_turn(episode: Live, naming: Naming) -> Turn:
    """What any world offers that sets one variable to one of `do_values`, by the protocol: what is
    legal now, and only to look."""
    spec, words = episode.world.spec, naming.words
    now, among = place(spec.phases, episode.step)
    goal = int(episode.observation.goal)
    if episode.phase == EXPLOIT:
        title = f"Raise {words[goal]}" if goal >= 0 else f"This counts: {now} of {among}"
        task = "Now it counts: choose what earns most."
    else:
        title, task = f"Experiment {now} of {among}", "Choose a variable and a value."
    looked = (Line("only look", (Option(-1, 0.0, "Only look"),)),)
    if episode.phase == OBSERVE:
        return Turn(f"First, look: {now} of {among}", "See what happens by itself.", looked)
    lines = []
    for i, word in enumerate(words):
        options = [
            Option(i, shown, f"{word} {signed(shown)}")
            for value in sorted(spec.do_values, key=lambda v: naming.shown_value(i, v))
            if _legal_now(episode, i, value)
            for shown in (naming.shown_value(i, value),)
        ]
        if options:
            lines.append(Line(word, tuple(options)))
    return Turn(title, task, (*lines, *(looked if episode.phase == EXPLORE else ())))


def read_setting(
    episode: Live, naming: Naming, called: Sequence[str], target: int, value: float
) -> tuple[int, float]:
    """A setting of a variable as the person means it, in the system's units, for the next step of a
    game on a graph.

    Args:
        called: what a person can set, by name.

    Raises:
        UserError: it is not allowed there.
    """
    spec, phase = episode.world.spec, episode.phase
    if target >= spec.n:
        raise UserError("target", target, f"use a number from -1 to {spec.n - 1}")
    if target < 0:
        if phase == EXPLOIT:
            raise UserError("target", target, "set a variable: this is your try at the goal")
        return -1, 0.0
    if phase == OBSERVE:
        raise UserError("target", called[target], "first you only look: use target -1")
    if phase == EXPLOIT:
        seen = episode.observation
        if target == int(seen.goal):
            raise UserError("target", called[target], "the goal itself cannot be set")
        if not bool(seen.relevant[target]):
            raise UserError("target", called[target], "has no part in this: set another one")
    actual = naming.shown_value(target, value)
    near = [v for v in spec.do_values if abs(v - actual) < 1e-6]
    if not near:
        shown = ", ".join(f"{naming.shown_value(target, v):g}" for v in spec.do_values)
        raise UserError("value", value, f"use one of {shown}")
    return target, near[0]


def _legal_now(episode: Live, target: int, value: float) -> bool:
    world = episode.world
    legal = world.legal if world.host else partial(_legal, world)
    action = Action(np.int32(target), np.float32(value))
    return bool(legal(episode.task, episode.state, action))


@eqx.filter_jit
def _legal(world: Any, task: Any, state: Any, action: Action) -> Any:
    return world.legal(task, state, action)
