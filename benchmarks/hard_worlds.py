"""What every reader earns where little noise does not make it right, omniscient = 1.

    python benchmarks/hard_worlds.py --out docs/results/hard-worlds.json [--only NAME ...]

All readers read the same histories, of the choosers `rotation` and `shuffled`; each gets the
better of the two, as the file says. Beside those that `seedo` calls by name stand regressions that
a careful statistician would try first, and the two put together: the slope where a variable was
set, else what the regression says; they know the sizes of levers and what setting them costs.
`bayes` reads the same histories; `bayes:eig` (`--informed`) chooses its own experiments. A result
that is in the file already, for the same settings and sizes, is kept.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from _sizes import sized
from numpy.typing import NDArray

from seedo import evaluation, play, worlds
from seedo.episodes import EpisodeBatch
from seedo.experimenters import find_player
from seedo.inference.exact import bayes_supported
from seedo.statistics import ratio

LOW = {"noise_variance": 0.01}
SEEN = {**LOW, "observations": 20, "experiments": 2}
SHOCKS = {"shocks": "observed", "shock_scale": 20.0}
HUMP = {**LOW, "mechanism": "hump", "do_values": (-4.0, -2.0, -1.0, 1.0, 2.0, 4.0)}
WORLDS: dict[str, dict[str, Any]] = {
    "as usual": LOW,
    "more do-values": {**LOW, "do_values": (-4.0, -1.0, 0.5, 2.0)},
    "3 experiments": {**LOW, "experiments": 3},
    "2 experiments": {**LOW, "experiments": 2},
    "2 experiments, 20 observations": SEEN,
    "hidden shocks": {**LOW, "confounders": 3, "shocks": "hidden", "shock_scale": 20.0},
    "hidden shocks, 20 experiments": {
        **LOW, "confounders": 3, "shocks": "hidden", "shock_scale": 20.0, "experiments": 20
    },
    "observed shocks": {**LOW, **SHOCKS},
    "observed shocks, 2 experiments, 20 observations": {**SEEN, **SHOCKS},
    "the same, 6 variables": {**SEEN, **SHOCKS, "n": 6},
    "the same, 8 variables": {**SEEN, **SHOCKS, "n": 8},
    "varied levers": {**LOW, "levers": "varied"},
    "varied levers, 2 experiments, 20 observations": {**SEEN, "levers": "varied"},
    "costs": {**LOW, "costs": (0.0, 0.5, 1.0, 1.5, 2.0)},
    "hump": HUMP,
    "hump, 30 experiments": {**HUMP, "experiments": 30},
}  # fmt: skip
CHOOSERS = ("rotation", "shuffled")

Array = NDArray[np.float64]


def regressions(batch: EpisodeBatch, goal: NDArray[np.int64], ridge: float) -> dict[str, Array]:
    """Coefficients float[B, n] of the goal on every variable, and where they come from.

    `regression`: on all variables at once, from all rows in which the goal was not set, with just
    enough of a ridge to be defined; `one at a time`: on one variable, from the observations alone.
    """
    inside = batch.phase[0] != 2
    target = batch.target[:, inside]
    x = batch.outcome[:, inside].astype(np.float64)
    rows, n = np.arange(len(x)), x.shape[-1]
    y = np.take_along_axis(x, goal[:, None, None], 2)[:, :, 0]

    free = (target != goal[:, None])[:, :, None]
    design = x * free
    design[rows, :, goal] = 0
    gram = np.einsum("bri,brj->bij", design, design) + ridge * np.eye(n)
    moment = np.einsum("bri,br->bi", design, y)
    at_once = np.linalg.solve(gram, moment[..., None])[..., 0]

    watched = (target < 0)[:, :, None].astype(np.float64)
    count = np.maximum(watched.sum(1, keepdims=True), 1)
    dx = (x - (x * watched).sum(1, keepdims=True) / count) * watched
    dy = (y[:, :, None] - (y[:, :, None] * watched).sum(1, keepdims=True) / count) * watched
    alone = (dx * dy).sum(1) / np.maximum((dx**2).sum(1), 1e-12)
    return {"regression": at_once, "one at a time": alone}


def slopes(batch: EpisodeBatch, goal: NDArray[np.int64]) -> tuple[Array, NDArray[np.bool_]]:
    """The slope of the goal on every variable that was set, float[B, n], and which were."""
    inside = batch.phase[0] != 2
    target, value = batch.target[:, inside], np.nan_to_num(batch.value[:, inside])
    y = np.take_along_axis(batch.outcome[:, inside], goal[:, None, None], 2)[:, :, 0]
    watched = target < 0
    usual = (y * watched).sum(1) / np.maximum(watched.sum(1), 1)
    own = target[:, :, None] == np.arange(batch.n)
    set_to = np.where(own, value[:, :, None], 0.0).astype(np.float64)
    moment = (set_to * (y - usual[:, None])[:, :, None]).sum(1)
    return moment / np.maximum((set_to**2).sum(1), 1e-12), own.any(1)


def earned(scores: Array, readings: evaluation.Readings) -> Array:
    """What the best-scored legal action earns, float[B]."""
    masked = np.where(readings.legal, scores, -np.inf)
    found: Array = np.take_along_axis(readings.worth, masked.argmax(1)[:, None], 1)[:, 0]
    return found


def by_history(world: worlds.World, chooser: str, episodes: int, exact: int) -> dict[str, Any]:
    """Returns float[B] of every reader, on the histories of a chooser, and the oracle's."""
    player = find_player(f"scripted:{chooser}+random", world)
    batch = play.episodes(world, player, 0, "hard", 0, episodes, systems=True)
    readings = evaluation.read(batch, only=(evaluation.ORACLE, *evaluation.HEURISTICS))
    assert not isinstance(readings, str)
    oracle = readings.value_of(evaluation.ORACLE)
    found = {name: readings.value_of(name) for name in evaluation.HEURISTICS}
    found["random"] = batch.random_return
    goal = batch.goal[readings.episode, readings.step].astype(np.int64)
    values, n = np.asarray(readings.do_values), world.spec.n
    sizes, costs = (np.asarray(x or (y,) * n)
                    for x, y in ((world.spec.sizes, 1.0), (world.spec.costs, 0.0)))  # fmt: skip
    slope, tested = slopes(batch, goal)
    for name, each in regressions(batch, goal, world.config()["noise_variance"]).items():
        own = each * sizes  # per unit of the do-value, as slopes are
        for title, some in ((name, own), (f"slope, else {name}", np.where(tested, slope, own))):
            scores = some[:, :, None] * values - costs[:, None]
            found[title] = earned(scores.reshape(len(some), -1), readings)
    pairs = {name: (value, oracle) for name, value in found.items()}
    if bayes_supported(world.config()) is None:
        some = batch.take(np.arange(exact))
        read = evaluation.read(some, only=(evaluation.ORACLE, evaluation.BAYES))
        assert not isinstance(read, str)
        pairs["bayes"] = (read.value_of(evaluation.BAYES), read.value_of(evaluation.ORACLE))
    return pairs


