"""Paths that bend, several instruments, graphs that rows deny: known truths and statsmodels."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from scipy.special import expit
from statsmodels.sandbox.regression.gmm import IV2SLS, IVGMM

from seedo.inference import Answer, Beliefs, ask, parse_graph
from seedo.inference.effects import CausalGraph, denied, outside
from seedo.inference.effects._curved_paths import front_door_by_curves, natural_effect
from seedo.inference.effects._instrument import instrument
from seedo.inference.effects._paths import Rows
from seedo.tables import Column, Table

Columns = dict[str, np.ndarray]


def table_of(columns: Columns) -> Table:
    values = np.stack([np.asarray(c, np.float64) for c in columns.values()], axis=1)
    return Table.from_rows(list(columns), values)


def rows_of(columns: Columns) -> Rows:
    count = len(next(iter(columns.values())))
    return Rows({k: np.asarray(v, np.float64) for k, v in columns.items()}, None, np.ones(count))


def answer(question: str, columns: Columns, graph: str) -> Answer:
    return ask(question, table_of(columns), Beliefs(parse_graph(graph, tuple(columns))))


def covers(make: Callable[[np.random.Generator], tuple[float, float]], truth: float, trials: int):
    """Whether intervals of many tables cover a truth in nineteen of twenty."""
    ends = np.array([make(np.random.default_rng(seed)) for seed in range(trials)])
    found = ((ends[:, 0] <= truth) & (truth <= ends[:, 1])).sum()
    return stats.binom.cdf(found, trials, 0.95) > 0.01


def bent_front_door(rng: np.random.Generator, where: str, n: int = 800) -> Columns:
    hidden = rng.normal(size=n)
    x = hidden + rng.normal(size=n)
    m = 0.5 * x + (0.3 * x**2 if where == "first" else 0) + rng.normal(size=n)
    y = m + (0.5 * m**2 if where == "second" else 0) + hidden + rng.normal(size=n)
    return {"x": x, "m": m, "y": y}


@pytest.mark.parametrize(("where", "truth"), [("first", 2.2), ("second", 1.5)])
def test_a_bent_front_door_is_averaged_over_its_curves(where, truth):
    def interval(rng):
        rows = rows_of(bent_front_door(rng, where))
        found = front_door_by_curves(rows, "x", "y", ["m"], 0.0, 2.0)
        return found.low, found.high

    assert covers(interval, truth, 30)
    rows = bent_front_door(np.random.default_rng(3), where)
    found = answer("effect of x on y from 0 to 2", rows, "x -> m -> y, x <-> y")
    assert found.low < truth < found.high
    assert any("mediators and the outcome" in line for line in found.assumes)
    assert "from one value" in answer("effect of x on y", rows, "x -> m -> y, x <-> y").refused
    far = answer("effect of x on y from 0 to 40", rows, "x -> m -> y, x <-> y")
    assert any("a curve is a guess" in line for line in far.warnings)


def interacting(rng: np.random.Generator, n: int = 400) -> Columns:
    t = rng.integers(0, 2, n).astype(float)
    m = t + rng.normal(size=n)
    return {"t": t, "m": m, "y": 0.5 * t + m + 0.8 * t * m + rng.normal(size=n)}


@pytest.mark.parametrize(("kind", "truth"), [("direct", 0.5), ("indirect", 1.8)])
def test_natural_effects_where_cause_and_mediator_act_together(kind, truth):
    def interval(rng):
        found = natural_effect(
            rows_of(interacting(rng)), "t", "y", ["m"], [], 0.0, 1.0, kind == "direct"
        )
        return found.low, found.high

    assert covers(interval, truth, 60)
    found = answer(f"{kind} effect of t on y", interacting(np.random.default_rng(4)),
                   "t -> m -> y, t -> y")  # fmt: skip
    assert found.low < truth < found.high
    assert "mediation formula" in found.answer
    assert any("natural effect" in line for line in found.assumes)


def test_natural_effects_of_yes_and_no_are_the_mediation_formula_in_the_cells():
    """Pearl 2012, eq. 15 and 17, by frequencies: without covariates nothing is modelled."""
    rng = np.random.default_rng(0)
    t = rng.integers(0, 2, 900)
    m = rng.random(900) < np.where(t, 0.7, 0.2)
    y = rng.random(900) < np.array([[0.1, 0.3], [0.2, 0.9]])[t, m.astype(int)]
    share = [m[t == a].mean() for a in (0, 1)]
    mean = [[y[(t == a) & (m == b)].mean() for b in (0, 1)] for a in (0, 1)]
    rows = rows_of({"t": t, "m": m, "y": y})
    direct = natural_effect(rows, "t", "y", ["m"], [], 0.0, 1.0, True)
    indirect = natural_effect(rows, "t", "y", ["m"], [], 0.0, 1.0, False)
    of_start = (1 - share[0], share[0])
    truth = sum(p * (mean[1][b] - mean[0][b]) for b, p in enumerate(of_start))
    assert direct.value == pytest.approx(truth)
    assert indirect.value == pytest.approx((share[1] - share[0]) * (mean[1][1] - mean[1][0]))
    assert direct.value + indirect.value == pytest.approx(y[t == 1].mean() - y[t == 0].mean())


def test_natural_effects_agree_with_logistic_models_of_both():
    """The mediation formula by statsmodels' regressions of mediator and outcome, summed over m."""
    rng = np.random.default_rng(2)
    c = rng.normal(size=3000)
    t = (rng.random(3000) < expit(c)).astype(float)
    m = (rng.random(3000) < expit(t - 0.5 + c)).astype(float)
    y = (rng.random(3000) < expit(-1 + t + m + 0.8 * t * m + c)).astype(float)
    ones, binomial = np.ones(3000), sm.families.Binomial()
    mediator = sm.GLM(m, np.column_stack([ones, t, c]), family=binomial).fit()
    outcome = sm.GLM(y, np.column_stack([ones, t, m, t * m, c]), family=binomial).fit()

    def mean(cause: float, of_mediator: float) -> float:
        share = mediator.predict(np.column_stack([ones, of_mediator * ones, c]))
        of = [outcome.predict(np.column_stack([ones, cause * ones, v * ones, cause * v * ones, c]))
              for v in (0.0, 1.0)]  # fmt: skip
        return float((share * of[1] + (1 - share) * of[0]).mean())

    rows = rows_of({"t": t, "m": m, "y": y, "c": c})
    direct, indirect = (
        natural_effect(rows, "t", "y", ["m"], ["c"], 0.0, 1.0, way) for way in (True, False)
    )
    assert direct.value == pytest.approx(mean(1, 0) - mean(0, 0), abs=0.01)
    assert indirect.value == pytest.approx(mean(1, 1) - mean(1, 0), abs=0.01)


