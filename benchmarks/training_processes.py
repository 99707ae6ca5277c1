"""Learning in one process, in two, and on two devices of one.

    python benchmarks/training_processes.py [--network equivariant|plain] [--batch 256] [--quick]

All learn from the same logs with the same seed and minibatches. Measured, in one run: the largest
difference of their losses over all steps, and the time of a step as a ratio to one process, which
uses every core of this machine already: more processes cannot be faster here, and what is seen is
what it costs to add gradients up between processes. `--quick` shows in seconds that all of it
runs; its ratios say nothing. The last line is JSON.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import Any

from _sizes import sized

TINY = {
    "equivariant": (("size", 8), ("channels", 4), ("layers", 1), ("learnt", 2)),
    "plain": (("size", 8), ("heads", 2), ("layers", 1)),
}
SIDES = {"one process": (1, 1), "two processes": (2, 1), "one process, two devices": (1, 2)}
"""Processes, and devices of each."""
WARM = 10
"""Steps that are not timed: the first ones compile."""


def learnt(task: dict[str, Any]) -> None:
    """One process of a side: learn, and write the loss and the end of every step."""
    from seedo import learning
    from seedo.learning import _imitation
    from seedo.learning._member import join
    from seedo.learning._together import Joined

    _imitation.LOG_EVERY, _imitation.EVALUATE_EVERY, _imitation.short = 1, 10**9, float
    steps: list[tuple[float, float, float]] = []

    def note(report: Any) -> None:
        row = report.row
        steps.append((time.perf_counter(), row["explore_loss"], row["exploit_loss"]))

    recipe = learning.Recipe(**task["recipe"] | {"widths": tuple(map(tuple, task["widths"]))})
    group = learning.Group(**task["group"])
    if group.alone:
        learning.learn([task["logs"]], task["out"], recipe, progress=note)
    else:
        join(group, recipe.devices, True)
        job = {"logs": [task["logs"]], "out": task["out"], "recipe": asdict(recipe)}
        job |= {"resume": False, "checkpoint_seconds": 1e9}
        _imitation.take_part(job, Joined(), note, learning.Group(group.processes))
    if steps:
        Path(task["out"], "steps.json").write_text(json.dumps(steps))
    sys.stdout.flush()
    os._exit(0)


def side(processes: int, devices: int, size: Namespace, logs: Path, out: Path) -> Any:
    """Rows (seconds, losses) of every step of a side."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    recipe = {"network": size.network, "batch_size": size.batch, "devices": devices}
    recipe |= {"epochs": size.steps * size.batch / size.trained}
    widths = TINY[size.network] if size.quick else ()
    flags = f"--xla_force_host_platform_device_count={devices}" if devices > 1 else ""
    started = []
    for number in range(processes):
        joins = {"processes": processes, "coordinator": address, "process_id": number}
        task = {
            "recipe": recipe, "widths": widths, "logs": str(logs), "out": str(out),
            "group": joins if processes > 1 else {},
        }  # fmt: skip
        started.append(
            subprocess.Popen(
                [sys.executable, __file__, "--task", json.dumps(task)],
                env=os.environ | {"XLA_FLAGS": flags},
            )
        )
    assert not any([process.wait() for process in started])
    return json.loads((out / "steps.json").read_text())


def measure(size: Namespace, folder: str) -> dict[str, Any]:
    """Largest difference of losses, and time of a step, of every side against one process."""
    from seedo import experimenters, play, worlds
    from seedo.episodes import Dataset
    from seedo.learning import usable

    logs = Path(folder, "logs")
    play.watch(worlds.make("dag"), experimenters.scripted("expert"), size.episodes, 0, logs)
    size.trained = usable(Dataset(logs))
    rows = {
        name: side(*of, size, logs, Path(folder, name.replace(" ", "-")))
        for name, of in SIDES.items()
    }
    result: dict[str, Any] = {}
    usual = rows["one process"]
    for name, steps in rows.items():
        ends = [end for end, *_ in steps[WARM:]]
        seconds = statistics.median(b - a for a, b in itertools.pairwise(ends))
        apart = max(
            abs(a - b)
            for one, other in zip(usual, steps, strict=True)
            for a, b in zip(one[1:], other[1:], strict=True)
        )
        result[name] = {"steps": len(steps), "most_apart": apart, "seconds_a_step": seconds}
    for found in result.values():
        found["ratio"] = found["seconds_a_step"] / result["one process"]["seconds_a_step"]
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", choices=list(TINY), default="equivariant")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--episodes", type=int, default=30_000)
    size = sized(parser, batch=16, steps=20, episodes=1_000)
    if size.task:
        learnt(json.loads(size.task))
    with tempfile.TemporaryDirectory() as folder:
        result = measure(size, folder)
    for name, found in result.items():
        print(
            f"{name}: losses of {found['steps']} steps at most {found['most_apart']:.1e} apart, "
            f"a step {found['ratio']:.2f} times as long"
        )
    print(json.dumps({"cores": os.cpu_count(), "network": size.network, "batch": size.batch,
                      "sides": result}))  # fmt: skip


if __name__ == "__main__":
    main()
