"""People who are made up: who choose by one strategy, and lapse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seedo.inference.binary import update
from seedo.people.choices._histories import Histories
from seedo.people.choices._strategies import STRATEGIES, TIE


def simulate(
    part: Histories, strategy: str, lapse: float, steps: int, rng: np.random.Generator
) -> Histories:
    """The same people on the same systems, choosing by a strategy.

    Args:
        part: whose `truth` is known; what was chosen and seen does not count.
        lapse: share of choices at random.
        steps: of each episode.
    """
    episodes = len(part.person)
    belief = part.beliefs[:, 0]
    chosen, seen = [], []
    for _ in range(steps):
        score = STRATEGIES[strategy](part, belief)
        best = score >= score.max(axis=-1, keepdims=True) - TIE
        chance = (1 - lapse) * best / best.sum(axis=-1, keepdims=True) + lapse / score.shape[1]
        chosen.append(_draw(chance, rng))
        seen.append(_draw(part.likelihood[chosen[-1], part.truth], rng))
        belief = update(belief, part.likelihood[chosen[-1], :, seen[-1]])
    return replace(
        part, chosen=np.stack(chosen, axis=1), seen=np.stack(seen, axis=1),
        said=[[{}] * steps for _ in range(episodes)],
    )  # fmt: skip


def _draw(chance: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """One of the columns of each row, with these chances."""
    past = rng.random((len(chance), 1)) > chance.cumsum(axis=-1)
    return np.minimum(past.sum(axis=-1), chance.shape[1] - 1)
