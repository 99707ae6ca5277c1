"""Other samples of the same rows: halves, stretches, and rows drawn again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from seedo.inference.refuters._refutation import LEVEL, Refutation
from seedo.inference.refuters._subject import Figure, Subject
from seedo.tables import Table

_APART = 1.15
"""Halves may differ by so many times what their intervals say: rows as they are have a spread of
their own, which is that of their intervals on average only."""
_SHORT, _LONG = 1.3, 0.7
"""Width of an interval from rows drawn again, in widths of the answer's, that is spoken of."""
_STRETCHES = 10
_ROWS_A_STRETCH, _IF_DEPENDENT = 25, 60
"""Units of a part at least; rows that resemble their neighbours tell less each."""
_FEWEST_STRETCHES = 4
_WIDTH = 1.959963984540054 / 1.6448536269514722
"""Of the middle 95 % of a normal distribution, in widths of its middle 90 %."""


def halves(
    subject: Subject, times: int, rng: np.random.Generator, step: Callable[[], None]
) -> Refutation:
    """Random halves of the units: do they differ by more than their intervals allow?

    Args:
        subject: what is refuted.
        times: how many pairs of halves.
        rng: of the halves.
        step: called after each half.
    """
    name = "random halves"
    apart: dict[str, list[float]] = {one.name: [] for one in subject.figures}
    for _ in range(times):
        first, second = _split(subject, rng)
        one = subject.matched(subject.again(subject.table.take(first)))
        step()
        other = subject.matched(subject.again(subject.table.take(second)))
        step()
        for key in one.keys() & other.keys():
            error = float(np.hypot(one[key].error, other[key].error))
            if error > 0:
                apart[key].append((one[key].value - other[key].value) / error)
    counted = {key: np.array(own) for key, own in apart.items() if len(own) >= times / 2}
    if not counted:
        line = f"halves of {subject.units} {subject.word} are too small for an answer of their own"
        return Refutation(name, "no power", f"{name}: {line}", {"times": times})
    size = {key: float(np.sqrt(np.mean(own**2))) for key, own in counted.items()}
    worst = max(size, key=lambda key: size[key])
    beyond = float(np.mean(np.abs(counted[worst]) > 1.959963984540054))
    numbers = {"times": len(counted[worst]), "difference_in_errors": size[worst],
               "beyond": beyond, "of": worst}  # fmt: skip
    line = (
        f"{_about(worst)}{len(counted[worst])} pairs of halves of the {subject.word} differ by "
        f"{size[worst]:.2f} times what their intervals say, {beyond:.1%} of them beyond these "
        "(5 % by chance)"
    )
    pairs = len(counted[worst])
    p = float(chdtrc(pairs, pairs * (size[worst] / _APART) ** 2)) * len(counted)
    return _verdict(subject, name, line, p < LEVEL, numbers,
                    "the answer hangs on few rows, or intervals are too short")  # fmt: skip