def test_what_a_mediator_shares_with_the_outcome_and_the_cause_changes_is_not_natural():
    graph = parse_graph("t -> m -> y, t -> y, t -> l, l -> m, l -> y")
    known = CausalGraph(graph, graph.variables)
    assert known.mediation("t", "y", ()) == (("m", "l"), ()) or known.mediation("t", "y", ()) == (
        ("l", "m"), ())  # fmt: skip
    hidden = parse_graph("t -> m -> y, t -> y, m <-> y")
    assert CausalGraph(hidden, hidden.variables).mediation("t", "y", ()) is None
    confounded = parse_graph("t -> m -> y, t -> y, c -> m, c -> y")
    known = CausalGraph(confounded, confounded.variables)
    assert known.mediation("t", "y", ()) is None
    assert known.mediation("t", "y", ("c",)) == (("m",), ("c",))


def instruments(rng: np.random.Generator, n: int = 1500, way: float = 0.0) -> Columns:
    one, two, hidden = rng.normal(size=(3, n))
    x = 0.4 * one + 0.4 * two + hidden + rng.normal(size=n)
    y = 0.5 * x + way * two + hidden + rng.normal(size=n)
    return {"one": one, "two": two, "x": x, "y": y}


def test_several_instruments_are_two_stage_least_squares_and_hansens_j():
    rows = instruments(np.random.default_rng(1))
    found = instrument(rows_of(rows), "x", "y", ("one", "two"))
    ones = np.ones(1500)
    exog, by = np.column_stack([ones, rows["x"]]), np.column_stack([ones, rows["one"], rows["two"]])
    assert found.estimate.value == pytest.approx(IV2SLS(rows["y"], exog, by).fit().params[1])
    gmm = IVGMM(rows["y"], exog, by).fit(
        start_params=np.zeros(2), maxiter=2, optim_args={"disp": False},
        weights_method="cov", wargs={"centered": True},
    )  # fmt: skip
    assert found.disagreement == pytest.approx(gmm.jtest()[1], abs=0.03)
    graph = "one -> x, two -> x, x -> y, x <-> y"
    said = answer("effect of x on y", rows, graph)
    assert said.low < 0.5 < said.high
    assert "one, two" in said.answer
    assert not said.warnings
    alone = instrument(rows_of(rows), "x", "y", ("one",)).estimate
    assert said.high - said.low < 0.85 * (alone.high - alone.low)
    odd = answer("effect of x on y", instruments(np.random.default_rng(1), way=0.4), graph)
    assert any("disagree" in line for line in odd.warnings)


