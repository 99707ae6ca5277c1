"""Rung 3: what a row would have been (abduction, action, prediction)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.inference.exact._causal_posterior import CausalPosterior
from seedo.inference.questions import _query as q
from seedo.inference.questions._answer import (
    Answer,
    assumptions,
    inside,
    interval,
    number,
    refuse,
    spread,
    why_open,
)
from seedo.tables import Table


def row_asked_about(
    query: q.Counterfactual | q.WhyRow, table: Table, numbers: NDArray[np.int64] | None = None
) -> tuple[int, str]:
    """Position of the row asked about, and how to call it.

    Args:
        numbers: int64[R], what the user calls these rows, if some were left out.

    Raises:
        UserError: there is no such row.
    """
    rows = np.arange(table.rows)
    if query.episode is not None:
        rows = rows[table.episode == query.episode]
        if not len(rows):
            raise UserError("episode", query.episode, "no complete row of it among these data")
    if query.step is not None:
        rows = rows[table.step[rows] == query.step]
        if not len(rows):
            raise UserError(
                "step", query.step, f"episode {query.episode} has no such complete step"
            )
        return int(rows[0]), f"step {query.step} of episode {query.episode}"
    if query.row is not None and query.episode is None and numbers is not None:
        at = np.flatnonzero(numbers == query.row)
        if not len(at):
            last = numbers[-1]
            raise UserError(
                "row", query.row, f"no complete row, counted from 0; the last is {last}"
            )
        return int(at[0]), f"row {query.row}"
    if query.row is not None:
        if query.row >= len(rows):
            raise UserError("row", query.row, f"there are {len(rows)}, counted from 0")
        return int(rows[query.row]), f"row {query.row}"
    step = int(table.step[rows[-1]])
    where = f"episode {query.episode}"
    return int(rows[-1]), where if len(rows) == 1 else f"the last step ({step}) of {where}"


def answer_counterfactual(query: q.Counterfactual, posterior: CausalPosterior) -> Answer:
    table = posterior.table
    row, where = row_asked_about(query, table, posterior.rows)
    outcome = table.index(query.outcome)
    had = {table.index(s.variable): s.value for s in query.had}
    if reason := why_open(posterior, list(had), [outcome]):
        return refuse(reason)
    factual, was_set = table.values[row], table.hard[row]
    imagined = posterior.draws.counterfactual(factual, was_set, had)[:, outcome]
    value, low, high = spread(imagined)
    seen = float(factual[outcome])
    would = (
        f"{query.outcome} was {number(seen)} in {where} and would have been {number(value)} "
        f"{interval(low, high)}"
    )
    assumes = (
        *assumptions(posterior),
        "the row's noise would have been the same",
    )
    kept = [table.variables[i] for i in np.flatnonzero(was_set) if int(i) not in had]
    if kept:
        assumes = (*assumes, f"what had been done to {', '.join(kept)} would have been done too")
    if query.claim == "value":
        return Answer("", None, would, value, low, high, assumes=assumes)
    margin = 1e-9 * max(1.0, abs(seen))
    claims: dict[str, Callable[[], NDArray[np.bool_]]] = {
        "higher": lambda: imagined > seen + margin,
        "lower": lambda: imagined < seen - margin,
        "different": lambda: abs(imagined - seen) > margin,
        "event": lambda: inside(query.event, imagined),  # type: ignore[arg-type]
    }
    p = float(claims[query.claim]().mean())
    verdict = "yes" if p >= q.CERTAIN else "no" if p <= 1 - q.CERTAIN else "undecided"
    text = f"{verdict}: with probability {p:.3f} it would; {would}"
    return Answer("", None, text, p, assumes=assumes)
