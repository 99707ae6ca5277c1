"""How many runs players of settings need, on hills of two knobs and on simulated plants.

    python benchmarks/settings.py plants --players bayes:mechanisms bo:lognei --out plants.json
    python benchmarks/settings.py hills --players response-surface bayes:mechanisms

Plants (world `plants`; both forms; no row, or 1,000, watched first): runs until the setting that
the player would keep has 95 % of the way from a random setting to the best, paired by plant;
players that do not get there within the budget count one run more than it. With two players or
more, the ratio of the first's mean to each other's has a 95 % bootstrap interval over plants. Only
`bayes:mechanisms` makes use of watched rows; others are run without them once. Hills: an optimum
inside the range, noise 2 % of the range of outcomes, 12 runs: the share of surfaces on which the
setting kept is within 5 % of that range of the best. Plants that are done are not run again with
the same --out.
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from _sizes import sized
from numpy.typing import NDArray

from seedo import worlds
from seedo.episodes import write_atomic
from seedo.experimenters import find_player
from seedo.spaces import Goal, Goals, Knob, Runs, Space
from seedo.worlds import Bench, Spec

REACHED = 0.95
WATCHED = 1000
HILL_RUNS, NEAR, NOISE = 12, 0.05, 0.02


def needed(name: str, form: str, watched: int, number: int, budget: int) -> dict[str, float]:
    """Runs that a player needs on a plant, and seconds a proposal."""
    world = worlds.make("plants", form=form, watched=watched, runs=budget)
    plant = world.sample(np.random.default_rng([number, 0]))
    player = find_player(name, world, seed=1)
    runs, knobs = Runs.none(world.space.size, world.readings), world.space.size
    rng = np.random.default_rng([number, 1])
    if watched:
        rows = np.array([world.seen(plant, step, rng) for step in range(watched)])
        runs = runs.plus(rows[:, :knobs], rows[:, knobs:], True)
    spent = 0.0
    for made in range(budget + 1):
        if made or watched:
            kept = player.recommend(world.spec, runs, np.random.default_rng([number, 2, made]))
            value = world.expected(plant, kept[None])[0]
            if value - plant.middle >= REACHED * (plant.highest - plant.middle):
                return {"runs": made, "seconds": spent / max(made, 1)}
        start = time.perf_counter()
        setting = player.propose(
            world.spec, runs, np.empty((0, knobs)), budget - made,
            np.random.default_rng([number, 3, made]),
        )  # fmt: skip
        spent += time.perf_counter() - start
        read = world.measured(plant, setting, np.random.default_rng([number, 4, made]))
        runs = runs.plus(setting, read)
    return {"runs": budget + 1, "seconds": spent / (budget + 1)}


def plants(players: list[str], count: int, budget: int, out: Path | None) -> None:
    """Plant by plant, so that what is done so far is paired whenever it is stopped."""
    found: dict[str, Any] = {}
    if out is not None and out.exists():
        found = json.loads(out.read_text("utf-8"))
    kinds = [
        (form, watched, name)
        for form in ("linear", "curved")
        for name in players
        for watched in ((0, WATCHED) if name == "bayes:mechanisms" else (0,))
    ]
    for number in range(count):
        for form, watched, name in kinds:
            done = found.setdefault(f"{form}, {watched} watched, {name}", {})
            if str(number) not in done:
                done[str(number)] = needed(name, form, watched, number, budget)
                if out is not None:
                    write_atomic(out, json.dumps(found, indent=1).encode())
    print(json.dumps(summary(found, players, budget), indent=1))


def summary(found: dict[str, Any], players: list[str], budget: int) -> dict[str, Any]:
    """Runs needed, and the first player's mean over each other's on the plants that both played,
    with and without watched rows; 95 % bootstrap intervals over plants."""
    told: dict[str, Any] = {}
    for kind, done in found.items():
        runs = np.array([own["runs"] for own in done.values()])
        told[kind] = {"plants": len(runs), "mean": float(runs.mean()),
                      "median": float(np.median(runs)),
                      "not reached": float((runs > budget).mean())}  # fmt: skip
    forms = {"linear": ["linear"], "curved": ["curved"], "both forms": ["linear", "curved"]}
    for (form, parts), watched, other in product(forms.items(), (0, WATCHED), players[1:]):
        first = _gathered(found, [f"{part}, {watched} watched, {players[0]}" for part in parts])
        rival = _gathered(found, [f"{part}, 0 watched, {other}" for part in parts])
        both = sorted(first.keys() & rival.keys())
        if not both:
            continue
        a, b = (np.array([one[plant]["runs"] for plant in both]) for one in (first, rival))
        again = np.random.default_rng(0).integers(len(both), size=(4000, len(both)))
        low, high = np.quantile(a[again].mean(axis=1) / b[again].mean(axis=1), [0.025, 0.975])
        told[f"{form}, {watched} watched: {players[0]} over {other}"] = {
            "ratio": float(a.mean() / b.mean()), "low": float(low), "high": float(high),
            "plants": len(both),
        }  # fmt: skip
    return told


def _gathered(found: dict[str, Any], kinds: list[str]) -> dict[tuple[int, int], Any]:
    """What was done of some kinds, by the place of the kind and the plant's number."""
    return {
        (place, int(number)): own
        for place, kind in enumerate(kinds)
        for number, own in found.get(kind, {}).items()
    }


