"""Exact posteriors against independent derivations: scipy densities, brute force, Monte Carlo."""

from __future__ import annotations

import itertools
import math
from functools import partial

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from seedo import inference, worlds
from seedo.errors import UserError
from seedo.inference.exact import ExactPosterior, SubsetPosterior, bayes_expected, bayes_supported
from seedo.inference.scores import Rows, family_table

NOISE, PRIOR = 0.7, 1.6


@pytest.fixture(autouse=True)
def _double_precision():
    with jax.enable_x64(True):
        yield


# Each program runs a few times only: compiling it fast matters more than running it fast.
@partial(
    jax.jit,
    static_argnames=("posterior", "method"),
    compiler_options={
        "xla_backend_optimization_level": 0,
        "xla_llvm_disable_expensive_passes": True,
    },
)
def compiled(posterior, method: str, rows: Rows, *goal):
    return getattr(posterior, method)(rows, *goal)


def ask(posterior, method: str, rows: Rows, *goal: int) -> np.ndarray:
    return np.asarray(compiled(posterior, method, rows, *goal))


def simulated_rows(seed: int, n: int, steps: int) -> Rows:
    """Rows of a random system: observations, interventions and one absent row."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(n)
    weights = np.triu(rng.normal(size=(n, n)) * (rng.random((n, n)) < 0.6), 1)
    target = rng.integers(-1, n, size=steps)
    outcome = np.zeros((steps, n))
    for row, chosen in zip(outcome, target, strict=True):
        for place, node in enumerate(order):
            row[node] = row[order] @ weights[:, place] + rng.normal() * NOISE**0.5
            if node == chosen:
                row[node] = rng.choice([-2.0, 2.0])
    outcome[steps // 2, rng.integers(n)] = np.nan
    return Rows(outcome, target)


def family_by_scipy(rows: Rows, child: int, parents: tuple[int, ...]) -> float:
    keep = np.isfinite(rows.outcome).all(1) & (rows.target != child)
    y, x = rows.outcome[keep, child], rows.outcome[np.ix_(keep, parents)]
    if not len(y):
        return 0.0
    covariance = NOISE * np.eye(len(y)) + PRIOR * x @ x.T
    return float(multivariate_normal(np.zeros(len(y)), covariance).logpdf(y))


def weights_by_ridge(rows: Rows, child: int, parents: tuple[int, ...]):
    """Posterior mean and covariance of a family's weights."""
    keep = np.isfinite(rows.outcome).all(1) & (rows.target != child)
    y, x = rows.outcome[keep, child], rows.outcome[np.ix_(keep, parents)]
    covariance = np.linalg.inv(x.T @ x / NOISE + np.eye(len(parents)) / PRIOR)
    return covariance @ x.T @ y / NOISE, covariance


def all_dags(n: int, max_parents: int) -> list[tuple[tuple[int, ...], ...]]:
    """Each DAG as its nodes' parents; acyclic when the adjacency matrix is nilpotent."""
    choices = [
        [
            parents
            for size in range(max_parents + 1)
            for parents in itertools.combinations([i for i in range(n) if i != child], size)
        ]
        for child in range(n)
    ]
    return [
        families
        for families in itertools.product(*choices)
        if not np.linalg.matrix_power(adjacency(families), n).any()
    ]


def adjacency(families: tuple[tuple[int, ...], ...]) -> np.ndarray:
    matrix = np.zeros((len(families),) * 2, int)
    for child, parents in enumerate(families):
        matrix[list(parents), child] = 1
    return matrix


def brute_force(rows: Rows, n: int, max_parents: int):
    """DAGs as adjacency [K, n, n], log posterior [K], effect matrix at mean weights [K, n, n]."""
    dags = all_dags(n, max_parents)
    known: dict[tuple[int, tuple[int, ...]], float] = {}
    for key in {item for dag in dags for item in enumerate(dag)}:
        known[key] = family_by_scipy(rows, *key)
    score = np.array([sum(known[item] for item in enumerate(dag)) for dag in dags])
    effects = []
    for dag in dags:
        weights = np.zeros((n, n))
        for child, parents in enumerate(dag):
            weights[list(parents), child] = weights_by_ridge(rows, child, parents)[0]
        effects.append(np.linalg.inv(np.eye(n) - weights))
    return np.array([adjacency(d) for d in dags]), score - logsumexp(score), np.array(effects)


@pytest.fixture(params=[ExactPosterior, SubsetPosterior])
def kind(request):
    return request.param


