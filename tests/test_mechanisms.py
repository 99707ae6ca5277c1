"""Families that bend, of levels and of counts: against quadrature, enumeration, known systems."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import gammaln

from seedo.inference import GraphPrior, UnknownNoise, answer, infer
from seedo.inference.scores import _curved, fuse
from seedo.inference.scores._basis import make_basis
from seedo.inference.scores._counted import CountedFamily
from seedo.inference.scores._curved import PLAIN, Shape
from seedo.inference.scores._kernel_density import leave_one_out
from seedo.inference.scores._mechanisms import Mechanisms
from seedo.inference.scores._row_groups import RowGroup, units
from seedo.inference.scores._scores import mechanisms_of
from seedo.tables import Column, Table


def table_of(values: np.ndarray, types=(), target=None) -> Table:
    names = [f"v{i}" for i in range(values.shape[1])]
    table = Table.from_rows(names, values, target)
    columns = []
    for name, kind, column in zip(names, types or ["real"] * len(names), values.T, strict=True):
        named = kind in ("yes/no", "categorical")
        levels = tuple(str(k) for k in range(int(column.max()) + 1)) if named else ()
        columns.append(Column(name, kind, levels=levels))
    return replace(table, columns=tuple(columns))


def mechanisms(table: Table) -> Mechanisms:
    centre, scale = units(table, True)
    n = table.n
    return Mechanisms(table, (table.values - centre) / scale, UnknownNoise(), GraphPrior(n),
                      ((PLAIN,),) * n, ((),) * n, np.zeros(n, bool))  # fmt: skip


def quadratic(seed: int, rows: int = 200, each: int = 20) -> Table:
    """v0 -> v1 -> v2 by squares, v3 by itself."""
    rng = np.random.default_rng(seed)
    target = np.r_[np.full(rows, -1), np.repeat(np.arange(4), each)]
    x = np.zeros((len(target), 4))
    for j in range(4):
        mean = x[:, j - 1] ** 2 if j in (1, 2) else 0.0
        x[:, j] = mean + rng.normal(size=len(x))
        x[target == j, j] = rng.choice([-2.0, 2.0], (target == j).sum())
    return table_of(x, target=target)


def test_the_straight_shape_is_the_linear_normal_family(monkeypatch):
    monkeypatch.setattr(_curved, "FLOOR", 0.0)
    table = quadratic(0)
    plain = fuse(table).scores.score
    wanted = np.ones(8, bool)
    for child in range(4):
        candidates = np.array([i for i in range(4) if i != child])
        found = mechanisms(table).score(child, candidates, wanted)
        np.testing.assert_allclose(found, plain[child], rtol=1e-7)


def test_a_bent_shape_is_scipys_multivariate_t_with_more_columns(monkeypatch):
    monkeypatch.setattr(_curved, "FLOOR", 0.0)
    table = quadratic(1, rows=25, each=0)
    found = mechanisms(table)
    family = found.curved(1, (), [(0, 2)])
    parents = np.array([[0, 2]])
    evidence = family.evidence(Shape("plain", 1, True), parents)[0]
    basis = make_basis(table, found.standard)
    x = [basis.columns[:, basis.of(i, 1)] for i in (0, 2)]
    product = found.standard[:, [0]] * found.standard[:, [2]]
    z = np.column_stack([*x, product, np.ones(25)])
    prior = np.diag([1 / 0.5] * (z.shape[1] - 1) + [1.0])
    a, b = (2 + 3) / 2, 0.25
    law = stats.multivariate_t(np.zeros(25), b / a * (np.eye(25) + z @ prior @ z.T), df=2 * a)
    assert evidence == pytest.approx(law.logpdf(found.standard[:, 1]), abs=1e-6)


def test_a_logarithm_is_scored_as_a_density_of_the_values_themselves():
    """A lognormal's own density, against the evidence of the same rows as they are."""
    rng = np.random.default_rng(2)
    table = table_of(np.exp(rng.normal(size=(400, 2))))
    family = mechanisms(table).curved(0, (), ())
    nothing = np.zeros((1, 0), np.int64)
    found = family.evidence(Shape("log"), nothing)[0]
    x = table.values[:, 0]
    at_best = stats.lognorm.logpdf(x, np.log(x).std(), scale=np.exp(np.log(x).mean())).sum()
    at_best += len(x) * np.log(x.std())  # a density per standard unit
    assert at_best - 12 < found < at_best
    assert found > family.evidence(PLAIN, nothing)[0] + 50


