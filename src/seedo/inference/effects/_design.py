"""Which rows an experimenter set, and what was set beside the cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedo.tables import Table


@dataclass(frozen=True, eq=False)
class SetRows:
    """Rows in which causes were set.

    Attributes:
        rows: bool[R].
        beside: other variables that were set in all of these rows, to different values.
    """

    rows: NDArray[np.bool_]
    beside: tuple[int, ...]


def touched(table: Table) -> NDArray[np.bool_]:
    """bool[R]: something was done that cannot be told in terms of values set."""
    odd = [bool(r.soft or r.replaced or r.unknown) for r in table.regimes]
    return np.array(odd, np.bool_)[table.regime]


def set_rows(table: Table, causes: Sequence[int], outcome: int) -> SetRows | None:
    """Rows in which all causes were set and the outcome was not; None if there are none.

    Where other variables were set too in some of them, rows of one kind are taken (those in which
    nothing else was set, else the most frequent kind): what else is set cuts paths.
    """
    hard = table.hard | table.factors[None, :]
    rows = hard[:, list(causes)].all(axis=1) & ~hard[:, outcome] & ~touched(table)
    if not rows.any():
        return None
    always = set(causes) | set(np.flatnonzero(table.factors).tolist())
    alone = rows & ~hard[:, [j for j in range(table.n) if j not in always]].any(axis=1)
    if _varied(table, alone, causes):
        rows = alone
    else:
        kinds, which = np.unique(hard[rows], axis=0, return_inverse=True)
        which = which.reshape(-1)
        for kind in np.argsort(-np.bincount(which)):
            some = np.zeros_like(rows)
            some[np.flatnonzero(rows)[which == kind]] = True
            if _varied(table, some, causes) or len(kinds) == 1:
                rows = some
                break
    beside = [
        j for j in range(table.n)
        if j not in (*causes, outcome) and hard[rows, j].all() and _several(table.values[rows, j])
    ]  # fmt: skip
    return SetRows(rows, tuple(beside))


def _several(values: NDArray[np.float64]) -> bool:
    finite = values[np.isfinite(values)]
    return len(finite) > 0 and bool(np.ptp(finite) > 0)


def _varied(table: Table, rows: NDArray[np.bool_], causes: Sequence[int]) -> bool:
    return bool(rows.any()) and _several(table.values[rows, causes[0]])
