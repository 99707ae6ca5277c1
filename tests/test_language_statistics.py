from __future__ import annotations

import json
from itertools import product

import numpy as np
import pytest
from scipy import optimize, stats

from seedo.errors import UserError
from seedo.language import Conditions
from seedo.statistics import (
    ItemAnswer,
    Observed,
    cluster_means,
    clustered_mean,
    main_effects,
    mixed_effects,
    paired_difference,
    power,
)

DATA_SETS = 500
USUAL = Conditions().to_dict()
HELD = (0.92, 0.98)


def covers(estimate, truth):
    return estimate.low <= truth <= estimate.high


def drawn(rng, clusters=30, each=4, spread=1.0):
    """Values that share their cluster's own mean, and the labels."""
    own = rng.normal(0, spread, clusters)
    labels = np.repeat(np.arange(clusters), each)
    return own[labels] + rng.normal(0, 1, len(labels)), labels.tolist()


# -- clusters -------------------------------------------------------------------------------------


def test_a_clustered_mean_is_the_t_interval_of_cluster_means():
    values, labels = drawn(np.random.default_rng(0), each=3)
    found = clustered_mean(values, labels)
    own = values.reshape(30, 3).mean(1)
    low, high = stats.t.interval(0.95, 29, own.mean(), stats.sem(own))
    assert (found.value, found.low, found.high) == pytest.approx((own.mean(), low, high))
    assert found.n == 30


def test_intervals_of_clustered_means_hold_their_level_where_plain_ones_do_not():
    clustered = plain = 0
    for seed in range(DATA_SETS):
        values, labels = drawn(np.random.default_rng(seed))
        clustered += covers(clustered_mean(values, labels), 0)
        plain += covers(clustered_mean(values, range(len(values))), 0)
    assert HELD[0] <= clustered / DATA_SETS <= HELD[1]
    assert plain / DATA_SETS < 0.85


def test_intervals_of_paired_differences_hold_their_level():
    held = 0
    for seed in range(DATA_SETS):
        rng = np.random.default_rng(seed)
        system = rng.normal(0, 3, 25)  # what both arms share
        labels = np.repeat(np.arange(25), 2).tolist()
        shared = np.repeat(system, 2)
        first = cluster_means(shared + 0.5 + rng.normal(0, 1, 50), labels)
        second = cluster_means(shared + rng.exponential(1, 50) - 1, labels)
        held += covers(paired_difference(first, second), 0.5)
    assert HELD[0] <= held / DATA_SETS <= HELD[1]


def test_a_paired_difference_is_scipys_paired_t_interval_whatever_the_order_of_episodes():
    rng = np.random.default_rng(1)
    a, b = rng.normal(1, 1, 20), rng.normal(0, 1, 20)
    forward = {i: float(a[i]) for i in range(20)}
    backward = {i: float(b[i]) for i in reversed(range(20))}
    found = paired_difference(forward, backward)
    interval = stats.ttest_rel(a, b).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_unpaired_clusters_are_refused():
    with pytest.raises(UserError, match="not paired"):
        paired_difference({1: 0.0, 2: 1.0}, {1: 0.0, 3: 1.0})
    with pytest.raises(UserError, match="one label for each"):
        cluster_means([1.0, 2.0], ["a"])


# -- main effects ---------------------------------------------------------------------------------

SWITCHES = ("reasoning", "check", "explanations")


def table_of(settings, rng, episodes=20, noise=1.0):
    """Values with planted effects 1, -0.5 and 0, and a large effect of the episode."""
    system = rng.normal(0, 3, episodes)
    return [
        Observed(
            (0, episode),
            dict(zip(SWITCHES, levels, strict=True)),
            system[episode] + levels[0] - 0.5 * levels[1] + noise * rng.normal(),
        )
        for levels in settings
        for episode in range(episodes)
    ]


FULL = list(product((False, True), repeat=3))
HALF = [levels for levels in FULL if sum(levels) % 2]
ONE_AT_A_TIME = [(False,) * 3, *map(tuple, np.eye(3, dtype=bool).tolist())]


