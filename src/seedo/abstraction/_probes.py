"""What can be read off a network's states, by linear probes and small ones that are not linear.

Probes learn on some systems and are tested on others. Beside each: the same probe of a network of
the same shape that has learnt nothing, a control task (the targets of other episodes: Hewitt &
Liang 2019 ask what a probe can do by itself), and what the exact posterior knows.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from seedo.statistics import LEVEL, Estimate, missing

PROBES = ("linear", "small network")
TARGETS = ("edges", "effects", "entropy", "next choice")
"""Whether i is a parent of j (AUC); the total effect of i on j (R^2); the entropy of the exact
posterior over graphs (R^2); the variable that the Bayesian sets next (AUC)."""
_HIDDEN = 32
_RESAMPLES = 100

Score = Callable[[NDArray[Any], NDArray[Any]], float]


class Places(NamedTuple):
    """Where a target is to be found: B episodes, P places in each.

    Attributes:
        features: float32[B, P, F], or float32[B, F] where no part of the state belongs to a place,
            so that every place has a probe of its own.
        target: bool or float[B, P].
        counts: bool[P], places that count.
    """

    features: NDArray[np.float32]
    target: NDArray[Any]
    counts: NDArray[np.bool_]


def pairs(state: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a state has of every ordered pair of variables: float32[B, n n, F], or [B, F]."""
    if state.ndim == 2:
        return state
    if state.ndim == 3:
        n = state.shape[1]
        shape = (len(state), n, n, state.shape[-1])
        sides = [np.broadcast_to(state[:, :, None], shape), np.broadcast_to(state[:, None], shape)]
    else:
        n, sides = state.shape[1], [state, state.swapaxes(1, 2)]
    return np.concatenate(sides, -1).reshape(len(state), n * n, -1)


def variables(state: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a state has of every variable: float32[B, n, F], or [B, F]."""
    if state.ndim < 4:
        return state
    own = np.diagonal(state, axis1=1, axis2=2).swapaxes(1, 2)
    return np.concatenate([own, state.mean(2), state.mean(1)], -1)


def episode(state: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a state has of the episode as a whole: float32[B, F], means over variables."""
    if state.ndim == 2:
        return state
    if state.ndim == 3:
        return np.concatenate([state.mean(1), np.abs(state).mean(1)], -1)
    own = np.diagonal(state, axis1=1, axis2=2)
    return np.concatenate([state.mean((1, 2)), np.abs(state).mean((1, 2)), own.mean(-1)], -1)


def probed(learn: Places, test: Places, kind: str, seed: int = 0) -> Estimate:
    """How well a probe does on systems it has not seen.

    AUC for targets that are true or false, R^2 for numbers; intervals are bootstrapped over
    episodes.
    """
    said = np.zeros(test.target.shape, np.float64)
    if learn.features.ndim == 3:
        columns = [np.flatnonzero(learn.counts)]
    else:
        columns = [np.array([p]) for p in np.flatnonzero(learn.counts)]
    for at in columns:
        here = learn.features[:, at] if learn.features.ndim == 3 else learn.features[:, None]
        there = test.features[:, at] if test.features.ndim == 3 else test.features[:, None]
        y = learn.target[:, at].reshape(-1)
        if learn.target.dtype == bool and len(np.unique(y)) < 2:
            said[:, at] = float(y[0])
            continue
        model = _model(kind, learn.target.dtype == bool, seed)
        with warnings.catch_warnings():  # it stops early, or late enough
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(here.reshape(-1, here.shape[-1]), y)
        x = there.reshape(-1, there.shape[-1])
        found = model.predict_proba(x)[:, 1] if learn.target.dtype == bool else model.predict(x)
        said[:, at] = found.reshape(len(there), -1)
    return scored(test.target[:, test.counts], said[:, test.counts], seed)


def scored(target: NDArray[Any], said: NDArray[Any], seed: int = 0) -> Estimate:
    """AUC (true or false) or R^2 (numbers) of what is said of [B, P], over all places."""
    score: Score = roc_auc_score if target.dtype == bool else r2_score
    if len(np.unique(target)) < 2:
        return missing("the same in all episodes")
    drawn = np.random.default_rng(seed)
    values = []
    for _ in range(_RESAMPLES):
        at = drawn.integers(len(target), size=len(target))
        if len(np.unique(target[at])) > 1:
            values.append(score(target[at].ravel(), said[at].ravel()))
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    value = score(target.ravel(), said.ravel())
    return Estimate(float(value), float(low), float(high), len(target))


def _model(kind: str, classes: bool, seed: int) -> Any:
    if kind == "linear":
        probe = LogisticRegression(C=0.1, max_iter=500) if classes else Ridge(1.0)
    else:
        settings: dict[str, Any] = {
            "hidden_layer_sizes": (_HIDDEN,), "early_stopping": True, "max_iter": 100,
            "random_state": seed,
        }  # fmt: skip
        probe = (
            MLPClassifier(**settings)
            if classes
            else TransformedTargetRegressor(MLPRegressor(**settings), transformer=StandardScaler())
        )
    return make_pipeline(StandardScaler(), probe)
