"""Runs in which all factors were set: what was fitted, what is proposed, where the optimum is."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from seedo.cli import app
from seedo.errors import UserError
from seedo.evaluation import advise_settings, settings_vary, wishes
from seedo.inference import Goal
from seedo.inference.design import Factor, fit_response, plan_settings, region_of
from seedo.inference.design._response import Beside
from seedo.inference.design._response import _averaged as averaged
from seedo.reports import settings_table, write_settings_advice
from seedo.tables import Column, Table, mixtures


def designed(columns: dict[str, np.ndarray], factors: int, named=()) -> Table:
    """The first columns were set in every row; those in `named` hold positions of levels."""
    values = np.column_stack(list(columns.values())).astype(float)
    hard = np.zeros(values.shape, bool)
    hard[:, :factors] = True
    table = Table.from_rows(tuple(columns), values, hard)
    found = tuple(
        Column(name, "categorical", levels=named[name]) if name in named else Column(name)
        for name in columns
    )
    return Table(**{**table.__dict__, "columns": found})


def reactor(seed: int = 23, rows: int = 60) -> Table:
    """Yield is best at temp 68, conc 5 (the end of its range), where it is 100."""
    rng = np.random.default_rng(seed)
    temp, conc = rng.uniform(40, 100, rows).round(0), rng.uniform(1, 5, rows).round(1)
    conc[0] = 5.0
    out = 90 - 0.05 * (temp - 68) ** 2 + 2 * conc + rng.normal(0, 2, rows)
    return designed({"temp": temp, "conc": conc, "yield": out.round(1)}, 2)


def test_the_optimum_lies_inside_the_range_and_is_honest():
    near, inside = [], 0
    for seed in range(8):
        plan = plan_settings(reactor(seed), goal=Goal(2, 1))
        choice = plan.chosen[0]
        near.append(abs(choice.values[0] - 68))
        truth = 90 - 0.05 * (choice.values[0] - 68) ** 2 + 2 * choice.values[1]
        inside += choice.low <= truth <= choice.high
        assert choice.values[1] == pytest.approx(5, abs=0.2)
    assert np.median(near) <= 1.5
    assert inside >= 6


def test_of_listed_values_the_best_is_taken():
    plan = plan_settings(reactor(), goal=Goal(2, 1), values={0: [40, 55, 68, 85, 100]})
    assert plan.chosen[0].values[0] == 68


def test_factors_that_cannot_be_set_stay():
    plan = plan_settings(reactor(), goal=Goal(2, -1), can_set=[1], budget=3)
    assert plan.beside == ("temp",)
    assert {len(choice.values) for choice in plan.chosen} == {1}
    with pytest.raises(UserError, match="was not set"):
        plan_settings(reactor(), goal=Goal(2, 1), can_set=[2])
    with pytest.raises(UserError, match="was set in every run"):
        plan_settings(reactor(), goal=Goal(0, 1))


def test_names_of_levels_and_failed_runs():
    table = reactor()
    solvent = np.random.default_rng(1).integers(0, 3, 60).astype(float)
    out = table.values[:, 2] + np.array([0.0, 6.0, 3.0])[solvent.astype(int)]
    out[table.values[:, 0] > 90] = np.nan
    runs = designed({"temp": table.values[:, 0], "solvent": solvent, "yield": out}, 2,
                    {"solvent": ("DMF", "EtOH", "THF")})  # fmt: skip
    found = advise_settings(runs, wishes(runs, goal="maximize yield", budget=2))
    assert found.plan.best is not None
    assert found.settings(found.plan.best)["solvent"] == "EtOH"
    assert "solvent = EtOH" in found.words(found.plan.best)
    assert found.plan.failed == int(np.isnan(out).sum())
    assert "without an outcome" in found.data
    lost = found.plan.failed
    assert lost >= 3
    hot, cool = (
        plan_settings(runs, goal=Goal(2, 1), values={0: [t]}).chosen[0].works for t in (99.0, 60.0)
    )
    assert hot < cool - 0.2
    held = advise_settings(
        runs, wishes(runs, goal="maximize yield", values={"solvent": ["DMF", "THF"]})
    )
    assert held.experiments()[0]["settings"]["solvent"] == "THF"
    with pytest.raises(UserError, match="use one of DMF, EtOH, THF"):
        advise_settings(runs, wishes(runs, goal="maximize yield", values={"solvent": ["water"]}))


def shares(seed: int = 33, rows: int = 80) -> Table:
    """Strength is 10, 4 and 1 for pure parts."""
    rng = np.random.default_rng(seed)
    parts = rng.dirichlet([2, 2, 2], rows).round(3)
    parts[:, 2] = (1 - parts[:, 0] - parts[:, 1]).round(3)
    out = parts @ [10, 4, 1] + rng.normal(0, 0.3, rows)
    names = dict(zip(("polymer", "filler", "oil"), parts.T, strict=True))
    return designed({**names, "strength": out}, 3)


def test_shares_are_found_and_add_up():
    table = shares()
    (found,) = mixtures(table)
    assert found.parts == (0, 1, 2)
    assert found.total == 1
    plan = plan_settings(table, goal=Goal(3, 1), budget=3)
    for choice in plan.chosen:
        assert sum(choice.values) == pytest.approx(1, abs=1e-9)
    assert plan.chosen[0].values[0] == pytest.approx(table.values[:, 0].max(), abs=0.01)
    truth = np.dot(plan.chosen[0].values, [10, 4, 1])
    assert plan.chosen[0].low <= truth <= plan.chosen[0].high
    some = plan_settings(table, goal=Goal(3, 1), values={0: [0.2, 0.3]}, budget=2)
    assert {round(c.values[0], 3) for c in some.chosen} <= {0.2, 0.3}


def test_percentages_are_shares_and_ordinary_factors_are_none():
    table = shares()
    hundred = table.values.copy()
    hundred[:, :3] = (100 * hundred[:, :3]).round(1)
    (found,) = mixtures(Table(**{**table.__dict__, "values": hundred}))
    assert found.total == 100
    assert mixtures(reactor()) == ()
    rng = np.random.default_rng(0)
    one = rng.uniform(0, 1, 50)
    with_time = designed({"a": one, "time": rng.uniform(0, 9, 50), "b": 1 - one, "y": one}, 3)
    assert [m.parts for m in mixtures(with_time)] == [(0, 2)]


@pytest.mark.parametrize(
    ("function", "how"),
    [
        (lambda x: 3 * x[:, 0], "linear"),
        (lambda x: 3 * x[:, 0] * x[:, 1], "with products of pairs"),
        (lambda x: 3 * x[:, 0] ** 2 + x[:, 1], "with squares"),
        (lambda x: 3 * x[:, 0] ** 2 + 2 * x[:, 0] * x[:, 1], "quadratic"),
        (lambda x: np.sin(6 * x[:, 0]) + x[:, 1], "Gaussian process"),
    ],
)
def test_the_form_is_that_of_the_response(function, how):
    rng = np.random.default_rng(7)
    x = rng.uniform(-1, 1, (80, 2))
    factors = (Factor("a", -1, 1), Factor("b", -1, 1))
    found = fit_response(factors, x, function(x) + 0.2 * rng.normal(size=80))
    assert found.how == how
    assert found.noise == pytest.approx(0.2, rel=0.35)
    at = rng.uniform(-0.8, 0.8, (200, 2))
    mean, low, high = found.interval(at)
    assert np.mean((low <= function(at)) & (function(at) <= high)) > 0.85
    assert np.sqrt(np.mean((mean - function(at)) ** 2)) < 0.15


def test_left_out_errors_are_those_of_leaving_out():
    rng = np.random.default_rng(8)
    x = rng.uniform(-1, 1, (30, 1))
    y = x[:, 0] + 0.3 * rng.normal(size=30)
    factors = (Factor("a", -1, 1),)
    found = fit_response(factors, x, y)
    assert found.how == "linear"
    errors = []
    for i in range(30):
        kept = np.arange(30) != i
        slope, constant = np.polyfit(x[kept, 0], y[kept], 1)
        errors.append(y[i] - constant - slope * x[i, 0])
    assert found.left_out == pytest.approx(np.sqrt(np.mean(np.square(errors))))


def test_factors_that_only_moved_together_are_left_open():
    rng = np.random.default_rng(11)
    x = rng.uniform(0, 1, 40)
    z = 2 * x
    factors = (Factor("x", 0, 1), Factor("z", 0, 2))
    found = fit_response(factors, np.column_stack([x, z]), x + 0.1 * rng.normal(size=40))
    _, low, high = found.interval(np.array([[0.8, 1.6], [0.8, 0.0]]))
    assert high[0] - low[0] < 0.2
    assert high[1] - low[1] > 1


def test_many_factors_of_two_levels_go_to_their_best_ends():
    rng = np.random.default_rng(12)
    x = rng.choice([-1.0, 1.0], (48, 10))
    y = x @ np.arange(1, 11) + 0.5 * rng.normal(size=48)
    table = designed({**{f"f{i}": c for i, c in enumerate(x.T)}, "y": y}, 10)
    assert plan_settings(table, goal=Goal(10, 1)).chosen[0].values == (1.0,) * 10
    wide = rng.uniform(-1, 1, (48, 6))
    y = wide @ np.arange(1, 7) + 0.5 * rng.normal(size=48)
    table = designed({**{f"f{i}": c for i, c in enumerate(wide.T)}, "y": y}, 6)
    best = plan_settings(table, goal=Goal(6, 1)).best
    assert best is not None
    assert min(best.values) > 0.85


def test_without_a_goal_runs_are_where_least_is_known():
    """Of a straight line most is told at its ends (D-optimal)."""
    rng = np.random.default_rng(9)
    x = np.linspace(0, 1, 40)
    table = designed({"x": x, "y": x + 0.1 * rng.normal(size=40)}, 1)
    plan = plan_settings(table, budget=2)
    ends = sorted(choice.values[0] for choice in plan.chosen)
    assert ends[0] == pytest.approx(x.min(), abs=0.02)
    assert ends[1] == pytest.approx(x.max(), abs=0.02)
    assert plan.chosen[0].bits > plan.chosen[1].bits > 0


def test_noise_is_not_called_an_optimum(tmp_path):
    rng = np.random.default_rng(10)
    table = designed({"x": rng.uniform(0, 1, 40), "y": rng.normal(size=40)}, 1)
    found = advise_settings(table, wishes(table, goal="minimize y"))
    assert any("hardly anything" in remark for remark in found.remarks())
    write_settings_advice(found, tmp_path / "a.html")
    assert "hardly anything" in (tmp_path / "a.html").read_text()
    assert settings_table(found).row_count == 1


def test_only_tables_with_factors_that_vary_are_planned_so():
    assert settings_vary(reactor())
    free = Table.from_rows(("a", "b"), np.random.default_rng(0).normal(size=(9, 2)))
    assert not settings_vary(free)
    with pytest.raises(UserError, match="nothing to go by"):
        region_of(designed({"a": np.ones(9), "b": np.arange(9)}, 1))
    few = reactor(rows=4)
    with pytest.raises(UserError, match="too few"):
        plan_settings(few, goal=Goal(2, 1))


def test_advise_from_the_command_line(tmp_path):
    table = reactor()
    lines = [",".join(map(str, row)) + ",temp;conc" for row in table.values.tolist()]
    (tmp_path / "runs.csv").write_text("\n".join(["temp,conc,yield,did", *lines]) + "\n")
    asked = ["advise", str(tmp_path / "runs.csv"), "--targets", "did", "--goal", "maximize yield",
             "--out", str(tmp_path / "a.html")]  # fmt: skip
    found = CliRunner().invoke(app, [*asked, "--json"])
    assert found.exit_code == 0, found.output
    advice = json.loads(found.stdout)
    assert abs(advice["experiments"][0]["settings"]["temp"] - 68) < 3
    assert advice["experiments"][0]["low"] < 100.2 < advice["experiments"][0]["high"] + 1
    assert "predicted" in advice["experiments"][0]
    found = CliRunner().invoke(app, [*asked, "--json", "--values", "temp=40,55,68,85,100"])
    assert json.loads(found.stdout)["experiments"][0]["settings"]["temp"] == 68
    assert "What to run next to raise yield" in (tmp_path / "a.html").read_text()
    found = CliRunner().invoke(app, [*asked, "--cost", "temp=3"])
    assert isinstance(found.exception, UserError)


def test_what_cannot_be_set_is_averaged_over_and_said():
    """y = temp times (2 - stir) on average over stir, which is mostly 3."""
    rng = np.random.default_rng(2)
    stir = rng.choice([0.0, 3.0, 3.0, 3.0], 80)
    temp = rng.uniform(10, 30, 80).round(1)
    table = designed({"temp": temp, "stir": stir,
                      "y": temp * (2 - stir) + rng.normal(size=80)}, 2)  # fmt: skip
    found = advise_settings(table, wishes(table, goal="maximize y", can_set=["temp"]))
    best = found.plan.best
    assert best is not None
    assert found.settings(best) == {"temp": 10.0} or best.values[0] == pytest.approx(temp.min())
    truth = best.values[0] * (2 - stir.mean())
    assert best.low <= truth <= best.high
    assert best.high - best.low < 2
    assert any("stir cannot be set" in remark for remark in found.remarks())
    assert "stir" in found.data


def test_an_average_is_that_of_its_settings():
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, (60, 2))
    factors = (Factor("a", -1, 1), Factor("b", -1, 1))
    for function in (lambda a, b: a * b + a, lambda a, b: np.sin(6 * a) + b):
        found = fit_response(factors, x, function(*x.T) + 0.1 * rng.normal(size=60))
        rest = np.array([-0.5, 0.1, 0.7])
        over = found.over([0], np.column_stack([np.zeros(3), rest]))
        mean, covariance = over.joint(np.array([[0.3], [-0.4]]))
        every = np.array([[a, b] for a in (0.3, -0.4) for b in rest])
        own, wide = found.joint(every)
        weights = np.kron(np.eye(2), np.full((1, 3), 1 / 3))
        np.testing.assert_allclose(mean, weights @ own, atol=1e-9)
        np.testing.assert_allclose(covariance, weights @ wide @ weights.T, atol=1e-9)


def test_runs_whose_shares_do_not_add_up_are_left_out_and_said():
    table = shares()
    values = table.values.copy()
    values[:12, 0] += 0.1
    runs = Table(**{**table.__dict__, "values": values})
    found = advise_settings(runs, wishes(runs, goal="maximize strength"))
    assert any("polymer + filler + oil is 1 in 68 runs and something else in 12" in remark
               for remark in found.remarks())  # fmt: skip
    assert sum(found.plan.chosen[0].values) == pytest.approx(1, abs=1e-6)
    assert found.plan.runs == 68


def test_shares_that_cannot_be_are_refused_with_their_sum():
    table = shares()
    for more, message in [
        ({"values": {"oil": [2]}}, r"values oil: got 2.0; polymer \+ filler \+ oil is 1"),
        ({"values": {"oil": [0.99, 0.98]}}, "no mixture has these values"),
        ({"can_set": ["oil"]}, "cannot be changed alone: add polymer or filler"),
    ]:
        with pytest.raises(UserError, match=message):
            advise_settings(table, wishes(table, goal="maximize strength", **more))
    some = wishes(table, goal="maximize strength", values={"oil": [0.25]})
    best = advise_settings(table, some).plan.best
    assert best is not None
    assert best.values[2] == 0.25
    assert min(best.values) >= 0


def experiment(
    rng, rows: int = 30, effect: float = 1.0
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Five factors, two of them names, and the mean: 89 at 70, 5, 3, b, v, which is its best."""
    x = {"temp": rng.choice([40.0, 60, 80, 100], rows), "conc": rng.choice([1.0, 3, 5], rows),
         "stir": rng.choice([1.0, 2, 3], rows), "cat": rng.integers(0, 3, rows).astype(float),
         "sol": rng.integers(0, 2, rows).astype(float)}  # fmt: skip
    return x, 60 + effect * (mean_of(*x.values()) - 60)


