"""Placebo: a cause whose values were exchanged between rows has no effect; what is found of it?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import bdtrc, ndtr

from seedo.inference.questions import number
from seedo.inference.refuters._refutation import LEVEL, Refutation
from seedo.inference.refuters._shuffles import shifted, shuffled
from seedo.inference.refuters._subject import Figure, Subject

NOMINAL = 0.05
TOLERATED = 0.07
"""Share of placebo intervals that may exclude no effect before it is spoken of: rows as they are
have a share of their own, which is 5 % on average only."""
_FEWEST_FIGURES = 15


def placebo(
    subject: Subject, times: int, rng: np.random.Generator, step: Callable[[], None]
) -> Refutation:
    """With the cause's values shuffled (of an instrument's effect, the outcome's).

    Args:
        subject: what is refuted.
        times: how many shuffles.
        rng: of the shuffles.
        step: called after each.
    """
    if subject.way == "mixture":
        return _mixed("placebo")
    what = subject.outcome if subject.way == "instrument" else subject.cause
    found = []
    for _ in range(times):
        found.append(subject.again(shuffled(subject.table, what, subject.strata, rng)))
        step()
    name = subject.table.variables[what]
    return _judged(subject, "placebo", f"with the values of {name} shuffled", found)


def placebo_in_order(
    subject: Subject, times: int, rng: np.random.Generator, step: Callable[[], None]
) -> Refutation:
    """With the cause's values moved on by some rows: what goes over from row to row is kept.

    Args:
        subject: what is refuted; its rows stand in an order.
        times: how many shifts.
        rng: of the shifts.
        step: called after each.
    """
    if subject.way == "mixture":
        return _mixed("placebo in order")
    what = subject.outcome if subject.way == "instrument" else subject.cause
    used = subject.strata >= 0
    ways = np.arange(1, int(used.sum()))
    found = []
    for by in rng.choice(ways, min(times, len(ways)), replace=False).tolist():
        found.append(subject.again(shifted(subject.table, what, used, by)))
        step()
    name = subject.table.variables[what]
    return _judged(
        subject, "placebo in order", f"with the values of {name} moved on by some rows", found
    )


def _mixed(refuter: str) -> Refutation:
    line = "shares that add up cannot be exchanged one by one"
    return Refutation(refuter, "does not apply", f"{refuter}: {line}")


def _judged(
    subject: Subject, refuter: str, how: str, found: list[tuple[Figure, ...]]
) -> Refutation:
    """The figure that speaks most against the answer, and what it says."""
    matched = [subject.matched(one) for one in found]
    each = []
    for figure in subject.figures:
        mine = [one[figure.name] for one in matched if figure.name in one]
        if len(mine) >= _FEWEST_FIGURES:
            each.append((_alarm(mine), figure, mine))
    if not each:
        answered = sum(bool(one) for one in matched)
        line = f"{how}, {answered} of {len(found)} tables gave an answer: too few to judge by"
        return Refutation(refuter, "no power", f"{refuter}: {line}", {"times": len(found)})
    alarm, figure, mine = min(each, key=lambda one: one[0])
    return _told(subject, refuter, how, figure, mine, alarm * len(each) < LEVEL, len(each))


def _alarm(placebos: list[Figure]) -> float:
    """p-value of as many intervals as tolerated excluding no effect, and of none on average."""
    count = len(placebos)
    wrong = sum(one.strength > 1 for one in placebos)
    values = np.array([one.value for one in placebos])
    spread = float(values.std(ddof=1)) / np.sqrt(count)
    off = 2 * float(ndtr(-abs(values.mean()) / spread)) if spread > 0 else 1.0
    many = float(bdtrc(wrong - 1, count, TOLERATED)) if wrong else 1.0
    # An average that is off is bias only where it is not small beside what one estimate errs by.
    small = abs(values.mean()) < 0.2 * float(values.std())
    return min(1.0, 2 * min(many, 1.0 if small else off))


def _told(
    subject: Subject, refuter: str, how: str, figure: Figure, mine: list[Figure],
    noticed: bool, several: int,
) -> Refutation:  # fmt: skip
    count = len(mine)
    values = np.array([one.value for one in mine])
    low, high = (float(x) for x in np.quantile(values, [0.025, 0.975]))
    share = sum(one.strength > 1 for one in mine) / count
    further = sum(one.strength >= figure.strength for one in mine)
    p = (1 + further) / (1 + count)
    numbers = {
        "times": count, "mean": float(values.mean()), "low": low, "high": high,
        "excluding_none": share, "p_value": p, "of": figure.name, "value": figure.value,
    }  # fmt: skip
    about = f"{how} {count} times, the effect is {number(float(values.mean()))} on average"
    if figure.name:
        about += f" ({figure.name}, the worst of {several})" if several > 1 else f" ({figure.name})"
    about += f", 95 % of them from {number(low)} to {number(high)}"
    rate = f"{share:.1%} of their intervals exclude no effect, where 5 % would by chance"
    real = f"the answer, {number(figure.value)}, is beyond {_beyond(further, count)} (p = {p:.2g})"
    if noticed:
        line = f"{about}; {rate}: intervals are too short, or the estimate is off; {real}"
        return Refutation(refuter, "noticed", f"{refuter}: {line}", numbers)
    line = f"{about}; {rate}; {real}"
    if subject.too_few:
        line += f"; {subject.too_few}"
        return Refutation(refuter, "no power", f"{refuter}: {line}", numbers)
    if figure.strength <= 1:
        line += "; it tells nothing of the answer's size, which is not told from none"
    return Refutation(refuter, "held", f"{refuter}: {line}", numbers)


def _beyond(further: int, count: int) -> str:
    return "all of them" if not further else f"{count - further} of {count} of them"