@pytest.mark.parametrize(("max_parents", "seed"), [(1, 0), (2, 1), (4, 2)])
def test_family_scores_are_normal_marginal_likelihoods(kind, max_parents, seed):
    rows = simulated_rows(seed, 5, 9)
    score = ask(kind(5, max_parents, NOISE, PRIOR), "family_scores", rows)
    table = family_table(5, max_parents)
    assert score.shape == table.code.shape
    for child, position in np.ndindex(score.shape):
        parents = tuple(np.flatnonzero(table.member[child, position]).tolist())
        expected = family_by_scipy(rows, child, parents)
        assert score[child, position] == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_family_weights_are_posterior_means(n):
    rows = simulated_rows(3, n, 8)
    posterior = SubsetPosterior(n, 3, NOISE, PRIOR)
    weight, table = np.asarray(compiled(posterior, "families", rows).weight), posterior.table
    for child, position in np.ndindex(table.code.shape):
        parents = tuple(np.flatnonzero(table.member[child, position]).tolist())
        dense = np.zeros(n)
        dense[list(parents)] = weights_by_ridge(rows, child, parents)[0]
        np.testing.assert_allclose(weight[child, position], dense, atol=1e-10)


def test_there_are_eighty_families_of_five_variables():
    assert family_table(5, 4).code.size == 80
    assert family_table(5, 2).code.size == 55


@pytest.mark.parametrize(("n", "max_parents", "seed"), [(3, 2, 0), (3, 1, 1), (4, 2, 2), (4, 3, 3)])
def test_posterior_matches_brute_force(kind, n, max_parents, seed):
    rows = simulated_rows(seed, n, 6)
    dags, log_probs, effects = brute_force(rows, n, max_parents)
    posterior = kind(n, max_parents, NOISE, PRIOR)
    probs = np.exp(log_probs)
    edges = np.einsum("k,kij->ij", probs, dags)
    mean_effect = np.einsum("k,kij->ij", probs, effects)
    np.testing.assert_allclose(ask(posterior, "edge_marginals", rows), edges, atol=1e-9)
    np.testing.assert_allclose(ask(posterior, "effect_matrix", rows), mean_effect, atol=1e-9)
    assert ask(posterior, "entropy", rows) == pytest.approx(
        -(probs @ log_probs) / math.log(2), abs=1e-8
    )
    for goal in range(n):
        np.testing.assert_allclose(
            ask(posterior, "effects", rows, goal), mean_effect[:, goal], atol=1e-9
        )


@pytest.mark.parametrize("n", [3, 4])
def test_probability_of_every_dag_matches_brute_force(n):
    rows = simulated_rows(7, n, 5)
    dags, log_probs, _ = brute_force(rows, n, 2)
    posterior = ExactPosterior(n, 2, NOISE, PRIOR)
    ours = dict(
        zip(map(bytes, posterior.dags), np.asarray(ask(posterior, "log_probs", rows)), strict=True)
    )
    theirs = dict(zip(map(bytes, dags.astype(np.uint8)), log_probs, strict=True))
    assert ours.keys() == theirs.keys()
    assert all(ours[dag] == pytest.approx(theirs[dag], abs=1e-8) for dag in ours)


@pytest.mark.parametrize("max_parents", [2, 4])
def test_recursion_and_listing_agree_on_five_variables(max_parents):
    rows = simulated_rows(11, 5, 12)
    listing = ExactPosterior(5, max_parents, NOISE, PRIOR)
    subsets = SubsetPosterior(5, max_parents, NOISE, PRIOR)
    assert len(listing.dags) == {2: 13_956, 4: 29_281}[max_parents]
    for method in ("edge_marginals", "effect_matrix", "entropy"):
        np.testing.assert_allclose(
            ask(subsets, method, rows), ask(listing, method, rows), atol=1e-9
        )


def test_effect_given_a_dag_is_the_monte_carlo_mean_over_weights():
    rows = simulated_rows(5, 4, 4)
    only = ((), (0,), (0, 1), (1, 2))
    posterior = ExactPosterior(4, 2, NOISE, PRIOR)
    chosen = (posterior.dags == adjacency(only)).all((1, 2))
    assert chosen.sum() == 1
    fixed = ExactPosterior(4, 2, NOISE, PRIOR, np.where(chosen, 0.0, -np.inf))
    rng, draws = np.random.default_rng(0), 200_000
    weights = np.zeros((draws, 4, 4))
    for child, parents in enumerate(only):
        mean, covariance = weights_by_ridge(rows, child, parents)
        if parents:
            sample = rng.multivariate_normal(mean, covariance, draws)
            weights[:, list(parents), child] = sample
    effects = np.linalg.inv(np.eye(4) - weights)
    error = effects.std(0) / draws**0.5
    assert (abs(ask(fixed, "effect_matrix", rows) - effects.mean(0)) <= 5 * error + 1e-12).all()
    assert ask(fixed, "entropy", rows) == 0
    np.testing.assert_array_equal(ask(fixed, "edge_marginals", rows), adjacency(only))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), node=st.integers(0, 3), new=st.floats(-50, 50))
