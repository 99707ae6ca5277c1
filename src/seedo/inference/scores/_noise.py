"""What is believed about noise and weights of a linear-normal mechanism; see `_scores`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln


@dataclass(frozen=True)
class KnownNoise:
    """Noise of a known variance; weights N(0, weight_variance); no intercept unless asked for.

    What the simulated world `dag` is made of.
    """

    noise_variance: float = 1.0
    weight_variance: float = 1.0
    intercept: bool = False
    offset_variance: float = 100.0
    root_variance: float | None = None
    """Of the noise of variables without parents, if it is another."""

    standardise = False

    def weight_precision(self, n: int) -> float:
        return self.noise_variance / self.weight_variance

    def always_precisions(self, count: int) -> NDArray[np.float64]:
        """Of the intercept, if there is one, and the offsets."""
        return np.full(count, self.noise_variance / self.offset_variance)

    def evidence(
        self, n: int, parents: int, rows: float, log_det: NDArray, residual: NDArray
    ) -> NDArray[np.float64]:
        s2 = self._variance(parents)
        return -0.5 * (rows * np.log(2 * np.pi * s2) + log_det + residual / s2)

    def draw_variance(
        self,
        n: int,
        parents: int,
        rows: float,
        residual: float,
        size: int,
        rng: np.random.Generator,
    ) -> NDArray[np.float64]:
        """Posterior draws of s^2, float64[size]."""
        return np.full(size, self._variance(parents))

    def predictive(self, n: int, parents: int, rows: float, residual: float) -> tuple[float, float]:
        """Degrees of freedom of a new value and the square of its scale, weights aside."""
        return np.inf, self._variance(parents)

    def _variance(self, parents: int) -> float:
        root = self.root_variance
        return self.noise_variance if parents or root is None else root


@dataclass(frozen=True)
class UnknownNoise:
    """Unknown noise: weights N(0, s^2 / t), s^2 inverse gamma, conjugate.

    The shape grows with the number of parents as in the BGe score of Geiger & Heckerman (2002) with
    T = t I (Kuipers, Moffa & Heckerman 2014): then graphs that no observation can tell apart score
    the same, so that nothing but interventions and prior beliefs orients their edges. Meant for
    standardised variables.

    Attributes:
        alpha_mu: prior rows behind the means.
        offset_precision: prior rows behind every offset.
    """

    alpha_mu: float = 1.0
    offset_precision: float = 0.01
    intercept: bool = True

    def _alpha_w(self, n: int) -> float:
        return n + self.alpha_mu + 1

    standardise = True

    def weight_precision(self, n: int) -> float:
        return self.alpha_mu * (self._alpha_w(n) - n - 1) / (self.alpha_mu + 1)

    def always_precisions(self, count: int) -> NDArray[np.float64]:
        """Of the intercept, if there is one, then the offsets."""
        found = np.full(count, self.offset_precision)
        if self.intercept:
            found[:1] = self.alpha_mu
        return found

    def evidence(
        self, n: int, parents: int, rows: float, log_det: NDArray, residual: NDArray
    ) -> NDArray[np.float64]:
        a, b = self.shape(n, parents), self.weight_precision(n) / 2
        return (
            -0.5 * (rows * np.log(2 * np.pi) + log_det)
            + a * np.log(b)
            - (a + rows / 2) * np.log(b + np.maximum(residual, 0) / 2)
            + gammaln(a + rows / 2)
            - gammaln(a)
        )

    def draw_variance(
        self,
        n: int,
        parents: int,
        rows: float,
        residual: float,
        size: int,
        rng: np.random.Generator,
    ) -> NDArray[np.float64]:
        """Posterior draws of s^2, float64[size]."""
        shape = self.shape(n, parents) + rows / 2
        return (self.weight_precision(n) + max(residual, 0.0)) / 2 / rng.gamma(shape, size=size)

    def predictive(self, n: int, parents: int, rows: float, residual: float) -> tuple[float, float]:
        """Degrees of freedom of a new value and the square of its scale, weights aside."""
        shape = self.shape(n, parents) + rows / 2
        return 2 * shape, (self.weight_precision(n) + max(residual, 0.0)) / 2 / shape

    def shape(self, n: int, parents: int) -> float:
        """Of the inverse gamma prior of s^2."""
        return (self._alpha_w(n) - n + parents + 1) / 2


NoiseModel = KnownNoise | UnknownNoise
"""What is known of the noise."""
