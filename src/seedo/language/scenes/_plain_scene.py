"""Any world whose variables are set one at a time, in words made from its spec."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from seedo.episodes import EpisodeBatch, Origin
from seedo.errors import UserError
from seedo.language.scenes._analyses import Results, regress
from seedo.language.scenes._conditions import Conditions
from seedo.language.scenes._dag_words import (
    say_action,
    say_goal,
    say_results,
    say_value,
    say_variables,
)
from seedo.language.scenes._names import Names, letters, misspelt, nonsense, token_names
from seedo.language.scenes._prompts import said_values, say_turn, setting_rules
from seedo.language.scenes._scene import Message, Scene, Tool
from seedo.language.scenes.replies import (
    OBSERVING,
    Malformed,
    Phrase,
    read_number,
    setting_phrases,
)
from seedo.play import Actor, Live, live_batch
from seedo.worlds import EXPLOIT, OBSERVE, Action, Observation, World

GOAL_SLIPS = 0.25
"""Of slips while a goal is to be raised, the share that set the goal itself."""

_DO = re.compile(r"do ([^\s=]{1,40}) ?= ?(\S{1,40})", re.IGNORECASE)


class Do(NamedTuple):
    """do(target = value) on the system's own scale; target -1: only observe."""

    target: int
    value: float


