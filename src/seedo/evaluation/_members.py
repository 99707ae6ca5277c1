"""The runs of a review with the figures of their episodes, and what a group is held against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedo.evaluation._beside import Returns
from seedo.evaluation._metrics import UNTESTED
from seedo.evaluation._regret import NO_RATIO
from seedo.evaluation._runs import Run
from seedo.evaluation._strategies import BAYES, HEURISTICS
from seedo.statistics import Cluster, Estimate, missing, ratios

System = tuple[int, int]
"""Whence, by seed and stream, and number: a system with its noise."""


class Member(NamedTuple):
    """A run, episode by episode.

    Attributes:
        label, key: see `Opened`.
        episode: int64[B, 2], whence and number.
        returns: by player, see `episode_returns`.
        values: other figures by name, float64[B], NaN where unknown.
        people: whose each episode is; None: nobody's.
    """

    run: Run
    label: str
    key: tuple[str, str, str]
    episode: NDArray[np.int64]
    returns: dict[str, NDArray[np.float64]]
    values: dict[str, NDArray[np.float64]]
    config: dict[str, Any]
    people: Cluster | None

    @property
    def own(self) -> Returns:
        """What the player got, and where."""
        returns = self.returns
        return Returns(
            self.run.agent, self.episode, returns["agent"], returns["oracle"], self.people
        )

    @property
    def systems(self) -> list[System]:
        """Of every episode."""
        return [(seed, number) for seed, number in self.episode.tolist()]


REFERENCES = ("random", UNTESTED, *HEURISTICS, BAYES)
"""Those that runs are held against, less the oracle."""


def references(members: Sequence[Member]) -> tuple[dict[str, Estimate], dict[str, Estimate]]:
    """Return ratios and regrets of those that runs are held against, over distinct episodes."""
    every = [m.returns for m in members]
    names = [name for name in REFERENCES if all(name in returns for returns in every)]
    if members[0].run.regret is not None:
        nothing = dict.fromkeys([*names, "oracle"], missing(NO_RATIO))
        return nothing, dict(nothing)
    _, which = np.unique(np.concatenate([m.episode for m in members]), axis=0, return_inverse=True)
    which = which.ravel()
    oracle, chance = (np.concatenate([r[name] for r in every]) for name in ("oracle", "random"))

    def over_systems(values: NDArray[np.float64], count: NDArray[Any]) -> Any:
        with np.errstate(invalid="ignore"):
            return np.bincount(which, values) / count

    top, bottom, lost, wide = [], [], [], []
    for name in names:
        own = np.concatenate([returns[name] for returns in every])
        known = np.isfinite(own) & np.isfinite(oracle)
        count = np.bincount(which, known)
        top.append(over_systems(np.where(known, own, 0.0), count))
        bottom.append(over_systems(np.where(known, oracle, 0.0), count))
        lost.append(over_systems(np.where(known, oracle - own, 0.0), count))
        wide.append(over_systems(np.where(known, oracle - chance, 0.0), count))
    found = dict(zip(names, ratios(top, bottom), strict=True))
    regrets = dict(zip(names, ratios(lost, wide), strict=True))
    for name in names:
        if found[name].value is None:
            m = members[0].run.metrics
            reader = m.readers.get(name)
            reason = (m.random_floor if reader is None else reader.return_ratio).reason
            found[name] = missing(reason or found[name].reason)
            regrets[name] = missing(reason or regrets[name].reason)
    floor = found["random"]
    for each, ceiling in ((found, 1.0), (regrets, 0.0)):
        each["oracle"] = (
            Estimate(ceiling, ceiling, ceiling, floor.n)
            if floor.value is not None
            else missing(floor.reason)
        )
    return found, regrets
