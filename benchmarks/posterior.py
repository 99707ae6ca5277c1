"""Posteriors a second of the exact readers: `python benchmarks/posterior.py [--episodes B]`.

One posterior = scores of all families, the graph posterior and the expected effect of every
variable on a goal, through `bayes_expected`; compilation is excluded.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from _sizes import sized

from seedo.inference.exact import ExactPosterior, SubsetPosterior, bayes_expected
from seedo.inference.scores import Rows


def main() -> None:
    """Prints one line for each posterior and size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=4096)
    parser.add_argument("--largest", type=int, default=10, help="most variables tried")
    options = sized(parser, episodes=64, largest=5)
    cases: list[tuple[str, ExactPosterior | SubsetPosterior, int, int, int]] = [
        ("listing", ExactPosterior(5, 2), 5, options.episodes, 64),
        ("subsets", SubsetPosterior(5, 2), 5, options.episodes, 256),
        ("subsets", SubsetPosterior(5, 2), 50, options.episodes, 256),
        ("subsets", SubsetPosterior(5, 4), 5, options.episodes, 256),
        ("subsets", SubsetPosterior(8, 2), 8, options.episodes, 64),
        ("subsets", SubsetPosterior(10, 2), 10, options.episodes // 8, 16),
    ]
    for name, posterior, steps, episodes, chunk in cases:
        if posterior.n > options.largest:
            continue
        rng = np.random.default_rng(0)
        rows = Rows(
            rng.normal(size=(episodes, steps, posterior.n)).astype(np.float32),
            rng.integers(posterior.n, size=(episodes, steps)).astype(np.int32),
        )
        goals = rng.integers(posterior.n, size=episodes)
        warm = Rows(rows.outcome[:chunk], rows.target[:chunk])
        begun = time.perf_counter()
        bayes_expected(posterior, warm, goals[:chunk], (-2.0, 2.0), chunk=chunk)
        compiled = time.perf_counter()
        bayes_expected(posterior, rows, goals, (-2.0, 2.0), chunk=chunk)
        seconds = time.perf_counter() - compiled
        print(
            f"{name:8} n={posterior.n:<2} max_parents={posterior.max_parents} steps={steps:<3}"
            f" chunk={chunk:<4} {episodes / seconds:12,.0f} posteriors/s"
            f"   (first call {compiled - begun:.1f} s)",
            flush=True,
        )


if __name__ == "__main__":
    main()
