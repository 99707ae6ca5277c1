"""Sampled graph posteriors against enumeration, inclusion-exclusion and networkx."""

from __future__ import annotations

import math
from functools import cache, partial

import jax
import jax.numpy as jnp
import networkx as nx
import numpy as np
import pytest
from scipy.special import logsumexp

from seedo.errors import UserError
from seedo.inference.exact import _chains, _partition
from seedo.inference.exact._partition import sample_posterior
from seedo.inference.scores import fuse
from seedo.inference.scores._score_table import ScoreTable
from seedo.tables import Table
from seedo.worlds import enumerate_dags


def others(n: int) -> np.ndarray:
    return np.array([[j for j in range(n) if j != i] for i in range(n)])


def random_table(n: int, seed: int, spread: float = 2.0) -> ScoreTable:
    rng = np.random.default_rng(seed)
    return ScoreTable(others(n), rng.normal(0, spread, (n, 1 << (n - 1))))


def constrained(table: ScoreTable, required=(), forbidden=()) -> ScoreTable:
    """The same scores, with edges (parent, child) that must or must not be there."""
    score, sets = table.score.copy(), np.arange(table.score.shape[1])
    for edges, wrong in ((required, 0), (forbidden, 1)):
        for parent, child in edges:
            bit = int(np.flatnonzero(table.candidates[child] == parent)[0])
            score[child, (sets >> bit & 1) == wrong] = -np.inf
    return ScoreTable(table.candidates, score)


def renamed(table: ScoreTable, name: np.ndarray) -> ScoreTable:
    """Variable i becomes name[i]."""
    n, k = table.n, table.k
    candidates, score = np.empty_like(table.candidates), np.empty_like(table.score)
    for i in range(n):
        new = name[table.candidates[i]]
        candidates[name[i]] = np.sort(new)
        bits = np.argsort(np.argsort(new))
        sets = (np.arange(1 << k)[:, None] >> np.arange(k) & 1) @ (1 << bits)
        score[name[i], sets] = table.score[i]
    return ScoreTable(candidates, score)


@cache
def all_dags(n: int) -> np.ndarray:
    return np.asarray(enumerate_dags(n, n - 1), np.int64)


def listed(table: ScoreTable) -> tuple[np.ndarray, np.ndarray]:
    """All DAGs and their log scores."""
    dags = all_dags(table.n)
    score = np.zeros(len(dags))
    for child, candidates in enumerate(table.candidates):
        score += table.score[child, (dags[:, candidates, child] << np.arange(table.k)).sum(1)]
    return dags, score


def exact_by_listing(table: ScoreTable, power: float = 1.0) -> np.ndarray:
    dags, score = listed(table)
    return np.tensordot(np.exp(power * score - logsumexp(power * score)), dags, 1)


def exact_by_exclusion(table: ScoreTable) -> np.ndarray:
    """Edge marginals by Robinson's inclusion-exclusion over the sinks' complement, the sources.

    Evidence Z(S) = sum over nonempty R in S of (-1)^(|R|+1) Z(S - R) prod_{i in R} A_i(S - R),
    where A_i(U) sums the sets of parents within U; P(i -> j) is one less the share of evidence
    that is left when the edge is forbidden. All n (n - 1) + 1 evidences at once.
    """
    n = table.n
    edges = [(i, j) for j in range(n) for i in table.candidates[j]]
    tables = [table] + [constrained(table, forbidden=[edge]) for edge in edges]
    within = np.zeros((len(tables), n, 1 << n))
    for child in range(n):
        weight = np.exp(np.array([t.score[child] for t in tables]))
        sets = np.arange(1 << table.k)
        for u in range(1 << n):
            usable = ((u >> table.candidates[child] & 1) << np.arange(table.k)).sum()
            within[:, child, u] = weight[:, (sets & ~usable) == 0].sum(1)
    evidence = np.ones((len(tables), 1 << n))
    for s in range(1, 1 << n):
        total, r = np.zeros(len(tables)), s
        while r:
            members = [i for i in range(n) if r >> i & 1]
            product = evidence[:, s ^ r] * within[:, members, s ^ r].prod(1)
            total += product if len(members) % 2 else -product
            r = (r - 1) & s
        evidence[:, s] = total
    marginals = np.zeros((n, n))
    for (i, j), without in zip(edges, evidence[1:, -1] / evidence[0, -1], strict=True):
        marginals[i, j] = 1 - without
    return marginals


