"""How fast the lab answers a person at play, in a real browser.

    python benchmarks/lab_step.py [--n 10] [--games 2] [--busy] [--quick]

Prints median and 95th percentile of: the time from a click on a choice until the page has been
painted with what followed, and the time a page takes to load. Bars: 100 ms and 2 s. `--busy`: while
the others' own games are compiled and worked out in the background.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from _browser import lab_and_browser
from _sizes import sized
from playwright.sync_api import Page, TimeoutError

from seedo.lab import LabSettings, Scenario, encode
from seedo.lab._scenario import MOST_STEPS
from seedo.worlds import configure

_MEASURED = MOST_STEPS // 2 - 2  # steps of a game

# Two frames: the first callback still runs before its frame is painted.
_STEP = """nth => new Promise(done => {
  const rows = document.getElementById("rows"), before = rows.querySelectorAll("tbody tr").length;
  const began = performance.now();
  new MutationObserver((_, watch) => {
    if (rows.querySelectorAll("tbody tr").length <= before) return;
    watch.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began)));
  }).observe(rows, {childList: true, subtree: true});
  const choices = document.querySelectorAll("#choices button:not(:disabled)");
  choices[nth % choices.length].click();
})"""
_LOAD = """() => {
  const [entry] = performance.getEntriesByType("navigation");
  return entry.loadEventEnd - entry.startTime;
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=10)
    parser.add_argument("--games", type=int, default=2)
    parser.add_argument("--loads", type=int, default=5, help="of every page")
    parser.add_argument("--busy", action="store_true")
    given = sized(parser, n=3, games=1, loads=1)
    with tempfile.TemporaryDirectory() as folder:
        settings = LabSettings(data=Path(folder), warm=False, port=0)
        with lab_and_browser(settings) as (address, browser):
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            _measure(page, address, given)
    sys.stdout.flush()
    os._exit(0)  # whatever is still being compiled in the background is of no use to anybody


def _measure(page: Page, address: str, given: argparse.Namespace) -> None:
    taken: list[float] = []
    for game in range(given.games):
        # The background's part begins in the middle of a game.
        scenario = Scenario(configure(n=given.n, experiments=MOST_STEPS - 1), seed=game)
        page.goto(f"{address}/play?s={encode(scenario)}")
        page.locator("#choices button").first.wait_for(timeout=120_000)
        skipped = MOST_STEPS // 2 if given.busy else 1
        all_of_it = [page.evaluate(_STEP, 7 * k) for k in range(skipped + _MEASURED)]
        taken += all_of_it[skipped:]
    _say(f"step to repaint, n={given.n}", taken, 100)
    for path in ("/", "/build", "/play", "/watch", "/compare", "/look", "/study"):
        loads = []
        for _ in range(given.loads):
            try:
                answer = page.goto(address + path)
            except TimeoutError:
                print(f"page {path}: not loaded after 30 s")
                break
            if answer is None or answer.status != 200:
                print(f"page {path}: not there ({answer and answer.status})")
                break
            page.wait_for_load_state("load")
            loads.append(page.evaluate(_LOAD))
        else:
            _say(f"page {path}", loads, 2000)


def _say(what: str, taken: list[float], bar: float) -> None:
    median, high = np.percentile(taken, [50, 95])
    print(f"{what}: median {median:.0f} ms, p95 {high:.0f} ms of {len(taken)} (bar {bar:.0f} ms)")


if __name__ == "__main__":
    main()
