"""Training speed: ours against the same networks, batches and optimiser in PyTorch, in turns.

    python benchmarks/training.py [--network equivariant|plain] [--batch 256] [--steps 30] [--quick]

Only optimisation steps are timed, on minibatches made beforehand from expert logs. PyTorch runs
eager and under `torch.compile`; the better one is the rival; without PyTorch (extra `torch`) there
is none. First both sides are held to the same losses. Also timed: how fast minibatches come from
the files. `--quick` shows in seconds that all of it runs; its figures say nothing. The last line is
JSON.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from _sizes import sized

from seedo import experimenters, play, worlds
from seedo.episodes import Dataset
from seedo.learning import Architecture, Recipe, build
from seedo.learning._batches import stream
from seedo.learning._dag_imitation import DAG_RECIPE, dag_architecture
from seedo.learning._decisions import Lesson, lesson
from seedo.learning._objective import make_update, optimiser

RATE, BATCHES = 1e-4, 8
EXPLORE_WEIGHT = DAG_RECIPE["explore_weight"]


TINY = {
    "equivariant": (("size", 8), ("channels", 4), ("layers", 1), ("learnt", 2)),
    "plain": (("size", 8), ("heads", 2), ("layers", 1)),
}


def lessons(dataset: Dataset, plan: Architecture, recipe: Recipe, count: int) -> list[Lesson]:
    rng = None if recipe.network == "plain" else np.random.default_rng(0)
    batches = itertools.islice(stream([dataset], recipe.batch_size, 0, 0, (1,)), count)
    return [lesson(batch, plan.do_values, rng, False) for _, batch in batches]


def ours(plan: Architecture, recipe: Recipe, work: list[Lesson]) -> Callable[[int], np.ndarray]:
    network = build(plan, 0)
    update = make_update((EXPLORE_WEIGHT, 1.0, 0.0), recipe.weight_decay)
    state = optimiser(recipe.weight_decay).init(eqx.filter(network, eqx.is_array))

    def run(steps: int) -> np.ndarray:
        nonlocal network, state
        for i in range(steps):
            todo = work[i % len(work)]
            network, state, loss = update(todo, network, state, jnp.asarray(RATE))
        return np.asarray(jax.block_until_ready(loss))[:2]

    return run


def rivals(plan: Architecture, recipe: Recipe, work: list[Lesson], compiled: bool) -> dict:
    """PyTorch's sides, by name; none where it is not installed."""
    if importlib.util.find_spec("torch") is None:
        print("PyTorch is not installed: no rival")
        return {}
    from _torch_rival import theirs

    settings = (build(plan, 0), plan, work, EXPLORE_WEIGHT, RATE, recipe.weight_decay)
    sides = {"torch": theirs(*settings, compiled=False)}
    return sides | ({"torch.compile": theirs(*settings, compiled=True)} if compiled else {})


def measure(kind: str, size: Namespace, folder: str) -> dict[str, object]:
    """Episodes a second of each side: median over rounds that alternate between them."""
    world, expert = worlds.make("dag"), experimenters.scripted("expert")
    dataset = play.watch(world, expert, size.episodes, 0, folder, resume=True)
    recipe = Recipe(network=kind, batch_size=size.batch, widths=size.widths.get(kind, ()))
    plan = dag_architecture([dataset], recipe)
    work = lessons(dataset, plan, recipe, BATCHES)
    sides = {"seedo": ours(plan, recipe, work), **rivals(plan, recipe, work, size.compiled)}
    for step in range(3):  # compiles, and shows that all sides compute the same
        found = {name: run(1) for name, run in sides.items()}
        for name, loss in found.items():
            assert np.allclose(loss, found["seedo"], rtol=0.01), (step, name, found)
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(size.rounds):
        for name, run in sides.items():
            began = time.perf_counter()
            run(size.steps)
            rates[name].append(size.steps * size.batch / (time.perf_counter() - began))
    rate = {name: float(np.median(r)) for name, r in rates.items()}
    best = max((r for name, r in rate.items() if name != "seedo"), default=None)
    began = time.perf_counter()
    lessons(dataset, plan, recipe, size.read)
    reading = size.read * size.batch / (time.perf_counter() - began)
    return {
        "network": kind,
        "batch": size.batch,
        "episodes_per_second": {name: round(r) for name, r in rate.items()},
        "ratio": best and round(rate["seedo"] / best, 2),
        "reading_episodes_per_second": round(reading),
        "reading_over_training": round(reading / rate["seedo"], 1),
    }


def main() -> None:
    """Prints one line for each network, then all figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", choices=("equivariant", "plain"))
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--steps", type=int, default=30)
    # Minibatches that are read; whether torch.compile takes part.
    parser.set_defaults(episodes=20_000, rounds=5, read=70, widths={}, compiled=True)
    size = sized(
        parser, batch=16, steps=2, episodes=400, rounds=2, read=3, widths=TINY, compiled=False
    )
    results = []
    for kind in [size.network] if size.network else ["equivariant", "plain"]:
        with tempfile.TemporaryDirectory() as folder:
            results.append(measure(kind, size, folder))
        print(results[-1], flush=True)
    print(json.dumps({"benchmark": "training", "results": results}))


if __name__ == "__main__":
    main()
