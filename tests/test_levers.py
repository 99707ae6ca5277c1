"""Levers and beliefs about the graph, against what made the rows; tables that are read apart."""

import math
import re

import numpy as np
import pytest
from scipy import stats

import hostile_tables
from seedo import evaluation, inference, tables
from seedo.errors import UserError


def observed(count=300):
    """x -> y <- w, of which nothing was set; e is set by lot in every row and moves y."""
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(2, count))
    e = rng.choice([0.0, 1.0], count)
    x2 = 0.8 * x + rng.normal(size=count)
    y = 1.5 * x + 2.0 * e + rng.normal(size=count)
    values = np.stack([x, x2, w, e, y], axis=1)
    hard = np.zeros(values.shape, bool)
    hard[:, 3] = True
    return tables.Table.from_rows(("x", "x2", "w", "e", "y"), values, hard)


@pytest.fixture(scope="module")
def table():
    return observed()


@pytest.fixture(scope="module")
def weighed(table):
    return inference.posterior(table)


@pytest.fixture(scope="module")
def found(table, weighed):
    return evaluation.levers("y", table, weigh=lambda: weighed)


def test_what_was_set_has_the_effect_that_its_rows_show(found, table):
    by_name = {lever.name: lever for lever in found.levers}
    e, y = (table.values[:, table.index(name)] for name in ("e", "y"))
    apart = stats.ttest_ind(y[e == 1], y[e == 0]).confidence_interval()
    assert by_name["e"].known
    assert by_name["e"].low == pytest.approx(apart.low, rel=0.02)
    assert by_name["e"].high == pytest.approx(apart.high, rel=0.02)
    assert by_name["e"].experiment == ""


def test_levers_stand_by_size_and_what_is_open_by_the_largest_that_is_possible(found):
    sizes = [lever.size for lever in found.levers]
    assert sizes == sorted(sizes, reverse=True)
    for lever in found.levers:
        if not lever.known and lever.high is not None:
            assert lever.size == max(abs(lever.low), abs(lever.high))


def test_every_other_column_has_a_place_and_the_answer_is_that_of_the_question(
    found, table, weighed
):
    assert {lever.name for lever in found.levers} == {"x", "x2", "w", "e"}
    asked = inference.ask("rank the causes of y", table, weigh=lambda: weighed)
    assert found.answer == asked


def test_two_columns_that_go_together_leave_open_which_moves_which():
    rng = np.random.default_rng(1)
    x = rng.normal(size=400)
    values = np.stack([x, 1.2 * x + rng.normal(size=400)], axis=1)
    table = tables.Table.from_rows(("x", "y"), values)
    (lever,) = evaluation.levers("y", table).levers
    assert not lever.known
    assert "not identified" in lever.why_not
    span = np.subtract(*(float(text) for text in (lever.end, lever.start)))
    assert lever.low <= 0 <= 1.1 * span <= lever.high  # both stories are possible
    each = int(re.search(r"in (\d+) runs and to .* in \1 others, by lot", lever.experiment)[1])
    scatter, apart = values[:, 1].std(), 1.2 * span

    def half(runs):
        return 1.96 * scatter * math.sqrt(2 / runs)

    # So many that an interval holds either no effect or the whole one, and few fewer would not.
    assert half(each) < 1.1 * apart / 2
    assert each == 4 or half(each - 1) > 0.9 * apart / 2


def test_beliefs_about_the_graph_are_those_of_the_posterior(table, weighed):
    found = evaluation.graph_beliefs(weighed)
    assert found["variables"] == list(table.variables)
    for pair in found["pairs"]:
        i, j = (table.index(pair[end]) for end in ("a", "b"))
        assert pair["forward"] == weighed.sober.edges[i, j]
        assert pair["backward"] == weighed.sober.edges[j, i]
        assert pair["probability"] == pair["forward"] + pair["backward"] >= 0.05
    pairs = {(pair["a"], pair["b"]): pair for pair in found["pairs"]}
    assert pairs["e", "y"]["told"]
    assert pairs["x", "x2"]["why"] or pairs["x", "x2"]["told"]


def test_a_table_is_measured_in_a_process_of_its_own(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x,yy\n1,2\n3,4\n")
    assert tables.measured_apart(path) == tables.Measured(2, 2, 2)
    with pytest.raises(UserError, match="no such file"):
        tables.measured_apart(tmp_path / "b.csv")


def test_what_would_take_all_memory_is_refused_and_takes_nobody_along(tmp_path):
    path = tmp_path / "corner.xlsx"
    path.write_bytes(hostile_tables.workbook({"A1": "x", "XFD1048576": 1}))
    with pytest.raises(UserError, match="memory"):
        tables.measured_apart(path)


def test_what_takes_too_long_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x,y\n1,2\n")
    with pytest.raises(UserError, match=r"longer than 0\.01 seconds"):
        tables.measured_apart(path, seconds=0.01)
