"""Answers where the graph is known: which way it opens, and what the rows deny of it."""

from __future__ import annotations

from dataclasses import replace

from seedo.errors import UserError
from seedo.inference.effects import CausalGraph, Wanted, denied, outside
from seedo.inference.graphs._known_graph import KnownGraph
from seedo.inference.questions import _query as q
from seedo.inference.questions._adjusted_answers import adjusted_answer, several_set
from seedo.inference.questions._answer import Answer, number, refuse
from seedo.inference.questions._design_answers import Asked, Doing, doing
from seedo.inference.questions._front_door_answers import front_door_answer
from seedo.inference.questions._instrument_answers import instrument_answer
from seedo.inference.questions._part_answers import part_answer
from seedo.inference.questions._path_answers import GIVEN
from seedo.tables import Table


def answer_from_graph(
    query: Asked,
    table: Table,
    graph: KnownGraph,
    wanted: Wanted = "auto",
    doubts: bool = True,
) -> Answer | None:
    """An effect by the graph; None where none of the ways here leads to it.

    Args:
        query: about an effect.
        table: all rows.
        graph: what is known.
        wanted: form of the cause's effect.
        doubts: whether the rows deny the graph is looked at as well.

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
    said = contradictions(known, table, names[0], names[-1]) if doubts else ()
    return replace(found, assumes=assumes, warnings=(*said, *found.warnings))


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
        return refuse(refusal, assumes=(GIVEN,))
    if isinstance(query, q.Effect) and query.kind != "total":
        return part_answer(query, table, known, asked)
    if len(asked.causes) > 1:
        return several_set(query, table, known, asked, wanted)
    way = known.strategy(cause, outcome)
    if way.way == "none":
        return _no_path(query, table, asked, cause, outcome, wanted)
    if way.way == "adjustment":
        return adjusted_answer(query, table, known, asked, way.variables, wanted)
    if not isinstance(query, q.Effect | q.DoesCause):
        return None
    if way.way == "front door":
        return front_door_answer(query, table, asked, way)
    if way.way == "instrument":
        return instrument_answer(query, table, asked, way)
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


def _no_path(
    query: Asked, table: Table, asked: Doing, cause: str, outcome: str, wanted: Wanted
) -> Answer | None:
    """What the graph says where no path leads from the cause to the outcome."""
    text = f"the graph has no path from {cause} to {outcome}: setting {cause} changes nothing in it"
    about = {"assumes": (GIVEN,), "rests_on": "the graph alone"}
    if isinstance(query, q.Effect):
        return Answer("", None, f"{number(0.0)}: {text}", 0.0, **about)  # type: ignore[arg-type]
    if isinstance(query, q.Ratio):
        return Answer("", None, f"{number(1.0)}: {text}", 1.0, **about)  # type: ignore[arg-type]
    if isinstance(query, q.DoesCause):
        return Answer("", None, f"no: {text}", 0.0, **about)  # type: ignore[arg-type]
    return None
