"""What one run is worth, computed from its log alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp

from seedo.episodes import EXPLOIT, EXPLORE, EpisodeBatch
from seedo.evaluation._blicket import blicket_bayes_returns, blicket_prior_returns
from seedo.evaluation._strategies import BAYES, HEURISTICS, ORACLE, Readings
from seedo.statistics import (
    Cluster,
    Estimate,
    clusters_of,
    mean,
    missing,
    proportion,
    ratios,
)
from seedo.worlds import kind_of

LOG_FLOOR = -20.0
"""Log-likelihoods below this (nats) count as this: a forbidden action has none at all."""

UNTESTED = "no experiments"
"""Whoever answers best without any, in worlds where that earns more than chance."""

DEFINITIONS: dict[str, str] = {
    "return ratio": "mean exact expected return / mean return of the omniscient oracle, which"
    " knows the system. 1 is the ceiling.",
    "Bayes ratio": "mean return / mean return of the Bayes-optimal reader given the same history:"
    " 1 means that nothing better could be made of what was seen.",
    "normalised return": "(return - random) / (oracle - random), in means; 0 is a random exploit"
    " action, 1 the oracle.",
    "exploit regret": "(oracle - return) / (oracle - random), in means: 0 is what the oracle gets,"
    " 1 a random exploit action. It is the sum of `unexplored`, what the experiments left open:"
    " (oracle - Bayes reader) / (oracle - random), and of `unread`, what was made less of them than"
    " could be: (Bayes reader - return) / (oracle - random).",
    "action match": "share of exploit actions that are the oracle's best action (any, if tied).",
    "oracle log-likelihood": f"mean log probability (nats, at least {LOG_FLOOR:g}) that the agent's"
    " logged probabilities give the oracle's action.",
    "refused": "share of exploit steps on which nothing was set, or a variable that may not be.",
    "distinct tested": "mean number of different relevant variables set in the explore phase (in"
    " rooms: of dimensions along which an object was changed).",
    "cued set explored": "share of episodes whose explore phase set all relevant variables and no"
    " others.",
    "random floor": "mean return of a random exploit action / mean oracle return.",
    "best heuristic": "the reader with the highest return among those applied to the same"
    f" histories: {', '.join(HEURISTICS)}. The best is picked after the fact, which favours it.",
    "Bayes reader": "the exact posterior over all DAGs with the world's in-degree limit, uniform a"
    " priori (hold-outs of a split are not used), with the world's true weight and noise variances;"
    " it plays the action with the highest posterior mean of the goal. Of blicket machines: the"
    " exact posterior over rules and sets of blickets; it answers what is more probable.",
}
"""What each metric of a review is, in a sentence."""


@dataclass(frozen=True)
class Reader:
    """A strategy applied to the histories of a run."""

    return_ratio: Estimate
    bayes_ratio: Estimate


@dataclass(frozen=True)
class Metrics:
    """Estimates of one run; see `DEFINITIONS`.

    `readers` holds the Bayes-optimal reader, every heuristic and other players that were asked to
    read, each exploiting after the agent's own explore phases (the agent's chooser x their reader).
    """

    mean_return: Estimate
    return_ratio: Estimate
    bayes_ratio: Estimate
    normalised_return: Estimate
    exploit_regret: Estimate
    unexplored: Estimate
    unread: Estimate
    action_match: Estimate
    oracle_log_likelihood: Estimate
    refused: Estimate
    distinct_tested: Estimate
    relevant: Estimate
    cued_set_explored: Estimate
    random_floor: Estimate
    readers: dict[str, Reader]
    best_heuristic: str | None


def episode_returns(batch: EpisodeBatch, readings: Readings | str) -> dict[str, NDArray[Any]]:
    """Return of every player in every episode, float[B], NaN where unknown.

    Keys: "agent", "oracle", "random", "bayes", the heuristics and other players; the last three
    kinds are means over exploit steps, from the systems in the log. Of blicket machines also
    `UNTESTED`.
    """
    found: dict[str, NDArray[Any]] = {
        "agent": batch.returns.astype(np.float64),
        "oracle": batch.oracle_return.astype(np.float64),
        "random": batch.random_return.astype(np.float64),
    }
    for name in _readers(readings):
        worth = None if isinstance(readings, str) else readings.value_of(name)
        found[name] = np.full(batch.rows, np.nan)
        if worth is not None and not isinstance(readings, str):
            steps = np.bincount(readings.episode, minlength=batch.rows)
            total = np.bincount(readings.episode, worth, batch.rows)
            np.divide(total, steps, out=found[name], where=steps > 0)
    if (exactly := _EXACT_RETURNS.get(kind_of(batch.origin.world).family)) is not None:
        for name, exact in exactly.items():
            if not isinstance(value := exact(batch), str):
                found[name] = value
    return found


_Returns = Callable[[EpisodeBatch], NDArray[np.float64] | str]

_EXACT_RETURNS: dict[str, dict[str, _Returns]] = {
    "blicket": {BAYES: blicket_bayes_returns, UNTESTED: blicket_prior_returns}
}
"""What exact readers return in worlds that have others than those of graphs."""


def measure(
    batch: EpisodeBatch, readings: Readings | str, returns: dict[str, NDArray[Any]]
) -> Metrics:
    """All estimates of one run."""
    names = _readers(readings)
    agent, oracle, random = returns["agent"], returns["oracle"], returns["random"]
    bayes, wide = returns[BAYES], oracle - random
    # Parts of one whole rest on the same episodes.
    parted = np.where(np.isfinite(agent) & np.isfinite(bayes), wide, np.nan)
    pairs = [(agent, oracle), (agent, bayes), (agent - random, wide), (oracle - agent, wide)]
    pairs += [(oracle - bayes, parted), (bayes - agent, parted)]
    pairs += [(random, oracle), *((returns[name], oracle) for name in names)]
    pairs += [(returns[name], bayes) for name in names]
    people = clusters_of(batch.participant)
    found = ratios([top for top, _ in pairs], [bottom for _, bottom in pairs], cluster=people)
    (return_ratio, bayes_ratio, normalised, regret, unexplored, unread, floor), found = (
        found[:7],
        found[7:],
    )

    known = np.isfinite(oracle).any()
    why = "" if known and np.isfinite(agent).any() else "the log has no returns"
    why_bayes = why or _why(readings, BAYES)
    by_name = zip(names, found[: len(names)], found[len(names) :], strict=True)
    readers = {
        name: Reader(
            _because(top, _why(readings, name) if known else "the log has no returns"),
            _because(ratio, _why(readings, BAYES)),
        )
        for name, top, ratio in by_name
    }
    ranked = {
        name: value
        for name in HEURISTICS
        if (value := readers[name].return_ratio.value) is not None
    }
    tested, relevant, cued = _explored(batch, people)
    match, likelihood = _match(batch, readings, people)
    return Metrics(
        mean_return=_because(mean(agent, people), why),
        return_ratio=_because(return_ratio, why),
        bayes_ratio=_because(bayes_ratio, why_bayes),
        normalised_return=_because(normalised, why),
        exploit_regret=_because(regret, why),
        unexplored=_because(unexplored, why_bayes),
        unread=_because(unread, why_bayes),
        action_match=match,
        oracle_log_likelihood=likelihood,
        refused=_refused(batch, readings, people),
        distinct_tested=tested,
        relevant=relevant,
        cued_set_explored=cued,
        random_floor=_because(floor, why),
        readers=readers,
        best_heuristic=max(ranked, key=ranked.__getitem__) if ranked else None,
    )


def _readers(readings: Readings | str) -> tuple[str, ...]:
    players = () if isinstance(readings, str) else readings.players
    return (BAYES, *HEURISTICS, *players)


def _why(readings: Readings | str, strategy: str) -> str:
    """Why a strategy's returns are unknown; "" if they are not."""
    if isinstance(readings, str):
        return readings
    return readings.missing.get(strategy) or readings.missing.get(ORACLE, "")


