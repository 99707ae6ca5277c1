"""What a setting gives on average, by a smooth model of all runs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.special import ndtr

Array = NDArray[np.float64]

_NEAREST = 120
"""Runs that are used: those nearest to the setting."""
_BURN, _KEPT = 100, 200
_LENGTH, _NOISE = 0.5, 0.2
"""Where priors lie: lengths in ranges of a knob, for one knob; noise in standard deviations of what
was read."""
_SPREAD = 1.0
"""Standard deviation of all logarithms of parameters."""


def smooth_means(
    x: Array, y: Array, points: Array, seed: int = 0
) -> list[tuple[float, float, float]]:
    """Mean and 95 % interval of the mean outcome at points float64[M, D]: see `smooth_mean`.

    Where all runs are used for every point, parameters are drawn once.
    """
    if len(y) > _NEAREST or len(points) == 1:
        return [smooth_mean(x, y, point, seed) for point in points]
    middle, scale = float(y.mean()), float(y.std()) or 1.0
    model = _Model(x, (y - middle) / scale)
    drawn = model.drawn(np.random.default_rng(seed))
    return [_told(model, drawn, point, middle, scale) for point in points]


def smooth_mean(x: Array, y: Array, point: Array, seed: int = 0) -> tuple[float, float, float]:
    """Mean and 95 % interval of the mean outcome at a point.

    A Gaussian process with Matérn 5/2 covariance and noise (Rasmussen & Williams 2006), whose
    lengths, scale and noise are drawn from their posterior by elliptical slice sampling (Murray,
    Adams & MacKay 2010): with few runs their uncertainty is much of the interval.

    Args:
        x: float64[R, D], coordinates of runs, from 0 to 1.
        y: float64[R], not all alike.
        point: float64[D].
        seed: of the draws.
    """
    far = ((x - point) ** 2).sum(axis=1)
    near = np.argsort(far, kind="stable")[:_NEAREST]
    x, y = x[near], y[near]
    middle, scale = float(y.mean()), float(y.std()) or 1.0
    model = _Model(x, (y - middle) / scale)
    return _told(model, model.drawn(np.random.default_rng(seed)), point, middle, scale)


def _told(
    model: _Model, drawn: list[Array], point: Array, middle: float, scale: float
) -> tuple[float, float, float]:
    """Mean and interval at a point, under parameters drawn; outcomes were scaled."""
    means, errors = [], []
    for parameters in drawn:
        mean, error = model.at(parameters, point)
        means.append(mean)
        errors.append(error)
    low, high = _quantiles(np.array(means), np.array(errors))
    return (
        middle + scale * float(np.mean(means)),
        middle + scale * low,
        middle + scale * high,
    )


class _Model:
    """The process for given runs; parameters are logarithms: lengths, scale, noise."""

    def __init__(self, x: Array, y: Array) -> None:
        self.x, self.y = x, y
        self.apart = (x[:, None] - x[None]) ** 2
        size = x.shape[1]
        length = np.log(_LENGTH * np.sqrt(size))
        self.prior = np.array([*[length] * size, 0.0, np.log(_NOISE)])

    def drawn(self, rng: np.random.Generator) -> list[Array]:
        """Parameters drawn from their posterior."""
        around = np.zeros(len(self.prior))
        fit = self._fit(around)
        kept = []
        for step in range(_BURN + _KEPT):
            other = _SPREAD * rng.normal(size=len(around))
            bar = fit + np.log(rng.random())
            angle = rng.random() * 2 * np.pi
            low, high = angle - 2 * np.pi, angle
            while True:
                moved = around * np.cos(angle) + other * np.sin(angle)
                fit = self._fit(moved)
                if fit > bar:
                    break
                low, high = (angle, high) if angle < 0 else (low, angle)
                angle = rng.uniform(low, high)
            around = moved
            if step >= _BURN:
                kept.append(self.prior + around)
        return kept

    def at(self, parameters: Array, point: Array) -> tuple[float, float]:
        """Mean and standard deviation of the mean outcome at a point."""
        root = self._root(parameters)
        across = _matern((self.x - point) ** 2, parameters)
        mean = float(across @ cho_solve((root, True), self.y))
        known = solve_triangular(root, across, lower=True)
        return mean, float(np.sqrt(max(np.exp(2 * parameters[-2]) - known @ known, 0.0)))

    def _root(self, parameters: Array) -> Array:
        covariance = _matern(self.apart, parameters)
        covariance[np.diag_indices_from(covariance)] += np.exp(2 * parameters[-1]) + 1e-8
        root: Array = cholesky(covariance, lower=True, check_finite=False)
        return root

    def _fit(self, around: Array) -> float:
        """Log marginal likelihood, up to a constant."""
        try:
            root = self._root(self.prior + around)
        except np.linalg.LinAlgError:
            return -np.inf
        white = solve_triangular(root, self.y, lower=True, check_finite=False)
        return float(-0.5 * white @ white - np.log(np.diag(root)).sum())


def _matern(squares: Array, parameters: Array) -> Array:
    """Covariances for squared differences of coordinates, float64[..., D]."""
    far = np.sqrt(5.0 * (squares @ np.exp(-2.0 * parameters[:-2])))
    found: Array = np.exp(2.0 * parameters[-2]) * (1.0 + far + far**2 / 3.0) * np.exp(-far)
    return found


def _quantiles(means: Array, errors: Array) -> tuple[float, float]:
    """The 2.5 and 97.5 % quantiles of a mixture of normals."""
    errors = np.maximum(errors, 1e-9)
    ends = []
    for share in (0.025, 0.975):
        low, high = float((means - 8 * errors).min()), float((means + 8 * errors).max())
        for _ in range(60):
            middle = (low + high) / 2
            below = float(ndtr((middle - means) / errors).mean())
            low, high = (middle, high) if below < share else (low, middle)
        ends.append((low + high) / 2)
    return ends[0], ends[1]
