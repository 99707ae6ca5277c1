"""Effects of shares that add up, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from seedo.inference.effects import share_effect
from seedo.inference.questions import _query as q
from seedo.inference.questions._mixture_answers import impossible_mixture, mixture_effect
from seedo.tables import Mixture, Table

PURE = np.array([10.0, 4.0, 1.0])


def mixed(seed: int, rows: int = 80, noise: float = 0.3, blend: float = 0.0) -> Table:
    rng = np.random.default_rng(seed)
    parts = rng.dirichlet([2, 2, 2], rows)
    y = parts @ PURE + blend * parts[:, 0] * parts[:, 1] + noise * rng.normal(size=rows)
    hard = np.zeros((rows, 4), bool)
    hard[:, :3] = True
    names = ("polymer", "filler", "oil", "strength")
    return Table.from_rows(names, np.column_stack([parts, y]), hard)


def test_every_replacement_is_the_difference_of_pure_parts():
    """Nominal 95 % intervals of 60 tables: binomial bounds."""
    inside = {1: 0, 2: 0}
    for seed in range(60):
        table = mixed(seed)
        found = share_effect(table, Mixture((0, 1, 2), 1.0), 0, 3)
        assert found is not None
        for other, estimate in found.instead.items():
            inside[other] += estimate.low <= PURE[0] - PURE[other] <= estimate.high
    assert min(inside.values()) >= 51


def test_in_proportion_others_keep_theirs():
    table = mixed(0, noise=0.0)
    found = share_effect(table, Mixture((0, 1, 2), 1.0), 0, 3, 0.2, 0.5)
    assert found is not None
    centre = table.values[:, :3].mean(axis=0)
    rest = (centre[1] * 4 + centre[2] * 1) / (centre[1] + centre[2])
    assert found.proportional.value == pytest.approx(0.3 * (10 - rest))
    assert found.instead[2].value == pytest.approx(0.3 * 9)
    assert not found.blends


def test_blends_are_noticed_and_taken_at_the_mean():
    table = mixed(1, 200, noise=0.1, blend=12.0)
    found = share_effect(table, Mixture((0, 1, 2), 1.0), 0, 3)
    assert found is not None
    assert found.blends
    centre = table.values[:, :3].mean(axis=0)
    assert found.instead[2].value == pytest.approx(9 + 12 * centre[1], abs=0.5)
    assert found.instead[1].value == pytest.approx(6 + 12 * (centre[1] - centre[0]), abs=0.5)


def test_the_answer_says_that_no_share_moves_alone():
    found = mixture_effect(q.Effect("polymer", "strength"), mixed(2))
    assert found is not None
    assert "cannot be changed alone" in found.answer
    assert "vs oil +" in found.answer
    assert len(found.table) == 3
    assert mixture_effect(q.Effect("strength", "polymer"), mixed(2)) is None
    free = Table.from_rows(("a", "b"), np.random.default_rng(0).normal(size=(20, 2)))
    assert mixture_effect(q.Effect("a", "b"), free) is None


def test_settings_that_do_not_add_up_are_refused_with_their_sum():
    def asked(*values: float) -> q.Expectation:
        names = ("polymer", "filler", "oil")
        do = tuple(q.Setting(n, v) for n, v in zip(names, values, strict=False))
        return q.Expectation("strength", do=do)

    found = impossible_mixture(asked(0.5, 0.5, 0.5), mixed(3))
    assert found is not None
    assert found.value is None
    assert "add up to 1.5 there, and to 1 in every row" in found.answer
    assert impossible_mixture(asked(0.5, 0.25, 0.25), mixed(3)) is None
    assert impossible_mixture(asked(0.5, 0.25), mixed(3)) is None
