"""How long a table of one's own takes on page Data: `python benchmarks/lab_data.py [--out FILE]`.

A lab is started as users start it; a table of 5,000 rows and 12 columns (numbers, counts, levels:
see `table`) is dropped, asked twice, its levers are ranked, an experiment is advised, its outcome
entered and the next one advised, all over HTTP. Seconds of each; bar: drop, both questions and the
first advice within 30 s. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from _sizes import sized

BAR = 30.0


def main() -> None:
    """Prints a line a step, then JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--out", type=Path, help="JSON file to write")
    options = sized(parser, rows=200)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "seedo", "lab", "--data", f"{folder}/lab", "--port", "0",
                   "--no-browse"]  # fmt: skip
        lab = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            address = re.search(r"http://\S+/", lab.stderr.readline())[0].rstrip("/")
            seconds = measured(address, table(options.rows))
        finally:
            lab.terminate()
            lab.wait(30)
    total = sum(seconds[name] for name in ("drop", "ask", "ask again", "advise"))
    for name, took in seconds.items():
        print(f"{name:22} {took:6.1f} s")
    print(f"drop, two questions and advice: {total:.1f} s (bar {BAR:g} s)")
    found = {"rows": options.rows, "columns": 12, "cores": os.cpu_count(), "seconds": seconds,
             "total": total, "bar": BAR, "load": os.getloadavg()[0]}  # fmt: skip
    if options.out:
        options.out.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    print(json.dumps(found))


def measured(address: str, text: str) -> dict[str, float]:
    """Seconds of every step."""
    seconds: dict[str, float] = {}
    with httpx.Client(base_url=address, timeout=600) as lab:
        page = lab.get("/data").text
        lab.headers["X-CSRF-Token"] = re.search(r'name="csrf" content="([0-9a-f]+)"', page)[1]
        began = time.perf_counter()
        view = lab.post("/api/data/tables?name=table.csv", content=text.encode()).json()
        seconds["drop"] = time.perf_counter() - began
        key = view["key"]

        def step(name: str, path: str, **body: Any) -> dict[str, Any]:
            began = time.perf_counter()
            found = worked(lab, key, path, body)
            seconds[name] = time.perf_counter() - began
            return found

        step("ask", "ask", question="effect of c on y")
        step("ask again", "ask", question="effect of z on y from 0 to 1")
        first = step("advise", "advise", goal="maximize y")
        step("graph", "graph")
        step("levers", "levers", outcome="y")
        done = {"set": first["to_set"][0], "values": {"y": 1.5, "c": 0.5}}
        began = time.perf_counter()
        lab.post(f"/api/data/tables/{key}/runs", json=done).raise_for_status()
        seconds["enter a row"] = time.perf_counter() - began
        step("advise with it", "advise", goal="maximize y")
    return seconds


def worked(lab: httpx.Client, key: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What comes of one thing that is worked out."""
    job = lab.post(f"/api/data/tables/{key}/{path}", json=body).raise_for_status().json()["job"]
    while True:
        state = lab.get(f"/api/data/work/{job}").json()
        if state["over"]:
            if state["error"]:
                raise SystemExit(f"{path}: {state['error']}")
            return state["result"]
        time.sleep(0.05)


def table(rows: int) -> str:
    """Rows of z -> b, d, y; a, b -> c -> g, y; d -> g, y; a -> n -> j -> y; g, h -> i; and k."""
    rng = np.random.default_rng(0)
    z, a, h, noise = rng.normal(size=(4, rows))
    b = 0.6 * z + rng.normal(size=rows)
    c = 0.5 * a + 0.4 * b + rng.normal(size=rows)
    d = rng.random(rows) < 1 / (1 + np.exp(-z))
    n = rng.poisson(np.exp(0.3 * a))
    k = rng.choice(["A", "B", "C"], rows)
    g = 0.8 * c + 0.5 * d + rng.normal(size=rows)
    i = 0.4 * g - 0.3 * h + rng.normal(size=rows)
    j = 0.2 * n + rng.normal(size=rows)
    y = 1.2 * c + 0.7 * d + 0.3 * j + 0.5 * z + noise
    columns = {"z": z, "a": a, "b": b, "c": c, "d": np.where(d, "yes", "no"), "n": n, "k": k,
               "g": g, "h": h, "i": i, "j": j, "y": y}  # fmt: skip
    lines = (",".join(f"{v:.4f}" if isinstance(v, float) else str(v) for v in row)
             for row in zip(*columns.values(), strict=True))  # fmt: skip
    return ",".join(columns) + "\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
