"""What to try next: information by quadrature, value by nested simulation and closed form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import logsumexp

from seedo.errors import UserError
from seedo.evaluation import advise, wishes
from seedo.inference import Goal, KnownNoise, UnknownNoise, edge_prior, infer, plan_experiments
from seedo.inference.design import _next_experiment as module
from seedo.inference.design import best_action
from seedo.tables import Table
from seedo.worlds import enumerate_dags


def pair(rows: int = 12, seed: int = 0, weight: float = 0.8) -> Table:
    """X -> Y; a few rows with X set."""
    rng = np.random.default_rng(seed)
    target = np.where(np.arange(rows) < rows // 4, 0, -1)
    x = np.where(target == 0, 1.5, rng.normal(size=rows))
    return Table.from_rows(("X", "Y"), np.c_[x, weight * x + rng.normal(size=rows)], target)


def plan(posterior, options, **more):
    return plan_experiments(posterior, options, **more)


def log_evidence(y, z, model, parents):
    """SciPy's density of y, whose columns of coefficients are z (parents, then ones)."""
    count = len(y)
    if isinstance(model, KnownNoise):
        x = z[:, :parents]
        cov = model.noise_variance * np.eye(count) + model.weight_variance * x @ x.T
        return stats.multivariate_normal(np.zeros(count), cov).logpdf(y)
    prior = np.diag([2.0] * parents + [1.0])
    a = (3 + parents) / 2
    shape = (np.eye(count) + z @ prior @ z.T) / 4 / a
    return stats.multivariate_t(np.zeros(count), shape, df=2 * a).logpdf(y)


@pytest.mark.parametrize("model", [KnownNoise(1.0, 1.0), UnknownNoise()])
@pytest.mark.parametrize("value", [0.5, 3.0])
def test_expected_bits_on_two_variables_are_a_quadrature_over_the_outcome(
    model, value, monkeypatch
):
    """E_y sum_G P(G | y) log2 P(G | y) / P(G) = sum_G P(G) int p(y | G) log2 p(y | G) / p(y) dy."""
    monkeypatch.setattr(module, "OUTCOMES", 4000)
    table = pair()
    posterior = infer(table, model, draws=4000)
    fusion = posterior.fusion
    x = (table.values - fusion.centre) / fusion.scale
    own = ~table.hard
    ones = np.ones((table.rows, 1))

    def family(child, parents, extra=None):
        rows = own[:, child]
        y, z = x[rows, child], np.hstack([x[rows][:, parents], ones[rows]])
        if extra is not None:
            y = np.append(y, extra[child])
            z = np.vstack([z, [*(extra[p] for p in parents), 1.0]])
        return log_evidence(y, z, model, len(parents))

    x_alone, y_alone, y_of_x, x_of_y = (family(c, p) for c, p in ((0, []), (1, []), (1, [0]),
                                                                  (0, [1])))  # fmt: skip
    score = np.array([x_alone + y_alone, x_alone + y_of_x, x_of_y + y_alone])
    p = np.exp(score - logsumexp(score))
    at = (value - fusion.centre[0]) / fusion.scale[0]

    def integrand(y):
        alone = np.exp(family(1, [], (at, y)) - y_alone)
        joined = np.exp(family(1, [0], (at, y)) - y_of_x)
        density = np.array([alone, joined, alone])
        whole = p @ density
        return float(sum(p * density * np.log2(density / whole)))

    expected = integrate.quad(integrand, -25, 25, limit=200, points=[0.0])[0]
    found = plan(posterior, [(0, value)]).candidates[0]
    assert found.bits == pytest.approx(expected, abs=4 * found.bits_error + 0.005)
    assert found.bits_error < 0.01


