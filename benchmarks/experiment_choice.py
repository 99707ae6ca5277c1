"""Decisions a second of `bayes:eig` and `bayes:goal`: `python benchmarks/experiment_choice.py`.

One decision = the posterior of a history, the worth of all experiments, and the best of them;
compilation is excluded. For every number of drawn outcomes it also says how often the decision is
the one that 16 times the draws would make, and what is lost, on average, by deciding with fewer.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
from _sizes import sized

from seedo.inference.design import expected_information_gain, value_of_information
from seedo.inference.exact import SubsetPosterior
from seedo.inference.scores import Rows
from seedo.worlds import World, make

VALUES = (-2.0, 2.0)


def histories(world: World, steps: int, count: int) -> Rows:
    """Random experiments on random systems."""

    def one(key):
        key_task, key_target, key_value, key_noise = jax.random.split(key, 4)
        system = world.sample(key_task).system
        target = jax.random.randint(key_target, (steps,), 0, world.spec.n)
        value = jax.random.choice(key_value, jnp.asarray(VALUES), (steps,))
        noise = jax.random.split(key_noise, steps)
        outcome = jax.vmap(world.outcome, (None, 0, 0, 0))(system, target, value, noise)
        return Rows(outcome, target)

    return jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(0), count))


def measure(name: str, worth: Callable, posterior, rows: Rows, draws: int, reference) -> None:
    """Prints speed and loss of deciding with this many draws."""
    count = len(rows.outcome)
    keys = jax.random.split(jax.random.key(1), count)

    def decide(rows, key):
        found = worth(posterior, rows, VALUES, key, draws=draws)
        return jnp.argmax(found.max(-1))

    single, batched = jax.jit(decide), jax.jit(jax.vmap(decide))
    first = jax.tree.map(lambda a: a[0], rows)
    single(first, keys[0]).block_until_ready()
    took = []
    for i in range(50):
        begun = time.perf_counter()
        single(first, keys[i]).block_until_ready()
        took.append(time.perf_counter() - begun)

    half = count // 2
    halves = [(jax.tree.map(lambda a, s=s: a[s : s + half], rows), keys[s : s + half])
              for s in (0, half)]  # fmt: skip
    batched(*halves[0]).block_until_ready()
    begun = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:  # as `seedo.play.simulate` does
        chosen = np.concatenate(list(pool.map(lambda h: np.asarray(batched(*h)), halves)))
    seconds = time.perf_counter() - begun

    best = reference.argmax(1)
    loss = reference.max(1) - reference[np.arange(count), chosen]
    print(
        f"{name} n={posterior.n} max_parents={posterior.max_parents} draws={draws:<5}"
        f" {1e3 * np.median(took):6.2f} ms single {count / seconds:7,.0f} decisions/s"
        f"   as with 16x the draws {np.mean(chosen == best):5.1%},"
        f" loss {loss.mean():.4f} of {reference.max(1).mean():.3f}",
        flush=True,
    )


def main() -> None:
    """Prints one line for each criterion and number of draws."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=256)
    parser.add_argument("--steps", type=int, default=7, help="rows in every history")
    parser.add_argument("--max-parents", type=int, default=4)
    parser.set_defaults(bits=(64, 128, 256), goal=(32, 64))  # drawn outcomes
    options = sized(parser, histories=4, steps=3, bits=(8,), goal=(8,))
    world = make("dag", n=5, max_parents=options.max_parents, split="longer")
    posterior = SubsetPosterior(5, options.max_parents)
    rows = histories(world, options.steps, options.histories)
    for name, worth, several in (
        ("bits", expected_information_gain, options.bits),
        ("goal", value_of_information, options.goal),
    ):
        # Other keys than those of the decisions, so that these cannot share its errors.
        keys = jax.random.split(jax.random.key(2), options.histories)
        ask = jax.jit(
            jax.vmap(lambda r, k, w=worth, d=several[-1]: w(posterior, r, VALUES, k, draws=16 * d))
        )
        reference = np.asarray(ask(rows, keys)).max(-1)
        for draws in several:
            measure(name, worth, posterior, rows, draws, reference)


if __name__ == "__main__":
    main()
