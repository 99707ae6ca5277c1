"""What would be chosen by whom: a score of every intervention at every step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from seedo.inference.binary import information
from seedo.people.choices._histories import Histories

Array = NDArray[np.float64]
Scores: TypeAlias = Array
"""float64[R, B, S, I]: in R ways, each as likely, in which the chooser may see things."""
TIE = 1e-9
"""Scores as near as this are alike."""
_ROWS = 2048  # beliefs weighed at once: with four nodes 20 MB


def _random(part: Histories, belief: Array) -> Array:
    return np.zeros((*belief.shape[:-1], len(part.settings)))


def _positive_test(part: Histories, belief: Array) -> Array:
    """The largest share of a graph's links that would light, each graph weighed by how likely it
    is beside the likeliest: with two that are as likely, Coenen, Rehder & Gureckis (2015)."""
    weight = belief / belief.max(axis=-1, keepdims=True)
    return np.stack([(weight * lit).max(axis=-1) for lit in part.lit], axis=-1)


def _largest_effect(part: Histories, belief: Array) -> Array:
    found: Array = belief @ part.effect.T
    return found


def _information(part: Histories, belief: Array) -> Array:
    flat = belief.reshape(-1, belief.shape[-1])
    parts = [
        information(flat[start : start + _ROWS], part.likelihood)
        for start in range(0, len(flat), _ROWS)
    ]
    return np.concatenate(parts).reshape(*belief.shape[:-1], -1)


STRATEGIES: Mapping[str, Callable[[Histories, Array], Array]] = {
    "random": _random,
    "positive test": _positive_test,
    "largest effect": _largest_effect,
    "information": _information,
}
"""Those among which a person's choices are attributed: beliefs float64[..., H] to a score of every
intervention, float64[..., I]."""


def scores(part: Histories, strategy: str) -> Scores:
    """What one of `STRATEGIES` gives at every step to who believes all that was seen."""
    return STRATEGIES[strategy](part, part.beliefs[:, :-1])[None]


def limited_information(
    part: Histories,
    memory: int | None = None,
    samples: int | None = None,
    ways: int = 1,
    seed: int = 0,
) -> Scores:
    """Expected information for who remembers the last `memory` steps only, or weighs so many
    graphs (drawn from their beliefs, with repetition) in place of all.

    Args:
        ways: R, how many draws of the samples.
    """
    belief = part.beliefs_of(memory)[:, :-1]
    if samples is None:
        return _information(part, belief)[None]
    drawn = np.random.default_rng(seed).multinomial(samples, belief, (ways, *belief.shape[:-1]))
    return _information(part, drawn / samples)
