"""Answers by instruments, named by a graph or by a statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seedo.inference.checks import SHARE
from seedo.inference.effects import Instrumented, Strategy, instrument, line, touched
from seedo.inference.questions import _query as q
from seedo.inference.questions._answer import Answer, number, refuse
from seedo.inference.questions._design_answers import Doing, seen
from seedo.inference.questions._path_answers import complete_rows, linear_answer, unhidden
from seedo.tables import Table


def instrument_answer(
    query: q.Effect | q.DoesCause, table: Table, asked: Doing, way: Strategy
) -> Answer | None:
    chosen = ~table.hard[:, [asked.causes[0], asked.outcome]].any(axis=1) & ~touched(table)
    return instrumented(
        query, table, chosen & seen(table, asked.given), way.variables, way.conditions
    )


def instrumented(
    query: q.Effect | q.DoesCause, table: Table, chosen: NDArray[np.bool_], by: Sequence[str],
    held: Sequence[str] = (),
) -> Answer | None:  # fmt: skip
    """An effect by instruments, beside what plain regression would say.

    Args:
        query: about an effect.
        table: all rows.
        chosen: bool[R], rows that are used.
        by: the instruments.
        held: covariates.
    """
    found = complete_rows(table, chosen, (query.cause, query.outcome, *by, *held))
    if found is None:
        return None
    result = instrument(found[0], query.cause, query.outcome, by, held)
    names = ", ".join(result.used)
    if result.estimate is None:
        return refuse(
            f"{names} moves {query.cause} too little to be an instrument (first-stage F = "
            f"{result.strength:.1f}): every effect is compatible with these rows; give more rows, "
            f"or ask for the effect of {names} on {query.outcome}"
        )
    plain = line(found[0], query.outcome, [query.cause, *held]).coefficients[query.cause]
    change = "changes" if len(result.used) == 1 else "change"
    exclusion = (
        f"{names} {change} {query.outcome} only through {query.cause}; one slope holds at all "
        f"values of {query.cause} and in all rows, which an instrument cannot show"
    )
    answer = linear_answer(query, table, result.estimate, found[1],
                            (exclusion, *unhidden(result.reduced, found[0],
                                                   f"{result.used[0]} and the outcome")),
                            _instrument_warnings(query, by, result))  # fmt: skip
    scaled = number(plain * _change(query))
    return replace(answer, answer=answer.answer + f" (plain regression would say {scaled})")


def _instrument_warnings(
    query: q.Effect | q.DoesCause, by: Sequence[str], result: Instrumented
) -> tuple[str, ...]:
    """What speaks against instruments."""
    found = []
    if result.strength < 10:
        found.append(
            f"{result.used[0]} is a weak instrument (first-stage F = {result.strength:.1f}): the "
            "interval allows for that, the point says little"
        )
    if result.disagreement < SHARE["graph"]:
        found.append(
            f"the instruments {', '.join(by)} disagree (Hansen's J, p = {result.disagreement:.2g})"
            f": one of them moves {query.outcome} by another way than {query.cause}, or the effect "
            "is no single slope"
        )
    elif result.bent < SHARE["curvature"]:
        found.append(
            f"the effect of {query.cause} on {query.outcome} is no single slope (p = "
            f"{result.bent:.2g}, by squares of {', '.join(by)}): the answer is a weighted average "
            f"of slopes, and not what a move from one value of {query.cause} to another does"
        )
    return tuple(found)


def _change(query: q.Effect | q.DoesCause) -> float:
    if isinstance(query, q.DoesCause) or query.start is None or query.end is None:
        return 1.0
    return query.end - query.start
