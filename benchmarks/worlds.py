"""Interventions per second of expert rollouts through the public API, system sampling included."""

from __future__ import annotations

import json
import time

import jax
import jax.numpy as jnp

from understudy import evaluation, experimenters, worlds


def main(batch: int = 4096, repeats: int = 20) -> None:
    world, expert = worlds.make("dag"), experimenters.scripted("expert")

    def play(start: int) -> None:
        indices = jnp.arange(start, start + batch)
        jax.block_until_ready(evaluation.rollout(world, expert, 0, "benchmark", indices))

    play(0)
    began = time.perf_counter()
    for i in range(repeats):
        play(i * batch)
    seconds = time.perf_counter() - began
    rate = repeats * batch * world.spec.steps / seconds
    print(json.dumps({"benchmark": "worlds", "batch": batch, "interventions_per_second": rate}))


if __name__ == "__main__":
    main()
