"""Answers from tables in which variables were set in every row: no graph over them is needed."""

from __future__ import annotations

import numpy as np

from seedo.errors import UserError
from seedo.inference.design import Goal, SettingChoice, SettingsPlan, plan_settings
from seedo.inference.questions import _query as q
from seedo.inference.questions._answer import (
    Answer,
    interval,
    number,
    refuse,
    setting_in_words,
)
from seedo.inference.questions._mixture_answers import impossible_mixture, mixture_effect
from seedo.tables import Table


def answer_from_factors(query: q.Query, table: Table) -> Answer | None:
    """What factors alone answer; None where there are none, or they do not.

    Best and next settings, effects of shares that add up, and the refusal to say what would move a
    variable that was never left alone.
    """
    factors = table.factors
    if not factors.any():
        return None
    caused = _caused(query)
    if caused and caused in table.variables and factors[table.index(caused)]:
        reason = (
            f"{caused} was set in every row: nothing in the table shows what would move it; rows "
            "in which it is left alone would"
        )
        return refuse(reason, rests_on=f"{table.rows:,} rows", assumes=(f"{caused} was set",))
    if found := impossible_mixture(query, table):
        return found
    if isinstance(query, q.Effect):
        return mixture_effect(query, table)
    if not _vary(table):
        return None
    if isinstance(query, q.BestIntervention):
        return _best(query, table)
    return _next(table) if isinstance(query, q.NextExperiment) else None


def _caused(query: q.Query) -> str:
    """The variable whose causes are asked about; "" if none is."""
    outcome = (q.Effect | q.DoesCause | q.Causes | q.BestIntervention | q.BestSetting | q.Ranking
               | q.WhyRow)  # fmt: skip
    if isinstance(query, outcome):
        return query.outcome
    if isinstance(query, q.Edge | q.Parents):
        return query.child
    return query.descendant if isinstance(query, q.Ancestor) else ""


def _vary(table: Table) -> bool:
    own = table.values[:, table.factors]
    return any(np.ptp(x[np.isfinite(x)]) > 0 for x in own.T if np.isfinite(x).any())


def _best(query: q.BestIntervention, table: Table) -> Answer | None:
    goal = Goal(table.index(query.outcome), 1 if query.direction == "raise" else -1)
    try:
        plan = plan_settings(table, goal=goal)
    except UserError as error:
        return refuse(f"{error.field}: {error.remedy}", rests_on=f"{table.rows:,} rows")
    best, tried = plan.best, plan.tried
    assert best is not None
    assert tried is not None
    text = (
        f"{_words(table, plan, best)}: {query.outcome} is then {_mean(best)} on average; the best "
        f"of what was tried is {_words(table, plan, tried)} with {_mean(tried)}; settings within "
        f"what was tried are considered, all factors at once{_pure(table, plan, goal, best)}"
    )
    return _answer(table, plan, text, best.mean, best.low, best.high)


def _pure(table: Table, plan: SettingsPlan, goal: Goal, best: SettingChoice) -> str:
    """Where a mixture of one share alone would be better yet, if straight lines go on."""
    response = plan.responses[goal.variable]
    found = []
    for mixture in plan.region.shares if response.how == "linear" else ():
        for part in mixture.parts:
            at = np.array(best.values)
            at[list(mixture.parts)] = 0.0
            at[part] = mixture.total
            mean, low, high = (float(v[0]) for v in response.interval(at[None]))
            name = plan.region.factors[part].name
            found.append((goal.sign * mean, f"{name} alone, {number(mean)} {interval(low, high)}"))
    if not found or max(found)[0] <= goal.sign * best.mean:
        return ""
    return f"; beyond it, if straight lines go on, the best mixture is {max(found)[1]}"


def _next(table: Table) -> Answer | None:
    try:
        plan = plan_settings(table)
    except UserError as error:
        return refuse(f"{error.field}: {error.remedy}", rests_on=f"{table.rows:,} rows")
    (choice,) = plan.chosen
    text = (
        f"{_words(table, plan, choice)}: one such run is expected to tell {choice.bits:.3f} bits "
        "about the mean there; with a goal, seedo advise looks for its best settings"
    )
    return _answer(table, plan, text, choice.bits)


def _words(table: Table, plan: SettingsPlan, choice: SettingChoice) -> str:
    return setting_in_words(table, plan.region.places, choice.values)


def _mean(choice: SettingChoice) -> str:
    return f"{number(choice.mean)} {interval(choice.low, choice.high)}"


def _answer(
    table: Table,
    plan: SettingsPlan,
    text: str,
    value: float,
    low: float | None = None,
    high: float | None = None,
) -> Answer:
    models = [f"{table.variables[i]} follows a {r.how} model of the factors, which predicts "
              f"{max(r.explained, 0):.0%} of its variance in runs left out"
              for i, r in plan.responses.items()]  # fmt: skip
    weak = [f"the factors hardly predict {table.variables[i]}: its best settings are open"
            for i, r in plan.responses.items() if r.explained < 0.2]  # fmt: skip
    rests = f"{plan.runs:,} rows in which all factors were set"
    if plan.failed:
        rests += f", {plan.failed:,} of them without an outcome"
    return Answer("", None, text, value, low, high, assumes=(*models, "rows are independent"),
                  rests_on=rests, warnings=tuple(weak))  # fmt: skip
