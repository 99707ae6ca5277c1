"""Beliefs over hypotheses, and what an intervention is expected to say about them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from seedo.errors import UserError

Array = NDArray[np.float64]


def entropy(probabilities: Array) -> Array:
    """Shannon's, in bits, over the last axis."""
    found: Array = -xlogy(probabilities, probabilities).sum(axis=-1) / np.log(2)
    return found


def update(belief: Array, likelihood: Array) -> Array:
    """float64[..., H]: beliefs after an outcome that has this likelihood under each hypothesis.

    Raises:
        UserError: the outcome cannot be under any hypothesis that is believed in.
    """
    joint = belief * likelihood
    total = joint.sum(axis=-1, keepdims=True)
    if not (total > 0).all():
        remedy = "impossible under every hypothesis: allow for noise, or for more hypotheses"
        raise UserError("outcome", None, remedy)
    found: Array = joint / total
    return found


def information(belief: Array, likelihood: Array) -> Array:
    """Expected information gain about the hypotheses, in bits: their mutual information with the
    outcome (Lindley 1956).

    Args:
        belief: float64[..., H], sums to 1.
        likelihood: float64[I, H, O].

    Returns:
        float64[..., I].
    """
    settings, hypotheses, outcomes = likelihood.shape
    flat = np.moveaxis(likelihood, 1, 0).reshape(hypotheses, settings * outcomes)
    expected = (belief @ flat).reshape(*belief.shape[:-1], settings, outcomes)
    within = belief @ entropy(likelihood).T
    return np.maximum(entropy(expected) - within, 0.0)  # rounding may leave -1e-17
