"""Which columns can be variables: those that vary, are there, and are not copies of another."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError

MAX_VARIABLES = 50
"""More than these make no table."""

_COPY = 1e-4
"""Largest departure from a straight line, in typical deviations, of a mere change of unit."""

_STEPS = 10
"""How many steps of rounding away values are counted to say how often they agree by chance."""

_NEARLY_EMPTY = 0.8
"""Share of missing cells from which a column would cost more rows than it is worth."""


def nearly_empty(
    values: NDArray[np.float64], wanted: Sequence[str], kept: Collection[str]
) -> tuple[list[str], list[str]]:
    """Columns of which hardly anything is there, unless they are asked for; and what to say."""
    share = np.isnan(values).mean(axis=0) if len(values) else np.zeros(len(wanted))
    found = [(name, part) for name, part in zip(wanted, share.tolist(), strict=True)
             if _NEARLY_EMPTY < part < 1 and name not in kept]  # fmt: skip
    if not found or len(wanted) - len(found) < 2:
        return [], []
    shown = listed([f"{name} ({part:.0%})" for name, part in found])
    names = ",".join(name for name, _ in found[:3])
    line = f"columns that are nearly empty are left out: {shown}; --roles {names}=measured keeps"
    return [name for name, _ in found], [line]


def usable(
    values: NDArray[np.float64],
    wanted: Sequence[str],
    levels: Mapping[str, Sequence[str]],
    unread: Sequence[str] = (),
    few: bool = False,
) -> tuple[dict[str, str | None], list[str], dict[str, str]]:
    """Which column stands for which: itself, one that it copies, or none as it is constant.

    Columns without a value are not mentioned at all. Also returns what to say about it, and why
    each column that is left out is no use.

    Args:
        values: float64[R, n], NaN where missing.
        wanted: names of the n columns.
        levels: of columns that have them.
        unread: about further columns that cannot be used.
        few: as few rows will do as there are.
    """
    if len(values) < 4 and not few:
        raise UserError("rows", len(values), "too few: at least two more than variables are needed")
    stands_for: dict[str, str | None] = {}
    warnings, useless = [], dict[str, str]()
    there = np.isfinite(values)
    empty = [name for j, name in enumerate(wanted) if not there[:, j].any()]
    if empty:
        warnings.append(f"columns without a value are left out: {listed(empty)}")
        useless |= dict.fromkeys(empty, "holds nothing in any row")
    left = [j for j, name in enumerate(wanted) if name not in empty]
    constant = {j: values[there[:, j], j][0] for j in left if _constant(values[there[:, j], j])}
    left = [j for j in left if j not in constant]
    complete = there[:, left].all(axis=1)
    if len(left) > MAX_VARIABLES:
        remedy = (
            f"at most {MAX_VARIABLES}: choose them with --keep, or leave others out with --drop"
        )
        raise UserError("variables", len(left), remedy)
    if left and complete.sum() < len(left) + 2 and not few:
        remedy = f"{len(left)} variables need at least {len(left) + 2}"
        if not complete.all():
            worst = left[int(there[:, left].sum(axis=0).argmin())]
            gaps = len(values) - int(there[:, worst].sum())
            remedy += f"; {wanted[worst]} is missing in {gaps}, leave it out with --drop?"
        raise UserError("complete rows", f"{complete.sum()} of {len(values)}", remedy)
    used = values[complete]
    constant |= {j: used[0, j] for j in left if _constant(used[:, j])}
    left = [j for j in left if j not in constant]
    if constant:
        stands_for |= {wanted[j]: None for j in constant}
        shown = [f"{wanted[j]} ({_shown(value, levels.get(wanted[j], ()))})"
                 for j, value in sorted(constant.items())]  # fmt: skip
        warnings.append(f"constant columns are left out: {listed(shown)}")
        for j, value in constant.items():
            name = wanted[j]
            useless[name] = f"is {_shown(value, levels.get(name, ()))} in every complete row"
    stands_for |= {wanted[j]: wanted[j] for j in left}
    for later, first in _copies(used[:, left]).items():
        name, kept = wanted[left[later]], wanted[left[first]]
        stands_for[name] = kept
        same = np.array_equal(used[:, left[later]], used[:, left[first]])
        how = "identical to" if same else "a linear function of"
        warnings.append(f"column {name} is {how} {kept} and left out")
        useless[name] = f"is {how} {kept}"
    variables = [name for name in wanted if stands_for.get(name) == name]
    if len(variables) < 2:
        said = "; ".join([*unread, *warnings])
        raise too_few_columns(variables, f"the others say nothing; {said}")
    return stands_for, warnings, useless


def _shown(value: float, levels: Sequence[str]) -> str:
    return shortened(levels[int(value)]) if levels else f"{value:g}"


def _constant(values: NDArray[np.float64]) -> bool:
    """Whether all are the same to within float64's rounding."""
    return bool(np.ptp(values) <= 1e-14 * np.abs(values).max())


