"""Rows drawn again: is the answer's interval as wide as they say?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seedo.inference.refuters._refutation import Refutation, about, judged
from seedo.inference.refuters._subject import NORMAL, Subject
from seedo.tables import Table

_SHORT, _LONG = 1.3, 0.7
"""Width of an interval from rows drawn again, in widths of the answer's, that is spoken of."""
_WIDTH = NORMAL / 1.6448536269514722
"""Of the middle 95 % of a normal distribution, in widths of its middle 90 %."""


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
        f"{about(worst)}{subject.word} drawn again {len(values[worst])} times give an interval "
        f"{ratio:.2f} times as wide"
    )
    if without := times - len(values[worst]):
        line += f" ({without} more had no answer)"
    why = "the answer's is too " + ("short" if ratio > 1 else "long")
    return judged(name, line, not _LONG < ratio < _SHORT, why, subject.too_few, numbers)


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