def test_rows_where_a_node_was_set_say_nothing_about_its_own_causes(seed, node, new):
    rows = simulated_rows(seed, 4, 6)
    target = rows.target.copy()
    target[0] = node
    outcome = rows.outcome.copy()
    outcome[0, node] = new
    posterior = SubsetPosterior(4, 2, NOISE, PRIOR)
    before = ask(posterior, "family_scores", Rows(rows.outcome, target))
    after = ask(posterior, "family_scores", Rows(outcome, target))
    dropped = ask(posterior, "family_scores", Rows(rows.outcome[1:], target[1:]))
    np.testing.assert_allclose(before[node], after[node], atol=1e-9)
    np.testing.assert_allclose(before[node], dropped[node], atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), names=st.permutations(range(5)))
def test_renaming_variables_permutes_the_posterior(seed, names):
    rows = simulated_rows(seed, 5, 7)
    new_name = np.argsort(names)
    renamed = Rows(rows.outcome[:, names], np.where(rows.target < 0, -1, new_name[rows.target]))
    posterior = SubsetPosterior(5, 2, NOISE, PRIOR)
    grid = np.ix_(names, names)
    for method in ("edge_marginals", "effect_matrix"):
        expected = np.asarray(ask(posterior, method, rows))[grid]
        np.testing.assert_allclose(ask(posterior, method, renamed), expected, atol=1e-8)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), shuffle=st.permutations(range(8)))
def test_order_of_rows_and_padding_do_not_matter(seed, shuffle):
    rows = simulated_rows(seed, 4, 6)
    outcome = np.concatenate([rows.outcome, np.full((2, 4), np.nan)])[shuffle]
    target = np.concatenate([rows.target, [-1, 2]])[shuffle]
    posterior = SubsetPosterior(4, 3, NOISE, PRIOR)
    np.testing.assert_allclose(
        ask(posterior, "effect_matrix", Rows(outcome, target)),
        ask(posterior, "effect_matrix", rows),
        atol=1e-9,
    )


def test_without_data_every_dag_is_as_likely_and_effects_are_zero(kind):
    nothing = Rows(np.full((3, 5), np.nan), np.full(3, -1))
    posterior = kind(5, 2)
    edges = worlds.enumerate_dags(5, 2).mean(0)
    np.testing.assert_allclose(ask(posterior, "edge_marginals", nothing), edges, atol=1e-9)
    np.testing.assert_allclose(ask(posterior, "effect_matrix", nothing), np.eye(5), atol=1e-12)
    assert ask(posterior, "entropy", nothing) == pytest.approx(math.log2(13_956))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_much_data_finds_the_graph_and_its_effects(kind, dtype):
    rng = np.random.default_rng(2)
    weights = np.zeros((5, 5))
    weights[3, 1], weights[3, 0], weights[1, 0], weights[0, 4] = 1.2, -0.8, 0.9, -1.5
    target = np.tile(np.arange(-1, 5), 1000)
    noise = rng.normal(size=(len(target), 5))
    outcome = np.zeros_like(noise)
    for _ in range(5):
        outcome = noise + outcome @ weights
        outcome[np.arange(len(target))[target >= 0], target[target >= 0]] = 2.0
    rows = Rows(outcome.astype(dtype), target)
    posterior = kind(5, 2)
    edges = ask(posterior, "edge_marginals", rows)
    assert edges.dtype == dtype
    np.testing.assert_allclose(edges, weights != 0, atol=0.2)
    np.testing.assert_allclose(
        ask(posterior, "effect_matrix", rows), np.linalg.inv(np.eye(5) - weights), atol=0.1
    )


def test_single_precision_is_enough_for_long_histories():
    rows = simulated_rows(13, 5, 400)
    posterior = SubsetPosterior(5, 2, NOISE, PRIOR)
    single = Rows(rows.outcome.astype(np.float32), rows.target)
    for method in ("edge_marginals", "effect_matrix", "entropy"):
        small, large = ask(posterior, method, single), ask(posterior, method, rows)
        assert small.dtype == np.float32
        np.testing.assert_allclose(small, large, atol=2e-3)


def test_without_data_entropy_counts_the_dags_beyond_what_can_be_listed():
    nothing = Rows(np.full((1, 8), np.nan, np.float32), np.full(1, -1))
    posterior = SubsetPosterior(8, 2)
    count = worlds.count_dags(8, 2)
    assert ask(posterior, "entropy", nothing) == pytest.approx(math.log2(count), rel=1e-5)


def batch_of(rows: list[Rows]) -> Rows:
    return Rows(np.stack([r.outcome for r in rows]), np.stack([r.target for r in rows]))


