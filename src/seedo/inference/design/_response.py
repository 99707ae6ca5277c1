"""The mean of an outcome as a function of the settings of several factors.

Polynomials up to second order (Box & Wilson 1951, JRSS B 13) and a Gaussian process (Rasmussen &
Williams 2006) are fitted. A process is taken where it predicts rows left out clearly better than
all polynomials; else these are averaged, by how well each predicts them (`_averaged`).

The best of many settings is the one whose mean is overrated most, unless coefficients are shrunk by
as much as they are uncertain. Those of one kind (lines, products, squares) are therefore normal
with a spread of their own, which the rows tell (`_shrunk`); so do groups of runs that are alike,
such as days or batches, and a trend is held beside. A process has no such part: it sees outcomes
from which theirs was taken off.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Array = NDArray[np.float64]

_AS_GOOD = 1.02
"""Ratio of left-out errors up to which the simpler model is taken."""
_CLEARLY = 1.1
"""Ratio of left-out errors from which on a Gaussian process is taken: its intervals take the
lengths for known."""
_FEWEST = 8
"""Runs for each length of a process below which they say nothing of it."""
_TELL = 10
"""Runs for each length of a process from which on they tell it."""
_SLIGHT = 0.01
"""Share of the weight up to which a form is left out of the average."""
_FOLDS = 5
_OPEN = 2.0
"""Standard deviation beforehand of the logarithm of a kind's spread."""
_STEP = 0.2
_SPARE = 3
"""Runs beyond the number of terms, at least, where products or squares are fitted."""
_LARGEST = 300
"""Rows that a Gaussian process is fitted to, drawn at random from more."""
_AVERAGED = 5
"""Settings that a Gaussian process is averaged over: their joint covariance is large."""
_FORMS: dict[str, tuple[str, ...]] = {
    "linear": (),
    "with squares": ("squares",),
    "with products of pairs": ("products",),
    "quadratic": ("products", "squares"),
}
"""What polynomials hold beside a constant and lines; simpler ones first."""


@dataclass(frozen=True, eq=False)
class Factor:
    """One axis of the settings.

    Attributes:
        name: shown to people.
        low, high: of what was tried; ends of the scale.
        levels: codes of what was tried, for a factor whose values are names; empty for numbers.
        squared: enough different values were tried to tell a bend.
        dependent: the rest of a mixture: it says nothing that the other shares do not.
    """

    name: str
    low: float
    high: float
    levels: tuple[float, ...] = ()
    squared: bool = True
    dependent: bool = False

    def scaled(self, x: Array) -> Array:
        """float64[M, k]: from -1 to 1 over what was tried; one column a level but the first."""
        if self.levels:
            return (x[:, None] == np.array(self.levels[1:])).astype(np.float64)
        return (2 * (x - self.low) / (self.high - self.low) - 1)[:, None]


def basis(factors: tuple[Factor, ...], x: Array, form: str) -> Array:
    """Polynomial terms float64[M, k] of settings float64[M, F]; forms as in `_FORMS`."""
    return np.concatenate(_blocks(factors, x, form), axis=1)


def _blocks(factors: tuple[Factor, ...], x: Array, form: str) -> list[Array]:
    """The constant, lines, products and squares, float64[M, k] each."""
    kept = [(f, f.scaled(x[:, i])) for i, f in enumerate(factors) if not f.dependent]
    none = np.zeros((len(x), 0))
    found = [np.ones((len(x), 1)), np.concatenate([none, *(block for _, block in kept)], axis=1)]
    if "products" in _FORMS[form]:
        pairs = [(a[:, :, None] * b[:, None, :]).reshape(len(x), -1)
                 for (_, a), (_, b) in combinations(kept, 2)]  # fmt: skip
        found.append(np.concatenate([none, *pairs], axis=1))
    if "squares" in _FORMS[form]:
        squares = [block**2 for f, block in kept if f.squared and not f.levels]
        found.append(np.concatenate([none, *squares], axis=1))
    return found


