"""Family scores of all candidate parent sets: what every posterior over graphs is computed from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


def members(k: int) -> NDArray[np.bool_]:
    """bool[2^k, k]: which of k candidates are in each set, in the order of `ScoreTable.score`."""
    return (np.arange(1 << k)[:, None] >> np.arange(k) & 1).astype(np.bool_)


def distinct_graphs(
    graphs: NDArray[np.bool_],
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """The different ones among S graphs, bool[G, n, n], and how often each occurs, int64[G]."""
    packed = np.packbits(graphs.reshape(len(graphs), -1), axis=1)
    _, first, counts = np.unique(packed, axis=0, return_index=True, return_counts=True)
    return graphs[first], counts


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

    def codes(self, graphs: NDArray[np.bool_]) -> NDArray[np.int64]:
        """int64[S, n]: where each variable's parents stand in `score`, in each of S graphs,
        bool[S, n, n], that have no parents but candidates."""
        found = np.empty((len(graphs), self.n), np.int64)
        for child, own in enumerate(self.candidates):
            found[:, child] = (graphs[:, own, child] << np.arange(self.k)).sum(1)
        return found

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
