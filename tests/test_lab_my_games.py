"""My games: one's own results, and the share of what was possible."""

import numpy as np
import pytest
from playwright.sync_api import expect

from lab_client import visitor
from lab_server import running
from seedo.lab import Scenario, encode


def drawn(weight, seed=0):
    plain = {
        "config": {"n": 2, "experiments": 1, "weight_family": "uniform"},
        "drawn": {"weights": [[0, weight], [0, 0]], "goal": 1},
        "seed": seed,
    }
    return Scenario.from_json(plain)


def played(me, scenario, value):
    game = "/api/play/" + me.post("/api/play", json={"s": encode(scenario)}).json()["game"]
    for step in range(2):
        me.post(f"{game}/steps", json={"step": step, "target": 0, "value": value})
    return game


@pytest.fixture
def me(tmp_path):
    return visitor(tmp_path)


def test_the_share_is_that_of_first_games_and_has_an_interval_from_five_on(me):
    weights, values = [1.0, 0.5, 1.5, 2.0, 0.25], [2.0, -2.0, 2.0, 2.0, -2.0]
    for k, (weight, value) in enumerate(zip(weights, values, strict=True)):
        assert me.get("/api/games").json()["share"]["low"] is None
        played(me, drawn(weight), value)
        told = me.get("/api/games").json()
        assert (told["ready"], told["share"]["games"]) == (True, k + 1)
    yours, best = 2 * np.sign(values) * weights, 2 * np.array(weights)
    assert told["share"]["value"] == pytest.approx(yours.sum() / best.sum(), abs=1e-5)
    assert told["share"]["low"] < told["share"]["value"] < told["share"]["high"] <= 1
    played(me, drawn(0.5), 2.0)  # the same system again: seen, not counted
    again = me.get("/api/games").json()
    assert again["share"] == told["share"]
    assert [game["again"] for game in again["games"]] == [True] + [False] * 5
    np.testing.assert_allclose([g["returns"] for g in again["games"]][1:], yours[::-1], atol=1e-5)


def test_nobody_sees_the_games_of_another_browser(tmp_path):
    first = visitor(tmp_path)
    played(first, drawn(1.0), 2.0)
    assert len(first.get("/api/games").json()["games"]) == 1
    second = visitor(tmp_path)
    assert second.get("/api/games").json()["games"] == []


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with running(tmp_path_factory.mktemp("browser")) as address:
        yield address


def test_games_are_listed_with_a_way_back_to_each(lab, visit):
    page = visit(f"{lab}/games")
    expect(page.locator("#share")).to_contain_text("No game yet")
    page.goto(f"{lab}/play?s={encode(drawn(1.0))}")
    page.get_by_role("button", name="A ↑ +2").click()
    page.get_by_text("Now raise").first.wait_for()
    page.get_by_role("button", name="A ↑ +2").click()
    page.get_by_role("link", name="My games").click()
    expect(page.locator("#share")).to_contain_text("Over 1 game you got 100 %")
    page.get_by_role("link", name="look back", exact=True).click()
    page.get_by_text("my games").first.wait_for()