def test_expected_bits_on_three_variables_are_a_quadrature_over_both_outcomes(monkeypatch):
    """All 25 DAGs; given its parents each node is normal (Bayesian linear regression)."""
    monkeypatch.setattr(module, "OUTCOMES", 4000)
    rng = np.random.default_rng(1)
    x = rng.normal(size=(7, 3))
    x[:, 2] += x[:, 0] + x[:, 1]
    table = Table.from_rows("abc", x)
    posterior = infer(table, KnownNoise(), draws=8000)
    grid = np.linspace(-11, 11, 221)
    b, c = (g.ravel() for g in np.meshgrid(grid, grid))
    new = np.stack([np.full(b.shape, 2.0), b, c], 1)
    dags = enumerate_dags(3, 2).astype(bool)
    score, density = np.zeros(len(dags)), np.zeros((len(dags), len(new)))
    for k, graph in enumerate(dags):
        for j in range(3):
            z = x[:, graph[:, j]]
            precision = z.T @ z + np.eye(z.shape[1])
            mean = np.linalg.solve(precision, z.T @ x[:, j])
            law = stats.multivariate_normal(np.zeros(7), np.eye(7) + z @ z.T)
            score[k] += law.logpdf(x[:, j])
            if j != 0:
                there = new[:, graph[:, j]]
                wide = 1 + np.einsum("mi,ij,mj->m", there, np.linalg.inv(precision), there)
                density[k] += stats.norm.logpdf(new[:, j], there @ mean, np.sqrt(wide))
    p = np.exp(score - logsumexp(score))
    whole = logsumexp(density, b=p[:, None], axis=0)
    cell = (grid[1] - grid[0]) ** 2
    expected = (p @ (np.exp(density) * (density - whole)).sum(1)) * cell / np.log(2)
    assert (p @ np.exp(density).sum(1)) * cell == pytest.approx(1, abs=1e-3)
    found = plan(posterior, [(0, 2.0)]).candidates[0]
    assert found.bits == pytest.approx(expected, abs=4 * found.bits_error + 0.01)
    assert found.bits_error < 0.02


def test_value_of_information_on_a_known_graph_is_a_folded_normal(monkeypatch):
    """do(X = -1) or do(X = 1) for Y = w X + e, w ~ N(m, v): now worth |m|. After one row with
    do(X = 2) the mean of w is N(m, r), r = 4 v^2 / (4 v + 1), and the best action |that|."""
    monkeypatch.setattr(module, "OUTCOMES", 2000)
    x = np.array([-1.0, 0.4, 0.8, -0.2])
    table = Table.from_rows(("X", "Y"), np.c_[x, [0.3, -0.4, 0.5, 0.2]])
    prior = edge_prior(("X", "Y"), required=[("X", "Y")])
    posterior = infer(table, KnownNoise(), prior, draws=4000)
    v = 1 / (x @ x + 1)
    m = v * (x @ table.values[:, 1])
    r = 4 * v**2 / (4 * v + 1)
    folded = np.sqrt(2 * r / np.pi) * np.exp(-(m**2) / 2 / r)
    expected = folded + m * (1 - 2 * stats.norm.cdf(-m / np.sqrt(r))) - abs(m)
    found = plan(posterior, [(0, 2.0)], goal=Goal(1, 1), actions=[(0, -1.0), (0, 1.0)])
    assert expected > 0.05
    best = found.candidates[0]
    assert best.gain == pytest.approx(expected, abs=4 * best.gain_error + 0.01)
    assert best.bits == pytest.approx(0, abs=1e-9)
    assert found.action.mean == pytest.approx(abs(m), abs=4 * np.sqrt(v / 4000))
    assert found.action.value == np.sign(m)


