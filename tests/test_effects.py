"""Contrasts, adjustment, instruments, paths: against statsmodels, closed forms, known truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from scipy.special import expit
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from seedo.errors import UserError
from seedo.inference import Beliefs, ask, parse_graph
from seedo.tables import Column, Table


def table_of(columns: dict[str, np.ndarray], *factors: str, **more) -> Table:
    """Columns as a table in whose rows some were set."""
    names = list(columns)
    values = np.stack([np.asarray(columns[n], np.float64) for n in names], axis=1)
    target = np.zeros(values.shape, bool)
    target[:, [names.index(f) for f in factors]] = True
    table = Table.from_rows(names, values, target)
    return Table(**{**table.__dict__, **more})


def graph(text: str) -> Beliefs:
    return Beliefs(parse_graph(text))


def test_two_arms_are_compared_as_in_a_regression_and_never_shrunk():
    """32b: of trials with z about 2.7, 95 % intervals cover the truth, and none is [0, 0]."""
    covered, trials = 0, 100
    for seed in range(trials):
        rng = np.random.default_rng(seed)
        arm = np.repeat([0.0, 1.0], 60)
        y = 10 + arm + 2 * rng.normal(size=120)
        found = ask("effect of arm on y", table_of({"arm": arm, "y": y}, "arm"))
        covered += found.low <= 1 <= found.high
        if seed == 0:
            by = sm.OLS(y, sm.add_constant(arm)).fit()
            low, high = by.conf_int()[1]
            assert (found.value, found.low, found.high) == pytest.approx(
                (by.params[1], low, high), rel=1e-6
            )
            assert 0 < found.probability < 1
    assert stats.binom.cdf(covered, trials, 0.95) > 0.01


def test_arms_of_unequal_spread_and_size_are_compared_by_welch():
    rng = np.random.default_rng(0)
    arm = np.repeat([0.0, 1.0], [30, 120])
    y = np.where(arm == 0, 5.0, 1.0) * rng.normal(size=150)
    found = ask("effect of arm on y", table_of({"arm": arm, "y": y}, "arm"))
    welch = stats.ttest_ind(y[arm == 1], y[arm == 0], equal_var=False).confidence_interval()
    assert (found.low, found.high) == pytest.approx((welch.low, welch.high), rel=0.01)


def test_arms_with_codes_for_names_are_no_line():
    """01: of four arms whose means go up and down, two are compared by themselves."""
    rng = np.random.default_rng(1)
    drug = rng.integers(1, 5, 600).astype(float)
    hr = np.array([0, 72, 65, 78, 70.0])[drug.astype(int)] + 5 * rng.normal(size=600)
    table = table_of({"drug": drug, "hr": hr}, "drug")
    found = ask("effect of drug on hr from 2 to 3", table)
    mine, other = hr[drug == 3], hr[drug == 2]
    assert found.value == pytest.approx(mine.mean() - other.mean())
    error = np.sqrt(mine.var(ddof=1) / len(mine) + other.var(ddof=1) / len(other))
    assert found.high - found.low == pytest.approx(2 * 1.97 * error, rel=0.02)
    whole = ask("effect of drug on hr", table)
    assert any("no straight-line" in line for line in whole.warnings)
    assert whole.value is None
    assert len(whole.table) == 3
    assert whole.probability > 0.999


def test_proportions_have_wilsons_and_newcombes_intervals():
    """02: 0/1 outcomes; P(y = 1) is the table's frequency."""
    arm = np.repeat([0.0, 1.0], [1500, 1500])
    y = np.r_[np.ones(53), np.zeros(1447), np.ones(88), np.zeros(1412)]
    order = np.random.default_rng(0).permutation(3000)
    table = table_of({"arm": arm[order], "y": y[order]}, "arm")
    found = ask("effect of arm on y", table)
    low, high = confint_proportions_2indep(88, 1500, 53, 1500, method="newcomb")
    assert (found.low, found.high) == pytest.approx((low, high), rel=0.01)
    seen = ask("P(y = 1)", table)
    low, high = proportion_confint(141, 3000, method="wilson")
    assert seen.value == pytest.approx(141 / 3000)
    assert (seen.low, seen.high) == pytest.approx((low, high), rel=1e-3)


