"""Comparisons of settings in words: effects, means, probabilities, whether there is an effect."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seedo.inference.effects import Comparison, Estimate, e_value, sensitivity
from seedo.inference.questions import _query as q
from seedo.inference.questions._answer import Answer, interval, number, refuse
from seedo.inference.questions._levels import shown
from seedo.tables import Table


@dataclass(frozen=True, eq=False)
class Told:
    """A comparison and what is said around it.

    Attributes:
        comparison: fitted and checked.
        table: all rows.
        assumes: what is taken for granted.
        rests_on: which rows.
        graph: the graph is known, so that whether there is an effect is no question.
        notes: further warnings.
    """

    comparison: Comparison
    table: Table
    assumes: tuple[str, ...]
    rests_on: str
    graph: bool = False
    notes: tuple[str, ...] = ()


def happens(event: q.Event, x: NDArray[np.float64]) -> NDArray[np.bool_]:
    """bool of x's shape: whether values lie in an event; its ends count where they belong to it."""
    low = x >= event.low if event.low_included else x > event.low
    high = x <= event.high if event.high_included else x < event.high
    found: NDArray[np.bool_] = low & high
    return found


def stated(estimate: Estimate) -> str:
    """Number and interval, with more digits where fewer would make its ends one."""
    value, low, high = estimate.value, estimate.low, estimate.high
    if number(low) != number(high) or low == high:
        return f"{number(value)} {interval(low, high)}"
    digits = next((d for d in range(4, 17) if f"{low:.{d}g}" != f"{high:.{d}g}"), 16) + 1
    return f"{value:.{digits}g} [{low:.{digits}g}, {high:.{digits}g}]"


def said(name: str, value: float, told: Told) -> str:
    """A setting as people write it."""
    column = told.table.columns[told.table.index(name)]
    return shown(name, value, told.table.columns) if column.named else f"{value:.4g}"


def effect_answer(query: q.Effect, told: Told) -> Answer:
    """An effect as a sentence, or as a table where one number would not do."""
    comparison = told.comparison
    if fatal := comparison.model.fatal:
        return finished(refuse(fatal.line), told)
    if query.treated:
        comparison = comparison.among_treated(query.start)
        told = replace(told, comparison=comparison)
    if query.start is None or query.end is None:
        return _unit(query, told)
    if problem := _unseen(told, (query.start, query.end)):
        return finished(refuse(problem), told)
    found = comparison.effect(query.start, query.end)
    start, end = (said(query.cause, v, told) for v in (query.start, query.end))
    text = f"moving {query.cause} from {start} to {end} changes {_subject(query, told)} by "
    return _one(text, found, query, told)


def _subject(query: q.Effect, told: Told) -> str:
    column = told.table.columns[told.table.index(query.outcome)]
    scale = told.comparison.fitted.sample.scale
    yes_no = scale == "yes/no" or (scale == "share" and column.type != "bounded")
    what = f"P({query.outcome} = {said(query.outcome, 1.0, told)})" if yes_no else query.outcome
    return what + (" among the treated" if query.treated else "")


def _one(text: str, found: Estimate, query: q.Effect, told: Told) -> Answer:
    text += f"{stated(found)} on average ({found.how}, {found.rows:,} rows)"
    return finished(
        Answer("", None, text, found.value, found.low, found.high), told, query, found
    )  # fmt: skip


def _unit(query: q.Effect, told: Told) -> Answer:
    comparison = told.comparison
    settings = comparison.settings
    found = comparison.unit()
    if len(settings) == 2 and found is not None:
        start, end = (said(query.cause, v, told) for v in settings.tolist())
        unit = comparison.fitted.sample.cause_named or settings[1] - settings[0] == 1
        per = f"moving {query.cause} from {start} to {end}" if unit else f"a unit of {query.cause}"
        return _one(f"{per} changes {_subject(query, told)} by ", found, query, told)
    if found is not None and comparison.constant:
        return _one(
            f"a unit of {query.cause} changes {_subject(query, told)} by ", found, query, told
        )
    rows = tuple(
        {"from": f"{said(query.cause, a, told)} to {said(query.cause, b, told)}",
         "effect": e.value, "low": e.low, "high": e.high}
        for a, b, e in comparison.contrasts()
    )  # fmt: skip
    if found is None:
        text = (
            f"no single number: what a change of {query.cause} does to {query.outcome} depends on "
            f"where it starts; ask 'effect of {query.cause} on {query.outcome} from A to B' "
            f"({comparison.how})"
        )
        return finished(Answer("", None, text, table=rows), told, query)
    text = (
        f"a unit of {query.cause} changes {_subject(query, told)} by {stated(found)} on average "
        f"over the rows, but not by as much everywhere: ask 'from A to B' ({found.how})"
    )
    return finished(
        Answer("", None, text, found.value, found.low, found.high, table=rows), told, query, found
    )


def _unseen(told: Told, asked: tuple[float, ...]) -> str:
    """Why a setting cannot be asked about; "" if it can."""
    comparison = told.comparison
    settings = comparison.settings
    curve = comparison.fitted.terms.cause
    names = comparison.names
    for value in asked:
        if curve.form == "levels" and value not in settings:
            listed = ", ".join(said(names.cause, v, told) for v in settings[:12].tolist())
            value_said = said(names.cause, value, told)
            return (
                f"{names.cause} = {value_said} does not occur in the rows, and nothing says how "
                f"{names.outcome} goes on between or beyond its settings: ask about {listed}"
            )
    return ""


