"""Observations against experiments: how often contradictions are missed and made up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from seedo.inference import KnownNoise, answer, edge_prior, infer
from seedo.inference.exact import find_conflicts
from seedo.inference.exact._conflicts import STRONG
from seedo.inference.scores import fuse
from seedo.tables import Column, Table
from seedo.worlds import enumerate_dags


def consistent(seed: int, observed: int, each: int, *, n: int = 3, values=(-2.0, 2.0)) -> Table:
    """Rows of one linear system without hidden causes, `each` with every variable set."""
    rng = np.random.default_rng(seed)
    weights = np.triu(rng.normal(size=(n, n)) * (rng.random((n, n)) < 0.6), 1)
    level, noise = rng.normal(size=n), rng.uniform(0.5, 1.5, n)
    place = rng.permutation(n)
    target = np.r_[np.full(observed, -1), np.repeat(np.arange(n), each)]
    x = np.zeros((len(target), n))
    for j in range(n):
        x[:, j] = level[j] + x @ weights[:, j] + noise[j] * rng.normal(size=len(x))
        x[:, j] = np.where(target == j, rng.choice(values, len(x)), x[:, j])
    renamed = np.r_[place, -1][target]
    return Table.from_rows([f"v{j}" for j in range(n)], x[:, np.argsort(place)], renamed)


def confounded(seed: int, observed: int, each: int, *, third: bool = False) -> Table:
    """X <- H -> Y and X -> Y, effect 1; H is not in the table, so that observed rows show a slope
    of 1 - 4/5; each variable is set in `each` rows. Z, if there, has nothing to do with them."""
    rng = np.random.default_rng(seed)
    n = 3 if third else 2
    target = np.r_[np.full(observed, -1), np.repeat(np.arange(n), each)]
    hidden, do = rng.normal(size=len(target)), rng.choice([-2.0, 2.0], len(target))
    x = np.where(target == 0, do, 2 * hidden + rng.normal(size=len(target)))
    y = np.where(target == 1, do, x - 2 * hidden + rng.normal(size=len(target)))
    z = np.where(target == 2, do, rng.normal(size=len(target)))
    return Table.from_rows(("X", "Y", "Z")[:n], np.stack([x, y, z][:n], 1), target)


def rate(make, systems: int) -> float:
    return float(np.mean([find_conflicts(fuse(make(s)), s).contradicted for s in range(systems)]))


@pytest.mark.parametrize(
    ("observed", "each", "values"),
    [(10, 5, (-2.0, 2.0)), (30, 5, (-2.0, 2.0)), (200, 20, (-2.0, 2.0)), (30, 5, (2.0,))],
)
def test_contradictions_are_made_up_in_at_most_one_of_twenty_consistent_tables(
    observed, each, values
):
    alarms = 120 * rate(lambda s: consistent(s, observed, each, values=values), 120)
    # Refuted only if so many alarms are improbable at a rate of 5 %.
    assert stats.binom.sf(alarms - 1, 120, 0.05) > 0.01


def test_a_strong_hidden_common_cause_is_found_once_there_are_rows_enough():
    rates = [
        rate(lambda s, o=o, e=e: confounded(s, o, e), 40)
        for o, e in ((20, 5), (100, 20), (300, 40))
    ]
    assert rates[1] > 0.5
    assert rates[2] > 0.9
    assert rates == sorted(rates)


@pytest.mark.parametrize("third", [False, True])
def test_the_effect_then_rests_on_the_rows_that_set_the_cause_alone(third):
    """Where Z is set, X and Y still share their hidden cause: these rows are no help either."""
    covered = by_experiment = 0
    for seed in range(60):
        posterior = infer(confounded(seed, 300, 60, third=third), draws=300)
        found = answer("effect of X on Y", posterior)
        if "60 rows that set X" in found.rests_on:
            by_experiment += 1
            covered += found.low <= 1 <= found.high
    assert by_experiment > 50
    assert covered > 0.85 * by_experiment


def test_the_bayes_factor_is_that_of_enumerated_graphs():
    """One system behind all rows against one each, by SciPy's densities, prior normalised."""
    table = consistent(3, 14, 4)
    observed = table.observational
    prior = edge_prior(table.variables, forbidden=[("v0", "v1")], likely={("v1", "v2"): 0.8})
    found = find_conflicts(fuse(table, KnownNoise(), prior))
    dags = enumerate_dags(3, 2).astype(bool)
    dags = dags[~dags[:, 0, 1]]
    weight = np.where(dags[:, 1, 2], 0.8, 0.2)
    log_prior = np.log(weight / weight.sum())

    def evidence(rows: np.ndarray) -> float:
        part = table.take(rows)
        total = log_prior.copy()
        for k, graph in enumerate(dags):
            for j in range(3):
                own = ~part.hard[:, j]
                x, y = part.values[np.ix_(own, graph[:, j])], part.values[own, j]
                law = multivariate_normal(np.zeros(own.sum()), np.eye(own.sum()) + x @ x.T)
                total[k] += law.logpdf(y)
        return float(logsumexp(total))

    everything = np.ones(table.rows, bool)
    expected = evidence(everything) - evidence(observed) - evidence(~observed)
    assert found.log_bayes_factor == pytest.approx(expected, abs=1e-8)


