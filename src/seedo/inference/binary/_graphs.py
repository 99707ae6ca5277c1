"""Every directed acyclic graph on a few nodes."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError

MOST_NODES = 4
"""Five nodes have 29,281 graphs and 243 settings: a table of 1.8 GB."""


def every_dag(n: int) -> NDArray[np.bool_]:
    """bool[G, n, n], [g, i, j]: in graph g, i causes j. 1, 3, 25 and 543 graphs for n = 1 to 4.

    Raises:
        UserError: more than `MOST_NODES` nodes, or none.
    """
    if not 1 <= n <= MOST_NODES:
        raise UserError("nodes", n, f"every graph is weighed: use 1 to {MOST_NODES} nodes")
    pairs = list(combinations(range(n), 2))
    graphs = np.zeros((3 ** len(pairs), n, n), np.bool_)
    for graph, links in zip(graphs, product((0, 1, 2), repeat=len(pairs)), strict=True):
        for (i, j), link in zip(pairs, links, strict=True):
            graph[i, j], graph[j, i] = link == 1, link == 2
    return graphs[~reachable(graphs).diagonal(axis1=1, axis2=2).any(axis=1)]


def reachable(graphs: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """bool[..., n, n]: a path of one link or more leads from i to j."""
    found = graphs.copy()
    for middle in range(graphs.shape[-1]):
        found |= found[..., :, middle, None] & found[..., None, middle, :]
    return found