def beyond(told: Told, asked: tuple[float, ...]) -> tuple[str, ...]:
    """A warning about settings outside what was seen."""
    settings = told.comparison.settings
    found = []
    for value in asked:
        if not settings[0] <= value <= settings[-1]:
            found.append(
                f"{told.comparison.names.cause} = {number(value)} is outside all that was seen "
                f"({number(float(settings[0]))} to {number(float(settings[-1]))}): the answer "
                "rests on the model's going on beyond that"
            )
    return tuple(found)


def mean_answer(query: q.Expectation | q.Probability, told: Told, setting: float) -> Answer:
    """A mean or a probability under a setting."""
    if fatal := told.comparison.model.fatal:
        return finished(refuse(fatal.line), told)
    if problem := _unseen(told, (setting,)):
        return finished(refuse(problem), told)
    found = told.comparison.mean(setting)
    text = f"{query.text(told.table.columns)} = {stated(found)} ({found.how}, {found.rows:,} rows)"
    told = replace(told, notes=(*told.notes, *beyond(told, (setting,))))
    answer = finished(Answer("", None, text, found.value, found.low, found.high), told)
    return replace(answer, probability=None)


def ratio_answer(query: q.Ratio, told: Told) -> Answer:
    """How many times the mean, the probability or the odds under another setting."""
    comparison = told.comparison
    if fatal := comparison.model.fatal:
        return finished(refuse(fatal.line), told)
    cause, outcome = query.cause, query.outcome
    yes_no = comparison.fitted.sample.scale == "yes/no"
    if not yes_no and (query.kind == "odds" or comparison.fitted.sample.outcome.min() < 0):
        why = "odds are of yes and no" if query.kind == "odds" else "it can be below 0"
        return finished(refuse(f"{outcome} has no such ratio, as {why}: ask 'effect of {cause} on "
                               f"{outcome}'"), told)  # fmt: skip
    start, end = query.start, query.end
    if start is None or end is None:
        if len(comparison.settings) != 2:
            return finished(refuse(f"{cause} has more than two values: ask '{query.kind} ratio of "
                                   f"{cause} on {outcome} from A to B'"), told)  # fmt: skip
        start, end = comparison.settings.tolist()
    if problem := _unseen(told, (start, end)):
        return finished(refuse(problem), told)
    found = comparison.ratio(start, end, query.kind == "odds")
    if found is None:
        why = f"{outcome} never or always happens at one of them, so that there is no ratio: ask "
        return finished(refuse(f"{why}'effect of {cause} on {outcome}'"), told)
    ends = [said(cause, value, told) for value in (start, end)]
    what = f"P({outcome} = {said(outcome, 1.0, told)})" if yes_no else f"the mean of {outcome}"
    what = f"the odds of {outcome} = {said(outcome, 1.0, told)}" if query.kind == "odds" else what
    text = (f"moving {cause} from {ends[0]} to {ends[1]} multiplies {what} by {stated(found)} "
            f"({found.how}, {found.rows:,} rows)")  # fmt: skip
    told = replace(told, notes=(*told.notes, *beyond(told, (start, end))))
    answer = finished(Answer("", None, text, found.value, found.low, found.high), told)
    return replace(answer, probability=None)


def cause_answer(query: q.DoesCause, told: Told) -> Answer:
    """Whether there is an effect."""
    if fatal := told.comparison.model.fatal:
        return finished(refuse(fatal.line), told)
    comparison = told.comparison
    found = comparison.unit()
    size = "" if found is None else f"; a unit changes it by {stated(found)}"
    if len(comparison.settings) == 2 and found is not None:
        start, end = (said(query.cause, v, told) for v in comparison.settings.tolist())
        raw = comparison.effect(*comparison.settings.tolist())
        size = f"; from {start} to {end} it changes by {stated(raw)}"
    if told.graph:
        text = f"yes, by the graph given{size} ({comparison.how})"
        return finished(Answer("", None, text), told)
    p = comparison.probability()
    verdict = "yes" if p >= q.CERTAIN else "no" if p <= 1 - q.CERTAIN else "undecided"
    text = f"{verdict}: P({query.cause} causes {query.outcome}) = {p:.3f}{size} ({comparison.how})"
    return finished(Answer("", None, text, p, probability=p), told)


def finished(
    answer: Answer, told: Told, query: q.Effect | None = None, found: Estimate | None = None
) -> Answer:
    """With what every answer from a comparison says."""
    comparison = told.comparison
    findings = [f.line for f in comparison.model.findings if f.severity != "fatal"]
    warnings = [*findings, *told.notes]
    probability = answer.probability
    text = answer.answer
    if query is not None and not told.graph:
        probability = comparison.probability()
        text += f"; P({query.cause} has any effect on {query.outcome}) = {probability:.3f}"
    if query is not None and query.start is not None and query.end is not None:
        warnings += beyond(told, (query.start, query.end))
    assumes = told.assumes
    if found is not None and not comparison.randomised:
        assumes = (*assumes, *filter(None, (_hidden(comparison, found),)))
    return replace(
        answer,
        answer=text,
        assumes=assumes,
        rests_on=told.rests_on,
        warnings=(*answer.warnings, *warnings),
        checks=comparison.model.held,
        probability=probability,
    )


def _hidden(comparison: Comparison, found: Estimate) -> str:
    """How strong a hidden common cause would have to be."""
    sample = comparison.fitted.sample
    rows = float(sample.weights[comparison.fitted.used].sum())
    if sample.clusters is not None:
        rows = float(len(np.unique(sample.clusters)))
    line = sensitivity(found, rows)
    if sample.scale == "yes/no" and len(comparison.settings) == 2 and found.low * found.high > 0:
        none, some = (comparison.mean(v).value for v in comparison.settings.tolist())
        if none > 0 and some > 0 and math.isfinite(e_value(some / none)):
            line += (
                f"; it would have to go with both by risk ratios of {e_value(some / none):.2f} "
                "(E-value)"
            )
    return line
