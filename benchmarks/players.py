"""Regret of players of settings after 10, 20 and 40 runs, on kinds of systems, paired by system.

    python benchmarks/players.py --out players.json --data ../shared/data/olympus
    python benchmarks/players.py --out players.json --kinds hills --players random auto --from 1000

Kinds: hills of two knobs (noise 2 % of the range of outcomes), simulated plants with readings
between (world `plants`), random surfaces (world `surfaces`) of few, many, categorical and mixed
knobs, of knobs with readings between, and campaigns that were recorded, replayed. The regret is
(best - worth of the setting that the player would keep) / (best - mean of random settings): 0 is
the best there is, 1 a setting by chance. A player makes 40 runs, and is asked after 10, 20 and 40
what it would keep. Printed are means, and the difference of each player to the first one named with
the 95 % bootstrap interval over systems. What is in --out is not run again.
"""

from __future__ import annotations

import argparse
import functools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from _sizes import sized
from settings import Hill

from seedo import worlds
from seedo.episodes import write_atomic
from seedo.experimenters import find_player
from seedo.spaces import Runs

ASKED = (10, 20, 40)
PLAYERS = ("response-surface", "bayes:mechanisms", "pretrained:tuner", "one-factor", "grid",
           "sobol", "random")  # fmt: skip
Regret = Callable[[Any, np.ndarray], float]


def regret_of(world: Any) -> Regret:
    """Of a setting of a task of a world that knows what settings are worth."""

    def regret(task: Any, setting: np.ndarray) -> float:
        best, chance = (float(value) for value in world.references(task))
        return (best - world.worth(task, setting, np.empty(0))) / (best - chance)

    return regret


def hill_regret(hill: Hill) -> Regret:
    at = np.stack(np.meshgrid(*[np.linspace(0, 1, 41)] * 2), axis=-1).reshape(-1, 2)

    def regret(task: Any, setting: np.ndarray) -> float:
        best, chance = float(hill.height(task, task[0])), float(hill.height(task, at).mean())
        return (best - float(hill.height(task, setting))) / (best - chance)

    return regret


