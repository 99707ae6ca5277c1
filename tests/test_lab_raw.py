"""Raw worlds in the lab: played by people, and watched, alone and through an abstraction."""

import base64
import io
import json
import re
import time

import numpy as np
import pytest
from PIL import Image

from lab_client import visitor
from lab_server import running
from seedo import abstraction, play, worlds
from seedo.errors import UserError
from seedo.lab import LabSettings, Scenario, decode, encode
from seedo.worlds.raw import drawing

SETTINGS = {"n": 3, "experiments": 3, "drawing": "lamps", "drawing_seed": 7}
GAME = Scenario.from_json(
    {"world": "raw", "config": SETTINGS, "seed": 123_456_789, "index": 987_654_321}
)
MOVES = [(0, 2.0), (1, -2.0), (2, 2.0)]


def told(scenario):
    """The `dag` of the same settings, whose variables are told."""
    return Scenario(scenario.stage().settings, scenario.seed, scenario.index)


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    """A mixture of three variables, and what was learnt from logs of it."""
    folder = tmp_path_factory.mktemp("mixture")
    world = worlds.make("raw", drawing="mixture", n=3, drawing_seed=4)
    play.watch(world, play.find_player("scripted:random", world), 400, 0, folder / "logs")
    found = abstraction.abstract(folder / "logs", folder / "found", updates=600)
    return str(folder / "found"), found


@pytest.fixture(scope="module")
def me(learnt, tmp_path_factory):
    return visitor(tmp_path_factory.mktemp("lab"), abstractions=(learnt[0],))


@pytest.fixture(scope="module")
def address(learnt, tmp_path_factory):
    with running(tmp_path_factory.mktemp("browser"), abstractions=(learnt[0],)) as address:
        yield address


def until(ask, over):
    for _ in range(1800):
        found = ask()
        if over(found):
            return found
        time.sleep(0.1)
    raise AssertionError(found)


def frames(me, scenario, player, through=""):
    asked = {"s": encode(scenario), "player": player, "through": through}
    return until(
        lambda: me.post("/api/watch/frames", json=asked).json(),
        lambda found: found["state"] != "preparing",
    )


def pixels(shown):
    data = base64.b64decode(shown["picture"].partition("base64,")[2])
    return np.asarray(Image.open(io.BytesIO(data)), np.float64) / 255


def start(me, scenario):
    return f"/api/play/{me.post('/api/play', json={'s': encode(scenario)}).json()['game']}"


def step(me, game, number, target, value):
    return me.post(f"{game}/steps", json={"step": number, "target": target, "value": value})


def finished(me, scenario, moves=MOVES):
    """A game played to its end: its address, and all moves."""
    game = start(me, scenario)
    for number, move in enumerate(moves):
        goal = step(me, game, number, *move).json()["goal"]
    last = (next(k for k in range(3) if k != goal), 2.0)
    assert step(me, game, len(moves), *last).json()["phase"] == "end"
    return game, [*moves, last]


# -- Play -----------------------------------------------------------------------------------------


def test_what_is_shown_in_a_game_is_what_the_variables_look_like(me):
    game, moves = finished(me, GAME)
    state, twin = me.get(game).json(), told(GAME).begin()
    draw = drawing("lamps", 3, 7).draw
    for row, move in zip(state["rows"], moves, strict=True):
        outcome = twin.act(*move).outcome
        clean = np.asarray(draw(outcome, None))
        off = pixels(row["shown"]) - np.clip(clean, 0, 1)
        assert abs(off).mean() < 0.03
        assert "outcome" not in row


def test_nothing_tells_variables_system_drawing_or_seed_before_the_end(me):
    made = me.post("/api/play", json={"s": encode(GAME)})
    game = f"/api/play/{made.json()['game']}"
    twin, hidden = told(GAME).begin(), ["123456789", "987654321", encode(GAME), "lamps"]
    weights = np.asarray(twin.task.system.weights)
    hidden += [f"{w:.2f}".lstrip("-") for w in weights[weights != 0]]
    answers = [made, me.get(game.removeprefix("/api"))]
    for number, move in enumerate(MOVES):
        answers += [step(me, game, number, *move), me.get(game), me.get(game.removeprefix("/api"))]
        outcome = np.delete(twin.act(*move).outcome, move[0])
        hidden += [f"{x:.2f}".lstrip("-") for x in outcome]
    early = [me.get(f"{game}/{what}") for what in ("end", "log", "unveiled")]
    assert [answer.status_code for answer in early] == [409] * 3
    for answer in answers + early:
        # The page offers to start other games of every drawing, this one's included.
        text = re.sub(r'<nav class="row small" id="kinds".*?</nav>', "", answer.text, flags=re.S)
        text = re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", text) + str(answer.headers)
        assert not [secret for secret in hidden if secret in text]
        assert not re.search(r'"(weights|true|outcome|seed|index|drawing|expected|sets)"\s*:', text)