def mean_of(temp, conc, stir, cat, sol):
    cat, sol = np.asarray(cat, int), np.asarray(sol, int)
    return (60.5 - 0.02 * (temp - 70) ** 2 + 3 * conc + 1.5 * stir
            + np.array([0.0, 6, 2])[cat] + 3 * sol)  # fmt: skip


def runs_with(x, y, **more) -> Table:
    table = designed({**x, "y": y}, 5, {"cat": ("a", "b", "c"), "sol": ("u", "v")})
    return Table(**{**table.__dict__, **more})


@pytest.mark.slow
@pytest.mark.parametrize("beside", ["nothing", "days", "batches", "drift"])
def test_the_best_of_five_factors_is_found_whatever_moves_runs_beside(beside):
    """30 runs that scatter by 2; days apart by 8, batches by 5, a drift of 18 in all."""
    lost, inside = [], 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        x, mean = experiment(rng)
        more = {}
        if beside == "days":
            day = rng.integers(0, 3, 30)
            mean = mean + np.array([-8.0, 0, 8])[day] - np.array([-8.0, 0, 8])[day].mean()
            more = {"source": day, "sources": ("mon", "tue", "wed")}
        if beside == "batches":
            batch = np.repeat(np.arange(6), 5)
            off = 5 * rng.normal(size=6)
            mean, more = mean + (off - off.mean())[batch], {"unit": batch}
        if beside == "drift":
            time = np.arange(30.0)
            mean, more = mean - 0.6 * (time - time.mean()), {"time": time}
        plan = plan_settings(runs_with(x, mean + rng.normal(0, 2, 30), **more), goal=Goal(5, 1))
        assert plan.best is not None
        truth = float(mean_of(*plan.best.values))
        lost.append(89 - truth)
        inside += plan.best.low <= truth <= plan.best.high
    assert np.median(lost) < 1.5  # 5 % of the range of means, 34
    assert inside >= 5


