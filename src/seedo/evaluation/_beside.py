"""People beside others who acted on the same systems."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedo.statistics import Cluster, Estimate, missing, ratios

DEFINITIONS: dict[str, str] = {
    "participants": "where a log says whose each episode is, the units are people, and n counts"
    " them: ratios are bootstrapped over participants with all their episodes, means and shares are"
    " those over participants' own, with Student's t interval. The intervals are about other people"
    " on systems like these if each had systems of their own, on these very systems if all had the"
    " same.",
    "people beside": "on the systems that both met, with the same noise: (people's mean return -"
    " the other's) / mean oracle return, so 0 is as good as the other, 0.1 a tenth of the ceiling"
    " better. Every episode of a person is held against what the other did with that system; the"
    " interval is over people.",
}


@dataclass(frozen=True)
class Beside:
    """A run of people against another run, paired by system.

    Attributes:
        people, other: display names of the runs.
        systems: that both met.
        participants: who met them.
        difference: of return ratios, people's less the other's.
    """

    people: str
    other: str
    systems: int
    participants: int
    difference: Estimate


@dataclass(frozen=True, eq=False)
class Returns:
    """What a run got.

    Attributes:
        name: display name.
        episode: int64[B, 2], seed and id: which system and noise.
        own, oracle: float64[B], NaN where unknown.
        people: whose each episode is; None: nobody's.
    """

    name: str
    episode: NDArray[np.int64]
    own: NDArray[np.float64]
    oracle: NDArray[np.float64]
    people: Cluster | None


def beside(people: Returns, other: Returns) -> Beside:
    """The comparison; `difference` says why where there is none. `people.people` is not None."""
    assert people.people is not None
    theirs = {
        (int(seed), int(index)): float(own)
        for (seed, index), own in zip(other.episode, other.own, strict=True)
        if np.isfinite(own)
    }
    matched = np.array([theirs.get((int(s), int(i)), np.nan) for s, i in people.episode])
    known = np.isfinite(matched) & np.isfinite(people.own) & np.isfinite(people.oracle)
    whose = people.people[known]
    if known.any():
        own, oracle = people.own[known], people.oracle[known]
        difference = ratios([own - matched[known]], [oracle], cluster=whose)[0]
    else:
        difference = missing("no system that both met")
    return Beside(
        people.name,
        other.name,
        len(np.unique(people.episode[known], axis=0)),
        len(np.unique(whose)),
        difference,
    )