@pytest.mark.slow
def test_the_end_compares_with_those_who_are_told_the_variables(me):
    game, moves = finished(me, GAME)
    end = until(lambda: me.get(f"{game}/end").json(), lambda found: found["done"])
    twin = told(GAME)
    for rival in end["rivals"]:
        acting = play.find_player(rival["name"], twin.stage())
        run = play.simulate(twin.stage(), acting, twin.seed, "perform", twin.index, 1)
        assert rival["returns"] == pytest.approx(float(run.returns[0]), abs=1e-5)
    assert end["told"]
    live = twin.begin()
    for move in moves:
        live.act(*move)
    assert end["score"]["you"] == pytest.approx(live.returns)
    weights = np.asarray(live.task.system.weights)
    found = {(edge["from"], edge["to"]): edge["weight"] for edge in end["graph"]["edges"]}
    assert found == {
        (i, j): pytest.approx(float(weights[i, j]), abs=0.006) for i, j in np.argwhere(weights)
    }
    assert end["learning"]["why_not"] == ""
    assert decode(end["code"]) == GAME
    assert me.get(f"{game}/log").status_code == 200


def test_the_end_unveils_which_part_was_whose_and_how_the_variables_were(me):
    game, moves = finished(me, GAME)
    unveiled = me.get(f"{game}/unveiled").json()["unveiled"]
    twin = told(GAME).begin()
    for row, move in zip(unveiled["rows"], moves, strict=True):
        np.testing.assert_allclose(row, twin.act(*move).outcome, atol=1e-4)
    assert unveiled["sets"] == [[0], [1], [2]]
    draw = drawing("lamps", 3, 7).draw
    for i, part in enumerate(unveiled["parts"]):
        for name, value in (("low", -unveiled["apart"]), ("high", unveiled["apart"])):
            clean = np.asarray(draw(np.eye(3, dtype=np.float32)[i] * value, None))
            np.testing.assert_allclose(pixels(part[name]), clean, atol=1 / 255)
    shares = np.array([pixels(part["change"]).sum(-1) > 0.1 for part in unveiled["parts"]])
    assert shares.any((1, 2)).all()
    assert shares.sum(0).max() == 1  # lamps have places of their own


def test_knobs_that_set_two_variables_are_told_at_the_end_and_nobody_plays_told(me):
    joint = Scenario.from_json({"world": "raw", "config": SETTINGS | {"hands": "joint"}})
    game, _ = finished(me, joint)
    assert me.get(f"{game}/unveiled").json()["unveiled"]["sets"] == [[0, 1], [0, 1], [2]]
    end = until(lambda: me.get(f"{game}/end").json(), lambda found: found["done"])
    why = {rival["name"]: rival["why_not"] for rival in end["rivals"]}
    assert why.pop("scripted:random") == ""
    assert all(why.values())
    assert not end["told"]


@pytest.mark.slow
def test_words_are_shown_as_the_line_that_they_are(me):
    words = Scenario.from_json({"world": "raw", "config": SETTINGS | {"drawing": "words"}})
    game, moves = finished(me, words)
    shown = [row["shown"]["text"] for row in me.get(game).json()["rows"]]
    assert len(shown) == len(moves)
    assert all(len(line.split("; ")) == 7 for line in shown)  # a time, three told, three not
    for part in me.get(f"{game}/unveiled").json()["unveiled"]["parts"]:
        before, after = part["change"]["text"].split(" → ")
        assert before in part["low"]["text"]
        assert after in part["high"]["text"]
    watched = frames(me, words, "scripted:random")["shown"]["frames"]
    assert ";" in watched[1]["shown"]["text"]


@pytest.mark.parametrize(("name", "form"), [("signals", "lines"), ("mixture", "bars")])
def test_signals_are_lines_and_mixtures_bars(me, name, form):
    game = start(me, Scenario.from_json({"world": "raw", "config": {"n": 3, "drawing": name}}))
    shown = step(me, game, 0, 1, 2.0).json()["rows"][0]["shown"]
    assert np.shape(shown[form]) == {"lines": (3, 64), "bars": (12,)}[form]