def test_a_dose_moves_a_probability_within_its_bounds():
    """09: logistic, as statsmodels has it; beyond the last dose still no more than 1."""
    rng = np.random.default_rng(2)
    dose = rng.uniform(0, 10, 1500)
    cured = (rng.random(1500) < expit(1.2 * dose - 3)).astype(float)
    table = table_of({"dose": dose, "cured": cured}, "dose")
    by = sm.Logit(cured, sm.add_constant(dose)).fit(disp=0)
    for value in (0.0, 5.0, 10.0):
        found = ask(f"E[cured | do(dose = {value})]", table)
        assert found.value == pytest.approx(by.predict([[1, value]])[0], rel=1e-4)
        assert 0 <= found.low < found.value < found.high <= 1
        assert found.low <= expit(1.2 * value - 3) <= found.high
    found = ask("effect of dose on cured from 5 to 9", table)
    assert found.low <= expit(7.8) - expit(3) <= found.high


def test_units_count_not_readings_said_or_not():
    """13: a treatment that is constant within animals."""
    rng = np.random.default_rng(10)
    animal = np.repeat(np.arange(12.0), 80)
    drug = (animal >= 6).astype(float)
    bp = rng.normal(size=12)[animal.astype(int)] + 0.7 * rng.normal(size=960)
    means = np.array([bp[animal == a].mean() for a in range(12)])
    exact = stats.ttest_ind(means[6:], means[:6]).confidence_interval()
    for table in (
        table_of({"drug": drug, "bp": bp}, "drug", unit=animal.astype(int), unit_name="animal"),
        table_of({"animal": animal, "drug": drug, "bp": bp}, "drug"),
    ):
        found = ask("effect of drug on bp", table)
        assert (found.low, found.high) == pytest.approx((exact.low, exact.high), rel=0.01)
    assert any("12 animals" in line for line in found.warnings)


def test_sources_are_blocks_with_or_without_curves():
    """29: labs at levels of their own."""
    rng = np.random.default_rng(3)
    lab = rng.integers(0, 3, 300)
    x = 5 - 2 * lab + rng.normal(size=300)
    y = 4 * lab + x + rng.normal(size=300)
    table = table_of({"x": x, "y": y}, "x", source=lab, sources=("Bern", "Lyon", "Turin"))
    by = sm.OLS(y, np.c_[np.ones(300), x, lab == 1, lab == 2]).fit(cov_type="HC2")
    found = ask("effect of x on y", table)
    assert found.value == pytest.approx(by.params[1])
    assert found.high - found.low == pytest.approx(2 * 1.97 * by.bse[1], rel=0.02)
    curved = ask("effect of x on y from 3 to 4", table, Beliefs(form="nonlinear"))
    assert curved.low < 1 < curved.high


def test_adjustment_by_a_graph_is_regression_and_says_what_would_overturn_it():
    rng = np.random.default_rng(4)
    z = rng.normal(size=400)
    x = z + rng.normal(size=400)
    y = x + 2 * z + rng.normal(size=400)
    found = ask("effect of x on y", table_of({"z": z, "x": x, "y": y}),
                graph("z -> x, z -> y, x -> y"))  # fmt: skip
    by = sm.OLS(y, np.c_[np.ones(400), x, z]).fit(cov_type="HC2")
    assert found.value == pytest.approx(by.params[1])
    assert found.high - found.low == pytest.approx(2 * 1.966 * by.bse[1], rel=0.02)
    assert any("to make the effect nought" in line for line in found.assumes)
    assert found.probability is None
    assert found.warnings == ()