def stretches(subject: Subject, step: Callable[[], None]) -> Refutation:
    """Consecutive parts of the rows: do they agree (Cochran's Q)?

    Args:
        subject: what is refuted.
        step: called after each part.
    """
    name = "stretches of rows"
    if subject.counted:
        line = "rows that stand for several have no order among these"
        return Refutation(name, "does not apply", f"{name}: {line}")
    each = _IF_DEPENDENT if subject.dependent else _ROWS_A_STRETCH
    count = min(_STRETCHES, subject.units // each)
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
            tests[figure.name] = (_cochran(mine, freedom), len(mine))
    if not tests:
        cause = subject.table.variables[subject.cause]
        line = f"{cause} varies too little within them for answers of their own"
        return Refutation(name, "no power", f"{name}: {line}")
    worst = min(tests, key=lambda key: tests[key][0])
    p, parts_told = tests[worst]
    numbers = {"parts": parts_told, "p_value": p, "of": worst}
    order = "time" if subject.table.time is not None else "the rows' order"
    line = f"{_about(worst)}{parts_told} parts in {order} agree (p = {p:.2g})"
    if p * len(tests) < LEVEL:
        line = (
            f"{_about(worst)}{parts_told} parts in {order} do not agree (p = {p:.2g}): the effect "
            "drifts along the rows, or neighbouring rows are not independent"
        )
        return Refutation(name, "noticed", f"{name}: {line}", numbers)
    return Refutation(name, "held", f"{name}: {line}", numbers)


def bootstrap(
    subject: Subject, times: int, rng: np.random.Generator, step: Callable[[], None]
) -> Refutation:
    """Units drawn again with replacement: is the interval as wide as they say (Efron 1979)?

    Args:
        subject: what is refuted.
        times: how many samples.
        rng: of the samples.
        step: called after each.
    """
    name = "bootstrap"
    if subject.way == "mixture" or _looks_at_order(subject):
        line = "the estimate looks at more than the rows' values, or would take copies for repeats"
        return Refutation(name, "does not apply", f"{name}: {line}")
    values: dict[str, list[float]] = {one.name: [] for one in subject.figures}
    for _ in range(times):
        for key, one in subject.matched(subject.again(_drawn(subject, rng))).items():
            values[key].append(one.value)
        step()
    ratios = {}
    for figure in subject.figures:
        own = np.array(values[figure.name])
        if len(own) >= times / 2 and figure.high > figure.low:
            width = _WIDTH * float(np.subtract(*np.quantile(own, [0.95, 0.05])))
            ratios[figure.name] = width / (figure.high - figure.low)
    if not ratios:
        line = "too few of the samples gave an answer"
        return Refutation(name, "no power", f"{name}: {line}", {"times": times})
    worst = max(ratios, key=lambda key: abs(np.log(max(ratios[key], 1e-9))))
    ratio = ratios[worst]
    numbers = {"times": len(values[worst]), "width_ratio": ratio, "of": worst}
    line = (
        f"{_about(worst)}{subject.word} drawn again {len(values[worst])} times give an interval "
        f"{ratio:.2f} times as wide"
    )
    if without := times - len(values[worst]):
        line += f" ({without} more had no answer)"
    return _verdict(subject, name, line, not _LONG < ratio < _SHORT, numbers,
                    "the answer's is too " + ("short" if ratio > 1 else "long"))  # fmt: skip


def _verdict(
    subject: Subject, name: str, line: str, noticed: bool, numbers: dict[str, object], why: str
) -> Refutation:
    if subject.too_few:
        line += f"; {subject.too_few}"
        return Refutation(name, "no power", f"{name}: {line}", numbers)
    if noticed:
        return Refutation(name, "noticed", f"{name}: {line}: {why}", numbers)
    return Refutation(name, "held", f"{name}: {line}", numbers)


def _about(figure: str) -> str:
    return f"({figure}) " if figure else ""


def _split(
    subject: Subject, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of two halves of the units, each stratum halved."""
    used = np.flatnonzero(subject.strata >= 0)
    unit = subject.unit
    first = np.unique(unit, return_index=True)[1]
    own = subject.strata[used][first]
    order = np.lexsort((rng.random(len(first)), own))
    chosen = np.zeros(len(first), np.bool_)
    chosen[order[int(rng.integers(2)) :: 2]] = True
    mine = chosen[unit]
    return used[mine], used[~mine]


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


def _cochran(parts: list[Figure], freedom: float) -> float:
    """p-value of all parts having one effect; t of few rows is wider than normal."""
    values, errors = (np.array([getattr(one, a) for one in parts]) for a in ("value", "error"))
    weight = 1 / errors**2
    centre = float(weight @ values) / float(weight.sum())
    size = float(weight @ (values - centre) ** 2) * (1 - 2 / max(freedom, 4.0))
    return float(chdtrc(len(parts) - 1, size))


def _counted(table: Table, times: NDArray[np.float64]) -> Table:
    weight = times if table.weight is None else table.weight * times
    return replace(table, weight=weight)


def _looks_at_order(subject: Subject) -> bool:
    """Whether rows counted by weight have another answer than the same rows as they are."""
    table = subject.table
    if table.unit is not None:
        return table.time is not None
    again = subject.matched(subject.again(_counted(table, np.ones(table.rows))))
    return any(
        one.name not in again or abs(again[one.name].value - one.value) > 0.05 * one.error
        for one in subject.figures
    )


def _drawn(subject: Subject, rng: np.random.Generator) -> Table:
    """Units drawn again within strata: rows by how often, units by being there as often."""
    table, used = subject.table, np.flatnonzero(subject.strata >= 0)
    unit = subject.unit
    first = np.unique(unit, return_index=True)[1]
    own = subject.strata[used][first]
    drawn = np.empty(len(first), np.int64)
    for stratum in np.unique(own):
        mine = np.flatnonzero(own == stratum)
        drawn[mine] = rng.choice(mine, len(mine))
    if table.unit is None:
        times = np.zeros(table.rows)
        times[used] = np.bincount(drawn, minlength=len(first))
        return _counted(table, times)
    order = np.argsort(unit, kind="stable")
    start = np.searchsorted(unit[order], np.arange(len(first) + 1))
    rows = [order[start[u] : start[u + 1]] for u in drawn]
    again = table.take(used[np.concatenate(rows)])
    return replace(again, unit=np.repeat(np.arange(len(rows)), [len(r) for r in rows]))
