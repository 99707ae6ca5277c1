"""Names, units and a story of one's own: given in Build, shown wherever names are."""

import json

import pytest
from playwright.sync_api import expect

from lab_client import visitor
from lab_server import running
from seedo.lab import Scenario, decode, encode

DRAWN = {
    "config": {"n": 3, "experiments": 1, "weight_family": "uniform"},
    "drawn": {"weights": [[0, 1, 0], [0, 0, 1], [0, 0, 0]], "goal": 2},
}
OWN = {"names": ["Düngung", "light", "yield"], "units": ["g", "h", ""], "story": "A green house."}
NAMED = Scenario.from_json(DRAWN | {"called": OWN})


@pytest.fixture(scope="module")
def me(tmp_path_factory):
    return visitor(tmp_path_factory.mktemp("lab"))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with running(tmp_path_factory.mktemp("browser")) as address:
        yield address


def test_they_travel_with_the_link_and_the_file(me):
    assert decode(encode(NAMED)) == NAMED
    file = me.get("/api/build/file", params={"s": encode(NAMED)}).text
    assert json.loads(file)["called"] == OWN
    opened = me.post("/api/build/open", json={"text": file}).json()
    assert decode(opened["code"]) == NAMED
    assert opened["sight"]["words"] == OWN["names"]


def test_a_challenge_is_played_by_them_to_the_verdict_and_watched_by_them(me):
    link = me.post("/api/build/challenge", json={"scenario": NAMED.to_json()}).json()["link"]
    page = me.get(link, follow_redirects=True)
    game = f"/api{page.url.path}"
    state = me.get(game).json()
    assert state["names"] == OWN["names"]
    assert state["units"] == [" g", " h", ""]
    assert state["story"] == "A green house."
    for step, target in enumerate((0, 1)):
        me.post(f"{game}/steps", json={"step": step, "target": target, "value": 2.0})
    end = me.get(f"{game}/end", params={"others": False}).json()
    assert end["verdict"].startswith("You chose light at +2 h, ")
    assert "brings yield to 2" in end["verdict"]
    assert end["graph"]["names"] == OWN["names"]
    told = me.get("/api/watch/setting", params={"s": encode(NAMED)}).json()
    assert told["names"] == OWN["names"]
    again = me.post(f"{game}/again", json={"same": False}).json()["game"]
    assert me.get(f"/api/play/{again}").json()["names"] == OWN["names"]
    kept = next(g for g in me.get("/api/games").json()["games"] if game.endswith(g["game"]))
    assert me.get("/api/look/log", params={"log": kept["log"]}).json()["names"] == OWN["names"]
    rows = me.get("/api/look/episodes", params={"log": kept["log"]}).json()["rows"]
    asked = {"log": kept["log"], "at": rows[0]["at"]}
    assert me.get("/api/look/episode", params=asked).json()["names"] == OWN["names"]
    assert me.get("/api/look/hindsight", params=asked).status_code == 200


@pytest.mark.parametrize(
    ("called", "field"),
    [
        ({"names": ["a", "b"]}, "names"),
        ({"names": ["a", "A", "b"]}, "name 2"),
        ({"names": ["a", "\uff41", "b"]}, "name 2"),  # a full-width a
        ({"names": ["a", " ", "b"]}, "name 2"),
        ({"names": ["a", "b\u202ec", "d"]}, "name 2"),  # turns the line around
        ({"names": ["a", "b\nc", "d"]}, "name 2"),
        ({"names": ["a", "\ud800", "d"]}, "name 2"),
        ({"names": ["a", "b" * 25, "d"]}, "name 2"),
        ({"names": ["a", 7, "d"]}, "name 2"),
        ({"names": "abc"}, "names"),
        ({"names": ["a", "b", "c"], "units": ["g"]}, "units"),
        ({"names": ["a", "b", "c"], "units": ["g", "\u200b", ""]}, "unit 2"),
        ({"names": ["a", "b", "c"], "story": "x" * 601}, "story"),
        ({"names": ["a", "b", "c"], "story": ["x"]}, "story"),
        ({"names": ["a", "b", "c"], "cover": ""}, "called"),
        ([1], "called"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(me, called, field):
    sent = json.dumps({"scenario": DRAWN | {"called": called}})
    as_json = {"Content-Type": "application/json"}
    answer = me.post("/api/build/look", content=sent, headers=as_json)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    (line,) = answer.json()["error"].splitlines()
    assert len(line) < 300
    assert line.isprintable()


def test_only_variables_of_graphs_are_named(me):
    sent = {"scenario": {"world": "rooms", "called": OWN}}
    assert me.post("/api/build/look", json=sent).json()["field"] == "called"


def test_names_are_written_in_build_and_follow_what_is_added_and_removed(lab, visit):
    page = visit(f"{lab}/build?s={encode(Scenario.from_json(DRAWN))}")
    page.locator("#verdict").wait_for()
    page.locator("#names").select_option("own")
    page.get_by_label("Name of B").fill("<b>light</b>")
    page.get_by_label("Unit of B").fill("h")
    page.get_by_label("Story").fill("A green house.")
    page.get_by_label("Seed").focus()
    expect(page.locator("#graph .word").nth(1)).to_have_text("<b>light</b>")
    page.get_by_role("button", name="Add variable").click()
    expect(page.get_by_label("Name of D")).to_have_value("D")
    page.get_by_role("button", name="Remove A", exact=True).click()
    expect(page.get_by_label("Name of A")).to_have_value("<b>light</b>")
    expect(page.get_by_label("Unit of A")).to_have_value("h")
    page.get_by_role("link", name="Play it").click()
    page.get_by_role("button", name="<b>light</b> ↑ +2 h").click()
    page.locator("#rows tbody tr").wait_for()
    expect(page.locator("#story")).to_have_text("A green house.")
    expect(page.locator("#rows th", has_text="<b>light</b> (h)")).to_be_visible()