def test_yes_no_outcomes_are_standardised_over_what_is_held():
    """19, 20: by the strata's own frequencies, each patient counted as often as the table says."""
    severe = np.array([0, 0, 0, 0, 1, 1, 1, 1.0])
    drug = np.array([1, 1, 0, 0, 1, 1, 0, 0.0])
    cured = np.array([1, 0, 1, 0, 1, 0, 1, 0.0])
    count = np.array([81, 6, 234, 36, 192, 71, 55, 25.0])
    table = table_of({"severe": severe, "drug": drug, "cured": cured}, weight=count)
    beliefs = graph("severe -> drug, severe -> cured, drug -> cured")
    found = ask("effect of drug on cured", table, beliefs)
    share = np.array([357, 343]) / 700
    exact = share @ np.array([81 / 87 - 234 / 270, 192 / 263 - 55 / 80])
    assert found.value == pytest.approx(exact)
    assert found.low < exact < found.high
    assert "700" in found.rests_on
    long = table.take(np.repeat(np.arange(8), count.astype(int)))
    same = ask("effect of drug on cured", Table(**{**long.__dict__, "weight": None}), beliefs)
    assert (same.value, same.low, same.high) == pytest.approx(
        (found.value, found.low, found.high), rel=1e-6
    )


def test_no_overlap_is_refused_with_that_word():
    """21: a rule decides the treatment."""
    rng = np.random.default_rng(21)
    age = rng.uniform(20, 80, 1200)
    statin = (age >= 65).astype(float)
    risk = np.exp(age / 25) + rng.normal(size=1200)
    found = ask("effect of statin on risk", table_of({"age": age, "statin": statin, "risk": risk}),
                graph("age -> statin, age -> risk, statin -> risk"))  # fmt: skip
    assert "no overlap" in found.refused
    assert found.value is None


def test_random_walks_are_refused_with_that_word_and_differences_offered():
    """14: whatever is said of graph or design."""
    rng = np.random.default_rng(4)
    ads, sales = (np.cumsum(rng.normal(size=260)) for _ in range(2))
    table = table_of({"ads": ads, "sales": sales})
    for one, beliefs in (
        (table, Beliefs()),
        (table, graph("ads -> sales")),
        (table_of({"ads": ads, "sales": sales}, "ads"), Beliefs()),
    ):
        found = ask("effect of ads on sales", one, beliefs)
        assert "random walk" in found.refused
        assert "differences" in found.refused


def test_front_door_with_one_and_two_mediators_and_a_true_refusal():
    """03: X <-> Y, and M <-> Y which leaves nothing to go by."""
    rng = np.random.default_rng(5)
    hidden, e = rng.normal(size=(5000,)), rng.normal(size=(4, 5000))
    x = hidden + e[0]
    r = 0.6 * x + e[1]
    m = 0.5 * x + 0.4 * r + e[2]
    y = 0.7 * m + 0.3 * r + 1.5 * hidden + e[3]
    truth = 0.7 * (0.5 + 0.24) + 0.18
    table = table_of({"X": x, "R": r, "M": m, "Y": y})
    found = ask("effect of X on Y", table, graph("X -> M -> Y, X -> R -> M, R -> Y, X <-> Y"))
    assert found.low < truth < found.high
    assert found.high - found.low < 0.3
    bad = ask("effect of X on Y", table.only([0, 2, 3]), graph("X -> M -> Y, X <-> Y, M <-> Y"))
    assert bad.value is None
    assert "hedge" in bad.refused


def iv_rows(rng: np.random.Generator, n: int, strength: float = 1.0) -> dict[str, np.ndarray]:
    hidden, voucher = rng.normal(size=n), rng.integers(0, 2, n).astype(float)
    education = strength * voucher + hidden + rng.normal(size=n)
    return {"voucher": voucher, "education": education,
            "income": 1.5 * education + 2 * hidden + rng.normal(size=n)}  # fmt: skip


def test_an_instrument_by_graph_or_by_a_stated_exclusion_is_two_stage_least_squares():
    """04: the ratio of the voucher's two effects."""
    from seedo.inference import stated_prior

    rows = iv_rows(np.random.default_rng(7), 3000)
    table = table_of(rows)
    by_graph = ask("effect of education on income", table,
                   graph("voucher -> education -> income, education <-> income"))  # fmt: skip
    z = rows["voucher"] - rows["voucher"].mean()
    assert by_graph.value == pytest.approx((z @ rows["income"]) / (z @ rows["education"]))
    assert by_graph.low < 1.5 < by_graph.high
    prior = stated_prior(table.variables, None, forbid=["voucher->income"])
    stated = ask("effect of education on income", table_of(rows, "voucher"), Beliefs(prior=prior))
    assert stated.value == pytest.approx(by_graph.value)