def test_the_best_of_many_settings_of_noise_is_not_overrated():
    inside = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        x, mean = experiment(rng, effect=0.0)
        found = fit_response(
            tuple(Factor(k, v.min(), v.max()) for k, v in x.items()),
            np.column_stack(list(x.values())), mean + 5 * rng.normal(size=30),
        )  # fmt: skip
        corners = np.array(np.meshgrid(*([v.min(), v.max()] for v in x.values()))).reshape(5, -1).T
        mean, low, high = found.interval(corners)
        best = int(np.argmax(mean))
        inside += low[best] <= 60 <= high[best]
    assert inside >= 15  # by least squares 4


def test_shrinking_is_by_the_spread_that_made_the_coefficients():
    """The spread, and then the coefficients, of a random-coefficients model; many runs say both."""
    rng = np.random.default_rng(5)
    x = rng.uniform(-1, 1, (40, 12))
    size = rng.normal(0, 0.5, 12)
    factors = tuple(Factor(f"f{i}", -1, 1) for i in range(12))
    off, plain = [], []
    for _ in range(10):
        y = x @ size + 2 * rng.normal(size=40)
        found = fit_response(factors, x, y)
        at = rng.uniform(-1, 1, (200, 12))
        design = np.column_stack([np.ones(40), x])
        least = np.column_stack([np.ones(200), at]) @ np.linalg.lstsq(design, y, rcond=None)[0]
        off.append(np.mean((found.joint(at)[0] - at @ size) ** 2))
        plain.append(np.mean((least - at @ size) ** 2))
    assert np.mean(off) < 0.8 * np.mean(plain)


