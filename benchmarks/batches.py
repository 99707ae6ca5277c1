"""Regret of players of settings who propose in batches, against one at a time with as many runs.

    python benchmarks/batches.py --out docs/results/batches.json
    PYTHONPATH=OLD/src python benchmarks/batches.py --out docs/results/batches.json --label before

Systems and regret are those of `players.py`: hills of two knobs, random surfaces of 1 to 3, of 4 to
12, and with categorical knobs. A round proposes four settings, each of which sees those before it
as pending, and measures them all; noise is the same for all. Regret is that of the setting that
the player would keep after 3 and after 7 rounds. Printed are means, the difference to one at a time
with its 95 % bootstrap interval over systems, and how many settings of a batch equal another one of
it. --label keeps batches of another version of the package apart ("before": commit b828163; one at
a time, both propose the same); what is in --out is not run again.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from _sizes import sized
from players import system

from seedo.episodes import write_atomic
from seedo.experimenters import find_player
from seedo.spaces import Runs

BATCH, ROUNDS, ASKED = 4, 7, (3, 7)
KINDS = ("hills", "surfaces, few knobs", "surfaces, many knobs", "surfaces, categorical")
PLAYERS = ("pretrained:tuner", "response-surface", "bayes:mechanisms", "random")


def played(name: str, kind: str, number: int, batch: int, rounds: int) -> dict[str, Any]:
    """Regrets after rounds of four runs, settings that equal another of their batch, seconds."""
    world, task, regret = system(kind, number, None)
    player = find_player(name, world, greedy=True, seed=number)
    knobs, most = world.space.size, BATCH * rounds
    runs, spent, equal, found = Runs.none(knobs, world.readings), 0.0, 0, {}
    while len(runs) < most:
        start, made = time.perf_counter(), len(runs)
        settings = np.empty((0, knobs))
        for i in range(batch):
            rng = np.random.default_rng([number, 1, made + i])
            more = player.propose(world.spec, runs, settings, most - made - i, rng)
            settings = np.concatenate([settings, more[None]])
        spent += time.perf_counter() - start
        equal += batch - len(np.unique(settings, axis=0))
        for i, setting in enumerate(settings):
            rng = np.random.default_rng([number, 2, made + i])
            runs = runs.plus(setting, world.measured(task, setting, rng))
        turn, rest = divmod(len(runs), BATCH)
        if not rest and turn in ASKED:
            kept = player.recommend(world.spec, runs, np.random.default_rng([number, 3, turn]))
            found[str(turn)] = round(regret(task, kept), 5)
    return {"regret": found, "equal": equal, "seconds": round(spent / most, 4)}


def told(found: dict[str, Any], kind: str, asked: list[int]) -> None:
    """Prints a kind: means, and differences to one at a time."""
    here = {key.partition(" | ")[2]: each for key, each in found.items()
            if key.startswith(f"{kind} | ")}  # fmt: skip
    for name, each in sorted(here.items()):
        numbers = sorted(each, key=int)
        rows = np.array([[each[k]["regret"][str(a)] for a in asked] for k in numbers])
        means = "  ".join(f"{mean:.3f}" for mean in rows.mean(axis=0))
        line = f"{kind}, {len(numbers)}: {name:40} {means}"
        alone = here.get(f"{name.partition(', batches')[0]}, batches of 1", {})
        if alone is not each and set(numbers) <= set(alone):
            off = rows - [[alone[k]["regret"][str(a)] for a in asked] for k in numbers]
            again = np.random.default_rng(0).integers(len(off), size=(4000, len(off)))
            low, high = np.quantile(off[again].mean(axis=1), [0.025, 0.975], axis=0)
            line += "   less one at a time " + "  ".join(
                f"{m:+.3f} [{a:+.3f}, {b:+.3f}]"
                for m, a, b in zip(off.mean(axis=0), low, high, strict=True)
            )
        seconds = 1000 * np.mean([each[k]["seconds"] for k in numbers])
        equal = sum(each[k]["equal"] for k in numbers)
        print(f"{line}   {equal} equal, {seconds:.0f} ms a proposal", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--players", nargs="+", default=list(PLAYERS))
    parser.add_argument("--batches", nargs="+", type=int, default=[1, BATCH], choices=[1, 2, BATCH])
    parser.add_argument("--count", type=int, default=40, help="systems of each kind")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--label", default="", help="of the version that plays")
    parser.add_argument("--out", type=Path)
    given = sized(parser, count=1, rounds=3, kinds=["hills"], players=["random"])
    found: dict[str, Any] = {}
    if given.out is not None and given.out.exists():
        found = json.loads(given.out.read_text("utf-8"))
    for kind in given.kinds:
        for name in given.players:
            for batch in given.batches:
                after = f", {given.label}" if given.label and batch > 1 else ""
                done = found.setdefault(f"{kind} | {name}, batches of {batch}{after}", {})
                for number in range(given.count):
                    if str(number) in done:
                        continue
                    done[str(number)] = played(name, kind, number, batch, given.rounds)
                    if given.out is not None:
                        write_atomic(given.out, json.dumps(found, indent=1).encode())
        told(found, kind, [a for a in ASKED if a <= given.rounds])
