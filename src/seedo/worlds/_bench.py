"""A world whose knobs are set all at once, run by run: recorded campaigns, simulators, devices."""

from __future__ import annotations

import json
import math
from typing import Any, ClassVar, NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.spaces import Goals, Space
from seedo.worlds._spec import EXPLOIT, EXPLORE, OBSERVE, Spec
from seedo.worlds._world import Action, Observation, World

Array = NDArray[np.float64]


class BenchState(NamedTuple):
    """What changes in an episode.

    Attributes:
        step: number of the next step.
        setting: f64[n], of the last step; NaN: left alone.
        outcome: f64[n], what followed; NaN: not read.
    """

    step: int
    setting: Array
    outcome: Array


class Bench(World):
    """A world in plain Python with a space of settings: some runs, then one setting to keep.

    A subclass says `name`, `config`, `sample` and `measured`; `seen` if rows are `watched`; `dear`
    where a run must not be lost if the job that logs it is killed, as one of a device. The
    reward, of the exploit step alone, is `worth` of the setting that is kept. Its `config` tells
    `aims`, the goals by name, so that logs can be read without it.

    Args:
        space: what can be set.
        readings: names of what is read in every run.
        goals: what runs are for; several need a `Goal.scale` each.
        runs: how many, before the setting to keep.
        watched: rows that are seen before the runs, nobody setting anything.

    Raises:
        UserError: names that clash, a goal that is no reading, too many or too few runs.
    """

    host: ClassVar[bool] = True
    no_strategies: ClassVar[str] = "settings of many knobs are no interventions on a causal graph"

    def __init__(
        self, space: Space, readings: tuple[str, ...], goals: Goals, runs: int, watched: int = 0
    ) -> None:
        for name in readings:
            if name in space.names or readings.count(name) > 1:
                raise UserError("readings", name, "give every variable a name of its own")
        for goal in goals.each:
            if goal.reading not in readings:
                raise UserError("goals", goal.reading, f"use readings: {', '.join(readings)}")
            if len(goals.each) > 1 and goal.scale is None:
                remedy = "give each of several goals a scale, a difference that counts alike"
                raise UserError(f"goals.{goal.reading}.scale", None, remedy)
        phases = (OBSERVE,) * watched + (EXPLORE,) * runs + (EXPLOIT,)
        self.spec = Spec((*space.names, *readings), (), phases, space=space, goals=goals)
        self.space, self.goals, self.readings = space, goals, readings

    def measured(self, task: Any, setting: Array, rng: np.random.Generator) -> Array:
        """What a run at a setting, float64[K], reads: float64[M], NaN where it gave nothing."""
        raise NotImplementedError

    def seen(self, task: Any, step: int, rng: np.random.Generator) -> Array:
        """A row in which nobody sets anything, float64[n], at this step: knobs and readings as they
        come. Worlds with `watched` rows say."""
        raise NotImplementedError

    def worth(self, task: Any, setting: Array, readings: Array) -> float:
        """What it is worth to keep a setting at which this, float64[M], was just read: the goals'
        value of it, unless the world knows better, as by the mean of replicates."""
        return float(self.goals.value(self.goals.read(readings[None], self.readings))[0])

    def described(self, played: Any) -> list[str]:
        """What the setting of each step is worth, so that a log tells how good the best was after
        each run: {"worth": [...]}, null where nothing was set or read."""
        found = []
        for i, (settings, outcomes) in enumerate(zip(played.setting, played.outcome, strict=True)):
            task = jax.tree.map(lambda part, i=i: part[i], played.task)
            pairs = zip(settings[:, : self.space.size], outcomes[:, self.space.size :], strict=True)
            worths = [
                self.worth(task, x, y) if np.isfinite(x).all() else math.nan for x, y in pairs
            ]
            told = [None if math.isnan(w) else float(f"{w:.9g}") for w in worths]
            found.append(json.dumps({"worth": told}))
        return found

    def reset(self, task: Any, key: Any) -> BenchState:
        nothing = np.full(self.spec.n, np.nan)
        return BenchState(0, nothing, nothing)

    def observe(self, task: Any, state: BenchState) -> Observation:
        t = min(state.step, self.spec.steps - 1)
        seen: dict[str, Any] = {
            "phase": np.int32(self.spec.phases[t]),
            "steps_left": np.int32(self.spec.steps - state.step),
            "target": np.int32(-1),
            "value": np.float32(0.0),
            "outcome": state.outcome,
            "relevant": np.ones(self.spec.n, bool),
            "goal": np.int32(self.spec.variables.index(self.goals.readings[0])),
            "setting": state.setting,
        }
        return Observation(**seen)

    def step(
        self, task: Any, state: BenchState, action: Action, key: Any
    ) -> tuple[BenchState, Any, Any]:
        knobs = self.set_by(action)
        read = None if knobs is None else self.measured(task, knobs, key)
        return self.followed(task, state, action, read, key)

    def set_by(self, action: Action) -> Array | None:
        """The setting, float64[K], at which an action has a run made; None: it has none made."""
        if action.setting is None or not np.isfinite(action.setting).any():
            return None
        return np.asarray(action.setting, np.float64)[: self.space.size]

    def followed(
        self, task: Any, state: BenchState, action: Action, read: Array | None, key: Any
    ) -> tuple[BenchState, Any, Any]:
        """A step, once it is known what its run read, float64[M]; None: no run was made."""
        exploits = self.spec.phases[state.step] == EXPLOIT
        setting, outcome = np.full(self.spec.n, np.nan), np.full(self.spec.n, np.nan)
        reward = 0.0
        knobs = self.set_by(action)
        if knobs is not None and read is not None:
            setting = np.asarray(action.setting, np.float64)
            got = np.asarray(read, np.float64)
            outcome = np.concatenate([knobs, got])
            reward = self.worth(task, knobs, got) if exploits else 0.0
        elif self.spec.phases[state.step] == OBSERVE:
            outcome = np.asarray(self.seen(task, state.step, key), np.float64)
        after = BenchState(state.step + 1, setting, outcome)
        return after, np.float32(reward), np.bool_(after.step == self.spec.steps)

    def recalled(self, task: Any, read: Array) -> None:
        """Is told what a run read, float64[M], that was made before the job was killed, in place of
        making it again; for worlds that keep count of their runs."""


class AddressedBench(Bench):
    """A bench that its name points at, as a table or a device: its configuration holds its settings
    and, beside them, what was found there."""

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**{field: config[field] for field in cls.settings_of() if field in config})

    @classmethod
    def own_settings(cls, config: dict[str, Any]) -> dict[str, Any]:
        usual = cls.settings_of()
        return {
            field: value
            for field, value in config.items()
            if field in usual and field != cls.named_by and usual[field] != value
        }
