"""The posterior over graphs by whichever method suits: listed, summed over subsets, or sampled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.inference.exact._lattice import LatticePosterior
from seedo.inference.exact._partition import sample_posterior
from seedo.inference.scores._score_table import ScoreTable
from seedo.worlds import enumerate_dags

LISTED, SUMMED = 5, 14
"""Most variables for which all DAGs are listed, and for which marginals are summed exactly."""

Progress = Callable[[int, int], None]
"""Is called with (steps done, steps in all)."""


@dataclass(frozen=True, eq=False)
class GraphPosterior:
    """Marginals and draws of the posterior over DAGs.

    Attributes:
        method: "listed" (every DAG), "summed" (exact marginals, sampled draws) or "sampled".
        edges: float64[n, n], P(i -> j).
        ancestors: float64[n, n], P(a directed path leads from i to j).
        graphs: bool[S, n, n], equally probable draws.
        log_evidence: log of the sum over DAGs of exp(score) (nats); None where only sampled.
        entropy_bits: of the posterior over DAGs; None where only sampled.
        max_rhat, min_ess: of the chains behind sampled draws; None where draws are exact.
        converged: draws are exact, or the largest R-hat is under 1.01.
        largest_gap: largest difference between exact edge marginals and those of sampled draws,
            where there are both.
    """

    method: str
    edges: NDArray[np.float64]
    ancestors: NDArray[np.float64]
    graphs: NDArray[np.bool_]
    log_evidence: float | None
    entropy_bits: float | None
    max_rhat: float | None = None
    min_ess: float | None = None
    converged: bool = True
    largest_gap: float | None = None

    @property
    def n(self) -> int:
        return len(self.edges)


def graph_posterior(
    scores: ScoreTable,
    draws: int = 2000,
    seed: int = 0,
    progress: Progress | None = None,
    max_sweeps: int | None = None,
) -> GraphPosterior:
    """Exact for n <= 5; exact marginals with sampled draws up to 14; sampled beyond.

    Args:
        scores: of all families.
        draws: graphs to draw.
        seed: of the draws.
        progress: called with (steps done, steps in all) where chains run.
        max_sweeps: of chains, see `sample_posterior`.

    Raises:
        UserError: no graph is possible.
    """
    if scores.n <= LISTED and scores.full:
        return _listed(scores, draws, np.random.default_rng(seed))
    sampled = sample_posterior(
        scores, draws=-(-draws // 4), chains=4, seed=seed, max_sweeps=max_sweeps, progress=progress
    )
    graphs = sampled.graphs.reshape(-1, scores.n, scores.n).astype(np.bool_)
    edges, ancestors = sampled.edge_marginals(), sampled.ancestor_marginals()
    log_evidence = entropy = gap = None
    method = "sampled"
    if scores.full and scores.n <= SUMMED:
        exact = LatticePosterior.from_scores(scores)
        gap = float(np.abs(exact.edge_marginals() - edges).max())
        edges, ancestors = exact.edge_marginals(), exact.ancestor_marginals()
        log_evidence, entropy = exact.log_evidence, exact.entropy_bits()
        method = "summed"
    return GraphPosterior(method, edges, ancestors, graphs, log_evidence, entropy,
                          sampled.max_rhat, sampled.min_ess, sampled.converged, gap)  # fmt: skip


def log_evidence(scores: ScoreTable) -> float:
    """Log of the sum over all DAGs of exp(score), nats; exact.

    Raises:
        UserError: too many variables for it.
    """
    if scores.n <= LISTED and scores.full:
        found = _listed_scores(scores)[1]
        top = found.max()
        return float(top + np.log(np.exp(found - top).sum()))
    return LatticePosterior.from_scores(scores).log_evidence


def _listed_scores(scores: ScoreTable) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """All DAGs, bool[G, n, n], and their log scores."""
    n = scores.n
    dags = enumerate_dags(n, n - 1).astype(np.bool_) if n > 1 else np.zeros((1, 1, 1), np.bool_)
    codes, total = scores.codes(dags), np.zeros(len(dags))
    for child in range(n):
        total += scores.score[child, codes[:, child]]
    return dags, total


def _listed(scores: ScoreTable, draws: int, rng: np.random.Generator) -> GraphPosterior:
    dags, total = _listed_scores(scores)
    if not np.isfinite(total).any():
        raise UserError("prior", None, "it forbids every graph: allow more edges")
    top = total.max()
    weight = np.exp(total - top)
    evidence = float(top + np.log(weight.sum()))
    weight /= weight.sum()
    reach = dags
    for _ in range(3):  # paths of up to 8 edges
        reach = reach | ((reach.astype(np.uint8) @ reach.astype(np.uint8)) > 0)
    positive = weight[weight > 0]
    # Systematic draws: as many of each graph as its probability asks for, within one.
    at = (rng.random() + np.arange(draws)) / draws
    chosen = np.minimum(np.searchsorted(np.cumsum(weight), at), len(dags) - 1)
    return GraphPosterior(
        method="listed",
        edges=np.einsum("g,gij->ij", weight, dags),
        ancestors=np.einsum("g,gij->ij", weight, reach),
        graphs=dags[rng.permutation(chosen)],
        log_evidence=evidence,
        entropy_bits=max(0.0, float(-(positive * np.log2(positive)).sum())),
    )
