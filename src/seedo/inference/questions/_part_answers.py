"""Answers about a part of an effect: the direct one, and what goes through others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seedo.inference.effects import (
    CausalGraph,
    Estimate,
    Plan,
    bent,
    compare_filled,
    direct_effect,
    effect_through,
    indirect_effect,
    natural_effect,
    touched,
)
from seedo.inference.questions import _query as q
from seedo.inference.questions._answer import Answer, number, refuse
from seedo.inference.questions._design_answers import Doing, seen
from seedo.inference.questions._levels import shown
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


def part_answer(query: q.Effect, table: Table, known: CausalGraph, asked: Doing) -> Answer | None:
    """A direct or an indirect effect."""
    cause, outcome = query.cause, query.outcome
    between = known.between(cause, outcome) - {outcome}
    if query.kind == "direct" and not known.has_edge(cause, outcome):
        text = f"{number(0.0)}: the graph has no edge from {cause} to {outcome}"
        return Answer("", None, text, 0.0, assumes=(GIVEN,), rests_on="the graph alone")
    if query.kind == "indirect" and not between:
        text = f"{number(0.0)}: no path leads from {cause} to {outcome} through another variable"
        return Answer("", None, text, 0.0, assumes=(GIVEN,), rests_on="the graph alone")
    held, total = known.direct(cause, outcome), known.adjustment(cause, outcome)
    if held is None or (query.kind == "indirect" and total is None):
        return refuse(
            f"hidden common causes in the graph leave open how much of the effect of {cause} on "
            f"{outcome} is {query.kind}: no set of measured variables separates the paths",
            assumes=(GIVEN,),
        )
    through = set(query.through)
    if through and not through <= between:
        odd = sorted(through - between)[0]
        return refuse(f"no path from {cause} to {outcome} leads through {odd} in the graph",
                      assumes=(GIVEN,))  # fmt: skip
    if through and through != between:
        return _through(query, table, known, asked)
    names = tuple(dict.fromkeys((cause, outcome, *held, *(total or ()))))
    found = complete_rows(table, _observed(table, asked), names)
    if found is None:
        return None
    rows, left_out = found
    legs = [(outcome, (cause, *held))]
    if query.kind == "indirect":
        legs.append((outcome, (cause, *(total or ()))))
    if clause := bent(rows, legs):
        return _natural(query, table, known, asked) or not_straight(clause, query, table)
    if query.kind == "direct":
        estimate = direct_effect(rows, cause, outcome, held)
        if left_out and (filled := _filled_direct(table, asked, held)) is not None:
            estimate, left_out = filled
    else:
        estimate = indirect_effect(rows, cause, outcome, held, total or ())
    answer = linear_answer(query, table, estimate, left_out, ("no interaction along the paths",))
    return replace(answer, assumes=(*answer.assumes, *unhidden(estimate, rows)))


def _filled_direct(
    table: Table, asked: Doing, held: Sequence[str]
) -> tuple[Estimate, tuple[str, ...]] | None:
    """A direct effect with missing values filled in, and what is said of them; None where they
    need not be, or the regression is not straight then."""
    outcome = table.values[:, asked.outcome]
    plan = Plan(_observed(table, asked), asked.causes[0], asked.outcome, outcome, "real",
                tuple(table.index(name) for name in held))  # fmt: skip
    found = compare_filled(table, plan)
    if found is None or found.model.fatal is not None or not found.constant:
        return None
    said = tuple(f.line for f in found.model.findings if f.kind == "missingness")
    estimate = found.unit()
    return None if estimate is None or not said else (estimate, said)


def _natural(query: q.Effect, table: Table, known: CausalGraph, asked: Doing) -> Answer | None:
    """A natural direct or indirect effect; None where it does not follow, or rows are too few."""
    cause, outcome = query.cause, query.outcome
    way = known.mediation(cause, outcome, (
        *(known.adjustment(cause, outcome) or ()), *(known.direct(cause, outcome) or ()),
    ))  # fmt: skip
    if way is None:
        return None
    found = complete_rows(table, _observed(table, asked), (cause, outcome, *way[0], *way[1]))
    if found is None:
        return None
    rows, left_out = found
    start, end = ends_of(query, rows)
    if start is None or end is None:
        return refuse(
            f"how much of the effect of {cause} on {outcome} is {query.kind} is not the same at "
            f"all values of {cause}: ask '{query.kind} effect of {cause} on {outcome} from A to B'",
            assumes=(GIVEN,),
        )  # fmt: skip
    direct = query.kind == "direct"
    estimate = natural_effect(rows, cause, outcome, *way, start, end, direct)
    if estimate is None:
        return None
    at = shown(cause, start if direct else end, table.columns)
    stay = f"{', '.join(way[0])} as under {cause} = {at}" if direct else f"{cause} held at {at}"
    return linear_answer(
        query, table, estimate.scaled(1 / (end - start)), left_out,
        (f"natural effect: {stay}", *unhidden(estimate, rows)),
        beyond_rows(rows, query, start, end), bends=True, ends=(start, end),
    )  # fmt: skip


def _through(query: q.Effect, table: Table, known: CausalGraph, asked: Doing) -> Answer | None:
    """Along the paths through one mediator among several."""
    cause, outcome = query.cause, query.outcome
    if len(query.through) > 1:
        return refuse(
            "an effect through several but not all mediators is not computed here; ask for one "
            "mediator at a time, or for the indirect effect as a whole",
            assumes=(GIVEN,),
        )
    mediator = query.through[0]
    first, second = known.adjustment(cause, mediator), known.adjustment(mediator, outcome)
    if first is None or second is None:
        return refuse(
            f"hidden common causes leave open the effect through {mediator}", assumes=(GIVEN,)
        )
    names = tuple(dict.fromkeys((cause, outcome, mediator, *first, *second)))
    found = complete_rows(table, _observed(table, asked), names)
    if found is None:
        return None
    legs = [(mediator, (cause, *first)), (outcome, (mediator, *second))]
    if clause := bent(found[0], legs):
        return not_straight(clause, query, table)
    estimate = effect_through(found[0], cause, outcome, mediator, first, second)
    more = ("no interaction along the paths", *unhidden(estimate, found[0]))
    return linear_answer(query, table, estimate, found[1], more)


def _observed(table: Table, asked: Doing) -> NDArray[np.bool_]:
    """bool[R]: nothing was set but the cause."""
    others = np.delete(table.hard, asked.causes[0], axis=1).any(axis=1)
    found: NDArray[np.bool_] = ~others & ~touched(table) & seen(table, asked.given)
    return found
