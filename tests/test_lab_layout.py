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
