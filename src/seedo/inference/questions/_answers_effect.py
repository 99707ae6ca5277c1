"""Rung 2: effects, and the best intervention."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from seedo.errors import UserError
from seedo.inference.design._next_experiment import Goal, best_action
from seedo.inference.exact._causal_posterior import CausalPosterior
from seedo.inference.questions import _query as q
from seedo.inference.questions._answer import (
    Answer,
    conflict_about,
    interval,
    number,
    refuse,
    spread,
    why_open,
)
from seedo.inference.questions._answers_ranking import LEVELS
from seedo.inference.questions._levels import shown
from seedo.tables import Table

MISFIT = 0.01
"""Level at which rows that set a variable are said to tell another effect than the posterior."""


def _rows_disagree(
    posterior: CausalPosterior, cause: int, outcome: int, value: float
) -> tuple[str, ...]:
    """A warning where the rows that set the cause alone tell another effect than `value`.

    `value` rests on these rows too: their standard error alone is the cautious yardstick (Hausman
    1978: of the difference, its square less that of the more efficient estimate).
    """
    for pair in posterior.conflicts.pairs:
        if (pair.cause, pair.effect) != (cause, outcome):
            continue
        off = abs(pair.measured - value)
        if off > float(special.stdtrit(pair.freedom, 1 - MISFIT / 2)) * pair.standard_error:
            names = posterior.table.variables
            return (
                f"the {pair.rows:,} rows that set {names[cause]} alone tell another effect of a "
                f"unit: {number(pair.measured)} {interval(*pair.interval)}; a hidden common cause "
                "or a non-linear mechanism would explain it",
            )
    return ()


def refuse_parts(query: q.Effect, table: Table) -> None:
    """Raises UserError for an effect that is not the total one in everybody."""
    if not query.plain:
        total = q.Effect(query.cause, query.outcome, query.start, query.end).text(table.columns)
        remedy = (
            "without a graph only the total effect in everybody is answered: ask "
            f"'{total}', or give --graph"
        )
        raise UserError("question", query.text(table.columns), remedy)


def answer_effect(query: q.Effect, posterior: CausalPosterior) -> Answer:
    table = posterior.table
    refuse_parts(query, table)
    cause, outcome = table.index(query.cause), table.index(query.outcome)
    start = 0.0 if query.start is None else query.start
    end = 1.0 if query.end is None else query.end
    per = "a unit of " + query.cause if query.start is None else (
        f"moving {query.cause} from {number(start)} to {number(end)}")  # fmt: skip

    change = end - start
    if pair := conflict_about(posterior, cause, outcome):
        # Other experiments leave a common cause of the two at work: they are no help here.
        low, high = sorted(change * x for x in pair.interval)
        passive, *ends = (change * x for x in (pair.predicted[1], *pair.predicted[::2]))
        data = f"{pair.rows:,} rows that set {query.cause} alone"
        if pair.contrast:
            data += ", and the means of the rows in which nothing was set"
        return Answer(
            "", None,
            f"{per} changes {query.outcome} by {number(change * pair.measured)} "
            f"{interval(low, high)} on average, going by the {data}; the observations by "
            f"themselves would say {number(passive)} {interval(*sorted(ends))}, and observations "
            "and experiments contradict each other",
            change * pair.measured, low, high,
            assumes=(
                f"{query.outcome} is a linear function of {query.cause} plus noise in these rows",
                "rows are independent; an intervention acts on its stated targets only",
            ),
            rests_on=data,
        )  # fmt: skip
    if reason := why_open(posterior, [cause], [outcome]):
        return refuse(reason, table=_possible(posterior, cause, outcome, change))
    value, low, high = spread(change * posterior.draws.total_effects()[:, cause, outcome])
    return Answer(
        "", None,
        f"{per} changes {query.outcome} by {number(value)} {interval(low, high)} on average; "
        f"P({query.cause} has any effect on {query.outcome}) = "
        f"{posterior.graph.ancestors[cause, outcome]:.3f}",
        value, low, high, warnings=_rows_disagree(posterior, cause, outcome, value / change),
    )  # fmt: skip


def _possible(
    posterior: CausalPosterior, cause: int, outcome: int, change: float
) -> tuple[dict[str, Any], ...]:
    """The effect if the cause points at the outcome's side, and if it does not."""
    effects = change * posterior.draws.total_effects()[:, cause, outcome]
    some = effects != 0
    found = []
    for label, mine in (("some effect", some), ("no effect", ~some)):
        if mine.any():
            value, low, high = spread(effects[mine])
            found.append({"if": label, "share": float(mine.mean()), "effect": value,
                          "low": low, "high": high})  # fmt: skip
    return tuple(found)