def test_intervals_of_shares_and_amounts_stay_where_they_can_be_and_have_a_width():
    """A mean of all or nothing is worth as many runs as its error says: Wilson's interval."""
    rng = np.random.default_rng(6)
    x = rng.uniform(-1, 1, (40, 1))
    factors = (Factor("a", -1, 1),)
    yes = (x[:, 0] + 0.1 * rng.normal(size=40) > 0).astype(float)
    found = replace(fit_response(factors, x, yes), ends=(0.0, 1.0))
    at = np.linspace(-1, 1, 21)[:, None]
    mean, low, high = found.interval(at)
    assert ((low >= 0) & (low <= mean) & (mean <= high) & (high <= 1)).all()
    assert (high - low > 0.02).all()
    flat = replace(fit_response(factors, x, yes), alone=lambda x: (np.ones(1), np.full(1, 0.1)),
                   noise=0.5, freedom=1e9, ends=(0.0, 1.0))  # fmt: skip
    assert flat.interval(at[:1])[1][0] == pytest.approx(25 / (25 + 1.959964**2))
    amount = replace(fit_response(factors, x, x[:, 0]), ends=(0.0, np.inf))
    _, low, high = amount.interval(at)
    assert (low >= 0).all()
    assert (high > low).all()


@pytest.mark.slow
def test_batches_that_will_follow_widen_a_mean_and_days_of_the_table_do_not():
    rng = np.random.default_rng(7)
    x = rng.uniform(-1, 1, (60, 1))
    batch = np.repeat(np.arange(6), 10)
    factors = (Factor("a", -1, 1),)
    wide, narrow = [], []
    for _ in range(20):
        y = x[:, 0] + 3 * rng.normal(size=6)[batch] + 0.5 * rng.normal(size=60)
        for beside, into in ((Beside(units=batch), wide), (Beside((batch,)), narrow)):
            found = fit_response(factors, x, y, beside)
            _, low, high = found.interval(np.zeros((1, 1)))
            into.append((high - low, low <= 0 <= high))
    assert np.mean([inside for _, inside in wide]) > 0.75
    assert np.mean([width for width, _ in narrow]) < 0.3 * np.mean([width for width, _ in wide])


