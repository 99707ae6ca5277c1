"""Graphs of rows that belong to units, drift in time, or share an unmeasured cause."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from seedo.inference import infer
from seedo.inference.questions import _query as q
from seedo.inference.questions._answers import answer
from seedo.inference.scores._row_groups import row_groups, within_units
from seedo.tables import Column, Table


def in_units(values, unit):
    table = Table.from_rows([f"v{i}" for i in range(values.shape[1])], values)
    return replace(table, unit=np.asarray(unit, np.int64), unit_name="patient")


def certain(table):
    found = answer(q.CertainEdges(), infer(table, draws=200))
    return found, {row["edge"] for row in found.table if "probability" in row}


@pytest.mark.parametrize("seed", range(5))
def test_what_goes_together_between_few_units_alone_is_no_edge(seed):
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(10), 40)
    x = rng.normal(size=(10, 2))[unit] * 3 + rng.normal(size=(400, 2))
    assert not certain(in_units(x, unit))[1]


def test_an_edge_within_units_is_found_however_units_differ():
    rng = np.random.default_rng(1)
    unit = np.repeat(np.arange(10), 40)
    shift = rng.normal(size=(10, 2))[unit] * 3
    a = shift[:, 0] + rng.normal(size=400)
    b = shift[:, 1] - 0.5 * a + rng.normal(size=400)
    assert certain(in_units(np.column_stack([a, b]), unit))[1] == {"v0 - v1"}


def test_units_of_two_rows_tell_as_much_as_their_differences():
    """Constants of units leave, of two rows each, one difference: its regression has the same
    residual sum of squares and half the rows."""
    rng = np.random.default_rng(2)
    unit = np.repeat(np.arange(50), 2)
    x = rng.normal(size=(100, 2)) + 5 * rng.normal(size=(50, 2))[unit]
    table = in_units(x, unit)
    fusion = infer(table, draws=10).fusion
    group = fusion.groups(1)[0]
    assert group.rows == 100 - 49
    z = group.gram.copy()
    inside = z[:2, :2] - z[:2, 2:] @ np.linalg.pinv(z[2:, 2:]) @ z[2:, :2]
    apart = (x[::2] - x[1::2]) / fusion.scale
    np.testing.assert_allclose(inside, apart.T @ apart / 2, rtol=1e-6)


def test_where_a_variable_has_one_value_a_unit_rows_count_for_less():
    rng = np.random.default_rng(3)
    unit = np.repeat(np.arange(12), 40)
    age, b = rng.normal(size=12)[unit], rng.normal(size=12)[unit] * 3 + rng.normal(size=480)
    table = in_units(np.column_stack([age, b]), unit)
    assert not within_units(table)
    found, edges = certain(table)
    assert not edges
    assert "rows of one patient resemble each other, and there are 12" in " ".join(
        [found.answer, *found.warnings]
    )


def test_units_of_single_rows_change_nothing():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(60, 2)) @ np.array([[1, 0.8], [0, 1]])
    plain = infer(in_units(x, np.arange(60)), draws=10)
    alone = infer(replace(plain.table, unit=None), draws=10)
    np.testing.assert_allclose(plain.graph.edges, alone.graph.edges)


@pytest.mark.parametrize("seed", range(5))
def test_two_trends_are_no_edge(seed):
    rng = np.random.default_rng(seed)
    time = np.arange(200.0)
    x = np.outer(time / 50, rng.normal(size=2)) + rng.normal(size=(200, 2))
    assert not certain(replace(Table.from_rows(["a", "b"], x), time=time))[1]


def test_a_trend_is_held_for_levels_only_where_they_drift():
    rng = np.random.default_rng(5)
    time = np.arange(300.0)
    drifting = (rng.random(300) < time / 300).astype(float)
    columns = tuple(Column(name, "yes/no", levels=("0", "1")) for name in "ab")
    x = np.column_stack([drifting, (rng.random(300) < 0.5).astype(float)])
    table = replace(Table.from_rows(["a", "b"], x), columns=columns, time=time)
    assert [row_groups(table, j)[0].offsets.shape[1] for j in range(2)] == [3, 0]


@pytest.mark.parametrize("seed", range(4))
def test_no_direction_is_certain_by_the_form_of_families_alone(seed):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=800)
    a = (rng.random(800) < 1 / (1 + np.exp(-2 * z))).astype(float)
    b = rng.poisson(np.exp(0.8 + 0.6 * z)).astype(float)
    c = z**2 + 0.5 * rng.normal(size=800)
    table = Table.from_rows(["a", "b", "c"], np.column_stack([a, b, c]))
    columns = (Column("a", "yes/no", levels=("0", "1")), Column("b", "count"), Column("c", "real"))
    found, edges = certain(replace(table, columns=columns))
    assert edges
    assert not any("->" in edge for edge in edges), found.answer


def test_experiments_orient_edges_between_levels_and_counts():
    rng = np.random.default_rng(6)
    target = np.where(np.arange(1200) < 800, -1, 0)
    a = (rng.random(1200) < 0.5).astype(float)
    b = rng.poisson(np.exp(0.5 + a)).astype(float)
    table = Table.from_rows(["a", "b"], np.column_stack([a, b]), target)
    columns = (Column("a", "yes/no", levels=("0", "1")), Column("b", "count"))
    assert certain(replace(table, columns=columns))[1] == {"a -> b"}