class Hill(Bench):
    """A hill or a bowl's underside over two knobs."""

    name = "hill"

    def __init__(self, bowl: bool = True) -> None:
        self.bowl = bowl
        space = Space((Knob("a"), Knob("b")))
        super().__init__(space, ("y",), Goals((Goal("y"),)), HILL_RUNS)

    def config(self) -> dict[str, Any]:
        return {"bowl": self.bowl}

    def sample(self, key: Any) -> Any:
        return key.uniform(0.15, 0.85, 2), key.uniform(0.5, 2, 2), key.uniform(-0.6, 0.6)

    def height(self, task: Any, x: NDArray[np.float64]) -> NDArray[np.float64]:
        centre, width, lean = task
        d = (x - centre) * width
        below = (d**2).sum(axis=-1) + 2 * lean * d[..., 0] * d[..., 1]
        found: NDArray[np.float64] = -below if self.bowl else np.exp(-2 * below)
        return found


def hills(players: list[str], count: int) -> None:
    grid = np.stack(np.meshgrid(*[np.linspace(0, 1, 81)] * 2), axis=-1).reshape(-1, 2)
    for name in players:
        for bowl in (True, False):
            world, near = Hill(bowl), []
            spec: Spec = world.spec
            player = find_player(name, world, seed=0)
            for number in range(count):
                task = world.sample(np.random.default_rng([number, 9]))
                best = float(world.height(task, task[0]))
                wide = best - float(world.height(task, grid).min())
                runs = Runs.none(2, ("y",))
                noise = np.random.default_rng([number, 8]).normal(size=HILL_RUNS)
                for k in range(HILL_RUNS):
                    x = player.propose(spec, runs, np.empty((0, 2)), HILL_RUNS - k,
                                       np.random.default_rng([number, k]))  # fmt: skip
                    y = world.height(task, x) + NOISE * wide * noise[k]
                    runs = runs.plus(x, np.array([y]))
                kept = player.recommend(spec, runs, np.random.default_rng([number, 99]))
                near.append(best - float(world.height(task, kept)) <= NEAR * wide)
            share, shape = float(np.mean(near)), "bowls" if bowl else "hills"
            print(f"{name:20} {shape}: within {NEAR:.0%} in {share:.3f} of {count}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", choices=("plants", "hills"), default="hills")
    parser.add_argument("--players", nargs="+", default=["bayes:mechanisms", "response-surface"])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--budget", type=int, default=40)
    parser.add_argument("--out", type=Path)
    given = sized(parser, count=4, budget=12)
    if given.what == "plants":
        plants(given.players, given.count, given.budget, given.out)
    else:
        hills(given.players, given.count)