def answer_does_cause(query: q.DoesCause, posterior: CausalPosterior) -> Answer:
    cause, outcome = posterior.table.index(query.cause), posterior.table.index(query.outcome)
    p = float(posterior.graph.ancestors[cause, outcome])
    if p > 1 - q.CERTAIN and (reason := why_open(posterior, [cause], [outcome])):
        return refuse(reason)
    verdict = "yes" if p >= q.CERTAIN else "no" if p <= 1 - q.CERTAIN else "undecided"
    return Answer("", None, f"{verdict}: P({query.cause} causes {query.outcome}) = {p:.3f}", p)


def answer_best(query: q.BestIntervention, posterior: CausalPosterior) -> Answer:
    table = posterior.table
    outcome = table.index(query.outcome)
    if found := _best_measured(query, posterior):
        return found
    options = [o for o in default_options(posterior) if o[0] != outcome]
    sign = 1 if query.direction == "raise" else -1
    action = best_action(posterior.draws, Goal(outcome, sign), options)
    if reason := why_open(posterior, [action.target], [outcome]):
        return refuse(reason)
    name = table.variables[action.target]
    value = float(number(action.value))
    return Answer(
        "", None,
        f"do({name} = {shown(name, value, table.columns)}): {query.outcome} is then "
        f"{number(action.mean)} "
        f"{interval(action.low, action.high)} on average; values between the 5 and 95 % points "
        "of what was seen are considered, one variable at a time",
        action.mean, action.low, action.high,
    )  # fmt: skip


def _best_measured(query: q.BestIntervention, posterior: CausalPosterior) -> Answer | None:
    """The best of what experiments by themselves show, where observations contradict them."""
    table, names = posterior.table, posterior.table.variables
    outcome = table.index(query.outcome)
    pairs = [p for p in posterior.conflicts.pairs if p.effect == outcome and not p.contrast]
    if not any(conflict_about(posterior, p.cause, outcome) for p in pairs):
        return None
    sign, found = 1 if query.direction == "raise" else -1, []
    for pair in pairs:
        rows = table.set_alone(pair.cause)
        x, y = table.values[rows, pair.cause], table.values[rows, outcome]
        for value in (float(x.min()), float(x.max())):
            off = value - x.mean()
            # A line's error at a point: that of its middle and of its slope are independent.
            middle = pair.standard_error * np.sqrt(((x - x.mean()) ** 2).mean())
            half = float(special.stdtrit(pair.freedom, 0.975)) * float(
                np.hypot(middle, pair.standard_error * off)
            )
            mean = float(y.mean() + pair.measured * off)
            found.append((sign * mean, mean, half, pair.cause, value))
    _, mean, half, cause, value = max(found)
    return Answer(
        "", None,
        f"do({names[cause]} = {number(value)}): {query.outcome} is then {number(mean)} "
        f"{interval(mean - half, mean + half)} on average, going by the rows in which one variable "
        "alone was set, at the ends of what it was set to: observations contradict them, and are "
        "left out",
        mean, mean - half, mean + half,
        assumes=(f"{query.outcome} is a linear function of what was set plus noise in these rows",
                 "rows are independent; an intervention acts on its stated targets only"),
    )  # fmt: skip


def default_options(posterior: CausalPosterior) -> list[tuple[int, float]]:
    """Every variable at the 5 and 95 % points of its values in the table, or at its levels if they
    are few."""
    found = []
    for j, (column, values) in enumerate(
        zip(posterior.table.columns, posterior.table.values.T, strict=True)
    ):
        ends = np.quantile(values, [0.05, 0.95])
        if column.named and len(column.levels) <= LEVELS:
            ends = values
        found += [(j, float(value)) for value in np.unique(ends).tolist()]
    return found
