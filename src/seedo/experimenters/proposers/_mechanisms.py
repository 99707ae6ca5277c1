"""`bayes:mechanisms`: a player that uses what is read between knobs and goal, and observed rows.

Every reading has a mechanism of its own: those between are functions of the knobs, the goal one of
readings and knobs (Astudillo & Frazier 2021, Bayesian optimization of function networks, NeurIPS).
A mechanism is the same whether knobs were set or moved by themselves, unless something hidden moves
a knob and the reading: what runs show beside observed rows is therefore a correction, which is 0
unless it predicts runs left out (Kennedy & O'Hagan 2001, JRSS B 63, with cross-validation for their
prior).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedo.experimenters._proposer import Proposer, wanted
from seedo.experimenters.proposers._plain import filling
from seedo.experimenters.proposers._search import NOTHING, TRUSTED, fitted, highest
from seedo.inference.design import Response
from seedo.spaces import Goals, Runs, Space
from seedo.worlds import Spec

Array = NDArray[np.float64]
Model = Callable[[Array], tuple[Array, Array]]
"""Inputs float64[M, I] -> mean and standard error of the mean, float64[M] each."""

_DRAWS, _NOISES = 48, 4
"""Draws of mechanisms, and of the noise of readings for each."""
_CLEARLY = 0.9
"""Ratio of left-out errors from which on a correction of observed rows is believed."""


@dataclass(frozen=True)
class MechanismsProposer(Proposer):
    """Expected improvement through mechanisms; see the module.

    Attributes:
        seed: of the first, space-filling runs.
    """

    seed: int = 0
    name: str = "bayes:mechanisms"

    def propose(
        self, spec: Spec, runs: Runs, pending: Array, left: int, rng: np.random.Generator
    ) -> Array:
        space, goals = wanted(spec)
        system = _System.fitted(space, goals, runs, rng)
        if system is None:
            return filling(space, runs, pending, self.seed, rng)
        made = runs.made.settings
        tried = np.unique(np.concatenate([made, pending]), axis=0)
        # Of every draw its own best: at that setting nothing is gained by running it again.
        best = system.draws(tried).max(axis=1, keepdims=True) if len(tried) else np.array(-np.inf)

        def promise(x: Array) -> Array:
            drawn = system.draws(x)
            if not np.isfinite(best).all():
                found: Array = drawn.mean(axis=0)
                return found
            gain: Array = np.maximum(drawn - best, 0).mean(axis=0)
            return gain

        chosen = highest(space, promise, tried, rng)
        spread = float(np.nanstd(runs.values(goals)))
        if promise(chosen[None])[0] < NOTHING * spread and len(tried) and left > 1:
            return filling(space, runs, pending, self.seed, rng)  # test the model elsewhere
        return chosen

    def recommend(self, spec: Spec, runs: Runs, rng: np.random.Generator) -> Array:
        space, goals = wanted(spec)
        system = _System.fitted(space, goals, runs, rng)
        if system is None or system.explained < TRUSTED:
            return super().recommend(spec, runs, rng)
        tried = np.unique(runs.made.settings, axis=0)

        def careful(x: Array) -> Array:
            drawn = system.draws(x)
            found: Array = drawn.mean(axis=0) - drawn.std(axis=0)
            return found

        return highest(space, careful, tried, rng)


@dataclass(frozen=True, eq=False)
class _System:
    """Fitted mechanisms of a plant.

    Attributes:
        space, goals: as given.
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
        parts = [_mechanism(x, z[:, j], seen) for j in range(z.shape[1])]
        inputs = np.concatenate([x, z], axis=1)
        guess = np.column_stack([p.left_out for p in parts]) if parts else z
        final, direct, shares, explained = [], [], [], []
        for j in range(y.shape[1]):
            ways = [_mechanism(inputs, y[:, j], seen)]
            if parts:
                ways.append(_mechanism(z, y[:, j], seen, x.shape[1]))
            through = min(ways, key=lambda way: way.error)
            straight = _mechanism(x, y[:, j], seen)
            final.append(through.model)
            direct.append(straight.model)
            share, error = _share_through(through, straight, x, z, guess, seen)
            shares.append(share if parts else 0.0)  # with nothing between, both ways are one
            explained.append(1 - error / max(float(y[:, j].var()), 1e-300))
        return cls(
            space, goals, tuple(p.model for p in parts), tuple(final), tuple(direct),
            np.array(shares), np.array([p.spread for p in parts]),
            rng.normal(size=(_DRAWS, _NOISES, len(parts))), min(explained),
            rng.normal(size=(_DRAWS, len(parts) + len(final))),
        )  # fmt: skip

    def draws(self, settings: Array) -> Array:
        """What is to be raised, float64[S, M], under S draws of the mechanisms."""
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
        return self.goals.value(goals.reshape(s * m, -1)).reshape(s, m)


@dataclass(frozen=True, eq=False)
class _Mechanism:
    """A fitted mechanism.

    Attributes:
        model: what it gives.
        error: root mean square error of runs left out (of observed rows, where nothing was set).
        left_out: float64[R], what is predicted of each row; of runs nearly as if left out.
        spread: standard deviation of a row about the mean.
    """

    model: Model
    error: float
    left_out: Array
    spread: float


def _mechanism(x: Array, y: Array, seen: NDArray[np.bool_], after: int = 0) -> _Mechanism:
    """A mechanism of inputs float64[R, I]; with `after`, so many inputs before them are ignored."""
    base: Model | None = None
    told = np.zeros(len(y))
    error = spread = float(y.std())
    if seen.sum() >= x.shape[1] + 3:
        watched = fitted(x[seen], y[seen])
        base, told = watched.alone, watched.alone(x)[0]
        error, spread = watched.left_out, watched.noise
    made = ~seen
    correction: Response | None = None
    if made.sum() >= x.shape[1] + 2 or (base is None and made.sum() >= 3):
        off = y[made] - told[made]
        correction = fitted(x[made], off)
        if base is not None:
            error = float(np.sqrt((off**2).mean()))
            if correction.left_out > _CLEARLY * error:
                correction = None
        if correction is not None:
            error, spread = correction.left_out, correction.noise
            told = told + correction.alone(x)[0]
    model = _sum(base, correction, float(y.mean()), float(y.std()))
    if after:
        return _Mechanism(lambda inputs: model(inputs[:, after:]), error, told, spread)
    return _Mechanism(model, error, told, spread)


def _sum(base: Model | None, more: Response | None, middle: float, wide: float) -> Model:
    parts = [part for part in (base, more.alone if more is not None else None) if part is not None]

    def model(x: Array) -> tuple[Array, Array]:
        if not parts:
            return np.full(len(x), middle), np.full(len(x), wide)
        told = [part(x) for part in parts]
        mean: Array = np.sum([value for value, _ in told], axis=0)
        return mean, np.sqrt(np.sum([error**2 for _, error in told], axis=0))

    return model


def _share_through(
    through: _Mechanism, direct: _Mechanism, x: Array, between: Array, guess: Array,
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
