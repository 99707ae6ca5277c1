"""Dates and times of day as numbers."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from seedo.tables._columns import floats

_CLOCK = r"(?:[T ](\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d+)?)?\s*(?:Z|UTC|[+-]\d\d:?\d\d)?)?"
_YEAR_FIRST = rf"^(\d{{4}})[-/.](\d\d?)[-/.](\d\d?){_CLOCK}$"
_YEAR_LAST = rf"^(\d\d?)([./-])(\d\d?)[./-](\d{{4}}|\d\d){_CLOCK}$"


def days(cells: list[str | None]) -> tuple[NDArray[np.float64], str] | None:
    """Cells as days since 1970, float64[D], NaN where nothing is there; and what is odd.

    None unless all cells are dates. Whether day or month comes first is seen from a number above
    12; points between them say day first; if nothing tells, the months are taken to come first and
    the oddity says so.

    Args:
        cells: different cells, null where nothing is there.
    """
    there = [cell for cell in cells if cell]
    if not there:
        return None
    first = [re.match(_YEAR_FIRST, cell) for cell in there]
    if all(first):
        found = {c: _days(m[1], m[2], m[3], m.groups()[3:])
                 for c, m in zip(there, first, strict=True) if m}  # fmt: skip
        return _placed(cells, found, "")
    last = [m for m in (re.match(_YEAR_LAST, cell) for cell in there) if m]
    if len(last) < len(there):
        return None
    day_first = any(int(m[1]) > 12 for m in last) or last[0][2] == "."
    month_first = any(int(m[3]) > 12 for m in last)
    if day_first and month_first and last[0][2] != ".":
        return None
    odd = ""
    if not day_first and not month_first:
        odd = f"{there[0]!r} may begin with day or month; month first is taken: write 2024-12-31"
    found = {}
    for cell, m in zip(there, last, strict=True):
        day, month = (m[1], m[3]) if day_first else (m[3], m[1])
        year = m[4] if len(m[4]) == 4 else f"{19 if int(m[4]) > 68 else 20}{m[4]}"
        found[cell] = _days(year, month, day, m.groups()[4:])
    return _placed(cells, found, odd)


def clock_days(array: pa.ChunkedArray) -> NDArray[np.float64]:
    """An Arrow column of dates or moments as days since 1970, float64[R]."""
    moments = pc.cast(pc.cast(array, pa.timestamp("us"), safe=False), pa.int64())
    return floats(pc.cast(moments, pa.float64(), safe=False)) / 86_400e6


def _days(year: str, month: str, day: str, clock: tuple[str | None, ...]) -> float:
    try:
        whole = np.datetime64(f"{year}-{int(month):02d}-{int(day):02d}", "D").astype(np.int64)
    except ValueError:
        return float("nan")
    hour, minute, second = (int(part or 0) for part in clock[:3])
    return float(whole) + (hour * 3600 + minute * 60 + second) / 86_400


def _placed(
    cells: list[str | None], found: dict[str, float], odd: str
) -> tuple[NDArray[np.float64], str] | None:
    if not odd and np.isnan(list(found.values())).mean() > 0.1:
        return None
    return np.array([found.get(cell or "", np.nan) for cell in cells], np.float64), odd
