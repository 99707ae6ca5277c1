"""Family scores of all candidate parent sets: what every posterior over graphs is computed from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """Log score of every node with every subset of its K candidate parents.

    A graph's log posterior is, up to a constant, the sum of its families' scores: log marginal
    likelihood plus log prior (nats); -inf forbids a family.

    Attributes:
        candidates: int64[n, K], for each node its candidate parents, ascending, none twice and
            never the node itself. With K = n - 1 every graph is possible.
        score: float64[n, 2^K]; bit k of the second index stands for `candidates[:, k]`.
    """

    candidates: NDArray[np.int64]
    score: NDArray[np.float64]

    @property
    def n(self) -> int:
        return len(self.candidates)

    @property
    def k(self) -> int:
        """K, the number of candidate parents of every node."""
        return self.candidates.shape[1]

    @property
    def full(self) -> bool:
        """Whether no parent is excluded beforehand."""
        return self.k == self.n - 1

    def of_graph(self, adjacency: NDArray[np.bool_]) -> float:
        """Log score of one DAG, bool[n, n] (parent, child); -inf if a parent is no candidate."""
        total = 0.0
        for child in range(self.n):
            parents = np.flatnonzero(adjacency[:, child])
            at = np.searchsorted(self.candidates[child], parents)
            if (at >= self.k).any() or (self.candidates[child][at] != parents).any():
                return -np.inf
            total += self.score[child, int((1 << at).sum())]
        return total