def test_value_of_information_is_that_of_a_nested_simulation_over_graphs_and_weights(monkeypatch):
    """Outer: graph, weight and outcome from the posterior. Inner: the exact posterior after it."""
    monkeypatch.setattr(module, "OUTCOMES", 2000)
    rng = np.random.default_rng(4)
    table = pair(8, 2, 0.3)
    posterior = infer(table, KnownNoise(), draws=4000)
    actions = np.array([-1.0, 1.0, 0.3])

    def summary(values, hard):
        """Probability of X -> Y and of Y -> X, mean and variance of the weight of X -> Y."""
        own, moments = ~hard, {}
        for j, i in ((1, 0), (0, 1)):
            y, z = values[own[:, j], j], values[own[:, j], i]
            normal = stats.multivariate_normal
            moments[j] = (
                normal(np.zeros(len(y)), np.eye(len(y))).logpdf(y),
                normal(np.zeros(len(y)), np.eye(len(y)) + np.outer(z, z)).logpdf(y),
                z @ y / (z @ z + 1),
                1 / (z @ z + 1),
            )
        score = [moments[0][0] + moments[1][0], moments[0][0] + moments[1][1],
                 moments[0][1] + moments[1][0]]  # fmt: skip
        p = np.exp(score - logsumexp(score))
        return p, moments[1][2], moments[1][3]

    p, mean, variance = summary(table.values, table.hard)
    now = int(np.argmax(p[1] * mean * actions))
    gains = []
    for _ in range(1500):
        weight = rng.normal(mean, np.sqrt(variance)) if rng.random() < p[1] else 0.0
        row = [2.0, 2.0 * weight + rng.normal()]
        hard = np.vstack([table.hard, [True, False]])
        after, m, _ = summary(np.vstack([table.values, row]), hard)
        returns = after[1] * m * actions
        gains.append(returns.max() - returns[now])
    expected, error = np.mean(gains), np.std(gains) / np.sqrt(len(gains))
    found = plan(posterior, [(0, 2.0)], goal=Goal(1, 1), actions=[(0, a) for a in actions])
    best = found.candidates[0]
    assert expected > 5 * error
    assert best.gain == pytest.approx(expected, abs=4 * np.hypot(error, best.gain_error) + 0.003)


def two_pairs(rows: int = 150) -> Table:
    """A - B and C - D, strongly dependent, only observed: two directions open."""
    rng = np.random.default_rng(5)
    a, c = rng.normal(size=(2, rows))
    b, d = 1.5 * a + rng.normal(size=rows), 1.5 * c + rng.normal(size=rows)
    return Table.from_rows("ABCD", np.c_[a, b, c, d])


EVERYWHERE = [(j, 4.0) for j in range(4)]


