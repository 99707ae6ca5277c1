"""Checks of a page that is open in a browser: what people need who do not see it, do not see its
colours, use no mouse, or hold a phone (WCAG 2.2: 1.3.1, 1.4.3, 1.4.10, 1.4.11, 2.1.1, 2.4.3, 2.4.7,
2.5.8, 4.1.2)."""

import re
from pathlib import Path

SCRIPT = Path(__file__).with_name("access.js").read_text()

NAMED = {
    "button", "link", "textbox", "searchbox", "slider", "spinbutton", "combobox", "checkbox",
    "radio", "listbox", "menuitem", "tab", "switch", "img", "image", "progressbar", "dialog",
    "group", "DisclosureTriangle",
}  # fmt: skip
"""Roles that say nothing without a name; of groups, those that are a fieldset."""


def complaints(page, *checks):
    """Lines of what is wrong now, at this width and in these colours."""
    return [line for check in checks for line in page.evaluate(f"() => {SCRIPT[:-2]}.{check}()")]


def nameless(page):
    """What a screen reader would announce without a name, by the browser's own reckoning."""
    session = page.context.new_cdp_session(page)
    lines = []
    for node in session.send("Accessibility.getFullAXTree")["nodes"]:
        role = node.get("role", {}).get("value")
        name = node.get("name", {}).get("value", "").strip()
        if node.get("ignored") or role not in NAMED or name:
            continue
        identifier = {"backendNodeId": node["backendDOMNodeId"]}
        markup = session.send("DOM.getOuterHTML", identifier)["outerHTML"]
        empty = re.match(r"<svg[^>]*></svg>", markup)  # not drawn yet
        if not empty and (role != "group" or markup.startswith("<fieldset")):
            lines.append(f"no name: {role} {markup[:120]}")
    session.detach()
    return lines


def by_keyboard(page, most=250):
    """Press Tab until the round is over: is everything reached, and does it show?"""
    page.evaluate(f"() => {{ window.access = {SCRIPT[:-2]}; window.access.beforeFocus(); }}")
    for _ in range(most):
        page.keyboard.press("Tab")
        if not page.evaluate("window.access.focused()"):
            break
    return page.evaluate("window.access.afterFocus()")
