"""`response-surface`: polynomials up to second order (Box & Wilson 1951, JRSS B 13)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from seedo.experimenters._proposer import wanted
from seedo.experimenters.proposers._front import LITTLE, Gain, Ranges
from seedo.experimenters.proposers._heeded import HeedingProposer
from seedo.experimenters.proposers._plain import filling
from seedo.experimenters.proposers._search import NOTHING, TRUSTED, Judge, fitted, highest
from seedo.inference.design import Response
from seedo.spaces import Goals, Runs, Space
from seedo.worlds import Spec

Array = NDArray[np.float64]

_DRAWS = 48
"""Draws of fitted polynomials."""
_SLIGHT = 1e-9
"""Share of the largest variance up to which another one is none."""


@dataclass(frozen=True)
class ResponseSurfaceProposer(HeedingProposer):
    """Fills the space first; then fits the polynomial that predicts runs left out best, straight
    lines as long as they do, and takes the setting of the largest expected improvement.

    Where a graph is known, knobs that move no goal stay where they are, unless runs speak against
    the graph.

    Towards a front, every goal has a polynomial of its own, and what counts is the hypervolume that
    a setting is expected to add (see `_front`). There, and where settings are pending, what is
    expected is a mean over joint draws of the polynomials, under which what is pending or was run
    counts as known.

    Attributes:
        seed: of the first, space-filling runs.
    """

    seed: int = 0
    name: str = "response-surface"

    def proposed(
        self, spec: Spec, runs: Runs, pending: Array, left: int, rng: np.random.Generator
    ) -> Array:
        space, goals = wanted(spec)
        made = runs.made
        front = goals.pareto and len(goals.each) > 1
        models = _models(space, goals, made, front)
        if not any(model.explained > 0 for model in models):  # nothing is known yet
            return filling(space, runs, pending, self.seed, rng)
        tried = np.unique(np.concatenate([made.settings, pending]), axis=0)
        if front:
            judge, least = _toward_front(space, goals, made, models, tried, rng), LITTLE
        else:
            judge = _toward_best(space, models[0], tried, len(pending) > 0, rng)
            least = NOTHING * float(np.nanstd(made.values(goals)))
        chosen = highest(space, judge, tried, rng, pending=pending)
        if judge(chosen[None])[0] < least and left > 1:
            return filling(space, runs, pending, self.seed, rng)  # test the model elsewhere
        return chosen

    def kept(self, spec: Spec, runs: Runs, rng: np.random.Generator) -> Array | None:
        space, goals = wanted(spec)
        made = runs.made
        models = _models(space, goals, made, False)
        if not models or models[0].explained < TRUSTED:
            return None
        mean = models[0].alone
        return highest(space, lambda x: mean(space.coordinates(x))[0], made.settings, rng)


def _models(space: Space, goals: Goals, runs: Runs, each: bool) -> list[Response]:
    """Of the value of all goals together, or of each; none while too few runs gave something."""
    y = goals.worths(runs.of(goals)) if each else runs.values(goals)[:, None]
    known = np.isfinite(y).all(axis=1)
    x = space.coordinates(runs.settings[known])
    if known.sum() < x.shape[1] + 3:
        return []
    return [fitted(x, one, curves=False) for one in y[known].T]


def _toward_best(
    space: Space, model: Response, tried: Array, pending: bool, rng: np.random.Generator
) -> Judge:
    """Expected improvement on the best of settings tried, float64[T, K]."""
    if pending:
        draws = _Draws(model, space.coordinates(tried), rng)
        top = draws.known.max(axis=1, keepdims=True)

        def beyond(x: Array) -> Array:
            gain: Array = np.maximum(draws.at(space.coordinates(x)) - top, 0).mean(axis=0)
            return gain

        return beyond
    means, errors = model.alone(space.coordinates(tried))
    best, known = float(means.max()), float(errors[np.argmax(means)])

    def improvement(x: Array) -> Array:
        mean, error = model.alone(space.coordinates(x))
        # As far as it is less sure than the best: running that again gains nothing.
        error = np.sqrt(np.maximum(error**2 - known**2, 1e-24))
        z = (mean - best) / error
        gain: Array = error * (z * ndtr(z) + np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))
        return gain

    return improvement


def _toward_front(
    space: Space, goals: Goals, runs: Runs, models: list[Response], tried: Array,
    rng: np.random.Generator,
) -> Judge:  # fmt: skip
    """Hypervolume that is added to that of settings tried, float64[T, K]."""
    worths = goals.worths(runs.of(goals))
    ranges = Ranges.of(worths[np.isfinite(worths).all(axis=1)])
    draws = [_Draws(model, space.coordinates(tried), rng) for model in models]
    gain = Gain(ranges.of_worths(np.stack([each.known for each in draws], axis=2)), rng)

    def added(x: Array) -> Array:
        at = space.coordinates(x)
        return gain(ranges.of_worths(np.stack([each.at(at) for each in draws], axis=2)))

    return added


class _Draws:
    """Draws of a fitted mean, the same ones at whatever is asked.

    Args:
        model: of the mean.
        tried: float64[T, I], inputs at which draws are wanted first.
        rng: of the draws.

    Attributes:
        known: float64[S, T], draws at these.
    """

    def __init__(self, model: Response, tried: Array, rng: np.random.Generator) -> None:
        self._model, self._tried = model, tried
        mean, covariance = model.joint(tried)
        variances, axes = np.linalg.eigh(covariance)
        kept = variances > _SLIGHT * max(float(variances.max()), 1e-300)
        self._root = axes[:, kept] * np.sqrt(variances[kept])
        self._inverse = axes[:, kept] / np.sqrt(variances[kept])
        self._drawn = rng.normal(size=(_DRAWS, int(kept.sum())))
        self._rest = rng.normal(size=(_DRAWS, 1))
        self.known: Array = mean + self._drawn @ self._root.T

    def at(self, x: Array) -> Array:
        """Draws at inputs float64[M, I], float64[S, M]: of each given those at what was tried."""
        mean, covariance = self._model.joint(np.concatenate([x, self._tried]))
        part = covariance[: len(x), len(x) :] @ self._inverse
        rest = np.diag(covariance)[: len(x)] - (part**2).sum(axis=1)
        found: Array = mean[: len(x)] + self._drawn @ part.T
        return found + self._rest * np.sqrt(np.maximum(rest, 0))
