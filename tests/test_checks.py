"""Checks: how often the battery cries wolf, and how often it notices what would ruin an answer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.special import expit

from seedo.inference.checks import FALSE_ALARMS, SHARE, added_terms, order, resemblance
from seedo.inference.effects import Comparison, Plan, compare
from seedo.tables import Table

Rows = dict[str, np.ndarray]
Make = Callable[[np.random.Generator], Rows]


def found_in(rows: Rows, held: tuple[str, ...] = (), scale: str = "real") -> Comparison:
    names = list(rows)
    values = np.stack([np.asarray(rows[n], np.float64) for n in names], axis=1)
    table = Table.from_rows(names, values)
    plan = Plan(
        np.ones(table.rows, bool), names.index("x"), names.index("y"),
        table.values[:, names.index("y")], scale, tuple(names.index(h) for h in held), not held,
    )  # fmt: skip
    found = compare(table, plan)
    assert found is not None
    return found


def arms(rng):
    x = np.repeat([0.0, 1.0], 60)
    return {"x": x, "y": x + rng.normal(size=120)}


def dose(rng):
    x = rng.integers(0, 5, 150).astype(float)
    return {"x": x, "y": 0.3 * x + rng.normal(size=150)}


def confounded(rng):
    a, b = rng.normal(size=(2, 200))
    x = a + b + rng.normal(size=200)
    return {"x": x, "a": a, "b": b, "y": x + a - b + rng.normal(size=200)}


def logistic(rng):
    x = 2 * rng.normal(size=250)
    return {"x": x, "y": rng.random(250) < expit(x - 1)}


def skewed(rng):
    x = np.repeat([0.0, 1.0], 100)
    return {"x": x, "y": np.exp(rng.normal(size=200))}


CLEAN = {
    "arms": (arms, (), "real"),
    "dose": (dose, (), "real"),
    "confounded": (confounded, ("a", "b"), "real"),
    "logistic": (logistic, (), "yes/no"),
    "skewed": (skewed, (), "positive"),
}


def curved(rng):
    x = rng.normal(size=200)
    return {"x": x, "y": x + 0.3 * x**2 + rng.normal(size=200)}


def interaction(rng):
    z = rng.normal(size=300)
    x = (rng.random(300) < expit(z)).astype(float)
    return {"x": x, "z": z, "y": x + z + x * z + rng.normal(size=300)}


def clustered(rng):
    group = np.repeat(np.arange(12.0), 20)
    y = rng.normal(size=12)[group.astype(int)] + 0.7 * rng.normal(size=240)
    return {"x": group % 2, "group": group, "y": y}


def autocorrelated(rng):
    x, y = (lfilter([1], [1, -0.7], rng.normal(size=200)) for _ in range(2))
    return {"x": x, "y": y}


def walks(rng):
    x, y = np.cumsum(rng.normal(size=(2, 200)), axis=1)
    return {"x": x, "y": y}


def copied(rng):
    x, noise = rng.normal(size=(2, 40))
    return {"x": np.tile(x, 5), "y": np.tile(x + noise, 5)}


def ruled(rng):
    age = rng.uniform(-1, 1, 300)
    return {"x": age > 0.5, "age": age, "y": np.exp(age) + rng.normal(size=300)}


FAULTS = {
    "curvature": (curved, ()),
    "interaction": (interaction, ("z",)),
    "clusters": (clustered, ()),
    "autocorrelation": (autocorrelated, ()),
    "random walk": (walks, ()),
    "copies": (copied, ()),
    "no overlap": (ruled, ("age",)),
}


def rate(make: Make, held: tuple[str, ...], scale: str, tables: int, kind: str = "") -> float:
    """Share of tables in which something, or one kind of fault, is found."""
    hits = 0
    for seed in range(tables):
        kinds = {f.kind for f in found_in(make(np.random.default_rng(seed)), held, scale)
                 .model.findings}  # fmt: skip
        hits += kind in kinds if kind else bool(kinds)
    return hits / tables


def test_the_battery_shares_one_level():
    assert sum(SHARE.values()) <= FALSE_ALARMS + 1e-12


@pytest.mark.parametrize("name", CLEAN)
def test_clean_tables_raise_few_alarms(name):
    make, held, scale = CLEAN[name]
    assert rate(make, held, scale, 40) <= 0.125  # of 40 at 5 %, more than 5 has chance 0.014


@pytest.mark.parametrize("kind", FAULTS)
def test_what_would_ruin_an_answer_is_noticed(kind):
    make, held = FAULTS[kind]
    assert rate(make, held, "real", 20, kind) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("name", CLEAN)
def test_clean_tables_raise_alarms_in_at_most_one_of_twenty(name):
    make, held, scale = CLEAN[name]
    assert rate(make, held, scale, 1000) <= FALSE_ALARMS


@pytest.mark.slow
@pytest.mark.parametrize("kind", FAULTS)
def test_faults_are_noticed_nine_times_in_ten(kind):
    make, held = FAULTS[kind]
    assert rate(make, held, "real", 500, kind) >= 0.9


def test_the_score_test_keeps_its_level_and_is_that_of_a_regression():
    """p-values of a term that adds nothing are uniform, with unequal spreads as well."""
    rng = np.random.default_rng(0)
    p = []
    for _ in range(600):
        x, e = rng.normal(size=(2, 100))
        model = np.stack([np.ones(100), x], axis=1)
        y = x + e * np.exp(0.4 * x)
        residual = y - model @ np.linalg.lstsq(model, y, rcond=None)[0]
        p.append(added_terms(residual, model, x[:, None] ** 2))
    assert 0.02 <= np.mean(np.array(p) < 0.05) <= 0.08


def test_autocorrelation_matters_only_where_the_cause_has_it_too():
    rng = np.random.default_rng(1)
    noise = lfilter([1], [1, -0.8], rng.normal(size=300))
    other = lfilter([1], [1, -0.8], rng.normal(size=300))
    assert order(noise, rng.normal(size=300)).p_value > 0.01
    assert order(noise, other).p_value < 1e-6
    assert not order(noise, other).walk


def test_resemblance_is_the_intraclass_correlation():
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(200), 10)
    residual = rng.normal(size=200)[groups] + rng.normal(size=2000)
    icc, p = resemblance(residual, groups, 1)
    assert icc == pytest.approx(0.5, abs=0.08)
    assert p < 1e-10