def test_the_two_exact_marginals_agree():
    table = constrained(random_table(4, 0), required=[(1, 2)], forbidden=[(0, 3)])
    np.testing.assert_allclose(exact_by_exclusion(table), exact_by_listing(table), atol=1e-9)


def blocks_by_peeling(dag: np.ndarray) -> tuple[int, ...]:
    return tuple(
        int(place[0])
        for node in range(len(dag))
        for place in [
            [b for b, nodes in enumerate(nx.topological_generations(nx.DiGraph(dag)))
             if node in nodes]
        ]
    )  # fmt: skip


def partition_scores(table: ScoreTable, blocks: list[tuple[int, ...]]) -> np.ndarray:
    with jax.enable_x64(True):
        score = jax.jit(jax.vmap(partial(_chains.partition_score, _chains.tabulate(table))))
        return np.asarray(score(jnp.asarray(blocks, jnp.int32)))


def test_a_partition_scores_the_sum_of_its_graphs():
    table = constrained(random_table(4, 1, spread=8.0), required=[(0, 1)], forbidden=[(2, 3)])
    dags, score = listed(table)
    groups: dict[tuple[int, ...], list[float]] = {}
    for dag, value in zip(dags, score, strict=True):
        groups.setdefault(blocks_by_peeling(dag), []).append(value)
    found = partition_scores(table, list(groups))
    expected = [logsumexp(values) for values in groups.values()]
    assert np.isneginf(expected).any()
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_a_sum_of_nearly_nothing_beside_much_is_not_lost():
    # The only graphs in which 2 comes after 1 are e^-200 of those in which it could come sooner.
    score = np.zeros((3, 4))
    score[2] = [0.0, 0.0, -200.0, -201.0]
    table = ScoreTable(others(3), score)
    found = partition_scores(table, [(0, 1, 2)])
    assert found == pytest.approx(np.logaddexp(-200.0, -201.0), abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("partition_moves", "graph_moves", "powers"),
    [(20, 0, [1.0]), (0, 10, [1.0]), (5, 5, [1.0, 0.6, 0.3])],
)
def test_each_kind_of_move_alone_samples_the_posterior(partition_moves, graph_moves, powers):
    table = constrained(random_table(4, 2, 3.0), required=[(3, 0)], forbidden=[(1, 2), (0, 2)])
    chains, draws = 64, 300
    with jax.enable_x64(True):
        tables = jax.tree.map(
            lambda *parts: jnp.stack(parts), *[_chains.tabulate(table, p) for p in powers]
        )
        start = np.zeros((chains, len(powers), 4), np.int32)
        start[..., 0] = 4  # 3 -> 0
        counts = jnp.zeros((chains, len(powers), len(_chains.MOVES)), jnp.int32)
        state = _chains.State(jnp.asarray(start), counts, counts)
        kept = []
        for draw in range(draws):
            state, _ = _chains.advance(tables, jnp.asarray(powers), state, jax.random.key(0),
                                       draw, 1, partition_moves, graph_moves)  # fmt: skip
            kept.append(np.asarray(state.parents))
    sets = np.stack(kept[draws // 10 :])
    for replica, power in enumerate(powers):
        edges = np.zeros((4, 4))
        for child, candidates in enumerate(table.candidates):
            bits = sets[:, :, replica, child, None] >> np.arange(3) & 1
            edges[candidates, child] = bits.mean((0, 1))
        np.testing.assert_allclose(edges, exact_by_listing(table, power), atol=0.02)


CONSTRAINTS = {
    "free": {},
    "constrained": {"required": [(4, 1), (1, 0)], "forbidden": [(0, 2), (2, 0), (3, 2)]},
}


@pytest.fixture(scope="module", params=CONSTRAINTS)
def five(request):
    table = constrained(random_table(5, 3, 3.0), **CONSTRAINTS[request.param])
    return table, sample_posterior(table, draws=1500, seed=5)


def test_edge_marginals_of_five_variables_are_within_two_hundredths(five):
    table, sampled = five
    assert sampled.converged
    np.testing.assert_allclose(sampled.edge_marginals(), exact_by_listing(table), atol=0.02)


def test_ancestor_marginals_are_within_two_hundredths(five):
    table, sampled = five
    dags, score = listed(table)
    possible = np.isfinite(score)
    weight = np.exp(score[possible] - logsumexp(score))
    exact = np.zeros((5, 5))
    for w, dag in zip(weight, dags[possible], strict=True):
        if w > 1e-6:
            closure = nx.transitive_closure_dag(nx.DiGraph(dag))
            exact += w * nx.to_numpy_array(closure, nodelist=range(5))
    np.testing.assert_allclose(sampled.ancestor_marginals(), exact, atol=0.02)


def test_every_draw_is_an_acyclic_graph_with_its_own_score(five):
    table, sampled = five
    for chain in range(4):
        for draw in range(0, 1500, 50):
            graph = sampled.graphs[chain, draw]
            assert nx.is_directed_acyclic_graph(nx.DiGraph(graph))
            assert sampled.log_score[chain, draw] == pytest.approx(table.of_graph(graph))


def test_edges_that_cannot_vary_are_not_asked_to_mix(five):
    table, sampled = five
    marginals = exact_by_listing(table)
    certain = (marginals < 1e-9) | (marginals > 1 - 1e-9)
    assert np.isnan(sampled.edge_rhat[certain]).all()
    assert np.isfinite(sampled.edge_rhat[(marginals > 0.05) & (marginals < 0.95)]).all()


@pytest.mark.slow
@pytest.mark.parametrize("n", [6, 7, 8])
@pytest.mark.parametrize("constraints", CONSTRAINTS.values(), ids=CONSTRAINTS)
def test_edge_marginals_of_more_variables_are_within_two_hundredths(n, constraints):
    table = constrained(random_table(n, n, 2.0), **constraints)
    sampled = sample_posterior(table, draws=2000, seed=n)
    assert sampled.converged
    np.testing.assert_allclose(sampled.edge_marginals(), exact_by_exclusion(table), atol=0.02)


def test_fewer_candidates_are_a_table_with_the_rest_forbidden():
    rng = np.random.default_rng(8)
    candidates = np.array([[1, 2, 4], [0, 3, 4], [0, 1, 3], [1, 2, 4], [0, 2, 3]])
    few = ScoreTable(candidates, rng.normal(0, 2, (5, 8)))
    full = ScoreTable(others(5), np.full((5, 16), -np.inf))
    for i in range(5):
        bits = np.searchsorted(full.candidates[i], candidates[i])
        full.score[i, (np.arange(8)[:, None] >> np.arange(3) & 1) @ (1 << bits)] = few.score[i]
    sampled = sample_posterior(few, draws=1500, seed=1)
    np.testing.assert_allclose(sampled.edge_marginals(), exact_by_listing(full), atol=0.02)


def limit_table(n: int, rows: int, seed: int) -> ScoreTable:
    """BIC of rows whose sample covariance is that of a random dense linear-Gaussian system."""
    rng = np.random.default_rng(seed)
    spread = np.linalg.inv(np.eye(n) - np.triu(rng.normal(size=(n, n)), 1))
    covariance = spread.T @ spread
    score = np.empty((n, 1 << (n - 1)))
    for i, candidates in enumerate(others(n)):
        for s in range(1 << (n - 1)):
            parents = candidates[(s >> np.arange(n - 1) & 1).astype(bool)]
            half = covariance[parents, i]
            explained = half @ np.linalg.solve(covariance[np.ix_(parents, parents)], half)
            score[i, s] = -rows / 2 * np.log(covariance[i, i] - explained)
            score[i, s] -= len(parents) / 2 * np.log(rows)
    return ScoreTable(others(n), score)


def test_too_few_sweeps_are_not_called_converged_and_enough_are():
    table = limit_table(5, 100_000, 1)
    few = sample_posterior(table, draws=20, max_sweeps=40, seed=1)
    by_chain = few.graphs.mean(1)
    assert np.ptp(by_chain, axis=0).max() > 0.5
    assert few.sweeps == 40
    assert not few.converged
    assert few.max_rhat > 1.1
    enough = sample_posterior(table, draws=1500, seed=1)
    assert enough.converged
    np.testing.assert_allclose(enough.edge_marginals(), exact_by_listing(table), atol=0.02)


def test_chains_that_never_change_but_differ_have_an_infinite_rhat():
    frozen = np.repeat([[0.0], [1.0], [1.0], [1.0]], 50, axis=1)
    assert _partition._convergence(frozen, "split", "mean")[0] == math.inf
    assert _partition._convergence(frozen, "rank", "bulk")[0] > 1.5


def test_the_budget_of_sweeps_is_kept_and_progress_counts_them():
    calls: list[tuple[int, int]] = []
    sampled = sample_posterior(random_table(5, 0), draws=10, target_rhat=0.0, max_sweeps=90,
                               progress=lambda *call: calls.append(call))  # fmt: skip
    assert sampled.sweeps == 75  # 5 to warm up, then rounds of 10, 20 and 40
    ends = [calls[i] for i in (0, 4, 14, 24, 34)]
    assert ends == [(1, 5), (5, 5), (15, 15), (35, 35), (75, 75)]
    assert sampled.graphs.shape == (4, 10, 5, 5)
    assert not sampled.converged


@pytest.mark.slow
def test_chains_of_a_peaked_posterior_come_up_to_the_same_graphs():
    rng = np.random.default_rng(0)
    n = 16
    weights = np.triu(rng.random((n, n)) < 3 / n, 1) * rng.uniform(0.4, 1, (n, n))
    x = rng.normal(size=(20_000, n)) @ np.linalg.inv(np.eye(n) - weights)
    near = [sorted(np.argsort(-abs(r))[1:9]) for r in np.corrcoef(x.T)]
    table = Table.from_rows([f"v{i}" for i in range(n)], x)
    scores = fuse(table, candidates=np.array(near)).scores
    best = scores.score.max(1) - scores.score[:, 0]
    assert best.max() > 10 * _partition.ROUGH
    sampled = sample_posterior(scores, draws=120, max_sweeps=240)
    assert np.ptp(sampled.log_score.mean(1)) < 20
    assert sampled.log_score.max() > scores.of_graph(weights > 0) - 1


def test_work_is_bounded_where_no_number_of_sweeps_is_given(monkeypatch):
    monkeypatch.setattr(_partition, "WORK", 0.0)
    assert sample_posterior(random_table(5, 0), draws=10, target_rhat=0.0).sweeps == 15


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others():
    def run(seed):
        return sample_posterior(random_table(5, 0), draws=10, max_sweeps=20, seed=seed)

    first, again, other = run(1), run(1), run(2)
    assert first.graphs.tobytes() == again.graphs.tobytes()
    assert first.log_score.tobytes() == again.log_score.tobytes()
    assert first.graphs.tobytes() != other.graphs.tobytes()


@pytest.mark.slow
def test_a_single_variable_has_a_single_graph():
    sampled = sample_posterior(ScoreTable(np.zeros((1, 0), np.int64), np.array([[-3.0]])), draws=4)
    assert sampled.converged
    assert (sampled.max_rhat, sampled.min_ess) == (1.0, 16.0)
    assert not sampled.graphs.any()
    np.testing.assert_array_equal(sampled.log_score, -3.0)


@pytest.mark.parametrize(
    ("table", "options", "field"),
    [
        (constrained(random_table(3, 0), required=[(0, 1), (1, 0)]), {}, "scores"),
        (ScoreTable(others(3), np.full((3, 4), math.nan)), {}, "scores"),
        (random_table(3, 0), {"chains": 1}, "chains"),
        (random_table(3, 0), {"draws": 3}, "draws"),
        (random_table(3, 0), {"max_sweeps": 1999}, "max_sweeps"),
        (random_table(3, 0), {"replicas": 0}, "replicas"),
        (ScoreTable(np.arange(17)[None] + 1, np.zeros((1, 1 << 17))), {}, "candidate parents"),
        (ScoreTable(np.zeros((65, 0), np.int64), np.zeros((65, 1))), {}, "variables"),
    ],
)
def test_input_that_cannot_be_used_is_named(table, options, field):
    with pytest.raises(UserError, match=field) as caught:
        sample_posterior(table, **options)
    assert caught.value.field == field


@pytest.mark.slow
def test_renaming_variables_renames_the_marginals():
    n = 12
    rng = np.random.default_rng(4)
    table = random_table(n, 4, 2.0)
    sizes = np.array([bin(s).count("1") for s in range(1 << (n - 1))])
    table = ScoreTable(table.candidates, table.score - 2.0 * sizes)
    name = rng.permutation(n)
    plain = sample_posterior(table, draws=2000, seed=0)
    other = sample_posterior(renamed(table, name), draws=2000, seed=1)
    assert plain.converged
    assert other.converged
    np.testing.assert_allclose(
        other.edge_marginals()[np.ix_(name, name)], plain.edge_marginals(), atol=0.04
    )
