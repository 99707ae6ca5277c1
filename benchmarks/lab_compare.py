"""A comparison of four JAX experimenters in the lab, 1,000 episodes each of the default world.

The bar: at most 10 s. Timed from asking over HTTP until the page would say "done", with logs and
figure: in a fresh process with an empty compilation cache, in a fresh process with a full one, and
for a second time in that process. The rival: `seedo perform` of the same four, one after
another, each a process of its own, as without the lab.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PLAYERS = ("scripted:random", "scripted:largest-effect", "pretrained:dag", "bayes:eig")
EPISODES = 1000


def compare(folder: Path) -> None:
    """In a process of its own: two comparisons, as (wall seconds, seconds of processor time)."""
    from starlette.testclient import TestClient

    from seedo.lab import LabSettings, create_app

    app = create_app(LabSettings(data=folder, warm=False))
    browser = TestClient(app, base_url="http://localhost")
    page = browser.get("/compare").text
    browser.headers["x-csrf-token"] = page.partition('name="csrf" content="')[2].partition('"')[0]
    for _ in range(2):
        began, used = time.perf_counter(), time.process_time()
        asked = {"players": PLAYERS, "episodes": EPISODES}
        answer = browser.post("/api/compare", json=asked).json()
        address = f"/api/compare/{answer['id']}"
        while browser.get(address).json()["state"] in ("queued", "running"):
            time.sleep(0.05)
        assert browser.get(address).json()["state"] == "done"
        assert browser.get(f"{address}/figure.svg").status_code == 200
        print(time.perf_counter() - began, time.process_time() - used, flush=True)


def perform(folder: Path, environment: dict[str, str]) -> tuple[float, float]:
    """The rival: wall seconds, seconds of processor time."""
    began, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    for player in PLAYERS:
        out = folder / player.replace(":", "-")
        words = ["perform", player, "--out", str(out), "--episodes", str(EPISODES), "--json"]
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
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)

        def environment(cache: str) -> dict[str, str]:
            return os.environ | {
                "JAX_COMPILATION_CACHE_DIR": str(folder / cache),
                "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.3",
            }

        report: dict[str, object] = {"benchmark": "lab_compare", "episodes": EPISODES}
        for name in ("cold", "warm"):
            words = [sys.executable, __file__, "compare", str(folder / f"lab-{name}")]
            done = subprocess.run(
                words, env=environment("lab"), check=True, capture_output=True, text=True
            )
            (first, used), (second, again) = (
                map(float, line.split()) for line in done.stdout.splitlines()
            )
            report[f"lab_{name}_s"], report[f"lab_{name}_cpu_s"] = round(first, 2), round(used, 2)
            report["lab_second_s"], report["lab_second_cpu_s"] = round(second, 2), round(again, 2)
        for name in ("cold", "warm"):
            first, used = perform(folder / f"runs-{name}", environment("cli"))
            report[f"perform_{name}_s"], report[f"perform_{name}_cpu_s"] = (
                round(first, 2),
                round(used, 2),
            )
        report["load"] = os.getloadavg()
        print(json.dumps(report))


if __name__ == "__main__":
    if sys.argv[1:2] == ["compare"]:
        compare(Path(sys.argv[2]))
    else:
        main()