def test_measured_effects_are_least_squares_slopes_with_their_errors():
    table = confounded(0, 40, 12)
    found = {(p.cause, p.effect): p for p in find_conflicts(fuse(table)).pairs}
    for cause, effect in ((0, 1), (1, 0)):
        rows = table.hard[:, cause]
        fit = stats.linregress(table.values[rows, cause], table.values[rows, effect])
        pair = found[cause, effect]
        assert pair.measured == pytest.approx(fit.slope)
        assert pair.standard_error == pytest.approx(fit.stderr)
        half = stats.t.ppf(0.975, 10) * fit.stderr
        assert pair.interval == pytest.approx((fit.slope - half, fit.slope + half))


def test_a_single_value_is_held_against_the_mean_of_what_was_observed():
    table = consistent(1, 50, 10, values=(2.0,))
    x, observed = table.values, table.observational
    pairs = find_conflicts(fuse(table)).pairs
    assert len(pairs) == 6
    for pair in pairs:
        there = x[table.hard[:, pair.cause], pair.effect].mean()
        move = 2.0 - x[observed, pair.cause].mean()
        assert pair.measured == pytest.approx((there - x[observed, pair.effect].mean()) / move)
        assert (pair.contrast, pair.rows, pair.freedom) == (True, 10, 9)


def test_pairs_are_in_the_order_of_their_p_values_and_rejected_by_holm():
    """Holm 1979: the k-th smallest of m is rejected while it is under 0.01 / (m - k)."""
    pairs = find_conflicts(fuse(confounded(4, 400, 60, third=True))).pairs
    p = [pair.p_value for pair in pairs]
    assert p == sorted(p)
    rejected = [q < 0.01 / (len(p) - k) for k, q in enumerate(p)]
    assert [pair.contradicted for pair in pairs] == list(np.logical_and.accumulate(rejected))
    assert rejected[0]


def test_the_whole_is_contradicted_at_twenty_to_one():
    assert np.exp(STRONG) == pytest.approx(1 / 20)
    found = find_conflicts(fuse(confounded(0, 200, 40)))
    # Python's own, so that JSON holds them.
    assert found.whole is True
    assert found.contradicted is True


@pytest.mark.parametrize(
    ("table", "reason"),
    [(consistent(0, 3, 5), "too few"), (consistent(0, 30, 0), "no experiment")],
)
def test_where_there_is_nothing_to_compare_it_says_so(table, reason):
    found = find_conflicts(fuse(table))
    assert reason in found.reason
    assert not found.contradicted
    assert found.pairs == ()


def test_nothing_depends_on_the_users_units():
    table = confounded(5, 60, 15)
    scale = np.array([1e3, 1e-4])
    other = Table.from_rows(table.variables, table.values * scale + 7, table.regime - 1)
    one, two = (find_conflicts(fuse(t), 1) for t in (table, other))
    assert one.log_bayes_factor == pytest.approx(two.log_bayes_factor, abs=1e-6)
    assert [p.p_value for p in one.pairs] == pytest.approx([p.p_value for p in two.pairs], rel=1e-5)


