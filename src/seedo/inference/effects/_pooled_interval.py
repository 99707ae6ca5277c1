"""The interval for an effect from an estimate without bias and one whose bias is unknown.

An experiment gives e ~ N(theta, s_e^2). Observations give o ~ N(theta + b, s_o^2), independent of
e, with a bias b that a hidden common cause may have brought in, and that may as well be nought.
The difference D = e - o ~ N(-b, s_e^2 + s_o^2) is all that is known of b. Testing D first and then
either pooling or not undercovers badly where b is as large as its error (coverage falls to 0.6 and
less); so does a posterior that mixes the two. What can be had was found by Pratt (1961, JASA 56):
an interval that is shorter than the usual one on average if b = 0, and covers for every b. It is
sought in the form of Farchione & Kabaila (2008, Statistics & Probability Letters 78) and Kabaila &
Giri (2009, J. Statist. Plann. Inference 139):

    e - s_e h(T) -+ s_e s(|T|),     T = D / sqrt(s_e^2 + s_o^2),

with h odd, s even, and h = 0, s = z from |T| = 6 on: where observations plainly contradict the
experiment, its own interval stands. Given T, and with g = -b / sd(D),

    (e - theta) / s_e  ~  N(rho (T - g), 1 - rho^2),      rho = s_e / sqrt(s_e^2 + s_o^2),

so that coverage is one integral over T ~ N(g, 1) for each g, and depends on g and rho alone; so
does the expected length. h and s, splines of few knots, minimise the expected length at g = 0 under
two conditions for every g: coverage of at least `LEAST_COVERAGE`, and an expected length of at most
`LONGEST` times that of the experiment alone. (Of intervals that cover 95 % exactly none is shorter
than 0.85 at g = 0, whatever it is elsewhere: Pratt's.) It takes a tenth of a second for each rho;
`benchmarks/fused_intervals.py` prints coverage and lengths beside those of simpler ways.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

LEAST_COVERAGE = 0.944
"""Coverage of the interval at every bias; nominally 95 %."""
LONGEST = 1.05
"""Largest expected length at any bias, in lengths of the experiment's own interval."""
LEAST_WEIGHT = 0.5
"""Smallest rho at which there is anything to gain."""
Z = 1.959963984540054

_END = 6.0  # of |T|, from which on the experiment stands alone
_STEP = 0.75  # between knots
_GRID = 0.04  # of the integrals over T
_TALLEST = 1.2  # of s, in units of Z


