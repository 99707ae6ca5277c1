"""Rungs 1 and 2: probabilities, means and correlations, seen or under interventions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from seedo.inference.exact._causal_posterior import CausalPosterior
from seedo.inference.questions import _query as q
from seedo.inference.questions._answer import (
    Answer,
    conflict_about,
    inside,
    interval,
    number,
    refuse,
    spread,
    why_open,
)

_SIMULATED = 4000
_ACCEPTED = 50


def _split(
    posterior: CausalPosterior, given: Sequence[q.Event], do: Sequence[q.Setting]
) -> tuple[dict[int, float], dict[int, float], list[tuple[int, q.Event]]]:
    table = posterior.table
    set_to = {table.index(s.variable): s.value for s in do}
    exact = {table.index(e.variable): e.value for e in given if e.value is not None}
    loose = [(table.index(e.variable), e) for e in given if e.value is None]
    return set_to, exact, loose


def _distribution(
    query: q.Probability | q.Expectation,
    posterior: CausalPosterior,
    outcome: int,
    closed: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]],
    simulated: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> Answer | NDArray[np.float64]:
    """A figure of the outcome's distribution in every draw, or a refusal.

    Args:
        closed: from mean and standard deviation of a normal outcome.
        simulated: from simulated values of it, one weight each elsewhere.
    """
    set_to, exact, loose = _split(posterior, query.given, query.do)
    asked = [outcome, *exact, *(i for i, _ in loose)]
    if set_to and (reason := why_open(posterior, list(set_to), asked)):
        return refuse(reason)
    if any(conflict_about(posterior, cause, effect) for cause in set_to for effect in asked):
        return refuse(
            "observations and experiments contradict each other here, and are not averaged; ask "
            "for the effect, which the experiments alone can tell"
        )
    mean, covariance = posterior.draws.given(set_to, exact)
    if not loose:
        deviation = np.sqrt(np.maximum(covariance[:, outcome, outcome], 0.0))
        return closed(mean[:, outcome], deviation)
    # Inequalities in the condition: rows simulated from every draw, those that fit are kept.
    keep = [outcome, *(i for i, _ in loose)]
    rng = np.random.default_rng(posterior.seed)
    inner = covariance[:, keep][:, :, keep]
    jitter = 1e-9 * np.eye(len(keep)) * np.diagonal(inner, axis1=1, axis2=2)[:, None, :]
    root = np.linalg.cholesky(inner + jitter)
    found = []
    for m, c in zip(mean[:, keep], root, strict=True):
        x = m + rng.normal(size=(_SIMULATED, len(keep))) @ c.T
        fits = np.all([inside(event, x[:, 1 + k]) for k, (_, event) in enumerate(loose)], axis=0)
        if fits.sum() >= _ACCEPTED:
            found.append(float(simulated(x[fits, 0]).mean()))
    if len(found) < len(mean) / 2:
        return refuse(
            "what is given is too rare under the model: fewer than "
            f"{_ACCEPTED} of {_SIMULATED} simulated rows show it; widen the condition"
        )
    return np.array(found)


def answer_probability(query: q.Probability, posterior: CausalPosterior) -> Answer:
    event = query.event
    if event.value is not None:
        return refuse(
            f"{event.variable} is continuous here, so that any single value has probability 0; "
            f"ask for an interval such as P({number(event.value - 0.5)} < {event.variable} < "
            f"{number(event.value + 0.5)})"
        )

    def closed(mean: NDArray[np.float64], deviation: NDArray[np.float64]) -> NDArray[np.float64]:
        safe = np.maximum(deviation, 1e-12)
        high, low = (event.high - mean) / safe, (event.low - mean) / safe
        found: NDArray[np.float64] = ndtr(high) - ndtr(low)
        return found

    outcome = posterior.table.index(event.variable)
    p = _distribution(query, posterior, outcome, closed, lambda x: inside(event, x).astype(float))
    return p if isinstance(p, Answer) else _stated(query, p)


def answer_expectation(query: q.Expectation, posterior: CausalPosterior) -> Answer:
    outcome = posterior.table.index(query.outcome)
    mean = _distribution(query, posterior, outcome, lambda mean, _: mean, lambda x: x)
    return mean if isinstance(mean, Answer) else _stated(query, mean)


def _stated(query: q.Probability | q.Expectation, values: NDArray[np.float64]) -> Answer:
    value, low, high = spread(values)
    assumes: tuple[str, ...] = ()
    if query.rung == 1:
        assumes = (
            "variables are jointly normal",
            "rows are independent; the answer is about rows in which nothing is done",
        )
    text = f"{query.text()} = {number(value)} {interval(low, high)}"
    return Answer("", None, text, value, low, high, assumes=assumes)


def answer_correlation(query: q.Correlation, posterior: CausalPosterior) -> Answer:
    i, j = posterior.table.index(query.first), posterior.table.index(query.second)
    _, covariance = posterior.draws.moments()
    deviation = np.sqrt(covariance[:, i, i] * covariance[:, j, j])
    value, low, high = spread(covariance[:, i, j] / deviation)
    text = f"{query.text()} = {number(value)} {interval(low, high)} where nothing is done"
    return Answer("", None, text, value, low, high, assumes=("variables are jointly normal",))
