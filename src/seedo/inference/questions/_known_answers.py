"""Answers where somebody knows the graph: with hidden common causes, or with curved mechanisms.

Identification is y0's and estimation DoWhy's (see docs/identification.md); nothing is derived here.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from seedo.errors import UserError
from seedo.inference.exact._conflicts import regression_slope
from seedo.inference.graphs._identify import Data, Identified, identify
from seedo.inference.graphs._known_graph import KnownGraph
from seedo.inference.graphs._prior import GraphPrior
from seedo.inference.questions import _query as q
from seedo.inference.questions._answer import Answer, number
from seedo.inference.questions._answers_effect import refuse_parts
from seedo.inference.questions._answers_row import row_asked_about
from seedo.inference.questions._gcm import NonlinearModel
from seedo.tables import Table

_LINEAR = "linear mechanisms"


def prior_of_graph(graph: KnownGraph, variables: tuple[str, ...]) -> GraphPrior:
    """The prior under which this graph, which has no hidden common causes, is the only one.

    Raises:
        UserError: it has hidden common causes, or lacks a variable of the table.
    """
    if graph.bidirected:
        raise UserError("graph", " <-> ".join(sorted(graph.bidirected)[0]), "hidden common causes")
    missing = [name for name in variables if name not in graph.variables]
    if missing:
        raise UserError("graph", missing[0], "in the table, not in the graph: add it, or drop it")
    order = [graph.variables.index(name) for name in variables]
    edges = graph.adjacency[np.ix_(order, order)]
    return GraphPrior(len(variables), None, edges.astype(np.float64))


def answer_with_hidden_causes(query: q.Query, graph: KnownGraph, table: Table) -> Answer:
    """An effect in a graph with hidden common causes: identified or not, and the estimate.

    Raises:
        UserError: any question but that for an effect; no y0 or no DoWhy.
    """
    if not isinstance(query, q.Effect):
        raise UserError(
            "question", query.text(),
            "in a graph with hidden common causes (<->) only effects are answered: ask 'effect of "
            "X on Y'",
        )  # fmt: skip
    refuse_parts(query, table)
    experiments = {r.hard for r in (table.regimes[i] for i in np.unique(table.regime)) if r.hard}
    sets = [[table.variables[i] for i in hard] for hard in sorted(experiments, key=sorted)]
    verdict = identify(graph, query.cause, query.outcome, experiments=sets)
    assumes = ("the graph as given", _LINEAR)
    data = f"{table.rows:,} rows: {int(table.observational.sum()):,} observed"
    if not isinstance(verdict, Identified):
        refusal = f"Not answered: {verdict.reason}"
        found = Answer("", None, refusal, refused=verdict.reason, assumes=assumes, rests_on=data)
        return _about(query, found)
    change = 1.0 if query.start is None or query.end is None else query.end - query.start
    estimate = _from_experiment(verdict, query, table) or _by_dowhy(query, graph, table)
    formula = f"{verdict.query} = {verdict.text}"
    if estimate is None:
        text = f"identified: {formula}; no linear estimator of this formula is at hand"
        return _about(query, Answer("", None, text, assumes=assumes, rests_on=data))
    value, low, high, how = estimate
    low, high = sorted((low * change, high * change))
    text = (
        f"{number(value * change)} [{number(low)}, {number(high)}] by {how}; identified: {formula}"
    )
    return _about(query, Answer("", None, text, value * change, low, high, assumes=assumes,
                                rests_on=data))  # fmt: skip


_Estimate = tuple[float, float, float, str]


def _from_experiment(verdict: Identified, query: q.Effect, table: Table) -> _Estimate | None:
    """The slope in the rows that set the cause, where the formula asks for just these."""
    if verdict.data != (Data("", frozenset([query.cause])),):
        return None
    cause, outcome = table.index(query.cause), table.index(query.outcome)
    rows = table.set_alone(cause) & table.complete
    x, y = table.values[rows, cause], table.values[rows, outcome]
    if len(x) < 4 or np.ptp(x) == 0:
        return None
    slope, error = regression_slope(x, y)
    half = float(stdtrit(len(x) - 2, 0.975)) * error
    how = f"regression over the {len(x):,} rows that set {query.cause}"
    return slope, slope - half, slope + half, how


def _by_dowhy(query: q.Effect, graph: KnownGraph, table: Table) -> _Estimate | None:
    """Adjustment or front door over the observational rows, if either applies."""
    try:
        dowhy, pandas = importlib.import_module("dowhy"), importlib.import_module("pandas")
    except ModuleNotFoundError as error:
        raise UserError("extra", error.name, "pip install 'seedo[causal]'") from None
    rows = table.values[table.observational & table.complete]
    if len(rows) < table.n + 2:
        return None
    frame = pandas.DataFrame(rows, columns=list(table.variables))
    network = graph.to_networkx()
    for pair in sorted(graph.bidirected):
        hidden = "hidden cause of " + " and ".join(pair)
        network.add_edges_from((hidden, name) for name in pair)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = dowhy.CausalModel(frame, query.cause, query.outcome, graph=network)
        estimand = model.identify_effect(proceed_when_unidentifiable=False)
        for method in ("backdoor.linear_regression", "frontdoor.two_stage_regression"):
            if not estimand.estimands.get(method.split(".")[0]):
                continue
            found = model.estimate_effect(estimand, method_name=method)
            low, high = _bootstrap(frame, network, query, method)
            return float(found.value), low, high, f"{method} over {len(rows):,} observational rows"
    return None


def _bootstrap(frame: Any, network: Any, query: q.Effect, method: str) -> tuple[float, float]:
    """95 % percentile interval over rows drawn again."""
    dowhy = importlib.import_module("dowhy")
    values = []
    for seed in range(100):
        again = frame.sample(len(frame), replace=True, random_state=seed, ignore_index=True)
        model = dowhy.CausalModel(again, query.cause, query.outcome, graph=network)
        estimand = model.identify_effect(proceed_when_unidentifiable=False)
        values.append(model.estimate_effect(estimand, method_name=method).value)
    low, high = np.quantile(np.array(values, np.float64), [0.025, 0.975])
    return float(low), float(high)


def answer_nonlinear(query: q.Query, graph: KnownGraph, table: Table, seed: int = 0) -> Answer:
    """Effects, means, probabilities and counterfactuals from mechanisms that may be curved.

    Raises:
        UserError: a question of another kind; as for `NonlinearModel`.
    """
    how = _NONLINEAR.get(type(query))
    if how is None or (isinstance(query, q.Probability | q.Expectation) and query.given):
        raise UserError(
            "question", query.text(),
            "with --nonlinear ask for an effect from one value to another, E[Y | do(X = 2)], "
            "P(Y > 1 | do(X = 2)) or a counterfactual",
        )  # fmt: skip
    found = how(query, NonlinearModel(graph, table, seed=seed), table)
    assumes = (
        "the graph as given, without hidden common causes",
        "noise is added to a function of the causes: a line, a polynomial or boosted trees, "
        "whichever predicts best",
    )
    return _about(query, replace(found, assumes=assumes, rests_on=f"{table.rows:,} rows"))


def _effect(query: q.Effect, model: NonlinearModel, table: Table) -> Answer:
    refuse_parts(query, table)
    if query.start is None or query.end is None:
        raise UserError("question", query.text(), "a curve has no effect a unit: add 'from A to B'")
    start, end = (model.interventional({query.cause: v}, query.outcome)
                  for v in (query.start, query.end))  # fmt: skip
    value = end.mean - start.mean
    # The two bootstrap intervals are combined as if independent, which is wide rather than narrow.
    half = float(np.hypot(end.high - end.low, start.high - start.low)) / 2
    text = f"{query.text()} = {number(value)} [{number(value - half)}, {number(value + half)}]"
    return Answer("", None, text, value, value - half, value + half)


def _doing(query: q.Expectation | q.Probability) -> Mapping[str, float]:
    return {s.variable: s.value for s in query.do}


def _expectation(query: q.Expectation, model: NonlinearModel, table: Table) -> Answer:
    found = model.interventional(_doing(query), query.outcome)
    text = f"{query.text()} = {number(found.mean)} [{number(found.low)}, {number(found.high)}]"
    return Answer("", None, text, found.mean, found.low, found.high)


def _probability(query: q.Probability, model: NonlinearModel, table: Table) -> Answer:
    from scipy import stats  # here, because it takes long to import

    event = query.event
    samples = model.interventional(_doing(query), event.variable).samples
    inside: NDArray[np.bool_] = (samples >= event.low) & (samples <= event.high)
    interval = stats.binomtest(int(inside.sum()), len(samples)).proportion_ci(method="wilson")
    text = f"{query.text()} = {inside.mean():.3f} (the interval is that of the simulation alone)"
    return Answer("", None, text, float(inside.mean()), float(interval.low), float(interval.high))


def _counterfactual(query: q.Counterfactual, model: NonlinearModel, table: Table) -> Answer:
    row, where = row_asked_about(query, table)
    found = model.counterfactual(
        table.take(np.array([row])), {s.variable: s.value for s in query.had}
    )
    at = found.variables.index(query.outcome)
    value, low, high = (float(a[0, at]) for a in (found.values, found.low, found.high))
    seen = float(table.values[row, table.index(query.outcome)])
    text = (
        f"{query.outcome} was {number(seen)} in {where} and would have been {number(value)} "
        f"[{number(low)}, {number(high)}]"
    )
    return Answer("", None, text, value, low, high)


_NONLINEAR: dict[type, Callable[[Any, NonlinearModel, Table], Answer]] = {
    q.Effect: _effect,
    q.Expectation: _expectation,
    q.Probability: _probability,
    q.Counterfactual: _counterfactual,
}


def _about(query: q.Query, found: Answer) -> Answer:
    return replace(found, question=query.text(), rung=query.rung)
