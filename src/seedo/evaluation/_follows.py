"""Whose choices which strategy predicts: experiments and answers, of people and of agents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from seedo.episodes import EpisodeBatch
from seedo.evaluation._exploring import RANDOM, Choices, explored
from seedo.evaluation._strategies import BAYES, HEURISTICS, Readings
from seedo.people.choices import LAPSES, SOFT_LAPSES, held_out, told_apart
from seedo.statistics import Estimate, clusters_of, mean, missing

Array = NDArray[np.float64]

CANNOT_TELL = "cannot tell"
"""Whoever is attributed no strategy."""
SURE = 0.95
"""Probability from which a strategy is attributed."""
_OPEN = 0.05

DEFINITIONS: dict[str, str] = {
    "strategies": "whoever follows one takes its best, with equal ones at random, but lapses in a"
    " share of choices and takes anything. Experiments: which variable was set, of"
    " steps on which one was; what to does not count. Answers: exploit actions. Each strategy is"
    " given the player's own history. Experiments: `in turn` takes what it set least often,"
    " `positive test` the variable that the largest share of a likely graph's links starts from"
    " (each graph weighed by how likely it is beside the likeliest), `largest effect` that of"
    " the largest expected effects on all others, `information` that of most expected bits, or any"
    " within a tenth of them.",
    "bits beyond random": "a choice, of choices that the share of lapses was not fitted to: five"
    " folds over people (over episodes, where they are no people's); intervals likewise.",
    "attributed": f"strategies that are {SURE:.0%} probable by all of a person's (an agent's) own"
    f" choices: equal before, lapses from {LAPSES[0]:.0%} to {LAPSES[-1]:.0%} alike. `A or B`: they"
    " would have taken the same throughout. Else:"
    f" {CANNOT_TELL}, and `open` has those that are still {_OPEN:.0%} probable. Whoever follows"
    " another strategy is given the nearest of these.",
}


@dataclass(frozen=True)
class Follower:
    """Whom the choices of one person, or of an agent, are like.

    Attributes:
        who: the participant; "" for an agent.
        strategy: the one attributed, or `CANNOT_TELL`.
        probability: of the likeliest.
        open: those that are not ruled out, likeliest first.
    """

    who: str
    choices: int
    strategy: str
    probability: float
    open: tuple[str, ...]


@dataclass(frozen=True)
class Followed:
    """Strategies for one kind of choice; see `DEFINITIONS`.

    Attributes:
        reason: why there are none.
        choices: how many were weighed.
        bits: by strategy but random, which is 0 by definition.
        attributed: how many people each strategy; of an agent 1 in all.
        followers: one each.
        missing: strategies that could not be had, and why.
    """

    reason: str = ""
    choices: int = 0
    bits: dict[str, Estimate] = field(default_factory=dict)
    attributed: dict[str, int] = field(default_factory=dict)
    followers: tuple[Follower, ...] = ()
    missing: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Follows:
    """Of one run."""

    experiments: Followed
    answers: Followed


def followed_experiments(batch: EpisodeBatch) -> Followed:
    """Which strategies predict a run's experiments."""
    return _followed(explored(batch), batch.participant)


def followed_answers(batch: EpisodeBatch, readings: Readings | str) -> Followed:
    """Which strategies predict a run's exploit actions; `readings`: of the same batch."""
    return _followed(_answers(readings), batch.participant)


def _answers(readings: Readings | str) -> Choices | str:
    """Exploit actions, beside those of whoever does not know the system."""
    if isinstance(readings, str):
        return readings
    at = np.flatnonzero(readings.action >= 0)
    best = {RANDOM: readings.legal[at]}
    best |= {n: readings.best[n][at] for n in (BAYES, *HEURISTICS) if n in readings.best}
    gone = {name: why for name, why in readings.missing.items() if name == BAYES}
    return Choices(readings.episode[at], readings.legal[at], readings.action[at], best, gone)


def _followed(choices: Choices | str, participant: list[str] | None) -> Followed:
    if isinstance(choices, str):
        return Followed(choices)
    if not len(choices.chosen):
        return Followed("nothing that could be chosen was")
    whose = clusters_of(participant)
    names = [""] if participant is None else sorted(set(participant))
    choices = replace(choices, best=_told_apart_here(choices.best))
    unit = choices.episode if whose is None else whose[choices.episode]
    person = np.zeros_like(unit) if whose is None else unit
    chance = -np.log(choices.could.sum(axis=1))
    bits = {
        name: _beyond_random(
            _by(unit, _logs(choices, name, SOFT_LAPSES)), np.unique(unit, return_counts=True)[1],
            _by(unit, chance[None])[0],
        )
        for name in choices.best if name != RANDOM
    }  # fmt: skip
    logs = {name: _by(person, _logs(choices, name, LAPSES)) for name in choices.best}
    people, count = np.unique(person, return_counts=True)
    followers = _attributed(logs, count, [names[p] for p in people.tolist()])
    given = [follower.strategy for follower in followers]
    counted = {name: given.count(name) for name in (*choices.best, CANNOT_TELL)}
    return Followed("", len(choices.chosen), bits, counted, followers, dict(choices.missing))


def _told_apart_here(best: Mapping[str, NDArray[np.bool_]]) -> dict[str, NDArray[np.bool_]]:
    """Strategies that would have taken the same throughout are one: "A or B"."""
    same: dict[bytes, list[str]] = {}
    for name, marks in best.items():
        same.setdefault(np.packbits(marks).tobytes(), []).append(name)
    return {" or ".join(names): best[names[0]] for names in same.values()}


def _by(unit: NDArray[np.int64], rows: Array) -> Array:
    """float64[K, units]: sums of float64[K, D] over the choices of each unit."""
    at = np.unique(unit, return_inverse=True)[1]
    return np.stack([np.bincount(at, row) for row in rows]).astype(np.float64)


def _beyond_random(logs: Array, count: NDArray[np.int64], chance: Array) -> Estimate:
    if len(count) < 2:
        return missing("one person or episode: nobody else to fit lapses on")
    return mean(held_out(logs, count, chance).bits)


def _attributed(
    logs: Mapping[str, Array], count: NDArray[np.int64], names: list[str]
) -> tuple[Follower, ...]:
    strategies, probability = told_apart(logs)
    order = np.argsort(-probability, axis=0, kind="stable")
    found = []
    for k, name in enumerate(names):
        first = order[0, k]
        top = float(probability[first, k])
        left = tuple(strategies[i] for i in order[:, k] if probability[i, k] > _OPEN)
        given = strategies[first] if top >= SURE else CANNOT_TELL
        found.append(Follower(name, int(count[k]), given, top, left))
    return tuple(found)


def _logs(choices: Choices, strategy: str, lapses: tuple[float, ...]) -> Array:
    """float64[lapses, D]: log probability of each choice for who follows a strategy."""
    best = choices.best[strategy]
    took = best[np.arange(len(best)), choices.chosen] / best.sum(axis=1)
    lapse = np.array(lapses)[:, None]
    found: Array = np.log((1 - lapse) * took + lapse / choices.could.sum(axis=1))
    return found