def _copies(values: NDArray[np.float64]) -> dict[int, int]:
    """Columns that are linear functions of an earlier one in every row, and the earliest such."""
    if values.shape[1] < 2:
        return {}
    centred = values / np.abs(values).max(axis=0)
    centred -= centred.mean(axis=0)
    centred /= np.linalg.norm(centred, axis=0)
    correlation = centred.T @ centred
    copies = {}
    for i, j in np.argwhere(np.triu(np.abs(correlation) > 1 - _COPY**2, 1)).tolist():
        # One far outlier alone brings a correlation to 1: the other rows must agree as well.
        off = np.abs(centred[:, j] - correlation[i, j] * centred[:, i]).max()
        deviation = np.abs(centred[:, j] - np.median(centred[:, j]))
        if (
            j not in copies
            and i not in copies
            and off < _COPY * np.median(deviation[deviation > 0])
        ):
            copies[j] = i
    return dict(sorted(copies.items()))


def repeated_rows(values: NDArray[np.float64]) -> str:
    """A line about rows that are exact copies of others; empty if there are not more of them than
    chance makes among values so coarse.

    Chance: two rows agree in a column with the probability that two different rows do. Of the two
    finest columns, with correlation r, they agree in both with q1 q2 / sqrt(1 - r^2), as for two
    rounded normal variables, and at most with the smaller one.
    """
    filled = _off_the_spike(values[np.isfinite(values).all(axis=1)])
    rows, random = len(filled), np.random.default_rng(0)
    if rows < 10:
        return ""
    # A random combination of a row's values is the same for copies, and for nothing else.
    scale = np.abs(filled).max(axis=0)
    mixed = (filled / np.where(scale > 0, scale, 1)) @ random.uniform(1, 2, filled.shape[1])
    first = np.unique(mixed, return_index=True)[1]
    copies = rows - len(first)
    if copies < max(2, 0.05 * rows) or len(first) < 3:
        return ""
    if copies < 5 * chance_pairs(filled, filled[first]):
        return ""
    return (f"{copies:,} of {rows:,} rows are exact copies of others: if a measurement was written "
            "down several times, keep one of each")  # fmt: skip


def _off_the_spike(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows without the one value that most of the finest column's repeats are of: nothing bought,
    nothing found. Such rows agree without being copies."""
    finest = max(values.T, key=lambda column: len(np.unique(column)), default=np.zeros(0))
    distinct, count = np.unique(finest, return_counts=True)
    if len(distinct) < _MANY or np.sort(count)[-2] * _MANY > count.max():
        return values
    return values[finest != distinct[np.argmax(count)]]


_MANY = 10
"""Different values of a column, and times the next one's count, from which one is a spike."""


def chance_pairs(values: NDArray[np.float64], different: NDArray[np.float64]) -> float:
    """How many pairs of rows agree in every column by chance.

    Args:
        values: float64[R, n], finite.
        different: float64[D, n], the different rows among them.
    """
    rows = len(values)
    agree = np.array([_agree(column) for column in different.T])
    expected = float(agree.min())
    if len(agree) > 1:
        one, two = np.argsort(agree)[:2]
        spread = different[:, [one, two]].std(axis=0).min()
        r = np.corrcoef(different[:, one], different[:, two])[0, 1] if spread > 0 else 0.0
        both = agree[one] * agree[two] / max(1e-3, np.sqrt(max(0.0, 1 - r * r)))
        expected = min(expected, float(both))
    return expected * rows * (rows - 1) / 2


def _agree(column: NDArray[np.float64]) -> float:
    """How probably two rows have the same value: at least how often two different rows do.

    In a table with one fine column, different rows hardly share its values, as those that do are
    copies. Values on a grid are equal half as often as they are one given number of steps apart.
    """
    rows = len(column)
    distinct, count = np.unique(column, return_counts=True)
    equal = float((count * (count - 1.0)).sum() / 2)
    if len(distinct) > 2:
        step = float(np.diff(distinct).min())
        reach = np.searchsorted(column_sorted := np.sort(column),
                                column_sorted + (_STEPS + 0.5) * step)  # fmt: skip
        near = float((reach - np.arange(rows) - 1).sum()) - equal
        equal = max(equal, near / (2 * _STEPS))
    return equal / (rows * (rows - 1) / 2)


def too_few_columns(left: Sequence[str], remedy: str) -> UserError:
    """That a table has not enough variables."""
    got = f"only {left[0]}" if left else "none"
    return UserError("variables", got, f"at least two are needed: {remedy}")


def shortened(text: str, most: int = 80) -> str:
    """A text with its end left out where it is longer."""
    return text if len(text) <= most else text[: most - 3] + "..."


def listed(items: Sequence[str]) -> str:
    """Some items with commas between them."""
    more = len(items) - 20
    return ", ".join(items[:20]) + (f" and {more} more" if more > 0 else "")
