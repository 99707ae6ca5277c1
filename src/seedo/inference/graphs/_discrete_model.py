"""Random discrete models of a graph with hidden common causes, and all their distributions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.inference.graphs._known_graph import KnownGraph

MAX_BITS = 20
"""Variables and hidden common causes that are still enumerated: 2^20 joint values."""


class DiscreteModel:
    """Binary variables, each drawn from a random table of its parents and hidden causes.

    A hidden binary cause stands for each bidirected edge. All probabilities lie in [0.1, 0.9].

    Args:
        graph: n variables; n plus the number of bidirected edges at most `MAX_BITS`.
        rng: draws the tables.
        inherit: another model of the same graph whose tables are kept,
        differs: but for those of these variables.
    """

    def __init__(
        self,
        graph: KnownGraph,
        rng: np.random.Generator,
        inherit: DiscreteModel | None = None,
        differs: Iterable[str] = (),
    ) -> None:
        self.graph = graph
        differs = set(differs)
        place = {name: i for i, name in enumerate(graph.variables)}
        hidden = [(place[a], place[b]) for a, b in sorted(graph.bidirected)]
        self.axes: dict[str, list[int]] = {}
        self.tables: dict[str, NDArray[np.float64]] = {}
        self.latents = [len(place) + k for k in range(len(hidden))]
        for name, i in place.items():
            parents = sorted(place[a] for a, b in graph.directed if b == name)
            causes = [len(place) + k for k, pair in enumerate(hidden) if i in pair]
            self.axes[name] = [*parents, *causes, i]
            if inherit is not None and name not in differs:
                self.tables[name] = inherit.tables[name]
                continue
            one = rng.uniform(0.1, 0.9, (2,) * (len(parents) + len(causes)))
            self.tables[name] = np.stack([1 - one, one], axis=-1)
        self.weights = [rng.uniform(0.3, 0.7) for _ in hidden]
        if inherit is not None:
            self.weights = inherit.weights

    def joint(self, do: frozenset[str] = frozenset()) -> NDArray[np.float64]:
        """float64[2, ..., 2]: P(all others | do), for every setting of the variables in `do`.

        The truncated factorisation (Pearl 2009, eq. 3.10), hidden causes summed out.
        """
        n = len(self.graph.variables)
        operands: list[Any] = []
        for axis, weight in zip(self.latents, self.weights, strict=True):
            operands += [np.array([1 - weight, weight]), [axis]]
        for i, name in enumerate(self.graph.variables):
            operands += [np.ones(2), [i]] if name in do else [self.tables[name], self.axes[name]]
        return np.einsum(*operands, list(range(n)), optimize="greedy")


def ancestral(graph: KnownGraph, of: Iterable[str]) -> KnownGraph:
    """The part of a graph on some variables and their ancestors."""
    import networkx as nx  # here, because it takes long to import

    directed = graph.to_networkx()
    keep = set(of).union(*(nx.ancestors(directed, name) for name in of))
    return KnownGraph(
        tuple(v for v in graph.variables if v in keep),
        frozenset(e for e in graph.directed if keep.issuperset(e)),
        frozenset(e for e in graph.bidirected if keep.issuperset(e)),
    )
