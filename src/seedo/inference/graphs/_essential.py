"""What data can tell about a graph at best: interventional essential graphs, and their effects.

Sources: Hauser & Bühlmann 2012 (JMLR 13:2409–2464); Meek 1995 (UAI); Perković 2020 (UAI).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def acyclic(edges: NDArray[np.bool_]) -> bool:
    """Whether a graph, bool[n, n] (parent, child), has no cycle."""
    left = np.asarray(edges, np.bool_)
    while left.size:
        has_parent = left.any(0)
        if has_parent.all():
            return False
        left = left[has_parent][:, has_parent]
    return True


def essential_graph(
    adjacency: NDArray[np.bool_], targets: Sequence[frozenset[int]]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The interventional essential graph: what all DAGs that fit the same data have in common.

    Two DAGs fit the same data iff they have the same skeleton and v-structures, and the same
    skeleton once the edges into a target are gone, for every target (Hauser & Bühlmann 2012,
    theorem 10). This holds where every variable is left alone in some regime; that is assumed.

    Args:
        adjacency: bool[n, n] (parent, child), a DAG.
        targets: what was intervened on in the regimes of the data; the empty set, an observation,
            need not be named.

    Returns:
        directed bool[n, n] (parent, child), the arrows that every DAG of the class has; undirected
        bool[n, n], symmetric, the edges that some have one way and some the other.

    Raises:
        ValueError: `adjacency` has a cycle.
    """
    adjacency = np.asarray(adjacency, np.bool_)
    if not acyclic(adjacency):
        raise ValueError("the graph has a cycle")
    skeleton = adjacency | adjacency.T
    directed = _in_v_structures(adjacency, skeleton)
    for target in targets:
        inside = np.zeros(len(adjacency), np.bool_)
        inside[list(target)] = True
        directed |= adjacency & (inside[:, None] != inside[None, :])
    return meek_closure(directed, skeleton & ~directed & ~directed.T)


def _in_v_structures(
    adjacency: NDArray[np.bool_], skeleton: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """bool[n, n]: arrows a -> c with some b -> c, a and b not adjacent."""
    apart = ~skeleton & ~np.eye(len(adjacency), dtype=np.bool_)
    # (apart @ adjacency)[a, c]: some parent of c is not adjacent to a
    return adjacency & (apart @ adjacency)


def meek_closure(
    directed: NDArray[np.bool_], undirected: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Orient all that follows from acyclicity and from there being no further v-structure.

    Meek's (1995) rules 1 to 4, until none applies.

    Args:
        directed: bool[n, n] (parent, child).
        undirected: bool[n, n], symmetric.

    Returns:
        The same, closed under the rules.
    """
    directed, undirected = directed.copy(), undirected.copy()
    while True:
        skeleton = directed | directed.T | undirected
        apart = ~skeleton & ~np.eye(len(directed), dtype=np.bool_)
        # 1: c -> a - b with c and b apart
        implied = directed.T @ apart
        # 2: a -> c -> b
        implied |= directed @ directed
        for a, b in zip(*np.nonzero(undirected & ~implied), strict=True):
            # 3: a - c -> b and a - d -> b with c and d apart
            via = undirected[a] & directed[:, b]
            # 4: a - c -> d -> b with c and b apart, d adjacent to a
            onward = directed & (skeleton[a] & directed[:, b])
            starts = undirected[a] & apart[:, b]
            implied[a, b] = apart[np.ix_(via, via)].any() or onward[starts].any()
        new = implied & undirected
        if not new.any():
            return directed, undirected
        directed |= new
        undirected &= ~(new | new.T)


def effect_identified(
    directed: NDArray[np.bool_], undirected: NDArray[np.bool_], i: int, j: int
) -> bool:
    """Whether the total effect of i on j follows from the joint distribution and this graph.

    It does iff no possibly causal path from i to j starts with an undirected edge (Perković 2020);
    possibly causal means that no edge between any two of its variables points backwards. A shortest
    such path has, after its first edge, no chord between variables two steps apart (the shorter
    path would do), and on a path without these only neighbours can point backwards (Perković,
    Kalisch & Maathuis 2017, UAI); so a search over pairs of neighbours finds it without listing
    paths.

    Args:
        directed: bool[n, n] (parent, child), closed under Meek's rules.
        undirected: bool[n, n], symmetric.
        i: the cause.
        j: the effect.
    """
    forward = directed | undirected
    skeleton = forward | directed.T
    allowed = ~directed[:, i]
    allowed[i] = False
    starts = [(-1, int(v)) for v in np.flatnonzero(undirected[i])]
    steps: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for a, b in zip(*map(np.ndarray.tolist, np.nonzero(forward)), strict=True):
        if not (allowed[a] and allowed[b]):
            continue
        if undirected[i, a]:
            steps[-1, a].append((a, b))
        onward = forward[b] & allowed & ~skeleton[a]
        onward[a] = False
        steps[a, b] += [(b, c) for c in np.flatnonzero(onward).tolist()]
    reached, ahead = set(starts), starts
    while ahead:
        new = [step for step in steps[ahead.pop()] if step not in reached]
        reached.update(new)
        ahead += new
    return all(variable != j for _, variable in reached)