def test_a_curve_is_told_by_an_instrument_of_many_values():
    rng = np.random.default_rng(0)
    z, hidden = rng.normal(size=(2, 1500))
    x = z + hidden + rng.normal(size=1500)
    noise = hidden + rng.normal(size=1500)
    for curve, told in ((0.5, True), (0.0, False)):
        found = answer("effect of x on y from 0 to 2", {"z": z, "x": x,
                       "y": x + curve * x**2 + noise}, "z -> x -> y, x <-> y")  # fmt: skip
        assert any("no single slope" in line for line in found.warnings) == told


def test_a_weak_instrument_covers_by_anderson_and_rubin():
    def interval(rng):
        z, hidden = rng.normal(size=(2, 400))
        x = 0.12 * z + hidden + 0.3 * rng.normal(size=400)
        y = x + 2 * hidden + 0.3 * rng.normal(size=400)
        found = instrument(rows_of({"z": z, "x": x, "y": y}), "x", "y", ("z",)).estimate
        return (-np.inf, np.inf) if found is None else (found.low, found.high)

    assert covers(interval, 1.0, 300)


def test_a_graph_is_held_against_its_own_independences():
    def rows(rng, way):
        z = rng.normal(size=300)
        x = np.tanh(z) + rng.normal(size=300)
        return {"z": z, "x": x, "y": x + x**2 + way * z + rng.normal(size=300)}

    found = answer(
        "effect of x on y from 0 to 1", rows(np.random.default_rng(0), 1.0), "z -> x -> y"
    )
    assert any("y and z are independent given x" in line for line in found.warnings)
    graph = parse_graph("z -> x -> y")
    alarms = sum(
        bool(denied(CausalGraph(graph, graph.variables), table, "x", "y"))
        for seed in range(100)
        if (table := table_of(rows(np.random.default_rng(seed), 0.0)))
    )
    assert alarms <= 3


def test_columns_beside_the_graph_are_named_and_told_where_they_go_with_both():
    rng = np.random.default_rng(0)
    z, w = rng.normal(size=(2, 300))
    x = z + rng.normal(size=300)
    rows = {"z": z, "w": w, "x": x, "y": x + z + rng.normal(size=300)}
    found = answer("effect of x on y", rows, "x -> y")
    assert any("z, w, not in the graph" in line for line in found.assumes)
    assert any(line.startswith("z is in the table") for line in found.warnings)
    graph = parse_graph("x -> y", tuple(rows))
    assert [
        d.other for d in outside(CausalGraph(graph, tuple(rows)), table_of(rows), "x", "y")
    ] == ["z"]


def test_a_large_graph_is_tried_by_a_bounded_number_of_tests():
    from seedo.inference.effects._implications import MOST_TESTS

    names = [f"v{i}" for i in range(45)]
    graph = parse_graph(", ".join(f"{a} -> {b}" for a, b in pairwise(names)))
    rng = np.random.default_rng(0)
    columns = [rng.normal(size=300)]
    for _ in names[1:]:
        columns.append(0.7 * columns[-1] + rng.normal(size=300))
    known = CausalGraph(graph, graph.variables)
    assert len(known.implied("v10", "v40", MOST_TESTS)) == MOST_TESTS
    assert not denied(known, table_of(dict(zip(names, columns, strict=True))), "v10", "v40")


def test_groups_say_that_they_are_of_the_treated_and_what_would_overturn_them():
    rng = np.random.default_rng(0)
    arm = rng.integers(0, 2, 400).astype(float)
    z = rng.normal(size=400)
    x = (rng.random(400) < expit(z)).astype(float)
    y = x * (1 + z) + arm + z + rng.normal(size=400)
    columns = {"arm": arm, "z": z, "x": x, "y": y}
    found = answer("effect of x on y among the treated by arm", columns,
                   "z -> x -> y, z -> y, arm -> y")  # fmt: skip
    assert "among the treated" in found.answer
    assert len(found.table) == 2
    assert all(row["effect"] > 1.1 for row in found.table)
    assert sum("nothing hidden moves" in line for line in found.assumes) == 2


def test_how_a_graph_was_read_is_part_of_every_answer():
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    found = answer("effect of x on y", {"x": x, "y": x + rng.normal(size=200)}, "x -> y, u -> x")
    assert any("u taken as not measured" in line for line in found.assumes)


def test_a_named_cause_is_moved_between_its_levels():
    rng = np.random.default_rng(0)
    therapy = rng.integers(0, 2, 300).astype(float)
    sleep = therapy + rng.normal(size=300)
    mood = therapy + sleep + rng.normal(size=300)
    table = table_of({"therapy": therapy, "sleep": sleep, "mood": mood})
    columns = (Column("therapy", "categorical", levels=("talk", "wait")), *table.columns[1:])
    table = Table(**{**table.__dict__, "columns": columns})
    beliefs = Beliefs(parse_graph("therapy -> sleep -> mood, therapy -> mood"))
    assert "from talk to wait" in ask("direct effect of therapy on mood", table, beliefs).answer
