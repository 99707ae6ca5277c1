"""The lab's pages in a real browser: what every page has."""

import pytest

from lab_server import running


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with running(tmp_path_factory.mktemp("lab")) as address:
        yield address


def test_the_first_page_leads_to_a_game(lab, visit, figure):
    page = visit(lab)
    figure(page, "home")
    assert page.get_by_role("link", name="Play a game").get_attribute("href") == "/play"


def test_a_chosen_theme_stays(lab, visit):
    page = visit(lab, scheme="light")
    page.get_by_role("button", name="Light or dark").click()
    page.reload()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
