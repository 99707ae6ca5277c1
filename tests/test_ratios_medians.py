"""Ratios, medians and means by group, against closed forms, statsmodels and known truth."""

from __future__ import annotations

import json

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit

from command import run
from seedo.errors import UserError
from seedo.inference import Beliefs, ask
from seedo.inference.graphs._known_graph import parse_graph
from seedo.tables import Column, Table


def table(names, values, types=None, roles=None, **more):
    types, roles = types or {}, roles or {}
    columns = tuple(Column(name, types.get(name, "real"), roles.get(name, "measured"),
                           levels=("0", "1") if types.get(name) == "yes/no" else ())
                    for name in names)  # fmt: skip
    found = Table.from_rows(names, np.stack(values, axis=1))
    return Table(**{**found.__dict__, "columns": columns, **more})


def trial(counts):
    """Rows of (x, y) with these counts: a of (1, 1), b of (1, 0), c of (0, 1), d of (0, 0)."""
    pairs = [(1, 1), (1, 0), (0, 1), (0, 0)]
    x, y = (np.repeat([p[k] for p in pairs], counts).astype(float) for k in (0, 1))
    return table(("x", "y"), (x, y), {"x": "yes/no", "y": "yes/no"}, {"x": "factor"})


def test_ratios_of_a_trial_are_those_of_the_four_fold_table():
    a, b, c, d = counts = (60, 140, 30, 170)
    risk = ask("risk ratio of x on y", trial(counts))
    odds = ask("odds ratio of x on y from 0 to 1", trial(counts))
    assert risk.value == pytest.approx((a / (a + b)) / (c / (c + d)), rel=1e-6)
    assert odds.value == pytest.approx(a * d / (b * c), rel=1e-6)
    of_table = sm.stats.Table2x2([[a, b], [c, d]])
    for found, (low, high) in ((risk, of_table.riskratio_confint()),
                               (odds, of_table.oddsratio_confint())):  # fmt: skip
        assert np.log(found.low) == pytest.approx(np.log(low), abs=0.03)
        assert np.log(found.high) == pytest.approx(np.log(high), abs=0.03)


def test_a_ratio_by_a_graph_is_standardised_over_what_is_held():
    random = np.random.default_rng(3)
    z = random.normal(size=4000)
    x = (random.uniform(size=4000) < expit(z)).astype(float)
    y = (random.uniform(size=4000) < expit(-1 + 0.8 * x + z)).astype(float)
    rows = table(("z", "x", "y"), (z, x, y), {"x": "yes/no", "y": "yes/no"})
    graph = parse_graph("z -> x -> y, z -> y", rows.variables)
    found = ask("risk ratio of x on y", rows, Beliefs(graph))
    truth = expit(-0.2 + z).mean() / expit(-1 + z).mean()
    assert found.low < truth < found.high < 1.3 * found.low
    none = parse_graph("z -> x, z -> y", rows.variables)
    assert ask("risk ratio of x on y", rows, Beliefs(none)).value == 1


def test_ratios_that_are_none_are_refused_with_what_works():
    random = np.random.default_rng(4)
    x, y = random.integers(0, 2, 60).astype(float), random.normal(size=60)
    rows = table(("x", "y"), (x, y), {"x": "yes/no"}, {"x": "factor"})
    assert "effect of x on y" in ask("risk ratio of x on y", rows).refused
    assert "odds are of yes and no" in ask("odds ratio of x on y", rows).refused
    assert "no ratio" in ask("risk ratio of x on y", trial((20, 20, 0, 40))).refused
    seen = table(("x", "y"), (x, np.abs(y)), {"x": "yes/no"})
    assert "the graph says" in ask("risk ratio of x on y", seen).refused