@dataclass(frozen=True, eq=False)
class Beside:
    """What moves outcomes beside the factors, and is not set; means are for the average of it.

    Attributes:
        groups: int64[R] each: runs of one number are alike (a day); means are for those of the
            table.
        units: int64[R], the same of batches and the like, of which others will follow: how far
            apart they are is part of a mean's error; None if there are none.
        trend: float64[R], such as time; None if there is none.
    """

    groups: tuple[NDArray[np.int64], ...] = ()
    units: NDArray[np.int64] | None = None
    trend: Array | None = None

    def columns(self, rows: int) -> list[Array]:
        """The trend, and one column a group for every way of grouping, float64[R, k] each."""
        trend = np.zeros((rows, 0)) if self.trend is None else self.trend[:, None]
        found = [block - block.mean(axis=0) for block in (trend, *map(_each, self.groups))]
        return found if self.units is None else [*found, _each(self.units)]

    def take(self, rows: NDArray[np.bool_]) -> Beside:
        """Some of the runs."""
        some = [None if x is None else x[rows] for x in (self.units, self.trend)]
        return Beside(tuple(g[rows] for g in self.groups), *some)  # type: ignore[arg-type]


def _each(groups: NDArray[np.int64]) -> Array:
    """One column a group, float64[R, G]."""
    return (groups[:, None] == np.unique(groups)).astype(np.float64)


@dataclass(frozen=True, eq=False)
class Response:
    """A fitted mean.

    Attributes:
        how: of which form, for people.
        noise: standard deviation of one run about the mean.
        left_out: root mean square error of runs left out.
        explained: 1 - left_out^2 / variance: the share that is predicted; below 0 if none is.
        rows: runs it rests on.
        joint: settings float64[M, F] -> mean float64[M] and its covariance float64[M, M]; of
            float64[M, K, F] for the averages over K settings each.
        alone: the same of every setting float64[M, F] for itself: mean float64[M] and standard
            error float64[M].
        freedom: of the noise.
        averaged: settings that an average is best taken over, at most.
        ends: least and largest mean that can be.
    """

    how: str
    noise: float
    left_out: float
    explained: float
    rows: int
    joint: Callable[[Array], tuple[Array, Array]]
    alone: Callable[[Array], tuple[Array, Array]]
    freedom: float
    averaged: int = 200
    ends: tuple[float, float] = (-np.inf, np.inf)

    def over(self, places: Sequence[int], runs: Array) -> Response:
        """The same of some factors, on average over what the runs had of the others.

        Args:
            places: positions among the F of the factors that are left.
            runs: settings float64[R, F].
        """
        rest = [i for i in range(runs.shape[1]) if i not in places]
        own = runs[:, rest]
        if len(own) > self.averaged:
            # Evenly spaced along what the others have in common.
            spread = own.std(axis=0)
            order = np.argsort(((own - own.mean(axis=0)) / np.where(spread > 0, spread, 1)).sum(1))
            at = ((np.arange(self.averaged) + 0.5) * len(own) / self.averaged).astype(int)
            own = own[order[at]]

        def joint(x: Array) -> tuple[Array, Array]:
            every = np.empty((len(x), len(own), runs.shape[1]))
            every[:, :, list(places)] = x[:, None, :]
            every[:, :, rest] = own[None]
            return self.joint(every)

        def alone(x: Array) -> tuple[Array, Array]:
            parts = [joint(row[None]) for row in x]
            variance = np.array([covariance[0, 0] for _, covariance in parts])
            return np.array([mean[0] for mean, _ in parts]), np.sqrt(np.maximum(variance, 0))

        return replace(self, joint=joint, alone=alone)

    def interval(self, x: Array) -> tuple[Array, Array, Array]:
        """Mean and ends of its 95 % interval, float64[M] each; of shares Wilson's, for as many runs
        as the mean is worth."""
        mean, error = self.alone(x)
        mean = np.clip(mean, *self.ends)
        width = float(stdtrit(min(self.freedom, 1e6), 0.975))
        low, high = mean - width * error, mean + width * error
        if self.ends == (0.0, 1.0):
            off = (width * error / max(self.noise, 1e-12)) ** 2
            middle = (mean + off / 2) / (1 + off)
            half = np.sqrt(mean * (1 - mean) * off + off**2 / 4) / (1 + off)
            low, high = middle - half, middle + half
        return mean, np.maximum(low, self.ends[0]), np.minimum(high, self.ends[1])

    def draws(self, x: Array, count: int, rng: np.random.Generator) -> Array:
        """Joint posterior draws of the mean, float64[count, M]."""
        mean, covariance = self.joint(x)
        values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
        keep = values > max(values.max(), 0) * 1e-10
        root = vectors[:, keep] * np.sqrt(values[keep])
        freedom = min(self.freedom, 1e6)
        heavy = np.sqrt(freedom / rng.chisquare(freedom, size=(count, 1)))
        found: Array = mean + heavy * (rng.normal(size=(count, root.shape[1])) @ root.T)
        return found


