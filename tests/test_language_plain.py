"""Worlds of others in words: told from their spec alone, or by a scene that they bring."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pytest

from seedo.errors import UserError
from seedo.language import Conditions, Scene, converse, environment_factory, open_scene
from seedo.language.runs import follow, forecast, record_speaker
from seedo.language.scenes import SCENES, Malformed, PlainScene, call_tool, scene_of, tools_of
from seedo.worlds import EXPLOIT, EXPLORE, Observation, Spec, World


class Tank(NamedTuple):
    step: int
    target: int
    value: float
    outcome: np.ndarray


class Taps(World):
    """Three taps, each of which fills the tank (the last variable) by a weight of its own."""

    name = "taps"
    host = True
    noisy = False

    def __init__(self, goals: bool = True, most: float = 9.0) -> None:
        self.goals, self.most = goals, most
        self.spec = Spec(("tap1", "tap2", "tank"), (0.0, 4.0), (EXPLORE,) * 3 + (EXPLOIT,))

    def config(self) -> dict[str, Any]:
        return {"goals": self.goals, "most": self.most}

    def sample(self, key: np.random.Generator) -> np.ndarray:
        return key.permutation([0.5, -0.25])

    def reset(self, task: np.ndarray, key: np.random.Generator) -> Tank:
        return Tank(0, -1, 0.0, np.full(3, np.nan, np.float32))

    def observe(self, task: np.ndarray, state: Tank) -> Observation:
        step = min(state.step, self.spec.steps - 1)
        scored = self.goals and self.spec.phases[step] == EXPLOIT
        return Observation(
            self.spec.phases[step], self.spec.steps - step, state.target, state.value,
            state.outcome, np.ones(3, bool), 2 if scored else -1,
        )  # fmt: skip

    def step(self, task: np.ndarray, state: Tank, action: Any, key: Any) -> tuple[Any, float, bool]:
        taps = np.zeros(3, np.float32)
        if action.target >= 0:
            taps[action.target] = action.value
        taps[2] = taps[:2] @ task if action.target != 2 else action.value
        after = Tank(state.step + 1, int(action.target), float(action.value), taps)
        return after, float(taps[2]), after.step == self.spec.steps

    def legal(self, task: Any, state: Any, action: Any) -> bool:
        return action.target < 2 and action.value <= self.most


class Follower:
    name = "follower"

    def replies(self, conversations):
        return [follow(messages) for messages in conversations]


def opened(world: Any = None, **conditions: Any) -> Any:
    return open_scene(world or Taps(), 0, "perform", 3, Conditions(names="letters", **conditions))


def test_a_world_with_no_scene_is_told_from_its_spec():
    scene = opened()
    assert type(scene) is PlainScene
    rules, first = (message["content"] for message in scene.messages())
    assert "3 variables" in rules
    assert "0.0 or 4.0" in rules
    assert first.split("\n")[0].split()[1:] == list(scene.world.spec.variables)


def test_what_is_set_happens_in_the_world():
    scene = opened()
    assert scene.reply("do tap1=4.0") is None
    weight = scene.episode.task[0]
    said = scene.messages()[-1]["content"].split("\n")
    assert said[0].endswith(f"tank={4 * weight:.1f}")
    assert scene.step == 1


@pytest.mark.parametrize("line", ["do tap3=4.0", "do tap1=1.0", "do tank=4.0", "tap1", ""])
def test_what_the_world_does_not_have_is_refused(line):
    scene = opened()
    assert isinstance(scene.reply(line), Malformed)
    assert scene.step == 0


def test_the_follower_finds_the_right_tap_and_its_run_is_a_log(tmp_path):
    world = Taps()
    data = record_speaker(world, Follower(), 8, 0, tmp_path / "run").read()
    best = np.where(data.returns > 1.9, 1, 0)
    assert data.origin.world == "taps"
    assert best.all()
    np.testing.assert_array_equal(data.goal[:, -1], 2)
    again = [open_scene(world, 0, "perform", i) for i in range(8)]
    converse(again, Follower())
    np.testing.assert_allclose([scene.returns for scene in again], data.returns, atol=1e-6)


def test_without_a_goal_actions_are_scored_and_may_be_none():
    scene = opened(Taps(goals=False))
    for line in ("observe", "do tap1=4.0", "do tap2=0.0", "observe"):
        assert scene.reply(line) is None
    assert scene.finished
    assert scene.returns == 0
    assert math.isnan(scene.oracle_return)


def test_its_tools_are_those_of_its_variables():
    scene = opened(tools="analysis")
    tools = tools_of(scene)
    assert set(tools) == {"set_variable", "observe", "calculator", "regression"}
    action = call_tool(tools, "set_variable", {"variable": "tap2", "value": 4})
    assert scene.take(action) is None
    environment = environment_factory(Taps(), Conditions(names="letters", tools="actions"))()
    environment.reset(index=3)
    for tap in ("tap1", "tap2", "tap1", "tap1" if scene.episode.task[0] > 0 else "tap2"):
        environment.set_variable(tap, 4.0)
    assert environment.get_reward() == pytest.approx(2.0), "the return: nobody knows the best"


def test_a_forecast_needs_no_expert():
    assert forecast(Taps(), 0, Conditions()).tokens_in > 0


@pytest.mark.parametrize("conditions", [{"names": "familiar"}, {"structure": True}])
def test_what_cannot_be_told_of_it_is_refused(conditions):
    with pytest.raises(UserError):
        open_scene(Taps(), 0, "perform", 0, Conditions(**conditions))


class Tale(PlainScene):
    """A scene that a plug-in brings."""

    def instructions(self) -> str:
        return "There are two taps and a tank."


def test_a_plug_in_brings_a_scene_of_its_own(monkeypatch):
    monkeypatch.setitem(SCENES.own, "taps", f"{__name__}:Tale")
    assert scene_of(Taps()) is Tale
    assert opened().messages()[0]["content"] == "There are two taps and a tank."
    monkeypatch.setitem(SCENES.own, "taps", "math:pi")
    with pytest.raises(UserError, match="Scene"):
        scene_of(Taps())
    assert issubclass(Tale, Scene)
