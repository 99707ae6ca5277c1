"""Answers by adjustment: the graph says which variables to hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seedo.inference.effects import CausalGraph, Plan, Wanted, compare_filled, fillers, touched
from seedo.inference.questions import _query as q
from seedo.inference.questions._answer import Answer, independence
from seedo.inference.questions._comparison_words import (
    Told,
    cause_answer,
    effect_answer,
    mean_answer,
    ratio_answer,
)
from seedo.inference.questions._design_answers import Asked, Doing, outcome_of, seen
from seedo.inference.questions._path_answers import GIVEN, told_rows
from seedo.tables import Table


def adjusted_answer(
    query: Asked, table: Table, known: CausalGraph, asked: Doing, held: Sequence[str],
    wanted: Wanted,
) -> Answer | None:  # fmt: skip
    values, scale = outcome_of(table, asked)
    settings = asked.settings[:1]
    if isinstance(query, q.Effect | q.Ratio) and not (query.start is None or query.end is None):
        settings = (query.start, query.end)
    covariates = tuple(table.index(name) for name in held)
    rows = _rows(table, known, asked)
    fill: tuple[int, ...] = ()
    if not np.isfinite(values[rows]).all():
        fill = fillers(table, rows, values, _harmless(table, known, asked, held))
    plan = Plan(rows, asked.causes[0], asked.outcome, values, scale, covariates, False,  # type: ignore[arg-type]
                settings, wanted=wanted, fill=fill, unmoved=True)  # fmt: skip
    comparison = compare_filled(table, plan)
    if comparison is None:
        return None
    assumes = (GIVEN, independence(table))
    count = int(comparison.fitted.weight.sum())
    told = Told(comparison, table, assumes, told_rows(table, count), graph=True)
    if isinstance(query, q.Effect):
        return effect_answer(query, told)
    if isinstance(query, q.DoesCause):
        return cause_answer(query, told)
    if isinstance(query, q.Ratio):
        return ratio_answer(query, told)
    return mean_answer(query, told, asked.settings[0])


def _rows(table: Table, known: CausalGraph, asked: Doing) -> NDArray[np.bool_]:
    """bool[R]: nothing on the way from cause to outcome was set, nor the outcome."""
    cause, outcome = (table.variables[j] for j in (asked.causes[0], asked.outcome))
    later = [table.variables.index(v) for v in known.between(cause, outcome)
             if v in table.variables]  # fmt: skip
    cut = table.hard[:, [*later, asked.outcome]].any(axis=1)
    found: NDArray[np.bool_] = ~cut & ~touched(table) & seen(table, asked.given)
    return found


def _harmless(table: Table, known: CausalGraph, asked: Doing, held: Sequence[str]) -> list[int]:
    """Variables that may be held beside the others without opening a path."""
    cause, outcome = (table.variables[j] for j in (asked.causes[0], asked.outcome))
    return [
        j for j, name in enumerate(table.variables)
        if name not in held and known.adjusts(cause, outcome, (*held, name))
    ]  # fmt: skip


def several_set(
    query: Asked, table: Table, known: CausalGraph, asked: Doing, wanted: Wanted
) -> Answer | None:
    """Several variables set at once, where holding the common causes of all will do."""
    if not isinstance(query, q.Expectation | q.Probability):
        return None
    names = [table.variables[j] for j in asked.causes]
    outcome = table.variables[asked.outcome]
    held: set[str] = set()
    for name in names:
        some = known.adjustment(name, outcome)
        if some is None:
            return None
        held |= set(some)
    held -= set(names)
    if any(held & known.descendants(name) for name in names):
        return None
    values, scale = outcome_of(table, asked)
    others = dict(zip(names[1:], asked.settings[1:], strict=True))
    covariates = [*asked.causes[1:], *(table.index(v) for v in table.variables if v in held)]
    plan = Plan(_rows(table, known, asked), asked.causes[0], asked.outcome, values, scale,  # type: ignore[arg-type]
                tuple(covariates), False, asked.settings[:1], others, wanted)  # fmt: skip
    comparison = compare_filled(table, plan)
    if comparison is None:
        return None
    count = int(comparison.fitted.weight.sum())
    told = Told(comparison, table, (GIVEN, independence(table)), told_rows(table, count), True)
    return mean_answer(query, told, asked.settings[0])