@pytest.mark.parametrize("settings", [FULL, HALF], ids=["full", "half"])
def test_main_effects_in_a_factorial_are_differences_of_marginal_means(settings):
    table = table_of(settings, np.random.default_rng(0))
    found = main_effects(table, USUAL)
    assert tuple(found) == SWITCHES
    for switch, effect in found.items():
        by_episode = [
            np.mean([r.value for r in table if r.cluster == (0, i) and r.switches[switch]])
            - np.mean([r.value for r in table if r.cluster == (0, i) and not r.switches[switch]])
            for i in range(20)
        ]
        low, high = stats.t.interval(0.95, 19, np.mean(by_episode), stats.sem(by_episode))
        assert effect.effect.value == pytest.approx(np.mean(by_episode))
        assert (effect.effect.low, effect.effect.high) == pytest.approx((low, high))
        assert (effect.low, effect.high) == (False, True)


def test_one_switch_at_a_time_gives_paired_differences_from_the_base():
    table = table_of(ONE_AT_A_TIME, np.random.default_rng(0))
    base = np.array([r.value for r in table[:20]])
    for i, effect in enumerate(main_effects(table, USUAL).values(), 1):
        thrown = np.array([r.value for r in table[20 * i : 20 * (i + 1)]])
        interval = stats.ttest_rel(thrown, base).confidence_interval(0.95)
        assert effect.effect.value == pytest.approx((thrown - base).mean())
        assert (effect.effect.low, effect.effect.high) == pytest.approx(tuple(interval))


def test_intervals_of_main_effects_hold_their_level():
    held = np.zeros(3)
    for seed in range(DATA_SETS):
        found = main_effects(table_of(HALF, np.random.default_rng(seed), episodes=12), USUAL)
        held += [covers(found[s].effect, t) for s, t in zip(SWITCHES, (1, -0.5, 0), strict=True)]
    assert (HELD[0] <= held / DATA_SETS).all()
    assert (held / DATA_SETS <= HELD[1]).all()


def test_switches_that_never_vary_are_left_out_and_low_is_what_conditions_have_unless_told():
    rows = [
        Observed(i, {"tools": tools, "names": "nonsense"}, i + (tools == "actions") * (i + 1.0))
        for tools in ("actions", "none")
        for i in range(3)
    ]
    found = main_effects(rows, USUAL)
    assert list(found) == ["tools"]
    assert (found["tools"].low, found["tools"].high) == ("none", "actions")
    assert found["tools"].effect.value == pytest.approx(2)
    assert json.dumps(found["tools"].to_json())


def test_tables_from_which_no_main_effect_can_be_had_are_refused():
    rng = np.random.default_rng(0)
    full = table_of(FULL, rng)
    with pytest.raises(UserError, match="not paired"):
        main_effects(full[:-1], USUAL)
    with pytest.raises(UserError, match="cannot be told apart"):
        main_effects(table_of([(False,) * 3, (True,) * 3], rng), USUAL)
    with pytest.raises(UserError, match="none varies"):
        main_effects(table_of(FULL[:1], rng), USUAL)
    with pytest.raises(UserError, match="choose two"):
        main_effects([Observed(0, {"examples": k}, 0.0) for k in (0, 1, 2)], USUAL)
    with pytest.raises(UserError, match="every row"):
        main_effects([*full, Observed((0, 0), {"reasoning": True}, 0.0)], USUAL)


# -- items ----------------------------------------------------------------------------------------


def answers_of(rng, items=40, runs=3, effect=0.0, crossed=0.0, item_sd=1.0):
    """Right and wrong answers; belief differs between items, validity within them."""
    own, shift = rng.normal(0, item_sd, items), rng.normal(0, 0.3, runs)
    found = []
    for i, j, z in product(range(items), range(runs), (0, 1)):
        x = i % 2
        logit = own[i] + shift[j] + effect * (x - 0.5) + crossed * (x - 0.5) * (z - 0.5)
        factors = {
            "belief": ("believable", "unbelievable")[x],
            "validity": ("valid", "invalid")[z],
        }
        value = float(rng.random() < 1 / (1 + np.exp(-logit)))
        found.append(ItemAnswer(i, j, value, factors))
    return found


BELIEF, VALIDITY = "belief: unbelievable - believable", "validity: invalid - valid"


