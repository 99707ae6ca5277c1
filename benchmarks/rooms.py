"""Steps per second of random play in rooms, episodes sampled anew included.

One worker a core, each a compiled scan over a batch of episodes. Every eight steps finished
episodes are replaced by freshly sampled ones; steps of finished episodes are not counted. Every
number of every observation, or every byte of every frame, goes into a checksum, so that none of
them can be left out.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
from _sizes import sized

from seedo import worlds

REPLACE_EVERY = 8
LEVELS = ("basic", "confounded", "deconfounded", "meta")
SIZES = (("symbolic", 1024, 1600), ("pixels", 128, 400))  # observations, rooms at once, steps


def program(world: worlds.RoomsWorld, obs: str, batch: int, steps: int):
    """(key) -> (steps taken, checksum)."""

    def fresh(key):
        tasks = jax.vmap(world.sample)(jax.random.split(key, batch))
        return tasks, jax.vmap(world.reset)(tasks)

    def checksum(tasks, states):
        seen = jax.vmap(world.observe)(tasks, states)
        if obs == "pixels":
            return jax.lax.reduce(seen.frame, jnp.uint8(0), jax.lax.bitwise_xor, (0,))
        return sum(field.astype(jnp.int32).sum(dtype=jnp.uint32) for field in seen.symbolic)

    def play(carry, key):
        tasks, states, taken, check = carry

        def one(carry, key):
            states, taken, check = carry
            taken += (~states.finished).sum(dtype=jnp.int32)
            actions = jax.random.randint(key, (batch,), 0, 11)
            states, reward = jax.vmap(world.advance)(tasks, states, actions)
            seen = checksum(tasks, states)
            return (states, taken, check ^ seen ^ reward.sum().astype(check.dtype)), None

        step_key, task_key = jax.random.split(key)
        keys = jax.random.split(step_key, REPLACE_EVERY)
        (states, taken, check), _ = jax.lax.scan(one, (states, taken, check), keys)

        def replace(new, old):
            return jnp.where(states.finished.reshape(-1, *[1] * (old.ndim - 1)), new, old)

        new = jax.tree.map(replace, fresh(task_key), (tasks, states))
        return (*new, taken, check), None

    def run(key):
        first, key = jax.random.split(key)
        episodes = fresh(first)
        blank = jnp.zeros_like(checksum(*episodes))
        carry = (*episodes, jnp.zeros((), jnp.int32), blank)
        keys = jax.random.split(key, steps // REPLACE_EVERY)
        (_, _, taken, check), _ = jax.lax.scan(play, carry, keys)
        return taken, check

    return jax.jit(run)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--levels", nargs="+", choices=LEVELS, default=LEVELS)
    parser.set_defaults(sizes=SIZES)
    tiny = [(obs, 4, 2 * REPLACE_EVERY) for obs, _, _ in SIZES]
    options = sized(parser, repeats=1, levels=LEVELS[:1], sizes=tiny)
    repeats, workers = options.repeats, os.cpu_count() or 1
    for obs, batch, steps in options.sizes:
        for level in options.levels:
            run = program(worlds.make("rooms", level=level), obs, batch, steps)

            def work(seed: int, run=run) -> int:
                return int(run(jax.random.key(seed))[0])

            work(0)  # compiles
            rates, cores = [], []
            with ThreadPoolExecutor(workers) as pool:
                for repeat in range(repeats):
                    seeds = range(repeat * workers, (repeat + 1) * workers)
                    began, used = time.perf_counter(), time.process_time()
                    taken = sum(pool.map(work, seeds))
                    wall = time.perf_counter() - began
                    rates.append(taken / wall)
                    cores.append((time.process_time() - used) / wall)
            report = {
                "benchmark": "rooms",
                "level": level,
                "obs": obs,
                "batch": batch,
                "workers": workers,
                "steps_per_second": [round(rate) for rate in sorted(rates)],
                "cores_had": round(sum(cores) / repeats, 2),
            }
            print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
