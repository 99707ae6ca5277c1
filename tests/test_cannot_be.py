"""What rows cannot tell, and answers that cannot be: no width of nought, nothing impossible."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from seedo.errors import UserError
from seedo.inference import Answer, Beliefs, KnownGraph, ask
from seedo.tables import Column, Table

ADJUST = KnownGraph(("z", "x", "y"), frozenset({("z", "x"), ("z", "y"), ("x", "y")}))
ALONE = KnownGraph(("x", "y"), frozenset({("x", "y")}))


def _table(columns: dict[str, np.ndarray], **kinds: Column) -> Table:
    found = Table.from_rows(list(columns), np.column_stack(list(columns.values())))
    return replace(found, columns=tuple(kinds.get(n, Column(n)) for n in columns))


def _asked(question: str, table: Table, graph: KnownGraph = ALONE) -> Answer:
    return ask(question, table, Beliefs(graph=graph))


def test_separation_leaves_an_interval_with_a_width() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=100)
    yes_no = Column("y", "yes/no", levels=("0", "1"))
    table = _table({"x": x, "y": (x > 0).astype(float)}, y=yes_no)
    found = _asked("effect of x on y from -1 to 1", table)
    assert found.low is not None
    assert found.high == pytest.approx(1.0)
    assert 0.7 < found.low < 0.98


def test_a_share_of_few_farms_stays_a_probability() -> None:
    """Averages of yes and no over eight farms: the t interval would end beyond 1."""
    rng = np.random.default_rng(2)
    farm = np.repeat(np.arange(8), 50)
    feed = (np.arange(8) % 2)[farm].astype(float)
    sick = (rng.random(400) < np.repeat([0.5, 0.2, 0.9, 0.9, 0.1, 0.95, 0.99, 0.3], 50)) * 1.0
    kinds = {n: Column(n, "yes/no", levels=("0", "1")) for n in ("x", "y")}
    table = replace(_table({"x": feed, "y": sick}, **kinds), unit=farm, unit_name="farm")
    found = _asked("P(y = 1 | do(x = 1))", table)
    assert found.low is not None
    assert found.high is not None
    assert 0 < found.low < 0.6 < found.high < 1
    assert found.high - found.low > 0.4


@pytest.mark.parametrize(
    ("kind", "question"),
    [("count", "P(y < 0 | do(x = 1))"), ("bounded", "P(y > 100 | do(x = 1))")],
)
def test_what_a_column_cannot_hold_has_no_probability(kind: str, question: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=100)
    y = np.clip(rng.poisson(np.exp(1 + x)), 0, 100).astype(float)
    found = _asked(question, _table({"x": x, "y": y}, y=Column("y", kind)))
    assert found.value == 0


def test_the_mean_of_per_cents_ends_at_a_hundred() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 20, 200)
    y = np.clip(100 / (1 + np.exp(10 - x)) + rng.normal(0, 4, 200), 0, 100)
    table = _table({"x": x, "y": y}, y=Column("y", "bounded", unit="%"))
    found = _asked("E[y | do(x = 20)]", table)
    assert found.low is not None
    assert found.high is not None
    assert 90 < found.low < 99.9
    assert found.high <= 100


def test_a_cause_that_a_covariate_fixes_is_refused() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=60)
    table = _table({"z": z, "x": (2 * z).round(4), "y": z + rng.normal(size=60)})
    assert "x is fixed by z" in (_asked("effect of x on y", table, ADJUST).refused or "")


def test_three_rows_written_twenty_times_are_three_rows() -> None:
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.normal(size=(3, 3)), 20, axis=0)
    found = _asked("effect of x on y", Table.from_rows(["z", "x", "y"], rows), ADJUST)
    assert "only 3 rows differ" in (found.refused or "")


def test_nobody_in_a_group_and_groups_of_two() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    table = Table.from_rows(["z", "x", "y"], x)
    with pytest.raises(UserError, match="no row fits the condition on z, which is from"):
        _asked("effect of x on y for z > 1000", table, ADJUST)
    levels = tuple(f"L{k}" for k in range(30))
    x[:, 0] = np.arange(60) // 2
    grouped = replace(table, columns=(Column("z", "categorical", levels=levels),
                                      Column("x"), Column("y")))  # fmt: skip
    found = _asked("effect of x on y by z", grouped, ADJUST)
    assert "z = L0 has 2 rows" in (found.refused or "")


def test_what_varies_within_units_is_told_from_there() -> None:
    """Twelve farms whose feed differs: coverage, with a covariate of single animals held."""
    covered = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        farm = np.repeat(np.arange(12), 20)
        z = rng.normal(size=240) + 0.5 * rng.normal(size=12)[farm]
        x = (rng.permutation(12) % 2)[farm].astype(float)
        y = 0.5 * x + z + rng.normal(size=12)[farm] + rng.normal(size=240)
        table = replace(_table({"z": z, "x": x, "y": y}), unit=farm, unit_name="farm")
        found = _asked("effect of x on y", table, ADJUST)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0.5 <= found.high
        assert found.high - found.low < 6
    assert covered >= 17


def test_a_level_where_all_are_treated_is_said() -> None:
    rng = np.random.default_rng(0)
    z = rng.integers(0, 4, 400).astype(float)
    x = np.where(z == 3, 1.0, rng.integers(0, 2, 400))
    ward = Column("z", "categorical", levels=("a", "b", "c", "d"))
    table = _table({"z": z, "x": x, "y": x + rng.normal(size=400)}, z=ward)
    found = _asked("effect of x on y", table, ADJUST)
    assert any("have one setting of x" in line for line in found.warnings)
