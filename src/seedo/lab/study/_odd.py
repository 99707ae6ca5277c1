"""World `rooms` as a task: walk about, change an object, take the odd one out."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seedo.errors import UserError
from seedo.lab._cast import player
from seedo.lab._naming import Naming
from seedo.lab._pictures import data_url
from seedo.lab._scenario import STREAM, Scenario
from seedo.lab.study._task import NOTHING, Action, Task
from seedo.play import Choice, LiveRooms, episodes
from seedo.worlds import EXPLOIT, EXPLORE, Spec
from seedo.worlds.rooms import action_number, action_setting

_KEPT = 512  # episodes in memory, each with what was seen in it
_OBJECTS = 4


@dataclass(frozen=True, kw_only=True)
class Odd(Task):
    """Odd-one-out rooms, seen as pictures; a choice is a step, and episodes may end early.

    An action is that of the log: variable 0 set to a direction, 0 (north) to 7 (north-west), or one
    of variables 1 to 3 (colour, texture, shape) set to 1: that of the object beside one is changed.
    While the verdict on a taken object lasts, steps do nothing.
    """

    scenario: Scenario
    shape = "rooms"
    names = ("letters",)
    rival = "scripted:last-rewarded"
    chance = "about a quarter"
    ends_early = True

    @classmethod
    def of(cls, scenario: Scenario) -> Odd:
        episode = scenario.begin()
        return Odd(spec=episode.world.spec, naming=Naming.of(scenario, episode), scenario=scenario)

    @classmethod
    def check(cls, label: str, scenario: Scenario) -> None:
        super().check(label, scenario)
        if scenario.config.cue:
            raise UserError(
                f"cue ({label})", True, "people are not told what decides: leave it out"
            )

    @classmethod
    def nameable(cls, spec: Spec) -> tuple[str, ...]:
        return ()

    def values(self) -> list[list[float]]:
        return []  # it is walked about in

    def read(self, step: int, target: int, shown: float) -> Action:
        if target < 0:
            return NOTHING
        if int(action_number(np.int32(target), np.float32(shown))) < 0:  # type: ignore[arg-type]
            raise UserError("target", target, "there is no such step")
        return target, float(shown)

    def over(self, done: Sequence[Action]) -> bool:
        return len(done) >= self.choices or _lived(self.scenario, tuple(done)).finished

    def phase(self, done: Sequence[Action], step: int) -> int:
        row = _lived(self.scenario, tuple(done)).rows[step]
        last = self.scenario.config.trials - 1
        return EXPLOIT if int(row.trial) == last else EXPLORE

    def goal(self) -> str:
        return ""

    def returns(self, done: Sequence[Action]) -> float:
        return _lived(self.scenario, tuple(done)).returns

    @property
    def best(self) -> float:
        return 1.0

    def seen(self, done: Sequence[Action]) -> dict[str, Any]:
        live = _lived(self.scenario, tuple(done))
        state, config = live.state, self.scenario.config
        taken = [r for r in live.rows if r.chosen >= 0 and int(r.trial) == int(state.trial)]
        return {
            "picture": data_url(np.asarray(live.observation.frame)),
            "goal": None,
            "rows": [],
            "trial": int(state.trial) + 1,
            "trials": config.trials,
            "exploiting": int(state.trial) == config.trials - 1,
            "left": int(state.left),
            "taken": bool(taken[-1].reward > 0) if taken else None,
            "changes": bool(live.symbolic.transforms),
            "changed": bool(state.changed >= 0),
        }

    def came(self, done: Sequence[Action]) -> dict[str, Any]:
        return {"returns": self.returns(done)}

    def scripted(self, lapses: float, rng: np.random.Generator) -> list[Action]:
        """As whoever takes what is most like the last odd one; or any object of the last room."""
        if rng.random() < lapses:
            return list(_guessed(self.scenario, int(rng.integers(_OBJECTS))))
        return list(_careful(self.scenario, self.rival))


_lives: OrderedDict[tuple[Scenario, tuple[Action, ...]], LiveRooms] = OrderedDict()
_turn = threading.Lock()


def _lived(scenario: Scenario, done: tuple[Action, ...]) -> LiveRooms:
    """The episode after these actions; from memory, as it was or as it was one step before."""
    with _turn:
        live = _lives.get((scenario, done))
        if live is None:
            before = _lives.get((scenario, done[:-1])) if done else None
            live = _begun(scenario) if before is None else before.copy()
            ahead = done[live.step :]
            if len(ahead) == 1 and not live.finished:
                live.act(*ahead[0])
            elif ahead and not live.finished:
                live.follow(ahead)
        _lives[scenario, done] = live
        _lives.move_to_end((scenario, done))
        while len(_lives) > _KEPT:
            _lives.popitem(last=False)
        return live


def _begun(scenario: Scenario) -> LiveRooms:
    return LiveRooms(scenario.stage(), scenario.seed, STREAM, scenario.index)


@functools.lru_cache(maxsize=4096)
def _careful(scenario: Scenario, name: str) -> tuple[Action, ...]:
    stage = scenario.stage()
    acting = player(name, scenario)
    batch = episodes(stage, acting, scenario.seed, STREAM, scenario.index, 1)
    return tuple(
        NOTHING if target < 0 else (int(target), float(value))
        for target, value in zip(batch.target[0], batch.value[0], strict=True)
    )


@functools.lru_cache(maxsize=4096)
def _guessed(scenario: Scenario, thing: int) -> tuple[Action, ...]:
    live, config = _begun(scenario), scenario.config
    if config.trials > 1:  # who does nothing is in the last room after that many steps
        live.follow([NOTHING] * (config.limit * (config.trials - 1)))
    while not live.finished:
        live.choose(Choice(thing))
    settings = (action_setting(row.action) for row in live.rows)
    return tuple((int(target), float(value)) for target, value in settings)
