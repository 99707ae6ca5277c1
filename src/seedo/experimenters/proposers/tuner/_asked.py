"""The network asked about settings: one goal after the other, and two together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedo.experimenters.proposers._front import Ranges, Stairs, reach, ways
from seedo.experimenters.proposers.tuner._network import (
    Outlook,
    Question,
    Weights,
    normalised,
    outlook,
)
from seedo.experimenters.proposers.tuner._view import Frame

Array = NDArray[np.float64]

_LEAST = 1e-9
"""Hypervolume below which settings are all the same."""


def question(
    frame: Frame, tried: Array, outcome: Array, further: Array, sharp: float
) -> tuple[Question, float]:
    """What the network is asked, and the standard deviation of the outcomes."""
    single = np.float32
    spread = outcome - outcome.mean()  # before it is made single: small beside large is kept
    score = spread / (np.abs(spread).max() or 1.0)
    asked = Question(
        *frame.seen(tried), score.astype(single), np.ones(len(tried), single),
        *frame.seen(further), frame.kind, np.ones(tried.shape[1], single),
        single(frame.mixture), single(sharp),
    )  # fmt: skip
    return asked, float(outcome.std() or 1.0)


def believed(weights: Weights, frame: Frame, tried: Array, outcome: Array, pending: Array) -> Array:
    """Outcomes, float64[P], that are taken for those of pending settings float64[P, K] while these
    are being made."""
    found = np.empty(0)
    for i in range(len(pending)):
        known = np.concatenate([tried, pending[:i]])
        read = np.concatenate([outcome, found])
        told, spread = _outlook(weights, frame, known, read, pending[[i]])
        found = np.append(found, read.mean() + spread * float(told.trust @ told.mean[:, 0, 0]))
    return found


def scalarised(worths: Array, rng: np.random.Generator) -> Array:
    """One number a run, float64[R], to be raised in place of worths float64[R, G]: how far it gets
    in a direction drawn by chance."""
    above = Ranges.of(worths).of_worths(worths)
    return reach(above, ways(1, worths.shape[1], rng))[:, 0]


@dataclass(frozen=True, eq=False)
class TwoGoals:
    """What settings promise for two goals at once.

    As with one goal, promise is a logarithm that heads agree on, of scores and of ranks; what is
    expected is no improvement on the best, but hypervolume added to the front.

    Attributes:
        weights: of the network.
        frame: of the settings.
        tried: float64[H, K].
        worths: float64[H, 2], to be raised.
        ranges, fronts: of what was tried, by scores and by ranks.
    """

    weights: Weights
    frame: Frame
    tried: Array
    worths: Array
    ranges: tuple[Ranges, ...]
    fronts: tuple[Stairs, ...]

    @classmethod
    def of(cls, weights: Weights, frame: Frame, tried: Array, worths: Array) -> TwoGoals:
        """After runs float64[H, K] of worths float64[H, 2]."""
        told = [_outlook(weights, frame, tried, y, tried)[0] for y in worths.T]
        read = np.stack([_scores(y) for y in worths.T], axis=2)
        fitted = np.stack([np.einsum("b,bmc->mc", t.trust, t.mean) for t in told], axis=2)
        ranges = tuple(Ranges.of(read[:, c]) for c in (0, 1))
        # Between what was read, which noise moves, and what heads make of it, as for one goal.
        middle = (read + fitted) / 2
        fronts = tuple(Stairs.over(r.of_worths(middle[:, c])) for c, r in enumerate(ranges))
        return cls(weights, frame, tried, worths, ranges, fronts)

    def promise(self, further: Array) -> Array:
        """How much settings float64[M, K] promise, float64[M]."""
        if not len(further):
            return np.empty(0)
        told = [_outlook(self.weights, self.frame, self.tried, y, further)[0]
                for y in self.worths.T]  # fmt: skip
        trust = (told[0].trust + told[1].trust) / 2
        total = np.zeros(len(further))
        for c, (front, ranges) in enumerate(zip(self.fronts, self.ranges, strict=True)):
            for head, share in enumerate(trust):
                mean, unsure = (
                    np.stack([part[head, :, c] for part in parts], axis=1).astype(np.float64)
                    for parts in ([t.mean for t in told], [t.unsure for t in told])
                )
                added = front.expected(ranges.of_worths(mean), unsure / ranges.span)
                total += share * np.log(np.maximum(added, 0) + _LEAST)
        return total


def _outlook(
    weights: Weights, frame: Frame, tried: Array, outcome: Array, further: Array
) -> tuple[Outlook, float]:
    """And the standard deviation of the outcomes."""
    from scipy import special  # here, because it takes long to import

    asked, spread = question(frame, tried, outcome, further, 1.0)
    return outlook(weights, asked, np, special), spread


def _scores(outcome: Array) -> Array:
    """Outcomes float64[H] as `Outlook` counts them, float64[H, 2]."""
    from scipy import special

    found: Array = normalised(outcome, np.ones(len(outcome)), np, special)
    return found
