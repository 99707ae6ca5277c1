"""`response-surface`: polynomials up to second order (Box & Wilson 1951, JRSS B 13)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from seedo.experimenters._proposer import Proposer, wanted
from seedo.experimenters.proposers._heeded import heeded
from seedo.experimenters.proposers._plain import filling
from seedo.experimenters.proposers._search import NOTHING, TRUSTED, fitted, highest
from seedo.inference.design import Response
from seedo.spaces import Goals, Runs, Space
from seedo.worlds import Spec

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ResponseSurfaceProposer(Proposer):
    """Fills the space first; then fits the polynomial that predicts runs left out best, straight
    lines as long as they do, and takes the setting of the largest expected improvement.

    Where a graph is known, knobs that move no goal stay where they are, unless runs speak against
    the graph.

    Several goals on a front are weighted anew, by chance, for every run (Knowles 2006, IEEE
    Transactions on Evolutionary Computation 10).

    Attributes:
        seed: of the first, space-filling runs.
    """

    seed: int = 0
    name: str = "response-surface"
    heeds_graph: ClassVar[bool] = True

    def propose(
        self, spec: Spec, runs: Runs, pending: Array, left: int, rng: np.random.Generator
    ) -> Array:
        view = heeded(spec, runs, pending)
        return view.whole(self._proposed(view.spec, view.runs, view.pending, left, rng))

    def recommend(self, spec: Spec, runs: Runs, rng: np.random.Generator) -> Array:
        view = heeded(spec, runs, np.empty((0, runs.settings.shape[1])))
        return view.whole(self._kept(view.spec, view.runs, rng))

    def _proposed(
        self, spec: Spec, runs: Runs, pending: Array, left: int, rng: np.random.Generator
    ) -> Array:
        space, goals = wanted(spec)
        weights = rng.dirichlet(np.ones(len(goals.each))) if goals.pareto else None
        made = runs.made
        model = _model(space, goals, made, weights)
        if model is None or model.explained <= 0:  # nothing is known yet
            return filling(space, runs, pending, self.seed, rng)
        tried = np.unique(np.concatenate([made.settings, pending]), axis=0)
        means, errors = model.alone(space.coordinates(tried))
        best, known = float(means.max()), float(errors[np.argmax(means)])

        def improvement(x: Array) -> Array:
            mean, error = model.alone(space.coordinates(x))
            # As far as it is less sure than the best: running that again gains nothing.
            error = np.sqrt(np.maximum(error**2 - known**2, 1e-24))
            z = (mean - best) / error
            gain: Array = error * (z * ndtr(z) + np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))
            return gain

        chosen = highest(space, improvement, tried, rng)
        spread = float(np.nanstd(goals.value(made.of(goals), weights)))
        if improvement(chosen[None])[0] < NOTHING * spread and left > 1:
            return filling(space, runs, pending, self.seed, rng)  # test the model elsewhere
        return chosen

    def _kept(self, spec: Spec, runs: Runs, rng: np.random.Generator) -> Array:
        space, goals = wanted(spec)
        made = runs.made
        model = _model(space, goals, made, None)
        if model is None or model.explained < TRUSTED:
            return super().recommend(spec, runs, rng)
        return highest(space, lambda x: model.alone(space.coordinates(x))[0], made.settings, rng)


def _model(space: Space, goals: Goals, runs: Runs, weights: Array | None) -> Response | None:
    """None while there are too few runs that gave something."""
    y = goals.value(runs.of(goals), weights)
    known = np.isfinite(y)
    x = space.coordinates(runs.settings[known])
    return fitted(x, y[known], curves=False) if known.sum() >= x.shape[1] + 3 else None
