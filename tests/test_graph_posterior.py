"""The posterior over graphs against enumeration with SciPy's densities, and its calibration."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest
from scipy import stats
from scipy.special import logsumexp

from seedo.errors import UserError
from seedo.inference import GraphPrior, KnownNoise, UnknownNoise, edge_prior
from seedo.inference.exact import draw_parameters, graph_posterior
from seedo.inference.exact._lattice import LatticePosterior
from seedo.inference.exact._partition import sample_posterior
from seedo.inference.scores import ScoreTable, fuse
from seedo.tables import Table


def acyclic(n: int) -> list[np.ndarray]:
    """All DAGs, by trying every set of edges."""
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    found = []
    for chosen in itertools.product([False, True], repeat=len(pairs)):
        graph = np.zeros((n, n), bool)
        for pair, there in zip(pairs, chosen, strict=True):
            graph[pair] = there
        if nx.is_directed_acyclic_graph(nx.from_numpy_array(graph, create_using=nx.DiGraph)):
            found.append(graph)
    return found


def reachable(graph: np.ndarray) -> np.ndarray:
    closure = nx.transitive_closure_dag(nx.from_numpy_array(graph, create_using=nx.DiGraph))
    return nx.to_numpy_array(closure) > 0


def some_table(seed: int, n: int, rows: int = 12) -> Table:
    rng = np.random.default_rng(seed)
    weights = np.triu(rng.normal(size=(n, n)), 1)
    target = rng.integers(-1, n, rows)
    x = np.zeros((rows, n))
    for j in range(n):
        x[:, j] = 0.3 * j + x @ weights[:, j] + rng.normal(size=rows)
        x[:, j] = np.where(target == j, rng.choice([-2.0, 2.0], rows), x[:, j])
    return Table.from_rows([f"v{j}" for j in range(n)], x, target)


def log_likelihood(table: Table, graph: np.ndarray, model, units) -> float:
    """Sum over nodes of SciPy's multivariate normal or t density of the rows they own."""
    x, n, total = (table.values - units[0]) / units[1], table.n, 0.0
    for j in range(n):
        rows = ~table.hard[:, j]
        count, parents = rows.sum(), np.flatnonzero(graph[:, j])
        z, y = x[np.ix_(rows, parents)], x[rows, j]
        if isinstance(model, KnownNoise):
            cov = model.noise_variance * np.eye(count) + model.weight_variance * z @ z.T
            total += stats.multivariate_normal(np.zeros(count), cov).logpdf(y)
        else:  # alpha_mu = 1: t = 1/2, an intercept with precision 1
            a = (3 + len(parents)) / 2
            shape = (np.eye(count) + 2 * z @ z.T + np.ones((count, count))) / 4 / a
            total += stats.multivariate_t(np.zeros(count), shape, df=2 * a).logpdf(y)
    return total


def log_prior(prior: GraphPrior, graph: np.ndarray) -> float:
    if prior.max_parents is not None and graph.sum(0).max() > prior.max_parents:
        return -np.inf
    if prior.edge_probability is None:
        return 0.0
    p = np.where(graph, prior.edge_probability, 1 - prior.edge_probability)
    with np.errstate(divide="ignore"):
        return float(np.log(p[~np.eye(len(p), dtype=bool)]).sum())


STATED = {"forbidden": [("v0", "v1")], "required": [("v1", "v2")], "likely": {("v2", "v0"): 0.9}}


@pytest.mark.parametrize(
    ("n", "model", "stated"),
    [
        (3, KnownNoise(0.7, 1.3), {}),
        (3, UnknownNoise(), STATED),
        (3, KnownNoise(), {"max_parents": 1}),
        (4, UnknownNoise(), {}),
        (4, KnownNoise(0.7, 1.3), STATED),
    ],
    ids=["known", "unknown, prior", "one parent", "unknown, four", "known, prior, four"],
)
def test_the_posterior_is_that_of_enumerated_graphs_with_scipys_densities(n, model, stated):
    table = some_table(n, n)
    prior = edge_prior(table.variables, **stated)
    fusion = fuse(table, model, prior)
    found = graph_posterior(fusion.scores, draws=4000, seed=1)
    dags = acyclic(n)
    score = np.array([
        log_prior(prior, g) + log_likelihood(table, g, model, (fusion.centre, fusion.scale))
        for g in dags
    ])  # fmt: skip
    p = np.exp(score - logsumexp(score))
    assert found.method == "listed"
    np.testing.assert_allclose(found.log_evidence, logsumexp(score), atol=1e-8)
    np.testing.assert_allclose(found.edges, np.einsum("g,gij", p, np.array(dags)), atol=1e-8)
    reach = np.array([reachable(g) for g in dags])
    np.testing.assert_allclose(found.ancestors, np.einsum("g,gij", p, reach), atol=1e-8)
    entropy = -(p[p > 0] * np.log2(p[p > 0])).sum()
    assert found.entropy_bits == pytest.approx(entropy, abs=1e-8)
    # Systematic draws: each graph as often as it is probable, to within one.
    place = {g.tobytes(): k for k, g in enumerate(dags)}
    counts = np.bincount([place[g.tobytes()] for g in found.graphs], minlength=len(dags))
    assert (abs(counts - 4000 * p) <= 1 + 1e-6).all()