class NoisyHill(Hill):
    """A hill whose runs read its height with noise of 2 % of the range of outcomes."""

    def measured(self, task: Any, setting: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        corners = np.array([[a, b] for a in (0.0, 1.0) for b in (0.0, 1.0)])
        wide = float(self.height(task, task[0]) - self.height(task, corners).min())
        return np.array([self.height(task, setting) + 0.02 * wide * rng.normal()])


def surfaces(number: int, kind: str) -> Any:
    """A world `surfaces` of this kind; its sizes are drawn by the number."""
    rng = np.random.default_rng([number, 7])
    few, many = int(rng.integers(1, 4)), int(rng.integers(4, 13))
    named = int(rng.integers(1, 4))
    sizes: dict[str, Any] = {
        "few knobs": {"knobs": few},
        "many knobs": {"knobs": many, "stepped": int(rng.integers(many // 2 + 1))},
        "categorical": {"knobs": named + int(rng.integers(5)), "categorical": named},
        "mixture": {"knobs": max(many - 2, 3), "mixture": True},
        "readings between": {"knobs": few + 2, "between": int(rng.integers(1, 4))},
    }
    noise = float(np.exp(rng.uniform(np.log(0.02), np.log(0.2))))
    return worlds.make("surfaces", runs=ASKED[-1], noise=noise, **sizes[kind])


@functools.lru_cache(maxsize=16)
def system(kind: str, number: int, data: Path | None) -> tuple[Any, Any, Regret]:
    """A world of a kind, a task of it, and how settings are judged."""
    runs = ASKED[-1]
    if kind == "hills":
        hill = NoisyHill(number % 2 == 0)
        return hill, hill.sample(np.random.default_rng([number, 0])), hill_regret(hill)
    if kind.startswith("plants"):
        world = worlds.make("plants", runs=runs, form=kind.split()[1])
    elif kind == "recorded":
        assert data is not None
        folders = sorted(path for path in data.iterdir() if path.is_dir())
        world = worlds.make(f"recorded:{folders[number % len(folders)]}", runs=runs)
    else:
        world = surfaces(number, kind.partition(", ")[2])
    return world, world.sample(np.random.default_rng([number, 0])), regret_of(world)


KINDS = ("hills", "surfaces, few knobs", "surfaces, many knobs", "surfaces, categorical",
         "surfaces, mixture", "surfaces, readings between", "plants linear", "plants curved",
         "recorded")  # fmt: skip


def played(name: str, kind: str, number: int, data: Path | None, most: int) -> dict[str, Any]:
    """Regrets of a player on a system, and seconds a proposal."""
    world, task, regret = system(kind, number, data)
    player = find_player(name, world, greedy=True, seed=number)
    knobs = world.space.size
    runs, spent, found = Runs.none(knobs, world.readings), 0.0, {}
    for made in range(most):
        start = time.perf_counter()
        setting = player.propose(
            world.spec, runs, np.empty((0, knobs)), most - made,
            np.random.default_rng([number, 1, made]),
        )  # fmt: skip
        spent += time.perf_counter() - start
        read = world.measured(task, setting, np.random.default_rng([number, 2, made]))
        runs = runs.plus(setting, read)
        if made + 1 in ASKED:
            kept = player.recommend(world.spec, runs, np.random.default_rng([number, 3, made]))
            found[str(made + 1)] = round(regret(task, kept), 5)
    return {"regret": found, "seconds": round(spent / most, 4)}


def told(found: dict[str, Any], kind: str, players: list[str], asked: list[int]) -> None:
    """Prints a kind: means, and differences to the first player."""
    here = {name: found.get(f"{kind} | {name}", {}) for name in players}
    numbers = sorted(set.intersection(*(set(each) for each in here.values())))
    if not numbers:
        return
    again = np.random.default_rng(0).integers(len(numbers), size=(4000, len(numbers)))
    print(f"{kind}, {len(numbers)} systems: regret after {', '.join(map(str, asked))} runs")
    first = None
    for name in players:
        rows = np.array([[here[name][k]["regret"][str(a)] for a in asked] for k in numbers])
        seconds = np.mean([here[name][k]["seconds"] for k in numbers])
        means = "  ".join(f"{mean:.3f}" for mean in rows.mean(axis=0))
        line = f"  {name:18} {means}"
        if first is None:
            first = rows
        else:
            off = rows - first
            low, high = np.quantile(off[again].mean(axis=1), [0.025, 0.975], axis=0)
            line += "   less the first " + "  ".join(
                f"{m:+.3f} [{a:+.3f}, {b:+.3f}]"
                for m, a, b in zip(off.mean(axis=0), low, high, strict=True)
            )
        print(f"{line}   {1000 * seconds:.0f} ms a proposal", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--players", nargs="+", default=list(PLAYERS))
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--from", type=int, default=0, dest="start", help="number of the first")
    parser.add_argument("--budget", type=int, default=ASKED[-1])
    parser.add_argument("--data", type=Path, help="folder of recorded campaigns")
    parser.add_argument("--out", type=Path)
    given = sized(parser, count=1, budget=10, kinds=["hills"], players=["random", "sobol"])
    found: dict[str, Any] = {}
    if given.out is not None and given.out.exists():
        found = json.loads(given.out.read_text("utf-8"))
    kinds = [kind for kind in given.kinds if kind != "recorded" or given.data is not None]
    for number in range(given.start, given.start + given.count):
        for kind in kinds:
            for name in given.players:
                done = found.setdefault(f"{kind} | {name}", {})
                if str(number) not in done:
                    done[str(number)] = played(name, kind, number, given.data, given.budget)
            if given.out is not None:
                write_atomic(given.out, json.dumps(found, indent=1).encode())
    for kind in kinds:
        told(found, kind, given.players, [a for a in ASKED if a <= given.budget])
