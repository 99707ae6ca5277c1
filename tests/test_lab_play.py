"""A game against the hidden system, in the browser and over HTTP."""

import json
import re
import threading
import time

import jax
import numpy as np
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from lab_server import running
from seedo import play, worlds
from seedo.episodes import from_arrow
from seedo.lab import LabSettings, Scenario, _challenges, create_app, decode, encode
from seedo.lab._cast import RIVALS
from seedo.lab._findings import Findings
from seedo.lab._naming import Naming
from seedo.lab._scenario import STREAM
from seedo.lab._verdict import tries

SMALL = Scenario(worlds.configure(n=3, experiments=3, observations=2), seed=5, index=7)
DRAWN = Scenario.from_json(
    {
        # No Bayesian for uniform weights: nothing long to compile.
        "config": {"n": 3, "experiments": 2, "weight_family": "uniform"},
        "drawn": {
            "weights": [[0, 1.2345, 0], [0, 0, -0.9876], [0, 0, 0]],
            "noise": [0.111, 0.222, 0.333],
            "goal": 2,
        },
        "seed": 123_456_789,
        "index": 987_654_321,
    }
)
FAMILIAR = Scenario(
    worlds.configure(n=3, experiments=1, weight_family="uniform"), 5, 3, names="familiar"
)


class Visitor:
    """A browser's side of the HTTP interface."""

    def __init__(self, app):
        self.http = TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
        self.token = re.search(r'name="csrf" content="(\w+)"', self.http.get("/").text)[1]

    def post(self, path, **body):
        return self.http.post(path, json=body, headers={"X-CSRF-Token": self.token})

    def start(self, scenario):
        game = self.post("/api/play", s=encode(scenario)).json()["game"]
        return f"/api/play/{game}"

    def step(self, game, step, target, value=0.0):
        return self.post(f"{game}/steps", step=step, target=target, value=value)

    def play(self, scenario, *moves):
        """A whole game: its address, and every state on the way."""
        game = self.start(scenario)
        states = [self.http.get(game).json()]
        if states[0]["phase"] == "observe":
            states.append(self.post(f"{game}/look").json())
        for target, value in moves:
            states.append(self.step(game, states[-1]["step"], target, value).json())
        assert states[-1]["phase"] == "end"
        return game, states

    def compared(self, game):
        until = time.monotonic() + 150
        while time.monotonic() < until:
            end = self.http.get(f"{game}/end").json()
            if end["done"]:
                return end
            time.sleep(0.1)
        raise AssertionError("no comparison")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="module")
def app(folder):
    return create_app(LabSettings(data=folder, warm=False))


@pytest.fixture(scope="module")
def lab(app, tmp_path_factory):
    with running(tmp_path_factory.mktemp("browser")) as address:
        yield address


@pytest.fixture
def me(app):
    return Visitor(app)


MOVES = [(0, 2.0), (1, -2.0), (-1, 0.0)]


def legal(state):
    """Some choice that the last step allows."""
    return next(i for i in range(len(state["names"])) if i != state["goal"]), 2.0


# -- in the browser -------------------------------------------------------------------------------


def finish(page, press):
    """Press until the game is over; how often that was."""
    pressed = 0
    while page.locator("#end").is_hidden():
        rows = page.locator("#rows tbody tr").count()
        press(pressed)
        pressed += 1
        page.locator("#rows tbody tr").nth(rows).wait_for()
    return pressed