def test_the_leave_one_out_density_is_that_of_a_plain_loop():
    x = np.random.default_rng(3).normal(size=200)
    found = leave_one_out(x)
    loop = stats.norm.logpdf(x)
    assert abs(found - loop).mean() < 0.25
    ones = [leave_one_out(np.r_[x, far])[-1] for far in (0.0, 4.0, 8.0)]
    assert ones[0] > ones[1] > ones[2]


def test_shares_are_the_dirichlet_integral_and_equivalent_graphs_score_the_same():
    rng = np.random.default_rng(4)
    values = rng.integers(0, [2, 3, 2], size=(60, 3)).astype(float)
    table = table_of(values, ["categorical"] * 3)
    chosen = mechanisms_of(table, UnknownNoise(), GraphPrior(3))
    fusion = fuse(table, mechanisms=chosen)
    alpha, expected = chosen.alpha, 0.0
    for j in range(3):
        counts = np.array([((values[:, 1] == j) & (values[:, 0] == k)).sum() for k in range(2)])
        prior = np.full(2, alpha / 6)
        expected += gammaln(prior.sum()) - gammaln(prior.sum() + counts.sum())
        expected += (gammaln(prior + counts) - gammaln(prior)).sum()
    assert fusion.scores.score[0, 1] == pytest.approx(expected, abs=1e-9)
    full = []
    for order in itertools.permutations(range(3)):
        graph = np.zeros((3, 3), bool)
        for a, b in itertools.combinations(order, 2):
            graph[a, b] = True
        full.append(fusion.scores.of_graph(graph))
    assert np.ptp(full) < 1e-9


