"""Worlds that the lab knows only by the protocol: a plug-in's is shown as what it is."""

import time

import numpy as np
import pytest

from lab_client import visitor
from seedo import play, plugins, worlds
from seedo.lab import Scenario, decode, encode

LAMP = '''
import jax
import jax.numpy as jnp

from seedo.worlds import EXPLOIT, EXPLORE, Observation, References, Spec, World


class Lamp(World):
    """A switch that lights a lamp, or darkens it."""

    name = "lamp"

    def __init__(self, steps: int = 3) -> None:
        self._steps = steps
        phases = (EXPLORE,) * steps + (EXPLOIT,)
        self.spec = Spec(("switch", "lamp"), (-1.0, 1.0), phases)

    def config(self):
        return {"steps": self._steps}

    def sample(self, key):
        return jax.random.rademacher(key, (), jnp.float32)

    def reset(self, task, key):
        return jnp.int32(0), jnp.int32(-1), jnp.float32(0), jnp.full(2, jnp.nan)

    def observe(self, task, state):
        t, target, value, outcome = state
        phase = jnp.asarray(self.spec.phases)[jnp.minimum(t, self.spec.steps - 1)]
        goal = jnp.where(phase == EXPLOIT, 1, -1)
        left = self.spec.steps - t
        return Observation(phase, left, target, value, outcome, jnp.ones(2, bool), goal)

    def step(self, task, state, action, key):
        switch = jnp.where(action.target == 0, action.value, 0.0)
        lamp = jnp.where(action.target == 1, action.value, task * switch)
        after = (state[0] + 1, action.target, action.value, jnp.stack([switch, lamp]))
        return after, lamp, jnp.bool_(False)

    def references(self, task):
        return References(jnp.float32(1), jnp.float32(0))
'''


@pytest.fixture(scope="module")
def lamp(tmp_path_factory):
    """World `lamp`, as if its plug-in were installed."""
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "lamp_world.py").write_text(LAMP)
    about = folder / "lamp_world-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: lamp-world\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[seedo.worlds]\nlamp = lamp_world:Lamp\nbroken = gone:World\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        plugins.installed.cache_clear()
        yield worlds.make("lamp")
    plugins.installed.cache_clear()


@pytest.fixture(scope="module")
def logs(lamp, tmp_path_factory):
    folder = tmp_path_factory.mktemp("logs")
    play.perform(lamp, play.find_player("scripted:random", lamp), 12, 3, folder / "run")
    return folder


@pytest.fixture(scope="module")
def browser(logs, tmp_path_factory):
    return visitor(tmp_path_factory.mktemp("lab"), logs=(logs,))


def until(ask, over):
    for _ in range(600):
        found = ask()
        if over(found):
            return found
        time.sleep(0.1)
    raise AssertionError(found)


def test_it_can_be_watched(browser, lamp):
    scenario = Scenario.from_json({"world": "lamp", "config": {"steps": 2}, "index": 4})
    assert decode(encode(scenario)) == scenario
    page = browser.get("/watch?world=lamp")
    assert page.status_code == 200
    told = browser.get("/api/watch/setting", params={"s": encode(scenario)}).json()
    assert told["names"] == ["switch", "lamp"]
    asked = {"s": encode(scenario), "player": "scripted:random", "begin": False}
    answer = until(
        lambda: browser.post("/api/watch/frames", json=asked).json(),
        lambda found: found["state"] != "preparing",
    )
    shown = answer["shown"]
    world = scenario.stage()
    player = play.find_player("scripted:random", world)
    logged = play.episodes(world, player, 0, "perform", 4, 1)
    assert [f["target"] for f in shown["frames"][1:]] == logged.target[0].tolist()
    np.testing.assert_allclose([f["outcome"] for f in shown["frames"][1:]], logged.outcome[0])
    assert shown["returns"] == pytest.approx(logged.returns[0])
    assert (shown["oracle"], shown["random"]) == (1.0, 0.0)


