"""What answers along the paths of a graph share: their rows, and how a slope is put in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seedo.inference.checks import SHARE
from seedo.inference.effects import Estimate, Plan, Rows, sensitivity, told_by_outcome
from seedo.inference.questions import _query as q
from seedo.inference.questions._answer import Answer, independence, number, refuse
from seedo.inference.questions._comparison_words import stated
from seedo.inference.questions._levels import shown
from seedo.tables import Table

GIVEN = "the graph as given"
LINEAR = "straight-line mechanisms"
_FEW_MORE = 3
"""Rows beyond the number of coefficients, below which nothing is fitted."""


def told_rows(table: Table, count: int) -> str:
    return f"{count:,} of {table.rows:,} rows" if count != table.rows else f"{count:,} rows"


def complete_rows(
    table: Table, chosen: NDArray[np.bool_], names: Sequence[str]
) -> tuple[Rows, tuple[str, ...]] | None:
    """Rows in which all of these variables are known, and what is said of the others; None if too
    few.

    Args:
        table: all rows.
        chosen: bool[R].
        names: cause, outcome, and what else the answer takes.
    """
    at = [table.index(name) for name in names]
    kept = chosen & np.isfinite(table.values[:, at]).all(axis=1)
    if table.weight is not None:
        kept &= table.weight > 0
    if kept.sum() < len(names) + _FEW_MORE:
        return None
    clusters = table.units_of(kept)
    weight = np.ones(int(kept.sum())) if table.weight is None else table.weight[kept]
    columns = {name: table.values[kept, j] for name, j in zip(names, at, strict=True)}
    return Rows(columns, clusters, weight), _left_out(table, chosen, at, int(kept.sum()))


def _left_out(
    table: Table, chosen: NDArray[np.bool_], at: Sequence[int], kept: int
) -> tuple[str, ...]:  # fmt: skip
    """Warning of incomplete rows, and of values whose being missing the outcome tells."""
    missing = int(chosen.sum()) - kept
    if not missing:
        return ()
    outcome, others = at[1], [at[0], *at[2:]]
    plan = Plan(chosen, at[0], outcome, table.values[:, outcome], "real", tuple(at[2:]))
    told = [
        table.variables[j] for j in others
        if told_by_outcome(table, plan, j) < SHARE["missingness"]
    ]  # fmt: skip
    line = f"{missing:,} rows with missing values are left out"
    if told:
        line += (
            f", and {', '.join(told)} is missing more often at some values of "
            f"{table.variables[outcome]} than at others: the rows that are left are chosen by what "
            "is to be explained, and the answer may be off by more than its interval"
        )
    return (line,)


def linear_answer(
    query: q.Effect | q.DoesCause, table: Table, found: Estimate, left_out: tuple[str, ...],
    more: Sequence[str] = (), warnings: Sequence[str] = (),
    bends: bool = False, ends: tuple[float, float] | None = None,
) -> Answer:  # fmt: skip
    """A slope as a sentence, or the effect of a move from one value to another.

    Args:
        query: about an effect.
        table: all rows.
        found: effect of a unit.
        left_out: what is said of rows left out.
        more: what else is taken for granted.
        warnings: what may make it wrong.
        bends: no line is taken for granted.
        ends: the move, where the question names none.
    """
    if isinstance(query, q.Effect) and query.start is not None and query.end is not None:
        ends = query.start, query.end
    column = table.columns[table.index(query.cause)]
    if ends is None and column.named and len(column.levels) == 2:
        ends = 0.0, 1.0
    found = found.scaled(1.0 if ends is None else ends[1] - ends[0])
    per = "a unit of " + query.cause
    if ends is not None:
        start, end = (shown(query.cause, x, table.columns) for x in ends)
        per = f"moving {query.cause} from {start} to {end}"
    kind = query.kind if isinstance(query, q.Effect) and query.kind != "total" else ""
    how = "on average" if not kind else f"on average ({kind} effect)"
    text = f"{per} changes {query.outcome} by {stated(found)} {how}, by {found.how}"
    return Answer("", None, text, found.value, found.low, found.high,
                  assumes=(GIVEN, *(() if bends else (LINEAR,)), *more, independence(table)),
                  rests_on=told_rows(table, found.rows),
                  warnings=(*warnings, *left_out))  # fmt: skip


def unhidden(estimate: Estimate | None, rows: Rows, *ends: str) -> tuple[str, ...]:
    """How strong a hidden cause of both ends would have to be: of cause and outcome, unless others
    are named; nothing of no estimate."""
    hidden = "" if estimate is None else sensitivity(estimate, _units(rows), *ends)
    return (hidden,) if hidden else ()


def _units(rows: Rows) -> float:
    if rows.clusters is not None:
        return float(len(np.unique(rows.clusters)))
    return float(rows.weight.sum())


def beyond_rows(
    rows: Rows, query: q.Effect | q.DoesCause, start: float, end: float
) -> tuple[str, ...]:  # fmt: skip
    """Warning of settings that no row comes near."""
    x = rows.columns[query.cause]
    out = [v for v in (start, end) if not x.min() <= v <= x.max()]
    return tuple(
        f"{query.cause} is from {number(float(x.min()))} to {number(float(x.max()))} in the rows: "
        f"at {number(v)} a curve is a guess" for v in out
    )  # fmt: skip


def ends_of(query: q.Effect | q.DoesCause, rows: Rows) -> tuple[float | None, float | None]:
    """Settings that are compared: those asked about, or the two that there are."""
    if isinstance(query, q.Effect) and query.start is not None and query.start != query.end:
        return query.start, query.end
    different = np.unique(rows.columns[query.cause])
    return (float(different[0]), float(different[1])) if len(different) == 2 else (None, None)


def not_straight(clause: str, query: q.Effect | q.DoesCause, table: Table) -> Answer:
    """Refusal of a product of slopes where a slope is not one number."""
    remedy = "put a column in that makes it straight (a logarithm, say) in place of the bent one"
    if isinstance(query, q.Effect) and query.kind != "total":
        remedy = f"ask for the whole effect: 'effect of {query.cause} on {query.outcome}'"
    return refuse(
        f"{clause}: no product or difference of slopes gives this effect of {query.cause} on "
        f"{query.outcome}; {remedy}",
        assumes=(GIVEN,), rests_on=f"{table.rows:,} rows",
    )  # fmt: skip