@pytest.mark.parametrize(("levels", "draw"), [(2, "level"), (3, "level"), (0, "count")])
def test_laplace_is_near_quadrature(levels, draw):
    """One parent and an intercept: two coefficients, integrated on a grid."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=40)
    y = rng.poisson(np.exp(0.3 + 0.5 * x)).astype(float)
    if draw == "level":
        y = (rng.random((40, 1)) > np.linspace(0, 1, levels + 1)[1:-1]).sum(1).astype(float)
    table = table_of(np.column_stack([x, y]))
    basis = make_basis(table, table.values)
    family = CountedFamily(basis, y, levels, [RowGroup(np.ones(40, bool), np.zeros((40, 0)))])
    found = family.evidence(np.array([[0]]))[0]

    def log_likelihood(eta, target, dispersion):
        if dispersion is None:
            return (target * eta - np.logaddexp(0, eta)).sum(-1)
        if dispersion == 0:
            return stats.poisson.logpmf(target, np.exp(eta)).sum(-1)
        size = 1 / dispersion
        return stats.nbinom.logpmf(target, size, size / (size + np.exp(eta))).sum(-1)

    expected = 0.0
    grid = np.linspace(-1, 1, 401)
    for part, likelihoods in parts(y, levels):
        each = []
        for target, dispersion in likelihoods:
            mean = target.mean()
            base = np.log(mean / (1 - mean)) if dispersion is None else np.log(mean)
            a, w = np.meshgrid(4 * grid, 4 * grid, indexing="ij")
            eta = base + a[..., None] + w[..., None] * x[part]
            height = log_likelihood(eta, target, dispersion)
            height += stats.norm.logpdf(a, 0, 10) + stats.norm.logpdf(w, 0, np.sqrt(2))
            top = height.max()
            area = integrate.simpson(integrate.simpson(np.exp(height - top), x=4 * grid),
                                     x=4 * grid)  # fmt: skip
            each.append(top + np.log(area))
        expected += np.log(np.mean(np.exp(np.array(each) - max(each)))) + max(each)
    assert found == pytest.approx(expected, abs=0.15)


def parts(y, levels):
    if not levels:
        return [(np.ones(len(y), bool), [(y, v) for v in (0.0, 0.1, 0.5, 2.0)])]
    return [(y >= k, [((y[y >= k] == k).astype(float), None)]) for k in range(levels - 1)]


def test_squares_are_found_with_their_direction():
    posterior = infer(quadratic(6), draws=400)
    assert posterior.graph.edges[0, 1] > 0.95
    assert posterior.graph.edges[1, 2] > 0.95
    assert list(posterior.bent) == [False, True, True, False]
    assert infer(quadratic(6), form="linear", draws=400).fusion.mechanisms is None
    found = answer("effect of v0 on v1", posterior)
    assert "straight line" in found.refused
    assert "--graph" in found.refused


def test_straight_lines_keep_the_linear_normal_family():
    """Where an effect was set in some rows, its cause bends with it against the arrow."""
    rng = np.random.default_rng(7)
    target = np.r_[np.full(200, -1), np.repeat([0, 1], 30)]
    x = np.where(target == 0, rng.choice([-2.0, 2.0], 260), rng.normal(size=260))
    y = np.where(target == 1, rng.choice([-2.0, 2.0], 260), 1.5 * x + rng.normal(size=260))
    z = 0.5 * x - 0.8 * y + rng.normal(size=260)
    table = table_of(np.column_stack([x, y, z]), target=target)
    posterior = infer(table, draws=200)
    assert posterior.fusion.mechanisms is None
    np.testing.assert_array_equal(posterior.fusion.scores.score, fuse(table).scores.score)


def test_nothing_causes_a_factor():
    rng = np.random.default_rng(8)
    dose = rng.choice([0.0, 1.0, 2.0], 100)
    table = table_of(np.column_stack([dose, dose + rng.normal(size=100), rng.normal(size=100)]))
    columns = (replace(table.columns[0], role="factor"), *table.columns[1:])
    posterior = infer(replace(table, columns=columns), draws=200)
    assert posterior.graph.edges[:, 0].max() == 0
    assert posterior.graph.edges[0, 1] > 0.95


def test_what_no_setting_moves_is_not_caused_by_what_one_does_move():
    """Two gauges share noise; each has a setting of its own that leaves the other alone."""
    rng = np.random.default_rng(9)
    a, b = rng.normal(size=(2, 600))
    hidden = rng.normal(size=600)
    first = a + hidden + 0.3 * rng.normal(size=600)
    second = b + hidden + 0.3 * rng.normal(size=600)
    set_ = np.zeros((600, 4), bool)
    set_[:, :2] = True
    posterior = infer(table_of(np.column_stack([a, b, first, second]), target=set_), draws=200)
    assert posterior.graph.edges[2:, 2:].max() == 0
    assert posterior.graph.edges[0, 3] == posterior.graph.edges[1, 2] == 0
    assert min(posterior.graph.edges[0, 2], posterior.graph.edges[1, 3]) > 0.95


def linear(seed: int, rows: int, noise=None) -> Table:
    """v0 -> v1 -> v2."""
    rng = np.random.default_rng(seed)
    draw = noise or (lambda size: rng.normal(size=size))
    target = np.r_[np.full(rows, -1), np.repeat([0, 1], 20)]
    x = np.zeros((len(target), 3))
    for j in range(3):
        x[:, j] = (x[:, j - 1] if j else 0) + draw(len(x))
        x[target == j, j] = rng.choice([-2.0, 2.0], (target == j).sum())
    return table_of(x, target=target)


def test_a_model_that_fits_is_not_doubted():
    fits = [infer(linear(seed, 200), draws=100).fit for seed in range(15)]
    assert all(fit.power == 1 for fit in fits)


def test_a_model_that_does_not_fit_calls_nothing_certain():
    """Noise that grows with the cause, a thousand rows."""
    rng = np.random.default_rng(10)
    x = rng.normal(size=1000)
    y = x + np.exp(1.5 * x) * rng.normal(size=1000)
    posterior = infer(table_of(np.column_stack([x, y])), form="linear", draws=200)
    assert posterior.fit.power < 0.1
    found = answer("which edges are certain?", posterior)
    assert found.value == 0
    assert any("does not fit" in line for line in found.warnings)


@pytest.mark.parametrize("seed", range(3))
def test_two_random_walks_cause_nothing_for_certain(seed):
    walks = np.random.default_rng(seed).normal(size=(200, 2)).cumsum(0)
    posterior = infer(table_of(walks), draws=200)
    assert not posterior.fit.credible
    assert "follow each other" in " ".join(posterior.fit.misfits)


def test_rows_sorted_by_one_variable_are_no_series():
    table = linear(11, 300)
    order = np.argsort(table.values[:, 0], kind="stable")
    assert infer(table.take(order), draws=200).fit.power == 1