def fit_response(
    factors: tuple[Factor, ...],
    x: Array,
    y: Array,
    beside: Beside | None = None,
    curves: bool = True,
) -> Response:
    """What predicts best what it has not seen: a process, or polynomials, under the name of the
    simplest that is as good as the best of them.

    Args:
        factors: F of them.
        x: settings float64[R, F], finite.
        y: outcomes float64[R], finite; at least two rows more than factors.
        beside: what else moved the outcomes.
        curves: whether a Gaussian process may be taken.
    """
    beside = beside or Beside()
    # With as many terms as runs, spreads could make them fit anything.
    tried = [
        _polynomial(factors, x, y, form, beside)
        for form in _FORMS
        if form == "linear" or basis(factors, x[:1], form).shape[1] <= len(y) - _SPARE
    ]
    best = min(model.left_out for model, _ in tried)
    model, other = next(m for m in tried if m[0].left_out <= _AS_GOOD * best + 1e-12)
    model = _averaged(model, [m for m, _ in tried])
    # Polynomials leave nothing to find where they predict all but a hundredth.
    if curves and best > max(0.1 * y.std(), 1e-9 * np.abs(y).max()):
        some = np.random.default_rng(0).permutation(len(y))[:_LARGEST]
        process = _process(factors, x[some], (y - other)[some])
        if process is not None and _CLEARLY * process.left_out < best:
            return process
    return model


def _averaged(best: Response, models: Sequence[Response]) -> Response:
    """What all models say, weighted by how well they predict runs left out.

    Where runs scatter, a form that is only little worse may be the true one: weights are those of
    pseudo-Bayesian averaging (Geisser & Eddy 1979, JASA 74), with normal errors, whose spread is
    that of the runs left out. Errors hold how far apart the models are.

    Args:
        best: taken for all but means and errors.
        models: forms, the best one among them.
    """
    least = min(model.left_out for model in models)
    if least <= 0:
        return best
    weights = np.array([(least / model.left_out) ** model.rows for model in models])
    kept = [(w, m) for w, m in zip(weights, models, strict=True) if w > _SLIGHT * weights.sum()]
    shares = np.array([w for w, _ in kept]) / sum(w for w, _ in kept)
    some = [model for _, model in kept]
    if len(some) == 1:
        return replace(best, joint=some[0].joint, alone=some[0].alone)

    def joint(at: Array) -> tuple[Array, Array]:
        means, within = zip(*(model.joint(at) for model in some), strict=True)
        mean = shares @ np.array(means)
        apart = np.array(means) - mean
        return mean, np.tensordot(shares, within, 1) + (shares * apart.T) @ apart

    def alone(at: Array) -> tuple[Array, Array]:
        means, errors = (np.array(x) for x in zip(*(m.alone(at) for m in some), strict=True))
        mean = shares @ means
        return mean, np.sqrt(shares @ (errors**2 + (means - mean) ** 2))

    freedom = float(shares @ np.array([model.freedom for model in some]))
    noise = float(np.sqrt(shares @ np.array([model.noise**2 for model in some])))
    return replace(best, joint=joint, alone=alone, freedom=freedom, noise=noise)


