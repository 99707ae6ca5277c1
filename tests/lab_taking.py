"""A participant in a real browser, for tests: any choice, to the last screen."""


def after(page, act):
    """Do something that leads to another screen, and wait for it."""
    heading = page.locator("#screen h2").element_handle()
    act()
    page.wait_for_function("heading => !heading.isConnected", arg=heading)


def go_on(page, until):
    """From screen to screen, as somebody in a hurry, until this text is seen."""
    page.locator("#screen h2").wait_for()
    while not page.get_by_text(until).count():
        screen = page.locator("#screen")
        form = screen.locator("form")
        if not form.count():
            after(page, screen.get_by_role("button").first.click)
            continue
        for group in form.locator("fieldset").all():
            group.locator("input[type=radio]").last.check(force=True)
        for slider in form.locator("input[type=range]").all():
            slider.press("ArrowRight")
        after(page, form.locator("button[type=submit]").click)