def test_direct_and_indirect_effects_add_up_to_the_total():
    """10: by regression with and without the mediator."""
    rng = np.random.default_rng(7)
    x = rng.integers(0, 2, 1500).astype(float)
    m = 0.8 * x + rng.normal(size=1500)
    y = 0.5 * x + 0.9 * m + rng.normal(size=1500)
    table, beliefs = table_of({"X": x, "M": m, "Y": y}), graph("X -> M -> Y, X -> Y")
    direct, indirect, total = (
        ask(f"{kind}effect of X on Y", table, beliefs) for kind in ("direct ", "indirect ", "")
    )
    by = sm.OLS(y, np.c_[np.ones(1500), x, m]).fit(cov_type="HC2")
    assert direct.value == pytest.approx(by.params[1])
    assert direct.high - direct.low == pytest.approx(2 * 1.9616 * by.bse[1], rel=0.01)
    assert direct.value + indirect.value == pytest.approx(total.value)
    assert indirect.low < 0.72 < indirect.high


def test_a_mean_is_not_that_of_complete_rows_where_missingness_tells():
    """06: the outcome is missing where z is high."""
    rng = np.random.default_rng(8)
    z = rng.normal(size=1200)
    y = 2 * z + rng.normal(size=1200)
    seen = np.where(rng.random(1200) < expit(1.5 * z), np.nan, y)
    found = ask("E[y]", table_of({"z": z, "y": seen}))
    assert found.low < 0 < found.high
    assert abs(np.nanmean(seen)) > 0.8
    assert any("missing" in line for line in found.warnings)


def test_what_moves_a_factor_is_not_answered():
    rng = np.random.default_rng(9)
    arm = np.repeat([0.0, 1.0], 50)
    y = arm + rng.normal(size=100)
    columns = (Column("arm", role="factor"), Column("y"))
    table = table_of({"arm": arm, "y": y})
    found = ask("effect of y on arm", Table(**{**table.__dict__, "columns": columns}))
    assert found.value is None
    assert "nothing in the table shows what would move it" in found.refused


@pytest.mark.parametrize("moved", [0.0, 1.0])
def test_an_arm_is_filled_in_where_missingness_tells(moved):
    """Also where what tells is itself a consequence of the treatment."""
    covered = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        arm = rng.integers(0, 2, 300).astype(float)
        z = moved * arm + rng.normal(size=300)
        y = 0.5 * arm + z + 0.5 * arm * z + rng.normal(size=300)
        y[rng.random(300) < expit(1.5 * z - 0.5)] = np.nan
        found = ask("effect of arm on y", table_of({"arm": arm, "z": z, "y": y}, "arm"))
        assert any("missing" in line for line in found.warnings)
        covered += found.low <= 0.5 + 1.5 * moved <= found.high
    assert stats.binom.cdf(covered, 60, 0.95) > 0.01


def test_groups_and_conditions_are_looked_at_by_themselves():
    rng = np.random.default_rng(10)
    sex, arm = rng.integers(0, 2, (2, 800)).astype(float)
    y = arm * (1 + 2 * sex) + rng.normal(size=800)
    table = table_of({"sex": sex, "arm": arm, "y": y}, "arm")
    by = ask("effect of arm on y by sex", table)
    assert [round(row["effect"]) for row in by.table] == [1, 3]
    one = ask("effect of arm on y for sex = 1", table)
    assert one.value == pytest.approx(by.table[1]["effect"])


@pytest.mark.parametrize("kind", ["arm", "unit", "weight"])
def test_too_few_rows_give_no_interval(kind):
    """One row in an arm, rows of one unit, weight on one row: nothing tells what varies."""
    rng = np.random.default_rng(11)
    arm = np.repeat([0.0, 1.0], 30)
    if kind == "arm":
        arm = (np.arange(60) == 7).astype(float)
    table = table_of({"arm": arm, "y": arm + rng.normal(size=60)}, "arm")
    if kind == "unit":
        table = replace(table, unit=np.zeros(60, np.int64))
    if kind == "weight":
        table = replace(table, weight=np.where(np.arange(60) == 7, 60.0, 0.0))
    try:
        found = ask("effect of arm on y", table)
    except UserError:
        return
    assert found.refused
    assert found.low is None


