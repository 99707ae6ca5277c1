"""Values missing where the outcome is high: multiple imputation covers, complete rows do not."""

from __future__ import annotations

import numpy as np
import pytest

from seedo.inference import Beliefs, KnownGraph, ask
from seedo.inference.effects import Estimate, pooled, t_estimate
from seedo.inference.effects._imputation import completed
from seedo.tables import Column, Table

ADJUST = KnownGraph(("z", "x", "y"), frozenset({("z", "x"), ("z", "y"), ("x", "y")}))
TRUTH = 0.6


def _chance(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _table(seed: int, kind: str = "real", rows: int = 300) -> Table:
    """z is missing where y is high; x does `TRUTH` to y."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=rows) if kind == "real" else (rng.random(rows) < 0.4).astype(np.float64)
    x = 0.8 * z + rng.normal(size=rows)
    y = TRUTH * x + 1.2 * z + rng.normal(size=rows)
    z[rng.random(rows) < _chance(4 * y - 2)] = np.nan
    levels = ("no", "yes") if kind == "yes/no" else ()
    columns = (Column("z", kind, levels=levels), Column("x", "real"), Column("y", "real"))
    found = Table.from_rows(["z", "x", "y"], np.column_stack([z, x, y]))
    return type(found)(**{**found.__dict__, "columns": columns})


def _complete_rows_slope(table: Table) -> float:
    whole = table.values[np.isfinite(table.values).all(axis=1)]
    matrix = np.column_stack([np.ones(len(whole)), whole[:, :2]])
    return float(np.linalg.lstsq(matrix, whole[:, 2], rcond=None)[0][2])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["real", "yes/no"])
def test_intervals_cover_where_the_outcome_decides_what_is_missing(kind: str) -> None:
    covered, off, plain = 0, [], []  # of 8 tables; complete rows are off by 0.05 to 0.2
    for seed in range(8):
        table = _table(seed, kind)
        found = ask("effect of x on y", table, Beliefs(graph=ADJUST))
        assert found.low is not None
        assert found.high is not None
        assert found.value is not None
        covered += found.low <= TRUTH <= found.high
        off.append(found.value - TRUTH)
        plain.append(_complete_rows_slope(table) - TRUTH)
    assert covered >= 7
    assert abs(np.mean(off)) < 0.07 < np.mean(np.abs(plain))


def test_the_answer_says_what_was_filled_in_and_is_the_same_again() -> None:
    table = _table(1)
    found = ask("effect of x on y", table, Beliefs(graph=ADJUST))
    missing = int(np.isnan(table.values[:, 0]).sum())
    assert f"{missing} missing values filled in 20 times" in found.answer
    assert "of the information missing" in found.answer
    assert any("z is missing" in line and "filled in from x, y" in line for line in found.warnings)
    assert ask("effect of x on y", table, Beliefs(graph=ADJUST)) == found


def test_values_missing_by_chance_leave_the_complete_rows() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(300, 3))
    x[rng.random(300) < 0.2, 0] = np.nan
    found = ask("effect of x on y", Table.from_rows(["z", "x", "y"], x), Beliefs(graph=ADJUST))
    assert "filled in" not in found.answer


def test_filled_in_numbers_follow_the_regression_and_names_are_those_that_occur() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=4000)
    z = 2 * x + rng.normal(size=4000)
    name = (rng.random(4000) < _chance(2 * x)) * 3.0
    values = np.column_stack([x, z, name])
    gone = rng.random(4000) < _chance(2 * x)
    values[gone, 1:] = np.nan
    filled = next(iter(completed(values, [False, False, True], 1, 0)))
    slope, residual = np.polyfit(x[gone], filled[gone, 1], 1, full=True)[:2]
    assert slope[0] == pytest.approx(2, abs=0.1)
    assert residual[0] / gone.sum() == pytest.approx(1, abs=0.1)
    assert set(np.unique(filled[gone, 2])) <= {0.0, 3.0}
    assert filled[gone, 2].mean() == pytest.approx(name[gone].mean(), abs=0.1)
    assert np.array_equal(filled[~gone], values[~gone])


def test_rubins_rules_by_hand() -> None:
    found = [t_estimate(v, 0.1, how="a line", rows=50) for v in (0.9, 1.0, 1.1)]
    both: Estimate = pooled(found, 7)
    assert both.value == pytest.approx(1.0)
    # Within 0.01, between (1 + 1/3) 0.01.
    assert both.standard_error == pytest.approx(np.sqrt(0.01 + 0.01 * 4 / 3))
    share = (4 / 3) / (1 + 4 / 3)
    assert both.freedom == pytest.approx(2 / share**2, rel=1e-4)
    assert f"{share:.0%} of the information" in both.how


def test_values_agree_with_an_effect_that_differs() -> None:
    """Filled in by lines, a product of cause and confounder would be washed out."""
    covered = 0
    for seed in range(5):
        rng = np.random.default_rng(seed)
        z = rng.normal(size=300)
        x = (rng.random(300) < _chance(z)).astype(np.float64)
        y = TRUTH * x + 1.2 * z + x * z + rng.normal(size=300)
        z[rng.random(300) < _chance(2 * y - 1)] = np.nan
        table = Table.from_rows(["z", "x", "y"], np.column_stack([z, x, y]))
        found = ask("effect of x on y from 0 to 1", table, Beliefs(graph=ADJUST))
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= TRUTH <= found.high
    assert covered >= 4
