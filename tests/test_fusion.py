"""Experiments and observations together: coverage whatever the bias, and what is said of it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from seedo.inference import Beliefs, ask, read_graph
from seedo.inference.effects import (
    Estimate,
    fuse_estimates,
    observed_effect,
    pooled_interval,
    t_estimate,
)
from seedo.inference.questions import _query as q
from seedo.inference.questions._fused_answers import fused_effect
from seedo.tables import Column, Table

Z = 1.959963984540054


@pytest.mark.parametrize("experiments", [30, 60, 100, 150, 400])
def test_the_interval_covers_at_every_bias_and_is_shorter_without_one(experiments):
    """Against plain simulation; the module that makes the interval integrates instead."""
    rng = np.random.default_rng(experiments)
    s_e, s_o = experiments**-0.5, 2000**-0.5
    apart = math.hypot(s_e, s_o)
    made = pooled_interval(s_e / apart)
    assert made is not None
    e, noise = s_e * rng.normal(size=40_000), s_o * rng.normal(size=40_000)
    covered, length = [], []
    for bias in np.arange(0, 8, 0.25) * apart:
        shift, half = made.at((e - noise - bias) / apart)
        covered.append((np.abs(e - s_e * shift) <= s_e * half).mean())
        length.append(half.mean() / Z)
        assert half.min() > 1
    assert min(covered) >= 0.938
    assert length[0] <= 0.89
    assert max(length) <= 1.06


def test_the_integrals_agree_with_a_simulation():
    made = pooled_interval(0.9)
    assert made is not None
    rng = np.random.default_rng(0)
    bias = np.array([0.0, 1.5, 3.0])
    covered, length = made.profile(bias)
    t = bias[:, None] + rng.normal(size=(3, 400_000))
    e = 0.9 * (t - bias[:, None]) + math.sqrt(1 - 0.81) * rng.normal(size=t.shape)
    shift, half = made.at(t)
    np.testing.assert_allclose((np.abs(e - shift) <= half).mean(1), covered, atol=0.0015)
    np.testing.assert_allclose(half.mean(1) / Z, length, atol=0.001)


def test_it_holds_between_the_weights_it_was_made_for():
    bias = np.arange(0, 12, 0.1)
    for rho in (0.505, 0.655, 0.934, 0.994, 0.9995):
        made = pooled_interval(rho)
        assert made is not None
        assert made.profile(bias, rho)[0].min() > 0.94
    assert pooled_interval(0.3) is None


def test_far_observations_leave_the_experiment_as_it_is():
    alone, far = t_estimate(0.3, 0.1, rows=60), t_estimate(1.4, 0.02, rows=2000)
    fused = fuse_estimates(alone, far)
    assert not fused.used
    assert fused.estimate == alone
    assert fused.differ
    assert not fused.agree


def test_it_is_the_same_in_other_units():
    alone, seen = t_estimate(0.3, 0.1, 58, rows=60), t_estimate(0.5, 0.02, rows=2000)
    one, other = (fuse_estimates(alone.scaled(k), seen.scaled(k)) for k in (1.0, -250.0))
    assert other.estimate.value == pytest.approx(-250 * one.estimate.value)
    assert other.estimate.low == pytest.approx(-250 * one.estimate.high)
    assert other.effect == pytest.approx(one.effect)


def test_they_never_agree_where_an_interval_leaves_the_other_out():
    rng = np.random.default_rng(0)
    for _ in range(40):
        alone = t_estimate(rng.normal(), rng.uniform(0.01, 1), rows=30)
        seen = t_estimate(rng.normal(), rng.uniform(0.01, 1), rows=300)
        fused = fuse_estimates(alone, seen)
        inside = (alone.low <= seen.value <= alone.high
                  and seen.low <= alone.value <= seen.high)  # fmt: skip
        assert fused.agree <= inside
        assert fused.differ >= (not alone.low <= seen.value <= alone.high)
        assert not (fused.agree and fused.differ)
        assert fused.estimate.high > fused.estimate.low


def test_the_probability_of_an_effect_is_that_of_the_four_hypotheses():
    """Against numerical integration over effect and bias."""
    alone, seen = t_estimate(0.3, 0.15, rows=60), t_estimate(0.35, 0.03, rows=2000)
    wide = math.sqrt(60) * 0.15
    x = np.linspace(-8, 8, 2001)
    prior = np.exp(-0.5 * (x / wide) ** 2) * (x[1] - x[0]) / wide / math.sqrt(2 * math.pi)

    def normal(at, middle, error):
        return np.exp(-0.5 * ((at - middle) / error) ** 2) / error

    first = normal(0.3, x, 0.15)
    some = (prior * first * normal(0.35, x, 0.03)).sum()
    some += (prior * first * (normal(0.35, x[:, None] + x, 0.03) @ prior)).sum()
    none = normal(0.3, 0, 0.15) * (normal(0.35, 0, 0.03) + normal(0.35, x, 0.03) @ prior)
    expected = some / (some + none)
    assert fuse_estimates(alone, seen).effect == pytest.approx(expected, abs=1e-3)


def confounded(rng, strength: float, experiments: int = 60, observations: int = 2000) -> Table:
    """Effect 0.5; `strength` of a hidden cause of both."""
    u = rng.normal(size=observations)
    x = strength * 1.5 * u + rng.normal(size=observations)
    y = 0.5 * x + 2 * strength * u + rng.normal(size=observations)
    v = rng.choice([-2.0, 0.0, 2.0], experiments)
    w = 0.5 * v + 2 * strength * rng.normal(size=experiments) + rng.normal(size=experiments)
    rows = np.concatenate([np.column_stack([x, y]), np.column_stack([v, w])])
    target = np.repeat([-1, 0], [observations, experiments])
    return Table.from_rows(("price", "sales"), rows, target)


def experiment(table: Table, cause: int = 0, outcome: int = 1) -> Estimate:
    """Least squares in the rows that set the cause."""
    rows = table.hard[:, cause]
    x, y = table.values[rows, cause], table.values[rows, outcome]
    design = np.column_stack([np.ones(len(x)), x])
    found, rest, *_ = np.linalg.lstsq(design, y, rcond=None)
    error = math.sqrt(rest[0] / (len(x) - 2) * np.linalg.inv(design.T @ design)[1, 1])
    return t_estimate(found[1], error, len(x) - 2, "experiments", len(x))


@pytest.mark.parametrize("strength", [0.0, 0.15, 0.3, 1.0])
def test_whole_tables_are_covered(strength):
    rng = np.random.default_rng(int(100 * strength))
    inside, shorter = 0, []
    for _ in range(120):
        table = confounded(rng, strength)
        alone = experiment(table)
        found = fused_effect(q.Effect("price", "sales"), table, alone)
        assert found is not None
        inside += found.low <= 0.5 <= found.high
        shorter.append((found.high - found.low) / (alone.high - alone.low))
    assert inside >= 107  # binomial, 120 of 0.944: under 107 once in 500
    if strength == 0:
        assert np.mean(shorter) < 0.9


def test_strong_confounding_is_said():
    found = fused_effect(
        q.Effect("price", "sales"),
        *(lambda table: (table, experiment(table)))(confounded(np.random.default_rng(1), 1.0, 150)),
    )
    assert found is not None
    assert "differ" in found.answer
    assert "agree" not in found.answer
    assert found.warnings
    assert found.low <= 0.5 <= found.high
    assert found.probability > 0.95


def test_ask_joins_both_and_never_answers_with_a_point():
    for seed in range(3):
        table = confounded(np.random.default_rng(seed), 1.0, 60)
        found = ask("effect of price on sales", table)
        assert found.value is not None
        assert found.high - found.low > 0.3
        assert abs(found.value - 0.5) < 0.6
        assert "would say" in found.answer
        assert found.probability is not None
        assert "agree" not in found.answer


def test_observations_are_adjusted_for_what_the_cause_does_not_move():
    """z moves x and y; m lies between them: held z, free m."""
    rng = np.random.default_rng(3)
    n, k = 4000, 200
    z = rng.normal(size=n + k)
    x = z + rng.normal(size=n + k)
    x[n:] = rng.choice([-2.0, 2.0], k)
    m = x + rng.normal(size=n + k)
    y = 0.5 * m + 2 * z + rng.normal(size=n + k)
    table = Table.from_rows(
        ("z", "x", "m", "y"), np.column_stack([z, x, m, y]), np.repeat([-1, 1], [n, k])
    )
    found = observed_effect(table, 1, 3)
    assert found is not None
    estimate, held = found
    assert held == ("z",)
    assert estimate.low < 0.5 < estimate.high
    assert estimate.high - estimate.low < 0.2


def test_levels_are_compared_not_lined_up():
    rng = np.random.default_rng(4)
    arm = rng.integers(0, 3, 900).astype(float)
    y = np.array([0.0, 5.0, 1.0])[arm.astype(int)] + rng.normal(size=900)
    columns = (Column("arm", "categorical", levels=("a", "b", "c")), Column("y"))
    table = Table.from_rows(("arm", "y"), np.column_stack([arm, y]),
                            np.repeat([-1, 0], [800, 100]))  # fmt: skip
    table = Table(**{**table.__dict__, "columns": columns})
    found = observed_effect(table, 0, 1, 0.0, 2.0)
    assert found is not None
    assert found[0].value == pytest.approx(y[:800][arm[:800] == 2].mean()
                                           - y[:800][arm[:800] == 0].mean())  # fmt: skip
    assert observed_effect(table, 0, 1) is None


def test_units_widen_the_interval_of_observations():
    rng = np.random.default_rng(5)
    unit = np.repeat(np.arange(40), 25)
    x = rng.normal(size=40)[unit]
    y = x + 2 * rng.normal(size=40)[unit] + rng.normal(size=1000)
    table = Table.from_rows(("x", "y"), np.column_stack([x, y]), np.repeat([-1, 0], [960, 40]))
    free = observed_effect(table, 0, 1)
    grouped = observed_effect(Table(**{**table.__dict__, "unit": unit}), 0, 1)
    assert free is not None
    assert grouped is not None
    assert grouped[0].standard_error > 3 * free[0].standard_error


def test_too_few_observations_are_left_out():
    table = confounded(np.random.default_rng(6), 0.0, 60, 5)
    assert fused_effect(q.Effect("price", "sales"), table, experiment(table)) is None


def measured(rng, hidden: float = 0.0, experiments: int = 60) -> Table:
    """z moves t and y by much, h unseen by `hidden`; m lies between; the effect of t is 1."""
    n = 1000 + experiments
    z, h = rng.normal(size=(2, n))
    t = z + hidden * h + rng.normal(size=n)
    t[1000:] = rng.choice([-1.0, 1.0], experiments)
    m = t + 0.5 * rng.normal(size=n)
    y = m + 3 * z + 2 * hidden * h + 0.5 * rng.normal(size=n)
    target = np.repeat([-1, 1], [1000, experiments])
    return Table.from_rows(("z", "t", "m", "y"), np.column_stack([z, t, m, y]), target)


def known(tmp_path, hidden: bool = False) -> Beliefs:
    file = tmp_path / "graph.txt"
    file.write_text("z -> t\nz -> y\nt -> m\nm -> y\n" + ("t <-> y\n" if hidden else ""))
    return Beliefs(graph=read_graph(file, ("z", "t", "m", "y")))


@pytest.mark.slow
def test_a_measured_confounder_of_a_known_graph_is_held_in_both_parts(tmp_path):
    inside, lengths = 0, []
    for seed in range(70):
        found = ask("effect of t on y", measured(np.random.default_rng(seed)), known(tmp_path))
        rows = {row["from"].split(",")[0]: row["high"] - row["low"] for row in found.table}
        inside += found.low <= 1 <= found.high
        lengths.append((found.high - found.low, *rows.values()))
    both, experiments, observations, *_ = np.mean(lengths, axis=0)
    assert inside >= 60  # binomial, 70 of 0.945: under 60 once in 500
    assert both < 1.15 * observations
    assert both < 0.5 * experiments
    assert experiments < 0.5  # not 1.5, as with the noise of z


def test_experiments_that_refute_the_graph_decide_alone(tmp_path):
    for seed in range(5):
        table = measured(np.random.default_rng(seed), 1.0, 200)
        found = ask("effect of t on y", table, known(tmp_path))
        assert any("graph must be wrong" in line for line in found.warnings)
        assert found.table[0]["low"] == found.low
        assert found.low < 1.1
        assert found.high > 0.9


@pytest.mark.slow
def test_a_hidden_cause_in_the_graph_leaves_the_bias_open(tmp_path):
    inside = 0
    for seed in range(60):
        table = measured(np.random.default_rng(seed), 0.15)
        found = ask("effect of t on y", table, known(tmp_path, hidden=True))
        inside += found.low <= 1 <= found.high
        assert "z held" in found.answer
        assert "graph says" not in found.answer
    assert inside >= 51  # binomial, 60 of 0.944: under 51 once in 500
