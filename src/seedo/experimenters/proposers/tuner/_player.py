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
from seedo.experimenters.proposers._plain import filling
from seedo.experimenters.proposers.tuner._network import (
    Question,
    Weights,
    initial,
    promise,
    promise_and_forecast,
    surprise,
)
from seedo.experimenters.proposers.tuner._view import Frame
from seedo.spaces import Knob, Runs, Space, climbed
from seedo.worlds import Spec

Array = NDArray[np.float64]

_FIRST = 5
"""Runs that gave something from which on the network is asked."""
_MOST_RUNS = 96
"""Runs that it is shown: the best half and the latest half of these, where there are more."""
_SPREAD, _NEAR, _BEST = 320, 16, 4
"""Settings that are judged: spread over the space, and around each of the best."""
_WIDTHS = (0.1, 0.03)
"""Of steps around settings, in ranges."""


def sharpness(left: int) -> float:
    """How much more great gains count than small ones, with so many runs left."""
    return float(np.clip(left / 5, 1.0, 2.0))


@dataclass(frozen=True, eq=False)
class TunerProposer(Proposer):
    """Asks the network which possible setting promises most, those not run before.

    The first runs fill the space. A run that failed counts as bad as the worst; one that is being
    made as the median. Several goals are weighed as they say; towards a front, anew for every
    proposal (ParEGO, Knowles 2006).

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
        runs_known = np.isfinite(runs.settings).all(axis=1)
        drawn = rng.dirichlet(np.ones(len(goals.each))) if goals.pareto else None
        values = goals.value(runs.of(goals), drawn)[runs_known]
        settings = runs.settings[runs_known]
        gave = np.isfinite(values)
        if gave.sum() < _FIRST:
            return filling(space, runs, pending, self.seed, rng)
        values = np.where(gave, values, values[gave].min())
        shown = _shown(values)
        tried = np.concatenate([settings[shown], pending])
        outcome = np.concatenate([values[shown], np.full(len(pending), np.median(values[gave]))])
        taken = np.concatenate([settings, pending])
        pool = _candidates(space, settings[np.argsort(-values, kind="stable")[:_BEST]], rng)
        frame = Frame.of(np.concatenate([pool, tried]), _kinds(space))
        pool = _fresh(pool, taken)

        def judge(at: Array) -> Array:
            return self.promise(frame, tried, outcome, at, sharpness(left))

        if space.all() is not None:
            return pool[int(np.argmax(judge(pool)))]
        pool, worth = climbed(
            space, pool, judge, rng, best=_BEST, count=_NEAR, widths=_WIDTHS,
            keep=lambda more: _fresh(more, taken),
        )  # fmt: skip
        return pool[int(np.argmax(worth))]

    def promise(
        self, frame: Frame, tried: Array, outcome: Array, further: Array, sharp: float
    ) -> Array:
        """How much settings float64[M, K] promise, float64[M], after runs float64[H, K] with
        outcomes float64[H] to be raised."""
        from scipy import special  # here, because it takes long to import

        if not len(further):
            return np.empty(0)
        question, _ = _question(frame, tried, outcome, further, sharp)
        found: Array = np.asarray(promise(self.weights, question, np, special), np.float64)
        return found

    def surprise(
        self, frame: Frame, tried: Array, outcome: Array, further: Array, read: Array
    ) -> float:
        """How far outcomes float64[M] of further settings are from what is forecast after the runs
        so far, in nats a setting (see `surprise`)."""
        from scipy import special

        question, spread = _question(frame, tried, outcome, further, 1.0)
        forecast = promise_and_forecast(self.weights, question, np, special)[1]
        scores = (read - outcome.mean()) / spread
        return float(surprise(forecast, scores, np).mean())


def _question(
    frame: Frame, tried: Array, outcome: Array, further: Array, sharp: float
) -> tuple[Question, float]:
    """What the network is asked, and the standard deviation of the outcomes."""
    single = np.float32
    spread = outcome - outcome.mean()  # before it is made single: small beside large is kept
    score = spread / (np.abs(spread).max() or 1.0)
    question = Question(
        *frame.seen(tried), score.astype(single), np.ones(len(tried), single),
        *frame.seen(further), frame.kind, np.ones(tried.shape[1], single),
        single(frame.mixture), single(sharp),
    )  # fmt: skip
    return question, float(outcome.std() or 1.0)


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


def _fresh(pool: Array, taken: Array) -> Array:
    """Settings of a pool without those taken, unless none is left."""
    if not len(taken):
        return pool
    fresh = ~np.isin(_rows(pool), _rows(taken))
    return pool[fresh] if fresh.any() else pool


def _rows(settings: Array) -> NDArray[np.void]:
    """Settings float64[M, K] as one value each; no minus zeros."""
    whole = np.ascontiguousarray(settings + 0.0)
    found: NDArray[np.void] = whole.view(np.dtype((np.void, whole.itemsize * whole.shape[1])))[:, 0]
    return found
