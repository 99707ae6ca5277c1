"""Consecutive parts of the rows: do they say the same?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc, stdtrit

from seedo.inference.refuters._refutation import LEVEL, Refutation, about
from seedo.inference.refuters._subject import NORMAL, Figure, Subject

MOST_STRETCHES = 10
_FEWEST_STRETCHES = 4
_ROWS_A_STRETCH, _IF_DEPENDENT = 25, 60
"""Units of a part at least; rows that resemble their neighbours tell less each."""


def stretches(subject: Subject, step: Callable[[], None]) -> Refutation:
    """Consecutive parts of the rows: do they agree?

    Args:
        subject: what is refuted.
        step: called after each part.
    """
    name = "stretches of rows"
    if subject.counted:
        line = "rows that stand for several have no order among these"
        return Refutation(name, "does not apply", f"{name}: {line}")
    each = _IF_DEPENDENT if subject.dependent else _ROWS_A_STRETCH
    count = min(MOST_STRETCHES, subject.units // each)
    if count < _FEWEST_STRETCHES:
        line = f"{subject.units} {subject.word} are too few to be compared in parts"
        return Refutation(name, "no power", f"{name}: {line}")
    parts = _in_order(subject, count)
    found = []
    for rows in parts:
        found.append(subject.matched(subject.again(subject.table.take(rows))))
        step()
    tests = {}
    freedom = subject.units / count - 2.0
    for figure in subject.figures:
        mine = [one[figure.name] for one in found if figure.name in one]
        mine = [one for one in mine if one.error > 0]
        if len(mine) >= max(_FEWEST_STRETCHES, count / 2):
            tests[figure.name] = (_agreement(mine, freedom), len(mine))
    if not tests:
        cause = subject.table.variables[subject.cause]
        line = f"{cause} varies too little within them for answers of their own"
        return Refutation(name, "no power", f"{name}: {line}")
    worst = min(tests, key=lambda key: tests[key][0])
    p, parts_told = tests[worst]
    numbers = {"parts": parts_told, "p_value": p, "of": worst}
    order = "time" if subject.table.time is not None else "the rows' order"
    line = f"{about(worst)}{parts_told} parts in {order} agree (p = {p:.2g})"
    if p * len(tests) < LEVEL:
        line = (
            f"{about(worst)}{parts_told} parts in {order} do not agree (p = {p:.2g}): the effect "
            "drifts along the rows, or neighbouring rows are not independent"
        )
        return Refutation(name, "noticed", f"{name}: {line}", numbers)
    return Refutation(name, "held", f"{name}: {line}", numbers)


def _in_order(subject: Subject, count: int) -> list[NDArray[np.int64]]:
    """Rows of consecutive parts of the units, of equal size."""
    used = np.flatnonzero(subject.strata >= 0)
    unit = subject.unit
    if subject.table.time is not None:
        order = np.argsort(subject.table.time[used], kind="stable")
        used, unit = used[order], unit[order]
    first = np.unique(unit, return_index=True)[1]
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    part = rank[unit] * count // len(first)
    return [np.sort(used[part == k]) for k in range(count)]


def _agreement(parts: list[Figure], freedom: float) -> float:
    """p-value of all parts having one effect (Welch 1951), each from few rows.

    Args:
        parts: their figures.
        freedom: degrees of freedom of each.
    """
    values, errors = (np.array([getattr(one, a) for one in parts]) for a in ("value", "error"))
    freedom, count = max(freedom, 3.0), len(parts)
    # Figures have the errors that their intervals stand for, were they of a normal distribution.
    weight = (float(stdtrit(freedom, 0.975)) / NORMAL / errors) ** 2
    share = weight / weight.sum()
    size = float(weight @ (values - share @ values) ** 2) / (count - 1)
    spare = float(((1 - share) ** 2).sum()) / freedom
    size /= 1 + 2 * (count - 2) / (count**2 - 1) * spare
    return float(fdtrc(count - 1, (count**2 - 1) / (3 * spare), size))
