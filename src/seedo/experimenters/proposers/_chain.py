"""A plant whose graph is known, as a chain of fitted mechanisms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedo.experimenters.proposers._plant import Plant, goal_readings
from seedo.experimenters.proposers._steps import Step, steps, told_by_watching
from seedo.experimenters.proposers._watched import Mechanism, corrected, mechanism
from seedo.spaces import CausalGraph, Goals, Runs, Space

Array = NDArray[np.float64]
Rows = NDArray[np.bool_]

_DRAWS, _NOISES = 48, 4
"""Draws of mechanisms, and of the noise of readings for each."""
_OVER = 64
"""Settings over which it is judged how sure draws are."""
_SURE = 0.9
"""Share of the variance over settings that draws have to agree on. On 16 simulated plants of each
form not among those of the benchmark, the setting kept after 4 to 20 runs was .036 from the best
with linear mechanisms (best setting tried .082, half of the variance in runs left out .050), .351
with curved ones (.315, .350)."""
_GIVEN = 3.0
"""Logarithm of the odds, before any run, that the chain tells more of a goal than the knobs alone:
whoever gave the graph knows something."""


@dataclass(frozen=True, eq=False)
class Link:
    """A step that was fitted.

    Attributes:
        step: as the graph has it.
        columns: of its knobs, among the coordinates of all.
        parents: positions of its readings among all links.
        fitted: from these coordinates, then these readings.
        rows: bool[R], that it was fitted to.
    """

    step: Step
    columns: NDArray[np.int64]
    parents: tuple[int, ...]
    fitted: Mechanism
    rows: Rows

    def inputs(self, x: Array, z: Array) -> Array:
        """float64[M, I], of coordinates float64[M, C] and all links' readings float64[M, L]."""
        return np.concatenate([x[:, self.columns], z[:, list(self.parents)]], axis=1)


@dataclass(frozen=True, eq=False)
class Chain(Plant):
    """Mechanisms in the order of a graph, each of its own inputs alone.

    Attributes:
        space: as given. goals: with the scales of what was read.
        links: causes before effects; the goals are among them.
        direct: by goal, its mechanism from the knobs alone; None while there are too few runs.
        shares: by goal, how many of the draws go through the chain.
        noise: float64[S, Q, L], standard normal draws of what readings do by themselves.
        errors: float64[S, L + G], standard normal draws of the mechanisms' errors.
    """

    space: Space
    goals: Goals
    links: tuple[Link, ...]
    direct: tuple[Mechanism | None, ...]
    shares: tuple[float, ...]
    noise: Array
    errors: Array

    @classmethod
    def fitted(
        cls, space: Space, goals: Goals, graph: CausalGraph, runs: Runs, rng: np.random.Generator
    ) -> Chain | None:
        """None while there are too few rows of one of the mechanisms."""
        links = linked(space, goals, graph, runs)
        if links is None:
            return None
        watching = told_by_watching(graph, space.names, runs.names, goals.readings)
        x, seen = space.coordinates(runs.settings), runs.seen
        whole = np.isfinite(runs.settings).all(axis=1)
        direct, shares = list[Mechanism | None](), list[float]()
        for goal, y, told in zip(goals.readings, runs.of(goals).T, watching, strict=True):
            rows = whole & np.isfinite(y)
            straight = _fit(x[rows], y[rows], seen[rows], told, x.shape[1])
            direct.append(straight)
            share = 1.0
            if straight is not None:
                through = _error_through(links, goal, x, runs)
                share = _share(through, straight.error**2, int((rows & ~seen).sum()))
            shares.append(share)
        return cls(
            space, goals.scaled(goal_readings(goals, runs)), links, tuple(direct), tuple(shares),
            rng.normal(size=(_DRAWS, _NOISES, len(links))),
            rng.normal(size=(_DRAWS, len(links) + len(direct))),
        )  # fmt: skip

    def trusted(self, rng: np.random.Generator) -> bool:
        """Whether draws agree on which settings are better, so that one that was never run may be
        kept. How much of runs left out is predicted does not tell: once the best is found runs lie
        close together, and little but noise is left among them."""
        drawn = self.draws(self.space.sample(_OVER, rng))
        differ = drawn - drawn.mean(axis=1, keepdims=True)
        known, unknown = float(drawn.mean(axis=0).var()), float(differ.var(axis=0).mean())
        return known > _SURE * (known + unknown)

    def drawn(self, settings: Array) -> Array:
        """What is read of the goals, float64[S, M, G], under S draws of the mechanisms."""
        x = self.space.coordinates(settings)
        s, q, m, size = _DRAWS, _NOISES, len(x), len(self.links)
        z = np.empty((s, q, m, size))
        goals = np.empty((s, m, len(self.direct)))
        for i, link in enumerate(self.links):
            if link.parents:
                at = np.tile(x, (s * q, 1))
                mean, error = link.fitted.model(link.inputs(at, z.reshape(s * q * m, size)))
                mean, error = mean.reshape(s, q, m), error.reshape(s, q, m)
            else:
                mean, error = link.fitted.model(x[:, link.columns])
            value = mean + self.errors[:, i, None, None] * error
            z[..., i] = value + link.fitted.spread * self.noise[:, :, i, None]
            if link.step.reading in self.goals.readings:
                goals[..., self.goals.readings.index(link.step.reading)] = value.mean(axis=1)
        for j, straight in enumerate(self.direct):
            count = round(self.shares[j] * s)
            if straight is not None and count < s:
                mean, error = straight.model(x)
                goals[count:, :, j] = mean + self.errors[count:, [size + j]] * error
        return goals