def test_a_game_by_mouse_ends_with_all_four_rivals_compared(lab, visit):
    page = visit(f"{lab}/play?s={encode(SMALL)}")
    page.get_by_role("button", name="Look", exact=True).click()
    page.get_by_text("Experiment 1 of 3").wait_for()

    def press(count):
        if count == 3:
            assert page.locator("#task .goal").inner_text() in "ABC"
            assert page.locator("#choices button:disabled").count() == 2  # the goal's own
        page.locator("#choices button:not(:disabled)").nth(count).click()

    assert finish(page, press) == 4
    page.locator("#end[data-done=true]").wait_for(timeout=150_000)
    cast = page.request.get(f"{lab}/api/compare/cast").json()["roles"]
    drawn = {role["name"]: role["look"]["light"] for role in cast}  # on page Compare
    for name in RIVALS:
        line = page.locator(f'#score [data-who="{name}"]')
        assert re.fullmatch(r"−?\d+(\.\d+)?", line.locator(".value").inner_text())
        colour = line.locator(".bar").evaluate("e => getComputedStyle(e).backgroundColor")
        red, green, blue = bytes.fromhex(drawn[name][1:])
        assert colour == f"rgb({red}, {green}, {blue})"
    assert page.locator("#instead tbody tr").count() == 4
    assert "preparing" not in page.locator("#end").inner_text()
    assert "Bayesian would have chosen" in page.locator("#verdict").inner_text()
    assert "hidden system" in page.locator("#truth").get_attribute("aria-label")
    assert page.locator("#belief .edge").count() > 0
    before = page.locator("#score").inner_text()
    page.reload()
    page.locator("#end[data-done=true]").wait_for()
    assert page.locator("#score").inner_text() == before
    page.get_by_role("button", name="Another game").click()
    page.get_by_role("button", name="Look", exact=True).wait_for()


