"""Draws of parameters and what follows from them, against closed forms, paths and simulation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from seedo.inference import KnownNoise, UnknownNoise, infer
from seedo.inference.exact import Draws, draw_parameters
from seedo.inference.scores import fuse
from seedo.tables import Regime, Table

CHAIN = np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]], bool)


def table_of(seed: int, rows: int = 60) -> Table:
    """Rows of X -> Y -> Z, X -> Z with an intercept in Y; some with X or Y set."""
    rng = np.random.default_rng(seed)
    target = rng.choice([-1, 0, 1], rows)
    x = np.where(target == 0, rng.choice([-2.0, 2.0], rows), rng.normal(size=rows))
    y = np.where(target == 1, rng.choice([-2.0, 2.0], rows), 3 - 1.5 * x + rng.normal(size=rows))
    z = 0.7 * x + 0.4 * y + 0.5 * rng.normal(size=rows)
    return Table.from_rows(("X", "Y", "Z"), np.c_[x, y, z], target)


def many(graph: np.ndarray, fusion, size: int = 40_000, seed: int = 0) -> Draws:
    return draw_parameters(fusion, np.repeat(graph[None], size, 0), np.random.default_rng(seed))


def random_model(rng: np.random.Generator, n: int) -> Draws:
    """Three systems of n variables in a random order."""
    order = rng.permutation(n)
    graph = np.zeros((3, n, n), bool)
    for i, j in itertools.combinations(range(n), 2):
        graph[:, order[i], order[j]] = rng.random(3) < 0.7
    return Draws(graph, np.where(graph, rng.normal(size=graph.shape), 0.0),
                 rng.normal(size=(3, n)), rng.uniform(0.3, 2.0, (3, n)))  # fmt: skip


def simulate(model: Draws, s: int, rows: int, do: dict[int, float], rng) -> np.ndarray:
    """Rows of one system, one variable after the other."""
    x = np.zeros((rows, model.n))
    left, done = set(range(model.n)), set()
    while left:
        j = next(j for j in left if set(np.flatnonzero(model.graph[s, :, j])) <= done)
        x[:, j] = model.intercept[s, j] + x @ model.weight[s, :, j]
        x[:, j] += np.sqrt(model.variance[s, j]) * rng.normal(size=rows)
        if j in do:
            x[:, j] = do[j]
        left.remove(j)
        done.add(j)
    return x


def test_weights_with_known_noise_are_a_ridge_regression():
    table, noise, spread = table_of(0), 0.8, 1.7
    graph = CHAIN.copy()
    graph[0, 2] = True
    draws = many(graph, fuse(table, KnownNoise(noise, spread)))
    x, z = table.values[:, :2], table.values[:, 2]
    precision = x.T @ x / noise + np.eye(2) / spread
    covariance = np.linalg.inv(precision)
    mean = covariance @ x.T @ z / noise
    drawn = draws.weight[:, :2, 2]
    error = np.sqrt(np.diag(covariance) / len(drawn))
    assert (abs(drawn.mean(0) - mean) < 4 * error).all()
    np.testing.assert_allclose(np.cov(drawn.T), covariance, atol=0.03 * covariance.max())
    assert (draws.variance == noise).all()
    assert (draws.intercept == 0).all()


def test_with_unknown_noise_variance_is_inverse_gamma_and_weights_are_students_t():
    """Normal-inverse-gamma update (Murphy 2012, sec. 7.6.3) written out in standard units."""
    table = table_of(1, 25)
    fusion = fuse(table)
    draws = many(CHAIN, fusion)
    rows = ~table.hard[:, 1]
    standard = (table.values - fusion.centre) / fusion.scale
    z, y = np.c_[standard[rows, 0], np.ones(rows.sum())], standard[rows, 1]
    t, parents = 0.5, 1
    prior = np.diag([t, 1.0])
    precision = z.T @ z + prior
    mean = np.linalg.solve(precision, z.T @ y)
    shape = (2 + parents + 1) / 2 + rows.sum() / 2
    rate = t / 2 + (y @ y - mean @ precision @ mean) / 2
    law = stats.invgamma(shape, scale=rate * fusion.scale[1] ** 2)
    assert stats.kstest(draws.variance[:4000, 1], law.cdf).pvalue > 0.001
    spread = np.sqrt(rate / shape * np.linalg.inv(precision)[0, 0])
    ratio = fusion.scale[1] / fusion.scale[0]
    slope = stats.t(2 * shape, mean[0] * ratio, spread * ratio)
    assert stats.kstest(draws.weight[:4000, 0, 1], slope.cdf).pvalue > 0.001
    level = mean[1] * fusion.scale[1] + fusion.centre[1] - mean[0] * ratio * fusion.centre[0]
    assert draws.intercept[:, 1].mean() == pytest.approx(level, abs=0.02)


def test_an_intercept_is_that_of_rows_without_a_shift_and_of_the_average_source():
    rng = np.random.default_rng(2)
    regime, source = np.repeat([0, 1, 0], 400), np.repeat([0, 0, 1], 400)
    y = 1.0 + 5.0 * regime + 3.0 * source + 0.1 * rng.normal(size=1200)
    values = np.c_[rng.normal(size=1200), y]
    regimes = (Regime("observed"), Regime("shift", soft=frozenset([1])))
    order = np.arange(1200)
    table = Table(("X", "Y"), values, regime, regimes, source, ("a", "b"), order, order)
    for model in (UnknownNoise(), KnownNoise(0.01, 1.0, intercept=True)):
        draws = many(np.zeros((2, 2), bool), fuse(table, model), 500)
        assert draws.intercept[:, 1].mean() == pytest.approx(2.0, abs=0.05)


def test_nothing_depends_on_the_users_units():
    table = table_of(3)
    scale, shift = np.array([1e3, 1e-4, 5.0]), np.array([7.0, -1.0, 300.0])
    other = Table.from_rows(table.variables, table.values * scale + shift, table.regime - 1)
    here, there = (infer(t, draws=500) for t in (table, other))
    np.testing.assert_array_equal(here.draws.graph, there.draws.graph)
    factor = scale[None, :] / scale[:, None]
    np.testing.assert_allclose(
        there.draws.total_effects(), here.draws.total_effects() * factor, rtol=1e-6, atol=1e-12
    )
    mean, covariance = there.draws.moments({0: 2e3 + 7.0})
    same_mean, same = here.draws.moments({0: 2.0})
    np.testing.assert_allclose(mean, same_mean * scale + shift, rtol=1e-5)
    np.testing.assert_allclose(covariance / np.outer(scale, scale), same, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("n", [2, 4, 5])
def test_total_effects_are_sums_over_directed_paths(n):
    model = random_model(np.random.default_rng(n), n)
    found = model.total_effects()
    for s, i, j in itertools.product(range(3), range(n), range(n)):
        others = [k for k in range(n) if k not in (i, j)]
        paths = [
            [i, *middle, j]
            for size in range(len(others) + 1)
            for middle in itertools.permutations(others, size)
        ]
        total = sum(
            np.prod([model.weight[s, a, b] for a, b in itertools.pairwise(path)]) for path in paths
        )
        assert found[s, i, j] == pytest.approx(1.0 if i == j else total, abs=1e-12)


@pytest.mark.parametrize("do", [{}, {1: 2.0}, {0: -1.0, 3: 0.5}])
def test_moments_are_those_of_a_simulation(do):
    rng = np.random.default_rng(5)
    model = random_model(rng, 4)
    mean, covariance = model.moments(do)
    rows = 100_000
    for s in range(3):
        x = simulate(model, s, rows, do, rng)
        error = np.sqrt(np.diag(covariance[s]) / rows)
        assert (abs(x.mean(0) - mean[s]) <= 4.5 * error + 1e-9).all()
        centred = x - x.mean(0)
        product = centred[:, :, None] * centred[:, None, :]
        off = abs(product.mean(0) - covariance[s])
        assert (off <= 4.5 * product.std(0) / np.sqrt(rows) + 1e-9).all()


@pytest.mark.parametrize("do", [{}, {1: 2.0}])
def test_what_is_seen_is_conditioned_on(do):
    """Regression of the others on what is seen, in simulated rows."""
    rng = np.random.default_rng(6)
    model = random_model(rng, 4)
    seen = {0: 1.0, 2: -0.5}
    mean, covariance = model.given(do, seen)
    for s in range(3):
        x = simulate(model, s, 100_000, do, rng)
        design = np.c_[np.ones(len(x)), x[:, [0, 2]]]
        beta = np.linalg.lstsq(design, x[:, 3], rcond=None)[0]
        residual = x[:, 3] - design @ beta
        at = np.array([1.0, 1.0, -0.5])
        error = np.sqrt(residual.var() * at @ np.linalg.pinv(design.T @ design) @ at)
        assert abs(at @ beta - mean[s, 3]) < 4.5 * error
        assert covariance[s, 3, 3] == pytest.approx(residual.var(), rel=0.025)
        np.testing.assert_allclose(mean[s, [0, 2]], [1.0, -0.5], atol=1e-9)
        np.testing.assert_allclose(covariance[s][[0, 2]], 0, atol=1e-9)


def chain(size: int = 1) -> Draws:
    """X -> Y -> Z: y = 1 + 2 x + e, z = -1 + 3 y + e'."""
    weight = np.zeros((3, 3))
    weight[0, 1], weight[1, 2] = 2.0, 3.0
    return Draws(*(np.repeat(a[None], size, 0) for a in (
        CHAIN, weight, np.array([0.0, 1.0, -1.0]), np.array([1.0, 0.25, 4.0]))))  # fmt: skip