def linked(
    space: Space, goals: Goals, graph: CausalGraph, runs: Runs
) -> tuple[Link, ...] | None:  # fmt: skip
    """The mechanisms of a graph, causes before effects; None while one has too few rows."""
    x, seen = space.coordinates(runs.settings), runs.seen
    found: list[Link] = []
    for step in steps(graph, space.names, runs.names, goals.readings):
        columns = columns_of(space, step.knobs)
        names = [link.step.reading for link in found]
        parents = tuple(names.index(name) for name in step.readings)
        z = runs.readings[:, [runs.names.index(name) for name in step.readings]]
        y = runs.readings[:, runs.names.index(step.reading)]
        inputs = np.concatenate([x[:, columns], z], axis=1)
        rows = np.isfinite(inputs).all(axis=1) & np.isfinite(y)
        fitted = _fit(inputs[rows], y[rows], seen[rows], step.everywhere, x.shape[1])
        if fitted is None:
            return None
        found.append(Link(step, columns, parents, fitted, rows))
    return tuple(found)


def columns_of(space: Space, knobs: Sequence[str]) -> NDArray[np.int64]:
    """Positions of knobs' coordinates among those of all, see `Space.coordinates`."""
    widths = [len(k.levels) if k.type == "categorical" else 1 for k in space.knobs]
    starts = np.concatenate([[0], np.cumsum(widths)])
    parts = [np.arange(starts[i], starts[i + 1]) for i, name in enumerate(space.names)
             if name in knobs]  # fmt: skip
    return np.concatenate([np.empty(0, np.int64), *parts])


def _fit(x: Array, y: Array, seen: Rows, everywhere: bool, most: int) -> Mechanism | None:
    """A mechanism of inputs float64[R, I]; None while there are too few rows.

    Args:
        everywhere: whether rows in which nobody set the knobs tell the same as runs.
        most: inputs beyond which no further row is waited for: coefficients are shrunk.
    """
    fewest = min(x.shape[1], most) + 2
    made = int((~seen).sum())
    if made < fewest and not (everywhere and seen.sum() >= 3 * fewest):
        return None
    if not x.shape[1]:
        return _level(y if everywhere else y[~seen])
    return mechanism(x, y, seen) if everywhere else corrected(x, y, seen)


def _level(y: Array) -> Mechanism:
    """A reading that nothing is known to move."""
    mean, spread = float(y.mean()), float(y.std(ddof=1))
    error = spread / np.sqrt(len(y))

    def model(x: Array) -> tuple[Array, Array]:
        return np.full(len(x), mean), np.full(len(x), error)

    return Mechanism(model, float(np.hypot(spread, error)), np.full(len(y), mean), spread)


def _error_through(links: Sequence[Link], goal: str, x: Array, runs: Runs) -> float:
    """Mean squared error of predicting a goal from knobs through the chain, in runs (where there
    are none, in observed rows), nearly as if they were left out: each mechanism's errors are
    widened to the size of those of rows left out."""
    rows = np.logical_and.reduce([link.rows for link in links])
    made = rows & ~runs.seen
    rows = made if made.sum() >= 3 else rows
    at = [runs.names.index(link.step.reading) for link in links]
    x, z = x[rows], runs.readings[rows][:, at]
    if not len(x):
        return float("inf")
    told = np.empty_like(z)
    for i, link in enumerate(links):
        off = z[:, i] - link.fitted.model(link.inputs(x, z))[0]
        size = float(np.sqrt((off**2).mean()))
        wider = max(link.fitted.error / size - 1, 0.0) if size > 0 else 0.0
        told[:, i] = link.fitted.model(link.inputs(x, told))[0] - wider * off
    place = [link.step.reading for link in links].index(goal)
    return float(((z[:, place] - told[:, place]) ** 2).mean())


def _share(chain: float, direct: float, runs: int) -> float:
    """How far runs speak for the chain, by mean squared errors of runs left out."""
    odds = -0.5 * runs * (np.log(max(chain, 1e-300)) - np.log(max(direct, 1e-300)))
    return float(1 / (1 + np.exp(-np.clip(odds + _GIVEN, -30, 30))))
