"""Compare, through HTTP and in a real browser."""

import io
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import jax.numpy as jnp
import pyarrow.parquet as pq
import pytest

import layout
from lab_client import visitor
from lab_server import running
from seedo import evaluation, play, worlds
from seedo.cli import WorldOptions
from seedo.episodes import from_arrow
from seedo.lab import Drawn, Scenario, encode
from seedo.lab._comparison import above_one
from seedo.lab._palette import look
from seedo.lab._scenario import redrawn

SMALL = Scenario(worlds.configure(n=3))
PLAYERS = ("scripted:random", "bayes:eig")


def asked(**changes):
    return {
        "scenario": encode(SMALL),
        "players": ["scripted:random", "scripted:largest-effect"],
        "episodes": 150,
        "seed": 3,
        "sweep": "confounders",
        "values": [0, 1],
    } | changes


def begun(browser, **changes):
    answer = browser.post("/api/compare", json=asked(**changes))
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def finished(browser, name):
    for _ in range(1200):
        found = browser.get(f"/api/compare/{name}").json()
        if found["state"] not in ("queued", "running"):
            return found
        time.sleep(0.1)
    raise AssertionError(found)


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A visitor, and its finished comparison of two players at two values."""
    folder = tmp_path_factory.mktemp("compared")
    browser = visitor(folder)
    name = begun(browser, players=list(PLAYERS))
    assert finished(browser, name)["state"] == "done"
    return browser, name, folder / "comparisons" / name


@pytest.mark.slow
def test_numbers_are_those_of_the_episodes_that_perform_would_play(compared):
    browser, name, _ = compared
    cells = browser.get(f"/api/compare/{name}/data.json").json()["cells"]
    world = worlds.make("dag", n=3)
    for cell in cells[:2]:
        who = play.find_player(cell["player"], world)
        batch = play.episodes(world, who, 3, "perform", 0, 150, systems=True)
        readings = evaluation.read(batch)
        truth = evaluation.measure(batch, readings, evaluation.episode_returns(batch, readings))
        for field, of in (
            ("mean_return", truth.mean_return),
            ("return_ratio", truth.return_ratio),
            ("bayes_ratio", truth.bayes_ratio),
            ("random_ratio", truth.random_floor),
        ):
            ends = [cell[field][end] for end in ("value", "low", "high")]
            assert ends == pytest.approx([of.value, of.low, of.high], abs=1e-5), field


@pytest.mark.slow
def test_logs_of_a_cell_are_the_paired_episodes(compared):
    browser, name, _ = compared
    batches = []
    for index in range(2):
        packed = browser.get(f"/api/compare/{name}/logs/{index}.zip").content
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            (shard,) = [n for n in archive.namelist() if n.endswith(".parquet")]
            batches.append(from_arrow(pq.read_table(io.BytesIO(archive.read(shard)))))
    first, second = batches
    assert first.rows == 150
    assert first.system == second.system
    assert first.target.tolist() != second.target.tolist()


def test_a_player_that_cannot_act_at_a_value_leaves_a_gap_with_the_reason(compared):
    browser, name, _ = compared
    gap = browser.get(f"/api/compare/{name}").json()["cells"][3]
    assert (gap["player"], gap["value"], gap["state"]) == ("bayes:eig", 1, "gap")
    assert "confounders" in gap["reason"]
    table = browser.get(f"/api/compare/{name}/data.csv").text.splitlines()
    assert len(table) == 1 + 4
    assert "confounders" in table[4]


def test_the_command_line_of_a_cell_describes_the_same_world(compared):
    browser, name, _ = compared
    cell = browser.get(f"/api/compare/{name}").json()["cells"][2]
    words = cell["command"].split()
    option = {words[i]: words[i + 1] for i in range(3, len(words), 2)}
    world = WorldOptions(
        option["--world"], option["--preset"], option["--split"], int(option["--n"]),
        [option["--set"]],
    ).make()  # fmt: skip
    assert world.config() == SMALL.config.to_dict() | {"confounders": 1}
    assert (option["--episodes"], option["--seed"]) == ("150", "3")


def test_figures_come_as_svg_and_png_in_both_themes(compared):
    browser, name, _ = compared
    light, dark = (
        browser.get(f"/api/compare/{name}/figure.svg", params={"dark": dark}) for dark in (0, 1)
    )
    assert light.headers["content-type"] == "image/svg+xml"
    assert light.content != dark.content
    assert browser.get(f"/api/compare/{name}/figure.png").content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("value", "low", "said"),
    [
        (1.03, 0.98, "chance: 1 is within"),
        (1.03, None, "chance: 1 is within"),
        (1.2, 1.1, "hardly chance"),
        (1.0004, 1.0001, ""),  # 1.000 on the page
        (1.0, 1.0, ""),
        (0.9, 0.8, ""),
        (-0.08, -0.2, ""),
        (None, None, ""),
    ],
)
def test_a_bayes_ratio_above_one_says_whether_chance_explains_it(value, low, said):
    found = above_one({"value": value, "low": low})
    assert found.startswith(said)
    assert bool(found) == bool(said)


def test_a_figure_is_as_wide_as_its_page_and_players_keep_their_look(compared):
    browser, name, _ = compared
    path = f"/api/compare/{name}/figure.svg"
    for width in (320, 1500):
        drawn = browser.get(path, params={"width": width}).text
        points = float(re.search(r'<svg[^>]* width="([0-9.]+)pt"', drawn)[1])
        assert points * 96 / 72 == pytest.approx(width, abs=1)
        assert all(look(player).light in drawn for player in PLAYERS)
    assert browser.get(path, params={"width": 5}).status_code == 422


def test_another_visitor_does_not_see_a_comparison(compared):
    browser, name, _ = compared
    own = browser.cookies
    other = type(browser)(browser.app, base_url="http://localhost")
    assert other.cookies != own
    assert other.get(f"/api/compare/{name}").status_code == 404
    assert other.get("/compare", params={"id": name}).status_code == 404
    assert other.get("/api/compare").json() == {"comparisons": []}


_LAB = """
import sys, time
from pathlib import Path
from seedo.lab import LabSettings, create_app
create_app(LabSettings(data=Path(sys.argv[1]), warm=False))
time.sleep(600)
"""


@pytest.mark.slow
def test_a_comparison_killed_between_cells_ends_with_the_same_bytes(compared, tmp_path):
    browser, name, whole = compared
    folder = tmp_path / "comparisons" / name
    (folder / "cells").mkdir(parents=True)
    (folder / "comparison.json").write_bytes((whole / "comparison.json").read_bytes())
    lab = subprocess.Popen([sys.executable, "-c", _LAB, str(tmp_path)])
    deadline = time.monotonic() + 120
    while not list((folder / "cells").glob("*.json")):
        assert lab.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    lab.send_signal(signal.SIGKILL)
    lab.wait()
    assert not (folder / "end.json").exists(), "it was over before the kill"

    again = visitor(tmp_path)
    again.cookies = browser.cookies
    assert finished(again, name)["state"] == "done"
    for file in ("data.json", "data.csv", "figure.svg"):
        path = f"/api/compare/{name}/{file}"
        assert again.get(path).content == browser.get(path).content, file


def test_a_drawn_system_is_the_same_in_every_episode_under_fresh_noise(tmp_path):
    weights = ((0.0, 1.5, 0.0), (0.0, 0.0, -1.0), (0.0, 0.0, 0.0))
    drawn = redrawn(SMALL, Drawn(weights, (1.0, 0.5, 1.0), 2))
    browser = visitor(tmp_path)
    changes = {"scenario": encode(drawn), "players": ["scripted:random"], "episodes": 20}
    name = begun(browser, **changes, sweep="", values=[])
    (cell,) = finished(browser, name)["cells"]
    # Raising C: B at -2 does most, 2.
    assert cell["oracle_return"]["value"] == pytest.approx(2 * 1.5 * 1.0, abs=1e-4)
    assert cell["command"] == ""
    packed = browser.get(f"/api/compare/{name}/logs/0.zip").content
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        (shard,) = [n for n in archive.namelist() if n.endswith(".parquet")]
        batch = from_arrow(pq.read_table(io.BytesIO(archive.read(shard))))
    assert len(set(batch.system)) == 1
    system = worlds.System(jnp.asarray(weights), jnp.asarray([1.0, 0.5, 1.0]))
    given = drawn.stage().given(system, 2)
    for i in range(3):
        live = play.Live(drawn.stage(), 3, "perform", int(batch.episode_id[i]), given)
        seen = live.act(int(batch.target[i, 0]), float(batch.value[i, 0])).outcome
        assert batch.outcome[i, 0] == pytest.approx(seen, abs=1e-5)


def test_a_cancelled_comparison_stops_and_goes_on_when_asked(tmp_path):
    browser = visitor(tmp_path)
    name = begun(browser, episodes=20_000, players=["scripted:random"], values=[0, 1])
    waiting = begun(browser, sweep="", values=[], players=["scripted:random"])
    assert browser.get(f"/api/compare/{waiting}").json()["ahead"] == 1
    assert browser.post(f"/api/compare/{name}/cancel").json()["state"] == "cancelled"
    assert finished(browser, waiting)["state"] == "done"
    assert browser.get(f"/api/compare/{name}").json()["state"] == "cancelled"
    assert browser.post(f"/api/compare/{waiting}/continue").json()["state"] == "done"
    assert browser.delete(f"/api/compare/{name}").status_code == 200
    assert browser.get(f"/api/compare/{name}").status_code == 404
    assert not (tmp_path / "comparisons" / name).exists()


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("players", {"players": ["scripted:random", "scripted:random"]}),
        ("players", {"players": ["../secret"]}),
        ("players", {"players": ["pretrained:dag-text"]}),
        ("players", {"players": []}),
        ("episodes", {"episodes": 9}),
        ("episodes", {"episodes": 20_001}),
        ("seed", {"seed": -1}),
        ("sweep", {"sweep": "mechanism"}),
        ("values", {"values": [0, 0]}),
        ("values", {"values": [0.5]}),
        ("values", {"values": [4]}),
        ("number of values", {"values": []}),
        ("values", {"sweep": "", "values": [1]}),
        ("link", {"scenario": "x"}),
    ],
)
def test_what_cannot_be_compared_is_refused_by_name(compared, field, changes):
    answer = compared[0].post("/api/compare", json=asked(**changes))
    assert answer.status_code == 422
    assert answer.json()["field"].split(".")[0] == field


def test_noise_of_a_drawn_system_cannot_vary(compared):
    drawn = redrawn(SMALL, Drawn(((0, 1, 0), (0, 0, 1), (0, 0, 0)), (1, 1, 1), 2))
    changes = asked(scenario=encode(drawn), sweep="noise_variance", values=[1, 2])
    answer = compared[0].post("/api/compare", json=changes)
    assert (answer.status_code, answer.json()["field"]) == (422, "sweep")


def test_a_person_compares_two_players_over_two_values(tmp_path, visit, figure):
    from playwright.sync_api import expect

    with running(tmp_path) as lab:
        page = visit(f"{lab}/compare?s={encode(SMALL)}")
        cast = page.locator("#cast")
        page.get_by_label("Random", exact=True).wait_for()
        for box in cast.get_by_role("checkbox").all():
            if box.is_checked():
                box.uncheck()
        for name in ("Random", "Largest effect (best heuristic)"):
            page.get_by_label(name, exact=True).check()
        plain = page.get_by_label("Seedo, plain network", exact=True)
        assert plain.is_disabled()
        assert "5 variables only" in cast.inner_text()
        page.get_by_label("Setting").select_option("confounders")
        page.get_by_label("Values, separated").fill("0, oops")
        page.get_by_role("button", name="Compare").click()
        assert "write numbers" in page.locator("#said").inner_text()
        page.get_by_label("Values, separated").fill("0, 1")
        page.get_by_label("Episodes of each").fill("300")
        page.get_by_role("button", name="Compare").click()
        state = page.locator("#state")
        expect(state).to_contain_text("of 1,200 episodes")
        page.reload()  # a reload finds it again
        expect(state).to_have_text("Done: 1,200 of 1,200 episodes.", timeout=120_000)
        expect(page.locator("#plot")).to_have_attribute("src", re.compile("figure.svg.*done"))
        assert page.locator("#plot").evaluate("image => image.naturalWidth") > 0
        assert not layout.wrong_with(page)
        page.emulate_media(color_scheme="light", reduced_motion="no-preference")
        page.set_viewport_size({"width": 1920, "height": 900})
        expect(page.locator("#plot")).to_have_attribute("src", re.compile("dark=false&width=18"))
        drawn = page.locator("#plot").bounding_box()["width"]
        assert page.locator("#plot").evaluate("image => image.naturalWidth") > 0.9 * drawn
        page.set_viewport_size({"width": 1440, "height": 900})
        page.locator("details").evaluate_all("all => all.forEach((each) => (each.open = false))")
        assert "Largest effect (best heuristic): 0." in page.locator("#plot").get_attribute("alt")
        page.locator("#results-title").evaluate("title => title.scrollIntoView()")
        figure(page, "compare", full_page=False)
        assert page.get_by_role("button", name="Cancel").is_hidden()
        assert page.locator("#table tbody tr").count() == 2 * (2 + 2)
        assert page.get_by_text("chance: 1 is within").count() == 0  # both are far below
        with page.expect_download() as saved:
            page.get_by_role("link", name="Data (CSV)").click()
        table = Path(saved.value.path()).read_text().splitlines()
        assert table[0].startswith("confounders,player,episodes,seed,mean_return")
        assert len(table) == 1 + 4
        with page.expect_download() as saved:
            page.get_by_role("link", name="Figure (SVG)").click()
        assert "<svg" in Path(saved.value.path()).read_text()
        page.get_by_text("The same on the command line").click()
        assert page.locator("#lines").inner_text().count("seedo perform") == 4
        narrow = visit(lab, width=360, scheme="dark")
        narrow.context.add_cookies(page.context.cookies())
        narrow.goto(page.url)
        expect(narrow.locator("#plot")).to_have_attribute("src", re.compile("dark=true"))
        wide = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        assert narrow.evaluate(wide)
