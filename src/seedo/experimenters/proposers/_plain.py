"""Proposers that fit no model: by chance, space-filling, on a grid, one factor at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from seedo.experimenters._proposer import Proposer, best_tried, wanted
from seedo.spaces import Knob, Runs, Space, fresh, same_setting
from seedo.worlds import Spec

Array = NDArray[np.float64]

_APART = 512
"""Settings among which that which lies furthest from others is looked for."""
_SCALES = (0.5, 0.25, 0.125, 0.0625)
"""Moves of one factor, in ranges of it."""


class RandomProposer(Proposer):
    """Any possible setting, evenly."""

    name = "random"

    def propose(
        self, spec: Spec, runs: Runs, pending: Array, left: int, rng: np.random.Generator
    ) -> Array:
        assert spec.space is not None
        return _drawn(spec.space, pending, rng)


@dataclass(frozen=True)
class SobolProposer(Proposer):
    """Fills the space: the next of Sobol's points (1967), scrambled by the seed; where linear
    constraints or recorded rows leave no such sequence, the setting furthest from all before."""

    seed: int = 0
    name: str = "sobol"

    def propose(
        self, spec: Spec, runs: Runs, pending: Array, left: int, rng: np.random.Generator
    ) -> Array:
        assert spec.space is not None
        return filling(spec.space, runs, pending, self.seed, rng)


@dataclass(frozen=True)
class GridProposer(Proposer):
    """A full grid in an order drawn by the seed: as many values of every knob, two at least, as
    the budget allows. When all its points are run, the space is filled."""

    seed: int = 0
    name: str = "grid"

    def propose(
        self, spec: Spec, runs: Runs, pending: Array, left: int, rng: np.random.Generator
    ) -> Array:
        space = spec.space
        assert space is not None
        points = _grid(space, len(runs.made) + len(pending) + left)
        taken = np.concatenate([runs.made.settings, pending])
        for setting in np.random.default_rng(self.seed).permutation(points):
            if not _among(taken, setting):
                return setting
        return filling(space, runs, pending, self.seed, rng)


class OneFactorProposer(Proposer):
    """One factor at a time around the best so far, first in large steps, then in small ones: often
    taken, and taught not to be (Czitrom 1999, The American Statistician 53)."""

    name = "one-factor"

    def propose(
        self, spec: Spec, runs: Runs, pending: Array, left: int, rng: np.random.Generator
    ) -> Array:
        space, goals = wanted(spec)
        taken = np.concatenate([runs.made.settings, pending])
        best = best_tried(runs, goals)
        if best is None:
            middle = space.nearest(np.array([(k.low + k.high) / 2 for k in space.knobs]))
            return _drawn(space, pending, rng) if _among(taken, middle) else middle
        for setting in _around(space, best):
            if not _among(taken, setting):
                return setting
        return _drawn(space, pending, rng)


def filling(space: Space, runs: Runs, pending: Array, seed: int, rng: np.random.Generator) -> Array:
    """The next setting, float64[K], of a design that fills the space; none that is pending unless
    there is no other."""
    taken = np.concatenate([runs.made.settings, pending])
    taken = taken[np.isfinite(taken).all(axis=1)]
    if space.listed is None and not space.coupled:
        found = space.sobol(len(taken) + 1, np.random.default_rng(seed))[-1]
        if not _among(pending, found):
            return found
    drawn = space.listed if space.listed is not None else space.sample(_APART, rng)
    drawn = fresh(drawn, pending)
    if not len(taken):
        return drawn[int(rng.integers(len(drawn)))]
    at, before = space.coordinates(drawn), space.coordinates(taken)
    distance = ((at[:, None] - before[None]) ** 2).sum(axis=2).min(axis=1)
    best: Array = drawn[int(np.argmax(distance))]
    return best


def _grid(space: Space, budget: int) -> Array:
    """The possible settings float64[M, K] at points of a full grid: at most `budget`, but two
    values a knob at least."""
    most = [len(knob.values) if knob.discrete else budget for knob in space.knobs]
    counts = [len(k.levels) if k.type == "categorical" else 2 for k in space.knobs]
    grown = True
    while grown:
        grown = False
        for i in range(space.size):
            more = [*counts[:i], counts[i] + 1, *counts[i + 1 :]]
            if counts[i] < most[i] and np.prod(np.array(more, float)) <= budget:
                counts, grown = more, True
    axes = [np.linspace(k.low, k.high, c) for k, c in zip(space.knobs, counts, strict=True)]
    points = np.array(list(product(*axes)))
    if space.listed is not None:
        return np.unique([space.nearest(point) for point in points], axis=0)
    return np.unique(space.made(points), axis=0)


def _around(space: Space, best: Array) -> Iterator[Array]:
    """Settings that differ from one in one knob (and in what has to make up for it)."""
    for scale in _SCALES:
        for i, knob in enumerate(space.knobs):
            for value in _values(knob, best[i], scale):
                by = np.zeros(space.size)
                by[i] = value - best[i]
                moved = best + by
                if space.listed is not None:
                    yield space.nearest(moved)
                elif len(made := space.moved(best[None], by[None])):
                    yield made[0]


def _values(knob: Knob, now: float, scale: float) -> list[float]:
    if knob.type == "categorical":
        return [float(v) for v in range(len(knob.levels)) if v != now]
    step = max(scale * knob.range, knob.step)
    return [v for v in (now + step, now - step) if knob.low <= v <= knob.high]


def _drawn(space: Space, pending: Array, rng: np.random.Generator) -> Array:
    """Any possible setting; one that is pending where none of many drawn is another."""
    setting = space.sample(1, rng)[0]
    if not _among(pending, setting):
        return setting
    return fresh(space.sample(_APART, rng), pending)[0]


def _among(taken: Array, setting: Array) -> bool:
    return bool(same_setting(taken, setting).any())