def test_six_variables_are_summed_as_an_independent_recursion_over_sinks_does():
    """Inclusion-exclusion over sets of sinks (Robinson 1973; Tian & He, UAI 2009): Z(S) is
    sum over non-empty T in S of (-1)^(|T|+1) prod_(j in T) sum of families within S - T, Z(S - T).
    An edge's probability is the evidence with it required over that without."""
    n = 6
    fusion = fuse(some_table(6, n, 25))

    def evidence(allowed) -> float:
        scores = np.exp(fusion.scores.score - fusion.scores.score.max(1, keepdims=True))
        within = {}
        for j in range(n):
            candidates = fusion.scores.candidates[j]
            sets = [sum(1 << int(c) for b, c in enumerate(candidates) if code >> b & 1)
                    for code in range(1 << (n - 1))]  # fmt: skip
            for s in range(1 << n):
                within[j, s] = sum(scores[j, code] for code, members in enumerate(sets)
                                   if members & ~s == 0 and allowed(j, members))  # fmt: skip
        z = [1.0]
        for s in range(1, 1 << n):
            total, t = 0.0, s
            while t:
                sinks = [j for j in range(n) if t >> j & 1]
                sign = 1 if len(sinks) % 2 else -1
                total += sign * np.prod([within[j, s & ~t] for j in sinks]) * z[s & ~t]
                t = (t - 1) & s
            z.append(total)
        return z[-1]

    found = LatticePosterior.from_scores(fusion.scores)
    whole = evidence(lambda j, members: True)
    shift = fusion.scores.score.max(1).sum()
    assert found.log_evidence == pytest.approx(np.log(whole) + shift, abs=1e-6)
    for parent, child in ((0, 1), (4, 2), (3, 5)):
        some = evidence(lambda j, m, a=parent, b=child: j != b or m >> a & 1)
        assert found.edge_marginals()[parent, child] == pytest.approx(some / whole, abs=1e-6)


@pytest.mark.slow
def test_exact_marginals_of_seven_variables_come_with_sampled_draws():
    scores = fuse(some_table(7, 7, 25)).scores
    exact, found = LatticePosterior.from_scores(scores), graph_posterior(scores, draws=2000)
    assert found.method == "summed"
    assert found.converged
    assert found.largest_gap < 0.05
    np.testing.assert_array_equal(found.edges, exact.edge_marginals())
    assert found.entropy_bits == exact.entropy_bits()
    np.testing.assert_allclose(found.graphs.mean(0), found.edges, atol=found.largest_gap + 1e-9)


@pytest.mark.slow
def test_listed_summed_and_sampled_posteriors_agree_on_five_variables():
    scores = fuse(some_table(5, 5, 15)).scores
    listed = graph_posterior(scores)
    summed = LatticePosterior.from_scores(scores)
    assert listed.log_evidence == pytest.approx(summed.log_evidence, abs=1e-8)
    assert listed.entropy_bits == pytest.approx(summed.entropy_bits(), abs=1e-6)
    np.testing.assert_allclose(listed.edges, summed.edge_marginals(), atol=1e-8)
    np.testing.assert_allclose(listed.ancestors, summed.ancestor_marginals(), atol=1e-8)
    sampled = sample_posterior(scores, draws=500)
    for exact, rough in (
        (listed.edges, sampled.edge_marginals()),
        (listed.ancestors, sampled.ancestor_marginals()),
    ):
        error = np.sqrt(exact * (1 - exact) / min(sampled.min_ess, 2000))
        assert (abs(exact - rough) <= 4.5 * error + 0.003).all()


