"""An answer as a subject of refuters: how it came about, which rows it used, how to ask again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.inference.checks import by_time, copies
from seedo.inference.effects import CausalGraph, set_rows
from seedo.inference.graphs import KnownGraph
from seedo.inference.questions import Answer, Beliefs, Effect, ask_again
from seedo.inference.questions._design_answers import answer_from_design, groups_by, seen
from seedo.inference.questions._factor_answers import answer_from_factors
from seedo.inference.refuters._subject import Figure, Subject, Way
from seedo.tables import Column, Table

_DRAWN = "a random column"
"""Name of a column that is held as a common cause."""


def subject_of(query: Effect, table: Table, beliefs: Beliefs, found: Answer) -> Subject | None:
    """What refuters take; None where the answer has no number with an interval.

    Args:
        query: for an effect.
        table: all rows.
        beliefs: what is taken for granted.
        found: the answer of `ask_again`.
    """
    figures = figures_of(found)
    way, held = _way(query, table, beliefs) if figures else (None, None)
    rows = _unfolded(_copies_apart(table))
    if way is None or rows is None:
        return None
    # Where the rows asked for no curve, other samples of them are not asked whether they do: a row
    # that is there twice says everything twice, and would refute lines that hold.
    plain = _asked(query, table, beliefs, True) == figures
    strata = _strata(query, rows, way, found)
    wider = _widened_beliefs(query, beliefs, way, found)

    def again(other: Table) -> tuple[Figure, ...]:
        return _asked(query, other, beliefs, plain)

    def widened(column: NDArray[np.float64]) -> tuple[Figure, ...]:
        return _asked(query, _with(rows, column), wider or beliefs, plain)

    return Subject(
        table=rows,
        cause=rows.index(query.cause),
        outcome=rows.index(query.outcome),
        figures=figures,
        again=again,
        widened=None if wider is None else widened,
        way=way,
        strata=strata,
        least=_least(query, rows, strata),
        held=held,
        in_order=_in_order(query, rows, strata),
        dependent=_dependent(rows, found),
        counted=table.weight is not None and rows.weight is None,
    )


def figures_of(found: Answer) -> tuple[Figure, ...]:
    """An answer's numbers that have intervals: its one, or those of its table."""
    if found.refused:
        return ()
    if found.value is not None:
        if found.low is None or found.high is None:
            return ()
        return (Figure("", found.value, found.low, found.high),)
    return tuple(
        Figure(str(next(iter(row.values()))), row["effect"], row["low"], row["high"])
        for row in found.table
        if row.get("effect") is not None and row.get("low") is not None
    )


def _asked(query: Effect, table: Table, beliefs: Beliefs, plain: bool) -> tuple[Figure, ...]:
    """The figures in other rows; none where these allow no answer."""
    try:
        found = ask_again(query, table, beliefs, plain)
    except (UserError, np.linalg.LinAlgError):
        return ()
    return () if found is None else figures_of(found)


def _way(
    query: Effect, table: Table, beliefs: Beliefs
) -> tuple[Way | None, tuple[int, ...] | None]:
    """How the effect is told, and what is held in observations."""
    if answer_from_factors(query, table) is not None:
        return "mixture", None
    if query.kind == "total" and answer_from_design(replace(query, by=""), table) is not None:
        return "set", None
    if beliefs.graph is None:
        return "instrument", None  # by a statement: nothing else answers without graph and design
    known = CausalGraph(beliefs.graph, table.variables)
    if query.kind != "total":
        held = known.direct(query.cause, query.outcome) if query.kind == "direct" else None
        return "paths", None if held is None else tuple(table.index(name) for name in held)
    way = known.strategy(query.cause, query.outcome)
    if way.way == "adjustment":
        return "adjustment", tuple(table.index(name) for name in way.variables)
    if way.way == "instrument":
        return "instrument", None
    return ("paths", None) if way.way == "front door" else (None, None)