def _polynomial(
    factors: tuple[Factor, ...], x: Array, y: Array, form: str, beside: Beside
) -> tuple[Response, Array]:
    """The fit, and float64[R], what moved the outcomes beside the factors."""
    own = _blocks(factors, x, form)
    trend, *groups = beside.columns(len(x))
    size = sum(block.shape[1] for block in own)
    matrix = np.concatenate([*own, trend, *groups], axis=1)
    kinds = np.repeat(np.arange(len(own) + 1 + len(groups)),
                      [block.shape[1] for block in (*own, trend, *groups)])  # fmt: skip
    free = (kinds == 0) | (kinds == len(own))
    precision, unsure = _shrunk(matrix, y, kinds, free)
    inverse = np.linalg.pinv(matrix.T @ matrix + np.diag(precision), hermitian=True)
    beta = inverse @ (matrix.T @ y)
    residual = y - matrix @ beta
    leverage = np.einsum("ij,jk,ik->i", matrix, inverse, matrix)
    left_out = float(np.sqrt(np.mean((residual / np.maximum(1 - leverage, 1e-6)) ** 2)))
    freedom = max(len(y) - float(leverage.sum()), 1.0)
    # Restricted likelihood: what shrinking leaves over, and what it cost, of all but the free part.
    left = float(residual @ residual + (precision * beta**2).sum())
    noise = float(np.sqrt(left / max(len(y) - int(free.sum()), 1)))
    # What the spreads leave open besides (Kass & Steffey 1989, JASA 84).
    moved = (
        2 * inverse @ ((precision * beta)[:, None] * (kinds[:, None] == np.unique(kinds[~free])))
    )
    wide = noise**2 * inverse + moved @ unsure @ moved.T

    def joint(at: Array) -> tuple[Array, Array]:
        terms = basis(factors, at.reshape(-1, len(factors)), form)
        terms = terms.reshape(len(at), -1, size).mean(axis=1)
        return terms @ beta[:size], terms @ wide[:size, :size] @ terms.T

    def alone(at: Array) -> tuple[Array, Array]:
        terms = basis(factors, at, form)
        variance = np.einsum("ij,jk,ik->i", terms, wide[:size, :size], terms)
        return terms @ beta[:size], np.sqrt(np.maximum(variance, 0))

    found = Response(form, noise, left_out, _share(left_out, y), len(y), joint, alone, freedom)
    other: Array = matrix[:, size:] @ beta[size:]
    return found, other


def _shrunk(
    matrix: Array, y: Array, kinds: NDArray[np.int64], free: NDArray[np.bool_]
) -> tuple[Array, Array]:
    """Precisions of coefficients, float64[k], in units of the noise's: one for each kind, 0 where
    they are free; and the covariance of the spreads' logarithms, kinds in their order.

    They maximise the restricted likelihood, times the spreads so that none is put at nought, which
    the rows can never show (Chung et al. 2013, Psychometrika 78).

    Args:
        matrix: float64[R, k].
        y: float64[R].
        kinds: int64[k], which coefficients share a spread.
        free: bool[k], coefficients that are not shrunk.
    """
    from scipy.optimize import minimize  # here, because it takes long to import

    fixed = np.linalg.qr(matrix[:, free])[0]
    rest = matrix[:, ~free] - fixed @ (fixed.T @ matrix[:, ~free])
    aim = y - fixed @ (fixed.T @ y)
    gram, toward, square = rest.T @ rest, rest.T @ aim, float(aim @ aim)
    names, place = np.unique(kinds[~free], return_inverse=True)
    count = len(y) - fixed.shape[1]
    if square <= 1e-24 * float(y @ y) or not len(names):
        return np.where(free, 0.0, 1.0), np.zeros((len(names), len(names)))

    def cost(log_spread: Array) -> float:
        return sloped(log_spread)[0]

    def sloped(log_spread: Array) -> tuple[float, Array]:
        """The cost, and its slopes float64[g]."""
        spread = np.exp(log_spread)[place]
        inner = np.eye(len(gram)) + spread[:, None] * gram * spread
        factor = np.linalg.cholesky(inner)
        half = np.linalg.inv(factor)
        part = half @ (spread * toward)
        least = 1e-12 * square
        left = max(square - float(part @ part), least)
        determinant = 2 * float(np.log(np.diag(factor)).sum())
        found = 0.5 * (count * np.log(left / count) + determinant) - float(log_spread.sum())
        slope = 1 - (half**2).sum(axis=0)
        if left > least:
            slope = slope - count / left * (half.T @ part) ** 2
        by_kind: Array = np.bincount(place, slope).astype(np.float64)
        return found, by_kind - 1

    ends = [(-6.0, 9.0)] * len(names)
    best = minimize(sloped, np.zeros(len(names)), jac=True, method="L-BFGS-B", bounds=ends).x
    precision = np.zeros(len(free))
    precision[~free] = np.exp(-2 * best[place])
    curvature = _curvature(cost, best) + np.eye(len(best)) / _OPEN**2
    return precision, np.asarray(np.linalg.inv(curvature), np.float64)


