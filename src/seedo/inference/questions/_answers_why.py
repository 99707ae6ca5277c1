"""Why the outcome was low or high in one row: what each cause contributed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.inference.exact._causal_posterior import CausalPosterior
from seedo.inference.graphs._known_graph import KnownGraph
from seedo.inference.questions import _query as q
from seedo.inference.questions._answer import (
    Answer,
    assumptions,
    interval,
    number,
    refuse,
    spread,
    why_open,
)
from seedo.inference.questions._answers_ranking import LEVELS, EffectAnswer, asked
from seedo.inference.questions._answers_row import row_asked_about
from seedo.inference.questions._levels import named_column, shown
from seedo.inference.questions._misfit import misfit
from seedo.inference.questions._straight import why_joint
from seedo.tables import Table

NOTEWORTHY = 0.05
"""Share of the distance from which a contribution counts."""
STEPS = 10
"""Values that stand for all those of a cause, equally many rows each."""


def contributions(
    weight: NDArray[np.float64],
    deviation: NDArray[np.float64],
    was_set: NDArray[np.bool_],
    outcome: int,
) -> NDArray[np.float64]:
    """What every variable adds to the outcome's distance from its mean, by every draw.

    A variable's own part is what its causes do not account for: d_i - sum_p w_pi d_p, or all of
    d_i where it was set. Carried along all paths these parts add up to d_outcome, whatever the
    weights, as d = own (I - W)^-1 (root-cause attribution of Budhathoki et al. 2022, ICML, for
    linear mechanisms).

    Args:
        weight: float64[S, n, n] (parent, child).
        deviation: float64[n], of the row from the means.
        was_set: bool[n], by an intervention in that row.
        outcome: position.

    Returns:
        float64[S, n]; every row adds up to ``deviation[outcome]``.
    """
    kept = np.where(was_set[None, None, :], 0.0, weight)
    own = deviation - np.einsum("i,sij->sj", deviation, kept)
    n = len(deviation)
    paths = np.linalg.inv(np.eye(n) - kept)[:, :, outcome]
    found: NDArray[np.float64] = own * paths
    return found


def answer_why_row(query: q.WhyRow, posterior: CausalPosterior, straight: bool = False) -> Answer:
    """Contributions of the causes, which add up to the outcome's distance from its mean.

    Args:
        straight: along straight lines, whatever the rows say of products of causes.

    Raises:
        UserError: there is no such row, or the outcome was set in it.
    """
    table = posterior.table
    row, where = row_asked_about(query, table, posterior.rows)
    outcome = table.index(query.outcome)
    was_set = table.hard[row]
    if was_set[outcome]:
        remedy = f"{query.outcome} was set in {where}: its value has no other cause"
        raise UserError("question", query.text(table.columns), remedy)
    mean = np.asarray(table.values.mean(axis=0), np.float64)
    deviation = table.values[row] - mean
    parts = contributions(posterior.draws.weight, deviation, was_set, outcome)
    away = float(deviation[outcome])
    average = parts.mean(axis=0)
    order = [int(i) for i in np.argsort(-abs(average), kind="stable")
             if i != outcome and abs(average[i]) > NOTEWORTHY * abs(away)]  # fmt: skip
    reason = why_open(posterior, order, [outcome]) or _bent(query, table, order, row)
    if not straight:
        reason = reason or why_joint(query, posterior)
    if reason:
        return refuse(reason)
    rows = tuple(_row(posterior, i, deviation, parts, outcome)
                 for i in [*order, outcome])  # fmt: skip
    said = "; ".join(
        f"{table.variables[i]}, {number(abs(deviation[i]))} {_side(deviation[i])} its mean, "
        f"{number(average[i])}" for i in order
    ) or "no cause among the variables stands out"  # fmt: skip
    text = (
        f"{query.outcome} was {number(table.values[row, outcome])} in {where}, {number(abs(away))} "
        f"{_side(away)} its mean of {number(mean[outcome])}: {said}; not accounted for by causes, "
        f"{number(average[outcome])}"
    )
    text = _if_so(query, away) + text
    small = parts.sum(axis=1) - average[[*order, outcome]].sum()
    if abs(rest := float(small.mean())) > NOTEWORTHY * abs(away):
        text += f"; several small ones together, {number(rest)}"
    assumes = (*assumptions(posterior), "what a cause adds is what its own causes do not account "
               "for, along all paths")  # fmt: skip
    return Answer("", None, text, away, table=rows, assumes=assumes)


def _bent(query: q.WhyRow, table: Table, causes: Sequence[int], row: int) -> str:
    """Why contributions along straight lines would be wrong; "" if they may be right."""
    for cause in causes:
        name = table.variables[cause]
        found = misfit(q.Effect(name, query.outcome), table)
        if found.refused:
            return found.refused
        if found.bent:
            mean, value = table.values[:, cause].mean(), table.values[row, cause]
            start, end = (float(number(float(x))) for x in (mean, value))
            instead = q.Effect(name, query.outcome, start, end).text(table.columns)
            return f"{found.bent[0]}, and contributions go along straight lines; ask '{instead}'"
    return ""


def separate_causes(table: Table, graph: KnownGraph | None, outcome: str) -> tuple[str, ...]:
    """The causes of the outcome, if none of them causes another; else none.

    Without a graph these are the variables that were set in every row.
    """
    if graph is None:
        set_ = [name for name, held in zip(table.variables, table.factors, strict=True) if held]
        return tuple(name for name in set_ if name != outcome)
    import networkx as nx  # here, because it takes long to import

    if graph.bidirected or outcome not in graph.variables:
        return ()
    drawn = graph.to_networkx()
    causes = nx.ancestors(drawn, outcome)
    if any(a in causes and b in causes for a, b in graph.directed):
        return ()
    return tuple(name for name in graph.variables if name in causes)


def answer_why_by_effects(
    query: q.WhyRow, table: Table, causes: Sequence[str], effect: EffectAnswer
) -> Answer | None:
    """Contributions of causes that do not cause each other, each from its own effect, whatever its
    form: the mean effect of moving the cause from what it is in the rows to what it was in this
    one. None where an effect is open.

    Raises:
        UserError: there is no such row, or a value that is needed is missing in it.
    """
    row, where = row_asked_about(query, table)
    values = table.values[row]
    outcome = table.index(query.outcome)
    for name in (query.outcome, *causes):
        if not np.isfinite(values[table.index(name)]):
            raise UserError("row", query.row, f"{name} is missing in {where}")
    known = np.isfinite(table.values[:, outcome])
    weights = None if table.weight is None else table.weight[known]
    mean = float(np.average(table.values[known, outcome], weights=weights))
    away = float(values[outcome]) - mean
    rows, told = [], []
    for name in causes:
        value = float(values[table.index(name)])
        part = _moved(table, query.outcome, name, value, effect)
        if part is None:
            return None
        total, low, high, found = part
        told += found
        rows.append({"cause": name, "contribution": total, "low": low, "high": high,
                     "value": shown(name, value, table.columns)})  # fmt: skip
    rows.sort(key=lambda one: -abs(one["contribution"]))  # type: ignore[arg-type]
    rest = away - sum(one["contribution"] for one in rows)  # type: ignore[misc]
    said = "; ".join(f"{one['cause']} = {one['value']}, {number(one['contribution'])} "  # type: ignore[arg-type]
                     f"{interval(one['low'], one['high'])}" for one in rows)  # type: ignore[arg-type]  # fmt: skip
    text = (f"{query.outcome} was {number(float(values[outcome]))} in {where}, {number(abs(away))} "
            f"{_side(away)} its mean of {number(mean)}: {said}; not accounted for by causes, "
            f"{number(rest)}")  # fmt: skip
    rows.append({"cause": "not accounted for by causes", "contribution": rest, "low": None,
                 "high": None, "value": ""})  # fmt: skip
    return Answer(
        "", None, _if_so(query, away) + text, away, table=tuple(rows),
        assumes=(f"{', '.join(causes)} do not cause each other, and add up",
                 "all other variables are part of what is not accounted for", *dict.fromkeys(
            line for one in told for line in one.assumes)),
        rests_on="; ".join(dict.fromkeys(one.rests_on for one in told if one.rests_on)),
        warnings=tuple(dict.fromkeys(line for one in told for line in one.warnings)),
    )  # fmt: skip


def _moved(
    table: Table, outcome: str, cause: str, value: float, effect: EffectAnswer
) -> tuple[float, float, float, list[Answer]] | None:
    """Mean effect, with the mean of its limits, of moving a cause from its values to one."""
    column = table.values[:, table.index(cause)]
    column = column[np.isfinite(column)]
    settings, counts = np.unique(column, return_counts=True)
    if named_column(cause, table.columns) is None and len(settings) > STEPS:
        settings = np.quantile(column, (np.arange(STEPS) + 0.5) / STEPS)
        counts = np.ones(STEPS, np.int64)
    elif len(settings) > max(LEVELS, STEPS):
        return None
    total = np.zeros(3)
    told = []
    for setting, count in zip(settings.tolist(), counts.tolist(), strict=True):
        if setting == value:
            continue
        found, _ = asked(effect, q.Effect(cause, outcome, setting, value))
        if found is None:
            return None
        total += count * np.array([found.value, found.low, found.high], np.float64)
        told.append(found)
    mean, low, high = (total / counts.sum()).tolist()
    return mean, low, high, told


def _if_so(query: q.WhyRow, away: float) -> str:
    """What has to be said first where the question takes something wrong for granted."""
    wrong = (query.direction == "low" and away >= 0) or (query.direction == "high" and away <= 0)
    return f"it was not {query.direction}: " if wrong else ""


def _row(
    posterior: CausalPosterior,
    i: int,
    deviation: NDArray[np.float64],
    parts: NDArray[np.float64],
    outcome: int,
) -> dict[str, Any]:
    name = posterior.table.variables[i] if i != outcome else "not accounted for by causes"
    value, low, high = spread(parts[:, i])
    return {"cause": name, "contribution": value, "low": low, "high": high,
            "away from its mean": float(deviation[i])}  # fmt: skip


def _side(x: float) -> str:
    return "below" if x < 0 else "above"
