"""Answers by the front door: the graph says through which variables all of an effect goes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seedo.inference.effects import (
    Estimate,
    Leg,
    Rows,
    Strategy,
    bent,
    front_door,
    front_door_by_curves,
    front_door_of_shares,
)
from seedo.inference.questions import _query as q
from seedo.inference.questions._answer import Answer, refuse
from seedo.inference.questions._design_answers import Doing, seen
from seedo.inference.questions._path_answers import (
    GIVEN,
    beyond_rows,
    complete_rows,
    ends_of,
    linear_answer,
    not_straight,
    unhidden,
)
from seedo.tables import Table

_MEDIATORS = "mediators and the outcome"


def front_door_answer(
    query: q.Effect | q.DoesCause, table: Table, asked: Doing, way: Strategy
) -> Answer | None:
    """Along straight lines where they are; through shares of a yes/no mediator."""
    chosen = table.observational & seen(table, asked.given)
    found = complete_rows(table, chosen, (query.cause, query.outcome, *way.variables))
    if found is None:
        return None
    rows = found[0]
    legs: list[Leg] = [(name, (query.cause,)) for name in way.variables]
    legs.append((query.outcome, (*way.variables, query.cause)))
    clause = bent(rows, legs)
    if not clause:
        estimate = front_door(rows, query.cause, query.outcome, way.variables)
        return linear_answer(query, table, estimate, found[1], unhidden(estimate, rows, _MEDIATORS))
    start, end = ends_of(query, rows)
    if start is None or end is None:
        return refuse(
            f"{clause}: the effect is not the same at all values of {query.cause}; ask from one "
            f"value of {query.cause} to another", assumes=(GIVEN,),
        )  # fmt: skip
    curved = _bent_front_door(rows, query, way.variables, start, end)
    if curved is None:
        return not_straight(clause, query, table)
    told = linear_answer(query, table, curved.scaled(1 / (end - start)), found[1],
                          unhidden(curved, rows, _MEDIATORS), beyond_rows(rows, query, start, end),
                          bends=True, ends=(start, end))  # fmt: skip
    return told


def _bent_front_door(
    rows: Rows, query: q.Effect | q.DoesCause, mediators: Sequence[str], start: float, end: float
) -> Estimate | None:
    """By shares of a yes/no mediator where these are logistic, else by smooth curves."""
    if len(mediators) == 1 and _yes_no(rows, mediators[0]):
        found = front_door_of_shares(rows, query.cause, query.outcome, mediators[0], start, end)
        after = [(query.outcome, (query.cause, mediators[0]))]
        if not isinstance(found, str) and not bent(rows, after, True):
            return found
    return front_door_by_curves(rows, query.cause, query.outcome, mediators, start, end)


def _yes_no(rows: Rows, name: str) -> bool:
    return bool(np.isin(rows.columns[name], (0.0, 1.0)).all())