def test_ranges_constraints_and_bans_are_kept():
    table = reactor()
    ban = {"forbid": {"temp": "60 to 76"}}
    for more, holds in [
        ({"constraints": [{"linear": "temp + 10 conc <= 90"}]}, lambda t, c: t + 10 * c <= 90),
        ({"constraints": [ban]}, lambda t, c: not 60 <= t <= 76),
        ({"ranges": {"temp": (70, 120)}}, lambda t, c: 70 <= t <= 120),
    ]:
        found = advise_settings(table, wishes(table, goal="maximize yield", budget=4, **more))
        assert all(holds(*choice.values) for choice in found.plan.chosen)
        assert found.plan.best is not None
        assert holds(*found.plan.best.values)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"constraints": [{"linear": "temp + yield <= 3"}]}, "constraint temp + yield <= 3"),
        ({"constraints": [{"linear": "temp <= 3"}]}, "constraints"),
        ({"ranges": {"temp": (5, 5)}}, "range temp"),
        ({"ranges": {"yield": (0, 5)}}, "range"),
        ({"ranges": {"temp": (0, 5)}, "values": {"temp": [3]}}, "range"),
    ],
)
def test_wishes_that_cannot_be_kept_are_refused(more, field):
    table = reactor()
    with pytest.raises(UserError) as error:
        advise_settings(table, wishes(table, goal="maximize yield", **more))
    assert error.value.field == field


