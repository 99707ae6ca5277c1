"""The tuner as a player: the most promising of many possible settings."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from seedo.errors import UserError
from seedo.experimenters._proposer import Proposer, wanted
from seedo.experimenters.proposers._front import beaten_by
from seedo.experimenters.proposers._plain import filling
from seedo.experimenters.proposers.tuner._asked import TwoGoals, believed, question, scalarised
from seedo.experimenters.proposers.tuner._network import (
    Weights,
    initial,
    promise,
    promise_and_forecast,
    surprise,
)
from seedo.experimenters.proposers.tuner._view import Frame
from seedo.spaces import Knob, Runs, Space, climbed, fresh
from seedo.worlds import Spec

Array = NDArray[np.float64]

_FIRST = 5
"""Runs that gave something from which on the network is asked."""
_MOST_RUNS = 96
"""Runs that it is shown: the best half and the latest half of these, where there are more."""
_SPREAD, _NEAR, _BEST = 320, 16, 4
"""Settings that are judged: spread over the space, and around each of the best."""
_FRONT = 8
"""Settings that no other one beats, around which more are judged first."""
_WIDTHS = (0.1, 0.03)
"""Of steps around settings, in ranges."""


def sharpness(left: int) -> float:
    """How much more great gains count than small ones, with so many runs left."""
    return float(np.clip(left / 5, 1.0, 2.0))


@dataclass(frozen=True, eq=False)
class TunerProposer(Proposer):
    """Asks the network which possible setting promises most, those not run before.

    The first runs fill the space. A run that failed counts as bad as the worst; one that is being
    made, as what the network expects of it (Ginsbourger, Le Riche & Carraro 2010, Kriging is
    well-suited to parallelize optimization). Several goals are weighed as they say. Towards a front
    of two, what counts is the hypervolume that a setting is expected to add; of more, the way that
    it goes along a direction drawn anew for every proposal (see `proposers._front`).

    Attributes:
        weights: of the network.
        seed: of the first runs.
    """

    weights: Weights
    seed: int = 0
    name: str = "pretrained:tuner"

    def propose(
        self, spec: Spec, runs: Runs, pending: Array, left: int, rng: np.random.Generator
    ) -> Array:
        space, goals = wanted(spec)
        runs = runs.made
        runs = runs.take(np.array(np.isfinite(runs.settings).all(axis=1)))
        front = goals.pareto and len(goals.each) > 1
        worths = goals.worths(runs.of(goals)) if front else runs.values(goals)[:, None]
        gave = np.array(np.isfinite(worths).all(axis=1))
        if gave.sum() < _FIRST:
            return filling(space, runs, pending, self.seed, rng)
        worths = np.where(gave[:, None], worths, worths[gave].min(axis=0))
        if front and worths.shape[1] > 2:
            worths = scalarised(worths, rng)[:, None]
        two = worths.shape[1] == 2
        # Of two goals, those that no other one beats first, in any order.
        order = rng.random(len(runs)) / 2 - beaten_by(worths) if two else worths[:, 0]
        shown = _shown(order)
        tried = np.concatenate([runs.settings[shown], pending])
        taken = np.concatenate([runs.settings, pending])
        about = runs.settings[np.argsort(-order, kind="stable")[: _FRONT if two else _BEST]]
        pool = _candidates(space, about, rng)
        frame = Frame.of(np.concatenate([pool, tried]), _kinds(space))
        outcomes = self._with_pending(frame, runs.settings[shown], worths[shown], pending)
        if two:
            judge = TwoGoals.of(self.weights, frame, tried, outcomes).promise
        else:
            judge = functools.partial(
                self.promise, frame, tried, outcomes[:, 0], sharp=sharpness(left)
            )
        pool = fresh(fresh(pool, pending), taken)
        if space.all() is not None:
            return pool[int(np.argmax(judge(pool)))]
        pool, worth = climbed(
            space, pool, judge, rng, best=_BEST, count=_NEAR, widths=_WIDTHS,
            keep=lambda more: fresh(more, taken),
        )  # fmt: skip
        return pool[int(np.argmax(worth))]

    def _with_pending(self, frame: Frame, tried: Array, worths: Array, pending: Array) -> Array:
        """Worths float64[H, G] of runs, and after them, float64[H + P, G], those that are taken for
        the worths of pending settings."""
        if not len(pending):
            return worths
        told = [believed(self.weights, frame, tried, y, pending) for y in worths.T]
        return np.concatenate([worths, np.stack(told, axis=1)])

    def promise(
        self, frame: Frame, tried: Array, outcome: Array, further: Array, sharp: float
    ) -> Array:
        """How much settings float64[M, K] promise, float64[M], after runs float64[H, K] with
        outcomes float64[H] to be raised."""
        from scipy import special  # here, because it takes long to import

        if not len(further):
            return np.empty(0)
        asked, _ = question(frame, tried, outcome, further, sharp)
        found: Array = np.asarray(promise(self.weights, asked, np, special), np.float64)
        return found

    def surprise(
        self, frame: Frame, tried: Array, outcome: Array, further: Array, read: Array
    ) -> float:
        """How far outcomes float64[M] of further settings are from what is forecast after the runs
        so far, in nats a setting (see `surprise`)."""
        from scipy import special

        asked, spread = question(frame, tried, outcome, further, 1.0)
        forecast = promise_and_forecast(self.weights, asked, np, special)[1]
        scores = (read - outcome.mean()) / spread
        return float(surprise(forecast, scores, np).mean())


def shipped_tuner(seed: int = 0) -> TunerProposer:
    """`pretrained:tuner`."""
    folder = Path(str(resources.files("seedo") / "pretrained" / "tuner"))
    return TunerProposer(read_tuner(folder / "weights.safetensors"), seed)


@functools.lru_cache(maxsize=4)
def read_tuner(path: Path) -> Weights:
    """Weights from a file.

    Raises:
        UserError: it cannot be read, or is not of this network.
    """
    try:
        stored = load_file(path)
    except (OSError, SafetensorError) as error:
        raise UserError(str(path), None, f"cannot read it ({error}): install Seedo anew") from error
    own = initial(np.random.default_rng(0))
    if {n: a.shape for n, a in stored.items()} != {n: a.shape for n, a in own.items()}:
        raise UserError(str(path), None, "weights of another network: train it again")
    return {name: array.astype(np.float32) for name, array in stored.items()}


def _kinds(space: Space) -> NDArray[np.int64]:
    return np.array([_kind(knob) for knob in space.knobs])


def _kind(knob: Knob) -> int:
    return 2 if knob.type == "categorical" else int(knob.discrete or knob.named)


def _shown(values: Array) -> NDArray[np.int64]:
    if len(values) <= _MOST_RUNS:
        return np.arange(len(values))
    half = _MOST_RUNS // 2
    best = np.argsort(-values[:-half], kind="stable")[:half]
    return np.concatenate([np.sort(best), np.arange(len(values) - half, len(values))])


def _candidates(space: Space, best: Array, rng: np.random.Generator) -> Array:
    every = space.all()
    if every is not None:
        return every if len(every) <= 8 * _SPREAD else space.sample(8 * _SPREAD, rng)
    around = [space.near(best, width, _NEAR, rng) for width in _WIDTHS]
    return np.concatenate([space.sample(_SPREAD, rng), *around])
