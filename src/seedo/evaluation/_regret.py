"""How good the best setting was after each run, in worlds whose knobs are set all at once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.episodes import EXPLORE, EpisodeBatch
from seedo.errors import UserError
from seedo.evaluation._replay import world_of
from seedo.spaces import Goals
from seedo.statistics import Estimate, clusters_of, mean, missing
from seedo.worlds import Bench, kind_of

Array = NDArray[np.float64]

_POINTS = 60
"""Numbers of runs at which a longer curve is measured."""

NO_RATIO = "outcomes to be raised or lowered have no natural zero: see the regret"

DEFINITIONS: dict[str, str] = {
    "best found": "the largest worth (goals to be lowered with a minus) among the settings that"
    " were tried in the first runs; by what settings are worth in truth where the log tells, as"
    " that of recorded and simulated worlds does, else by what was measured. Mean over episodes.",
    "regret": "(oracle - best found) / (oracle - random): 0 is the best setting there is, 1 is as"
    " good as one by chance, and so is having found nothing.",
    "regret, kept": "the same of the setting that was kept in the end.",
    "area": "mean of the regret after 1, 2, ... runs: the area under its curve.",
}


@dataclass(frozen=True)
class Regret:
    """The curve of one run of a player; see `DEFINITIONS`.

    Attributes:
        runs: numbers of runs, ascending, the last all of them.
        best: at each.
        regret: at each; without a value where oracle or chance is unknown.
        kept, area: see there.
        exact: whether worths are those that the log tells, rather than measurements.
    """

    runs: tuple[int, ...]
    best: tuple[Estimate, ...]
    regret: tuple[Estimate, ...]
    kept: Estimate
    area: Estimate
    exact: bool

    def after(self, runs: int) -> Estimate:
        """The regret after so many runs."""
        if runs in self.runs:
            return self.regret[self.runs.index(runs)]
        return missing(f"no figure after {runs} runs")


def regret(batch: EpisodeBatch) -> Regret | None:
    """The curve of a log; None where its world says no goals of settings."""
    goals = _goals(batch)
    if goals is None:
        return None
    exploring = batch.phase == EXPLORE
    count = int(exploring.sum(axis=1).min())
    if count < 1:
        return None
    told = _told(batch)
    worth = _measured(batch, goals) if told is None else told
    steps = np.stack([np.flatnonzero(row)[:count] for row in exploring])
    tried = np.take_along_axis(worth, steps, axis=1)
    oracle = batch.oracle_return.astype(np.float64)[:, None]
    chance = batch.random_return.astype(np.float64)[:, None]
    best = np.fmax.accumulate(tried, axis=1)
    best = np.where(np.isnan(best), chance, best)
    kept = batch.returns.astype(np.float64)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        wide = np.where(oracle > chance, oracle - chance, np.nan)
        # Oracle and chance have single precision in logs.
        curve, kept = (np.round((oracle - each) / wide, 6) + 0.0 for each in (best, kept))
    at = _points(count)
    people = clusters_of(batch.participant)

    def over(values: Array) -> Estimate:
        known = np.isfinite(values).any()
        return mean(values, people) if known else missing("its best and chance are unknown")

    return Regret(
        runs=tuple(at),
        best=tuple(over(best[:, r - 1]) for r in at),
        regret=tuple(over(curve[:, r - 1]) for r in at),
        kept=over(kept[:, 0]),
        area=over(curve.mean(axis=1)),
        exact=told is not None,
    )


def _points(count: int) -> list[int]:
    if count <= _POINTS:
        return list(range(1, count + 1))
    usual = [r for r in (5, 10, 20, 50, 100) if r <= count]
    return sorted({*np.rint(np.geomspace(1, count, _POINTS)).astype(int).tolist(), *usual})


def _goals(batch: EpisodeBatch) -> Goals | None:
    """The goals that a log's world says, if all of them were read."""
    origin = batch.origin
    config: dict[str, Any] = json.loads(origin.world_config)
    aims = config.get("aims", config.get("goals"))  # of a campaign's log: its file's
    goals: Goals | None
    try:
        if isinstance(aims, dict) and aims:
            goals = Goals.from_json(aims)
        elif issubclass(kind_of(origin.world, origin.world_config), Bench):
            goals = world_of(batch).spec.goals
        else:
            return None
    except (UserError, TypeError):
        return None
    return goals if goals and set(goals.readings) <= set(origin.variables) else None


def _measured(batch: EpisodeBatch, goals: Goals) -> Array:
    """float64[B, S]: what each step's readings are worth."""
    outcomes = batch.outcome.astype(np.float64)
    read = goals.read(outcomes.reshape(-1, batch.n), batch.origin.variables)
    return goals.value(read).reshape(outcomes.shape[:2])


def _told(batch: EpisodeBatch) -> Array | None:
    """float64[B, S]: what each step's setting is worth, as the log says; None: it does not."""
    if batch.system is None:
        return None
    found = np.full(batch.phase.shape, np.nan)
    for row, text in zip(found, batch.system, strict=True):
        try:
            worth = json.loads(text)["worth"]
            row[:] = [np.nan if value is None else float(value) for value in worth]
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
    return found
