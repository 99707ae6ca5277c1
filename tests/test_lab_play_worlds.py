"""Games of people in worlds that have no graph: by the protocol, each in its own words."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from lab_client import visitor
from lab_server import running
from seedo import play
from seedo.lab import Scenario, encode
from seedo.lab._scenario import STREAM
from seedo.worlds.rooms import DIMENSIONS

ROOMS = Scenario.from_json({"world": "rooms", "config": {"experiments": 1}, "seed": 3})
BLICKETS = Scenario.from_json({"world": "blicket", "config": {"n": 3, "experiments": 4}, "seed": 2})


@pytest.fixture(scope="module")
def me(tmp_path_factory):
    return visitor(tmp_path_factory.mktemp("lab"))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with running(tmp_path_factory.mktemp("browser")) as address:
        yield address


class Game:
    """One game over HTTP."""

    def __init__(self, me, scenario):
        self.me = me
        name = me.post("/api/play", json={"s": encode(scenario)}).json()["game"]
        self.at = f"/api/play/{name}"
        self.state = me.get(self.at).json()

    def choose(self, target, value):
        body = {"step": self.state["step"], "target": target, "value": value}
        answer = self.me.post(f"{self.at}/steps", json=body)
        if answer.status_code == 200:
            self.state = answer.json()
        return answer

    def offered(self):
        lines = self.state["turn"]["lines"]
        return [(o["target"], o["value"], o["label"]) for line in lines for o in line["options"]]

    def end(self):
        for _ in range(600):
            end = self.me.get(f"{self.at}/end").json()
            if end["done"]:
                return end
        raise AssertionError(end)


def test_a_machine_is_played_as_it_is_and_scored_by_right_answers(me):
    game = Game(me, BLICKETS)
    live = play.Live(BLICKETS.stage(), BLICKETS.seed, STREAM, BLICKETS.index)
    for target, value in ((0, 1.0), (1, 1.0), (-1, 0.0), (0, 0.0)):
        assert (target, value) in [o[:2] for o in game.offered()]
        game.choose(target, value)
        light = live.act(target, value).outcome[-1]
        assert game.state["rows"][-1]["cells"][-1] == ("lit" if light else "dark")
    assert game.state["turn"]["title"] == "Question 1 of 3"
    blickets = np.asarray(live.task.blickets)
    for i in range(3):
        assert not re.search("Blickets:|conjunctive", str(game.state))
        game.choose(i, float(blickets[i]) if i else 1.0 - float(blickets[0]))
    end = game.end()
    assert end["score"] == {"you": pytest.approx(2 / 3), "best": 1.0, "chance": 0.5}
    assert end["verdict"].startswith("You answered 2 of 3 questions right")
    there = ", ".join("ABC"[i] for i in np.flatnonzero(blickets))
    assert end["truth"][0] == f"Blickets: {there}."
    for rival in end["rivals"]:
        assert rival["why_not"] == ""
        player = play.find_player(rival["name"], BLICKETS.stage())
        run = play.episodes(BLICKETS.stage(), player, BLICKETS.seed, STREAM, BLICKETS.index, 1)
        assert rival["returns"] == pytest.approx(float(run.returns[0]), abs=1e-5)
        assert len(rival["instead"]) == 7


def test_what_is_not_offered_is_refused_in_a_line(me):
    game = Game(me, BLICKETS)
    for target, value in ((3, 1.0), (0, 0.5), (2, 0.0)):  # the light, half an object, not there
        answer = game.choose(target, value)
        assert answer.status_code == 422
        assert "choose one of 0 at 1: Put A on" in answer.json()["error"]
    assert game.me.get(game.at).json() == game.state


def test_a_room_is_played_choice_by_choice_and_the_last_one_counts(me):
    game = Game(me, ROOMS)
    assert "colour" not in str(game.me.get(f"{game.at}/end").json().get("truth", ""))
    live = play.LiveRooms(ROOMS.stage(), ROOMS.seed, STREAM, ROOMS.index)
    decides = DIMENSIONS[int(live.task.concept)]
    game.choose(1, float(DIMENSIONS.index("shape")))
    live.choose(play.Choice(1, DIMENSIONS.index("shape")))
    game.choose(1, -1.0)
    made = live.choose(play.Choice(1))
    assert game.state["rows"][-1]["cells"][0] == ("yes" if (made.reward > 0).any() else "no")
    assert game.state["turn"]["title"] == "Room 2 of 2: this one counts"
    odd = int(np.flatnonzero(_odd(live))[0])
    game.choose(odd, -1.0)
    end = game.end()
    assert end["score"]["you"] == end["score"]["best"] == 1.0
    assert f"what decides is the {decides}" in end["verdict"]
    own = {r["name"]: r["returns"] for r in end["rivals"]}
    assert own["scripted:expert"] == 1.0
    log = game.me.get("/api/look/logs").json()["logs"]
    assert {entry["world"] for entry in log} >= {"rooms"}


def _odd(live):
    """Which object has a value of what decides that no other has."""
    values = live.symbolic.objects[:, int(live.task.concept)]
    return [(values == value).sum() == 1 for value in values]


@pytest.mark.parametrize(
    ("plain", "why"),
    [
        ({"world": "surfaces"}, "several things are set at once"),
        ({"world": "rooms", "config": {"experiments": 60}}, "61 trials"),
        ({"world": "blicket", "config": {"experiments": 500}}, "504 steps"),
    ],
)
def test_build_does_not_lead_to_a_game_that_nobody_can_play(me, plain, why):
    scenario = Scenario.from_json(plain)
    looked = me.post("/api/build/look", json={"scenario": plain}).json()
    assert why in looked["no_game"]
    answer = me.post("/api/play", json={"s": encode(scenario)})
    assert (answer.status_code, answer.json()["field"]) == (422, "world")
    assert why in answer.json()["error"]


def test_from_build_rooms_and_machines_are_played_to_the_end(lab, visit):
    page = visit(f"{lab}/build?s={encode(ROOMS)}")
    page.get_by_role("link", name="Play it").click()
    page.get_by_text("Room 1 of 2: an experiment").wait_for()
    assert page.locator("#sight").is_visible()
    while page.locator("#end").is_hidden():
        rows = page.locator("#rows tbody tr").count()
        page.get_by_role("button", name="Take it").first.click()
        page.locator("#rows tbody tr").nth(rows).wait_for()
    expect(page.locator("#verdict")).to_contain_text("in the room that counts")
    page.locator("#end[data-done=true]").wait_for(timeout=120_000)
    assert page.locator("#instead tbody tr").count() == 2
    page.goto(f"{lab}/play?s={encode(BLICKETS)}")
    page.locator("#now-title:focus").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.locator("#rows tbody tr").first.wait_for()
    expect(page.locator("#rows tbody tr").first).to_contain_text("Put A on")


def test_build_says_why_a_game_cannot_be_played_in_place_of_the_link(lab, visit):
    page = visit(f"{lab}/build?s={encode(Scenario.from_json({'world': 'surfaces'}))}")
    page.get_by_text("several things are set at once").wait_for()
    expect(page.get_by_role("link", name="Play it")).to_have_count(0)
