"""A study tried out by scripted participants: scores to expect, differences it can find."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from seedo.lab.study._config import StudyConfig
from seedo.lab.study._plan import Plan
from seedo.lab.study._tasks import task_of
from seedo.statistics import Estimate, Power, mean, power

_SHARED, _OWN = 100, 20
"""Scripted people in each condition, by whether they share systems: systems take time to make."""

_GUESSING = 0.25
"""Share of scripted people who pay no attention to what they see."""

_MOST_LAPSES = 0.3
_MOST_PEOPLE = 1_000_000


@dataclass(frozen=True)
class Pilot:
    """What scripted participants say of a study.

    Attributes:
        people: in each condition.
        means: score of each condition, see `_ending.score`.
        levels: the two of the plan's factor that are compared; () without factors.
        difference: of their mean scores, first less second; None without factors.
        power: what the study can find with all its places filled; None without factors, or with
            fewer than two people a level.
        needed: finishers at each level to find the plan's difference 4 times in 5; None: more than
            a million, or without factors.
    """

    people: int
    means: dict[str, Estimate]
    sd: float
    plan: Plan
    levels: tuple[str, ...]
    difference: Estimate | None
    power: Power | None
    needed: int | None

    def lines(self) -> list[str]:
        """For people."""
        said = [
            f"Pilot: {self.people} scripted participants in each condition, a quarter of them "
            "guessing, the others choosing by what they saw, with lapses."
        ]
        said += [f"score in {label}: {_shown(each)}" for label, each in self.means.items()]
        if self.difference is None:
            return [*said, "One condition: nothing to compare."]
        first, second = self.levels
        said.append(f"{first} less {second}: {_shown(self.difference)}")
        if self.power is not None:
            said.append(
                f"With {self.power.n} finishers at each level (standard deviation of a score "
                f"{self.sd:.2f}), a difference of {self.power.detectable:.2f} is found 80 % of "
                "the time (two-sided t test at 5 %)."
            )
        many = "more than a million" if self.needed is None else f"{self.needed:,}"
        said.append(f"A difference of {self.plan.difference:g} needs {many} at each level.")
        said.append(
            "Scripts do not read instructions or names: what these do to people is yours to guess, "
            "and people may differ more among themselves."
        )
        return said

    def to_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "people": self.people,
            "means": {label: each.to_json() for label, each in self.means.items()},
            "sd": self.sd,
            "levels": list(self.levels),
            "difference": self.difference and self.difference.to_json(),
            "detectable": self.power and self.power.detectable,
            "finishers_a_level": self.power and self.power.n,
            "planned": self.plan.difference,
            "needed_a_level": self.needed,
        }


def pilot(config: StudyConfig, seed: int = 0) -> Pilot:
    """Let scripted participants do a study's tasks; nothing is stored.

    Args:
        seed: of who they are and what they choose; the systems are those of the study.
    """
    people = _SHARED if config.systems == "shared" else _OWN
    labels = [label for label, _ in config.conditions()]
    rng = np.random.default_rng([seed, config.seed])
    scores = {label: _scores(config, label, people, rng) for label in labels}
    means = {label: mean(own) for label, own in scores.items()}
    sd = float(np.sqrt(np.mean([np.var(own, ddof=1) for own in scores.values()])))
    plan = config.plan or Plan(config.factors[0].name if config.factors else "")
    if not config.factors:
        return Pilot(people, means, sd, plan, (), None, None, None)
    which = [f.name for f in config.factors].index(plan.factor)
    factor = config.factors[which]
    picked = itertools.product(*(range(len(f.levels)) for f in config.factors))
    level_of = {label: levels[which] for label, levels in zip(labels, picked, strict=True)}
    first, second = (
        np.concatenate([own for label, own in scores.items() if level_of[label] == level])
        for level in (0, 1)
    )
    levels = (factor.label(0), factor.label(1))
    each = config.max_participants // len(factor.levels)
    found = power(each, sd, paired=False) if each > 1 else None
    needed = _needed(plan.difference, sd)
    # As many of each, and nobody is in both: in pairs as they come, the interval holds.
    return Pilot(people, means, sd, plan, levels, mean(first - second), found, needed)


def _scores(
    config: StudyConfig, label: str, people: int, rng: np.random.Generator
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """[people]; a study whose best choices are worth nothing has scores of 0."""
    scores = np.zeros(people)
    for person in range(people):
        tasks = [task_of(config, label, person + 1, t) for t in range(config.tasks)]
        guesses = rng.random() < _GUESSING
        lapses = 1.0 if guesses else rng.uniform(0, _MOST_LAPSES)
        earned = sum(task.returns(task.scripted(lapses, rng)) for task in tasks)
        possible = sum(task.best for task in tasks)
        scores[person] = earned / possible if possible > 0 else 0.0
    return scores


def _needed(difference: float, sd: float) -> int | None:
    """The smallest number at each level that finds a difference 4 times in 5."""
    low, high = 2, 4
    while power(high, sd, paired=False).detectable > difference:
        low, high = high, 2 * high
        if high > _MOST_PEOPLE:
            return None
    while low < high:
        middle = (low + high) // 2
        if power(middle, sd, paired=False).detectable > difference:
            low = middle + 1
        else:
            high = middle
    return high


def _shown(estimate: Estimate) -> str:
    if estimate.value is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.2f}"
    return f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f})"
