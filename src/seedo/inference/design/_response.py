"""The mean of an outcome as a function of the settings of several factors.

Polynomials up to second order (Box & Wilson 1951, JRSS B 13) and a Gaussian process (Rasmussen &
Williams 2006) are fitted; that which predicts rows left out best is taken, a simpler one where it
is as good. Left-out errors come in closed form: e_i / (1 - h_i), and equation 5.12 of Rasmussen &
Williams.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Array = NDArray[np.float64]

_AS_GOOD = 1.02
"""Ratio of left-out errors up to which the simpler model is taken."""
_CLEARLY = 1.1
"""Ratio of left-out errors from which on a Gaussian process is taken: its lengths were fitted to
the rows left out as well."""
_WIDE = 3.0
"""Prior standard deviation of a coefficient that the runs leave open, in those of the outcome."""
_LARGEST = 300
"""Rows that a Gaussian process is fitted to, drawn at random from more."""
_AVERAGED = 5
"""Settings that a Gaussian process is averaged over: their joint covariance is large."""
_ORDERS = ("linear", "with squares", "with products of pairs", "quadratic")


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


def basis(factors: tuple[Factor, ...], x: Array, order: int) -> Array:
    """Polynomial terms float64[M, k] of settings float64[M, F]; order 0 to 3 as `_ORDERS`."""
    kept = [(f, f.scaled(x[:, i])) for i, f in enumerate(factors) if not f.dependent]
    parts = [np.ones((len(x), 1)), *(block for _, block in kept)]
    if order >= 2:
        parts += [
            (a[:, :, None] * b[:, None, :]).reshape(len(x), -1)
            for (_, a), (_, b) in combinations(kept, 2)
        ]
    if order in (1, 3):
        parts += [block**2 for f, block in kept if f.squared and not f.levels]
    return np.concatenate(parts, axis=1)


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
        """Mean and ends of its 95 % interval, float64[M] each."""
        mean, error = self.alone(x)
        half = float(stdtrit(min(self.freedom, 1e6), 0.975)) * error
        return mean, mean - half, mean + half

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


def fit_response(factors: tuple[Factor, ...], x: Array, y: Array, curves: bool = True) -> Response:
    """The model that predicts best what it has not seen.

    Args:
        factors: F of them.
        x: settings float64[R, F], finite.
        y: outcomes float64[R], finite; at least two rows more than factors.
        curves: whether a Gaussian process may be taken.
    """
    tried = [_polynomial(factors, x, y, order) for order in range(len(_ORDERS))]
    models = [model for model in tried if model is not None]
    best = min((m.left_out for m in models), default=np.inf)
    # Polynomials leave nothing to find where they predict all but a hundredth.
    if curves and best > max(0.1 * y.std(), 1e-9 * np.abs(y).max()):
        some = np.random.default_rng(0).permutation(len(y))[:_LARGEST]
        process = _process(factors, x[some], y[some])
        if process is not None and _CLEARLY * process.left_out < best:
            return process
    return next(m for m in models if m.left_out <= _AS_GOOD * best + 1e-12)


def _polynomial(factors: tuple[Factor, ...], x: Array, y: Array, order: int) -> Response | None:
    matrix = basis(factors, x, order)
    rank = int(np.linalg.matrix_rank(matrix))
    freedom = len(y) - rank
    if order > 0 and (freedom < 3 or rank > 0.7 * len(y)):
        return None
    gram = matrix.T @ matrix
    if rank < matrix.shape[1]:
        # Factors that only moved together: which of them counts is left wide open.
        wide = np.full(len(gram), (_share_of_noise(matrix, y) / _WIDE) ** 2)
        gram = gram + np.diag(np.where(np.arange(len(gram)) > 0, wide, 0.0))
    inverse = np.linalg.pinv(gram, hermitian=True)
    beta = inverse @ (matrix.T @ y)
    residual = y - matrix @ beta
    leverage = np.einsum("ij,jk,ik->i", matrix, inverse, matrix)
    left_out = float(np.sqrt(np.mean((residual / np.maximum(1 - leverage, 1e-6)) ** 2)))
    noise = float(np.sqrt((residual**2).sum() / max(freedom, 1)))

    def joint(at: Array) -> tuple[Array, Array]:
        terms = basis(factors, at.reshape(-1, len(factors)), order)
        terms = terms.reshape(len(at), -1, terms.shape[1]).mean(axis=1)
        return terms @ beta, noise**2 * terms @ inverse @ terms.T

    def alone(at: Array) -> tuple[Array, Array]:
        terms = basis(factors, at, order)
        variance = np.einsum("ij,jk,ik->i", terms, inverse, terms)
        return terms @ beta, noise * np.sqrt(np.maximum(variance, 0))

    how = _ORDERS[order]
    return Response(how, noise, left_out, _share(left_out, y), len(y), joint, alone,
                    max(freedom, 1))  # fmt: skip


def _share_of_noise(matrix: Array, y: Array) -> float:
    """Standard deviation of what a regression leaves over, in those of the outcome."""
    residual = y - matrix @ np.linalg.lstsq(matrix, y, rcond=None)[0]
    return max(float(residual.std() / (y.std() or 1.0)), 1e-3)


def _process(factors: tuple[Factor, ...], x: Array, y: Array) -> Response | None:
    """scikit-learn's, with a length of its own for every factor; None where the search fails."""
    from sklearn.exceptions import ConvergenceWarning  # here: takes a second to import
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    def encode(at: Array) -> Array:
        return np.concatenate([f.scaled(at[:, i]) for i, f in enumerate(factors)
                               if not f.dependent], axis=1)  # fmt: skip

    inputs, centre, spread = encode(x), float(y.mean()), float(y.std()) or 1.0
    width = inputs.shape[1]
    kernel = ConstantKernel(1.0, (1e-2, 1e3)) * Matern(
        np.ones(width), (0.1, 50.0), nu=2.5
    ) + WhiteKernel(0.1, (1e-4, 2.0))
    model = GaussianProcessRegressor(kernel, n_restarts_optimizer=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            model.fit(inputs, (y - centre) / spread)
        except (ValueError, np.linalg.LinAlgError):
            return None
    white = float(model.kernel_.k2.noise_level)
    precision = np.linalg.inv(model.kernel_(inputs))
    errors = precision @ ((y - centre) / spread) / np.diag(precision)
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


def _share(left_out: float, y: Array) -> float:
    variance = float(y.var())
    return 1 - left_out**2 / variance if variance > 0 else 0.0
