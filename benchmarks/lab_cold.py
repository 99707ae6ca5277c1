"""Seconds until Watch shows its players on a machine that has compiled nothing yet.

    python benchmarks/lab_cold.py [--warm]

A lab is started with an empty cache; as soon as it answers, Watch is opened as it comes. Printed
are the seconds from then to the first panel and to all of them (bar: 10 s on two idle cores), the
processor time that took, and how busy the machine was. `--warm`: the lab prepares what its first
pages need in the background, as it does unless told otherwise; `--wait`: for so long before the
page is opened. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _browser import _CHROMIUM, _QUIET
from _sizes import sized
from playwright.sync_api import sync_playwright

_LAB = """
import sys
from pathlib import Path
from seedo.lab import LabSettings, serve
folder = Path(sys.argv[1])
settings = LabSettings(data=folder / "lab", logs=(folder,), port=0, warm=sys.argv[2] == "True")
serve(settings, browse=False, say=lambda line: print(line, flush=True))
"""


def main() -> None:
    """Prints what was measured in words, then as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--warm", action="store_true")
    parser.add_argument("--wait", type=float, default=0.0)
    options = sized(parser)
    with tempfile.TemporaryDirectory() as folder:
        environment = {k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"}
        environment["XDG_CACHE_HOME"] = folder
        begun = time.perf_counter()
        lab = subprocess.Popen(
            [sys.executable, "-c", _LAB, folder, str(options.warm)],
            env=environment, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert lab.stdout is not None
            address = lab.stdout.readline().split()[2].rstrip("/")
            started = time.perf_counter() - begun
            time.sleep(options.wait)
            first, every, used = watched(address, lab.pid)
        finally:
            lab.kill()
            lab.wait()
    busy = os.getloadavg()[0]
    print(f"answers after {started:.1f} s; first panel {first:.1f} s, all {every:.1f} s after")
    print(f"{used:.1f} s of processor time; load {busy:.1f} on {os.cpu_count()} cores")
    found = {"started": started, "first": first, "all": every, "processor": used, "load": busy}
    print(json.dumps(found | {"warm": options.warm, "wait": options.wait}))


def watched(address: str, lab: int) -> tuple[float, float, float]:
    """Seconds until the first panel and all panels of Watch are there, and the lab's processor time
    for them."""
    path = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if path is None:
        raise SystemExit("no Chromium on the PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_QUIET)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{address}/static/lab.css")  # what the browser does once
        before, begun = processor(lab), time.perf_counter()
        page.goto(f"{address}/watch")
        panels = page.locator(".player .outcome")
        panels.first.wait_for(timeout=300_000)
        first = time.perf_counter() - begun
        panels.nth(page.locator(".player").count() - 1).wait_for(timeout=300_000)
        every, used = time.perf_counter() - begun, processor(lab) - before
        browser.close()
    return first, every, used


def processor(process: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