def test_a_counterfactual_keeps_the_noise_of_an_observed_row():
    row = np.array([1.0, 3.5, 11.0])  # noises 1, 0.5 and 1.5
    nothing = np.zeros(3, bool)
    found = chain().counterfactual(row, nothing, {0: -2.0})[0]
    np.testing.assert_allclose(found, [-2.0, 1 - 4 + 0.5, -1 + 3 * -2.5 + 1.5])
    found = chain().counterfactual(row, nothing, {0: -2.0, 1: 0.0})[0]
    np.testing.assert_allclose(found, [-2.0, 0.0, -1 + 1.5])
    np.testing.assert_allclose(chain().counterfactual(row, nothing, {0: 1.0})[0], row)


def test_what_had_been_set_stays_set():
    row = np.array([1.0, -2.0, -5.5])  # Y was set: Z's noise is -5.5 + 1 + 6 = 1.5
    was_set = np.array([False, True, False])
    found = chain(10).counterfactual(row, was_set, {0: 2.0})
    np.testing.assert_allclose(found, np.repeat([[2.0, -2.0, -5.5]], 10, 0))


def test_a_variable_set_again_takes_the_new_value():
    row, was_set = np.array([1.0, -2.0, -5.5]), np.array([False, True, False])
    found = chain(10).counterfactual(row, was_set, {1: 4.0})
    np.testing.assert_allclose(found, np.repeat([[1.0, 4.0, -1 + 12 + 1.5]], 10, 0))


def test_the_same_seed_gives_the_same_bytes():
    one, two = (infer(table_of(7), draws=200, seed=3).draws for _ in range(2))
    for name in ("graph", "weight", "intercept", "variance"):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes()
    assert infer(table_of(7), draws=200, seed=4).draws.weight.tobytes() != one.weight.tobytes()


def test_effects_are_exactly_nought_where_no_path_leads():
    rng = np.random.default_rng(8)
    for n in (2, 3, 5, 12, 33):
        graph = np.triu(rng.random((20, n, n)) < 0.3, 1)
        graph[0] = np.eye(n, k=1) > 0  # the longest path there can be
        weight = np.where(graph, rng.normal(size=graph.shape), 0.0)
        model = Draws(graph, weight, np.zeros((20, n)), np.ones((20, n)))
        found = model.total_effects()
        np.testing.assert_allclose(found, np.linalg.inv(np.eye(n) - weight), atol=1e-10)
        reach = np.eye(n, dtype=int) + graph
        for _ in range(6):
            reach = np.minimum(reach @ reach, 1)
        np.testing.assert_array_equal(found != 0, reach > 0)
