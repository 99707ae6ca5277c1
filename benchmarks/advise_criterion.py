"""What `advise` should choose experiments by, where a goal is to be raised.

    python benchmarks/advise_criterion.py --systems 300 --kept FOLDER --out FILE.json

Systems are drawn from the world `dag`: 4 or 5 variables, at most one parent or up to three,
straight or bent (tanh), read as straight (as with `--linear`); 4 rows or 40 were observed before;
two variables can be set, or all but the goal, to -2 or 2. Every criterion meets the same systems
and the same noise, row by row. An experiment is one row, and the next is planned from all rows
before it (`infer`, then `plan_experiments`, as `advise` does). After 4, 8 and 12 the setting of the
best posterior mean is kept: its share of the best setting's mean (sums over systems; 95 % bootstrap
intervals over systems), and paired differences. Systems that are done are not run again with the
same --kept, and systems that are not done when it is stopped are left out with a smaller --systems;
the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from _sizes import sized
from numpy.typing import NDArray

from seedo import worlds
from seedo.inference import Goal, infer, plan_experiments
from seedo.inference.design import best_action
from seedo.statistics import ratio
from seedo.tables import Table

CRITERIA = ("bits", "gain", "random")
AFTER = (4, 8, 12)
VALUES = (-2.0, 2.0)
DRAWS = 400
LEAST = 0.2
"""The best setting's mean under which a system has nothing to find, in standard deviations."""


class Case(NamedTuple):
    """One system, what is known, what can be set, what is wanted."""

    kind: dict[str, Any]
    weights: NDArray[np.float64]
    before: NDArray[np.float64]  # rows observed
    noise: NDArray[np.float64]  # [steps, n], of the experiments
    options: list[tuple[int, float]]
    goal: Goal
    means: NDArray[np.float64]  # of the goal, with its sign, for each option


def simulate(
    weights: NDArray[np.float64],
    noise: NDArray[np.float64],
    bent: bool,
    do: tuple[int, float] | None = None,
) -> NDArray[np.float64]:
    """Rows float64[R, n]; iterated until a graph without cycles has settled."""
    x, root = np.zeros_like(noise), ~(weights != 0).any(axis=0)
    for _ in range(len(weights)):
        drive = noise + x @ weights
        x = np.where(root, drive, np.tanh(drive)) if bent else drive
        if do is not None:
            x[:, do[0]] = do[1]
    return x


def case(number: int) -> Case:
    """System of that number; kinds take turns."""
    n = 4 + number % 2
    dense, bent = number // 2 % 2 == 1, number // 16 % 4 == 3
    seen, several = (4, 40)[number // 4 % 2], number // 8 % 2 == 1
    world = worlds.make("dag", n=n, max_parents=3 if dense else 1)
    kind = {"n": n, "dense": dense, "bent": bent, "seen": seen, "several": several}
    drawn = np.random.default_rng([number, 1]).normal(size=(2000, n))
    for again in range(1000):
        rng = np.random.default_rng([number, 0, again])
        key = jax.random.key(1000 * number + again)
        weights = np.asarray(world.sample(key).system.weights, np.float64)
        goal = Goal(int(rng.integers(n)), int(rng.choice([-1, 1])))
        others = np.delete(np.arange(n), goal.variable)
        settable = others if several else rng.choice(others, 2, replace=False)
        options = [(int(i), v) for i in sorted(settable) for v in VALUES]
        means = np.array([
            simulate(weights, np.concatenate([drawn, -drawn]), bent, o)[:, goal.variable].mean()
            for o in options
        ])  # fmt: skip
        if (goal.sign * means).max() > LEAST:
            before = simulate(weights, rng.normal(size=(seen, n)), bent)
            noise = rng.normal(size=(AFTER[-1], n))
            return Case(kind, weights, before, noise, options, goal, goal.sign * means)
    raise RuntimeError("no system with anything to find")


def played(one: Case, criterion: str, steps: int) -> list[float]:
    """Means of the settings that would be kept after 4, 8, 12 experiments."""
    rows, targets, kept = one.before, [-1] * len(one.before), []
    rng = np.random.default_rng(0)  # the same picks for all: which is which is random
    names = [f"v{i}" for i in range(len(one.weights))]
    for step in range(steps + 1):
        if step in AFTER or criterion != "random":
            table = Table.from_rows(names, rows, np.array(targets))
            posterior = infer(table, form="linear", draws=DRAWS)
        if step in AFTER:
            action = best_action(posterior.draws, one.goal, one.options)
            kept.append(float(one.means[one.options.index((action.target, action.value))]))
        if step == steps:
            return kept
        if criterion == "random":
            option = one.options[rng.integers(len(one.options))]
        else:
            plan = plan_experiments(posterior, one.options, goal=one.goal, prefer=criterion,
                                    least_bits=-1.0)  # fmt: skip
            option = (plan.chosen[0].target, plan.chosen[0].value)
        row = simulate(one.weights, one.noise[[step]], one.kind["bent"], option)
        rows, targets = np.concatenate([rows, row]), [*targets, option[0]]
    return kept


def summed(found: dict[str, Any], criteria: list[str]) -> dict[str, Any]:
    """Shares of the best, and each criterion less gain, over the systems that all have met."""
    told: dict[str, Any] = {}
    groups = {"all": {}, "seen 4": {"seen": 4}, "seen 40": {"seen": 40},
              "two to set": {"several": False}, "all to set": {"several": True},
              "straight": {"bent": False}, "bent": {"bent": True},
              "sparse": {"dense": False}, "dense": {"dense": True}}  # fmt: skip
    for group, wanted in groups.items():
        some = [f for f in found.values() if all(c in f["kept"] for c in criteria)
                and wanted.items() <= f["kind"].items()]  # fmt: skip
        if len(some) < 2:
            continue
        top = np.array([f["best"] for f in some])
        kept = {c: np.array([f["kept"][c] for f in some]) for c in criteria}
        told[group] = {"systems": len(some)}
        for at, after in enumerate(AFTER[: kept[criteria[0]].shape[1]]):
            told[group][str(after)] = {
                "share": {c: ratio(kept[c][:, at], top).to_json() for c in criteria},
                "less gain": {c: ratio(kept[c][:, at] - kept["gain"][:, at], top).to_json()
                              for c in criteria if c != "gain"},
            }  # fmt: skip
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--systems", type=int, default=300)
    parser.add_argument("--kept", type=Path, default=None)
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--criteria", nargs="+", default=list(CRITERIA))
    parser.set_defaults(steps=AFTER[-1])
    given = sized(parser, systems=2, steps=4)
    file = given.kept / "systems.jsonl" if given.kept else None
    found: dict[str, Any] = {}
    if file is not None and file.exists():
        for line in file.read_text().splitlines():
            one = json.loads(line)
            old = found.setdefault(str(one["number"]), one)
            old["kept"].update(one["kept"])
    for number in range(given.systems):
        done = found.setdefault(str(number), {"number": number, "kept": {}})
        wanted = [c for c in given.criteria if c not in done["kept"]]
        if not wanted:
            continue
        one = case(number)
        new = {"number": number, "kind": one.kind, "best": float(one.means.max()),
               "kept": {c: played(one, c, given.steps) for c in wanted}}  # fmt: skip
        done.update({**new, "kept": {**done["kept"], **new["kept"]}})
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("a") as stream:
                stream.write(json.dumps(new) + "\n")
    found = {k: f for k, f in found.items() if int(k) < given.systems}
    told = summed(found, given.criteria)
    if given.out is not None:
        given.out.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")
    print(json.dumps(told))


if __name__ == "__main__":
    main()
