"""Every page at every usual width, in light and in dark colours: nothing is cut off or covered, and
axe-core has nothing against it. States that take a game or a comparison are checked where the tests
of those pages reach them."""

import shutil
from contextlib import suppress

import pytest
from playwright.sync_api import TimeoutError

import layout
from lab_server import running
from seedo.experimenters import scripted
from seedo.lab import Scenario, encode
from seedo.lab._lab import PAGES
from seedo.lab.study import EXAMPLE
from seedo.play import perform
from seedo.worlds import configure, make

SMALL = encode(Scenario(configure(n=3)))
RAW = encode(Scenario.from_json({"world": "raw", "config": {"n": 3}}))
MENU = {name: address for address, name in PAGES}
MORE = {
    "a game": f"/play?s={SMALL}",
    "a raw game": f"/play?s={RAW}",
    "watching": f"/watch?s={SMALL}&players=scripted:random&players=scripted:expert&step=6",
    "watching raw": f"/watch?s={RAW}&players=scripted:random&step=3",
    "a log": "/look/log?log=run",
    "a broken log": "/look/log?log=broken",
    "a table": "/look/log?log=table.csv",
    "taking part": "/take/causes-example",
    "nowhere": "/nothing",
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    logs = tmp_path_factory.mktemp("logs")
    perform(make("dag", n=3), scripted("random"), 20, 3, logs / "run")
    shutil.copytree(logs / "run", logs / "broken")
    shard = sorted((logs / "broken").glob("*.parquet"))[0]
    shard.write_bytes(shard.read_bytes()[:100])
    (logs / "table.csv").write_text("X,Y,did\n1,2,X\n2,4.1,\n1.5,2.9,Y\n")
    with running(tmp_path_factory.mktemp("lab"), logs=(logs,), study=EXAMPLE) as address:
        yield address


@pytest.fixture(scope="module")
def page(chromium):
    """One page for the whole walk."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(30_000)
    yield page
    context.close()


@pytest.mark.parametrize("name", [*MENU, *MORE])
def test_nothing_is_cut_off_or_covered_and_axe_is_content(name, lab, page):
    page.goto(lab + (MENU | MORE)[name])
    with suppress(TimeoutError):
        page.wait_for_load_state("networkidle", timeout=10_000)
    assert not layout.wrong_with(page)


def test_a_game_under_way_lies_well(lab, page):
    page.goto(f"{lab}/play?s={SMALL}")
    for row in range(2):
        page.locator("#choices button:not(:disabled)").nth(row).click()
        page.locator("#rows tbody tr").nth(row).wait_for()
    assert not layout.wrong_with(page)


def test_a_lab_without_a_study_lies_well(tmp_path, page):
    with running(tmp_path) as lab:
        page.goto(f"{lab}/study")
        assert not layout.wrong_with(page)


def test_a_message_covers_nothing_once_the_page_is_scrolled(lab, page):
    page.goto(f"{lab}/look/log?log=run")
    page.locator("#episodes tbody tr").nth(5).wait_for()
    page.locator("#question").fill("x" * 20)
    page.get_by_role("button", name="Ask", exact=True).click()
    page.route("**/api/look/episodes*", lambda route: route.abort())
    page.evaluate("scrollTo(0, 0)")
    page.get_by_role("button", name="Filter").click()
    said = page.locator("#said")
    said.get_by_text("does not answer").wait_for()
    place = "element => getComputedStyle(element).position"
    assert said.evaluate(place) == "sticky"
    page.mouse.wheel(0, 200)
    page.locator("#said.read").wait_for(state="attached")
    assert said.evaluate(place) == "static"
    bottom = page.locator("main").bounding_box()
    assert said.bounding_box()["y"] >= bottom["y"] + bottom["height"]
    page.unroute("**/api/look/episodes*")


def test_the_checks_notice_what_lies_wrong(page):
    page.goto("about:blank")
    page.set_content("""<html lang=en><head><title>t</title><style>
        body { margin: 0; height: 3000px }
        .bar { position: fixed; top: 0; width: 100%; height: 40px }
        .cut { width: 60px; overflow: hidden; white-space: nowrap } .wide { width: 2500px }
        .scroll { overflow-x: auto; width: 90px } td { min-width: 60px }
        .on { position: absolute; top: 200px; left: 0 }
        </style></head><body><main><div class=bar>Bar</div><button>Under the bar</button>
        <p class=cut>What does not fit in here</p><div class=wide>Wide</div>
        <div class=scroll><table><tr><td>one<td>two</table></div>
        <p class=on>One text</p><p class=on>Another text</p></main></body></html>""")
    said = "\n".join(layout.misplaced(page, (1280,)))
    for line in (
        "1280 px: the page is 2500 px wide", "cut: <p> What does not fit", "does not fit: <table>",
        "<div> Bar covers <button> Under the bar", "text on text: <p> One text and <p> Another",
    ):  # fmt: skip
        assert line in said, line
    assert any("color" in line or "landmark" in line or "heading" in line or "region" in line
               for line in layout.violations(page, "light"))  # fmt: skip
