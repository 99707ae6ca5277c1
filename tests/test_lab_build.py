"""Build: systems are sampled, drawn, shared and shown for what they are."""

import json
import os
import re
from contextlib import contextmanager

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import expect
from starlette.testclient import TestClient

from lab_client import visitor
from lab_server import running
from seedo.errors import UserError
from seedo.experimenters import find_player, is_trained
from seedo.lab import LabSettings, Scenario, _challenges, create_app, decode, encode
from seedo.lab._cast import Role
from seedo.lab._glance import Sight
from seedo.lab._naming import Naming
from seedo.lab._presets import presets
from seedo.lab._shown import Shown

ROLES = [
    Role("scripted:random", "Random", "heuristic"),
    Role("bayes:eig", "Bayesian (most information)", "bayesian", "hidden confounders"),
]
"""In place of the real cast, whose networks take a while to read; `test_lab_watch` reads them."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    return visitor(tmp_path_factory.mktemp("lab"))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        if not os.environ.get("SEEDO_FIGURES"):  # figures show the real one
            patch.setattr(Shown, "cast", lambda *given: ROLES)
        with running(tmp_path_factory.mktemp("lab")) as address:
            yield address


PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}


def drawn(weights, n=None, **more):
    weights = [list(map(float, row)) for row in weights]
    n = n or len(weights)
    own = {"config": {"n": n, "experiments": 3}, "drawn": {"weights": weights, "goal": n - 1}}
    return own | more


def sight(scenario):
    return Sight.of(scenario).to_json(scenario.config)


# -- what is said of a system ----------------------------------------------------------------------


@pytest.mark.parametrize("mechanism", ["linear", "leaky-relu"])
def test_worth_and_correlation_are_those_of_many_draws(mechanism):
    config = {"n": 3, "mechanism": mechanism, "confounders": 1, "do_values": [-1.5, 2.0]}
    plain = {"config": config, "seed": 4}
    if mechanism == "linear":
        weights = [[0, 0.8, 0.5], [0, 0, -1.2], [0, 0, 0], [1.5, 0, 2.0]]
        plain |= {"drawn": drawn([[*row, 0] for row in weights])["drawn"] | {"goal": 2}}
    shown = Sight.of(Scenario.from_json(plain))
    rng = np.random.default_rng(0)

    def simulate(target=None, value=0.0, draws=60_000):
        x = np.zeros((draws, 4))
        noise = rng.normal(size=x.shape) * shown.noise
        for i in nx.topological_sort(nx.from_numpy_array(shown.weights, create_using=nx.DiGraph)):
            x[:, i] = noise[:, i] + x @ shown.weights[:, i]
            if mechanism == "leaky-relu" and shown.weights[:, i].any():
                x[:, i] = np.where(x[:, i] > 0, x[:, i], 0.2 * x[:, i])
            if i == target:
                x[:, i] = value
        return x[:, :3]

    tight = {"linear": 0.03, "leaky-relu": 0.25}[mechanism]
    for i in range(3):
        for v, value in enumerate((-1.5, 2.0)):
            assert np.allclose(shown.expected[i, v], simulate(i, value).mean(0), atol=tight)
    assert np.allclose(shown.correlation, np.corrcoef(simulate().T), atol=0.05)


@pytest.mark.parametrize("names", ["letters", "familiar"])
def test_what_is_shown_is_the_system_that_is_played(names):
    config = {"n": 3, "experiments": 4, "observations": 2, "exploits": 2, "goals": "fresh"}
    scenario = Scenario.from_json({"config": config, "names": names, "seed": 7, "index": 3})
    shown, episode = Sight.of(scenario), scenario.begin()
    assert np.array_equal(shown.weights, np.asarray(episode.task.system.weights, float))
    assert shown.goals == tuple(dict.fromkeys(np.asarray(episode.task.goal)[-2:].tolist()))
    assert shown.naming == Naming.of(scenario, episode)


def test_every_example_shows_what_its_line_says():
    shown = {p.name: (p.scenario, sight(p.scenario)) for p in presets() if p.scenario.drawn}
    worth = {n: {r["target"]: r["worth"] for r in s["rows"]} for n, (_, s) in shown.items()}
    r = {n: {r["target"]: r["correlation"] for r in s["rows"]} for n, (_, s) in shown.items()}
    assert r["chain"][1] > r["chain"][0]
    assert worth["chain"][0] > worth["chain"][1]
    assert worth["fork"][1] == 0 < 0.5 < r["fork"][1]
    assert Sight.of(shown["collider"][0]).correlation[0, 1] == 0
    assert r["confounded"][0] > 0.5
    assert shown["confounded"][1]["guess"]["worth"] < 0
    assert shown["mediator"][0].drawn.weights[0][2] < 0 < worth["mediator"][0]
    assert shown["mediator"][1]["best"]["target"] == 0
    assert r["instrument"][1] < 0 < r["instrument"][0]
    assert worth["instrument"][1] > 0
    misleading = {name for name, (_, s) in shown.items() if s["misleads"]}
    assert misleading == {"chain", "confounded", "mediator", "instrument"}


def test_in_the_example_of_the_held_out_link_d_is_the_best_lever_for_e():
    (held,) = (p.scenario for p in presets() if p.name == "heldout-link")
    assert sight(held)["best"]["target"] == 3
    assert sight(held)["goals"] == [4]


@given(st.lists(st.lists(st.sampled_from([0.0, 0.0, 1.0, -2.0]), min_size=4, max_size=4),
                min_size=4, max_size=4))  # fmt: skip
def test_a_drawn_graph_is_taken_exactly_if_it_has_no_circle(weights):
    graph = nx.from_numpy_array(np.array(weights) != 0, create_using=nx.DiGraph)
    if nx.is_directed_acyclic_graph(graph):
        scenario = Scenario.from_json(drawn(weights))
        assert Sight.of(scenario).weights.tolist() == weights
        assert decode(encode(scenario)) == scenario
    else:
        with pytest.raises(UserError, match="no variable may cause itself"):
            Scenario.from_json(drawn(weights))


# -- files and challenges --------------------------------------------------------------------------


def test_a_downloaded_file_opens_as_the_same_scenario(browser):
    plain = drawn([[0, 1.5, 0], [0, 0, -0.25], [0, 0, 0]], names="nonsense", seed=3)
    code = browser.post("/api/build/look", json={"scenario": plain}).json()["code"]
    file = browser.get("/api/build/file", params={"s": code})
    assert "attachment" in file.headers["content-disposition"]
    opened = browser.post("/api/build/open", json={"text": file.text}).json()
    assert opened["code"] == code
    assert opened["sight"]["weights"][1][2] == -0.25


@pytest.mark.parametrize("text", [
    "", "[]", "{", "nonsense", '{"world": "moon"}', '{"config": {"n": 1e400}}', '{"seed": NaN}',
    '{"config": {"n": 99}}', '{"config": {"weight_scale": 1' + "0" * 400 + "}}", "9" * 5000,
    '{"drawn": {"weights": [[0, "__import__"], [0, 0]]}}', '{"config": {"__class__": 1}}',
    '{"config": {"split": "heldout-link", "do_values": [0]}}', "[" * 5000,
    '{"drawn": {"weights": [[0, 1e308], [0, 0]]}, "config": {"n": 2}}', '{"\\ud800": 1}',
    "\ud800", "x" * 65_537, "é" * 40_000,
])  # fmt: skip
def test_a_bad_file_is_refused_in_one_line(browser, text):
    answer = browser.post("/api/build/open", content=json.dumps({"text": text}))
    assert answer.status_code == 422
    (line,) = answer.json()["error"].splitlines()
    assert 0 < len(line) < 300


def test_a_challenge_is_kept_and_its_link_tells_nothing(browser):
    plain = drawn([[0, 1.5], [0, 0]])
    made = [browser.post("/api/build/challenge", json={"scenario": plain}) for _ in range(2)]
    (link,) = {m.json()["link"] for m in made}
    other = browser.post("/api/build/challenge", json={"scenario": plain | {"seed": 1}}).json()
    assert other["link"] != link
    assert len(link) < 40
    kept = _challenges.get(browser.app.state.lab.engine, link.partition("=")[2])
    assert kept == Scenario.from_json(plain)


def test_links_for_others_are_ones_that_they_can_open(tmp_path):
    app = create_app(LabSettings(data=tmp_path, warm=False, host="0.0.0.0", token="t" * 16))
    here = TestClient(app, base_url="http://localhost:8787")
    page = here.get("/build", params={"token": "t" * 16}).text
    address = json.loads(re.search(r'id="data">(.*?)</script>', page)[1])["address"]
    host = re.fullmatch(r"http://([^/]+):8787", address)[1]
    assert host not in ("localhost", "127.0.0.1", "0.0.0.0")
    assert TestClient(app, base_url=address).get(f"/build?token={'t' * 16}").status_code == 200
    assert "Links open on this machine only" not in page


def test_a_challenge_that_was_never_made_is_not_found(browser):
    assert browser.get("/play?challenge=0000000000000000").status_code == 404


def test_a_damaged_link_is_refused_with_what_to_do(browser):
    answer = browser.get("/build?s=abc")
    assert answer.status_code == 422
    assert "copy it again" in answer.text


def test_who_cannot_act_is_told_why(browser, monkeypatch):
    monkeypatch.setattr("seedo.lab._cast.find_player", _no_networks)
    plain = drawn([[0, 1.5, 0], [0, 0, 0], [1, 1, 0]], n=2)
    roles = browser.post("/api/build/cast", json={"scenario": plain}).json()["roles"]
    said = {role["label"]: role["why_not"] for role in roles}
    assert said["Random"] == ""
    assert "hidden" in said["Bayesian (most information)"]


def _no_networks(name, world):
    if is_trained(name):
        raise UserError("agent", name, "not in this test")
    return find_player(name, world)


# -- in the browser --------------------------------------------------------------------------------


@contextmanager
def looked(page):
    """What is done within has been answered and shown."""
    with page.expect_response("**/api/build/look") as answer:
        yield
    answer.value.finished()
    expect(page.locator("#bench")).not_to_have_attribute("aria-busy", "true")


def arrows(page):
    return page.locator("#arrows tbody th").all_inner_texts()


def opened(visit, lab, query="", **screen):
    page = visit(f"{lab}/build{query}", **screen)
    page.locator("#verdict").wait_for()
    return page


def blank(visit, lab):
    page = opened(visit, lab, f"?s={encode(presets()[0].scenario)}")
    with looked(page):
        page.get_by_role("button", name="Blank page").click()
    assert arrows(page) == []
    return page


def drag(page, start, end):
    centres = []
    for name in (start, end):
        box = page.locator(f"[data-node]:has(text:text-is('{name}')) circle").first.bounding_box()
        centres.append((box["x"] + box["width"] / 2, box["y"] + box["height"] / 2))
    page.mouse.move(*centres[0])
    page.mouse.down()
    page.mouse.move(*centres[1], steps=4)
    page.mouse.up()


def test_a_new_system_is_sampled_at_one_click(lab, visit):
    page = opened(visit, lab, f"?s={encode(Scenario.from_json({'config': {'n': 3}}))}")
    before = page.url
    with looked(page):
        page.get_by_role("button", name="New system").click()
    page.get_by_text("number 1").wait_for()
    code = page.url.partition("?s=")[2]
    assert page.url != before
    assert decode(code).index == 1
    shown = page.locator("#graph .edge").count()
    assert shown == np.count_nonzero(Sight.of(decode(code)).weights)
    with looked(page):
        page.go_back()
    assert page.url == before


def test_a_graph_is_drawn_with_the_mouse(lab, visit):
    page = blank(visit, lab)
    page.get_by_role("button", name="Connect").click()
    with looked(page):
        drag(page, "A", "B")
    with looked(page):
        drag(page, "B", "C")
    assert arrows(page) == ["A → B", "B → C"]
    drag(page, "C", "A")  # would close a circle
    page.get_by_text("A → B → C → A is a circle, and no variable may cause itself").wait_for()
    assert arrows(page) == ["A → B", "B → C"]
    visit.wrong.clear()  # the browser logs the refusal
    with looked(page):
        page.get_by_role("button", name="Add hidden cause").click()
    with looked(page):
        drag(page, "H1", "C")
    page.get_by_role("button", name="Move", exact=True).click()
    with looked(page):
        drag(page, "A", "H1")
    with looked(page):
        page.get_by_role("button", name="Add variable").click()
    with looked(page):
        page.get_by_role("button", name="Remove B → C").click()
    made = decode(page.url.partition("?s=")[2])
    assert (made.config.n, made.config.confounders) == (4, 1)
    assert np.argwhere(np.array(made.drawn.weights)).tolist() == [[0, 1], [4, 2]]
    assert np.allclose(made.drawn.places[0], made.drawn.places[4], atol=0.02)


def test_a_graph_is_drawn_with_the_keyboard_alone(lab, visit):
    page = blank(visit, lab)
    press = page.keyboard.press
    page.locator("#graph [data-node='0']").focus()
    with looked(page):
        press("ArrowRight")
    press("c")
    press("Tab")
    with looked(page):
        press("Enter")
    page.locator("#arrows tbody tr").wait_for()
    assert arrows(page) == ["A → B"]
    page.locator("#from").focus()
    press("ArrowDown")  # from B
    press("Tab")
    press("ArrowDown")  # to C
    press("Tab")
    with looked(page):
        press("Enter")
    page.locator("#arrows tbody tr").nth(1).wait_for()
    page.get_by_label("Weight of B → C, slider").focus()
    with looked(page):
        press("ArrowRight")
    made = decode(page.url.partition("?s=")[2]).drawn
    assert np.allclose(made.weights, [[0, 1, 0], [0, 0, 1.1], [0, 0, 0]])
    assert made.places[0][0] == pytest.approx(0.23)
    page.locator("#graph [data-node='2']").focus()
    with looked(page):
        press("Delete")
    assert arrows(page) == ["A → B"]
    with looked(page):
        press("Control+z")
    assert arrows(page) == ["A → B", "B → C"]
    with looked(page):
        press("Control+y")
    assert arrows(page) == ["A → B"]


def test_a_new_variable_lies_on_no_arrow_and_on_no_other(lab, visit):
    page = opened(visit, lab, f"?s={encode(presets()[3].scenario)}")
    for name in ("Add variable", "Add hidden cause", "Add variable"):
        with looked(page):
            page.get_by_role("button", name=name).click()
    made = decode(page.url.partition("?s=")[2]).drawn
    places = 320 * np.array(made.places)
    for i, place in enumerate(places):
        others = np.delete(places, i, 0)
        assert np.hypot(*(others - place).T).min() > 50  # two radii of 21 and some air
        for a, b in np.argwhere(np.array(made.weights)):
            if i not in (a, b):
                along = np.linspace(places[a], places[b], 200)
                assert np.hypot(*(along - place).T).min() > 24


def test_every_row_of_the_options_is_one_setting_and_its_own_worth(lab, visit):
    scenario = presets()[3].scenario  # correlation misleads: it says A to 2, the best of A is -2
    page = opened(visit, lab, f"?s={encode(scenario)}")
    expected = Sight.of(scenario).expected[:, :, 2]
    marked = {}
    for row in page.locator("#glance tbody tr").all():
        name, value, worth, _, mark = row.locator("th, td").all_inner_texts()
        v = scenario.config.do_values.index(float(value.replace("−", "-")))
        assert float(worth.replace("−", "-")) == pytest.approx(expected["ABC".index(name), v])
        marked |= {mark: f"{name} to {value}"} if mark else {}
    said = page.locator("#guess").inner_text()
    assert marked["correlation’s choice"] == "A to 2"
    assert said.startswith("set A to 2: C becomes −1")
    assert marked["best"] == page.locator("#best").inner_text()[4:].partition(":")[0]


def test_nobody_without_a_keyboard_is_told_of_keys(lab, chromium):
    context = chromium.new_context(**PHONE)
    page = context.new_page()
    page.goto(f"{lab}/build?s={encode(presets()[0].scenario)}")
    page.locator("#verdict").wait_for()
    shown = page.locator("body").inner_text()
    assert not re.search(r"keyboard|Shift|arrow keys|Ctrl|Esc\b", shown)
    page.goto(f"{lab}/play?s={encode(presets()[0].scenario)}")
    page.get_by_role("button", name="Look", exact=True).click()
    page.get_by_text("Experiment 1 of 4").wait_for()
    assert "Keys:" not in page.locator("body").inner_text()
    context.close()


def test_sliders_change_the_task_and_the_best_that_can_be_done(lab, visit):
    page = opened(visit, lab, f"?s={encode(presets()[0].scenario)}")
    page.get_by_text("set A to 2: C becomes 3.6").wait_for()
    with looked(page):
        page.get_by_label("Weight of A → B, exact").fill("-3")
        page.keyboard.press("Tab")
    page.get_by_text("set A to −2: C becomes 7.2").wait_for()
    for label, config, keys in (
        ("Experiments", ("experiments", 5), "ArrowRight"),
        ("Observations before", ("observations", 3), "ArrowRight"),
        ("Exploit steps", ("exploits", 2), "ArrowRight"),
        ("Do-values up to plus or minus", ("do_values", (-2.5, 2.5)), "ArrowRight"),
    ):
        page.get_by_role("slider", name=label, exact=True).focus()
        with looked(page):
            page.keyboard.press(keys)
        made = decode(page.url.partition("?s=")[2])
        assert getattr(made.config, config[0]) == config[1]
        assert made.drawn is not None
    page.get_by_text("set A to −2.5: C becomes 9").wait_for()
    with looked(page):
        page.get_by_label("Noise of B, exact").fill("0.5")
        page.keyboard.press("Tab")
    assert decode(page.url.partition("?s=")[2]).drawn.noise[1] == 0.5
    assert page.locator("#experiments-shown").inner_text() == "5"


def test_names_are_shown_before_anybody_plays(lab, visit):
    chain = presets()[0].scenario
    page = opened(visit, lab, f"?s={encode(chain)}")
    with looked(page):
        page.get_by_label("Names").select_option("familiar")
    shown = page.locator("#called tbody td:nth-child(2)").all_inner_texts()
    named = Scenario.from_json(chain.to_json() | {"names": "familiar"})
    naming = Naming.of(named, named.begin())
    assert tuple(shown) == naming.words
    turned = page.locator("#called tbody td:nth-child(3)").all_inner_texts()
    assert [t == "sign turned" for t in turned] == [s < 0 for s in naming.signs]


def test_an_example_is_loaded_shared_and_played(lab, visit, figure):
    page = opened(visit, lab, f"?s={encode(presets()[0].scenario)}")
    with looked(page):
        page.get_by_role("button", name="Correlation misleads").click()
    page.get_by_text("Tricky: correlation misleads here").wait_for()
    page.get_by_text("What to notice: A hidden cause").wait_for()
    page.get_by_text("Bayesian (most information): cannot; hidden confounders").wait_for(
        timeout=120_000
    )
    code = page.url.partition("?s=")[2]
    page.mouse.move(1, 1)
    figure(page, "build", full_page=False)
    for name in ("Play it", "Watch it", "Compare on it"):
        assert page.get_by_role("link", name=name).get_attribute("href").endswith(f"?s={code}")
    link = page.get_by_label("Link, system and all").input_value()
    friend = visit(link)
    assert friend.locator("#guess").inner_text() == "set A to 2: C becomes −1 on average"
    page.reload()
    page.get_by_text("What to notice: A hidden cause").wait_for()


def test_a_file_is_downloaded_opened_and_refused_if_bad(lab, visit, tmp_path):
    page = opened(visit, lab, f"?s={encode(presets()[2].scenario)}")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download file").click()
    path = tmp_path / "mine.json"
    download.value.save_as(path)
    with looked(page):
        page.get_by_role("button", name="Fork").click()
    assert arrows(page) == ["A → B", "A → C"]
    page.get_by_label("Open a file").set_input_files(path)
    page.get_by_text("mine.json opened").wait_for()
    assert arrows(page) == ["A → C", "B → C"]
    for content, line in ((b"{}]", "not readable"), (b" " * 70_000, "larger than 64 KB")):
        path.write_bytes(content)
        page.get_by_label("Open a file").set_input_files(path)
        page.locator("#said", has_text=line).wait_for()
        assert arrows(page) == ["A → C", "B → C"]
    visit.wrong.clear()  # the browser logs the refusals


def test_whoever_follows_a_challenge_is_not_shown_the_system(lab, visit):
    page = opened(visit, lab, f"?s={encode(presets()[3].scenario)}")
    page.get_by_role("button", name="Make challenge").click()
    expect(page.locator("#challenge-link")).not_to_have_value("")
    link = page.locator("#challenge-link").input_value()
    assert page.url.partition("?s=")[2] not in link
    assert link.startswith(f"{lab}/play?challenge=")
    assert page.get_by_text("Links open on this machine only").is_visible()
    follower = visit(link)
    assert "weights" not in follower.content()
    assert "-0.5" not in follower.content()


def test_a_narrow_dark_screen_shows_all_of_it(lab, visit):
    page = opened(visit, lab, f"?s={encode(presets()[3].scenario)}", width=360, scheme="dark")
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_a_system_of_rooms_can_be_set_up_too(lab, visit):
    page = opened(visit, lab, f"?s={encode(presets()[0].scenario)}")
    with looked(page):
        page.get_by_label("World").select_option("rooms")
    with looked(page):
        page.get_by_label("Level").select_option("basic")
    assert decode(page.url.partition("?s=")[2]).config.level == "basic"
    assert page.get_by_text("Rooms have no graph").is_visible()
