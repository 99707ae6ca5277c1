"""`bo:NAME`: Bayesian optimisation by BoTorch (Balandat et al. 2020), an extra."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.experimenters._proposer import Proposer, wanted
from seedo.experimenters.proposers._plain import filling
from seedo.experimenters.proposers._search import highest
from seedo.spaces import Goals, Runs, Space
from seedo.worlds import Spec, World

Array = NDArray[np.float64]

ACQUISITIONS = ("logei", "lognei", "ucb", "thompson")
"""Names for `bo:NAME`; several goals on a front are always qLogNEHVI's."""

_FIRST = 5
"""Runs that gave something from which on models are fitted."""
_SPREAD = 1024
"""Settings that are judged before steps around the best."""
_UCB = 4.0
"""Squared weight of the standard deviation in `ucb`."""


@dataclass(frozen=True)
class BotorchProposer(Proposer):
    """A Gaussian process with BoTorch's usual priors, and one of its acquisition functions,
    maximised over possible settings by search: sampled ones, then steps around the best.

    Categorical knobs are indicators, runs that failed are left out, settings that are being run
    count as pending.

    Attributes:
        acquisition: one of `ACQUISITIONS`.
        seed: of the first, space-filling runs.
    """

    acquisition: str = "lognei"
    seed: int = 0

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"bo:{self.acquisition}"

    def check(self, spec: Spec) -> None:
        super().check(spec)
        check_installed()

    def propose(
        self, spec: Spec, runs: Runs, pending: Array, left: int, rng: np.random.Generator
    ) -> Array:
        space, goals = wanted(spec)
        runs = runs.made
        known = np.isfinite(runs.settings).all(axis=1) & np.isfinite(runs.of(goals)).all(axis=1)
        if known.sum() < _FIRST:
            return filling(space, runs, pending, self.seed, rng)
        x, y = runs.settings[known], runs.of(goals)[known]
        judge = _judge(space, goals, x, y, pending, self.acquisition, int(rng.integers(2**31)))
        return highest(space, judge, np.unique(x, axis=0), rng, _SPREAD, pending)


def bo_player(rest: str, world: World, greedy: bool, seed: int) -> BotorchProposer:
    """`bo:NAME`.

    Raises:
        UserError: there is no such acquisition, or BoTorch is not installed.
    """
    if rest not in ACQUISITIONS:
        raise UserError("bo", rest, f"use bo: with one of {', '.join(ACQUISITIONS)}")
    return BotorchProposer(rest, seed)


def check_installed() -> None:
    """Raises UserError unless BoTorch is there."""
    if find_spec("botorch") is None:
        remedy = "BoTorch is not installed: pip install 'seedo[bo]' (its torch for CPUs first)"
        raise UserError("player", "bo", remedy)


def _judge(
    space: Space, goals: Goals, x: Array, y: Array, pending: Array, acquisition: str, seed: int
) -> Any:
    """Settings float64[M, K] -> how much each promises, float64[M]."""
    import torch
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import ModelListGP, SingleTaskGP
    from botorch.models.transforms import Standardize
    from gpytorch.mlls import ExactMarginalLogLikelihood, SumMarginalLogLikelihood

    torch.manual_seed(seed)

    def tensor(a: Array) -> Any:
        return torch.as_tensor(a, dtype=torch.double)

    at = tensor(space.coordinates(x))
    front = goals.pareto and len(goals.each) > 1
    wanted = goals.worths(y) if front else goals.value(y)[:, None]
    models = [
        SingleTaskGP(at, tensor(wanted[:, [i]]), outcome_transform=Standardize(1))
        for i in range(wanted.shape[1])
    ]
    model: Any = ModelListGP(*models) if front else models[0]
    loss = SumMarginalLogLikelihood if front else ExactMarginalLogLikelihood
    fit_gpytorch_mll(loss(model.likelihood, model))
    waiting = tensor(space.coordinates(pending)) if len(pending) else None
    judge = _acquisition(model, at, tensor(wanted), waiting, acquisition, front)

    def judged(settings: Array) -> Array:
        points = tensor(space.coordinates(settings))[:, None]
        with torch.no_grad():
            parts = [judge(part) for part in points.split(512)]
        found: Array = torch.cat(parts).numpy()
        return found

    return judged


def _acquisition(model: Any, at: Any, wanted: Any, waiting: Any, name: str, front: bool) -> Any:
    import torch
    from botorch import acquisition as acquisitions
    from botorch.acquisition.multi_objective.logei import (
        qLogNoisyExpectedHypervolumeImprovement,
    )

    if front:
        worst, best = wanted.min(dim=0).values, wanted.max(dim=0).values
        return qLogNoisyExpectedHypervolumeImprovement(
            model, (worst - 0.1 * (best - worst)).tolist(), at, X_pending=waiting,
            prune_baseline=True,
        )  # fmt: skip
    if name == "lognei":
        return acquisitions.qLogNoisyExpectedImprovement(
            model, at, X_pending=waiting, prune_baseline=True
        )
    if name == "logei":
        return acquisitions.qLogExpectedImprovement(model, wanted.max(), X_pending=waiting)
    if name == "ucb":
        return acquisitions.qUpperConfidenceBound(model, _UCB, X_pending=waiting)
    from botorch.sampling.pathwise import draw_matheron_paths

    path = draw_matheron_paths(model, sample_shape=torch.Size([1]))
    return lambda points: path(points.squeeze(1)).reshape(-1)