def _because(estimate: Estimate, reason: str) -> Estimate:
    """The estimate, or if it is missing a better reason than "nothing there"."""
    return missing(reason) if estimate.value is None and reason else estimate


def _explored(batch: EpisodeBatch, people: Cluster | None) -> tuple[Estimate, Estimate, Estimate]:
    """Distinct relevant variables tested, relevant variables, share with exactly those tested."""
    if (tries := kind_of(batch.origin.world).tries) is not None:
        return _tried(batch, tries, people)
    exploring = batch.phase == EXPLORE
    if not exploring.any():
        reason = "no explore phase"
        return missing(reason), mean(batch.mask.sum(1), people), missing(reason)
    tested = np.any(~np.isnan(batch.setting) & exploring[:, :, None], axis=1)
    exact = np.all(tested == batch.mask, axis=1)
    return (
        mean((tested & batch.mask).sum(1), people),
        mean(batch.mask.sum(1), people),
        proportion(exact, people),
    )


def _tried(
    batch: EpisodeBatch, tries: tuple[int, ...], people: Cluster | None
) -> tuple[Estimate, Estimate, Estimate]:
    """Which of the variables `tries` were ever set; the rest has no meaning."""
    changed = np.any(~np.isnan(batch.setting[:, :, list(tries)]), axis=1)
    reason = f"no relevance cue in {batch.origin.world}"
    return mean(changed.sum(1), people), missing(reason), missing(reason)