class PlainScene(Scene):
    """One episode of a world whose observations are `seedo.worlds.Observation`.

    A world that wants other words brings a scene of its own, a subclass perhaps: see `SCENES`.
    `task`: see `play.Live`.

    Raises:
        UserError: other observations, or names of this kind cannot be given.
    """

    structured: ClassVar[bool] = False
    """Whether there are arrows to ask for."""

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
        if not isinstance(self.episode.observation, Observation):
            remedy = "its observations are its own: give it a scene (entry point seedo.scenes)"
            raise UserError("world", world.name, remedy)
        conditions = conditions or Conditions()
        if conditions.structure and not self.structured:
            raise UserError(
                "structure", True, f"world {world.name} has no causal structure to ask for"
            )
        rng = np.random.default_rng([seed, zlib.crc32(stream.encode()), index])
        self.names = self.named(conditions.names, rng)
        super().__init__(conditions, opening)

    def named(self, kind: str, rng: np.random.Generator) -> Names:
        """Names of the episode's variables; drawn from the episode, never from who plays."""
        if kind == "letters":
            return letters(self.called)
        if kind == "twelve":
            return token_names(len(self.called), rng)
        if kind != "nonsense":
            remedy = f"variables of world {self.world.name} have nonsense names or letters"
            raise UserError("names", kind, remedy)
        return nonsense(len(self.called), rng)

    @property
    def called(self) -> tuple[str, ...]:
        """The variables that have names."""
        return self.world.spec.variables

    # -- saying -----------------------------------------------------------------------------------

    def instructions(self) -> str:
        spec = self.world.spec
        exploits = sum(p == EXPLOIT for p in spec.phases)
        return setting_rules(
            self.world,
            self.conditions,
            f"You study a system of {spec.n} variables. Names may or may not tell anything.",
            "You see the values that all variables then take",
            f"Then {exploits} action{' is' if exploits == 1 else 's are'} scored, and nothing else "
            "is. Where a goal variable is named, set another one so that the goal becomes as large "
            "as can be expected.",
        )

    def begin(self) -> str:
        said = say_variables(self.names, self.relevant)
        while not self.finished and self.episode.phase == OBSERVE:
            said.append(self.results(self.episode.act(-1).outcome))
        return "\n".join([*said, *self._turn(), *self._goal()])

    @property
    def relevant(self) -> np.ndarray:
        """bool[n], which variables matter."""
        return np.asarray(self.episode.observation.relevant)

    def results(self, outcome: np.ndarray) -> str:
        """The values of all variables as they are said: "dax=0.3 wug=-1.2"."""
        return say_results(self.names, outcome, self.conditions.decimals)

    def write(self, action: Do) -> str:
        return say_action(self.names, action.target, action.value, self.conditions.decimals)

    def _turn(self) -> list[str]:
        """Which experiment or scored action is next."""
        if self.finished or self.episode.phase == OBSERVE or not self.conditions.turns:
            return []
        phases, step = self.world.spec.phases, self.step
        own = [i for i, phase in enumerate(phases) if phase == self.episode.phase]
        return [say_turn(self.exploiting, own.index(step) + 1, len(own))]

    def _goal(self) -> list[str]:
        """What to raise, in the exploit phase."""
        if not self.exploiting:
            return []
        return [say_goal(self.names, self.goal)] if self.goal >= 0 else ["This action is scored."]

    # -- reading ----------------------------------------------------------------------------------

    def read(self, line: str) -> Do | Malformed:
        if line.casefold() == "observe":
            return self.intervention(None, 0.0)
        match = _DO.fullmatch(line)
        if match is None:
            return Malformed("not-an-action", "Write do, a variable, = and a value.")
        value = read_number(match[2])
        if value is None:
            return Malformed("unknown-value", f"Give one of {self._values()}.")
        return self.intervention(match[1], value)

    def phrases(self) -> Sequence[Phrase]:
        return (*setting_phrases(self.names.words), OBSERVING)

    def intervention(self, name: str | None, value: float) -> Do | Malformed:
        """The action of setting a variable to a value as said; None: only observe."""
        if name is None:
            if self.exploiting and self.goal >= 0:
                return Malformed("not-allowed", "Now set a variable so as to raise the goal.")
            return Do(-1, 0.0)
        target = self.names.index(name)
        if target is None:
            return Malformed("unknown-name", f"The variables are {self.names.listed()}.")
        actual = self.names.signs[target] * value
        near = [v for v in self.world.spec.do_values if abs(v - actual) < 1e-6]
        if not near:
            return Malformed("unknown-value", f"Variables can be set to {self._values()}.")
        if self.exploiting and target == self.goal:
            others = self.names.listed(set(np.flatnonzero(self.relevant).tolist()) - {target})
            return Malformed("not-allowed", f"{name} is the goal itself: set one of {others}.")
        if self.exploiting and not self.relevant[target]:
            return Malformed("not-allowed", "Set one of the relevant variables.")
        action = Action(np.int32(target), np.float32(near[0]))
        if not bool(self.world.legal(self.episode.task, self.episode.state, action)):
            return Malformed("not-allowed", "This cannot be done now.")
        return Do(target, near[0])

    def _values(self) -> str:
        return said_values(self.world, self.conditions.decimals)

    def example(self) -> str:
        if self.finished:
            return ""
        drawn = self.drawn()
        values, possible = self.world.spec.do_values, []
        for target in drawn.permutation(np.sort(self.names.order)).tolist():  # whatever the names
            action = Do(target, values[drawn.integers(len(values))])
            possible += [action] if self._possible(action) else []
        return self.write(possible[self.refused % len(possible)]) if possible else ""

    def miswritten(self, said: str, action: Do, rng: np.random.Generator) -> str | None:
        """The variable's name misspelt throughout or, now and then, the goal itself set."""
        if action.target < 0:
            return None
        line, to_goal = self.write(action), rng.random() < GOAL_SLIPS
        if to_goal and self.exploiting and self.goal >= 0 and said.endswith(line):
            return said.removesuffix(line) + self.write(Do(self.goal, action.value))
        name = self.names.words[action.target]
        return re.sub(rf"\b{re.escape(name)}\b", misspelt(name, rng), said)

    # -- acting -----------------------------------------------------------------------------------

    def act(self, action: Do) -> str:
        outcome = self.episode.act(action.target, action.value).outcome
        return "\n".join([self.results(outcome), *self._turn(), *self._goal()])

    def let_pass(self) -> str:
        return self.act(Do(-1, 0.0))

    @property
    def exploiting(self) -> bool:
        return not self.finished and self.episode.phase == EXPLOIT

    @property
    def goal(self) -> int:
        """The goal variable; -1 while it is hidden."""
        return int(self.episode.observation.goal)

    def rehearsal(self) -> Callable[[], Do]:
        """Sets whatever can be set."""
        return lambda: next(filter(self._possible, self._settings()), Do(-1, 0.0))

    def _settings(self) -> Iterator[Do]:
        for target in np.flatnonzero(self.relevant).tolist():
            yield from (Do(target, value) for value in self.world.spec.do_values)

    def _possible(self, action: Do) -> bool:
        signed = self.names.signs[action.target] * action.value
        said = self.intervention(self.names.words[action.target], signed)
        return not isinstance(said, Malformed)

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

    def so_far(self) -> Results:
        """Every result, on the system's own scale."""
        seen = self.episode.seen[1:]
        outcome = np.array([np.asarray(o.outcome) for o in seen], np.float64)
        target = np.array([int(o.target) for o in seen], np.int64)
        return Results(outcome.reshape(-1, self.world.spec.n), target)

    def recap(self) -> str:
        outcome, target = self.so_far()
        said = ["All results again, by what was set:"]
        for which in (*self.names.order, -1):
            said += [self._result_of(which, row) for row in outcome[target == which]]
        return "\n".join(said) if len(said) > 1 else "Nothing was seen."

    def reminder(self) -> list[str]:
        return self._goal()

    def _result_of(self, target: int, outcome: np.ndarray) -> str:
        """A result with what was set in it: "dax at 2.0: dax=2.0 wug=-1.2"."""
        results = self.results(outcome)
        if target < 0:
            return f"nothing set: {results}"
        value = say_value(self.names, target, outcome[target], self.conditions.decimals)
        return f"{self.names.words[target]} at {value}: {results}"

    def regress(self, variable: str, on: str) -> str | Malformed:
        """A regression over results as they were said."""
        outcome, target = self.so_far()
        said = np.round(outcome * np.asarray(self.names.signs), self.conditions.decimals)
        return regress(self.names, Results(said, target), variable, on)

    def analyses(self) -> tuple[Tool, ...]:
        regression = Tool(
            "regression",
            "Least squares of one variable on others over all results so far, except those in "
            "which it was itself set.",
            {
                "variable": (str, "The variable to explain."),
                "on": (str, "The variables that explain it, separated by spaces."),
            },
            self.regress,
            acts=False,
        )
        return (*super().analyses(), regression)

    @classmethod
    def log(cls, origin: Origin, scenes: Sequence[Any], systems: bool = False) -> EpisodeBatch:
        return live_batch(origin, [scene.episode for scene in scenes], systems)
