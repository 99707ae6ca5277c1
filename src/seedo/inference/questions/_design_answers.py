"""Answers where the cause was set by the experimenter: the comparison of those rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seedo.inference.checks import SHARE, added_terms
from seedo.inference.effects import (
    CausalGraph,
    Comparison,
    Plan,
    SetRows,
    Wanted,
    compare_filled,
    fillers,
    mean_estimate,
    plain_mean,
    scale_of,
    set_rows,
)
from seedo.inference.graphs._known_graph import KnownGraph
from seedo.inference.questions import _query as q
from seedo.inference.questions._answer import Answer, independence, number
from seedo.inference.questions._comparison_words import (
    Told,
    cause_answer,
    effect_answer,
    happens,
    mean_answer,
    ratio_answer,
    stated,
)
from seedo.inference.questions._fused_answers import fused_effect
from seedo.inference.questions._levels import shown
from seedo.tables import Table

_ROWS_A_COEFFICIENT = 10
"""Rows for each further variable that is held to take noise off."""

Asked = q.Effect | q.Expectation | q.Probability | q.DoesCause | q.Ratio


@dataclass(frozen=True)
class Doing:
    """What a question sets and looks at, in numbers.

    Attributes:
        causes: variables that are set, that of the question first.
        settings: what to; empty where the question does not say.
        outcome: variable.
        event: of the outcome, None for its mean.
        given: events among rows.
    """

    causes: tuple[int, ...]
    settings: tuple[float, ...]
    outcome: int
    event: q.Event | None
    given: tuple[q.Event, ...]


def doing(query: Asked, table: Table) -> Doing:
    """A question's variables.

    Raises:
        UserError: one of them is not in the table.
    """
    if isinstance(query, q.Effect | q.DoesCause | q.Ratio):
        given = query.given if isinstance(query, q.Effect) else ()
        return Doing((table.index(query.cause),), (), table.index(query.outcome), None, given)
    event = query.event if isinstance(query, q.Probability) else None
    name = event.variable if event is not None else query.outcome  # type: ignore[union-attr]
    causes = tuple(table.index(s.variable) for s in query.do)
    settings = tuple(s.value for s in query.do)
    return Doing(causes, settings, table.index(name), event, query.given)


def outcome_of(table: Table, asked: Doing) -> tuple[NDArray[np.float64], str]:
    """float64[R], the outcome or whether its event happened; and the scale of it."""
    values = table.values[:, asked.outcome]
    if asked.event is None:
        return values, scale_of(table.columns[asked.outcome], values)
    found = np.where(np.isfinite(values), happens(asked.event, values), np.nan)
    return found.astype(np.float64), "yes/no"


def seen(table: Table, given: Sequence[q.Event]) -> NDArray[np.bool_]:
    """bool[R]: all of these happened."""
    found = np.ones(table.rows, np.bool_)
    for event in given:
        found &= happens(event, table.values[:, table.index(event.variable)])
    return found


def answer_from_design(
    query: Asked, table: Table, wanted: Wanted = "auto", graph: KnownGraph | None = None
) -> Answer | None:
    """The comparison of the rows in which the cause was set; None where there is none to make.

    A graph, where it is known, says what the cause does not change.
    """
    asked = doing(query, table)
    if not asked.causes:
        return None
    rows = set_rows(table, asked.causes, asked.outcome)
    if rows is None:
        return None
    rows = replace(rows, rows=rows.rows & seen(table, asked.given))
    comparison = _compared(query, table, asked, rows, wanted, graph)
    if comparison is None:
        return _as_set(query, table, asked, rows)
    names = [table.variables[j] for j in asked.causes]
    assumes = _assumes(table, names, rows, asked, comparison)
    count = int(comparison.fitted.weight.sum())
    told = Told(comparison, table, assumes, f"{count:,} rows that set {' and '.join(names)}")
    answer = _told(query, told, asked, graph)
    doubts = () if answer.refused else _uneven(table, asked, rows)
    return replace(answer, warnings=(*doubts, *answer.warnings))


def _told(query: Asked, told: Told, asked: Doing, graph: KnownGraph | None) -> Answer:
    if isinstance(query, q.Effect):
        return _fused(query, told, graph)
    if isinstance(query, q.DoesCause):
        return cause_answer(query, told)
    if isinstance(query, q.Ratio):
        return ratio_answer(query, told)
    return mean_answer(query, told, asked.settings[0])


def _uneven(table: Table, asked: Doing, rows: SetRows) -> tuple[str, ...]:
    """Warning of a column of names that a number which was set goes with, and the outcome beside
    it: of sites that set it each around a level of their own."""
    cause, outcome = asked.causes[0], asked.outcome
    if table.columns[cause].named or len(asked.causes) > 1:
        return ()
    others = [
        j for j, column in enumerate(table.columns)
        if column.type == "categorical" and j not in (cause, outcome, *rows.beside)
    ]  # fmt: skip
    found = []
    for j in others:
        kept = rows.rows & np.isfinite(table.values[:, [cause, outcome, j]]).all(axis=1)
        x, y, site = table.values[kept][:, [cause, outcome, j]].T
        levels = np.unique(site)
        if len(levels) < 2 or len(x) < _ROWS_A_COEFFICIENT * len(levels) or np.ptp(x) == 0:
            continue
        z = (x - x.mean()) / x.std()
        one = np.ones((len(x), 1))
        blocks = (site[:, None] == levels[1:]).astype(np.float64)
        apart = blocks - blocks.mean(axis=0)
        within = z - _fitted(np.concatenate([one, blocks], axis=1), z)
        if within.var() > 1 - _UNEVEN:
            continue
        curve = np.concatenate([one, np.stack([z, z**2, z**3], axis=1)], axis=1)
        p = max(added_terms(z, one, apart), added_terms(y - _fitted(curve, y), curve, apart))
        if p < SHARE["graph"] / len(others):
            found.append((p, table.variables[j]))
    if not found:
        return ()
    name = min(found)[1]
    set_, seen_ = table.variables[cause], table.variables[outcome]
    return (
        f"{set_} was not set alike at all values of {name}, and {seen_} differs between these: if "
        f"{name} was there before (a site, a batch), the answer mixes the two; --sources {name} "
        "compares within",
    )


def _fitted(matrix: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = matrix @ np.linalg.lstsq(matrix, y, rcond=None)[0]
    return found


_UNEVEN = 0.1
"""Share of a set number's variance that lies between sites, from which these are spoken of."""


