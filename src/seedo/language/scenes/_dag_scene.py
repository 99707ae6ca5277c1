"""World `dag` in words."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from seedo.episodes import EpisodeBatch, Origin
from seedo.language.scenes._arrows import arrows_question
from seedo.language.scenes._conditions import Conditions
from seedo.language.scenes._dag_words import say_action, say_goal, say_results, say_variables
from seedo.language.scenes._familiar import familiar
from seedo.language.scenes._names import Names, letters, nonsense
from seedo.language.scenes._reply import Malformed, read_number, say_number
from seedo.language.scenes._scene import Message, Question, Scene, Tool
from seedo.play import Actor, Live, live_batch
from seedo.worlds import EXPLOIT, EXPLORE, OBSERVE, World

_DO = re.compile(r"do ([^\s=]{1,40}) ?= ?(\S{1,40})", re.IGNORECASE)


class Do(NamedTuple):
    """do(target = value) on the system's own scale; target -1: only observe."""

    target: int
    value: float


class DagScene(Scene):
    """One episode of a world of structural causal models; the return is E[goal | do].

    `task`: see `play.Live`.

    Raises:
        UserError: names of this kind cannot be given to this world's variables.
    """

    world_name = "dag"

    def __init__(
        self,
        world: World,
        seed: int,
        stream: str,
        index: int,
        conditions: Conditions | None = None,
        opening: Sequence[Message] = (),
        task: Any = None,
    ) -> None:
        self.world, self.episode = world, Live(world, seed, stream, index, task)
        conditions = conditions or Conditions()
        self.names = name_variables(self.episode, conditions.names, seed, stream)
        super().__init__(conditions, opening)

    # -- saying -----------------------------------------------------------------------------------

    def instructions(self) -> str:
        return dag_instructions(self.world, self.conditions)

    def begin(self) -> str:
        said = say_variables(self.names, np.asarray(self.episode.task.relevant))
        while not self.finished and self.episode.phase == OBSERVE:
            said.append(self.results(self.episode.act(-1).outcome))
        return "\n".join([*said, *self._goal()])

    def results(self, outcome: np.ndarray) -> str:
        """The values of all variables as they are said: "dax=0.3 wug=-1.2"."""
        return say_results(self.names, outcome, self.conditions.decimals)

    def write(self, action: Do) -> str:
        return say_action(self.names, action.target, action.value, self.conditions.decimals)

    def _goal(self) -> list[str]:
        """What to raise, in the exploit phase."""
        if self.finished or self.episode.phase != EXPLOIT:
            return []
        return [say_goal(self.names, self.goal)]

    def questions(self) -> list[Question]:
        return [arrows_question(self.episode, self.names)] if self.conditions.structure else []

    # -- reading ----------------------------------------------------------------------------------

    def read(self, line: str) -> Do | Malformed:
        if line.casefold() == "observe":
            return self.intervention(None, 0.0)
        match = _DO.fullmatch(line)
        if match is None:
            return Malformed("not-an-action", f"Write {self._example()} and nothing else.")
        value = read_number(match[2])
        if value is None:
            return Malformed("unknown-value", f"Give one of {self._values()}.")
        return self.intervention(match[1], value)

    def intervention(self, name: str | None, value: float) -> Do | Malformed:
        """The action of setting a variable to a value as said; None: only observe."""
        if name is None:
            if self.exploiting:
                return Malformed("not-allowed", "Now set a variable so as to raise the goal.")
            return Do(-1, 0.0)
        target = self.names.index(name)
        if target is None:
            return Malformed("unknown-name", f"The variables are {' '.join(self.names.words)}.")
        actual = self.names.signs[target] * value
        near = [v for v in self.world.spec.do_values if abs(v - actual) < 1e-6]
        if not near:
            return Malformed("unknown-value", f"Variables can be set to {self._values()}.")
        if self.exploiting and target == self.goal:
            return Malformed("not-allowed", "The goal itself cannot be set.")
        if self.exploiting and not bool(self.episode.task.relevant[target]):
            return Malformed("not-allowed", "Set one of the relevant variables.")
        return Do(target, near[0])

    def _values(self) -> str:
        values = [say_number(v, self.conditions.decimals) for v in self.world.spec.do_values]
        return " or ".join(values)

    def _example(self) -> str:
        return f"do NAME={say_number(self.world.spec.do_values[-1], self.conditions.decimals)}"

    # -- acting -----------------------------------------------------------------------------------

    def act(self, action: Do) -> str:
        outcome = self.episode.act(action.target, action.value).outcome
        return "\n".join([self.results(outcome), *self._goal()])

    def let_pass(self) -> str:
        return self.act(Do(-1, 0.0))

    @property
    def exploiting(self) -> bool:
        return not self.finished and self.episode.phase == EXPLOIT

    @property
    def goal(self) -> int:
        """The goal variable; -1 while it is hidden."""
        return int(self.episode.observation.goal)

    def actor(self, player: Any) -> Callable[[], Do]:
        chooses = Actor(player, self.episode)
        return lambda: Do(*chooses.action())

    def tools(self) -> tuple[Tool, ...]:
        return (
            Tool(
                "set_variable",
                "Set one variable to a value and see what all variables do.",
                {
                    "variable": (str, "Name of the variable."),
                    "value": (float, f"The value: {self._values()}."),
                },
                lambda variable, value: self.intervention(variable, float(value)),
                acts=True,
            ),
            Tool(
                "observe",
                "Touch nothing and see what all variables do.",
                {},
                lambda: self.intervention(None, 0.0),
                acts=True,
            ),
        )

    @classmethod
    def log(cls, origin: Origin, scenes: Sequence[Any], systems: bool = False) -> EpisodeBatch:
        return live_batch(origin, [scene.episode for scene in scenes], systems)