def test_arms_coded_as_numbers_are_compared_by_their_means():
    """Too few rows to refute a line: it would be wrong, and sure of it."""
    covered = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        arm = np.repeat([1.0, 2.0, 3.0], 40)
        y = np.select([arm == 2, arm == 3], [0.45, 0.4], 0.0) + rng.normal(size=120)
        found = ask("effect of arm on y from 1 to 2", table_of({"arm": arm, "y": y}, "arm"))
        mean = y[arm == 2].mean() - y[arm == 1].mean()
        assert found.value == pytest.approx(mean)
        covered += found.low <= 0.45 <= found.high
    assert stats.binom.cdf(covered, 100, 0.95) > 0.01


def test_what_goes_with_time_is_not_taken_for_an_effect():
    """Two trends without anything between them, year by year."""
    rng = np.random.default_rng(12)
    year = np.arange(60.0)
    table = table_of({"x": year + rng.normal(size=60), "y": 3 * year + rng.normal(size=60)})
    graph = parse_graph("x -> y", table.variables)
    found = ask("effect of x on y", replace(table, time=year), Beliefs(graph=graph))
    assert found.low < 0 < found.high
    assert any("both go with time" in line for line in found.warnings)
    alone = sm.OLS(table.values[:, 1], sm.add_constant(np.c_[table.values[:, 0], year])).fit()
    assert found.value == pytest.approx(alone.params[1], abs=0.05)


def front_door_rows(n: int = 3000) -> tuple[np.random.Generator, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    hidden = rng.normal(size=n)
    return rng, hidden, 1.2 * hidden + rng.normal(size=n)


def test_a_front_door_through_yes_or_no_follows_the_shares():
    """Straight lines would say 0.69."""
    rng, hidden, x = front_door_rows()
    m = (rng.random(3000) < expit(x)).astype(float)
    y = 2 * m + hidden + rng.normal(size=3000)
    table, beliefs = table_of({"x": x, "m": m, "y": y}), graph("x -> m -> y, x <-> y")
    found = ask("effect of x on y from -1 to 1", table, beliefs)
    truth = 2 * (expit(1) - expit(-1))
    assert found.low < truth < found.high
    assert found.high - found.low < 0.25
    assert "not the same at all values" in ask("effect of x on y", table, beliefs).refused


def test_the_probability_of_an_effect_agrees_with_its_interval():
    """In 20,000 rows odds under a wide prior would speak for no effect (Lindley 1957)."""
    from seedo.inference.effects._intervals import probability_of_effect

    for rank in (1, 2, 4):
        for units in (200.0, 20_000.0, 1e7):
            edge = float(stats.chi2.isf(0.05, rank))
            assert probability_of_effect(edge, rank, units) == pytest.approx(0.5)
            assert probability_of_effect(2 * edge, rank, units) > 0.8
            assert probability_of_effect(0.0, rank, units) < 0.2


def test_what_is_held_and_missing_where_the_outcome_is_high_is_told():
    rng = np.random.default_rng(6)
    z = rng.normal(size=800)
    x = z + rng.normal(size=800)
    y = 0.6 * x + z + rng.normal(size=800)
    for driver, told in ((y, True), (rng.normal(size=800), False)):
        gone = np.where(rng.random(800) < expit(driver - 1), np.nan, z)
        found = ask("effect of x on y", table_of({"x": x, "y": y, "z": gone}),
                    graph("z -> x -> y, z -> y"))  # fmt: skip
        assert any("z is missing" in w for w in found.warnings) is told


def test_names_without_an_order_have_no_correlation():
    rng = np.random.default_rng(13)
    arm = rng.integers(0, 3, 60).astype(float)
    columns = (Column("arm", "categorical", levels=("a", "b", "c")), Column("y"))
    table = replace(table_of({"arm": arm, "y": arm + rng.normal(size=60)}), columns=columns)
    assert "no order" in ask("correlation of y and arm", table).refused