def _strata(query: Effect, table: Table, way: Way, found: Answer) -> NDArray[np.int64]:
    """int64[R]: rows of one source and group in which the same variables were set; -1: not used."""
    cause, outcome = table.index(query.cause), table.index(query.outcome)
    used = seen(table, query.given) & np.isfinite(table.values[:, [cause, outcome]]).all(axis=1)
    if table.weight is not None:
        used &= table.weight > 0
    rows = set_rows(table, (cause,), outcome) if way == "set" else None
    if rows is not None and not _fused(found):
        used &= rows.rows
    group = np.zeros(table.rows, np.int64)
    if query.by:
        group[:] = -1
        for k, (_, members) in enumerate(groups_by(query, table)):
            group[members] = k
        used &= group >= 0
    key = np.column_stack([table.hard, table.source, group])
    strata = np.unique(key, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
    strata[~used] = -1
    return strata


def _least(query: Effect, table: Table, strata: NDArray[np.int64]) -> int:
    """Units of the figure that has fewest, see `Subject.least`."""
    used = strata >= 0
    groups = [used]
    if query.by:
        groups = [members & used for _, members in groups_by(query, table)]
    return min(_arms(table, table.index(query.cause), mine) for mine in groups)


def _arms(table: Table, cause: int, rows: NDArray[np.bool_]) -> int:
    """Units, or twice those of the smallest arm."""
    x = table.values[rows, cause]
    unit = table.units_of(rows)
    unit = np.arange(len(x)) if unit is None else unit
    settings = np.unique(x)
    if len(settings) > MOST_ARMS:
        return len(np.unique(unit))
    return 2 * min((len(np.unique(unit[x == v])) for v in settings), default=0)


MOST_ARMS = 4
"""Settings up to which each arm has to have units enough."""


def _copies_apart(table: Table) -> Table:
    """The table with exact copies of a row as one unit, as which they count in the answer: once
    values are exchanged they are no copies any more."""
    if table.unit is not None or table.weight is not None:
        return table
    alike = copies(table.values)
    return table if alike is None else replace(table, unit=alike, unit_name="different row")


def _unfolded(table: Table) -> Table | None:
    """The table with a row for each that a row stands for; None where these are too many.

    Each is a unit: they are no copies, and may be exchanged one by one.
    """
    weight = table.weight
    if weight is None or table.unit is not None or np.any(weight != np.floor(weight)):
        return table
    if weight.sum() > MOST_UNFOLDED:
        return None
    rows = np.repeat(np.arange(table.rows), weight.astype(np.int64))
    found = table.take(rows)
    return replace(found, weight=None, unit=np.arange(len(rows)), unit_name="row")


MOST_UNFOLDED = 50_000
"""Rows that those of a table with weights may stand for."""


def _fused(found: Answer) -> bool:
    """Whether observations have a part in an answer from what was set."""
    return any(row.get("from") == "the experiments alone" for row in found.table)


def _dependent(table: Table, found: Answer) -> bool:
    """Whether neighbouring rows are taken to resemble each other."""
    return table.time is not None or (
        bool(found.checks) and "autocorrelation" not in found.checks
    )  # fmt: skip


def _in_order(query: Effect, table: Table, strata: NDArray[np.int64]) -> bool:
    """Whether neighbouring rows may be neighbours in time."""
    if table.unit is not None or table.weight is not None:
        return False
    used = strata >= 0
    if len(np.unique(strata[used])) > 1:
        return False
    if table.time is not None:
        return True
    cause, outcome = (table.values[used, table.index(v)] for v in (query.cause, query.outcome))
    return by_time(outcome, cause)


def _widened_beliefs(query: Effect, beliefs: Beliefs, way: Way, found: Answer) -> Beliefs | None:
    """Beliefs under which a further column is held; None where it cannot be."""
    graph = beliefs.graph
    if graph is None:
        if way != "set" or not query.plain or _fused(found):
            return None
        graph = KnownGraph(
            (query.cause, query.outcome), frozenset({(query.cause, query.outcome)})
        )  # fmt: skip
    if way not in ("set", "adjustment") and query.kind == "total":
        return None
    ends = (query.outcome,) if way == "set" else (query.cause, query.outcome)
    edges = graph.directed | {(_DRAWN, end) for end in ends}
    wider = replace(graph, variables=(*graph.variables, _DRAWN), directed=edges)
    return replace(beliefs, graph=wider)


def _with(table: Table, column: NDArray[np.float64]) -> Table:
    """The table with a column more."""
    return replace(
        table,
        variables=(*table.variables, _DRAWN),
        values=np.column_stack([table.values, column]),
        columns=(*table.columns, Column(_DRAWN)),
    )
