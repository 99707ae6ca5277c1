"""Everybody can use every page: by keyboard, by ear, on a phone, in the dark, in any colours."""

import re
from contextlib import suppress
from importlib import resources
from itertools import combinations

import numpy as np
import pytest
from playwright.sync_api import TimeoutError

import access
import layout
from lab_server import running
from seedo.experimenters import scripted
from seedo.lab import Scenario, encode
from seedo.lab.study import EXAMPLE, EXAMPLES
from seedo.play import perform
from seedo.worlds import configure, make

PAGES = {
    "home": "/",
    "tour": "/tour",
    "games": "/games",
    "challenge": "/challenge",
    "build": "/build",
    "play": "/play",
    "play-rooms": f"/play?s={encode(Scenario.from_json({'world': 'rooms'}))}",
    "watch": "/watch?players=scripted:random&players=scripted:largest-effect",
    "play-raw": f"/play?s={encode(Scenario.from_json({'world': 'raw', 'config': {'n': 3}}))}",
    "watch-raw": "/watch?world=raw&players=scripted:random",
    "compare": "/compare",
    "look": "/look",
    "data": "/data",
    "study": "/study",
    "take": "/take/causes-example",
    "nothing": "/nothing",
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    logs = tmp_path_factory.mktemp("logs")
    perform(make("dag", n=3), scripted("random"), 20, 3, logs / "run")
    with running(tmp_path_factory.mktemp("lab"), logs=(logs,), study=EXAMPLE) as address:
        yield address


@pytest.fixture(params=list(PAGES))
def address(request, lab, visit):
    yield lab + PAGES[request.param]
    if request.param == "nothing":
        visit.wrong.clear()  # the browser logs the 404


def settled(page):
    """The page once it has filled itself; what takes longer than that is said in it meanwhile."""
    with suppress(TimeoutError):
        page.wait_for_load_state("networkidle", timeout=10_000)
    return page


def wrong_with(page):
    """Everything that is wrong as the page stands; it is left narrow, dark and without motion."""
    wrong = access.complaints(page, "structure", "contrast", "targets", "width")
    wrong += access.nameless(page)
    wrong += access.by_keyboard(page)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    wrong += [f"dark: {line}" for line in access.complaints(page, "contrast", "motion")]
    page.set_viewport_size({"width": 360, "height": 740})
    wrong += [f"360 px: {line}" for line in access.complaints(page, "width", "targets")]
    return "\n".join(wrong)


def test_a_page_is_usable_in_every_way(address, visit):
    assert not wrong_with(settled(visit(address)))


@pytest.mark.slow
def test_a_game_stays_usable_to_its_end(lab, visit):
    page = settled(visit(f"{lab}/play?s={encode(Scenario(configure(n=3)))}"))
    while page.locator("#end").is_hidden():
        rows = page.locator("#rows tbody tr").count()
        page.locator("#choices button:not(:disabled)").nth(rows).click()
        page.locator("#rows tbody tr").nth(rows).wait_for()
    page.locator("#end[data-done=true]").wait_for(timeout=150_000)
    assert not layout.wrong_with(page)
    assert not wrong_with(page)


def test_an_opened_log_is_usable(lab, visit):
    page = settled(visit(f"{lab}/look"))
    page.get_by_role("link", name="run").first.click()
    assert not wrong_with(settled(page))


@pytest.mark.slow
def test_a_participants_task_is_usable(lab, visit):
    page = settled(visit(f"{lab}/take/causes-example"))
    page.get_by_role("button", name="I agree and take part").click()
    page.get_by_role("button", name="Start").click()
    page.get_by_role("heading", name="Practice").wait_for(timeout=120_000)
    assert not layout.wrong_with(settled(page))
    assert not wrong_with(page)


@pytest.mark.parametrize("kind", ["blicket", "rooms"])
def test_a_participants_machine_and_room_are_usable_under_a_limit_of_time(kind, tmp_path, visit):
    text = EXAMPLES[kind].read_text("utf-8").replace("practice = 1", "practice = 0")
    (tmp_path / "study.toml").write_text(text + "\n[time]\ntask_seconds = 600\n")
    name = {"blicket": "machines-example", "rooms": "rooms-example"}[kind]
    with running(tmp_path / "lab", study=tmp_path / "study.toml") as address:
        page = visit(f"{address}/take/{name}")
        page.get_by_role("button", name="I agree and take part").click()
        page.get_by_role("button", name="Start").click()
        page.get_by_role("heading", name="Are you ready?").wait_for()
        wrong = wrong_with(settled(page))
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 1440, "height": 900})
        page.get_by_role("button", name="Begin").click()
        page.get_by_role("timer").wait_for()
        assert not wrong + wrong_with(settled(page))


def test_the_checks_notice_what_is_wrong(visit):
    """A page with one mistake of each kind."""
    page = visit("about:blank")
    page.set_content("""<html><head><style>
        :focus { outline: none } a { display: block }
        .pale { color: #999; background: #fff } .inside { background: #005; color: #111 }
        .slim { width: 9px; float: left }
        .tall { display: block; height: 40px; width: 40px; transition: all 1s }
        input { border: 1px solid #ccc } .wide { width: 2000px }
        </style></head><body><main><h1>One</h1><h3>Three</h3><p>No lead</p>
        <p class=pale>Pale</p><div class=inside><span>On dark</span></div>
        <button class=tall></button><input id=a><input id=a tabindex=3>
        <a href=/ tabindex=-1 class=tall>Not by Tab</a><a href=/ class=slim>x</a>
        <a href=/ class=slim>y</a>
        <svg role=img width=9 height=9><circle r=9 /></svg>
        <div class=wide>Wide</div></main></body></html>""")
    said = "\n".join(
        access.complaints(page, "structure", "contrast", "targets", "width", "motion")
        + access.nameless(page)
        + access.by_keyboard(page)
    )
    for line in (
        "no language", "no title", "no live region", "from h1 to h3", "first paragraph is no lead",
        "tabindex 3", "two of #a", "2.85 < 4.5: <p> Pale", "< 4.5: <span> On dark", "border 1.61",
        "target 9×", "px wide in 1440: <div> Wide", "moves: <button", "no name: button",
        "no name: textbox", "focus not visible: <button",
    ):  # fmt: skip
        assert line in said, line
    assert "no name: im" in said


# Simulation of dichromacy in linear RGB (Machado, Oliveira & Fernandes 2009, severity 1).
NAMES = ("blue", "orange", "green", "pink")
SEEN = {
    "usual": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                   [0.004733, 0.691367, 0.303900]],
}  # fmt: skip


def test_whatever_colours_one_sees_those_of_the_plots_can_be_told_apart():
    css = (resources.files("seedo.lab") / "static" / "lab.css").read_text()
    themes = re.findall(r"--ink:.*?--focus:", css, re.DOTALL)
    assert len(themes) == 3  # light, dark by choice, dark by the system
    for theme in themes:
        colours = [re.search(rf"--{name}: #(\w+)", theme)[1] for name in NAMES]
        for kind, seen in SEEN.items():
            places = [in_lab(np.clip(seen @ linear(colour), 0, 1)) for colour in colours]
            for (one, a), (other, b) in combinations(zip(NAMES, places, strict=True), 2):
                # 2.3 is what one can just notice.
                assert np.linalg.norm(a - b) > 10, (kind, one, other)


def linear(colour):
    c = np.array([int(colour[i : i + 2], 16) for i in (0, 2, 4)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def in_lab(rgb):
    """CIE 1976 L*a*b*, white D65."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    t = to_xyz @ rgb / [0.9505, 1, 1.089]
    x, y, z = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])
