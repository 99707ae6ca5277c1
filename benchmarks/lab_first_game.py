"""How long a stranger waits from starting the lab to the end of a first game's comparison.

    python benchmarks/lab_first_game.py [--cache FOLDER] [--think 0] [--json FILE] [--quick]

Starts `seedo lab` as a command, with an empty folder for compiled programs unless --cache names
one, and plays the usual game over HTTP as a browser does. Prints the seconds since the start of:
the address, the first page, the first choices, what followed the first choice, the verdict, the
first rival's score and the whole comparison; and the seconds from the last choice to the verdict.
Bars: 2 s from the last choice to the verdict, 60 s from the start to the comparison. --think:
seconds before every choice; without, nobody could be quicker.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from _sizes import sized

VERDICT_BAR, COMPARISON_BAR = 2.0, 60.0
_PATIENCE = 600.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--cache", type=Path, help="folder of compiled programs; default: an empty one"
    )
    parser.add_argument("--think", type=float, default=0.0, help="seconds before every choice")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    given = sized(parser)
    with tempfile.TemporaryDirectory() as folder:
        cache = (given.cache or Path(folder, "programs")).absolute()
        cache.mkdir(parents=True, exist_ok=True)
        before = len(list(cache.iterdir()))
        figures = first_game(Path(folder, "lab"), cache, 0.0 if given.quick else given.think)
    told = {
        "seconds": {name: round(value, 2) for name, value in figures.items()},
        "programs_before": before,
        "think": given.think,
        "lab_cpu_seconds": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime, 1),
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "load": round(os.getloadavg()[0], 1),
    }
    for name, value in told["seconds"].items():
        print(f"{name}: {value:.1f} s")
    print(f"processor time of the lab: {told['lab_cpu_seconds']} s, load {told['load']}")
    print(f"bars: last choice to verdict {VERDICT_BAR:.0f} s, comparison {COMPARISON_BAR:.0f} s")
    if given.json:
        given.json.write_text(json.dumps(told, indent=1) + "\n")


def first_game(data: Path, cache: Path, think: float) -> dict[str, float]:
    """Seconds since the command was started, by what had come by then."""
    began = time.monotonic()
    lab = subprocess.Popen(
        [sys.executable, "-m", "seedo", "lab", "--data", str(data), "--port", "0", "--no-browse"],
        stderr=subprocess.PIPE, text=True,
        env=os.environ | {"JAX_COMPILATION_CACHE_DIR": str(cache)},
    )  # fmt: skip
    found: dict[str, float] = {}

    def came(what: str) -> None:
        found.setdefault(what, time.monotonic() - began)

    try:
        assert lab.stderr is not None
        address = re.search(r"http://\S+", lab.stderr.readline())[0].rstrip("/")
        came("address")
        with httpx.Client(base_url=address, follow_redirects=True, timeout=_PATIENCE) as browser:
            page = browser.get("/").raise_for_status()
            came("first page")
            browser.headers["X-CSRF-Token"] = re.search(r'name="csrf" content="(\w+)"', page.text)[
                1
            ]
            time.sleep(think)
            game = "/api" + browser.get("/play").raise_for_status().url.path
            state = browser.get(game).json()
            came("first choices")
            while state["phase"] != "end":
                time.sleep(think)
                last = time.monotonic()
                state = _choose(browser, game, state)
                came("first choice followed")
                found["last choice followed"] = time.monotonic() - last
            end = browser.get(f"{game}/end").raise_for_status().json()
            assert end["verdict"]
            came("verdict")
            found["last choice to verdict"] = time.monotonic() - last
            while not end["done"]:
                if any(rival["returns"] is not None for rival in end["rivals"]):
                    came("first rival")
                time.sleep(0.1)
                assert time.monotonic() - began < _PATIENCE, "no comparison"
                end = browser.get(f"{game}/end").json()
            came("comparison")
    finally:
        lab.terminate()
        lab.wait(60)
    return found


def _choose(browser: httpx.Client, game: str, state: dict) -> dict:
    """Some choice that is allowed: every variable in turn, high."""
    target = state["step"] % len(state["names"])
    target = (target + 1) % len(state["names"]) if target == state["goal"] else target
    body = {"step": state["step"], "target": target, "value": max(state["values"][target])}
    return browser.post(f"{game}/steps", json=body).raise_for_status().json()


if __name__ == "__main__":
    main()
