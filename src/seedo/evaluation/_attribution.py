"""Which strategy an agent follows: its choices on episodes where strategies part ways.

Only the first exploit step of an episode counts, and every strategy is given the agent's own
history up to there. Two strategies part where no action is best for both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.episodes import EpisodeBatch
from seedo.evaluation._metrics import log_likelihood
from seedo.evaluation._strategies import BAYES, HEURISTICS, ORACLE, Readings
from seedo.statistics import (
    Cluster,
    Estimate,
    clusters_of,
    mean,
    missing,
    proportion,
)

NEAR_TIE = 0.2
"""Of the mean oracle return: the margin under which a difference is thought too small to tell."""

DEFINITIONS: dict[str, str] = {
    "any": "episodes in which no one action is best for all strategies.",
    "bayes-alone": "episodes in which the Bayes-optimal action is no heuristic's.",
    "oracle-alone": "episodes in which the omniscient action is no heuristic's; stands in for"
    " bayes-alone where the exact reader does not apply.",
    "agrees": "share of the agent's first exploit actions that the strategy predicts, with Wilson's"
    " interval. Shares need not add up to 1: strategies may predict the same action, or the agent"
    " do what none of them does.",
    "versus": "of the episodes in which the optimal reader and one heuristic part and the agent"
    " did what one of the two does, the share in which it was the optimal reader's.",
    "margin": "only differences count by which the optimal reader expects to gain at least this"
    " much (in units of the goal variable) over the heuristic's action.",
}


@dataclass(frozen=True)
class Strategy:
    """How well one strategy predicts the agent on some episodes."""

    agrees: Estimate
    log_likelihood: Estimate


@dataclass(frozen=True)
class Versus:
    """The optimal reader against one heuristic, where they part."""

    part: int  # episodes
    agrees_optimal: Estimate
    agrees_heuristic: Estimate
    prefers_optimal: Estimate


@dataclass(frozen=True)
class Diagnosis:
    """The agent on one kind of diagnostic episodes: `definition` and `margin` say which."""

    definition: str
    margin: float
    n: int
    of: int  # episodes looked at
    strategies: dict[str, Strategy]
    reason: str = ""


@dataclass(frozen=True)
class Attribution:
    """All diagnoses of a run.

    Attributes:
        optimal: the strategy that heuristics are held against: "bayes", or "causal-optimal" where
            the exact reader does not apply.
        diagnoses: each definition at each margin.
        versus: by margin (in the order of `margins`) and heuristic.
        missing: why strategies are left out.
    """

    optimal: str | None
    margins: tuple[float, ...]
    diagnoses: tuple[Diagnosis, ...]
    versus: tuple[dict[str, Versus], ...]
    missing: dict[str, str]


def attribute(
    batch: EpisodeBatch, readings: Readings | str, margins: tuple[float, ...] | None = None
) -> Attribution:
    """Which strategies predict the agent's first exploit action.

    Args:
        batch: the run.
        readings: of the same batch.
        margins: in units of the goal variable; 0 and `NEAR_TIE` times the mean oracle return if
            None.
    """
    if isinstance(readings, str):
        return Attribution(None, (), (), (), dict.fromkeys((ORACLE, BAYES, *HEURISTICS), readings))
    if margins is None:
        oracle = batch.oracle_return[np.isfinite(batch.oracle_return)]
        near = NEAR_TIE * float(oracle.mean(dtype=np.float64)) if len(oracle) else 0.0
        margins = (0.0, near) if near > 0 else (0.0,)
    first = np.flatnonzero(readings.first)
    # Players that read are no strategies to be attributed: they may be the agent itself.
    strategies = [name for name in readings.best if name not in readings.players]
    best = {name: readings.best[name][first] for name in strategies}
    acted = readings.action[first] >= 0
    agrees = {name: readings.agrees(name)[first] for name in best}
    likelihood = {name: log_likelihood(batch, readings, name) for name in best}
    optimal = BAYES if BAYES in best else ORACLE if ORACLE in best else None
    expected = readings.posterior if optimal == BAYES else readings.worth
    gains = _gains(best, optimal, None if expected is None else expected[first])
    people = clusters_of(batch.participant)
    whose = None if people is None else people[readings.episode[first]]

    def diagnose(definition: str, margin: float, rows: NDArray[np.bool_]) -> Diagnosis:
        at = np.flatnonzero(rows & acted)
        found = {}
        for name in best:
            values = likelihood[name]
            found[name] = Strategy(
                proportion(agrees[name][at], _at(whose, at)),
                missing(values)
                if isinstance(values, str)
                else mean(values[first[at]], _at(whose, at)),
            )
        return Diagnosis(definition, margin, len(at), len(first), found)

    diagnoses: list[Diagnosis] = []
    versus: list[dict[str, Versus]] = []
    for margin in margins:
        diagnoses.append(diagnose("any", margin, _any_differ(best, gains, margin)))
        if optimal is None:
            reason = readings.missing.get(BAYES, "")
            diagnoses.append(Diagnosis("bayes-alone", margin, 0, len(first), {}, reason))
            versus.append({})
            continue
        alone = np.all([gains[name] >= margin for name in HEURISTICS], axis=0)
        definition = "bayes-alone" if optimal == BAYES else "oracle-alone"
        diagnoses.append(diagnose(definition, margin, alone))
        versus.append(
            {
                name: _versus(agrees[optimal], agrees[name], acted & (gains[name] >= margin), whose)
                for name in HEURISTICS
            }
        )
    return Attribution(optimal, margins, tuple(diagnoses), tuple(versus), dict(readings.missing))


def _gains(
    best: dict[str, NDArray[np.bool_]], optimal: str | None, expected: NDArray[Any] | None
) -> dict[str, NDArray[np.float64]]:
    """float[E] by heuristic: what the optimal reader expects to gain over it; -inf if they agree.

    Over the best of the heuristic's actions, if several are tied.
    """
    if optimal is None or expected is None:
        return {}
    own = np.where(best[optimal], expected, -np.inf).max(1)
    gains = {}
    for name in HEURISTICS:
        part = ~(best[optimal] & best[name]).any(1)
        theirs = np.where(best[name], expected, -np.inf).max(1)
        gains[name] = np.where(part, own - theirs, -np.inf)
    return gains


def _any_differ(
    best: dict[str, NDArray[np.bool_]], gains: dict[str, NDArray[np.float64]], margin: float
) -> NDArray[np.bool_]:
    """bool[E]: no action is best for all; where the optimal reader parts from a heuristic, it
    expects to gain at least `margin`."""
    rows: NDArray[np.bool_] = ~np.logical_and.reduce(list(best.values())).any(1)
    if margin > 0 and gains:
        smallest = np.min([np.where(g > -np.inf, g, np.inf) for g in gains.values()], axis=0)
        rows = rows & (smallest >= margin) & np.isfinite(smallest)
    return rows


def _versus(
    optimal: NDArray[np.bool_],
    heuristic: NDArray[np.bool_],
    rows: NDArray[np.bool_],
    whose: Cluster | None,
) -> Versus:
    part, either = np.flatnonzero(rows), np.flatnonzero(rows & (optimal | heuristic))
    # Where they part, no action is both's.
    return Versus(
        len(part),
        proportion(optimal[part], _at(whose, part)),
        proportion(heuristic[part], _at(whose, part)),
        proportion(optimal[either], _at(whose, either)),
    )


def _at(whose: Cluster | None, rows: NDArray[np.int64]) -> Cluster | None:
    return None if whose is None else whose[rows]
