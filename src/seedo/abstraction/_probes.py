"""What can be read off a network's states, by linear probes and small ones that are not linear.

Probes learn on some systems and are tested on others. Beside each: the same probe of a network of
the same shape that has learnt nothing, a control task (the targets of other episodes: Hewitt &
Liang 2019 ask what a probe can do by itself), and what the exact posterior knows.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from seedo.statistics import LEVEL, Estimate, missing

PROBES = ("linear", "small network")
"""Kinds of probes, each on the same footing."""
TARGETS = ("edges", "effects", "entropy", "next choice")
"""Whether i is a parent of j (AUC); the total effect of i on j (R^2); the entropy of the exact
posterior over graphs (R^2); the variable that the Bayesian sets next (AUC)."""
_HIDDEN = 32
_RESAMPLES = 400
_SAME = 1e-4  # numbers that differ by rounding alone, as a share of the largest


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


class Learnt(NamedTuple):
    """A probe that has learnt; called, it says of every place what it takes the target for.

    Attributes:
        parts: which of the places, int[K], and the model of them, or the number that it says
            whatever the features.
        places: P; of those in no part it says 0.
    """

    parts: tuple[tuple[NDArray[np.int64], Any], ...]
    places: int

    def __call__(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """float64[B, P] of `Places.features`: probabilities where targets are true or false."""
        said = np.zeros((len(features), self.places), np.float64)
        for at, model in self.parts:
            if isinstance(model, float):
                said[:, at] = model
                continue
            own = _of(features, at)
            x = own.reshape(-1, own.shape[-1])
            classes = hasattr(model, "predict_proba")
            found = model.predict_proba(x)[:, 1] if classes else model.predict(x)
            said[:, at] = found.reshape(len(features), -1)
        return said


def learnt(learn: Places, kind: str, seed: int = 0) -> Learnt:
    """A probe of a kind of `PROBES`, taught."""
    if learn.features.ndim == 3:
        columns = [np.flatnonzero(learn.counts)]
    else:
        columns = [np.array([p]) for p in np.flatnonzero(learn.counts)]
    classes, parts = learn.target.dtype == bool, []
    for at in columns:
        own, y = _of(learn.features, at), learn.target[:, at].reshape(-1)
        if min(y.sum(), (~y).sum()) < 2 if classes else constant(y):
            parts.append((at, float(y.mean())))  # nothing to learn from
            continue
        model = _model(kind, classes, seed)
        with warnings.catch_warnings():  # it stops early, or late enough
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(own.reshape(-1, own.shape[-1]), y)
        parts.append((at, model))
    return Learnt(tuple(parts), len(learn.counts))


def _of(features: NDArray[np.float32], at: NDArray[np.int64]) -> NDArray[np.float32]:
    """Features of some places, [B, K, F]; where no part of the state belongs to a place, all."""
    return features[:, at] if features.ndim == 3 else features[:, None]


def probed(learn: Places, test: Places, kind: str, seed: int = 0) -> Estimate:
    """How well a probe does on systems it has not seen: `scored` of what it says."""
    if constant(test.target[:, test.counts]):
        return missing("the same in all episodes")
    said = learnt(learn, kind, seed)(test.features)
    return scored(test.target[:, test.counts], said[:, test.counts], seed)


def scored(target: NDArray[Any], said: NDArray[Any], seed: int = 0) -> Estimate:
    """How well what is said of B episodes and P places, float[B, P], tells them apart.

    Episodes are compared within each place, so that to know how places differ is worth nothing:
    the mean AUC over places of targets that are true or false, or for numbers R^2, the share of
    their squares around each place's mean. The interval is bootstrapped over episodes; there is
    none where some resamples hold nothing to tell apart.
    """
    if constant(target):
        return missing("the same in all episodes")
    score = _auc if target.dtype == bool else _r2
    drawn = np.random.default_rng(seed)
    at = drawn.integers(len(target), size=(_RESAMPLES, len(target)))
    values = np.array([score(target[own], said[own]) for own in at])
    if not np.isfinite(values).all():
        reason = "too few episodes for an interval: the same in all of a resample"
        return Estimate(score(target, said), n=len(target), reason=reason)
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(score(target, said), float(low), float(high), len(target))


def constant(target: NDArray[Any]) -> bool:
    """Whether no place tells episodes apart, rounding aside."""
    numbers = target.astype(np.float64)
    return bool((np.ptp(numbers, axis=0) <= _SAME * np.abs(numbers).max(initial=1)).all())


def _auc(target: NDArray[np.bool_], said: NDArray[np.float64]) -> float:
    """Mann & Whitney's statistic; places where all episodes are alike do not count."""
    right, wrong = target.sum(0), (~target).sum(0)
    both = (right > 0) & (wrong > 0)
    if not both.any():
        return float("nan")
    ranks = (rankdata(said[:, both], axis=0) * target[:, both]).sum(0)
    area = (ranks - right[both] * (right[both] + 1) / 2) / (right[both] * wrong[both])
    return float(area.mean())


def _r2(target: NDArray[np.float64], said: NDArray[np.float64]) -> float:
    """Share of squares; NaN where all episodes are alike."""
    if constant(target):
        return float("nan")
    return float(1 - ((target - said) ** 2).sum() / ((target - target.mean(0)) ** 2).sum())


def _model(kind: str, classes: bool, seed: int) -> Any:
    if kind == "linear":
        probe = LogisticRegression(C=0.1, max_iter=500) if classes else Ridge(1.0)
    else:
        settings: dict[str, Any] = {
            "hidden_layer_sizes": (_HIDDEN,),
            "early_stopping": True,
            "max_iter": 100,
            "random_state": seed,
        }
        probe = (
            MLPClassifier(**settings)
            if classes
            else TransformedTargetRegressor(MLPRegressor(**settings), transformer=StandardScaler())
        )
    return make_pipeline(StandardScaler(), probe)
