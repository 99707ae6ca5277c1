"""Interventions per second of expert rollouts through the public API, system sampling included."""

from __future__ import annotations

import argparse
import json
import time

from _sizes import sized

from seedo import experimenters, play, worlds

BATCH = 4096


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=64 * BATCH, help="of every repeat")
    parser.add_argument("--repeats", type=int, default=3)
    options = sized(parser, episodes=BATCH, repeats=1)
    world, expert = worlds.make("dag"), experimenters.scripted("expert")
    play.simulate(world, expert, 0, "benchmark", 0, BATCH)  # compiles
    rates = []
    for repeat in range(options.repeats):
        start = repeat * options.episodes
        began = time.perf_counter()
        play.simulate(world, expert, 0, "benchmark", start, options.episodes)
        rates.append(options.episodes * world.spec.steps / (time.perf_counter() - began))
    report = {"benchmark": "worlds", "batch": BATCH, "interventions_per_second": sorted(rates)}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
