"""People and other players in one model of scores: who is better, over people and over systems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seedo.evaluation._beside import Returns
from seedo.statistics import NOBODY, Estimate, crossed_scores

DEFINITIONS: dict[str, str] = {
    "mixed model": "score = player + person + system + player x system + the rest, by REML, where"
    " the score is the return / the mean oracle return of the systems that people met: players are"
    " fixed, the other parts random and normal with the same spread for all, `person` in people's"
    " scores alone. A part that nothing repeats is left out. Intervals are Student's t with"
    " Satterthwaite's degrees of freedom, and about other people and other systems like these,"
    " where those of `people beside` are about other people on these systems. Who stands in two"
    " logs counts as two people.",
}


@dataclass(frozen=True)
class PlayersLevel:
    """A player's mean score by the model; `people` is 0 for players that are none."""

    player: str
    people: int
    episodes: int
    score: Estimate


@dataclass(frozen=True)
class PlayersDifference:
    """A run of people less another run."""

    people: str
    other: str
    difference: Estimate


@dataclass(frozen=True)
class Mixed:
    """The mixed model of a group; see `DEFINITIONS`.

    Attributes:
        model: what was fitted, in words; "" where there is no model.
        reason: why there is none.
        spread: standard deviations of the random parts and of the rest, in scores.
        levels: of every player.
        differences: every run of people less every other run; two of people once.
    """

    model: str
    reason: str
    people: int
    systems: int
    spread: dict[str, float] = field(default_factory=dict)
    levels: tuple[PlayersLevel, ...] = ()
    differences: tuple[PlayersDifference, ...] = ()


def mixed(runs: Sequence[Returns]) -> Mixed | None:
    """The model of runs of one group, on the systems that people met; None where none are people's.

    Runs of which no episode on these systems has a score are left out.
    """
    met = {system for run in runs if run.people is not None for system in _systems(run)}
    if not met:
        return None
    rows: list[tuple[float, int, Any, tuple[int, int]]] = []
    ceiling: dict[tuple[int, int], float] = {}
    for number, run in enumerate(runs):
        known = np.isfinite(run.own) & np.isfinite(run.oracle)
        for at, system in enumerate(_systems(run)):
            if known[at] and system in met:
                whose = NOBODY if run.people is None else (number, int(run.people[at]))
                rows.append((float(run.own[at]), number, whose, system))
                ceiling[system] = float(run.oracle[at])
    if not rows:
        return Mixed("", "no episode has a return and an oracle return", 0, 0)
    mean = float(np.mean(list(ceiling.values())))
    if mean <= 0:
        return Mixed("", f"the mean oracle return is {mean:.3g}: no share of it", 0, 0)
    returns, numbers, names, systems = zip(*rows, strict=True)
    there, player = np.unique(numbers, return_inverse=True)
    people = dict.fromkeys(name for name in names if name != NOBODY)
    code = {name: k for k, name in enumerate(people)} | {NOBODY: NOBODY}
    person = np.array([code[name] for name in names])
    order = {system: k for k, system in enumerate(ceiling)}
    met_there = np.array([order[each] for each in systems])
    fit = crossed_scores(np.array(returns) / mean, player, person, met_there)
    if isinstance(fit, str):
        return Mixed("", fit, len(people), len(order))
    kept = [runs[number] for number in there.tolist()]
    human = [k for k, run in enumerate(kept) if run.people is not None]
    levels = []
    for k, run in enumerate(kept):
        own = player == k
        count = len(np.unique(person[own])) if k in human else 0
        levels.append(PlayersLevel(run.name, count, int(own.sum()), fit.of(k)))
    differences = [
        PlayersDifference(kept[a].name, kept[b].name, fit.difference(a, b))
        for a in human
        for b in range(len(kept))
        if b not in human or a < b
    ]
    return Mixed(fit.model, "", len(people), len(order), dict(fit.spread), tuple(levels),
                 tuple(differences))  # fmt: skip


def _systems(run: Returns) -> list[tuple[int, int]]:
    """Of every episode."""
    return [(seed, number) for seed, number in run.episode.tolist()]