def name_variables(episode: Live, kind: str, seed: int, stream: str) -> Names:
    """Names of an episode's variables; drawn from the episode, never from who plays."""
    spec = episode.world.spec
    if kind == "letters":
        return letters(spec.variables)
    rng = np.random.default_rng([seed, zlib.crc32(stream.encode()), episode.index])
    if kind == "nonsense":
        return nonsense(spec.n, rng)
    return familiar(episode, kind, rng)


def dag_instructions(world: World, conditions: Conditions) -> str:
    """The rules of the world under these conditions."""
    spec, decimals = world.spec, conditions.decimals
    values = " or ".join(say_number(v, decimals) for v in spec.do_values)
    example = say_number(spec.do_values[-1], decimals)
    experiments = sum(p == EXPLORE for p in spec.phases)
    exploits = sum(p == EXPLOIT for p in spec.phases)
    often = f", {exploits} times" if exploits > 1 else ""
    said = [
        f"You study a system of {spec.n} variables. Some of them influence others: a variable that "
        "has causes is a weighted sum of them plus noise; influence never runs in a circle. Names "
        "may or may not tell anything.",
        f"First you make {experiments} experiments. In each you set one variable to {values}; "
        "this cuts it off from its causes, and you see the values that all variables then take, "
        f"rounded to {decimals} decimal{'' if decimals == 1 else 's'}."
        if experiments
        else "You make no experiments.",
        f"Then a goal variable is named{often}. Set one other variable so that the goal becomes as "
        "large as can be expected. Only this is scored.",
    ]
    if conditions.instruction == "strategy":
        said.append(
            "What varies together need not be cause and effect: only setting a variable shows what "
            "it causes. Test every variable before you are told the goal, and judge size and "
            "direction of each effect on the goal, through other variables too."
        )
    if conditions.tools == "none":
        form = f"do NAME={example}"
        said.append(
            f"Think step by step, then end with one line that is only the action: {form}"
            if conditions.reasoning
            else f"Reply with one line and nothing else: {form}"
        )
        said.append("Reply with the line observe to set nothing in an experiment.")
    else:
        said.append(
            "Think step by step, then call a tool to act."
            if conditions.reasoning
            else "Act by calling a tool, without further words."
        )
    return "\n".join(said)
