"""Seconds until each page of the lab is there, in a real browser: `python benchmarks/lab_pages.py`.

Of a lab on loopback with an example study and one log, after its programs were warmed up. Printed
for each page: median and worst of `--loads` loads, until the browser fires `load` (bar: 2 s) and
until the page has also asked for all it asks for by itself. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from _browser import lab_and_browser
from _sizes import sized
from playwright.sync_api import Browser
from sqlalchemy import create_engine

from seedo.experimenters import scripted
from seedo.lab import LabSettings
from seedo.lab._background import Background
from seedo.lab._findings import Findings
from seedo.lab._warm import warm_up
from seedo.lab.study import EXAMPLE
from seedo.play import perform
from seedo.worlds import make

PAGES = ("/", "/build", "/play", "/watch", "/compare", "/look", "/data", "/study",
         "/take/causes-example")  # fmt: skip
_LOADED = """() => {
  const [entry] = performance.getEntriesByType("navigation");
  return (entry.loadEventEnd - entry.startTime) / 1000;
}"""


def main() -> None:
    """Prints one line for each page, then all figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loads", type=int, default=5, help="of every page, each with no cache")
    options = sized(parser, loads=1)
    with tempfile.TemporaryDirectory() as folder:
        perform(make("dag", n=3), scripted("random"), 100, 0, Path(folder) / "logs" / "run")
        settings = LabSettings(
            data=Path(folder) / "lab", logs=(Path(folder) / "logs",), study=EXAMPLE, warm=False
        )
        with lab_and_browser(settings) as (lab, browser):
            warm_up(Findings(create_engine("sqlite://"), Background()))
            measure(browser, f"{lab}/static/lab.css", 1)  # what the browser does once
            figures = {page: measure(browser, lab + page, options.loads) for page in PAGES}
    for page, (loaded, filled) in figures.items():
        print(
            f"{page:22} loaded {statistics.median(loaded):.2f} s (worst {max(loaded):.2f}), "
            f"filled {statistics.median(filled):.2f} s (worst {max(filled):.2f})"
        )
    print(json.dumps({page: max(loaded) for page, (loaded, _) in figures.items()}))


def measure(browser: Browser, address: str, loads: int) -> tuple[list[float], list[float]]:
    """Seconds to `load`, and to the last answer (the browser waits half a second to be sure)."""
    loaded, filled = [], []
    for _ in range(loads):
        context = browser.new_context()
        page = context.new_page()
        last = begun = time.perf_counter()

        def answered(_: object) -> None:
            nonlocal last
            last = time.perf_counter()

        page.on("requestfinished", answered)
        page.goto(address)
        page.wait_for_load_state("networkidle", timeout=60_000)
        loaded.append(page.evaluate(_LOADED))
        filled.append(last - begun)
        context.close()
    return loaded, filled


if __name__ == "__main__":
    main()
