"""The lab's pages in a real browser: the first one, the theme, and what is said of a mistake."""

import pytest

from lab_server import running


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with running(tmp_path_factory.mktemp("lab")) as address:
        yield address


def dark(page):
    return page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"


def test_the_first_page_leads_to_a_game_and_to_every_part(lab, visit, figure):
    page = visit(lab)
    figure(page, "home")
    assert page.get_by_role("link", name="Play a game").get_attribute("href") == "/play"
    for name in ("Build", "Watch", "Compare", "Look back", "Study"):
        card = page.get_by_role("main").get_by_role("link", name=name, exact=True)
        menu = page.get_by_role("navigation").get_by_role("link", name=name)
        assert card.get_attribute("href") == menu.get_attribute("href")
        assert page.request.get(lab + card.get_attribute("href")).ok


def test_a_chosen_theme_stays(lab, visit):
    page = visit(lab, scheme="light")
    button = page.get_by_role("button", name="Dark colours", pressed=False)
    button.click()
    page.reload()
    assert dark(page)
    page.get_by_role("button", name="Dark colours", pressed=True).click()
    assert not dark(page)


def test_the_theme_follows_the_system_until_one_is_chosen(lab, visit):
    page = visit(lab, scheme="dark")
    assert dark(page)
    page.emulate_media(color_scheme="light")
    assert not dark(page)
    assert page.get_by_role("button", name="Dark colours", pressed=False).is_visible()


def test_the_keyboard_jumps_over_the_menu(lab, visit):
    page = visit(lab)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Take the tour"


def test_a_page_that_is_not_there_says_so_and_leads_back(lab, visit):
    page = visit(lab)
    assert page.goto(f"{lab}/nothing").status == 404
    page.get_by_role("link", name="Back to the start").click()
    assert page.url == f"{lab}/"
    visit.wrong.clear()  # the browser logs the 404


@pytest.mark.parametrize(
    "slip",
    [
        "document.body.innerHTML += '<img src=x: onerror=\"window.ran = 1\">'",
        "document.body.setAttribute('onclick', 'window.ran = 1'); document.body.click()",
        "document.body.append(Object.assign(document.createElement('script'), {text: 'ran = 1'}))",
        "document.body.append(Object.assign(document.createElement('script'), {src: 'data:,1'}))",
        "const a = document.createElement('a'); a.href = 'javascript:window.ran = 1';"
        "document.body.append(a); a.click()",
        "setTimeout('window.ran = 1', 0)",
        "document.body.append(Object.assign(document.createElement('iframe'), {src: '/'}))",
        "document.body.style.cssText; document.body.setAttribute('style', 'color: red');"
        "window.ran = getComputedStyle(document.body).color === 'rgb(255, 0, 0)' || undefined",
        "new Image().src = 'http://127.0.0.1:9/?stolen'",
        "fetch('http://127.0.0.1:9/?stolen').catch(() => null)",
    ],
)
def test_what_slipped_into_a_page_does_nothing(lab, visit, slip):
    page = visit(lab)
    page.evaluate(f"() => {{ try {{ {slip} }} catch (error) {{ console.error(String(error)) }} }}")
    page.wait_for_timeout(150)
    assert page.evaluate("window.ran") is None
    assert any("Security Policy" in line or "Trusted" in line for line in visit.wrong)
    visit.wrong.clear()


def test_the_lab_asks_nothing_of_other_machines(lab, visit):
    page = visit("about:blank")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    for path in ("/", "/build", "/play", "/watch", "/compare", "/look", "/study"):
        page.goto(lab + path)
    assert all(url.startswith((lab, "data:", "blob:")) for url in asked), asked
