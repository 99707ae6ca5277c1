"""Exact posteriors against pgmpy's exhaustive search: `python benchmarks/exhaustive_search.py`.

Both weigh all 29,281 DAGs on 5 variables, given 50 rows. Ours: marginal likelihood of every graph,
posterior, expected effects, in batches. pgmpy: `ExhaustiveSearch` with its Gaussian BIC and cache,
for one data set; then again with the listing of graphs left out, which it repeats each time.
Without pgmpy (extra `bench`) only ours is timed.
"""

from __future__ import annotations

import argparse
import importlib.util
import string
import time
import warnings

import numpy as np
from _sizes import sized

from seedo.inference.exact import SubsetPosterior, bayes_expected
from seedo.inference.scores import Rows


def ours(n: int, episodes: int, steps: int, chunk: int) -> float:
    """Posteriors a second, compilation excluded."""
    rng = np.random.default_rng(0)
    rows = Rows(
        rng.normal(size=(episodes, steps, n)).astype(np.float32),
        rng.integers(n, size=(episodes, steps)).astype(np.int32),
    )
    goals, posterior = rng.integers(n, size=episodes), SubsetPosterior(n, n - 1)
    bayes_expected(posterior, Rows(rows.outcome[:chunk], rows.target[:chunk]), goals[:chunk],
                   (2.0,), chunk=chunk)  # fmt: skip
    begun = time.perf_counter()
    bayes_expected(posterior, rows, goals, (2.0,), chunk=chunk)
    return episodes / (time.perf_counter() - begun)


def rival(n: int, steps: int) -> tuple[float, float, int]:
    """Searches a second with and without listing the graphs, and the number of graphs."""
    warnings.simplefilter("ignore")
    import pandas as pd
    from pgmpy.base import DAG
    from pgmpy.estimators import ExhaustiveSearch

    values = np.random.default_rng(0).normal(size=(steps, n))
    data = pd.DataFrame(values, columns=list(string.ascii_uppercase[:n]))
    begun = time.perf_counter()
    scored = ExhaustiveSearch(data, scoring_method="bic-g").all_scores()
    whole = time.perf_counter() - begun
    graphs = [DAG(graph) for _, graph in scored]
    search = ExhaustiveSearch(data, scoring_method="bic-g")
    begun = time.perf_counter()
    for graph in graphs:
        search.scoring_method.score(graph)
    return 1 / whole, 1 / (time.perf_counter() - begun), len(graphs)


def main() -> None:
    """Prints rates and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variables", type=int, default=5)
    parser.add_argument("--episodes", type=int, default=20_000)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--chunk", type=int, default=256)
    options = sized(parser, variables=3, episodes=64, chunk=32)
    rate = ours(options.variables, options.episodes, options.steps, options.chunk)
    print(f"seedo            {rate:12,.0f} posteriors/s", flush=True)
    if importlib.util.find_spec("pgmpy") is None:
        print("pgmpy is not installed: no rival")
        return
    whole, scoring, graphs = rival(options.variables, options.steps)
    print(f"pgmpy, whole search   {whole:12.4f} /s over {graphs:,} graphs: {rate / whole:,.0f}x")
    print(f"pgmpy, scoring alone  {scoring:12.4f} /s: {rate / scoring:,.0f}x")


if __name__ == "__main__":
    main()
