"""Family scores of fused tables against SciPy's densities and numerical integration."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, multivariate_t

from seedo.errors import UserError
from seedo.inference import GraphPrior, KnownNoise, UnknownNoise, edge_prior
from seedo.inference.scores import fuse
from seedo.tables import Regime, Table
from seedo.worlds import enumerate_dags


def some_rows(seed: int, n: int, rows: int, interventions: bool = True) -> Table:
    """Rows of a random linear system, a part of them with one variable set."""
    rng = np.random.default_rng(seed)
    weights = np.triu(rng.normal(size=(n, n)) * (rng.random((n, n)) < 0.7), 1)
    target = rng.integers(-1, n, size=rows) if interventions else np.full(rows, -1)
    values = np.zeros((rows, n))
    for row, chosen in zip(values, target, strict=True):
        for j in range(n):
            row[j] = 0.3 * j + row @ weights[:, j] + rng.normal()
            if j == chosen:
                row[j] = rng.choice([-2.0, 2.0])
    return Table.from_rows([f"v{i}" for i in range(n)], values, target)


def parents_of(code: int, candidates: np.ndarray) -> list[int]:
    return [int(c) for bit, c in enumerate(candidates) if code >> bit & 1]


@pytest.mark.parametrize("seed", range(3))
def test_known_noise_is_scipys_multivariate_normal(seed):
    table = some_rows(seed, 4, 12)
    model = KnownNoise(0.7, 1.6)
    fusion = fuse(table, model)
    hard = table.hard
    for child, code in itertools.product(range(4), range(8)):
        parents = parents_of(code, fusion.scores.candidates[child])
        rows = ~hard[:, child]
        x, y = table.values[np.ix_(rows, parents)], table.values[rows, child]
        covariance = 0.7 * np.eye(rows.sum()) + 1.6 * x @ x.T
        expected = multivariate_normal(np.zeros(rows.sum()), covariance).logpdf(y)
        assert fusion.scores.score[child, code] == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_unknown_noise_is_scipys_multivariate_t(seed):
    """s^2 ~ IG(a, b), w | s^2 ~ N(0, s^2 L^-1) makes y a multivariate t with 2a degrees of freedom
    and shape (b/a)(I + Z L^-1 Z')."""
    n = 4
    table = some_rows(seed, n, 15)
    fusion = fuse(table, UnknownNoise())
    standard = (table.values - fusion.centre) / fusion.scale
    t = 0.5  # alpha_mu (alpha_w - n - 1) / (alpha_mu + 1), alpha_w = n + alpha_mu + 1
    for child, code in itertools.product(range(n), range(8)):
        parents = parents_of(code, fusion.scores.candidates[child])
        rows = ~table.hard[:, child]
        z = np.column_stack([standard[np.ix_(rows, parents)], np.ones(rows.sum())])
        prior = np.diag([1 / t] * len(parents) + [1.0])
        a, b = (2 + len(parents) + 1) / 2, t / 2
        shape = b / a * (np.eye(len(z)) + z @ prior @ z.T)
        law = multivariate_t(np.zeros(len(z)), shape, df=2 * a)
        expected = law.logpdf(standard[rows, child])
        assert fusion.scores.score[child, code] == pytest.approx(expected, abs=1e-8)


@given(st.integers(0, 10_000), st.integers(3, 25))
def test_graphs_that_no_observation_tells_apart_score_the_same(seed, rows):
    """All complete DAGs are Markov equivalent, and so are a chain's two directions and its fork."""
    fusion = fuse(some_rows(seed, 4, rows, interventions=False))
    dags = enumerate_dags(4, 3).astype(bool)
    complete = [fusion.scores.of_graph(d) for d in dags if d.sum() == 6]
    assert np.ptp(complete) < 1e-8 * max(1, abs(complete[0]))
    chain = np.zeros((3, 4, 4), bool)
    chain[0, [0, 1], [1, 2]] = chain[1, [2, 1], [1, 0]] = chain[2, [1, 1], [0, 2]] = True
    same = [fusion.scores.of_graph(d) for d in chain]
    assert np.ptp(same) < 1e-8 * max(1, abs(same[0]))


def test_replaced_mechanisms_have_parameters_of_their_own():
    table = some_rows(0, 3, 20, interventions=False)
    regimes = (Regime("observed"), Regime("drug", replaced=frozenset([1])))
    regime = (np.arange(20) >= 12).astype(np.int64)
    both = Table(table.variables, table.values, regime, regimes, table.source, table.sources,
                 table.episode, table.step)  # fmt: skip
    model = KnownNoise()
    own = [fuse(table.take(regime == k), model).scores.score for k in range(2)]
    found = fuse(both, model).scores.score
    np.testing.assert_allclose(found[1], own[0][1] + own[1][1], atol=1e-9)
    np.testing.assert_allclose(found[0], fuse(table, model).scores.score[0], atol=1e-9)


def test_soft_interventions_shift_by_an_unknown_constant():
    table = some_rows(1, 3, 20, interventions=False)
    regimes = (Regime("observed"), Regime("shift", soft=frozenset([2])))
    regime = (np.arange(20) >= 9).astype(np.int64)
    both = Table(table.variables, table.values, regime, regimes, table.source, table.sources,
                 table.episode, table.step)  # fmt: skip
    found = fuse(both, KnownNoise(0.5, 2.0, offset_variance=9.0)).scores
    for code in range(4):
        parents = parents_of(code, found.candidates[2])
        x = table.values[:, parents]
        covariance = 0.5 * np.eye(20) + 2.0 * x @ x.T + 9.0 * np.outer(regime, regime)
        expected = multivariate_normal(np.zeros(20), covariance).logpdf(table.values[:, 2])
        assert found.score[2, code] == pytest.approx(expected, abs=1e-8)


def test_unknown_targets_are_averaged_over():
    table = some_rows(2, 3, 24, interventions=False)
    values = table.values.copy()
    values[14:, 1] += 6.0
    regime = (np.arange(24) >= 14).astype(np.int64)
    rest = (table.source, table.sources, table.episode, table.step)
    unknown = Table(table.variables, values, regime,
                    (Regime("observed"), Regime("?", unknown=True)), *rest)  # fmt: skip
    fusion = fuse(unknown)
    assert fusion.hits is not None
    missed, hit = (
        fuse(Table(table.variables, values, regime, (Regime("observed"), r), *rest)).scores.score
        for r in (Regime("no"), Regime("yes", soft=frozenset(range(3))))
    )
    expected = np.logaddexp(np.log(2 / 3) + missed, np.log(1 / 3) + hit)
    np.testing.assert_allclose(fusion.scores.score, expected, atol=1e-8)
    assert np.exp(fusion.hits[1, 1]).min() > 0.9
    assert np.exp(fusion.hits[1, 0]).max() < 0.5


def test_edge_probabilities_multiply_families():
    variables = ("a", "b", "c")
    prior = edge_prior(
        variables, forbidden=[("a", "b")], required=[("b", "c")], likely={("a", "c"): 0.9}
    )
    table = some_rows(3, 3, 10)
    table = Table.from_rows(variables, table.values, table.regime - 1)
    plain = fuse(table).scores
    weighed = fuse(table, prior=prior).scores
    difference = weighed.score - plain.score
    # candidates of b are a, c; of c are a, b
    assert np.isneginf(difference[1, [1, 3]]).all()
    assert np.isneginf(difference[2, [0, 1]]).all()
    assert difference[2, 3] - difference[2, 2] == pytest.approx(np.log(9))


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: edge_prior(("a", "b"), forbidden=[("a", "z")]), "a->z"),
        (lambda: edge_prior(("a", "b"), required=[("a", "a")]), "a->a"),
        (lambda: edge_prior(("a", "b"), required=[("a", "b")], forbidden=[("a", "b")]), "a->b"),
        (lambda: edge_prior(("a", "b"), required=[("a", "b"), ("b", "a")]), "cycle"),
        (lambda: edge_prior(("a", "b"), likely={("a", "b"): 1.5}), "1.5"),
        (lambda: GraphPrior(2, -1), "max_parents"),
        (lambda: GraphPrior(2, None, np.zeros((3, 3))), "edge_probability"),
        (lambda: GraphPrior(2, None, np.full((2, 2), np.nan)), "edge_probability"),
        (lambda: GraphPrior(3, 1, np.array([[0, 0, 1], [0, 0, 1], [0, 0, 0]])), "max_parents"),
    ],
)  # fmt: skip
def test_impossible_priors_are_refused_in_one_line(make, field):
    with pytest.raises(UserError, match=field) as error:
        make()
    assert "\n" not in str(error.value)
