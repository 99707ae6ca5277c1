"""Why the outcome was low or high in one row: what each cause contributed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.inference.exact._causal_posterior import CausalPosterior
from seedo.inference.questions import _query as q
from seedo.inference.questions._answer import (
    Answer,
    assumptions,
    number,
    refuse,
    spread,
    why_open,
)
from seedo.inference.questions._answers_row import row_asked_about

NOTEWORTHY = 0.05
"""Share of the distance from which a contribution counts."""


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


def answer_why_row(query: q.WhyRow, posterior: CausalPosterior) -> Answer:
    """Contributions of the causes, which add up to the outcome's distance from its mean.

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
    if reason := why_open(posterior, order, [outcome]):
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
    if (query.direction == "low" and away >= 0) or (query.direction == "high" and away <= 0):
        text = f"it was not {query.direction}: {text}"
    small = parts.sum(axis=1) - average[[*order, outcome]].sum()
    if abs(rest := float(small.mean())) > NOTEWORTHY * abs(away):
        text += f"; several small ones together, {number(rest)}"
    assumes = (*assumptions(posterior), "what a cause adds is what its own causes do not account "
               "for, along all paths")  # fmt: skip
    return Answer("", None, text, away, table=rows, assumes=assumes)


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
