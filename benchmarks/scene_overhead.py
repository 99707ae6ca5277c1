"""What the stage costs: how soon scenes open, and episodes a minute with a player that needs none.

    python benchmarks/scene_overhead.py [--scenes 100] [--episodes 2000] [--world dag]

Scenes are opened as a user would, each with a world made for it; the first, which compiles, is
counted apart. The player is a mock that answers at once, half of its replies in wrappings; runs are
written as any other. Times are of the clock and of the processor: only the latter says something on
a machine that does other work.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from typing import Any

from _sizes import sized

from seedo.language import open_scene, record_speaker
from seedo.worlds import make


class Instant:
    """Sets each variable in turn; every other reply is in bold."""

    name = "instant"

    def replies(self, conversations: Any) -> list[str]:
        return [self._reply(messages) for messages in conversations]

    def _reply(self, messages: Any) -> str:
        names = messages[1]["content"].split("\n")[0].split()[1:]
        turn = sum(m["role"] == "assistant" for m in messages)
        goal = messages[-1]["content"].partition("Goal: ")[2].strip()
        free = [name for name in names if name != goal]
        line = f"do {free[turn % len(free)]}=2.0"
        return f"**{line}**" if turn % 2 else line


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the clock and of the processor that something takes."""
    clock, busy = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - busy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=100)
    parser.add_argument("--episodes", type=int, default=2000)
    parser.add_argument("--world", default="dag")
    given = sized(parser, scenes=4, episodes=8)

    def opened(first: int, count: int) -> Callable[[], object]:
        return lambda: [
            open_scene(make(given.world), 0, "perform", first + i) for i in range(count)
        ]

    for title, first, count in (("first scene", 0, 1), (f"{given.scenes} more", 1, given.scenes)):
        clock, busy = timed(opened(first, count))
        print(f"{title}: {clock:.2f} s, {busy:.2f} s of processor")
    if given.world != "dag":
        return
    world = make(given.world)

    def played(count: int) -> Callable[[], object]:
        def work() -> None:
            with tempfile.TemporaryDirectory() as folder:
                record_speaker(world, Instant(), count, 0, f"{folder}/run")

        return work

    timed(played(2))
    clock, busy = timed(played(given.episodes))
    print(
        f"{given.episodes} episodes: {60 * given.episodes / clock:,.0f} a minute, "
        f"{60 * given.episodes / busy:,.0f} a minute of processor"
    )


if __name__ == "__main__":
    main()
