"""Checks of a page that is open in a browser: nothing is cut off or covered at any usual width, and
axe-core finds nothing against it, in light and in dark colours."""

from functools import cache
from pathlib import Path

WIDTHS = (360, 768, 1280, 1440, 1920)
SCHEMES = ("light", "dark")
_GEOMETRY = Path(__file__).with_name("geometry.js").read_text()
_RUN = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  const where = (node) => `${node.html.slice(0, 120)} ${node.failureSummary.split("\\n")[1] ?? ""}`;
  const lines = found.violations.map((one) => [one.id, ...one.nodes.slice(0, 3).map(where)]);
  return lines.map((line) => line.join(" | "));
}"""


@cache
def _axe():
    import axe_playwright_python

    return next(Path(axe_playwright_python.__file__).parent.rglob("axe.min.js")).read_text()


def misplaced(page, widths=WIDTHS):
    """Lines of what lies wrong as the page stands; it is left at the width it had."""
    before = page.viewport_size
    wrong = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": before["height"]})
        page.wait_for_timeout(30)  # for what is drawn anew at another width
        wrong += [f"{width} px: {line}" for line in page.evaluate(f"() => {_GEOMETRY[:-2]}.all()")]
    page.set_viewport_size(before)
    return wrong


def violations(page, scheme):
    """Lines of what axe-core says against the page, in these colours."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    # Evaluated by the debugger, to which the page's policy does not apply.
    page.evaluate(_axe() + "\n;null")
    return [f"{scheme}: {line}" for line in page.evaluate(_RUN)]


def wrong_with(page, widths=WIDTHS):
    """All of these complaints, as text; empty if there is none. What can be unfolded is left so."""
    lines = misplaced(page, widths)
    if page.locator("details:not([open])").count():
        page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
        lines += [f"unfolded, {line}" for line in misplaced(page, widths)]
    for scheme in SCHEMES:
        lines += violations(page, scheme)
    return "\n".join(lines)
