"""Seconds to a converged posterior over graphs of 30 variables.

    python benchmarks/sampled_scale.py

The rows come from a random sparse linear-Gaussian graph; the scores are BGe (Geiger & Heckerman
2002; Kuipers, Moffa & Heckerman 2014), so Markov-equivalent graphs tie exactly, with the number of
a node's parents uniform beforehand. Compilation is included. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
from _sizes import sized
from scipy.special import gammaln

from seedo.inference.exact._partition import sample_posterior
from seedo.inference.scores._score_table import ScoreTable


def simulate(n: int, rows: int, degree: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A graph bool[n, n] with `degree` neighbours a node on average, and rows float64[rows, n]."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(n)
    graph = np.zeros((n, n), bool)
    graph[np.ix_(order, order)] = np.triu(rng.random((n, n)) < degree / (n - 1), 1)
    weights = graph * rng.choice([-1, 1], (n, n)) * rng.uniform(0.4, 1.2, (n, n))
    noise = rng.normal(size=(rows, n))
    return graph, noise @ np.linalg.inv(np.eye(n) - weights)


def bge_table(values: np.ndarray, k: int) -> ScoreTable:
    """BGe scores; the candidates of a node are the k variables of greatest partial correlation."""
    rows, n = values.shape
    precision = np.linalg.inv(np.corrcoef(values.T))
    partial = np.abs(precision) / np.sqrt(np.outer(np.diag(precision), np.diag(precision)))
    np.fill_diagonal(partial, -1)
    candidates = np.sort(np.argsort(-partial, axis=0)[:k].T, axis=1)

    strength, freedom = 1.0, n + 2.0
    scale = strength * (freedom - n - 1) / (strength + 1)
    mean = values.mean(0)
    r = (values - mean).T @ (values - mean) + scale * np.eye(n)
    r += rows * strength / (rows + strength) * np.outer(mean, mean)
    sets = (np.arange(1 << k)[:, None] >> np.arange(k) & 1).astype(bool)
    p = sets.sum(1)
    degrees = rows + freedom - n + p
    shared = gammaln((degrees + 1) / 2) - gammaln((freedom - n + p + 1) / 2)
    shared += (freedom - n + 2 * p + 1) / 2 * np.log(scale)
    shared -= gammaln(n) - gammaln(p + 1) - gammaln(n - p)
    score = np.empty((n, 1 << k))
    for i, own in enumerate(candidates):
        # Left-out variables become ones on the diagonal, which leave determinants alone.
        with_i = np.r_[own, i]
        keep = np.c_[sets, np.ones(len(sets), bool)]
        block = np.where(keep[:, :, None] & keep[:, None, :], r[np.ix_(with_i, with_i)], 0.0)
        block += np.where(keep, 0.0, 1.0)[:, :, None] * np.eye(k + 1)
        of_all = np.linalg.slogdet(block)[1]
        of_parents = np.linalg.slogdet(block[:, :k, :k])[1]
        score[i] = shared - (degrees + 1) / 2 * of_all + degrees / 2 * of_parents
    return ScoreTable(candidates, score)


def main() -> None:
    """Prints all figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variables", type=int, default=30)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--degree", type=float, default=3.0, help="neighbours a node")
    parser.add_argument("--candidates", type=int, default=12)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = sized(parser, variables=6, rows=100, candidates=4, draws=100)
    graph, values = simulate(options.variables, options.rows, options.degree, options.seed)
    begun = time.perf_counter()
    table = bge_table(values, options.candidates)
    scored = time.perf_counter()
    result = sample_posterior(table, draws=options.draws, seed=options.seed)
    seconds = time.perf_counter() - scored
    edges = result.edge_marginals()
    skeleton = (edges + edges.T)[np.triu(graph | graph.T)]
    report = {
        "benchmark": "sampled_scale",
        **vars(options),
        "edges": int(graph.sum()),
        "score_seconds": round(scored - begun, 1),
        "seconds": round(seconds, 1),
        "sweeps": result.sweeps,
        "converged": result.converged,
        "max_rhat": round(result.max_rhat, 4),
        "min_ess": round(result.min_ess),
        "edges_checked": int(np.isfinite(result.edge_rhat).sum()),
        "mean_probability_of_true_adjacency": round(float(skeleton.mean()), 3),
        "acceptance": {name: round(rate, 4) for name, rate in result.acceptance.items()},
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
