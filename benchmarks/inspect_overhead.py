"""What Inspect costs an episode, and whether memory stays put with many episodes at once.

    python benchmarks/inspect_overhead.py [--episodes 1000] [--model seedo/scripted:expert]

Plays an `experiment` task with an instant player, all episodes at once, and prints episodes a
minute (the first run of a process compiles; it is not counted) and the resident memory at every
hundred finished episodes.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time

import numpy as np
from _sizes import sized
from inspect_ai import eval as evaluate
from inspect_ai.hooks import Hooks, SampleEnd, hooks

_PAGE = os.sysconf("SC_PAGE_SIZE")


def resident() -> float:
    """Resident memory of this process, MiB (Linux)."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * _PAGE / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--model", default="seedo/scripted:expert")
    parser.add_argument("--tools", default="none")
    given = sized(parser, episodes=4)
    seen: list[tuple[int, float, float]] = []
    started = time.perf_counter()

    @hooks(name="overhead", description="resident memory at finished samples")
    class Memory(Hooks):
        ended = 0

        async def on_sample_end(self, data: SampleEnd) -> None:
            Memory.ended += 1
            if Memory.ended % 100 == 0:
                seen.append((Memory.ended, resident(), time.perf_counter() - started))

    def play(episodes: int) -> float:
        nonlocal started
        started = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            log = evaluate(
                "seedo/experiment",
                model=given.model,
                task_args={"episodes": episodes, "tools": given.tools},
                display="none",
                log_dir=folder,
                max_connections=given.connections,
                max_samples=given.connections,
                log_realtime=False,
                ctl_server=False,
            )[0]
        assert log.status == "success", log.error
        return time.perf_counter() - started

    play(4)
    seen.clear()
    Memory.ended = 0
    print(f"resident after compiling: {resident():.0f} MiB")
    busy = time.process_time()
    seconds = play(given.episodes)
    busy = time.process_time() - busy
    print(f"{given.episodes} episodes with {given.model} in {seconds:.1f} s: "
          f"{60 * given.episodes / seconds:.0f} a minute; "
          f"{1000 * busy / given.episodes:.0f} ms of processor time an episode, "
          f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")  # fmt: skip
    for ended, size, at in seen:
        print(f"{ended:6d} finished: {size:7.0f} MiB  {at:6.1f} s")
    if len(seen) >= 4:
        half = seen[len(seen) // 2 :]
        slope = np.polyfit([s[0] for s in half], [s[1] for s in half], 1)[0]
        print(f"growth over the second half: {1024 * slope:.0f} KiB a finished episode")


if __name__ == "__main__":
    main()
