"""Numbers that may stand for "missing": -999 and its relatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MOST_DISTINCT_SEEN = 6

_LARGEST, _HUGE = 1e18, 1e12
"""Beyond the first, and this many times the median, a repeated number is a code whatever its
digits."""

_FILLS = (-32768.0, -32767.0, 65535.0, -2147483648.0, -2147483647.0, 2147483647.0, 4294967295.0)
"""Ends of the ranges of whole numbers in files, which fill cells without a value."""


@dataclass(frozen=True)
class Suspect:
    """A number that looks like a code.

    Attributes:
        value: the number.
        count: in how many cells.
        sure: it lies further from all others than these lie from each other.
    """

    value: float
    count: int
    sure: bool


def suspects(values: NDArray[np.float64]) -> list[Suspect]:
    """Codes among numbers, the smallest first.

    A code is -1, is written with one digit, 9, 8 or 7, two times or more, is 9.96921e36 (netCDF's
    filling value) or 1e20 (climate models'), or is there twice or more beyond 1e18 and 1e12 times
    the median's size (1e30, the largest number of a file); it lies outside all other values. If its
    distance to them is more than their range, or if it is -99 or less, repeated, and nothing else
    is below 0, it is sure; if the distance is more than a quarter, and there are three cells or
    more of it among at least ten other values, or nothing else is below 0, it may be one. Prices
    like 99, 199, 999 are none: where a third of the other values end in 9, nothing above 0 is
    sure. A 0 that nothing else is near may be one: three cells or more, nothing below it, ten other
    values or more, and before the first of them a gap of a quarter of their range and of three
    times their widest own one. So may a 9 beside answers from 1 to 5.

    Args:
        values: float64[R], NaN where missing.
    """
    there = values[np.isfinite(values)]
    if not len(there):
        return []
    low, high = there.min(), there.max()
    # Only values at the ends can lie outside: nothing is sorted unless one of them is a code.
    size = _HUGE * float(np.median(np.abs(there))) if max(-low, high) > _LARGEST else np.inf
    if not any(_coded(x) or abs(x) > size for x in (low, high)):
        return _nought(there) if low == 0 else []
    distinct, counts = np.unique(there, return_counts=True)
    coded = np.zeros(len(distinct), np.bool_)
    ends = range(min(_MOST_DISTINCT_SEEN, len(distinct)))
    for place in {*ends, *(len(distinct) - 1 - i for i in ends)}:
        far = abs(distinct[place]) > size and counts[place] >= 2
        coded[place] = _coded(distinct[place]) or far
    rest, rest_counts = distinct[~coded], counts[~coded]
    if not len(rest):
        return []
    first, last = float(rest[0]), float(rest[-1])
    extent = last - first
    nines = np.mean(np.abs(rest) % 10 == 9) > 1 / 3
    found = []
    for value, count in zip(distinct[coded].tolist(), counts[coded].tolist(), strict=True):
        gap = first - value if value < first else value - last
        if gap <= 0:
            continue
        below = value < 0 <= first and count >= 2
        sure = gap > extent and not (value > 0 and nines)
        sure = sure and (abs(value) >= 99 or _is_flag(rest) or value < 0 <= first)
        sure = sure or (below and value <= -99)
        far = gap > extent / 4 and count >= 3 and len(rest) >= 10 and abs(value) >= 99
        if sure or far or below or _beside_a_scale(value, int(count), rest, rest_counts):
            found.append(Suspect(value, int(count), bool(sure)))
    return found


def _beside_a_scale(
    value: float, count: int, rest: NDArray[np.float64], counts: NDArray[np.int64]
) -> bool:
    """Whether a 9 stands beside a scale of four or more whole numbers without a gap, one or more
    places beyond the last, and a quarter as often as that or more: rare counts get rarer."""
    scale = len(rest) >= 4 and bool(np.all(np.diff(rest) == 1))
    return value == 9 and scale and value > rest[-1] + 1 and count >= max(3, int(counts[-1]) / 4)


def _nought(there: NDArray[np.float64]) -> list[Suspect]:
    """Whether 0, the smallest, is a code."""
    distinct = np.unique(there)
    rest = distinct[1:]
    count = int((there == 0).sum())
    if len(rest) < 10 or count < 3:
        return []
    extent = float(rest[-1] - rest[0])
    alone = rest[0] > extent / 4 and rest[0] > 3 * float(np.diff(rest).max())
    return [Suspect(0.0, count, False)] if alone else []


def _is_flag(rest: NDArray[np.float64]) -> bool:
    return len(rest) == 2 and bool(np.array_equal(rest, (0, 1)))


def _coded(value: float) -> bool:
    size = abs(value)
    if size > 1e18:
        return bool(np.isclose(size, 9.96920997e36, rtol=1e-4) or np.isclose(size, 1e20))
    if value in _FILLS:
        return True
    digits = f"{size:.10g}".replace(".", "")
    alike = len(set(digits)) == 1 and digits[0] in "789"
    return (alike and (len(digits) >= 2 or value < 0 or digits == "9")) or value == -1
