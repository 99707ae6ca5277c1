"""Exact posterior over all DAGs: seconds and memory by the number of variables.

`python benchmarks/exact_scale.py [--smallest N] [--largest N] [--data independent|causal]`

Every size runs in a process of its own, so that its peak resident memory is its own; that counts
the interpreter, the libraries and the scores too (the first figure of each line). Scores come from
simulated rows, scored by BIC; scoring is excluded from the seconds. "off by" is the runtime
self-check: the largest distance from 1 of a probability distribution's sum.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
from _sizes import sized

from seedo.inference.exact._lattice import LARGEST_LATTICE, LatticePosterior
from seedo.inference.scores._score_table import ScoreTable


def bic_table(n: int, rows: int, dependent: bool) -> ScoreTable:
    """BIC of every family of a random linear-Gaussian system of about 1.5 edges a node."""
    rng = np.random.default_rng(n)
    weights = np.triu(rng.normal(size=(n, n)) * (rng.random((n, n)) < 3 / n), 1) * dependent
    values = rng.normal(size=(rows, n)) @ np.linalg.inv(np.eye(n) - weights)
    gram = np.cov(values[:, rng.permutation(n)].T, bias=True)
    # log det of the covariance of every set; a residual variance is the ratio of two of them.
    log_det = np.zeros(1 << n)
    codes = np.arange(1 << n)
    for size in range(1, n + 1):
        sets = codes[np.bitwise_count(codes) == size]
        for part in np.array_split(sets, 1 + len(sets) * size // (1 << 16)):
            members = np.nonzero(part[:, None] >> np.arange(n) & 1)[1].reshape(-1, size)
            blocks = gram[members[:, :, None], members[:, None, :]]
            log_det[part] = np.linalg.slogdet(blocks)[1]
    score = np.empty((n, 1 << (n - 1)))
    for child in range(n):
        without = codes[(codes >> child & 1) == 0]
        penalty = np.bitwise_count(without) * np.log(rows) / 2
        score[child] = -rows / 2 * (log_det[without | 1 << child] - log_det[without]) - penalty
    others = [[i for i in range(n) if i != j] for j in range(n)]
    return ScoreTable(np.array(others, np.int64).reshape(n, n - 1), score)


def timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def peak_mib() -> float:
    """Peak resident memory of this process (Linux counts in KiB, macOS in bytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin"
                                                                 else 1 << 20)  # fmt: skip


def measure(n: int, rows: int, dependent: bool) -> None:
    table = bic_table(n, rows, dependent)
    before = peak_mib()
    begun = time.perf_counter()
    posterior = LatticePosterior.from_scores(table)
    sums = time.perf_counter() - begun
    edges = timed(posterior.edge_marginals)
    ancestors = timed(posterior.ancestor_marginals)
    off = abs(posterior.parent_set_marginals().sum(axis=1) - 1).max()
    print(
        f"n={n:<2} MiB {before:6,.0f} -> {peak_mib():6,.0f}   edges {sums + edges:8.3f} s"
        f"   ancestors {sums + ancestors:8.3f} s   off by {max(off, posterior.deviation):.0e}"
        f"   entropy {posterior.entropy_bits():7.2f} bits",
        flush=True,
    )


def main() -> None:
    """Prints one line for each number of variables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smallest", type=int, default=5)
    parser.add_argument("--largest", type=int, default=17, help=f"at most {LARGEST_LATTICE}")
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--data", choices=["causal", "independent"], default="causal")
    parser.add_argument("--only", type=int, help="measure this size, in this process")
    options = sized(parser, smallest=4, largest=5)
    if options.only:
        measure(options.only, options.rows, options.data == "causal")
        return
    shared = ["--rows", str(options.rows), "--data", options.data]
    for n in range(options.smallest, options.largest + 1):
        subprocess.run([sys.executable, __file__, "--only", str(n), *shared], check=True)


if __name__ == "__main__":
    main()
