"""`bayes:mechanisms`: a player that uses what is read between knobs and goal, and observed rows.

Every reading has a mechanism of its own: those between are functions of the knobs, the goal one of
readings and knobs (Astudillo & Frazier 2021, Bayesian optimization of function networks, NeurIPS).
How a mechanism is fitted to observed rows and to runs is told in `_watched`. Where a graph is
known, each mechanism takes its parents alone (`_chain`), and knobs that move no goal stay where
they are, unless runs speak against the graph (`_heeded`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedo.experimenters._proposer import wanted
from seedo.experimenters.proposers._chain import Chain
from seedo.experimenters.proposers._front import LITTLE
from seedo.experimenters.proposers._heeded import HeedingProposer
from seedo.experimenters.proposers._plain import filling
from seedo.experimenters.proposers._plant import Plant, goal_readings
from seedo.experimenters.proposers._search import NOTHING, TRUSTED, highest
from seedo.experimenters.proposers._watched import Mechanism, Model, mechanism
from seedo.spaces import Goals, Runs, Space
from seedo.worlds import Spec

Array = NDArray[np.float64]

_DRAWS, _NOISES = 48, 4
"""Draws of mechanisms, and of the noise of readings for each."""


@dataclass(frozen=True)
class MechanismsProposer(HeedingProposer):
    """Expected improvement through mechanisms; see the module.

    Attributes:
        seed: of the first, space-filling runs.
    """

    seed: int = 0
    name: str = "bayes:mechanisms"

    def proposed(
        self, spec: Spec, runs: Runs, pending: Array, left: int, rng: np.random.Generator
    ) -> Array:
        space, goals = wanted(spec)
        system = _fitted(spec, runs, rng)
        if system is None:
            return filling(space, runs, pending, self.seed, rng)
        made = runs.made.settings
        tried = np.unique(np.concatenate([made, pending]), axis=0)
        if goals.pareto and len(goals.each) > 1:
            promise, least = system.toward_front(tried, runs, rng), LITTLE
        else:
            promise = system.toward_best(tried)
            least = NOTHING * float(np.nanstd(runs.values(system.goals)))
        chosen = highest(space, promise, tried, rng, pending=pending)
        if promise(chosen[None])[0] < least and len(tried) and left > 1:
            return filling(space, runs, pending, self.seed, rng)  # test the model elsewhere
        return chosen

    def kept(self, spec: Spec, runs: Runs, rng: np.random.Generator) -> Array | None:
        space, _ = wanted(spec)
        system = _fitted(spec, runs, rng)
        if system is None or not system.trusted(rng):
            return None
        tried = np.unique(runs.made.settings, axis=0)

        def careful(x: Array) -> Array:
            drawn = system.draws(x)
            found: Array = drawn.mean(axis=0) - drawn.std(axis=0)
            return found

        return highest(space, careful, tried, rng)


def _fitted(spec: Spec, runs: Runs, rng: np.random.Generator) -> Plant | None:
    """The plant as it is known so far; None while there are too few rows."""
    space, goals = wanted(spec)
    if spec.graph is not None:
        return Chain.fitted(space, goals, spec.graph, runs, rng)
    return _System.fitted(space, goals, runs, rng)


@dataclass(frozen=True, eq=False)
class _System(Plant):
    """Fitted mechanisms of a plant.

    Attributes:
        space: as given.
        goals: with the scales of what was read in runs, or in other rows where there is none.
        between: models of the readings that are no goals, from coordinates of knobs.
        final: models of the goals, from coordinates and readings between.
        direct: the same from coordinates alone.
        shares: by goal, how many of the draws go through the readings.
        spreads: float64[B], standard deviations of what readings between do by themselves.
        noise: float64[S, Q, B], standard normal draws for it.
        explained: share of the goals' variance in runs left out that is predicted, the least.
        errors: float64[S, B + G], standard normal draws of the mechanisms' errors.
    """

    space: Space
    goals: Goals
    between: tuple[Model, ...]
    final: tuple[Model, ...]
    direct: tuple[Model, ...]
    shares: Array
    spreads: Array
    noise: Array
    explained: float
    errors: Array

    @classmethod
    def fitted(
        cls, space: Space, goals: Goals, runs: Runs, rng: np.random.Generator
    ) -> _System | None:
        """None while there are too few rows."""
        x = space.coordinates(runs.settings)
        y = runs.of(goals)
        others = [i for i, name in enumerate(runs.names) if name not in goals.readings]
        z = runs.readings[:, others]
        known = np.isfinite(y).all(axis=1) & np.isfinite(z).all(axis=1)
        known &= np.isfinite(runs.settings).all(axis=1)  # observed, but not at which values
        seen = runs.seen
        fewest = x.shape[1] + 2
        if (known & ~seen).sum() < fewest and (known & seen).sum() < 3 * fewest:
            return None
        x, y, z, seen = x[known], y[known], z[known], seen[known]
        parts = [mechanism(x, z[:, j], seen) for j in range(z.shape[1])]
        inputs = np.concatenate([x, z], axis=1)
        guess = np.column_stack([p.left_out for p in parts]) if parts else z
        final, direct, shares, explained = [], [], [], []
        for j in range(y.shape[1]):
            ways = [mechanism(inputs, y[:, j], seen)]
            if parts:
                ways.append(mechanism(z, y[:, j], seen, x.shape[1]))
            through = min(ways, key=lambda way: way.error)
            straight = mechanism(x, y[:, j], seen)
            final.append(through.model)
            direct.append(straight.model)
            share, error = _share_through(through, straight, x, z, guess, seen)
            shares.append(share if parts else 0.0)  # with nothing between, both ways are one
            explained.append(1 - error / max(float(y[:, j].var()), 1e-300))
        return cls(
            space, goals.scaled(goal_readings(goals, runs)), tuple(p.model for p in parts),
            tuple(final), tuple(direct), np.array(shares), np.array([p.spread for p in parts]),
            rng.normal(size=(_DRAWS, _NOISES, len(parts))), min(explained),
            rng.normal(size=(_DRAWS, len(parts) + len(final))),
        )  # fmt: skip

    def trusted(self, rng: np.random.Generator) -> bool:
        """Whether a setting that was never run may be kept."""
        return self.explained >= TRUSTED

    def drawn(self, settings: Array) -> Array:
        """What is read of the goals, float64[S, M, G], under S draws of the mechanisms."""
        errors = self.errors
        x = self.space.coordinates(settings)
        s, q, m, b = _DRAWS, _NOISES, len(x), len(self.between)
        z = np.empty((s, q, m, b))
        for j, model in enumerate(self.between):
            mean, error = model(x)
            value = mean + errors[:, [j]] * error
            z[..., j] = value[:, None] + self.spreads[j] * self.noise[:, :, j, None]
        goals = np.empty((s, m, len(self.final)))
        for j, (through, direct) in enumerate(zip(self.final, self.direct, strict=True)):
            count = round(self.shares[j] * s)
            if count:
                inputs = np.concatenate(
                    [np.broadcast_to(x, (count, q, m, x.shape[1])), z[:count]], axis=-1
                )
                mean, error = through(inputs.reshape(-1, inputs.shape[-1]))
                mean, error = (v.reshape(count, q, m).mean(axis=1) for v in (mean, error))
                goals[:count, :, j] = mean + errors[:count, [b + j]] * error
            mean, error = direct(x)
            goals[count:, :, j] = mean + errors[count:, [b + j]] * error
        return goals


def _share_through(
    through: Mechanism, direct: Mechanism, x: Array, between: Array, guess: Array,
    seen: NDArray[np.bool_],
) -> tuple[float, float]:  # fmt: skip
    """How far runs speak for the way through readings, by the errors of both of predicting the goal
    from knobs; and the smaller of these mean squared errors."""
    rows = ~seen if (~seen).sum() >= 3 else seen
    known, _ = through.model(np.concatenate([x, between], axis=1))
    told, _ = through.model(np.concatenate([x, guess], axis=1))
    # Given the readings, and what their being guessed adds.
    first = through.error**2 + float(((known - told)[rows] ** 2).mean())
    second = direct.error**2
    count = float(rows.sum())
    weight = -0.5 * count * (np.log(max(first, 1e-300)) - np.log(max(second, 1e-300)))
    return float(1 / (1 + np.exp(-np.clip(weight, -30, 30)))), min(first, second)
