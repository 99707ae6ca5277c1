"""Whether rows deny what a known graph says about the variables of one effect.

A graph can be refuted by the independences it implies: of every variable of its causes apart, given
its parents (the local Markov basis; Pearl, Causality, 2009, th. 1.2.7), of pairs with a hidden
cause by a smallest separating set. Only those of cause, outcome and what is between are tried: no
other bears on the effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedo.inference.checks import SHARE, added_terms
from seedo.inference.effects._design import touched
from seedo.inference.effects._strategy import CausalGraph
from seedo.inference.effects._terms import curve, products
from seedo.tables import Table

Array = NDArray[np.float64]

MOST_TESTS = 24
"""Independences tried for one effect."""
_TESTED = 20_000
"""Rows of a larger table on which they are."""
_ROWS_A_COLUMN = 10
"""Rows for each column of a regression, below which it has no products, then no curves."""
_NAMES = 30


@dataclass(frozen=True)
class Denied:
    """An independence that the graph implies and the rows deny.

    Attributes:
        one, other: names.
        given: names.
        p_value: of the independence, not corrected for how many were tried.
    """

    one: str
    other: str
    given: tuple[str, ...]
    p_value: float

    @property
    def text(self) -> str:
        """What was found, as a clause."""
        held = f" given {', '.join(self.given)}" if self.given else ""
        return f"{self.one} and {self.other} are independent{held}"


def denied(known: CausalGraph, table: Table, cause: str, outcome: str) -> tuple[Denied, ...]:
    """What rows deny of a graph, the surest first; nothing where it agrees with them.

    All tests of one effect together raise a false alarm with probability `SHARE["graph"]` (Holm
    1979).

    Args:
        known: the graph.
        table: all rows.
        cause: name.
        outcome: name.
    """
    found = []
    for one, other, given in known.implied(cause, outcome, MOST_TESTS):
        p_value = _dependence(table, one, other, given, not known.hides)
        found.append(Denied(one, other, given, p_value))
    return _surest(found)


def outside(known: CausalGraph, table: Table, cause: str, outcome: str) -> tuple[Denied, ...]:
    """Columns without a place in the graph that go with the cause and, beside it, the outcome.

    Args:
        known: the graph.
        table: all rows.
        cause: name.
        outcome: name.
    """
    names = [v for v in table.variables if v not in known.observed][:MOST_TESTS]
    causes = known.parents(cause)
    held = tuple(dict.fromkeys((cause, *known.parents(outcome))))
    found = []
    for name in names:
        of_cause = _dependence(table, cause, name, causes, True)
        of_outcome = _dependence(table, outcome, name, held, True)
        found.append(Denied(outcome, name, held, max(of_cause, of_outcome)))
    return _surest(found)


def _surest(found: list[Denied]) -> tuple[Denied, ...]:
    found = sorted(found, key=lambda one: one.p_value)
    kept = 0
    while kept < len(found) and found[kept].p_value < SHARE["graph"] / (len(found) - kept):
        kept += 1
    return tuple(found[:kept])


def _dependence(
    table: Table, one: str, other: str, given: Sequence[str], only_one: bool
) -> float:  # fmt: skip
    """p-value of the independence of two variables given others; 1 where it cannot be tried.

    The covariance of what curves in the others leave of both (Shah & Peters 2020), which takes
    no straight line for granted in either.

    Args:
        table: all rows.
        one: not set in the rows that are used.
        other: set or not.
        given: held.
        only_one: whether it is enough that `one` was not set, as it is of one that is
            independent of what it does not cause.
    """
    at = [table.index(name) for name in (one, other, *given)]
    was_set = table.hard[:, at[0]] if only_one else table.hard.any(axis=1)
    rows = ~was_set & ~touched(table) & np.isfinite(table.values[:, at]).all(axis=1)
    if table.weight is not None:
        rows &= table.weight > 0
    chosen = np.flatnonzero(rows)
    if len(chosen) > _TESTED:
        chosen = np.sort(np.random.default_rng(0).choice(chosen, _TESTED, replace=False))
    columns = [_columns(table, chosen, j) for j in at]
    if any(c is None for c in columns):
        return 1.0
    target, extra, *rest = (c for c in columns if c is not None)
    held = _held([c for c in rest], len(chosen))
    if len(chosen) < _ROWS_A_COLUMN * (held.shape[1] + 1) or not target.size or not extra.size:
        return 1.0
    weight = None if table.weight is None else table.weight[chosen]
    clusters = table.units_of(chosen)
    root = np.ones(len(chosen)) if weight is None else np.sqrt(weight)
    plain = target[:, :1] if target.shape[1] > 1 and not table.columns[at[0]].named else target
    beta = np.linalg.lstsq(root[:, None] * held, root[:, None] * plain, rcond=1e-10)[0]
    residual = plain - held @ beta
    straight = extra if table.columns[at[1]].named else extra[:, :1]
    found = [added_terms(r, held, straight, None, weight, clusters) for r in residual.T]
    return min(1.0, min(found) * len(found))


def _columns(table: Table, rows: NDArray[np.int64], j: int) -> Array | None:
    """float64[R, k], a variable's curve with the line first, or its levels; None of too many."""
    x = table.values[rows, j]
    if not len(x):
        return None
    different = len(np.unique(x))
    if table.columns[j].named:
        return curve(x, "levels").columns(x) if different <= _NAMES else None
    return curve(x, "spline").columns(x) if different > 1 else np.zeros((len(x), 0))


def _held(blocks: list[Array], rows: int) -> Array:
    """float64[R, 1 + k]: as rich as rows allow."""
    ones = np.ones((rows, 1))
    whole = np.concatenate([ones, *blocks], axis=1)
    pairs = [products(a, b) for i, a in enumerate(blocks) for b in blocks[i + 1 :]]
    for found in (np.concatenate([whole, *pairs], axis=1), whole):
        if found.shape[1] * _ROWS_A_COLUMN <= rows:
            return found
    return np.concatenate([ones, *(b[:, :1] for b in blocks)], axis=1)