def _refused(batch: EpisodeBatch, readings: Readings | str, people: Cluster | None) -> Estimate:
    if not kind_of(batch.origin.world).refuses:
        return missing(f"in {batch.origin.world} every action is allowed")
    if isinstance(readings, str):
        episode, step = np.nonzero(batch.phase == EXPLOIT)
        nothing = np.isnan(batch.setting[episode, step]).all(axis=-1)
    else:
        episode, nothing = readings.episode, readings.action < 0
    return proportion(nothing, None if people is None else people[episode])


def _match(
    batch: EpisodeBatch, readings: Readings | str, people: Cluster | None
) -> tuple[Estimate, Estimate]:
    if isinstance(readings, str) or ORACLE in readings.missing:
        reason = _why(readings, ORACLE)
        return missing(reason), missing(reason)
    whose = None if people is None else people[readings.episode]
    likelihood = log_likelihood(batch, readings, ORACLE)
    return proportion(readings.agrees(ORACLE), whose), (
        missing(likelihood) if isinstance(likelihood, str) else mean(likelihood, whose)
    )


def log_likelihood(
    batch: EpisodeBatch, readings: Readings, strategy: str
) -> NDArray[np.float64] | str:
    """float[D], log probability (nats) the agent gave what the strategy does; or why unknown.

    Where several actions are tied for the strategy, the probability of any of them.
    """
    if batch.action_logits is None:
        return "the log has no action probabilities"
    logits = batch.action_logits[readings.episode, readings.step].astype(np.float64)
    if logits.shape[1] != readings.legal.shape[1]:
        return f"the log has {logits.shape[1]} actions a step, not {readings.legal.shape[1]}"
    given: NDArray[np.bool_] = np.any(np.isfinite(logits), axis=1)
    logits = np.where(given[:, None], logits, 0.0)
    with np.errstate(divide="ignore"):
        log_probs = log_softmax(logits, axis=1)
        value = logsumexp(np.where(readings.best[strategy], log_probs, -np.inf), axis=1)
    floored: NDArray[np.float64] = np.where(given, np.maximum(value, LOG_FLOOR), np.nan)
    return floored