def test_a_prior_that_leaves_no_graph_is_refused():
    score = np.full((2, 2), -np.inf)
    score[:, 1] = 0.0  # both must have the other for a parent
    with pytest.raises(UserError, match="forbids every graph"):
        graph_posterior(ScoreTable(np.array([[1], [0]]), score))


def randomised_ranks(truth, draws, rng) -> np.ndarray:
    """Probability integral transform: where the truth stands among draws, ties at random."""
    below, ties = (draws < truth[:, None]).sum(1), (draws == truth[:, None]).sum(1)
    return below + rng.integers(0, ties + 1)


def assert_uniform(ranks: np.ndarray, count: int) -> None:
    """Chi-square over ten bins, and Kolmogorov-Smirnov."""
    spread = (ranks + np.random.default_rng(1).random(len(ranks))) / count
    observed = np.histogram(spread, np.linspace(0, 1, 11))[0]
    assert stats.chisquare(observed).pvalue > 0.001
    assert stats.kstest(spread, "uniform").pvalue > 0.001


def check_calibration(systems: int, seed: int) -> None:
    """Systems are drawn from the prior, rows from each; truth must rank uniformly among draws."""
    n, rows, per = 4, 8, 99
    rng = np.random.default_rng(seed)
    dags, model = np.array(acyclic(n)), KnownNoise(1.0, 1.0)
    truth = {"edge": np.zeros((systems, n, n)), "effect": np.zeros((systems, n, n))}
    drawn = {name: np.zeros((systems, per, n, n)) for name in truth}
    edges = np.zeros((systems, n, n))
    for k in range(systems):
        graph = dags[rng.integers(len(dags))]
        weights = np.where(graph, rng.normal(size=(n, n)), 0.0)
        target = rng.integers(-1, n, rows)
        x = np.zeros((rows, n))
        for r in range(rows):
            own, free = weights.copy(), rng.normal(size=n)
            if target[r] >= 0:
                own[:, target[r]], free[target[r]] = 0.0, rng.choice([-2.0, 2.0])
            x[r] = free @ np.linalg.inv(np.eye(n) - own)
        fusion = fuse(Table.from_rows("abcd", x, target), model)
        posterior = graph_posterior(fusion.scores, draws=per, seed=k)
        # Systematic draws are not independent of one another: ranks ask for independent ones.
        plain = rng.choice(len(dags), per, p=_probabilities(fusion.scores, dags))
        draws = draw_parameters(fusion, dags[plain], rng)
        edges[k] = posterior.edges
        truth["edge"][k], truth["effect"][k] = graph, np.linalg.inv(np.eye(n) - weights)
        drawn["edge"][k], drawn["effect"][k] = draws.graph, draws.total_effects()
    for name in truth:
        for i, j in ((0, 1), (3, 1), (2, 3)):
            ranks = randomised_ranks(truth[name][:, i, j], drawn[name][:, :, i, j], rng)
            assert_uniform(ranks, per + 1)
    _assert_reliable(edges, truth["edge"])


def _probabilities(scores: ScoreTable, dags: np.ndarray) -> np.ndarray:
    score = np.array([scores.of_graph(g) for g in dags])
    return np.exp(score - logsumexp(score))


def _assert_reliable(edges: np.ndarray, truth: np.ndarray) -> None:
    """Edges of probability p are there in a share p of cases, within 4 standard errors."""
    off = ~np.eye(edges.shape[1], dtype=bool)
    p, there = edges[:, off].ravel(), truth[:, off].ravel()
    for low, high in itertools.pairwise(np.linspace(0, 1, 11)):
        mine = (p >= low) & (p < high + 1e-9)
        if mine.sum() >= 30:
            # Edges of one system are dependent: four standard errors of independent ones.
            error = np.sqrt((p[mine] * (1 - p[mine])).sum()) / mine.sum()
            assert abs(p[mine].mean() - there[mine].mean()) < 4 * error + 0.002


def test_the_truth_ranks_uniformly_among_posterior_draws():
    """Simulation-based calibration (Talts et al. 2018) of edges and total effects."""
    check_calibration(200, seed=0)


@pytest.mark.slow
def test_the_truth_ranks_uniformly_among_posterior_draws_of_a_thousand_systems():
    check_calibration(1000, seed=1)