def _compared(
    query: Asked,
    table: Table,
    asked: Doing,
    rows: SetRows,
    wanted: Wanted,
    graph: KnownGraph | None,
) -> Comparison | None:
    values, scale = outcome_of(table, asked)
    settings = asked.settings[:1]
    if isinstance(query, q.Effect) and query.start is not None and query.end is not None:
        settings = (query.start, query.end)
    others = dict(zip(asked.causes[1:], asked.settings[1:], strict=True))
    beside = tuple(dict.fromkeys([*others, *rows.beside]))
    held = {table.variables[j]: value for j, value in others.items()}
    usable = [j for j in range(table.n) if j not in (*asked.causes, *beside, asked.outcome)]
    fill = fillers(table, rows.rows, values, usable)
    steady = _steadying(table, asked, rows, beside, graph)
    beside = (*beside, *(j for j in steady if j not in fill))
    plan = Plan(rows.rows, asked.causes[0], asked.outcome, values, scale, beside,  # type: ignore[arg-type]
                True, settings, held, wanted, fill,
                _unmoved(table, asked.causes[0], fill, graph))  # fmt: skip
    return compare_filled(table, plan)


def _steadying(
    table: Table, asked: Doing, rows: SetRows, beside: Sequence[int], graph: KnownGraph | None
) -> tuple[int, ...]:
    """Variables that by the graph move the outcome beside the causes: held, they take noise off.

    None where no graph is known: what the causes change must not be held.
    """
    names = [table.variables[j] for j in (*asked.causes, asked.outcome)]
    if graph is None or not set(names) <= set(graph.variables):
        return ()
    known = CausalGraph(graph, table.variables)
    found = set(known.prognostic(names[0], names[-1]))
    for name in names[1:-1]:
        found -= known.descendants(name) | {name}
    room = rows.rows.sum() / _ROWS_A_COEFFICIENT - 2
    kept = []
    for j in sorted(table.index(name) for name in found):
        x = table.values[rows.rows, j]
        if j in beside or not np.isfinite(x).all() or np.ptp(x) == 0:
            continue
        size = len(np.unique(x)) - 1 if table.columns[j].named else 1
        if size <= room:
            kept.append(j)
            room -= size
    return tuple(kept)


