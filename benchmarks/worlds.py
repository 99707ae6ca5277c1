"""Interventions per second of expert rollouts through the public API, system sampling included."""

from __future__ import annotations

import json
import time

from seedo import experimenters, play, worlds


def main(episodes: int = 64 * 4096, repeats: int = 3) -> None:
    world, expert = worlds.make("dag"), experimenters.scripted("expert")
    play.simulate(world, expert, 0, "benchmark", 0, 4096)  # compiles
    rates = []
    for repeat in range(repeats):
        began = time.perf_counter()
        play.simulate(world, expert, 0, "benchmark", repeat * episodes, episodes)
        rates.append(episodes * world.spec.steps / (time.perf_counter() - began))
    report = {"benchmark": "worlds", "batch": 4096, "interventions_per_second": sorted(rates)}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
