"""What handing work out costs: `python benchmarks/executors.py PART`.

overhead: a log of many episodes by `local:2` and by Ray on this machine, in turns, without start-up
(a first log that nobody counts). sleepers: workers that sleep and import no JAX stand in for cores:
the share of the time that they sleep, and how the driver grows with the number of tasks. tasks:
seconds for a great many tasks of nothing, handed out and their answers put together. cells: the same
for cells of a study, each noted in its folder, and the study begun again. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from concurrent.futures import Future
from pathlib import Path

from _sizes import sized

from seedo.execution import Task, Workers, open_workers, spread


class Instant:
    """Workers that are done at once: what is left is the driver's own time."""

    count = 64

    def submit(self, text: str) -> Future[str]:
        """An answer that does not depend on the task."""
        answer: Future[str] = Future()
        answer.set_result('{"done": {"seconds": 0.0}, "cpu": ""}')
        return answer

    def close(self, now: bool = False) -> None:
        """There is nothing to close."""


def megabytes() -> float:
    """Most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def naps(count: int) -> float:
    """Seconds until as many tasks are answered by instant workers."""
    start = time.perf_counter()
    tasks = ((i, Task("sleep", {"seconds": 0.0})) for i in range(count))
    assert sum(1 for _ in spread(tasks, Instant())) == count
    return time.perf_counter() - start


def cells(count: int) -> dict[str, float]:
    """Seconds of the driver for as many cells that take no time, and to find that all are done."""
    from seedo.studies import Crew

    took = []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder).resolve()
        told = {"seed": 0, "out": str(out), "data": None}
        for _ in range(2):
            start = time.process_time()
            crew = Crew("none", "none", out, print, Instant())
            assert len(crew.do("cell", range(count), told, lambda key: key)) == count
            took.append(time.process_time() - start)
    return {"cells": count, "seconds": took[0], "seconds_again": took[1], "megabytes": megabytes()}


def sleepers(workers: int, seconds: float, each: int) -> dict[str, float]:
    """Share of the time in which workers sleep, once all have started."""
    with open_workers(f"local:{workers}") as opened:
        assert opened is not None
        nap = Task("sleep", {"seconds": seconds})
        # A long first nap each: nobody is asked twice before all have started.
        for _ in spread(((i, Task("sleep", {"seconds": 10.0})) for i in range(workers)), opened):
            pass
        start = time.perf_counter()
        asleep = workers * each * seconds
        for _ in spread(((i, nap) for i in range(workers * each)), opened):
            pass
        wall = time.perf_counter() - start
    return {"workers": workers, "efficiency": asleep / workers / wall}


def seconds_for(workers: Workers, count: int, out: Path, seed: int) -> float:
    """Seconds for a log by these workers."""
    from seedo import play, worlds

    world = worlds.make("dag", n=5)
    player = play.find_player("scripted:expert", world)
    start = time.perf_counter()
    at = play.Elsewhere(workers, "scripted:expert")
    play.watch(world, player, count, seed, out, name="scripted:expert", elsewhere=at)
    return time.perf_counter() - start


def overhead(count: int, turns: int) -> dict[str, object]:
    """Seconds by each executor, in turns, and the ratio of their medians."""
    took: dict[str, list[float]] = {"local:2": [], "ray": []}
    with tempfile.TemporaryDirectory() as folder:
        for name, times in took.items():
            with open_workers(name) as workers:
                assert workers is not None
                seconds_for(workers, 60_000, Path(folder) / f"{name}-first", 0)
                for turn in range(turns):
                    times.append(seconds_for(workers, count, Path(folder) / f"{name}-{turn}", turn))
                    print(f"{name}: {times[-1]:.1f} s", flush=True)
    local, ray = (sorted(times)[len(times) // 2] for times in took.values())
    return {"episodes": count, "seconds": took, "ray_over_local": ray / local}


def main() -> None:
    """Prints the figures of a part as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=["overhead", "sleepers", "tasks", "cells"], nargs="?")
    parser.add_argument("--episodes", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--naps", type=int, default=20)
    parser.add_argument("--tasks", type=int, default=100_000)
    options = sized(parser, episodes=60_000, turns=1, workers=2, naps=2, tasks=1000, part="tasks")
    if options.part == "overhead":
        found: dict[str, object] = overhead(options.episodes, options.turns)
    elif options.part == "sleepers":
        found = dict(sleepers(options.workers, 1.0, options.naps))
    elif options.part == "cells":
        found = dict(cells(options.tasks))
    else:
        before, few = megabytes(), naps(options.tasks // 10)
        tenth = megabytes()
        found = {
            "tasks": options.tasks,
            "seconds": naps(options.tasks),
            "seconds_of_a_tenth": few,
            "megabytes": {"before": before, "after a tenth": tenth, "after all": megabytes()},
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