def test_reader_multiplies_effects_by_values_whatever_the_chunk(kind):
    batch = batch_of([simulated_rows(seed, 4, 5) for seed in range(7)])
    goals = np.arange(7) % 4
    posterior = kind(4, 2, NOISE, PRIOR)
    expected = bayes_expected(posterior, batch, goals, (-2.0, 0.5, 3.0), chunk=3)
    assert expected.shape == (7, 4, 3)
    np.testing.assert_allclose(
        expected, bayes_expected(posterior, batch, goals, (-2.0, 0.5, 3.0)), atol=1e-12
    )
    for episode in range(7):
        rows = Rows(batch.outcome[episode], batch.target[episode])
        effect = ask(posterior, "effects", rows, goals[episode])
        np.testing.assert_allclose(
            expected[episode], np.outer(effect, (-2.0, 0.5, 3.0)), atol=1e-10
        )


def test_reader_leaves_irrelevant_variables_out():
    inner = [simulated_rows(seed, 3, 6) for seed in range(4)]
    rng = np.random.default_rng(0)
    relevant = np.array([rng.permutation([True] * 3 + [False] * 4) for _ in inner])
    outcome = rng.normal(size=(4, 6, 7)) * 100
    target = np.full((4, 6), -1)
    goals = np.zeros(4, int)
    plain = []
    for episode, rows in enumerate(inner):
        place = np.flatnonzero(relevant[episode])
        outcome[episode][:, place] = rows.outcome
        outside = np.flatnonzero(~relevant[episode])[0]
        target[episode] = np.where(rows.target < 0, outside, place[rows.target])
        goals[episode] = place[1]
        plain.append(ask(SubsetPosterior(3, 2, NOISE, PRIOR), "effects", rows, 1))
    expected = bayes_expected(
        SubsetPosterior(3, 2, NOISE, PRIOR), Rows(outcome, target), goals, (1.0,), relevant
    )
    np.testing.assert_allclose(expected[relevant].reshape(4, 3), plain, atol=1e-10)
    assert (expected[~relevant] == 0).all()


@pytest.mark.parametrize(
    ("goals", "relevant"),
    [([-1, 0], None), ([0, 9], None), ([0, 0], [[1, 1, 1, 0]] * 2), ([0, 3], [[1, 1, 1, 0]] * 2)],
)
def test_reader_refuses_what_it_cannot_answer(goals, relevant):
    batch = batch_of([simulated_rows(seed, 4, 5) for seed in range(2)])
    size = 4 if relevant is None or goals == [0, 0] else 3
    with pytest.raises(UserError):
        bayes_expected(
            SubsetPosterior(size, 2),
            batch,
            np.array(goals),
            (1.0,),
            None if relevant is None else np.array(relevant, bool),
        )


def test_reader_is_no_worse_than_any_rival_on_systems_from_its_prior():
    """Return of the reader against acting on the largest outcome seen, on 2,000 tasks."""
    rng = np.random.default_rng(4)
    dags = worlds.enumerate_dags(4, 2)
    batch = 2000
    weights = dags[rng.integers(len(dags), size=batch)] * rng.normal(size=(batch, 4, 4))
    target = np.tile(rng.permutation(4), (batch, 1))
    outcome = np.zeros((batch, 4, 4))
    noise = rng.normal(size=outcome.shape)
    set_here = target[:, :, None] == np.arange(4)
    for _ in range(4):
        outcome = np.where(set_here, 2.0, noise + np.einsum("bri,bij->brj", outcome, weights))
    effects = np.linalg.inv(np.eye(4) - weights)[:, :, 0]
    effects[:, 0] = -np.inf
    believed = bayes_expected(
        SubsetPosterior(4, 2), Rows(outcome, target), np.zeros(batch, int), (2.0,)
    )[:, 1:, 0]
    seen = np.take_along_axis(outcome[:, :, 0], np.argsort(target, 1), 1)[:, 1:]
    each = np.arange(batch)
    reader = effects[each, 1 + believed.argmax(1)]
    rival = effects[each, 1 + seen.argmax(1)]
    gap = reader - rival
    assert gap.mean() > 3 * gap.std() / batch**0.5
    calibration = reader * 2 - believed.max(1)
    assert abs(calibration.mean()) < 4 * calibration.std() / batch**0.5


@pytest.mark.parametrize("split", ["train", "heldout-link", "heldout-set", "more-variables"])
def test_preset_linear_has_an_exact_reader(split):
    assert bayes_supported(worlds.configure("linear", split).to_dict()) is None


@pytest.mark.parametrize(
    "change",
    [
        {"n": inference.exact.MAX_VARIABLES + 1},
        {"mechanism": "tanh"},
        {"noise_family": "laplace"},
        {"noise_variance_sd": 0.25},
        {"confounders": 1},
        {"weight_family": "uniform"},
        {"graph": "roots"},
    ],
)
def test_other_worlds_are_refused_with_a_reason(change):
    reason = bayes_supported(worlds.configure("linear", **change).to_dict())
    assert reason
    assert "\n" not in reason
