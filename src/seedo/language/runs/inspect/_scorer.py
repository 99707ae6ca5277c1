"""Scores of played episodes, and what they come to, with intervals clustered by episode.

Several samples of one episode (epochs, or the arms of `recitation`) share its system, so they are
one cluster (Miller 2024, arXiv:2411.00640); ratios are of means, as in `seedo review`. Metrics take
every epoch as it is: what Inspect's reducers would make of it is not looked at.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from inspect_ai.scorer import (
    Metric,
    SampleScore,
    Score,
    Scorer,
    Target,
    Value,
    metric,
    scorer,
)
from inspect_ai.solver import TaskState

from seedo.language.runs.inspect._cut import CUT, say_cut
from seedo.statistics import Estimate, ratio, share_of

CLUSTER = "cluster"
"""Key of sample metadata: which samples share a system."""

_Fields = Mapping[str, Any]


def _column(scores: Sequence[SampleScore], of: Callable[[_Fields], float]) -> np.ndarray:
    return np.array([of(score.score.as_dict()) for score in scores], np.float64)


def _share(
    scores: Sequence[SampleScore],
    top: Callable[[_Fields], float],
    bottom: Callable[[_Fields], float],
) -> Estimate:
    """Ratio of means over clusters, with the interval of a bootstrap that draws whole clusters."""
    return ratio(*_sums(scores, top, bottom))


def _part(
    scores: Sequence[SampleScore],
    top: Callable[[_Fields], float],
    bottom: Callable[[_Fields], float],
) -> Estimate:
    """As `_share`, of counted things: none of them anywhere has an interval all the same."""
    above, below = _sums(scores, top, bottom)
    return share_of(above, below)


def _sums(
    scores: Sequence[SampleScore],
    top: Callable[[_Fields], float],
    bottom: Callable[[_Fields], float],
) -> tuple[np.ndarray, np.ndarray]:
    """Of each cluster."""
    where = [str((score.sample_metadata or {}).get(CLUSTER, i)) for i, score in enumerate(scores)]
    _, cluster = np.unique(where, return_inverse=True)
    above, below = (np.bincount(cluster, _column(scores, of)) for of in (top, bottom))
    return above, below


def said(name: str, estimate: Estimate) -> dict[str, float | None]:
    """An estimate as metrics: its value, and the ends of its interval; None, which Inspect leaves
    out, where there is none."""
    values = {"": estimate.value, "_low": estimate.low, "_high": estimate.high}
    return {f"{name}{end}": value for end, value in values.items()}


def _return(fields: _Fields) -> float:
    return float(fields["return"])


def _oracle(fields: _Fields) -> float:
    return float(fields.get("oracle_return", math.nan))


def _random(fields: _Fields) -> float:
    return float(fields.get("random_return", math.nan))


def _gained(fields: _Fields) -> float:
    return _return(fields) - _random(fields)


def _gain(fields: _Fields) -> float:
    return _oracle(fields) - _random(fields)


def _over(compute: Callable[[list[SampleScore]], Any]) -> Metric:
    """A metric; Inspect reads in its annotations what it has to be given."""

    def over(scores: list[SampleScore]) -> Value:
        found: Value = compute(scores)
        return found

    return over


def _malformed(scores: Sequence[SampleScore]) -> Estimate:
    return _part(scores, lambda v: v["malformed"], lambda v: v["replies"])


@metric(scores="unreduced")
def return_ratio() -> Metric:
    """Mean return / mean return of a player who knows the system, with its 95 % interval."""
    return _over(lambda scores: said("return_ratio", _share(scores, _return, _oracle)))


@metric(scores="unreduced")
def normalised_return() -> Metric:
    """(mean return - random) / (oracle - random): 0 is random play, 1 knowing the system."""
    return _over(lambda scores: said("normalised_return", _share(scores, _gained, _gain)))


@metric(scores="unreduced")
def random_floor() -> Metric:
    """The return ratio of random play in expectation, on the same episodes; exact for each."""
    return _over(lambda scores: {"random_floor": said("s", _share(scores, _random, _oracle))["s"]})


@metric(scores="unreduced")
def mean_return() -> Metric:
    """Mean return, with its 95 % interval."""
    return _over(lambda scores: said("mean_return", _share(scores, _return, lambda _: 1.0)))


@metric(scores="unreduced")
def cut_share() -> Metric:
    """Share of samples that a limit cut short, with its 95 % interval."""
    return _over(lambda scores: said("cut_share", _part(scores, _cut, lambda _: 1.0)))


def _cut(fields: _Fields) -> float:
    return float(fields.get(CUT, 0))


@metric(scores="unreduced")
def malformed_share() -> Metric:
    """Malformed replies / replies, with its 95 % interval."""
    return _over(lambda scores: said("malformed_share", _malformed(scores)))


@metric(scores="unreduced")
def repaired_share() -> Metric:
    """Replies that were one legal action in another wrapping / replies, with its 95 % interval."""
    return _over(
        lambda scores: said(
            "repaired_share", _part(scores, lambda v: v.get("repaired", 0), lambda v: v["replies"])
        )
    )


@metric(scores="unreduced")
def by_cell() -> Metric:
    """Recitation: the return ratio of every cell, and the contrasts that the task is about.

    All are in units of the oracle's return, on the same episodes, so contrasts are paired:
    `recited_NAMES` is the zero-experiment arm over random play: what the names alone are worth;
    `discovered_NAMES` is what experiments add to that; `NAMES_against_nonsense` compares kinds of
    names where there are experiments.
    """

    def compute(scores: list[SampleScore]) -> Value:
        cells: dict[tuple[str, str], list[SampleScore]] = {}
        for score in scores:
            where = score.sample_metadata or {}
            cells.setdefault((where["names"], where["arm"]), []).append(score)
        found: dict[str, float | None] = {"cells": float(len(cells))}
        for (names, arm), own in cells.items():
            found |= said(f"{names}_{arm}", _share(own, _return, _oracle))
            found[f"{names}_{arm}_malformed_share"] = said("s", _malformed(own))["s"]
        for names in dict.fromkeys(names for names, _ in cells):
            zero, full = cells.get((names, "zero"), []), cells.get((names, "experiments"), [])
            if zero:
                found |= said(f"recited_{names}", _share(zero, _gained, _oracle))
            if zero and full:
                found |= said(f"discovered_{names}", _contrast(full, zero))
            plain = cells.get(("nonsense", "experiments"), [])
            if names != "nonsense" and full and plain:
                found |= said(f"{names}_against_nonsense", _contrast(full, plain))
        return found

    return compute


def _contrast(one: list[SampleScore], other: list[SampleScore]) -> Estimate:
    """Difference of the return ratios of two cells over the episodes that both have."""

    def by_cluster(scores: list[SampleScore]) -> dict[str, tuple[float, float]]:
        found: dict[str, list[tuple[float, float]]] = {}
        for score in scores:
            fields = score.score.as_dict()
            cluster = str((score.sample_metadata or {})[CLUSTER])
            found.setdefault(cluster, []).append((_return(fields), _oracle(fields)))
        return {c: (float(np.mean([r for r, _ in v])), v[0][1]) for c, v in found.items()}

    first, second = by_cluster(one), by_cluster(other)
    shared = [c for c in first if c in second]
    if not shared:
        return Estimate(None)
    difference = [first[c][0] - second[c][0] for c in shared]
    return ratio(difference, [first[c][1] for c in shared])


_METRICS: list[Any] = [
    return_ratio(),
    normalised_return(),
    random_floor(),
    malformed_share(),
    repaired_share(),
    mean_return(),
    cut_share(),
]


def scored_by(score: Callable[[TaskState], Score]) -> Scorer:
    """A scorer that needs no target."""

    async def scores(state: TaskState, target: Target) -> Score:
        return score(state)

    return scores


def _score(state: TaskState) -> Score:
    episode, ended, why = (state.metadata[key] for key in ("episode", "end", CUT))
    done = [line or "(passed)" for _, line in episode["actions"]]
    answer = done[-1] if done else ""
    if ended is None:
        explanation = f"Cut short by {why}, in a world that is measured: there is no score."
        return Score.unscored(reason="scoring_failed", answer=answer, explanation=explanation)
    replies, malformed = ended["replies"], ended["malformed"]
    repaired = sum(kind == "repaired" for _, kind, *_ in episode["heard"])
    told = [f"{'; '.join(done) or 'Nothing was done'}."]
    told += [f"Malformed replies: {malformed} of {replies}.", say_cut(why)]
    if replies and malformed == replies and episode["conditions"]["tools"] != "none":
        told.append("No reply was a tool call: if this model cannot call tools, use tools=none.")
    explanation = " ".join(filter(None, told))
    return Score(value=ended | {"repaired": repaired}, answer=answer, explanation=explanation)


@scorer(metrics=_METRICS)
def episode_return() -> Scorer:
    """Return, oracle and random return, malformed and repaired replies, passed steps and replies,
    and whether it was cut short: then what was left has passed with nothing done."""
    return scored_by(_score)


@scorer(metrics=[by_cell(), *_METRICS])
def recitation_return() -> Scorer:
    """As `episode_return`, and by cell."""
    return scored_by(_score)
