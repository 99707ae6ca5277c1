"""Fine-tuning speed in world `dag`, end to end, against the rooms' PPO and a Gymnasium loop.

    python benchmarks/dag_ppo.py [--rounds 6] [--repeats 3] [--quick]

In turns: rounds of fine-tuning from `pretrained:dag` at its defaults (play, learn and log own
episodes); rounds of the rooms' PPO at its defaults; and the policy of `pretrained:dag` acting in
`seedo/dag-v0`, natively batched, 1,024 at once, without learning anything (its decisions are
compiled, one call a step). Steps a second of wall time; `cores_had` is processor time over wall
time, and `per_two_core_seconds` the steps in the processor time of two cores: what an otherwise
idle machine with two cores would do if it could use both wholly. Compiling is not timed. `--quick`
shows in seconds that all of it runs; its figures say nothing. The last line is JSON.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import equinox as eqx
import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from _sizes import sized

from seedo import learning, worlds
from seedo.experimenters import Observation
from seedo.learning import FineTuning, ReinforcementRecipe
from seedo.learning._rooms_reinforcement import RoomsReinforcement


def fine_tuning(size: Namespace, folder: Path) -> Callable[[], int]:
    world, counted = worlds.make("dag"), iter(range(10**6))
    recipe = FineTuning(start="pretrained:dag", **size.tuning)
    per_round = recipe.tasks * recipe.players * world.spec.steps

    def run() -> int:
        own = dataclasses.replace(recipe, steps=size.rounds * per_round)
        agent = learning.reinforce(world, folder / str(next(counted)), own)
        return agent.training["steps"]

    return run


def rooms(size: Namespace) -> Callable[[], int]:
    world, recipe = worlds.make("rooms", level="basic"), ReinforcementRecipe(**size.rooms)
    method = RoomsReinforcement(world, Path(), recipe)
    state, number = method.begin(method.start(), 0, []), 0

    def run() -> int:
        nonlocal state, number
        for _ in range(size.rounds):
            state, figures = method.step(state, number, 0.9)
            number += 1
        jax.block_until_ready(figures)
        return size.rounds * recipe.per_round

    return run


def gymnasium_loop(size: Namespace) -> Callable[[], int]:
    agent = learning.load_agent("pretrained:dag", greedy=False)
    world = worlds.make("dag")
    spec = world.spec
    venv = gymnasium.make_vec("seedo/dag-v0", num_envs=size.environments)
    values = jnp.asarray(spec.do_values)

    @eqx.filter_jit
    def decide(network, memory, seen, first, key):
        def one(memory, seen, key):
            past = seen["target"].sum() > 0
            target = jnp.where(past, jnp.argmax(seen["target"]), -1)
            goal = jnp.where(seen["goal"].sum() > 0, jnp.argmax(seen["goal"]), -1)
            outcome = jnp.where(seen["observed"] > 0, seen["outcome"], jnp.nan)
            now = Observation(
                jnp.argmax(seen["phase"]), jnp.asarray(0), target, seen["value"][0], outcome,
                seen["relevant"] > 0, goal,
            )  # fmt: skip
            action, (memory, _) = agent.act((memory, first), now, key)
            index = action.target * len(values) + jnp.argmin(jnp.abs(values - action.value))
            return index, memory

        return jax.vmap(one)(memory, seen, jax.random.split(key, size.environments))

    def run() -> int:
        for episode in range(size.rounds):
            seen, _ = venv.reset(seed=episode)
            memory = jax.vmap(lambda _: agent.network.start(spec.n, spec.steps))(
                jnp.arange(size.environments)
            )
            for t in range(spec.steps):
                key = jax.random.key(episode * spec.steps + t)
                action, memory = decide(agent.network, memory, seen, jnp.asarray(t == 0), key)
                seen, *_ = venv.step(np.asarray(action))
        return size.rounds * size.environments * spec.steps

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--repeats", type=int, default=3)
    # The Gymnasium loop's; what differs from the defaults of `FineTuning` and of the rooms' recipe.
    parser.set_defaults(environments=1024, tuning={}, rooms={})
    widths = (("size", 8), ("objects", 8), ("code", 8))
    few = {"environments": 4, "unroll": 4, "widths": widths}
    tuning = {"tasks": 2, "players": 2}
    size = sized(parser, rounds=1, repeats=1, environments=8, tuning=tuning, rooms=few)
    with tempfile.TemporaryDirectory() as folder:
        sides = {
            "dag, fine-tuning": fine_tuning(size, Path(folder)),
            "rooms, PPO": rooms(size),
            "dag, Gymnasium, play only": gymnasium_loop(size),
        }
        found: dict[str, dict[str, list[float]]] = {}
        for name, run in sides.items():
            run()  # compiles
            found[name] = {"wall": [], "processor": []}
        load = os.getloadavg()[0]
        for _ in range(size.repeats):
            for name, run in sides.items():
                began, used = time.perf_counter(), time.process_time()
                steps = run()
                found[name]["wall"].append(steps / (time.perf_counter() - began))
                found[name]["processor"].append(steps / (time.process_time() - used))
    results = {
        name: {
            "steps_per_second": round(float(np.median(own["wall"]))),
            "per_two_core_seconds": round(2 * float(np.median(own["processor"]))),
            "cores_had": round(float(np.median(np.divide(own["wall"], own["processor"]))), 2),
        }
        for name, own in found.items()
    }
    for name, own in results.items():
        print(name, own, flush=True)
    report = {"benchmark": "dag_ppo", "network": "pretrained:dag", "cores": os.cpu_count()}
    print(json.dumps(report | {"load_average": round(load, 1), "results": results}))


if __name__ == "__main__":
    main()