def test_the_interval_of_a_difference_of_medians_covers():
    random = np.random.default_rng(5)
    held = 0
    for _ in range(60):
        x = np.repeat([0.0, 1.0], 40)
        y = random.exponential(1 + x)
        rows = table(("x", "y"), (x, y), {"x": "yes/no"}, {"x": "factor"})
        found = ask("effect of x on the median of y", rows)
        held += found.low <= np.log(2) <= found.high
    assert held >= 53  # of 60 at 95 %: fewer with probability 0.01


def test_medians_of_rows_and_where_nothing_has_to_be_held():
    random = np.random.default_rng(6)
    z, x = random.normal(size=200), random.integers(0, 2, 200).astype(float)
    y = x + z + random.normal(size=200)
    rows = table(("z", "x", "y"), (z, x, y), {"x": "yes/no"})
    assert ask("median of y for x = 1", rows).value == np.median(y[x == 1])
    free = parse_graph("x -> y, z -> y", rows.variables)
    found = ask("effect of x on the median of y", rows, Beliefs(free))
    assert found.value == pytest.approx(np.median(y[x == 1]) - np.median(y[x == 0]))
    held = parse_graph("x -> y, z -> y, z -> x", rows.variables)
    refused = ask("effect of x on the median of y", rows, Beliefs(held)).refused
    assert "holding z" in refused
    assert "no graph" in ask("effect of x on the median of y", rows).refused


def test_units_widen_the_interval_of_a_median():
    random = np.random.default_rng(7)
    unit = np.repeat(np.arange(20), 10)
    y = random.normal(size=20)[unit] + 0.1 * random.normal(size=200)
    rows = table(("x", "y"), (random.normal(size=200), y))
    of_units = table(("x", "y"), (rows.values[:, 0], y), unit=unit, unit_name="rat")
    plain, wide = (ask("median of y", one) for one in (rows, of_units))
    assert wide.high - wide.low > 1.5 * (plain.high - plain.low)


def test_means_by_group_are_the_means_of_the_groups():
    random = np.random.default_rng(8)
    x, y = random.integers(0, 3, 90).astype(float), random.normal(size=90)
    found = ask("average y by x", table(("x", "y"), (x, y)))
    assert [row["mean"] for row in found.table] == pytest.approx(
        [y[x == k].mean() for k in range(3)]
    )


def test_names_without_an_order_have_no_mean_and_say_which_counts_as_one():
    random = np.random.default_rng(9)
    x, y = random.integers(0, 2, 60).astype(float), random.normal(size=60)
    found = Table.from_rows(("arm", "y"), np.stack([x, y], 1))
    columns = (Column("arm", "categorical", levels=("A", "B")), Column("y"))
    rows = Table(**{**found.__dict__, "columns": columns})
    with pytest.raises(UserError, match=r"no mean: ask P\(arm = A\)"):
        ask("E[arm]", rows)
    assert any("B counts as 1" in line for line in ask("correlation of arm and y", rows).assumes)


def test_a_row_that_is_not_there_is_refused_before_graphs_are_weighed():
    random = np.random.default_rng(10)
    rows = table(("x", "y", "z"), random.normal(size=(3, 60)))
    for question in ("why was y low in row 999?",
                     "what would y have been had x been 2 in row 999?"):  # fmt: skip
        with pytest.raises(UserError, match="row: got 999"):
            ask(question, rows, weigh=lambda: pytest.fail("graphs were weighed"))


def test_json_says_how_columns_were_read(capsys, tmp_path):
    path = tmp_path / "t.csv"
    lines = [f"p{i // 4},{i % 7},{i * i % 11}{'' if i % 9 else 'x'}" for i in range(40)]
    path.write_text("patient,x,y\n" + "\n".join(line.replace("x", "") for line in lines) + "\n")
    code, out, err = run(capsys, "ask", str(path), "E[y]", "--json")
    columns = {one["name"]: one for one in json.loads(out)["columns"]}
    assert code == 0, err
    assert columns["patient"]["role"] == "unit"
    assert {"name", "type", "role", "unit", "missing", "notes"} <= columns["x"].keys()
