"""Families of levels and counts with any parents: generalised linear, by Laplace's method.

For coefficients w ~ N(0, L^-1) of columns Z and a log likelihood l (MacKay 2003, ch. 27)

    log p(y) ~ l(w*) - 1/2 w*' L w* + 1/2 log|L| - 1/2 log|Z' V Z + L|,

w* the mode and V the curvature of l in each row. Two levels: logistic. More of them: one logistic
regression for each level but the last, of "this one, rather than a later one", in the rows that
have it or a later one (continuation ratios; Agresti 2013, sec. 8.3.6), whose likelihoods multiply
to that of the levels. Counts: Poisson, and negative binomial of several dispersions, averaged over
(dispersion v: variance mean + v mean^2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, gammaln, logsumexp

from seedo.inference.scores._basis import BENT, LINEAR, Basis
from seedo.inference.scores._row_groups import RowGroup

DISPERSIONS = (0.0, 0.1, 0.5, 2.0)
"""Of counts; 0 is Poisson."""
_STEPS = 25
_CHUNK = 1 << 21


@dataclass(frozen=True, eq=False)
class _Likelihood:
    """Of N rows, whose linear predictors are float64[M, N]; dispersion None means yes/no."""

    y: NDArray[np.float64]
    dispersion: float | None

    def start(self) -> float:
        """The predictor that fits a constant."""
        mean = self.y.mean() if len(self.y) else 0.5
        if self.dispersion is None:
            mean = np.clip(mean, 0.5 / (len(self.y) + 1), 1 - 0.5 / (len(self.y) + 1))
            return float(np.log(mean / (1 - mean)))
        return float(np.log(max(mean, 0.5 / (len(self.y) + 1))))

    def value(self, eta: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.dispersion is None:
            return (self.y * eta - np.logaddexp(0, eta)).sum(-1)
        log_mean = np.clip(eta, -30, 30)
        constant = -gammaln(self.y + 1).sum()
        if self.dispersion == 0:
            return constant + (self.y * log_mean - np.exp(log_mean)).sum(-1)
        size, ratio = 1 / self.dispersion, log_mean + np.log(self.dispersion)
        constant += (gammaln(self.y + size) - gammaln(size)).sum()
        total = self.y * ratio - (self.y + size) * np.logaddexp(0, ratio)
        return constant + total.sum(-1)

    def slopes(self, eta: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """First derivative and minus the expected second one, by row."""
        if self.dispersion is None:
            p = expit(eta)
            return self.y - p, p * (1 - p)
        mean = np.exp(np.clip(eta, -30, 30))
        weight = 1 / (1 + self.dispersion * mean)
        return (self.y - mean) * weight, mean * weight


def laplace(
    likelihood: _Likelihood,
    columns: NDArray[np.float64],
    sets: NDArray[np.int64],
    precision: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Log evidence of several sets of columns, float64[M].

    Args:
        likelihood: of N rows.
        columns: float64[C, N]; the first is the intercept's.
        sets: int64[M, c], which of them each set uses.
        precision: float64[C], of each coefficient's normal prior; the intercept's is centred on
            what fits a constant.
    """
    found = np.empty(len(sets))
    step = max(1, _CHUNK // max(1, sets.shape[1] * columns.shape[1]))
    for start in range(0, len(sets), step):
        part = sets[start : start + step]
        found[start : start + step] = _laplace(likelihood, columns[part], precision[part])
    return found


def _laplace(
    likelihood: _Likelihood, z: NDArray[np.float64], precision: NDArray[np.float64]
) -> NDArray[np.float64]:
    """z float64[M, c, N], precision float64[M, c]."""
    count, size, _ = z.shape
    base = likelihood.start()
    w = np.zeros((count, size))

    def objective(w: NDArray[np.float64]) -> NDArray[np.float64]:
        eta = base + np.matmul(w[:, None, :], z)[:, 0]
        return likelihood.value(eta) - 0.5 * (precision * w**2).sum(1)

    best = objective(w)
    diagonal = np.arange(size)
    for _ in range(_STEPS):
        gradient, curvature = _derivatives(likelihood, z, precision, w, base, diagonal)
        move = np.linalg.solve(curvature, gradient[:, :, None])[:, :, 0]
        pace = np.ones(count)
        for _ in range(8):
            tried = w + pace[:, None] * move
            value = objective(tried)
            worse = value < best - 1e-9
            if not worse.any():
                break
            pace[worse] /= 4
        better = value >= best - 1e-9
        gain = np.where(better, value - best, 0.0)
        w = np.where(better[:, None], tried, w)
        best = np.where(better, value, best)
        if gain.max(initial=0) < 1e-7:
            break
    _, curvature = _derivatives(likelihood, z, precision, w, base, diagonal)
    log_det = np.linalg.slogdet(curvature)[1]
    found: NDArray[np.float64] = best + 0.5 * np.log(precision).sum(1) - 0.5 * log_det
    return found


def _derivatives(
    likelihood: _Likelihood,
    z: NDArray[np.float64],
    precision: NDArray[np.float64],
    w: NDArray[np.float64],
    base: float,
    diagonal: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    slope, weight = likelihood.slopes(base + np.matmul(w[:, None, :], z)[:, 0])
    gradient = np.matmul(z, slope[:, :, None])[:, :, 0] - precision * w
    curvature = np.matmul(z * weight[:, None, :], z.swapaxes(1, 2))
    curvature[:, diagonal, diagonal] += precision
    return gradient, curvature


class CountedFamily:
    """All parent sets of a child of levels or counts.

    Args:
        basis: of all variables.
        values: float64[R], positions of levels, or counts.
        levels: how many; 0 for counts.
        groups: rows with a mechanism each.
        precision: of a linear coefficient in standard units.
        offset_precision: of the intercept and the offsets.
    """

    def __init__(
        self,
        basis: Basis,
        values: NDArray[np.float64],
        levels: int,
        groups: Sequence[RowGroup],
        precision: float = 0.5,
        offset_precision: float = 0.01,
    ) -> None:
        self.basis = basis
        self._parts: list[tuple[list[_Likelihood], NDArray[np.float64], int]] = []
        for group in groups:
            y = values[group.rows]
            x = basis.columns[group.rows]
            always = np.concatenate([np.ones((len(x), 1)), group.offsets], axis=1)
            columns = np.concatenate([always, x, np.zeros((len(x), 1))], axis=1).T
            for rows, likelihoods in _parts(y, levels):
                self._parts.append((likelihoods, columns[:, rows], always.shape[1]))
        self._penalty = (offset_precision, precision)
        self.forms: tuple[int, ...] = (LINEAR,)

    def choose(self, allowed: Sequence[int]) -> None:
        """Averages over curved predictors too, where they explain the child much better."""
        if not self.basis.bends:
            return
        found: list[int] = []
        best = [float(self._of_form(f, np.zeros((1, 0), np.int64))[0]) for f in (LINEAR, BENT)]
        left = list(allowed)
        while left and len(found) < 4:
            sets = np.array([[*found, i] for i in left], np.int64)
            both = [self._of_form(f, sets) for f in (LINEAR, BENT)]
            at = int(np.argmax(np.maximum(*both)))
            if max(both[0][at], both[1][at]) <= max(best):
                break
            best = [float(b[at]) for b in both]
            found.append(left.pop(at))
        if best[1] > best[0]:
            self.forms = (LINEAR, BENT)

    def evidence(self, parents: NDArray[np.int64]) -> NDArray[np.float64]:
        """Log marginal likelihood of parent sets of one size, int64[M, p]; float64[M]."""
        each = np.stack([self._of_form(form, parents) for form in self.forms])
        found: NDArray[np.float64] = logsumexp(each, axis=0) - np.log(len(self.forms))
        return found

    def _of_form(self, form: int, parents: NDArray[np.int64]) -> NDArray[np.float64]:
        width = self.basis.width[form]
        m = self.basis.columns.shape[1]
        found = np.zeros(len(parents))
        for likelihoods, columns, always in self._parts:
            of = np.full((len(width), width.max()), always + m, np.int64)
            for i, size in enumerate(width):
                of[i, :size] = always + self.basis.of(i, form)
            first = np.broadcast_to(np.arange(always), (len(parents), always))
            sets = np.concatenate([first, of[parents].reshape(len(parents), -1)], axis=1)
            loose, tight = self._penalty
            precision = np.concatenate([np.full(always, loose), tight * self.basis.penalty, [1.0]])
            each = [laplace(one, columns, sets, precision) for one in likelihoods]
            found += logsumexp(np.stack(each), axis=0) - np.log(len(each))
        return found


def _parts(
    y: NDArray[np.float64], levels: int
) -> list[tuple[NDArray[np.bool_], list[_Likelihood]]]:
    """Independent likelihoods and their rows; of each, the versions to average over."""
    if levels == 0:
        every = np.ones(len(y), np.bool_)
        return [(every, [_Likelihood(y, dispersion) for dispersion in DISPERSIONS])]
    found = []
    for level in range(levels - 1):
        rows = y >= level
        found.append((rows, [_Likelihood((y[rows] == level).astype(np.float64), None)]))
    return found
