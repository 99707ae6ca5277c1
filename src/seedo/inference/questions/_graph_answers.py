"""Answers where the graph is known: adjustment, front door, instrument, direct and indirect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.inference.checks import SHARE
from seedo.inference.effects import (
    CausalGraph,
    Estimate,
    Instrumented,
    Leg,
    Plan,
    Rows,
    Strategy,
    Wanted,
    bent,
    compare_filled,
    denied,
    direct_effect,
    effect_through,
    fillers,
    front_door,
    front_door_by_curves,
    front_door_of_shares,
    indirect_effect,
    instrument,
    line,
    natural_effect,
    outside,
    sensitivity,
    told_by_outcome,
    touched,
)
from seedo.inference.graphs._known_graph import KnownGraph
from seedo.inference.questions import _query as q
from seedo.inference.questions._answer import Answer, independence, number, refuse
from seedo.inference.questions._comparison_words import (
    Told,
    cause_answer,
    effect_answer,
    mean_answer,
    ratio_answer,
    stated,
)
from seedo.inference.questions._design_answers import Asked, Doing, doing, outcome_of, seen
from seedo.inference.questions._levels import shown
from seedo.tables import Table

_GIVEN = "the graph as given"
_LINEAR = "straight-line mechanisms"
_FEW_MORE = 3
"""Rows beyond the number of coefficients, below which nothing is fitted."""


def answer_from_graph(
    query: Asked, table: Table, graph: KnownGraph, wanted: Wanted = "auto"
) -> Answer | None:
    """An effect by the graph; None where none of the ways here leads to it.

    Raises:
        UserError: a variable asked about is not in the graph.
    """
    asked = doing(query, table)
    if not asked.causes:
        return None
    names = [table.variables[j] for j in (*asked.causes, asked.outcome)]
    for name in names:
        if name not in graph.variables:
            remedy = "a column of the table, but not in the graph: add it, on a line of its own if "
            raise UserError("graph", name, f"{remedy}nothing in it moves it")
    known = CausalGraph(graph, table.variables)
    found = _by_graph(query, table, known, asked, wanted)
    if found is None or found.refused:
        return found
    left_out = [v for v in table.variables if v not in known.observed]
    assumes = found.assumes
    if left_out:
        assumes = (*assumes, f"{', '.join(left_out)}, not in the graph, moves nothing in it")
    doubts = contradictions(known, table, names[0], names[-1])
    return replace(found, assumes=assumes, warnings=(*doubts, *found.warnings))


def contradictions(known: CausalGraph, table: Table, cause: str, outcome: str) -> tuple[str, ...]:
    """Warnings where the rows deny what the graph says of an effect."""
    warnings = []
    if found := denied(known, table, cause, outcome):
        worst = found[0]
        more = f"; so do they of {len(found) - 1} more pairs" if len(found) > 1 else ""
        warnings.append(
            f"by the graph {worst.text}, and the rows deny it (p = {worst.p_value:.2g}){more}: an "
            f"arrow or a hidden common cause between {worst.one} and {worst.other} is missing from "
            f"it, and an effect of {cause} on {outcome} that rests on it may be wrong"
        )
    for one in outside(known, table, cause, outcome)[:1]:
        warnings.append(
            f"{one.other} is in the table, not in the graph, and goes with {cause} and, beside it, "
            f"with {outcome} (p = {one.p_value:.2g}): if it moves both, the answer is wrong; add "
            "it to the graph, or leave it out with --drop"
        )
    return tuple(warnings)


def _by_graph(
    query: Asked, table: Table, known: CausalGraph, asked: Doing, wanted: Wanted
) -> Answer | None:
    """The way that the graph opens; None where there is none here."""
    cause, outcome = (table.variables[j] for j in (asked.causes[0], asked.outcome))
    if refusal := _conditioned(known, cause, asked):
        return refuse(refusal, assumes=(_GIVEN,))
    if isinstance(query, q.Effect) and query.kind != "total":
        return _part(query, table, known, asked)
    if len(asked.causes) > 1:
        return _several(query, table, known, asked, wanted)
    way = known.strategy(cause, outcome)
    if way.way == "none":
        return _no_path(query, table, asked, cause, outcome, wanted)
    if way.way == "adjustment":
        return _adjusted(query, table, known, asked, way.variables, wanted)
    if not isinstance(query, q.Effect | q.DoesCause):
        return None
    if way.way == "front door":
        return _by_front_door(query, table, asked, way)
    if way.way == "instrument":
        return _by_instrument(query, table, asked, way)
    return None


def _conditioned(known: CausalGraph, cause: str, asked: Doing) -> str:
    """Why a condition cannot be held; "" if all can."""
    for event in asked.given:
        if event.variable in known.observed and event.variable in known.descendants(cause):
            return (
                f"{event.variable} is changed by {cause} in the graph, so that rows chosen by it "
                "are no longer alike; ask without this condition"
            )
    return ""


def _rows(table: Table, known: CausalGraph, asked: Doing) -> NDArray[np.bool_]:
    """bool[R]: nothing on the way from cause to outcome was set, nor the outcome."""
    cause, outcome = (table.variables[j] for j in (asked.causes[0], asked.outcome))
    later = [table.variables.index(v) for v in known.between(cause, outcome)
             if v in table.variables]  # fmt: skip
    cut = table.hard[:, [*later, asked.outcome]].any(axis=1)
    found: NDArray[np.bool_] = ~cut & ~touched(table) & seen(table, asked.given)
    return found


def _told_rows(table: Table, count: int) -> str:
    return f"{count:,} of {table.rows:,} rows" if count != table.rows else f"{count:,} rows"


def _adjusted(
    query: Asked, table: Table, known: CausalGraph, asked: Doing, held: Sequence[str],
    wanted: Wanted,
) -> Answer | None:  # fmt: skip
    values, scale = outcome_of(table, asked)
    settings = asked.settings[:1]
    if isinstance(query, q.Effect | q.Ratio) and not (query.start is None or query.end is None):
        settings = (query.start, query.end)
    covariates = tuple(table.index(name) for name in held)
    rows = _rows(table, known, asked)
    fill = fillers(table, rows, values, _harmless(table, known, asked, held))
    plan = Plan(rows, asked.causes[0], asked.outcome, values, scale, covariates, False,  # type: ignore[arg-type]
                settings, wanted=wanted, fill=fill, unmoved=True)  # fmt: skip
    comparison = compare_filled(table, plan)
    if comparison is None:
        return None
    assumes = (_GIVEN, independence(table))
    count = int(comparison.fitted.weight.sum())
    told = Told(comparison, table, assumes, _told_rows(table, count), graph=True)
    if isinstance(query, q.Effect):
        return effect_answer(query, told)
    if isinstance(query, q.DoesCause):
        return cause_answer(query, told)
    if isinstance(query, q.Ratio):
        return ratio_answer(query, told)
    return mean_answer(query, told, asked.settings[0])


def _harmless(table: Table, known: CausalGraph, asked: Doing, held: Sequence[str]) -> list[int]:
    """Variables that may be held beside the others without opening a path."""
    cause, outcome = (table.variables[j] for j in (asked.causes[0], asked.outcome))
    return [
        j for j, name in enumerate(table.variables)
        if name not in held and known.adjusts(cause, outcome, (*held, name))
    ]  # fmt: skip


def _several(
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
    told = Told(comparison, table, (_GIVEN, independence(table)), _told_rows(table, count), True)
    return mean_answer(query, told, asked.settings[0])


def _no_path(
    query: Asked, table: Table, asked: Doing, cause: str, outcome: str, wanted: Wanted
) -> Answer | None:
    """What the graph says where no path leads from the cause to the outcome."""
    text = f"the graph has no path from {cause} to {outcome}: setting {cause} changes nothing in it"
    about = {"assumes": (_GIVEN,), "rests_on": "the graph alone"}
    if isinstance(query, q.Effect):
        return Answer("", None, f"{number(0.0)}: {text}", 0.0, **about)  # type: ignore[arg-type]
    if isinstance(query, q.Ratio):
        return Answer("", None, f"{number(1.0)}: {text}", 1.0, **about)  # type: ignore[arg-type]
    if isinstance(query, q.DoesCause):
        return Answer("", None, f"no: {text}", 0.0, **about)  # type: ignore[arg-type]
    return None


def complete_rows(
    table: Table, chosen: NDArray[np.bool_], names: Sequence[str]
) -> tuple[Rows, tuple[str, ...]] | None:
    """Rows in which all of these variables are known, and what is said of the others; None if too
    few.

    Args:
        table: all rows.
        chosen: bool[R].
        names: cause, outcome, and what else the answer takes.
    """
    at = [table.index(name) for name in names]
    kept = chosen & np.isfinite(table.values[:, at]).all(axis=1)
    if table.weight is not None:
        kept &= table.weight > 0
    if kept.sum() < len(names) + _FEW_MORE:
        return None
    clusters = table.units_of(kept)
    weight = np.ones(int(kept.sum())) if table.weight is None else table.weight[kept]
    columns = {name: table.values[kept, j] for name, j in zip(names, at, strict=True)}
    return Rows(columns, clusters, weight), _left_out(table, chosen, at, int(kept.sum()))


def _left_out(
    table: Table, chosen: NDArray[np.bool_], at: Sequence[int], kept: int
) -> tuple[str, ...]:  # fmt: skip
    """Warning of incomplete rows, and of values whose being missing the outcome tells."""
    missing = int(chosen.sum()) - kept
    if not missing:
        return ()
    outcome, others = at[1], [at[0], *at[2:]]
    plan = Plan(chosen, at[0], outcome, table.values[:, outcome], "real", tuple(at[2:]))
    told = [
        table.variables[j] for j in others
        if told_by_outcome(table, plan, j) < SHARE["missingness"]
    ]  # fmt: skip
    line = f"{missing:,} rows with missing values are left out"
    if told:
        line += (
            f", and {', '.join(told)} is missing more often at some values of "
            f"{table.variables[outcome]} than at others: the rows that are left are chosen by what "
            "is to be explained, and the answer may be off by more than its interval"
        )
    return (line,)


def _change(query: q.Effect | q.DoesCause) -> float:
    if isinstance(query, q.DoesCause) or query.start is None or query.end is None:
        return 1.0
    return query.end - query.start


def _linear_answer(
    query: q.Effect | q.DoesCause, table: Table, found: Estimate, left_out: tuple[str, ...],
    more: Sequence[str] = (), warnings: Sequence[str] = (),
    bends: bool = False, ends: tuple[float, float] | None = None,
) -> Answer:  # fmt: skip
    """A slope as a sentence, or the effect of a move from one value to another.

    Args:
        query: about an effect.
        table: all rows.
        found: effect of a unit.
        left_out: what is said of rows left out.
        more: what else is taken for granted.
        warnings: what may make it wrong.
        bends: no line is taken for granted.
        ends: the move, where the question names none.
    """
    if isinstance(query, q.Effect) and query.start is not None and query.end is not None:
        ends = query.start, query.end
    column = table.columns[table.index(query.cause)]
    if ends is None and column.named and len(column.levels) == 2:
        ends = 0.0, 1.0
    found = found.scaled(1.0 if ends is None else ends[1] - ends[0])
    per = "a unit of " + query.cause
    if ends is not None:
        start, end = (shown(query.cause, x, table.columns) for x in ends)
        per = f"moving {query.cause} from {start} to {end}"
    kind = query.kind if isinstance(query, q.Effect) and query.kind != "total" else ""
    how = "on average" if not kind else f"on average ({kind} effect)"
    text = f"{per} changes {query.outcome} by {stated(found)} {how}, by {found.how}"
    return Answer("", None, text, found.value, found.low, found.high,
                  assumes=(_GIVEN, *(() if bends else (_LINEAR,)), *more, independence(table)),
                  rests_on=_told_rows(table, found.rows),
                  warnings=(*warnings, *left_out))  # fmt: skip


def _by_front_door(
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
        return _linear_answer(
            query, table, estimate, found[1], _unhidden(estimate, rows, _MEDIATORS)
        )
    start, end = _ends(query, rows)
    if start is None or end is None:
        return refuse(
            f"{clause}: the effect is not the same at all values of {query.cause}; ask from one "
            f"value of {query.cause} to another", assumes=(_GIVEN,),
        )  # fmt: skip
    curved = _bent_front_door(rows, query, way.variables, start, end)
    if curved is None:
        return _not_straight(clause, query, table)
    told = _linear_answer(query, table, curved.scaled(1 / (end - start)), found[1],
                          _unhidden(curved, rows, _MEDIATORS), _beyond(rows, query, start, end),
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


_MEDIATORS = "mediators and the outcome"


def _unhidden(estimate: Estimate | None, rows: Rows, *ends: str) -> tuple[str, ...]:
    """How strong a hidden cause of both ends would have to be: of cause and outcome, unless others
    are named; nothing of no estimate."""
    hidden = "" if estimate is None else sensitivity(estimate, _units(rows), *ends)
    return (hidden,) if hidden else ()


def _units(rows: Rows) -> float:
    if rows.clusters is not None:
        return float(len(np.unique(rows.clusters)))
    return float(rows.weight.sum())


def _beyond(
    rows: Rows, query: q.Effect | q.DoesCause, start: float, end: float
) -> tuple[str, ...]:  # fmt: skip
    """Warning of settings that no row comes near."""
    x = rows.columns[query.cause]
    out = [v for v in (start, end) if not x.min() <= v <= x.max()]
    return tuple(
        f"{query.cause} is from {number(float(x.min()))} to {number(float(x.max()))} in the rows: "
        f"at {number(v)} a curve is a guess" for v in out
    )  # fmt: skip


def _yes_no(rows: Rows, name: str) -> bool:
    return bool(np.isin(rows.columns[name], (0.0, 1.0)).all())


def _ends(query: q.Effect | q.DoesCause, rows: Rows) -> tuple[float | None, float | None]:
    """Settings that are compared: those asked about, or the two that there are."""
    if isinstance(query, q.Effect) and query.start is not None and query.start != query.end:
        return query.start, query.end
    different = np.unique(rows.columns[query.cause])
    return (float(different[0]), float(different[1])) if len(different) == 2 else (None, None)


def _not_straight(clause: str, query: q.Effect | q.DoesCause, table: Table) -> Answer:
    """Refusal of a product of slopes where a slope is not one number."""
    remedy = "put a column in that makes it straight (a logarithm, say) in place of the bent one"
    if isinstance(query, q.Effect) and query.kind != "total":
        remedy = f"ask for the whole effect: 'effect of {query.cause} on {query.outcome}'"
    return refuse(
        f"{clause}: no product or difference of slopes gives this effect of {query.cause} on "
        f"{query.outcome}; {remedy}",
        assumes=(_GIVEN,), rests_on=f"{table.rows:,} rows",
    )  # fmt: skip


def _by_instrument(
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
    answer = _linear_answer(query, table, result.estimate, found[1],
                            (exclusion, *_unhidden(result.reduced, found[0],
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


def _part(query: q.Effect, table: Table, known: CausalGraph, asked: Doing) -> Answer | None:
    """A direct or an indirect effect."""
    cause, outcome = query.cause, query.outcome
    between = known.between(cause, outcome) - {outcome}
    if query.kind == "direct" and not known.has_edge(cause, outcome):
        text = f"{number(0.0)}: the graph has no edge from {cause} to {outcome}"
        return Answer("", None, text, 0.0, assumes=(_GIVEN,), rests_on="the graph alone")
    if query.kind == "indirect" and not between:
        text = f"{number(0.0)}: no path leads from {cause} to {outcome} through another variable"
        return Answer("", None, text, 0.0, assumes=(_GIVEN,), rests_on="the graph alone")
    held, total = known.direct(cause, outcome), known.adjustment(cause, outcome)
    if held is None or (query.kind == "indirect" and total is None):
        return refuse(
            f"hidden common causes in the graph leave open how much of the effect of {cause} on "
            f"{outcome} is {query.kind}: no set of measured variables separates the paths",
            assumes=(_GIVEN,),
        )
    through = set(query.through)
    if through and not through <= between:
        odd = sorted(through - between)[0]
        return refuse(f"no path from {cause} to {outcome} leads through {odd} in the graph",
                      assumes=(_GIVEN,))  # fmt: skip
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
        return _natural(query, table, known, asked) or _not_straight(clause, query, table)
    if query.kind == "direct":
        estimate = direct_effect(rows, cause, outcome, held)
        if left_out and (filled := _filled_direct(table, asked, held)) is not None:
            estimate, left_out = filled
    else:
        estimate = indirect_effect(rows, cause, outcome, held, total or ())
    answer = _linear_answer(query, table, estimate, left_out, ("no interaction along the paths",))
    return replace(answer, assumes=(*answer.assumes, *_unhidden(estimate, rows)))


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
    start, end = _ends(query, rows)
    if start is None or end is None:
        return refuse(
            f"how much of the effect of {cause} on {outcome} is {query.kind} is not the same at "
            f"all values of {cause}: ask '{query.kind} effect of {cause} on {outcome} from A to B'",
            assumes=(_GIVEN,),
        )  # fmt: skip
    direct = query.kind == "direct"
    estimate = natural_effect(rows, cause, outcome, *way, start, end, direct)
    if estimate is None:
        return None
    at = shown(cause, start if direct else end, table.columns)
    stay = f"{', '.join(way[0])} as under {cause} = {at}" if direct else f"{cause} held at {at}"
    return _linear_answer(
        query, table, estimate.scaled(1 / (end - start)), left_out,
        (f"natural effect: {stay}", *_unhidden(estimate, rows)),
        _beyond(rows, query, start, end), bends=True, ends=(start, end),
    )  # fmt: skip


def _through(query: q.Effect, table: Table, known: CausalGraph, asked: Doing) -> Answer | None:
    """Along the paths through one mediator among several."""
    cause, outcome = query.cause, query.outcome
    if len(query.through) > 1:
        return refuse(
            "an effect through several but not all mediators is not computed here; ask for one "
            "mediator at a time, or for the indirect effect as a whole",
            assumes=(_GIVEN,),
        )
    mediator = query.through[0]
    first, second = known.adjustment(cause, mediator), known.adjustment(mediator, outcome)
    if first is None or second is None:
        return refuse(
            f"hidden common causes leave open the effect through {mediator}", assumes=(_GIVEN,)
        )
    names = tuple(dict.fromkeys((cause, outcome, mediator, *first, *second)))
    found = complete_rows(table, _observed(table, asked), names)
    if found is None:
        return None
    legs = [(mediator, (cause, *first)), (outcome, (mediator, *second))]
    if clause := bent(found[0], legs):
        return _not_straight(clause, query, table)
    estimate = effect_through(found[0], cause, outcome, mediator, first, second)
    more = ("no interaction along the paths", *_unhidden(estimate, found[0]))
    return _linear_answer(query, table, estimate, found[1], more)


def _observed(table: Table, asked: Doing) -> NDArray[np.bool_]:
    """bool[R]: nothing was set but the cause."""
    others = np.delete(table.hard, asked.causes[0], axis=1).any(axis=1)
    found: NDArray[np.bool_] = ~others & ~touched(table) & seen(table, asked.given)
    return found
