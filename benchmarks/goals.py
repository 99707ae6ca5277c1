"""Fronts of two and three goals: hypervolume after 15 and 30 runs, on published test problems.

    python benchmarks/goals.py --out docs/results/goals.json
    PYTHONPATH=OLD/src python benchmarks/goals.py --out docs/results/goals.json --label before

Problems, all to be minimised: ZDT1 (convex front) and ZDT2 (concave) of four knobs (Zitzler, Deb &
Thiele 2000, Evolutionary Computation 8), DTLZ2 of three goals and five knobs (concave; Deb et al.
2005), Branin-Currin (as in Belakaria, Deshwal & Doppa 2019), without noise and with noise of 5 % of
the front's ranges, CONSTR, whose linear constraints cut the front (Deb 2001), and vehicle safety of
three goals (Tanabe & Ishibuchi 2020, Applied Soft Computing 89). A campaign is 5 random runs and 25
that the player chooses; random runs and noise are the same for all. Measured is the hypervolume of
the noiseless goals of the settings that were run, as a share of that of the true front, from the
problem's reference point. Printed are means, and the difference to the first player with its 95 %
bootstrap interval over seeds. --label keeps runs of another version of the package apart ("before"
is commit b828163); what is in --out is not run again.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _sizes import sized
from numpy.typing import NDArray

from seedo.episodes import write_atomic
from seedo.experimenters import find_player
from seedo.spaces import Goal, Goals, Runs, Space
from seedo.worlds import Bench

Array = NDArray[np.float64]

FIRST, RUNS, ASKED = 5, 30, (15, 30)
PLAYERS = ("random", "pretrained:tuner", "response-surface", "bayes:mechanisms")


@dataclass(frozen=True)
class Problem:
    """A test problem.

    Attributes:
        goals: settings float64[M, K] -> float64[M, G], to be minimised.
        reference: float64[G], up to which hypervolume counts.
        whole: hypervolume of the true front.
        knobs: how many.
        low, high: ends of each.
        constraints: linear, as in a campaign's file.
        noise: float64[G], standard deviation of what is read.
    """

    goals: Callable[[Array], Array]
    reference: tuple[float, ...]
    whole: float
    knobs: int
    low: tuple[float, ...] | float = 0.0
    high: tuple[float, ...] | float = 1.0
    constraints: tuple[str, ...] = ()
    noise: tuple[float, ...] = (0.0,)

    def space(self) -> Space:
        low, high = (np.broadcast_to(end, self.knobs).tolist() for end in (self.low, self.high))
        knobs = {f"x{i + 1}": {"low": low[i], "high": high[i]} for i in range(self.knobs)}
        return Space.from_json({"knobs": knobs, "constraints": [{"linear": c} for c in
                                                                self.constraints]})  # fmt: skip


def zdt(power: float) -> Callable[[Array], Array]:
    def goals(x: Array) -> Array:
        g = 1 + 9 * x[:, 1:].mean(axis=1)
        return np.stack([x[:, 0], g * (1 - (x[:, 0] / g) ** power)], axis=1)

    return goals


def dtlz2(x: Array) -> Array:
    g = 1 + ((x[:, 2:] - 0.5) ** 2).sum(axis=1)
    a, b = x[:, 0] * math.pi / 2, x[:, 1] * math.pi / 2
    parts = [np.cos(a) * np.cos(b), np.cos(a) * np.sin(b), np.sin(a)]
    return g[:, None] * np.stack(parts, axis=1)


def branin_currin(x: Array) -> Array:
    a, b = 15 * x[:, 0] - 5, 15 * x[:, 1]
    branin = (b - 5.1 * a**2 / (4 * math.pi**2) + 5 * a / math.pi - 6) ** 2
    branin = branin + 10 * (1 - 1 / (8 * math.pi)) * np.cos(a) + 10
    u, v = x[:, 0], np.maximum(x[:, 1], 1e-12)
    over = 2300 * u**3 + 1900 * u**2 + 2092 * u + 60
    currin = (1 - np.exp(-1 / (2 * v))) * over / (100 * u**3 + 500 * u**2 + 4 * u + 20)
    return np.stack([branin, currin], axis=1)


def constr(x: Array) -> Array:
    return np.stack([x[:, 0], (1 + x[:, 1]) / x[:, 0]], axis=1)


def vehicle(x: Array) -> Array:
    a, b, c, d, e = x.T
    weight = 1640.2823 + 2.3573285 * a + 2.3220035 * b + 4.5688768 * c + 7.7213633 * d
    weight = weight + 4.4559504 * e
    speed = 6.5856 + 1.15 * a - 1.0427 * b + 0.9738 * c + 0.8364 * d - 0.3695 * a * d
    speed = speed + 0.0861 * a * e + 0.3628 * b * d - 0.1106 * a**2 - 0.3437 * c**2
    speed = speed + 0.1764 * d**2
    toe = -0.0551 + 0.0181 * a + 0.1024 * b + 0.0421 * c - 0.0073 * a * b + 0.024 * b * c
    toe = toe - 0.0118 * b * d - 0.0204 * c * d - 0.008 * c * e - 0.0241 * b**2 + 0.0109 * d**2
    return np.stack([weight, speed, toe], axis=1)


def _constr_whole(reference: tuple[float, float]) -> float:
    """By the front itself: 7/18 <= f1 <= 1, f2 = (7 - 9 f1) / f1 up to f1 = 2/3, then 1 / f1."""
    at = np.linspace(7 / 18, 1, 200_001)
    front = np.where(at < 2 / 3, (7 - 9 * at) / at, 1 / at)
    high = reference[1] - front
    area = float(((high[1:] + high[:-1]) / 2 * np.diff(at)).sum())
    return area + (reference[0] - 1) * (reference[1] - 1)


_CONSTR = (1 + 0.1 * 11 / 18, 9.8)
_NOISY = (0.05 * 17.6, 0.05 * 4.8)  # ranges of the front of Branin-Currin up to its reference
PROBLEMS = {
    "ZDT1": Problem(zdt(0.5), (1.1, 1.1), 1.21 - 1 / 3, 4),
    "ZDT2": Problem(zdt(2.0), (1.1, 1.1), 1.21 - 2 / 3, 4),
    "Branin-Currin": Problem(branin_currin, (18.0, 6.0), 59.36011874867746, 2),
    "Branin-Currin, noisy": Problem(
        branin_currin, (18.0, 6.0), 59.36011874867746, 2, noise=_NOISY
    ),
    "CONSTR": Problem(
        constr, _CONSTR, _constr_whole(_CONSTR), 2, (0.1, 0.0), (1.0, 5.0),
        ("x2 + 9 x1 >= 6", "9 x1 - x2 >= 1"),
    ),
    "DTLZ2": Problem(dtlz2, (1.1,) * 3, 1.331 - math.pi / 6, 5),
    "vehicle safety": Problem(
        vehicle, (1864.72022, 11.81993945, 0.2903999384), 246.81607081187002, 5, 1.0, 3.0
    ),
}  # fmt: skip


class Front(Bench):
    """A problem as a world: the goals are what is read."""

    name = "front"

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        names = tuple(f"f{i + 1}" for i in range(len(problem.reference)))
        # Bench wants scales; players of fronts go by what was read.
        goals = Goals(tuple(Goal(name, "minimize", scale=1.0) for name in names), pareto=True)
        super().__init__(problem.space(), names, goals, RUNS)

    def config(self) -> dict[str, Any]:
        return {}

    def measured(self, task: Any, setting: Array, rng: np.random.Generator) -> Array:
        goals = self.problem.goals(setting[None])[0]
        found: Array = goals + np.array(self.problem.noise) * rng.normal(size=len(goals))
        return found


def hypervolume(points: Array, reference: Array) -> float:
    """Of what points float64[M, G], to be minimised, leave below a reference float64[G]: slices
    along the last goal."""
    points = points[(points < reference).all(axis=1)]
    if not len(points):
        return 0.0
    if points.shape[1] == 1:
        return float(reference[0] - points.min())
    points = points[np.argsort(points[:, -1])]
    ends = np.append(points[1:, -1], reference[-1])
    return sum(
        (end - points[i, -1]) * hypervolume(points[: i + 1, :-1], reference[:-1])
        for i, end in enumerate(ends) if end > points[i, -1]
    )  # fmt: skip


def played(name: str, problem: Problem, seed: int, most: int) -> dict[str, Any]:
    """Shares of the hypervolume after so many runs, and the longest proposal in seconds."""
    world = Front(problem)
    player = find_player(name, world, greedy=True, seed=seed)
    first = world.space.sample(FIRST, np.random.default_rng([seed, 0]))
    runs, spent, shares = Runs.none(world.space.size, world.readings), [0.0], {}
    for made in range(most):
        start = time.perf_counter()
        setting = first[made] if made < FIRST else player.propose(
            world.spec, runs, np.empty((0, world.space.size)), most - made,
            np.random.default_rng([seed, 1, made]),
        )  # fmt: skip
        if made >= FIRST:
            spent.append(time.perf_counter() - start)
        world.space.check(setting)
        rng = np.random.default_rng([seed, 2, made])
        runs = runs.plus(setting, world.measured(None, setting, rng))
        if made + 1 in ASKED:
            true = problem.goals(runs.settings)
            share = hypervolume(true, np.array(problem.reference)) / problem.whole
            shares[str(made + 1)] = round(share, 4)
    return {"share": shares, "seconds": round(float(np.mean(spent[1:])), 4),
            "longest": round(max(spent), 3)}  # fmt: skip


def told(found: dict[str, Any], problem: str, names: list[str], asked: list[int]) -> None:
    """Prints a problem: means, and differences to the first."""
    here = {name: found.get(f"{problem} | {name}", {}) for name in names}
    here = {name: each for name, each in here.items() if each}
    seeds = sorted(set.intersection(*(set(each) for each in here.values()))) if here else []
    if not seeds:
        return
    again = np.random.default_rng(0).integers(len(seeds), size=(4000, len(seeds)))
    print(f"{problem}, {len(seeds)} seeds: share of the hypervolume after {asked} runs")
    first = None
    for name, each in here.items():
        rows = np.array([[each[s]["share"][str(a)] for a in asked] for s in seeds])
        line = f"  {name:26} " + "  ".join(f"{mean:.3f}" for mean in rows.mean(axis=0))
        if first is None:
            first = rows
        else:
            off = rows - first
            low, high = np.quantile(off[again].mean(axis=1), [0.025, 0.975], axis=0)
            line += "   less the first " + "  ".join(
                f"{m:+.3f} [{a:+.3f}, {b:+.3f}]"
                for m, a, b in zip(off.mean(axis=0), low, high, strict=True)
            )
        spent = 1000 * np.mean([each[s]["seconds"] for s in seeds])
        print(f"{line}   {spent:.0f} ms a proposal", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", nargs="+", default=list(PROBLEMS), choices=PROBLEMS)
    parser.add_argument("--players", nargs="+", default=list(PLAYERS))
    parser.add_argument("--count", type=int, default=10, help="seeds")
    parser.add_argument("--budget", type=int, default=RUNS)
    parser.add_argument("--label", default="", help="of the version that plays")
    parser.add_argument("--out", type=Path)
    given = sized(parser, count=1, budget=15, problems=["ZDT2", "DTLZ2"])
    found: dict[str, Any] = {}
    if given.out is not None and given.out.exists():
        found = json.loads(given.out.read_text("utf-8"))
    for problem in given.problems:
        for name in given.players:
            label = name if name == "random" or not given.label else f"{name}, {given.label}"
            done = found.setdefault(f"{problem} | {label}", {})
            for seed in range(given.count):
                if str(seed) in done:
                    continue
                done[str(seed)] = played(name, PROBLEMS[problem], seed, given.budget)
                if given.out is not None:
                    write_atomic(given.out, json.dumps(found, indent=1).encode())
        names = sorted({key.partition(" | ")[2] for key in found}, key=lambda n: n != "random")
        told(found, problem, names, [a for a in ASKED if a <= given.budget])
