"""The tour: correlation misleads, and whoever experiments wins; on the lab's own games."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

import access
from lab_server import running
from seedo.lab._glance import Sight
from seedo.lab._tour import LOOKS, tries


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with running(tmp_path_factory.mktemp("lab")) as address:
        yield address


def test_the_rows_that_are_shown_mislead_and_a_few_experiments_do_not():
    looking, setting = tries()
    sight = Sight.of(looking).to_json(looking.config)
    assert sight["misleads"]
    assert sight["guess"]["worth"] < -1 < 1 < sight["best"]["worth"]
    game = looking.begin()
    rows = np.stack([game.act(-1).outcome for _ in range(LOOKS)])
    seen = np.corrcoef(rows.T)[2]
    assert seen[0] > 0.5
    assert seen[0] > seen[1] + 0.1
    assert looking.drawn == setting.drawn
    game = setting.begin()
    followed = [float(game.act(0, value).outcome[2]) for value in (2.0, -2.0) * 3]
    assert np.mean(followed[0::2]) < -1 < 1 < np.mean(followed[1::2])


def wrong_with(page):
    checks = ("structure", "contrast", "targets", "width")
    return access.nameless(page) + access.complaints(page, *checks)


def heading(page, text):
    page.locator("#step-title", has_text=text).wait_for()


def test_the_tour_is_won_from_the_first_page_by_keyboard_alone(lab, visit, figure):
    page = visit(lab)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # over the menu
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("go together most").wait_for()
    figure(page, "tour")

    def press(name):
        for _ in range(30):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent") == name:
                return page.keyboard.press("Enter")
        raise AssertionError(name)

    press("A to +2")  # as the rows say
    heading(page, "The correlation was wrong")
    assert page.evaluate("document.activeElement.id") == "step-title"
    expect(page.locator("#result")).to_contain_text("brings C to −1.6 on average")
    press("Experiment")
    heading(page, "Experiment")
    for count, name in enumerate(["A to +2", "A to −2"] * 3):
        press(name)
        page.get_by_text(f"{count + 1} of 6 done" if count < 5 else "This one counts").wait_for()
    assert re.search(r"A at −2: [\d.]+ on average", page.locator("#result").inner_text())
    press("A to −2")
    heading(page, "That is what experiments are for")
    expect(page.locator("#result")).to_contain_text("nothing is better")
    expect(page.locator("#at")).to_have_text("Step 5 of 5")
    page.get_by_role("link", name="Play a game of your own").click()
    page.locator("#now-title").wait_for()


def test_who_guesses_otherwise_is_told_what_the_rows_say_and_a_loser_tries_again(lab, visit):
    page = visit(f"{lab}/tour", width=360, scheme="dark")
    page.get_by_role("button", name="B to +2").click()
    heading(page, "What comes of it")
    expect(page.locator("#shown tbody tr")).to_have_text(
        ["B to +21.2you", "A to +2−1.6the correlation"]
    )
    page.get_by_role("button", name="Experiment").click()
    for count in range(6):
        page.get_by_role("button", name="B to +2").click()
        page.get_by_text(f"{count + 1} of 6 done" if count < 5 else "This one counts").wait_for()
    page.get_by_role("button", name="B to −2").click()
    heading(page, "Not yet")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Experiment again").click()
    page.get_by_text("0 of 6 done").wait_for()


def test_every_step_can_be_used_by_all_and_skipped(lab, visit):
    page = visit(f"{lab}/tour")
    page.get_by_text("go together most").wait_for()
    assert wrong_with(page) == []
    page.get_by_role("button", name="A to +2").click()
    heading(page, "The correlation was wrong")
    assert wrong_with(page) == []
    page.get_by_role("link", name="Skip the tour").click()
    page.locator("#choices button").first.wait_for()
    assert "/play/" in page.url