def test_a_game_by_keyboard_alone_survives_a_reload(lab, visit):
    page = visit(f"{lab}/play?s={encode(FAMILIAR)}", width=360, height=740, scheme="dark")
    page.locator("#now-title:focus").wait_for()  # ready for the keyboard, and no choice is advised
    for key in ("ArrowDown", "ArrowRight", "2", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    page.get_by_text("Now raise").first.wait_for()
    page.reload()
    page.get_by_text("Now raise").first.wait_for()
    row = page.locator("#rows tbody tr")
    assert row.count() == 1
    assert row.locator("td.set").inner_text().startswith("2")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("#now-title:focus").wait_for()
    page.keyboard.press("ArrowDown")
    page.locator("#choices button:focus").wait_for()
    page.keyboard.press("Enter")
    page.locator("#end").wait_for()
    page.locator("#verdict-title:focus").wait_for()


def test_play_alone_opens_the_usual_game_and_goes_on_with_it(lab, visit, figure):
    page = visit(f"{lab}/play")
    for choice in ("A ↑ +2", "A ↓ −2"):
        page.get_by_role("button", name=choice).click()
        page.locator("#rows tbody tr.new", has_text=choice[:3]).wait_for()
    figure(page, "play")
    address = page.url
    page.goto(f"{lab}/play")
    assert page.url == address
    page.locator("#rows tbody tr").nth(1).wait_for()


@pytest.mark.slow
def test_a_stranger_sees_the_comparison_within_two_minutes_of_the_first_page(lab, visit, figure):
    began = time.monotonic()
    page = visit(lab, 1280, 1180)
    page.get_by_role("link", name="Play a game").click()
    page.locator("#choices button").first.wait_for()
    choices = page.locator("#choices button:not(:disabled)")
    assert finish(page, lambda count: choices.nth((0, 1, 4, 7, 2, 5)[count]).click()) == 6
    page.locator("#end[data-done=true]").wait_for(timeout=120_000)
    assert time.monotonic() - began < 120
    figure(page, "play-end", full_page=False)


# -- over HTTP ------------------------------------------------------------------------------------


def test_a_game_is_the_episode_that_everyone_else_plays(me):
    game, states = me.play(SMALL, *MOVES, (1, 2.0))
    episode = play.Live(SMALL.stage(), SMALL.seed, STREAM, SMALL.index)
    moves = [(-1, 0.0)] * 2 + [*MOVES, (1, 2.0)]
    for row, move in zip(states[-1]["rows"], moves, strict=True):
        np.testing.assert_allclose(row["outcome"], episode.act(*move).outcome, atol=1e-4)
    end = me.compared(game)
    assert end["score"]["you"] == pytest.approx(episode.returns)
    assert end["score"]["best"] == pytest.approx(episode.oracle_return)


@pytest.mark.parametrize(
    "name",
    [
        "scripted:random",
        "scripted:largest-effect",
        pytest.param("bayes:eig", marks=pytest.mark.slow),
    ],
)
def test_rivals_score_as_in_the_compiled_runner_on_the_same_system_and_noise(me, name):
    game, _ = me.play(SMALL, *MOVES, (1, 2.0))
    scores = {rival["name"]: rival["returns"] for rival in me.compared(game)["rivals"]}
    player = play.find_player(name, SMALL.stage())
    run = play.simulate(SMALL.stage(), player, SMALL.seed, STREAM, SMALL.index, 1)
    assert scores[name] == pytest.approx(float(run.returns[0]), abs=1e-5)


def test_someone_who_plays_as_the_bayesian_would_chooses_and_learns_as_it_does(me):
    first, _ = me.play(SMALL, *MOVES, (1, 2.0))
    bayes = next(r for r in me.compared(first)["rivals"] if r["name"] == "bayes:eig")
    game, _ = me.play(SMALL, *bayes["own"][2:])
    end = me.compared(game)
    again = next(r for r in end["rivals"] if r["name"] == "bayes:eig")
    assert again["instead"] == bayes["own"]
    assert end["learning"]["you"] == pytest.approx(end["learning"]["most"], abs=1e-3)
    assert end["score"]["you"] == pytest.approx(bayes["returns"])
    assert "would have chosen the same" in end["verdict"]


def test_the_revealed_graph_is_the_drawn_one_and_the_best_try_follows_from_it(me):
    game, _ = me.play(DRAWN, (0, 2.0), (1, 2.0), (1, -2.0))
    end = me.http.get(f"{game}/end").json()
    weights = {(e["from"], e["to"]): e["weight"] for e in end["graph"]["edges"]}
    assert weights == {(0, 1): 1.23, (1, 2): -0.99}
    (one,) = end["tries"]
    assert one["best"] == [0, -2.0]  # 2 * 1.2345 * 0.9876 > 2 * 0.9876
    assert one["most"] == pytest.approx(2 * 1.2345 * 0.9876, abs=1e-4)
    assert one["worth"] == pytest.approx(2 * 0.9876, abs=1e-4)
    assert end["verdict"].startswith("You chose B at −2, which on average brings C to 1.98; ")
    assert "the best was A at −2, which brings it to 2.44." in end["verdict"]


def test_names_that_turn_signs_turn_them_for_choices_and_outcomes_alike(me):
    several = (Scenario(FAMILIAR.config, 5, index, "contrary") for index in range(50))
    named = ((scenario, Naming.of(scenario, scenario.begin()).signs) for scenario in several)
    scenario, signs = next((s, signs) for s, signs in named if min(signs) < 0)
    turned = signs.index(-1)
    row = me.step(me.start(scenario), 0, turned, 2.0).json()["rows"][0]
    outcome = scenario.begin().act(turned, -2.0).outcome
    np.testing.assert_allclose(row["outcome"], outcome * np.array(signs), atol=1e-4)
    assert row["outcome"][turned] == 2.0


def test_nothing_tells_the_system_the_goal_or_the_seed_before_the_end(me):
    hidden = ["1.23", "0.98", "0.987", "0.111", "0.222", "0.333", "123456789", "987654321",
              encode(DRAWN)]  # fmt: skip
    made = me.post("/api/play", s=encode(DRAWN))
    game = f"/api/play/{made.json()['game']}"
    page = f"/play/{made.json()['game']}"
    told = [made]
    for step, move in enumerate([(0, 2.0), (1, 2.0)]):
        told += [me.http.get(page), me.http.get(game)]
        assert told[-1].json()["goal"] == -1
        assert all(row["goal"] == -1 for row in told[-1].json()["rows"])
        told += [me.step(game, step, *move)]
    assert told[-1].json()["goal"] == 2  # now it is revealed
    told += [me.http.get(page), me.http.get(f"{game}/end"), me.http.get(f"{game}/log")]
    assert [answer.status_code for answer in told[-2:]] == [409, 409]
    for answer in told:
        text = answer.text + str(answer.headers)
        # Outcomes are numbers too: only what was not seen counts as told.
        text = re.sub(r'"outcome":\s*\[[^\]]*\]', "", text)
        assert not [secret for secret in hidden if secret in text]
        assert not re.search(r'"(weights|noise_scale|oracle|seed|index|expected)"', answer.text)


def test_only_its_visitor_may_see_or_act_in_a_game(me, app):
    game = me.start(SMALL)
    other = Visitor(app)
    page = game.replace("/api", "")
    answers = [
        other.http.get(page),
        other.http.get(game),
        other.post(f"{game}/look"),
        other.step(game, 0, -1),
        other.http.get(f"{game}/end"),
        other.http.get(f"{game}/log"),
        other.post(f"{game}/again", same=True),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert me.http.get(game).json()["step"] == 0


def test_a_step_sent_twice_counts_once_and_another_choice_for_it_is_refused(me):
    game = me.start(SMALL)
    me.post(f"{game}/look")
    first = me.step(game, 2, 0, 2.0)
    assert me.post(f"{game}/look").json() == first.json()
    assert me.step(game, 2, 0, 2.0).json() == first.json()
    for conflicting in (me.step(game, 2, 0, -2.0), me.step(game, 2, 1, 2.0), me.step(game, 4, 0)):
        assert conflicting.status_code == 409
        assert conflicting.json()["error"].count("\n") == 0
    assert me.http.get(game).json() == first.json()


@pytest.mark.parametrize(
    ("target", "value"), [(0, 2.0), (5, 2.0), (1, 1.5), (-2, 0.0), (1, 1e300), ("x", 2.0)]
)
def test_an_illegal_choice_is_refused_and_changes_nothing(me, target, value):
    game = me.start(DRAWN)
    if (target, value) == (0, 2.0):  # the goal itself, at the end
        me.step(game, 0, 0, 2.0)
        me.step(game, 1, 0, 2.0)
        target = 2
    before = me.http.get(game).json()
    answer = me.step(game, before["step"], target, value)
    assert answer.status_code == 422
    assert set(answer.json()) == {"error", "field"}
    assert me.http.get(game).json() == before


def test_looking_is_no_try_at_the_goal(me):
    game = me.start(FAMILIAR)
    me.step(game, 0, -1)
    assert me.step(game, 1, -1).status_code == 422


def test_after_a_kill_a_game_goes_on_where_it_was(me, folder):
    game = me.start(SMALL)
    me.post(f"{game}/look")
    before = me.step(game, 2, 1, -2.0).json()
    # A process that knows nothing but the folder: nothing was closed or told to save.
    after = Visitor(create_app(LabSettings(data=folder, warm=False)))
    after.http.cookies = me.http.cookies
    after.token = me.token
    assert after.http.get(game).json() == before
    assert after.step(game, 3, 0, 2.0).json()["rows"][:3] == before["rows"]


def test_a_challenge_starts_its_scenario_and_an_unknown_one_is_not_found(me, app):
    name = _challenges.add(app.state.lab.engine, app.state.lab.keys, DRAWN)
    page = me.http.get("/play", params={"challenge": name})
    assert page.status_code == 200
    state = me.http.get(f"/api{page.url.path}").json()
    assert state["names"] == ["A", "B", "C"]
    assert me.http.get("/play", params={"challenge": "nothing"}).status_code == 404


def test_the_same_again_is_the_same_system_and_noise_and_another_is_not(me):
    game, states = me.play(DRAWN, (0, 2.0), (1, 2.0), (1, -2.0))
    rows = {}
    for same in (True, False):
        again = f"/api/play/{me.post(f'{game}/again', same=same).json()['game']}"
        rows[same] = me.step(again, 0, 0, 2.0).json()["rows"]
    assert rows[True] == states[1]["rows"]
    assert rows[False] != states[1]["rows"]


def test_whoever_cannot_act_is_listed_with_the_reason_and_nobody_waits_for_it(me):
    scenario = Scenario(worlds.configure(n=3, experiments=1, mechanism="tanh"), seed=1)
    game = me.start(scenario)
    me.step(game, 0, 0, 2.0)
    state = me.http.get(game).json()
    me.step(game, 1, *legal(state))
    end = me.compared(game)
    refused = {rival["name"]: rival["why_not"] for rival in end["rivals"] if rival["why_not"]}
    assert "linear" in refused["bayes:eig"]
    assert "linear" in end["learning"]["why_not"]
    assert end["rivals"][0]["returns"] is not None
    assert "The understudy would have chosen" in end["verdict"] or "pretrained:dag" in refused


def test_a_finished_game_reads_as_an_episode_log(me, tmp_path):
    game, states = me.play(SMALL, *MOVES, (1, 2.0))
    answer = me.http.get(f"{game}/log")
    (tmp_path / "game.parquet").write_bytes(answer.content)
    batch = from_arrow(pq.read_table(tmp_path / "game.parquet"))
    assert batch.origin.experimenter == "person"
    assert batch.origin.created
    assert batch.target[0].tolist() == [row["target"] for row in states[-1]["rows"]]
    assert json.loads(batch.system[0])["mechanism"] == "linear"


def test_a_page_elsewhere_opens_no_game_by_itself(tmp_path):
    browser = Visitor(create_app(LabSettings(data=tmp_path, warm=False)))
    link = f"/play?s={encode(SMALL)}"
    asked = browser.http.get(link, headers={"sec-fetch-site": "cross-site"}, follow_redirects=False)
    assert asked.status_code == 200
    assert 'id="go"' in asked.text
    came = browser.http.get(link, headers={"sec-fetch-site": "same-origin"}, follow_redirects=False)
    assert came.status_code == 303


@pytest.mark.parametrize(("noise", "variance"), [(0.0005, 2.5e-7), (0.02, 4e-4), (1.5, 2.25)])
def test_small_noise_that_is_drawn_is_the_noise_that_is_assumed(noise, variance):
    drawn = {"weights": [[0, 1.2, 0], [0, 0, -0.9], [0, 0, 0]], "noise": [noise] * 3, "goal": 2}
    found = Scenario.from_json({"config": {"n": 3, "experiments": 2}, "drawn": drawn})
    assert found.config.noise_variance == pytest.approx(max(variance, 1e-6))


# -- one's own games ------------------------------------------------------------------------------


def listed(visitor):
    logs = visitor.http.get("/api/look/logs").json()["logs"]
    return [log for log in logs if log["shown"].startswith("my games")]


def test_a_finished_game_is_a_log_that_look_back_lists_for_its_player_alone(app, folder):
    me, other = Visitor(app), Visitor(app)
    game, _ = me.play(DRAWN, (0, 2.0), (1, 2.0), (1, -2.0))
    (log,) = listed(me)
    assert (log["world"], log["player"], log["rows"], log["complete"]) == ("dag", "person", 1, True)
    index = me.http.get("/api/look/episodes", params={"log": log["key"]}).json()
    episode = me.http.get(
        "/api/look/episode", params={"log": log["key"], "at": index["rows"][0]["at"]}
    ).json()
    assert [(s["target"], s["value"]) for s in episode["steps"]] == [(0, 2), (1, 2), (1, -2)]
    end = me.http.get(f"{game}/end").json()
    assert episode["returns"] == pytest.approx(end["score"]["you"], abs=1e-5)
    # The system was drawn by hand: watching others must not show one drawn by lot.
    again = decode(episode["again"])
    np.testing.assert_allclose(again.drawn.weights, DRAWN.drawn.weights, rtol=1e-6)
    # Nobody else lists or opens it, by its short name or by its path.
    (path,) = folder.glob(f"games/*/{log['key']}")
    assert listed(other) == []
    for name in (log["key"], str(path), str(path / "shard-00000.parquet")):
        answer = other.http.get("/api/look/log", params={"log": name})
        assert answer.status_code == 422
        assert "nothing of this name" in answer.json()["error"]
    assert me.http.get("/api/look/log", params={"log": str(path)}).status_code == 200


def test_games_are_not_found_through_a_log_folder_above_them(tmp_path):
    app = create_app(LabSettings(data=tmp_path / "lab", logs=(tmp_path,), warm=False))
    me, other = Visitor(app), Visitor(app)
    me.play(DRAWN, (0, 2.0), (1, 2.0), (1, -2.0))
    assert len(me.http.get("/api/look/logs").json()["logs"]) == 1
    assert other.http.get("/api/look/logs").json()["logs"] == []
    (path,) = tmp_path.glob("lab/games/*/*")
    answer = other.http.get("/api/look/log", params={"log": str(path.relative_to(tmp_path))})
    assert answer.status_code == 422


def test_a_game_that_ended_before_a_kill_is_listed_after_it(tmp_path):
    app = create_app(LabSettings(data=tmp_path, warm=False))
    app.state.lab.background.close(0)  # nothing more is done in the background: as if killed
    me = Visitor(app)
    me.play(DRAWN, (0, 2.0), (1, 2.0), (1, -2.0))
    assert listed(me) == []
    after = Visitor(create_app(LabSettings(data=tmp_path, warm=False)))
    after.http.cookies = me.http.cookies
    assert len(listed(after)) == 1


# -- no cold start --------------------------------------------------------------------------------


def test_the_verdict_waits_for_no_compiler(caplog):
    scenario = Scenario(worlds.configure(n=4, experiments=1), seed=8)
    game, moves = scenario.begin(), [(0, 2.0)]
    game.act(*moves[0])
    moves.append(((int(game.observation.goal) + 1) % 4, 2.0))
    game.act(*moves[1])
    with caplog.at_level("WARNING", "jax"), jax.log_compiles():
        (one,) = tries(game, moves)
    here = threading.get_ident()
    assert not [r.message for r in caplog.records if r.thread == here and "ompil" in r.message]
    assert one.most == pytest.approx(game.oracle_return, abs=1e-5)
    assert one.worth == pytest.approx(game.returns, abs=1e-5)


def test_the_verdict_waits_for_no_player_to_be_read(me, monkeypatch):
    def nobody(*_):
        raise AssertionError("read")

    monkeypatch.setattr("seedo.lab._cast.find_player", nobody)
    game, _ = me.play(DRAWN, (0, 2.0), (1, 2.0), (1, -2.0))
    end = me.http.get(f"{game}/end", params={"others": False}).json()
    assert end["verdict"].startswith("You chose B at −2")


def test_who_asks_comes_before_what_is_only_warmed_up_and_never_beside_it(app):
    findings, order = app.state.lab.services[Findings], []
    go = threading.Event()
    findings.ahead("one", lambda: go.wait(10))
    last = findings.ahead("one", lambda: order.append("warmed"))
    me = Visitor(app)
    game = me.start(DRAWN).rpartition("/")[2]
    findings.ask(game, "part", "one", lambda: order.append("asked"))
    assert order == []
    go.set()
    last.wait(10)
    assert order == ["asked", "warmed"]
