"""What is asked about and cannot be: events outside a column's values, groups without rows."""

from __future__ import annotations

import numpy as np

from seedo.errors import UserError
from seedo.inference.questions import _query as q
from seedo.inference.questions._answer import Answer, number
from seedo.inference.questions._design_answers import seen
from seedo.tables import Column, Table


def impossible(query: q.Query, table: Table) -> Answer | None:
    """Probability nought of an outcome that its column cannot take; None for all else."""
    if not isinstance(query, q.Probability):
        return None
    name = query.event.variable
    column = table.columns[table.index(name)]
    ends = _ends(column, table.values[:, table.index(name)])
    if ends is None:
        return None
    low, high, what = ends
    event = query.event
    under = event.high < low or (event.high == low and not event.high_included)
    over = event.low > high or (event.low == high and not event.low_included)
    if not (under or over):
        return None
    text = f"{query.text(table.columns)} = 0: {name} {what}"
    assumes = (f"{name} is {column.type} (another reading: --types {name}=real)",)
    return Answer("", None, text, 0.0, assumes=assumes, rests_on=f"the type of {name} alone")


def _ends(column: Column, values: np.ndarray) -> tuple[float, float, str] | None:
    if column.type in ("count", "positive"):
        return 0.0, np.inf, "is never negative"
    if column.type == "bounded":
        finite = values[np.isfinite(values)]
        top = 1.0 if finite.size == 0 or finite.max() <= 1 else 100.0
        return 0.0, top, f"goes from 0 to {number(top)}"
    return None


def check_rows(query: q.Query, table: Table) -> None:
    """Checks that somebody is in the group that a question is about, before anything is fitted.

    Raises:
        UserError: nobody is.
    """
    if not isinstance(query, q.Effect):
        return
    for event in query.given:
        if not seen(table, (event,)).any():
            raise UserError("question", query.text(table.columns), _nobody(event, table))
    if len(query.given) > 1 and not seen(table, query.given).any():
        remedy = "no row meets all conditions at once: ask with fewer"
        raise UserError("question", query.text(table.columns), remedy)


def _nobody(event: q.Event, table: Table) -> str:
    j = table.index(event.variable)
    x = table.values[np.isfinite(table.values[:, j]), j]
    if table.columns[j].named or not len(x):
        return f"no row has this value of {event.variable}"
    return (
        f"no row fits the condition on {event.variable}, which is from {number(float(x.min()))} to "
        f"{number(float(x.max()))} in the rows"
    )
