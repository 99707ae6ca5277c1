"""Rows far out, and cycles that two columns share."""

from __future__ import annotations

import numpy as np
import pytest

from seedo.inference import Beliefs, KnownGraph, ask
from seedo.inference.checks import far_out
from seedo.inference.effects._season import _evenly, _powers
from seedo.tables import Table

GRAPH = KnownGraph(("x", "y"), frozenset({("x", "y")}))
RANDOM = np.random.default_rng


def _asked(x: np.ndarray, y: np.ndarray) -> tuple[float, float, str]:
    table = Table.from_rows(["x", "y"], np.column_stack([x, y]))
    found = ask("effect of x on y", table, Beliefs(graph=GRAPH))
    assert found.low is not None
    assert found.high is not None
    return found.low, found.high, " ".join(found.warnings)


def test_heavy_tails_are_noticed_and_light_ones_are_not() -> None:
    heavy = sum(far_out(RANDOM(seed).standard_t(1.5, 300)) for seed in range(100))
    light = sum(far_out(RANDOM(seed).normal(size=300)) for seed in range(100))
    skewed = sum(far_out(RANDOM(seed).exponential(size=300)) for seed in range(100))
    assert heavy >= 90
    assert light == 0
    assert skewed <= 1


def test_a_robust_regression_is_offered() -> None:
    rng = RANDOM(1)
    x = rng.permutation(np.arange(400) % 2).astype(float)
    _, _, warnings = _asked(x, 0.5 * x + rng.standard_t(1.5, 400))
    assert "heavy tails" in warnings
    said = warnings.split("says ")[1]
    low, high = (float(part) for part in said.split("[")[1].split("]")[0].split(","))
    assert low < 0.5 < high
    assert high - low < 1


def test_arms_of_unequal_spread_have_no_heavy_tails() -> None:
    rng = RANDOM(0)
    x = rng.permutation(np.arange(400) % 2).astype(float)
    assert "tails" not in _asked(x, rng.normal(size=400) * (1 + 7 * x))[2]


def test_a_common_season_is_held() -> None:
    covered = 0
    for seed in range(10):
        rng = RANDOM(seed)
        wave = np.sin(np.arange(240) / 6)
        x, y = 5 * wave + rng.normal(size=240), 3 * wave + rng.normal(size=240)
        low, high, warnings = _asked(x, y)
        assert "share a cycle (every 3" in warnings
        covered += low <= 0 <= high
    assert covered >= 9


@pytest.mark.parametrize("length", [6, 80])
def test_a_cycle_of_one_alone_is_no_season(length: int) -> None:
    rng = RANDOM(1)
    x = 5 * np.sin(np.arange(240) * 2 * np.pi / length) + rng.normal(size=240)
    assert "cycle" not in _asked(x, rng.normal(size=240))[2]


def test_rows_that_rise_together_are_spoken_of() -> None:
    rng = RANDOM(0)
    at = np.arange(200.0)
    _, _, warnings = _asked(at + 5 * rng.normal(size=200), at + 20 * rng.normal(size=200))
    assert "from the first row to the last" in warnings


@pytest.mark.parametrize("rows", [40, 41, 300])
def test_cycles_of_evenly_spaced_rows_are_those_of_lomb(rows: int) -> None:
    """Held against scipy's periodogram, with and without gaps."""
    rng = RANDOM(rows)
    kept = rng.random(rows) > 0.2
    kept[[0, -1]] = True
    for when in (np.arange(rows, dtype=float), np.flatnonzero(kept).astype(float)):
        x = rng.normal(size=len(when)) + np.sin(when / 3)
        x -= x.mean()
        cycles = np.arange(3, len(when) / 2, 0.25)
        assert _evenly(when, x, cycles) == pytest.approx(_powers(when, x, cycles), abs=1e-9)
