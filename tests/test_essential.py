from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest

from seedo.inference.graphs._essential import effect_identified, essential_graph, meek_closure

FAMILIES = [
    [frozenset()],
    [frozenset(), frozenset({0})],
    [frozenset(), frozenset({1, 2})],
    [frozenset({0}), frozenset({3})],
    [frozenset(), frozenset({0, 1}), frozenset({1, 2})],
]


def _all_dags(n):
    pairs = list(itertools.combinations(range(n), 2))
    for choice in itertools.product((0, 1, 2), repeat=len(pairs)):
        graph = np.zeros((n, n), bool)
        for (a, b), kind in zip(pairs, choice, strict=True):
            graph[a, b], graph[b, a] = kind == 1, kind == 2
        if nx.is_directed_acyclic_graph(nx.from_numpy_array(graph, create_using=nx.DiGraph)):
            yield graph


DAGS = list(_all_dags(4))


def _signature(graph, targets):
    """What two equivalent DAGs share: Hauser & Bühlmann 2012, theorem 10."""
    n = len(graph)
    colliders = frozenset(
        (a, c, b)
        for c in range(n)
        for a, b in itertools.combinations(np.flatnonzero(graph[:, c]).tolist(), 2)
        if not graph[a, b] and not graph[b, a]
    )
    skeletons = []
    for target in [frozenset(), *targets]:
        cut = graph.copy()
        cut[:, list(target)] = False
        skeletons.append((cut | cut.T).tobytes())
    return colliders, tuple(skeletons)


def _classes(targets):
    classes = {}
    for graph in DAGS:
        classes.setdefault(_signature(graph, targets), []).append(graph)
    return list(classes.values())


def _total_effects(graph, covariance):
    """(i, j) of the total effects under `graph` refitted to `covariance`."""
    n = len(graph)
    weights = np.zeros((n, n))
    for child in range(n):
        parents = np.flatnonzero(graph[:, child])
        if parents.size:
            weights[parents, child] = np.linalg.solve(
                covariance[np.ix_(parents, parents)], covariance[parents, child]
            )
    return np.linalg.inv(np.eye(n) - weights)


def test_all_543_dags_of_four_variables_are_enumerated():
    assert len(DAGS) == 543


@pytest.mark.parametrize("targets", FAMILIES, ids=str)
def test_the_essential_graph_is_the_union_of_its_equivalence_class(targets):
    for members in _classes(targets):
        union = np.any(members, axis=0)
        undirected = union & union.T
        for graph in members[:2]:
            found = essential_graph(graph, targets)
            np.testing.assert_array_equal(found[0], union & ~undirected)
            np.testing.assert_array_equal(found[1], undirected)


@pytest.mark.parametrize("targets", FAMILIES, ids=str)
def test_an_effect_is_identified_iff_all_equivalent_dags_give_it_the_same_value(targets):
    rng = np.random.default_rng(3)
    for members in _classes(targets):
        directed, undirected = essential_graph(members[0], targets)
        weights = members[0] * rng.normal(size=(4, 4))
        mix = np.linalg.inv(np.eye(4) - weights)
        covariance = mix.T @ np.diag(rng.uniform(0.5, 2.0, 4)) @ mix
        effects = np.array([_total_effects(graph, covariance) for graph in members])
        same = np.ptp(effects, axis=0) < 1e-9
        for i, j in itertools.permutations(range(4), 2):
            assert effect_identified(directed, undirected, i, j) == same[i, j]


def test_with_background_knowledge_an_effect_is_identified_iff_the_remaining_dags_agree():
    # Knowing single edges gives graphs that are no chain graphs, unlike those of interventions.
    rng = np.random.default_rng(5)
    for members in _classes([]):
        if len(members) < 6:
            continue
        weights = members[0] * rng.normal(size=(4, 4))
        mix = np.linalg.inv(np.eye(4) - weights)
        covariance = mix.T @ mix
        directed, undirected = essential_graph(members[0], [])
        for a, b in np.argwhere(undirected):
            known = directed.copy()
            known[a, b] = True
            free = undirected.copy()
            free[a, b] = free[b, a] = False
            closed, free = meek_closure(known, free)
            rest = [graph for graph in members if graph[a, b]]
            union = np.any(rest, axis=0)
            np.testing.assert_array_equal(free, union & union.T)
            effects = np.array([_total_effects(graph, covariance) for graph in rest])
            same = np.ptp(effects, axis=0) < 1e-9
            for i, j in itertools.permutations(range(4), 2):
                assert effect_identified(closed, free, i, j) == same[i, j]


def _possibly_causal_by_listing(directed, undirected, i, j):
    graph = nx.from_numpy_array(directed | undirected, create_using=nx.DiGraph)
    return any(
        undirected[path[0], path[1]]
        and not any(directed[b, a] for a, b in itertools.combinations(path, 2))
        for path in nx.all_simple_paths(graph, i, j)
    )


def test_the_search_for_possibly_causal_paths_agrees_with_listing_all_paths_of_seven_variables():
    rng = np.random.default_rng(7)
    verdicts = []
    for _ in range(60):
        order = rng.permutation(7)
        dag = np.zeros((7, 7), bool)
        dag[np.ix_(order, order)] = np.triu(rng.random((7, 7)) < 0.7, 1)
        directed, undirected = essential_graph(dag, [])
        loose = np.argwhere(undirected & dag)
        if len(loose) > 1:
            for a, b in loose[rng.permutation(len(loose))[: rng.integers(1, 4)]]:
                directed[a, b] = True
                undirected[a, b] = undirected[b, a] = False
            directed, undirected = meek_closure(directed, undirected)
        for i, j in itertools.permutations(range(7), 2):
            listed = _possibly_causal_by_listing(directed, undirected, i, j)
            assert effect_identified(directed, undirected, i, j) == (not listed)
            verdicts.append(listed)
    assert 0.02 < np.mean(verdicts) < 0.98


def test_a_cyclic_graph_has_no_essential_graph():
    with pytest.raises(ValueError, match="cycle"):
        essential_graph(np.array([[0, 1], [1, 0]], bool), [])