def test_a_second_experiment_goes_where_the_first_tells_nothing():
    posterior = infer(two_pairs(), draws=1000)
    made = plan(posterior, EVERYWHERE, budget=2)
    first, second = (c.target // 2 for c in made.chosen)
    assert {first, second} == {0, 1}
    # One experiment settles its pair: about a bit each.
    assert made.chosen[0].bits > 0.6
    assert made.chosen[1].bits > 0.6


def test_experiments_stop_once_the_graph_is_certain():
    table = two_pairs()
    wanted = edge_prior(
        table.variables, required=[("A", "B"), ("C", "D")],
        forbidden=[(a, b) for a in "ABCD" for b in "ABCD" if a != b and a + b not in ("AB", "CD")],
    )  # fmt: skip
    made = plan(infer(table, prior=wanted, draws=300), EVERYWHERE, budget=3)
    assert made.chosen == ()
    assert "0.000 bits about the graph" in made.stop
    open_still = plan(infer(table, draws=300), EVERYWHERE, budget=1)
    assert open_still.stop == ""


def test_experiments_stop_within_a_batch_once_the_rest_tells_too_little():
    made = plan(infer(two_pairs(600), draws=1000), EVERYWHERE, budget=6, least_bits=0.3)
    assert 2 <= len(made.chosen) < 6
    assert made.stop


def test_costs_change_the_choice():
    posterior = infer(two_pairs(), draws=500)
    free = plan(posterior, EVERYWHERE).chosen[0]
    costs = [10.0 if j == free.target else 1.0 for j in range(4)]
    dear = plan(posterior, EVERYWHERE, costs=costs).chosen[0]
    assert dear.target != free.target
    same = plan(posterior, EVERYWHERE, costs=[7.0] * 4).chosen[0]
    assert same.target == free.target


def test_the_goal_decides_where_bits_would_go_elsewhere():
    """A second pair has nothing to do with the goal: knowing it is worth nothing."""
    posterior = infer(two_pairs(), draws=1000)
    actions = [(0, -2.0), (0, 2.0), (2, -2.0), (2, 2.0)]
    made = plan(posterior, EVERYWHERE, goal=Goal(1, 1), actions=actions)
    by_target = {c.target: c for c in made.candidates}
    assert made.chosen[0].target in (0, 1)
    assert by_target[2].gain < 0.1 * made.chosen[0].gain
    assert by_target[2].bits > 0.5
    bits = plan(posterior, EVERYWHERE, goal=Goal(1, 1), actions=actions, prefer="bits")
    assert bits.chosen[0].bits == max(c.bits for c in bits.candidates)


def test_lowering_is_raising_the_other_way_round():
    posterior = infer(pair(60), draws=1000)
    options = [(0, -2.0), (0, 2.0)]
    up, down = (best_action(posterior.draws, Goal(1, sign), options) for sign in (1, -1))
    assert (up.value, down.value) == (2.0, -2.0)
    effect = posterior.draws.total_effects()[:, 0, 1].mean()
    assert up.mean - down.mean == pytest.approx(4 * effect)
    assert up.low < up.mean < up.high


def test_nothing_depends_on_the_users_units():
    table = pair(30)
    scale, shift = np.array([1e3, 1e-4]), np.array([20.0, -3.0])
    other = Table.from_rows(table.variables, table.values * scale + shift, table.regime - 1)
    plans = []
    for t, (a, b) in ((table, (0, 1)), (other, (shift[0], scale[0]))):
        options = [(0, a - 2.0 * b), (0, a + 2.0 * b), (1, float(t.values[0, 1]))]
        plans.append(plan(infer(t, draws=300), options, budget=2, goal=Goal(1, 1)))
    one, two = plans
    assert [c.target for c in one.chosen] == [c.target for c in two.chosen]
    for here, there in zip(one.candidates, two.candidates, strict=True):
        assert here.bits == pytest.approx(there.bits, rel=1e-5)
        assert here.gain * scale[1] == pytest.approx(there.gain, rel=1e-5, abs=1e-12)


def test_the_same_seed_gives_the_same_plan_to_the_last_bit():
    posterior = infer(two_pairs(40), draws=300)
    one, two, other = (
        plan(posterior, EVERYWHERE, budget=2, goal=Goal(1, -1), seed=s) for s in (1, 1, 2)
    )
    assert repr(one) == repr(two)
    assert repr(one) != repr(other)


def test_progress_ends_at_its_total():
    seen = []
    plan(infer(two_pairs(), draws=200), EVERYWHERE, budget=2,
         progress=lambda done, total: seen.append((done, total)))  # fmt: skip
    assert seen[-1][0] == seen[-1][1] == len(seen)


@pytest.mark.parametrize(
    ("options", "more", "message"),
    [
        ([], {}, "nothing can be set"),
        ([(0, 1.0)], {"costs": [0.0]}, "positive number"),
        ([(0, 1.0)], {"costs": [1.0, 2.0]}, "positive number"),
        ([(0, 1.0)], {"costs": [np.nan]}, "positive number"),
        ([(0, 1.0)], {"prefer": "luck"}, "use bits or gain"),
        ([(1, 1.0)], {"goal": Goal(1, 1)}, "no action could move it"),
    ],
)
def test_a_plan_that_cannot_be_made_is_refused_in_one_line(options, more, message):
    posterior = infer(pair(), draws=100)
    with pytest.raises(UserError, match=message) as error:
        plan(posterior, options, **more)
    assert "\n" not in str(error.value)


def test_a_reading_that_no_row_sets_is_not_proposed():
    """x moves m moves y; a log of a world, whose noise is known, lets anything be set."""
    rng = np.random.default_rng(0)
    set_ = np.repeat([-1, 0], [30, 30])
    x = rng.normal(size=60)
    m = x + rng.normal(size=60)
    rows = np.column_stack([x, m, m + rng.normal(size=60)])
    table = Table.from_rows(("x", "m", "y"), rows, set_)
    goal = {"goal": "maximize y"}
    found = advise(infer(table, draws=100), wishes(table, **goal))
    assert {c.target for c in found.plan.candidates} == {0}
    more = advise(infer(table, draws=100), wishes(table, can_set=["x", "m"], **goal))
    assert {c.target for c in more.plan.candidates} == {0, 1}
    world = advise(infer(table, KnownNoise(), draws=100), wishes(table, **goal))
    assert {c.target for c in world.plan.candidates} == {0, 1}