def test_another_game_deals_places_anew_and_the_same_again_does_not(me):
    game = start(me, GAME)
    first = step(me, game, 0, 0, 2.0).json()["rows"]
    again = {}
    for same in (True, False):
        other = me.post(f"{game}/again", json={"same": same}).json()["game"]
        again[same] = step(me, f"/api/play/{other}", 0, 0, 2.0).json()["rows"]
    assert again[True] == first
    assert again[False] != first
    fresh = me.get("/play", params={"s": encode(GAME), "fresh": "true"})
    assert step(me, f"/api{fresh.headers['location']}", 0, 0, 2.0).json()["rows"] != first


def test_more_values_than_a_person_chooses_among_are_refused_with_a_line(me):
    values = list(worlds.raw.DO_VALUES)
    many = Scenario.from_json({"world": "raw", "config": {"n": 3, "do_values": values}})
    answer = me.post("/api/play", json={"s": encode(many)})
    assert answer.status_code == 422
    assert "do_values" in answer.json()["error"]


@pytest.mark.parametrize(
    ("config", "field"),
    [({"n": 20}, "n"), ({"experiments": 90}, "experiments"), ({"drawing": "oil"}, "drawing"),
     ({"n": 10_000}, "n"), ({"costs": [0.1] * 5}, "costs")],
)  # fmt: skip
def test_what_the_lab_cannot_show_is_refused(config, field):
    with pytest.raises(UserError) as refused:
        Scenario.from_json({"world": "raw", "config": config})
    assert refused.value.field == field


# -- Watch ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["scripted:random", "scripted:expert"])
def test_watched_frames_are_what_perform_plays_with_pictures_and_the_truth(me, name):
    shown = frames(me, GAME, name)["shown"]
    twin = told(GAME)
    acting = play.find_player(name, twin.stage())
    logged = play.episodes(twin.stage(), acting, twin.seed, "perform", twin.index, 1)
    steps = shown["frames"][1:]
    assert [frame["target"] for frame in steps] == logged.target[0].tolist()
    np.testing.assert_allclose([frame["true"] for frame in steps], logged.outcome[0], atol=1e-4)
    assert shown["returns"] == pytest.approx(float(logged.returns[0]), abs=1e-3)
    draw = drawing("lamps", 3, 7).draw
    for frame, outcome in zip(steps, logged.outcome[0], strict=True):
        clean = np.clip(np.asarray(draw(outcome, None)), 0, 1)
        assert abs(pixels(frame["shown"]) - clean).mean() < 0.03
        assert "outcome" not in frame
        assert "belief" not in frame


def mixture(**changed):
    shows = {"drawing": "mixture", "drawing_seed": 4}
    config = {"n": 3, "experiments": 3} | shows | changed
    return Scenario.from_json({"world": "raw", "config": config, "index": 5})


def test_through_an_abstraction_what_is_read_stands_beside_what_is_so(me, learnt):
    folder, found = learnt
    shown = frames(me, mixture(), "scripted:largest-effect", folder)["shown"]
    world = worlds.make(f"through:{folder}", n=3, experiments=3)
    acting = play.find_player("scripted:largest-effect", world)
    logged = play.episodes(world, acting, 0, "perform", 5, 1)
    steps = shown["frames"][1:]
    assert [frame["target"] for frame in steps] == logged.target[0].tolist()
    np.testing.assert_allclose([f["outcome"] for f in steps], logged.outcome[0], atol=1e-3)
    twin = told(mixture()).begin()
    for frame in steps:
        so = twin.act(frame["target"], frame["value"]).outcome
        np.testing.assert_allclose(frame["true"], so, atol=1e-4)
        read = np.asarray(found.encoder(np.asarray(frame["shown"]["bars"], np.float32)))
        free = np.arange(3) != frame["target"]
        np.testing.assert_allclose(np.array(frame["outcome"])[free], read[free], atol=0.02)
    assert all("belief" in frame for frame in shown["frames"])
    asked = {"s": encode(mixture()), "through": folder}
    setting = me.get("/api/watch/setting", params=asked).json()
    stated = [knob.error.value for knob in found.knobs]
    assert [error["value"] for error in setting["stated"]] == pytest.approx(stated)