@dataclass(frozen=True, eq=False)
class PooledInterval:
    """The functions h and s of the module's text, for one rho.

    Attributes:
        rho: float in [0.5, 1).
        grid: float64[K], ascending values of T from -6 to 6.
        shift: float64[K], h there.
        half: float64[K], s there.
        coverage: the smallest over all biases.
        length: expected, without bias, in lengths of the experiment's own interval.
    """

    rho: float
    grid: NDArray[np.float64]
    shift: NDArray[np.float64]
    half: NDArray[np.float64]
    coverage: float
    length: float

    def at(self, t: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """h(t) and s(|t|) at any T, in units of s_e."""
        h = np.interp(t, self.grid, self.shift, left=0.0, right=0.0)
        return h, np.interp(t, self.grid, self.half, left=Z, right=Z)

    def profile(
        self, bias: NDArray[np.float64], rho: float | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Coverage and relative expected length at biases in units of sd(D), float64 each.

        Args:
            bias: float64[G].
            rho: of the estimates, where it is not the one that the interval was made for.
        """
        t = np.arange(-20 - _GRID / 8, 20 + bias.max(), _GRID / 4)
        weight = _density(t - bias[:, None]) * (_GRID / 4)
        h, s = self.at(t)
        covered = _covered(h, s, t - bias[:, None], self.rho if rho is None else rho)
        return (weight * covered).sum(1), (weight * s).sum(1) / Z


def pooled_interval(rho: float) -> PooledInterval | None:
    """The shortest interval without bias that covers under any.

    Args:
        rho: s_e / sqrt(s_e^2 + s_o^2), in (0, 1): near 1 where the observations are by far the
            more precise. None below `LEAST_WEIGHT`.
    """
    if rho < LEAST_WEIGHT:
        return None
    # From here on nothing depends on it any more, and the integrands become steps.
    return _solved(round(min(rho, 0.99), 2))


@lru_cache(maxsize=64)
def _solved(rho: float) -> PooledInterval | None:
    from scipy import optimize  # here, because it takes long to import

    knots = np.arange(0, _END + 1e-9, _STEP)
    t = np.arange(-_END, _END + 1e-9, _GRID)
    odd, even = _bases(knots, t)
    fixed, even, count = even[:, -1] * Z, even[:, :-1], odd.shape[1]
    bias = np.arange(0, _END + 3.01, 0.15)
    weight = _density(t - bias[:, None]) * _GRID
    beyond = np.concatenate([side + np.arange(_GRID, 12, _GRID) for side in (-_END - 12, _END)])
    outer = _density(beyond - bias[:, None]) * _GRID
    alone = (outer * _covered(0.0, Z, beyond - bias[:, None], rho)).sum(1)
    scale = np.sqrt(1 - rho**2)
    centre = rho * (t - bias[:, None])

    def ends(p: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        h, s = odd @ p[:count], even @ p[count:] + fixed
        return (h - s - centre) / scale, (h + s - centre) / scale

    def coverage(p: NDArray[np.float64]) -> NDArray[np.float64]:
        low, high = ends(p)
        found: NDArray[np.float64] = alone + (weight * (ndtr(high) - ndtr(low))).sum(1)
        return found

    def slope(p: NDArray[np.float64]) -> NDArray[np.float64]:
        low, high = (_density(end) / scale for end in ends(p))
        return np.hstack([(weight * (high - low)) @ odd, (weight * (high + low)) @ even])

    lengths = np.hstack([np.zeros((len(bias), count)), weight @ even]) / Z
    constant = (weight @ fixed + outer.sum(1) * Z) / Z
    tall = np.hstack([np.zeros((len(t), count)), even])[::5]
    conditions = [
        {"type": "ineq", "fun": lambda p: 100 * (coverage(p) - LEAST_COVERAGE),
         "jac": lambda p: 100 * slope(p)},
        {"type": "ineq", "fun": lambda p: 10 * (LONGEST - constant - lengths @ p),
         "jac": lambda p: -10 * lengths},
        {"type": "ineq", "fun": lambda p: _TALLEST * Z - fixed[::5] - tall @ p,
         "jac": lambda p: -tall},
    ]  # fmt: skip
    inner = knots[1:-1]
    start = np.concatenate([0.6 * rho * inner * np.exp(-((inner / 2) ** 2)),
                            np.full(len(knots) - 1, 0.9 * Z)])  # fmt: skip
    found = optimize.minimize(
        lambda p: constant[0] + lengths[0] @ p, start, jac=lambda p: lengths[0],
        constraints=conditions, method="SLSQP", options={"maxiter": 300, "ftol": 1e-7},
    ).x  # fmt: skip
    made = PooledInterval(rho, t, odd @ found[:count], even @ found[count:] + fixed, 0.0, 0.0)
    covers, length = made.profile(np.arange(0, 12, 0.1))
    if covers.min() < LEAST_COVERAGE - 0.002 or length[0] > 1:
        return None  # the search went astray: nothing is promised
    return PooledInterval(rho, t, made.shift, made.half, float(covers.min()), float(length[0]))


def _bases(
    knots: NDArray[np.float64], t: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cubic splines, flat at both ends: odd ones that are 0 there, and even ones."""
    from scipy.interpolate import CubicSpline

    places = np.concatenate([-knots[:0:-1], knots])
    unit = np.eye(len(knots))
    both = [CubicSpline(places, np.concatenate([sign * row[:0:-1], row]), bc_type="clamped")(t)
            for sign, rows in ((-1, unit[1:-1]), (1, unit)) for row in rows]  # fmt: skip
    return np.stack(both[: len(knots) - 2], 1), np.stack(both[len(knots) - 2 :], 1)


def _density(x: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi)
    return found


def _covered(
    h: NDArray[np.float64] | float,
    s: NDArray[np.float64] | float,
    off: NDArray[np.float64],
    rho: float,
) -> NDArray[np.float64]:
    """P(theta in the interval | T), where T - g is `off`."""
    scale = np.sqrt(1 - rho**2)
    found: NDArray[np.float64] = ndtr((h + s - rho * off) / scale) - ndtr(
        (h - s - rho * off) / scale
    )
    return found