def _curvature(cost: Callable[[Array], float], at: Array) -> Array:
    """Second derivatives, float64[g, g], as far as they bend upward."""
    steps = _STEP * np.eye(len(at))
    found = np.array([[
        cost(at + a + b) - cost(at + a - b) - cost(at - a + b) + cost(at - a - b)
        for a in steps] for b in steps]) / (4 * _STEP**2)  # fmt: skip
    values, vectors = np.linalg.eigh((found + found.T) / 2)
    bent: Array = vectors @ np.diag(np.maximum(values, 0)) @ vectors.T
    return bent


def _process(factors: tuple[Factor, ...], x: Array, y: Array) -> Response | None:
    """scikit-learn's, with a length of its own for every factor; None where the search fails or
    runs are too few."""
    from sklearn.exceptions import ConvergenceWarning  # here: takes a second to import
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    if all(factor.dependent for factor in factors):
        return None

    def encode(at: Array) -> Array:
        return np.concatenate([f.scaled(at[:, i]) for i, f in enumerate(factors)
                               if not f.dependent], axis=1)  # fmt: skip

    inputs, centre, spread = encode(x), float(y.mean()), float(y.std()) or 1.0
    width = inputs.shape[1]
    if len(y) < _FEWEST * width:
        return None
    kernel = ConstantKernel(1.0, (1e-2, 1e3)) * Matern(
        np.ones(width), (0.1, 50.0), nu=2.5
    ) + WhiteKernel(0.1, (1e-4, 2.0))
    model = GaussianProcessRegressor(kernel, n_restarts_optimizer=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            model.fit(inputs, (y - centre) / spread)
            errors = _left_out(model, inputs, (y - centre) / spread)
        except (ValueError, np.linalg.LinAlgError):
            return None
    white = float(model.kernel_.k2.noise_level)
    left_out = spread * float(np.sqrt(np.mean(errors**2)))

    def joint(at: Array) -> tuple[Array, Array]:
        mean, covariance = model.predict(encode(at.reshape(-1, len(factors))), return_cov=True)
        covariance = covariance - white * np.eye(len(mean))
        mean = mean.reshape(len(at), -1).mean(axis=1)
        alike = (len(at), covariance.shape[0] // len(at)) * 2
        covariance = covariance.reshape(alike).mean(axis=(1, 3))
        return centre + spread * mean, spread**2 * covariance

    def alone(at: Array) -> tuple[Array, Array]:
        mean, error = model.predict(encode(at), return_std=True)
        variance = np.maximum(error**2 - white, 0)
        return centre + spread * mean, spread * np.sqrt(variance)

    return Response("Gaussian process", spread * np.sqrt(white), left_out,
                    _share(left_out, y), len(y), joint, alone, len(y) - 1.0,
                    _AVERAGED)  # fmt: skip


def _left_out(model: Any, inputs: Array, y: Array) -> Array:
    """Errors of runs left out, float64[R].

    Many runs tell the lengths with or without a few of them: equation 5.12 of Rasmussen & Williams.
    Lengths that few runs tell are fitted to what is left out as well, and are found anew without.
    """
    if len(y) > _TELL * inputs.shape[1]:
        precision = np.linalg.inv(model.kernel_(inputs))
        found: Array = precision @ y / np.diag(precision)
        return found
    from sklearn.base import clone
    from sklearn.model_selection import KFold, cross_val_predict

    again = clone(model).set_params(kernel=model.kernel_, n_restarts_optimizer=0)
    folds = KFold(_FOLDS, shuffle=True, random_state=0)
    errors: Array = y - cross_val_predict(again, inputs, y, cv=folds)
    return errors


def _share(left_out: float, y: Array) -> float:
    variance = float(y.var())
    return 1 - left_out**2 / variance if variance > 0 else 0.0