def test_a_mixed_model_recovers_planted_effects_and_says_what_was_fitted():
    answers = answers_of(np.random.default_rng(0), effect=-2.0, crossed=-3.0, item_sd=0.5)
    found = mixed_effects(answers, [("belief", "validity")])
    # The truth in proportions, over the spread of items and runs.
    spread = np.random.default_rng(1).normal(0, np.hypot(0.5, 0.3), 100_000)
    right = {
        (x, z): (1 / (1 + np.exp(-(spread - 2 * x - 3 * x * z)))).mean()
        for x, z in product((-0.5, 0.5), repeat=2)
    }
    belief = np.mean([right[0.5, z] - right[-0.5, z] for z in (-0.5, 0.5)])
    both = right[0.5, 0.5] - right[-0.5, 0.5] - right[0.5, -0.5] + right[-0.5, -0.5]
    assert covers(found.effects[BELIEF], belief)
    assert found.effects[BELIEF].high < 0
    assert covers(found.effects[VALIDITY], 0)
    assert covers(found.effects[f"{BELIEF} x {VALIDITY}"], both)
    assert found.effects[f"{BELIEF} x {VALIDITY}"].high < 0
    assert found.model == "linear mixed model, random intercepts for item and run, REML"
    assert (found.answers, found.items, found.runs) == (240, 40, 3)
    assert json.dumps(found.to_json())


def test_in_a_balanced_design_an_effect_between_items_is_the_t_test_of_item_means():
    answers = answers_of(np.random.default_rng(2), effect=1.0)
    found = mixed_effects(answers)
    by_item = np.array([a.value for a in answers]).reshape(40, 6).mean(1)
    test = stats.ttest_ind(by_item[1::2], by_item[::2])
    interval = test.confidence_interval(0.95)
    effect = found.effects[BELIEF]
    assert effect.value == pytest.approx(by_item[1::2].mean() - by_item[::2].mean())
    assert (effect.low, effect.high) == pytest.approx((interval.low, interval.high), abs=2e-3)
    assert found.level.value == pytest.approx(by_item.mean())


def test_the_variances_are_those_that_maximise_the_restricted_likelihood():
    answers = answers_of(np.random.default_rng(4), items=16, runs=4, item_sd=2.0)
    found = mixed_effects(answers)
    y = np.array([a.value for a in answers])
    x = np.array(
        [[1, a.factors["belief"] == "unbelievable", a.factors["validity"] == "invalid"]
         for a in answers], float
    )  # fmt: skip
    item = np.equal.outer(*[[a.item for a in answers]] * 2).astype(float)
    run = np.equal.outer(*[[a.run for a in answers]] * 2).astype(float)

    def minus_log_likelihood(log_sds):
        a, b, c = np.exp(2 * np.asarray(log_sds))
        v = a * item + b * run + c * np.eye(len(y))
        inverse = np.linalg.inv(v)
        inner = x.T @ inverse @ x
        residual = y - x @ np.linalg.solve(inner, x.T @ inverse @ y)
        determinants = np.linalg.slogdet(v)[1] + np.linalg.slogdet(inner)[1]
        return 0.5 * (determinants + residual @ inverse @ residual)

    best = optimize.minimize(minus_log_likelihood, [-1.5, -2.5, -1.0], method="Nelder-Mead")
    assert found.item_sd == pytest.approx(np.exp(best.x[0]), rel=0.02)
    assert found.run_sd == pytest.approx(np.exp(best.x[1]), abs=0.01)


@pytest.mark.slow
def test_intervals_of_mixed_models_hold_their_level():
    held = np.zeros(2)
    for seed in range(DATA_SETS):
        found = mixed_effects(answers_of(np.random.default_rng(seed), items=24))
        assert found.model.startswith("linear mixed model")
        held += [covers(found.effects[BELIEF], 0), covers(found.effects[VALIDITY], 0)]
    assert (HELD[0] <= held / DATA_SETS).all()
    assert (held / DATA_SETS <= HELD[1]).all()


def test_a_fit_that_fails_falls_back_to_least_squares_and_says_so(monkeypatch):
    from statsmodels.regression.mixed_linear_model import MixedLM

    def fails(*_, **__):
        raise np.linalg.LinAlgError

    answers = answers_of(np.random.default_rng(0), effect=-2.0)
    expected = mixed_effects(answers)
    monkeypatch.setattr(MixedLM, "fit", fails)
    found = mixed_effects(answers)
    assert found.model == (
        "least squares, standard errors clustered by item: the mixed model did not converge"
    )
    assert found.item_sd is None
    # In a balanced design the estimate is the same, and its error nearly so.
    assert found.effects[BELIEF].value == pytest.approx(expected.effects[BELIEF].value)
    width = [f.effects[BELIEF].high - f.effects[BELIEF].low for f in (found, expected)]
    assert width[0] == pytest.approx(width[1], rel=0.1)