def measured_alone(seed: int, effect: float, hidden: float, each: int = 100) -> Table:
    """400 observations and `each` rows that set X; H moves X and Y by `hidden`."""
    rng = np.random.default_rng(seed)
    target = np.r_[np.full(400, -1), np.zeros(each, int)]
    h = hidden * rng.normal(size=len(target))
    x = np.where(target == 0, rng.choice([-2.0, 2.0], len(target)), h + rng.normal(size=len(h)))
    y = effect * x + h + rng.normal(size=len(target))
    return Table.from_rows(("X", "Y"), np.column_stack([x, y]), target)


@pytest.mark.parametrize(
    ("effect", "hidden", "low", "high"), [(1, 2, 0.9, 1), (0.5, 0, 0, 0.2), (0, 0, 0, 0.2)]
)
def test_a_hidden_common_cause_is_weighed_for_every_pair(effect, hidden, low, high):
    found = [find_conflicts(fuse(measured_alone(s, effect, hidden))).pairs[0].confounded
             for s in range(20)]  # fmt: skip
    assert low <= np.median(found) <= high


def test_its_weight_is_that_of_two_densities_of_what_was_measured():
    """By quadrature: an effect of unknown size, or none, with noise of the measurement's size."""
    rng = np.random.default_rng(4)
    target = np.r_[np.full(3000, -1), np.zeros(60, int)]
    x, y = rng.normal(size=(2, len(target)))
    table = Table.from_rows(("X", "Y"), np.column_stack([x, y + 0.4 * x * (target == 0)]), target)
    apart = edge_prior(table.variables, forbidden=[("X", "Y"), ("Y", "X")])
    pair = find_conflicts(fuse(table, prior=apart)).pairs[0]
    assert pair.predicted == (0.0, 0.0, 0.0)  # the observations are of one mind
    error, size = pair.standard_error, np.linspace(-20, 20, 40_001)
    prior = stats.norm.pdf(size, scale=error * 60**0.5)
    free = (prior * stats.norm.pdf(pair.measured - size, scale=error)).sum() * 0.001
    none = stats.t.pdf(pair.measured / error, 58) / error
    assert pair.confounded == pytest.approx(free / (free + none), rel=0.02)


@pytest.mark.parametrize("effect", [-0.5, 0.5])
def test_a_common_cause_that_hides_the_effect_is_as_probable_as_the_test_makes_it(effect):
    """Observations without a slope, experiments with one: p and probability tell one story."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        target = np.r_[np.full(1500, -1), np.zeros(50, int)]
        h = rng.normal(size=1550)
        x = np.where(target == 0, rng.choice([-1.0, 1.0], 1550), h + rng.normal(size=1550))
        y = effect * x - 2 * effect * h + rng.normal(size=1550)
        pair = find_conflicts(
            fuse(Table.from_rows(("X", "Y"), np.column_stack([x, y]), target))
        ).pairs[0]
        assert not pair.contradicted or pair.confounded > 0.6
        assert pair.confounded < 0.5 or pair.p_value < 0.06


@pytest.mark.parametrize("factor", [True, False])
def test_a_design_and_plain_observations_have_nothing_to_compare(factor):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, 200).astype(float)
    y = (rng.random(200) < 0.3 + 0.3 * x).astype(float)
    columns = (Column("x", "yes/no", "factor" if factor else "measured"), Column("y", "yes/no"))
    table = Table.from_rows(("x", "y"), np.column_stack([x, y]), np.full(200, -1))
    table = replace(table, columns=columns)
    found = infer(table, draws=100).conflicts
    assert ("set in every row" if factor else "no experiment") in found.reason


def test_between_an_edge_and_its_reverse_no_effect_is_likely():
    """The observations say 1 or, the other way round, 0; 0.5 is neither."""
    for seed in range(5):
        pair = find_conflicts(fuse(measured_alone(seed, 0.5, 1.5, 300))).pairs[0]
        assert pair.contradicted
        assert not pair.agree


def test_nothing_is_said_to_agree_that_an_interval_leaves_out():
    for seed in range(30):
        found = find_conflicts(fuse(measured_alone(seed, 0.5, 0.6, 40)))
        for pair in found.pairs:
            inside = pair.predicted[0] <= pair.measured <= pair.predicted[2]
            assert pair.agree <= inside
        assert found.agree <= all(p.agree for p in found.pairs)