def _unmoved(
    table: Table, cause: int, others: Sequence[int], graph: KnownGraph | None
) -> bool | None:
    """Whether a graph says that the cause does not change these; None if nothing says."""
    names = [table.variables[j] for j in others]
    if graph is None or table.variables[cause] not in graph.variables:
        return None
    if not set(names) <= set(graph.variables):
        return None
    later = CausalGraph(graph, table.variables).descendants(table.variables[cause])
    return not later & set(names)


def _fused(query: q.Effect, told: Told, graph: KnownGraph | None) -> Answer:
    """The contrast, with what observations add to it."""
    alone = effect_answer(query, told)
    comparison = told.comparison
    if alone.refused or not query.plain or not comparison.constant:
        return alone
    found = comparison.unit()
    if query.start is not None and query.end is not None:
        found = comparison.effect(query.start, query.end)
    fused = None if found is None else fused_effect(query, told.table, found, graph)
    if fused is None:
        return alone
    return replace(fused, warnings=(*alone.warnings, *fused.warnings), checks=alone.checks)


def _assumes(
    table: Table, names: list[str], rows: SetRows, asked: Doing, comparison: Comparison
) -> tuple[str, ...]:
    found = [f"{' and '.join(names)} was set without regard to what else moves "
             f"{table.variables[asked.outcome]}"]  # fmt: skip
    if asked.given:
        inner = ", ".join(event.variable for event in asked.given)
        found.append(f"{names[0]} does not change {inner}")
    if rows.beside:
        listed = ", ".join(table.variables[j] for j in rows.beside)
        found.append(f"the effect is the average over the settings of {listed}")
    return (*found, independence(table))


def _as_set(query: Asked, table: Table, asked: Doing, rows: SetRows) -> Answer | None:
    """A mean or probability among rows in which the causes were set to just these values."""
    if not isinstance(query, q.Expectation | q.Probability):
        return None
    alike = rows.rows & np.all(
        table.values[:, list(asked.causes)] == np.array(asked.settings), axis=1
    )
    values, scale = outcome_of(table, asked)
    found = plain_mean(table, alike, values, scale)  # type: ignore[arg-type]
    if found is None:
        return None
    estimate = mean_estimate(found, 0)
    text = f"{query.text(table.columns)} = {stated(estimate)} ({estimate.rows:,} rows)"
    return Answer("", None, text, estimate.value, estimate.low, estimate.high,
                  assumes=("rows are independent of each other",),
                  rests_on=f"{estimate.rows:,} rows with these settings")  # fmt: skip


def groups_by(query: q.Effect | q.MeansBy, table: Table) -> list[tuple[str, NDArray[np.bool_]]]:
    """Rows of every level of the variable that a question is broken down by; of thirds, where it
    is a number of many values."""
    j = table.index(query.by)
    values = table.values[:, j]
    finite = np.unique(values[np.isfinite(values)])
    if table.columns[j].named or len(finite) <= MOST_GROUPS:
        return [
            (f"{query.by} = {shown(query.by, float(v), table.columns)}", values == v)
            for v in finite
        ]
    cuts = np.quantile(values[np.isfinite(values)], [0, 1 / 3, 2 / 3, 1])
    return [
        (f"{number(float(a))} to {number(float(b))}", (values >= a) & ((values < b) | last))
        for a, b, last in zip(cuts, cuts[1:], (False, False, True), strict=False)
    ]


MOST_GROUPS = 12
