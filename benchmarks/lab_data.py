"""How long a table of one's own takes on page Data: `python benchmarks/lab_data.py [--out FILE]`.

A table of 5,000 rows and 12 columns (numbers, counts, levels: see `table`) is dropped on a lab that
has been up for a while, asked twice, its levers are ranked, an experiment is advised, its outcome
entered and the next one advised, all over HTTP. Seconds of each, and seconds of a processor, which
hardly depend on what else is at work; bar: drop, both questions and the first advice within 30 s.
The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import uvicorn
from _sizes import sized

from seedo import programs
from seedo.lab import LabSettings, create_app

BAR = 30.0


def main() -> None:
    """Prints a line a step, then JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--out", type=Path, help="JSON file to write")
    options = sized(parser, rows=200)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "lab") as address:
        seconds, processor = measured(address, table(options.rows))
    asked = ("drop", "ask", "ask again", "advise")
    total, used = (sum(each[name] for name in asked) for each in (seconds, processor))
    for name, took in seconds.items():
        print(f"{name:22} {took:6.1f} s, {processor[name]:6.1f} s of a processor")
    print(f"drop, two asked, advice: {total:.1f} s (bar {BAR:g} s), {used:.1f} s of a processor")
    found = {
        "rows": options.rows,
        "columns": 12,
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "bar": BAR,
        "seconds": seconds,
        "processor": processor,
        "total": total,
        "total_processor": used,
    }
    if options.out:
        options.out.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    print(json.dumps(found))


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The address of a lab in this process, without a slash at the end."""
    programs.keep()
    app = create_app(LabSettings(data=folder, warm=False))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", access_log=False))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True


def measured(address: str, text: str) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds of every step, and seconds of a processor."""
    seconds: dict[str, float] = {}
    processor: dict[str, float] = {}

    @contextmanager
    def step(name: str) -> Iterator[None]:
        began, used = time.perf_counter(), cpu()
        yield
        seconds[name], processor[name] = time.perf_counter() - began, cpu() - used

    with httpx.Client(base_url=address, timeout=600) as lab:
        page = lab.get("/data").text
        lab.headers["X-CSRF-Token"] = re.search(r'name="csrf" content="([0-9a-f]+)"', page)[1]
        with step("drop"):
            view = lab.post("/api/data/tables?name=table.csv", content=text.encode()).json()
        key = view["key"]
        with step("ask"):
            worked(lab, key, "ask", {"question": "effect of c on y"})
        with step("ask again"):
            worked(lab, key, "ask", {"question": "effect of z on y from 0 to 1"})
        with step("advise"):
            first = worked(lab, key, "advise", {"goal": "maximize y"})
        with step("graph"):
            worked(lab, key, "graph", {})
        with step("levers"):
            worked(lab, key, "levers", {"outcome": "y"})
        with step("enter a row"):
            done = {
                "set": first["to_set"][0] if first["to_set"] else {"z": 1},
                "values": {"y": 1.5},
            }
            lab.post(f"/api/data/tables/{key}/runs", json=done).raise_for_status()
        with step("advise with it"):
            worked(lab, key, "advise", {"goal": "maximize y"})
    return seconds, processor


def cpu() -> float:
    """Seconds of a processor that this process and those it started have used."""
    return time.process_time() + sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


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