def test_it_can_be_compared(browser):
    sent = {
        "scenario": encode(Scenario.from_json({"world": "lamp"})),
        "players": ["scripted:random"],
        "episodes": 64,
    }
    name = browser.post("/api/compare", json=sent).json()["id"]
    found = until(
        lambda: browser.get(f"/api/compare/{name}").json(),
        lambda found: found["state"] not in ("queued", "running"),
    )
    assert found["state"] == "done"
    (cell,) = found["cells"]
    assert cell["n"] == 64
    assert cell["oracle_return"]["value"] == 1.0
    assert cell["command"].startswith("seedo perform scripted:random --world lamp")


def test_no_setting_of_it_varies(browser):
    sent = {
        "scenario": encode(Scenario.from_json({"world": "lamp"})),
        "players": ["scripted:random"],
        "sweep": "steps",
        "values": [1],
    }
    assert browser.post("/api/compare", json=sent).json()["field"] == "sweep"


def test_a_person_plays_it_by_the_protocol_alone(browser):
    scenario = Scenario.from_json({"world": "lamp", "config": {"steps": 1}, "index": 2})
    game = "/api/play/" + browser.post("/api/play", json={"s": encode(scenario)}).json()["game"]
    offered = browser.get(game).json()["turn"]["lines"]
    labels = [option["label"] for line in offered for option in line["options"]]
    assert labels == ["switch −1", "switch +1", "lamp −1", "lamp +1", "Only look"]
    browser.post(f"{game}/steps", json={"step": 0, "target": 0, "value": 1.0})
    works = int(scenario.begin().task)
    state = browser.get(game).json()
    assert state["rows"] == [{"did": "switch +1", "cells": ["1", f"{works}".replace("-", "−")]}]
    browser.post(f"{game}/steps", json={"step": 1, "target": 0, "value": float(works)})
    end = browser.get(f"{game}/end").json()
    assert end["score"] == {"you": 1.0, "best": 1.0, "chance": 0.0}
    assert end["verdict"].startswith("You earned 1; whoever knows the system earns 1;")


def test_it_can_be_looked_back_on_and_watched_again(browser, logs):
    logs = browser.get("/api/look/logs").json()["logs"]
    (log,) = (each for each in logs if not each["shown"].startswith("my games"))
    assert (log["world"], log["rows"], log["why_not"]) == ("lamp", 12, "")
    told = browser.get("/api/look/episode", params={"log": "run", "at": "0.0"}).json()
    assert [step["target"] for step in told["steps"]].count(-1) < len(told["steps"])
    assert decode(told["again"]).index == 0
    hindsight = browser.get("/api/look/hindsight", params={"log": "run", "at": "0.0"}).json()
    assert hindsight["beliefs"] is None
    assert hindsight["why_not"]


def test_it_is_on_offer_in_build(browser):
    assert '<option value="lamp">' in browser.get("/build").text
    proposal = {"scenario": {"world": "lamp", "config": {"steps": 5}}}
    looked = browser.post("/api/build/look", json=proposal).json()
    assert looked["scenario"]["config"] == {"steps": 5}
    assert looked["sight"] is None
    wrong = {"scenario": {"world": "lamp", "config": {"colour": 5}}}
    assert browser.post("/api/build/look", json=wrong).json()["field"] == "colour"


def test_a_broken_plugin_is_named_and_harms_nobody_else(browser):
    answer = browser.post("/api/build/look", json={"scenario": {"world": "broken"}})
    assert (answer.status_code, answer.json()["field"]) == (422, "world")
    assert "lamp-world" in answer.json()["error"]
    for page in ("/build", "/watch", "/compare", "/look"):
        assert browser.get(page).status_code == 200


@pytest.mark.parametrize("name", ["os:path", "lamp_world:Lamp", "nothing"])
def test_no_link_names_a_module_to_import(browser, name):
    sent = {"scenario": {"world": name}}
    answer = browser.post("/api/build/look", json=sent)
    assert (answer.status_code, answer.json()["field"]) == (422, "world")
