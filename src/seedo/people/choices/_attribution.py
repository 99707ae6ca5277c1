"""Which strategy's scores predict what a person chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp

from seedo.people.choices._histories import Histories
from seedo.people.choices._strategies import TIE, Scores

Array = NDArray[np.float64]

LAPSES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
"""Shares of choices at random. Whoever lapses in more than half follows no strategy."""
SOFT_LAPSES = (*LAPSES, 0.6, 0.7, 0.8)
"""The same where it is asked only how well a rule predicts."""
SHARPNESS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""How strongly a choice follows the scores: softmax of so many times the score."""


def best_marks(scores: Scores) -> NDArray[np.bool_]:
    """bool[R, B, S, I]: the interventions with the highest score, all that are as good."""
    found: NDArray[np.bool_] = scores >= scores.max(axis=-1, keepdims=True) - TIE
    return found


def best_logs(part: Histories, scores: Scores) -> Array:
    """float64[len(LAPSES), B]: log probability of an episode's choices for who takes the best
    (several best at random) but lapses so often."""
    best = best_marks(scores)
    took = np.take_along_axis(best, part.chosen[None, ..., None], axis=-1)[..., 0]
    chance = (took / best.sum(axis=-1)).mean(axis=0)  # [B, S]
    lapse = np.array(LAPSES)[:, None, None]
    found: Array = np.log((1 - lapse) * chance + lapse / len(part.settings)).sum(axis=-1)
    return found


def soft_logs(part: Histories, scores: Scores) -> Array:
    """float64[len(SHARPNESS) * len(SOFT_LAPSES), B]: log probability of an episode's choices for
    who takes interventions by the softmax of their scores but lapses so often."""
    found = []
    at = part.chosen[None, ..., None]
    for sharpness in SHARPNESS:
        log = np.take_along_axis(log_softmax(sharpness * scores, axis=-1), at, axis=-1)[..., 0]
        chance = np.exp(logsumexp(log, axis=0) - np.log(len(scores)))
        for lapse in SOFT_LAPSES:
            mixed = (1 - lapse) * chance + lapse / len(part.settings)
            found.append(np.log(mixed).sum(axis=-1))
    return np.stack(found)


def attributed(logs: Mapping[str, Array]) -> tuple[NDArray[np.str_], Array]:
    """To each person the strategy under which their choices are likeliest, at its best lapse.

    Args:
        logs: by strategy, float64[lapses, people].

    Returns:
        text[people], and float64[people], by how much log probability it leads.
    """
    names = np.array(list(logs))
    best = np.stack([each.max(axis=0) for each in logs.values()])
    order = np.sort(best, axis=0)
    return names[best.argmax(axis=0)], order[-1] - order[-2]


def told_apart(logs: Mapping[str, Array]) -> tuple[list[str], Array]:
    """How probable each strategy is by a person's choices, if all were equally so before, and every
    share of lapses.

    Args:
        logs: by strategy, float64[lapses, people].

    Returns:
        The strategies, and float64[strategies, people], which sums to 1 over them.
    """
    weight = np.stack([logsumexp(each, axis=0) - np.log(len(each)) for each in logs.values()])
    found: Array = np.exp(weight - logsumexp(weight, axis=0))
    return list(logs), found


@dataclass(frozen=True, eq=False)
class Prediction:
    """How well one rule predicts people whom it was not fitted to.

    Attributes:
        bits: float64[people], a choice, beyond choosing at random.
        fitted: int64[folds], the parameters chosen on the others, by number.
    """

    bits: Array
    fitted: NDArray[np.int64]


def held_out(logs: Array, choices: NDArray[np.int64], chance: Array, folds: int = 5) -> Prediction:
    """Cross-validation over people.

    Args:
        logs: float64[parameters, people], of all choices of a person.
        choices: int64[people], how many.
        chance: float64[people], log probability of the choices at random.
        folds: people are dealt to them in turn.
    """
    people = np.arange(len(choices))
    bits = np.full(len(people), np.nan)
    fitted = []
    for fold in range(min(folds, len(people))):
        out = people % folds == fold
        best = int((logs[:, ~out].sum(axis=1)).argmax())
        bits[out] = (logs[best, out] - chance[out]) / choices[out] / np.log(2)
        fitted.append(best)
    return Prediction(bits, np.array(fitted))