def test_an_abstraction_of_another_drawing_is_refused_with_what_it_reads(me, learnt):
    asked = {"s": encode(GAME), "through": learnt[0]}
    answer = me.get("/api/watch/setting", params=asked)
    assert (answer.status_code, answer.json()["field"]) == (422, "through")
    assert "drawing mixture" in answer.json()["error"]
    dag = {"s": encode(told(GAME)), "through": learnt[0]}
    assert me.get("/api/watch/setting", params=dag).json()["field"] == "through"


@pytest.mark.parametrize("folder", ["/etc", "..", "nowhere"])
def test_no_link_opens_a_folder_that_the_lab_was_not_started_with(me, folder):
    asked = {"s": encode(mixture()), "player": "scripted:random", "through": folder}
    answers = [
        me.post("/api/watch/frames", json=asked),
        me.get("/api/watch/setting", params={"s": asked["s"], "through": folder}),
    ]
    assert {answer.status_code for answer in answers} == {422}
    assert {answer.json()["field"] for answer in answers} == {"through"}
    named = {"scenario": {"world": f"through:{folder}"}}
    assert me.post("/api/build/look", json=named).json()["field"] == "world"


def test_the_page_offers_every_drawing_and_the_labs_abstractions(me, learnt):
    text = me.get("/watch", params={"world": "raw"}).text
    for name in ("gauges", "lamps", "parts", "signals", "mixture", "words"):
        assert f">{name}</a>" in text
    link = re.search(r's=([\w-]+)&amp;through=([^"]+)"', text)
    assert decode(link[1]).stage().shows["drawing"] == "mixture"
    assert decode(link[1]).stage().spec.n == 3
    page = me.get("/watch", params={"s": link[1], "through": learnt[0]})
    assert page.status_code == 200
    assert "pretrained:dag" in page.text


def test_a_folder_that_reads_nothing_raw_is_refused_at_the_start(tmp_path):
    (tmp_path / "abstraction.json").write_text(
        json.dumps({"format": "seedo-abstraction", "version": 1, "sha256": "", "n": 2,
                    "shows": None, "not_separable": []})
    )  # fmt: skip
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(UserError):
            LabSettings(abstractions=(str(folder),))


# -- in the browser -------------------------------------------------------------------------------


def test_a_raw_game_is_played_by_pictures_and_ends_with_the_truth(address, visit, figure):
    page = visit(f"{address}/play")
    page.get_by_role("link", name="gauges").click()
    page.get_by_role("button", name="knob A ↑ +2").wait_for()
    assert "only see what is shown" in page.locator("#lead").inner_text()
    for number in range(6):
        page.locator("#choices button:not(:disabled)").nth(number).click()
        if number < 5:
            page.locator("#shows li").nth(number).wait_for()
        if number == 2:
            assert page.locator("#shows img").first.evaluate("i => i.naturalWidth") == 32
            assert page.locator("#unveiled").is_hidden()
            figure(page, "play-raw")
    page.locator("#parts img").nth(14).wait_for(timeout=200_000)
    page.locator("#end[data-done=true]").wait_for(timeout=200_000)
    assert page.locator("#true-rows tbody tr").count() == 6
    assert "told the variables" in page.locator("#score-note").inner_text()
    assert "hidden system" in page.locator("#truth").get_attribute("aria-label")
    figure(page, "play-raw-end")
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_players_are_watched_through_an_abstraction_step_by_step(address, visit, figure):
    page = visit(f"{address}/watch?world=raw&players=scripted:random")
    page.locator(".player .outcome").wait_for(timeout=200_000)
    page.keyboard.press("ArrowRight")
    page.locator(".shown img").wait_for()
    assert "knob" in page.locator(".did").inner_text()
    page.get_by_role("link", name="makes of it").click()
    page.locator(".player .outcome").nth(1).wait_for(timeout=200_000)
    page.keyboard.press("ArrowRight")
    page.locator(".shown svg").first.wait_for()
    heads = page.locator(".player").first.locator("thead th").all_inner_texts()
    assert heads == ["Variable", "read", "true", "said to be off by"]
    figure(page, "watch-raw")
    page.get_by_label("Show the hidden truth").uncheck()
    heads = page.locator(".player").first.locator("thead th").all_inner_texts()
    assert heads == ["Variable", "read", "said to be off by"]
    again = visit(page.url)
    again.locator(".player .outcome").nth(1).wait_for(timeout=200_000)
    assert again.locator("#where").inner_text().startswith("Step 1 of ")