def test_random_intercepts_are_left_out_where_nothing_is_repeated():
    answers = answers_of(np.random.default_rng(0), runs=1)
    assert mixed_effects(answers).model == "linear mixed model, random intercepts for item, REML"
    once = [a for a in answers if a.factors["validity"] == "valid"]
    once = [a._replace(factors={"belief": a.factors["belief"]}) for a in once]
    found = mixed_effects(once)
    assert found.model.startswith("least squares, standard errors robust")
    assert found.run_sd is None
    values = np.array([a.value for a in once])
    difference = values[1::2].mean() - values[::2].mean()
    assert found.effects[BELIEF].value == pytest.approx(difference)


def test_answers_that_are_all_alike_have_an_effect_of_zero_without_an_interval():
    answers = [a._replace(value=1.0) for a in answers_of(np.random.default_rng(0))]
    found = mixed_effects(answers)
    assert found.level.value == pytest.approx(1)
    assert found.effects[BELIEF].value == pytest.approx(0, abs=1e-12)
    assert found.effects[BELIEF].low is None
    assert "all answers alike" in found.effects[BELIEF].reason


def test_three_levels_are_each_held_against_the_first():
    rng = np.random.default_rng(0)
    levels = ("believable", "unbelievable", "nonsense")
    answers = [
        ItemAnswer(i, j, float(rng.normal((i % 3) * 0.5, 0.1)), {"belief": levels[i % 3]})
        for i in range(30)
        for j in range(2)
    ]
    found = mixed_effects(answers).effects
    assert list(found) == ["belief: unbelievable - believable", "belief: nonsense - believable"]
    assert covers(found["belief: unbelievable - believable"], 0.5)
    assert covers(found["belief: nonsense - believable"], 1.0)


def test_answers_that_cannot_be_modelled_are_refused():
    answers = answers_of(np.random.default_rng(0), items=6)
    with pytest.raises(UserError, match="at least one"):
        mixed_effects([])
    with pytest.raises(UserError, match="leave it out"):
        mixed_effects([a for a in answers if a.factors["validity"] == "valid"])
    with pytest.raises(UserError, match="the factors are belief, validity"):
        mixed_effects(answers, [("belief", "length")])
    with pytest.raises(UserError, match="finite"):
        mixed_effects([*answers[:-1], answers[-1]._replace(value=float("nan"))])
    twice = [a._replace(factors={**a.factors, "again": a.factors["belief"]}) for a in answers]
    with pytest.raises(UserError, match="confounded"):
        mixed_effects(twice)


# -- power ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 5, 40, 1000])
@pytest.mark.parametrize("paired", [True, False])
def test_detectable_differences_are_those_of_statsmodels(n, paired):
    from statsmodels.stats.power import TTestIndPower, TTestPower

    test = TTestPower() if paired else TTestIndPower()
    found = power(n, 1.7, paired=paired).detectable / 1.7
    assert test.power(found, n, 0.05) == pytest.approx(0.8, abs=1e-6)


def test_a_detectable_difference_is_found_in_80_percent_of_simulated_studies():
    rng = np.random.default_rng(0)
    size = power(30, 2.0).detectable
    tests = stats.ttest_1samp(rng.normal(size, 2.0, (4000, 30)), 0, axis=1)
    assert abs((tests.pvalue < 0.05).mean() - 0.8) < 4 * 0.4 / np.sqrt(4000)


def test_proportions_come_with_their_own_standard_deviation():
    assert power(100, p=0.5, paired=False).sd == pytest.approx(0.5)
    assert power(100, p=0.1, correlation=0.5).sd == pytest.approx(0.3)
    assert power(100, p=0.2).sd == pytest.approx(np.sqrt(2 * 0.16))


def test_power_is_one_line_to_print():
    line = power(200, 1.0).line
    assert "\n" not in line
    assert "with 200 pairs" in line
    assert "difference of 0.199" in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 1, "sd": 1.0}, "above 1"),
        ({"n": 10}, "either"),
        ({"n": 10, "sd": 1.0, "p": 0.5}, "either"),
        ({"n": 10, "sd": -1.0}, "finite"),
        ({"n": 10, "p": 1.5}, "proportion"),
        ({"n": 10, "p": 0.5, "correlation": 2.0}, "from -1 to 1"),
    ],
)
def test_impossible_power_calculations_are_refused(arguments, message):
    with pytest.raises(UserError, match=message):
        power(**arguments)
