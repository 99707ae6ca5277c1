"""A comparison of four JAX experimenters in the lab, 1,000 episodes each of the default world.

    python benchmarks/lab_compare.py [--players NAME NAME ...] [--episodes 1000] [--quick]

The bar: at most 10 s. Timed from asking over HTTP until the page would say "done", with logs and
figure: in a fresh process where no programs are kept yet, in a fresh process where they are, and
for a second time in that process. The rival: `seedo perform` of the same four, one after
another, each a process of its own, as without the lab.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _sizes import sized
from starlette.testclient import TestClient

from seedo import programs
from seedo.lab import LabSettings, create_app

PLAYERS = ("scripted:random", "scripted:largest-effect", "pretrained:dag", "bayes:eig")


def compare(folder: Path, players: list[str], episodes: int) -> None:
    """In a process of its own: two comparisons, as (wall seconds, seconds of processor time)."""
    programs.keep()
    app = create_app(LabSettings(data=folder, warm=False))
    browser = TestClient(app, base_url="http://localhost")
    page = browser.get("/compare").text
    browser.headers["x-csrf-token"] = page.partition('name="csrf" content="')[2].partition('"')[0]
    for _ in range(2):
        began, used = time.perf_counter(), time.process_time()
        asked = {"players": players, "episodes": episodes}
        answer = browser.post("/api/compare", json=asked).json()
        address = f"/api/compare/{answer['id']}"
        while browser.get(address).json()["state"] in ("queued", "running"):
            time.sleep(0.05)
        assert browser.get(address).json()["state"] == "done"
        assert browser.get(f"{address}/figure.svg").status_code == 200
        print(time.perf_counter() - began, time.process_time() - used, flush=True)


def perform(
    folder: Path, players: list[str], episodes: int, environment: dict[str, str]
) -> tuple[float, float]:
    """The rival: wall seconds, seconds of processor time."""
    began, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    for player in players:
        out = folder / player.replace(":", "-")
        words = ["perform", player, "--out", str(out), "--episodes", str(episodes), "--json"]
        subprocess.run(
            [sys.executable, "-m", "seedo", *words],
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime - used.ru_utime + after.ru_stime - used.ru_stime
    return time.perf_counter() - began, processor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--players", nargs="+", default=PLAYERS)
    parser.add_argument("--episodes", type=int, default=1000)
    parser.add_argument("--only", type=Path, help="compare in this process, with data here")
    options = sized(parser, players=PLAYERS[:2], episodes=20)
    asked = options.players, options.episodes
    if options.only:
        compare(options.only, *asked)
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)

        def environment(cache: str) -> dict[str, str]:
            own = {k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"}
            return own | {"XDG_CACHE_HOME": str(folder / cache)}

        report: dict[str, object] = {"benchmark": "lab_compare", "episodes": options.episodes}
        for name in ("cold", "warm"):
            words = [sys.executable, __file__, "--only", str(folder / f"lab-{name}")]
            words += ["--players", *options.players, "--episodes", str(options.episodes)]
            done = subprocess.run(
                words, env=environment("lab"), check=True, capture_output=True, text=True
            )
            (first, used), (second, again) = (
                map(float, line.split()) for line in done.stdout.splitlines()
            )
            report[f"lab_{name}_s"], report[f"lab_{name}_cpu_s"] = round(first, 2), round(used, 2)
            report["lab_second_s"], report["lab_second_cpu_s"] = round(second, 2), round(again, 2)
        for name in ("cold", "warm"):
            first, used = perform(folder / f"runs-{name}", *asked, environment("cli"))
            report[f"perform_{name}_s"], report[f"perform_{name}_cpu_s"] = (
                round(first, 2),
                round(used, 2),
            )
        report["load"] = os.getloadavg()
        print(json.dumps(report))


if __name__ == "__main__":
    main()