def test_forms_that_predict_alike_are_averaged_and_their_distance_is_error():
    """Mean and variance of a mixture, weighted by the likelihood of errors left out."""
    at = np.zeros((3, 1))

    def form(mean: float, left_out: float):
        x = np.linspace(-1, 1, 10)[:, None]
        made = fit_response((Factor("a", -1, 1),), x, x[:, 0] ** 3)
        return replace(
            made, left_out=left_out, rows=10, joint=lambda x: (np.full(3, mean), np.eye(3)),
            alone=lambda x: (np.full(3, mean), np.ones(3)),
        )  # fmt: skip

    one, two = form(0.0, 1.0), form(3.0, 1.1)
    share = 1 / (1 + 1.1**-10)
    found = averaged(one, [one, two])
    expected = 3 * (1 - share)
    variance = 9 * share * (1 - share)
    mean, error = found.alone(at)
    assert mean == pytest.approx(expected)
    assert error == pytest.approx(np.sqrt(1 + variance))
    mean, covariance = found.joint(at)
    assert mean == pytest.approx(expected)
    assert covariance == pytest.approx(np.eye(3) + variance)
    assert averaged(one, [one, form(3.0, 9.0)]).alone(at)[0] == pytest.approx(0)


def test_the_best_of_thirty_runs_that_end_in_yes_or_no_is_found_where_they_can_tell():
    """Chances from .05 to .95. Random settings lose .43, the true form (logistic, its 8
    coefficients unknown) .18, the form alone that predicts best .35."""
    levels = ([40.0, 60, 80, 100], [1.0, 3, 5], [1.0, 2, 3], [0.0, 1, 2], [0.0, 1])
    grid = np.array(np.meshgrid(*levels)).reshape(5, -1).T
    mean = mean_of(*grid.T)
    chance = 0.05 + 0.9 * (mean - mean.min()) / np.ptp(mean)
    factors = (Factor("temp", 40, 100), Factor("conc", 1, 5), Factor("stir", 1, 3),
               Factor("cat", 0, 2, (0.0, 1.0, 2.0)), Factor("sol", 0, 1, (0.0, 1.0)))  # fmt: skip
    lost, inside = [], 0
    for seed in range(24):
        rng = np.random.default_rng(seed)
        at = rng.integers(len(grid), size=30)
        yes = (rng.random(30) < chance[at]).astype(float)
        found = replace(fit_response(factors, grid[at], yes), ends=(0.0, 1.0))
        mean, low, high = found.interval(grid)
        best = int(np.argmax(found.alone(grid)[0]))
        lost.append(chance.max() - chance[best])
        inside += low[best] <= chance[best] <= high[best]
    assert np.mean(lost) < 0.27
    assert inside >= 21