def table(options: dict[str, Any], episodes: int, exact: int, informed: int) -> dict[str, Any]:
    """Shares of the omniscient return in a world, each with its interval."""
    world = worlds.make("dag", **options)
    found: dict[str, Any] = {}
    for chooser in CHOOSERS:
        for name, (own, oracle) in by_history(world, chooser, episodes, exact).items():
            share = ratio(own, oracle).to_json() | {"chooser": chooser}
            if name not in found or share["value"] > found[name]["value"]:
                found[name] = share
    if (reason := bayes_supported(world.config())) is not None:
        found["bayes"] = {"refused": reason}
    elif informed:
        own = play.episodes(world, find_player("bayes:eig", world), 0, "hard", 0, informed)
        found["bayes:eig"] = ratio(own.returns, own.oracle_return).to_json()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=4096)
    parser.add_argument("--exact", type=int, default=512, help="episodes read by exact Bayes")
    parser.add_argument("--informed", type=int, default=0, help="episodes played by bayes:eig")
    parser.add_argument("--only", nargs="*", choices=tuple(WORLDS), metavar="NAME")
    parser.add_argument("--out", type=Path)
    options = sized(parser, episodes=64, exact=32, informed=0, only=["as usual"])
    results = json.loads(options.out.read_text()) if options.out and options.out.exists() else {}
    for name in options.only or WORLDS:
        exact = max(1, options.exact >> max(0, WORLDS[name].get("n", 5) - 5))  # work grows as 3^n
        asked = {"options": json.loads(json.dumps(WORLDS[name])), "episodes": options.episodes,
                 "exact": exact, "informed": options.informed}  # fmt: skip
        if results.get(name, {}).get("asked") == asked:
            continue
        shares = table(WORLDS[name], options.episodes, exact, options.informed)
        results[name] = {"asked": asked, "shares": shares}
        told = {k: v.get("refused") or round(v["value"], 3) for k, v in shares.items()}
        print(name, json.dumps(told), flush=True)
        if options.out:
            part = options.out.with_suffix(".part")
            part.write_text(json.dumps({k: results[k] for k in WORLDS if k in results}, indent=1))
            part.replace(options.out)


if __name__ == "__main__":
    main()
