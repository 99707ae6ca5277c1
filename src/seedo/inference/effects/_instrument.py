"""Effects by instruments: two-stage least squares, intervals where they are weak, disagreement."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from seedo.inference.effects._estimate import Estimate, t_estimate
from seedo.inference.effects._intervals import quantile
from seedo.inference.effects._paths import Rows, line

Array = NDArray[np.float64]

STRONG = 104.7
"""First-stage F from which the usual interval covers whatever is hidden (Lee et al. 2022)."""
_RATHER_STRONG = 40.0
_ENTANGLED = 0.565
"""Correlation of both errors up to which the usual interval covers however weak the instrument
(Angrist & Kolesár 2024); estimated, so that it is relied on where the instrument is not weak."""


@dataclass(frozen=True)
class Instrumented:
    """An effect by instruments.

    Attributes:
        estimate: two-stage least squares; None where the instrument is too weak for any interval.
        strength: first-stage F, robust.
        used: the instruments that the estimate rests on.
        disagreement: p-value of all instruments giving one effect (Hansen 1982); 1 of one only.
        bent: p-value of one slope at all values of the cause, by powers of the instruments; 1 of
            instruments with too few values to tell.
        reduced: effect of the first instrument on the outcome.
    """

    estimate: Estimate | None
    strength: float
    used: tuple[str, ...]
    disagreement: float = 1.0
    bent: float = 1.0
    reduced: Estimate | None = None


@dataclass(frozen=True, eq=False)
class _Left:
    """What held variables leave of instruments, cause and outcome."""

    rows: Rows
    z: Array
    x: Array
    y: Array
    freedom: float

    def meat(self, scores: Array) -> Array:
        """float64[k, k], robust covariance of summed scores."""
        weight = self.rows.weight
        if self.rows.clusters is None:
            factor = float(weight.sum()) / self.freedom
            found: Array = scores.T @ (weight[:, None] * scores) * factor
            return found
        sums: Array = np.stack(
            [1.0 * np.bincount(self.rows.clusters, weight * c) for c in scores.T], axis=1
        )
        found = sums.T @ sums
        return found

    def sums(self, column: Array) -> Array:
        """float64[k], instruments times a column."""
        found: Array = self.z.T @ (self.rows.weight * column)
        return found


def instrument(
    rows: Rows, cause: str, outcome: str, by: Sequence[str], held: Sequence[str] = ()
) -> Instrumented:
    """Two-stage least squares.

    The interval of one instrument is that of Anderson & Rubin (1949), which covers however weak
    it is, unless it is strong enough for the usual one. Several that are not strong together give
    way to the strongest of them.

    Args:
        rows: complete rows.
        cause: name.
        outcome: name.
        by: instruments.
        held: covariates.
    """
    left = _left(rows, cause, outcome, by, held)
    bent = _bent(rows, left, by, held)
    if len(by) == 1:
        return _by_one(left, by[0], held, bent)
    gram = left.z.T @ (rows.weight[:, None] * left.z)
    first = np.linalg.pinv(gram, rcond=1e-9, hermitian=True) @ left.sums(left.x)
    spread = left.meat(left.z * (left.x - left.z @ first)[:, None])
    moved = left.sums(left.x)
    strength = float(moved @ np.linalg.pinv(spread, hermitian=True) @ moved) / len(by)
    p_value = _overidentified(left)
    hat = left.z @ first
    size = float(rows.weight @ (hat * left.x))
    value = float(rows.weight @ (hat * left.y)) / size if size > 0 else 0.0
    off = left.y - value * left.x
    both = left.meat(hat[:, None] * np.stack([off, left.x - hat], axis=1))
    if not size > 0 or not _usual(strength, both):
        singles = [(_by_one(_left(rows, cause, outcome, (v,), held), v, held, bent)) for v in by]
        best = max(singles, key=lambda one: one.strength)
        return Instrumented(best.estimate, best.strength, best.used, p_value, bent, best.reduced)
    error = math.sqrt(float(both[0, 0])) / size
    how = f"instruments {', '.join(by)}" + (f", {', '.join(held)} held" if held else "")
    found = t_estimate(value, error, left.freedom, how, int(rows.weight.sum()))
    return Instrumented(found, strength, tuple(by), p_value, bent, _reduced(left))


def _usual(strength: float, meat: Array) -> bool:
    """Whether the usual interval will do.

    Args:
        strength: first-stage F.
        meat: float64[2, 2], covariance of the scores of outcome and of cause.
    """
    spread = math.sqrt(max(float(meat[0, 0] * meat[1, 1]), 0.0))
    entangled = abs(float(meat[0, 1])) / spread if spread > 0 else 0.0
    return strength > STRONG or (strength > _RATHER_STRONG and entangled < _ENTANGLED)


def _left(
    rows: Rows, cause: str, outcome: str, by: Sequence[str], held: Sequence[str]
) -> _Left:  # fmt: skip
    freedom = max(float(rows.weight.sum()) - 1 - len(by) - len(held), 1.0)
    if rows.clusters is not None:
        freedom = max(len(np.unique(rows.clusters)) - 1.0, 1.0)
    z = np.stack([line(rows, name, held).residual for name in by], axis=1)
    scale = z.std(axis=0)
    z = z / np.where(scale > 0, scale, 1.0)
    x, y = (line(rows, name, held).residual for name in (cause, outcome))
    return _Left(rows, z, x, y, freedom)


def _reduced(left: _Left) -> Estimate | None:
    """Slope of the outcome in the first instrument, in its spread."""
    z = left.z[:, 0]
    size = float(left.rows.weight @ z**2)
    if not size > 0:
        return None
    value = float(left.rows.weight @ (z * left.y)) / size
    error = math.sqrt(float(left.meat((z * (left.y - value * z))[:, None])[0, 0])) / size
    return t_estimate(value, error, left.freedom, "", int(left.rows.weight.sum()))


def _by_one(left: _Left, by: str, held: Sequence[str], bent: float) -> Instrumented:
    weight, z = left.rows.weight, left.z[:, 0]
    zx, zy = float(weight @ (z * left.x)), float(weight @ (z * left.y))
    size = float(weight @ z**2)
    if not size > 0 or not zx**2 > 1e-18 * size * float(weight @ left.x**2):
        return Instrumented(None, 0.0, (by,))
    # What the instrument leaves of both: scores under any claimed effect are made of these.
    parts = np.stack([left.y - z * zy / size, left.x - z * zx / size], axis=1) * z[:, None]
    meat = left.meat(parts)
    strength = zx**2 / meat[1, 1] if meat[1, 1] > 0 else math.inf
    value = zy / zx
    how = f"instrument {by}" + (f", {', '.join(held)} held" if held else "")
    rows = int(weight.sum())
    if strength > STRONG:
        square = max(meat[0, 0] - 2 * value * meat[0, 1] + value**2 * meat[1, 1], 0.0)
        found = t_estimate(value, math.sqrt(square) / abs(zx), left.freedom, how, rows)
        return Instrumented(found, strength, (by,), 1.0, bent, _reduced(left))
    q = quantile(left.freedom) ** 2
    a = zx**2 - q * meat[1, 1]
    b = zx * zy - q * meat[0, 1]
    c = zy**2 - q * meat[0, 0]
    if a <= 0 or b * b - a * c < 0:
        return Instrumented(None, strength, (by,), 1.0, bent, _reduced(left))
    root = math.sqrt(b * b - a * c)
    found = Estimate(value, root / a / quantile(left.freedom), left.freedom, (b - root) / a,
                     (b + root) / a, how, rows)  # fmt: skip
    return Instrumented(found, strength, (by,), 1.0, bent, _reduced(left))


def _overidentified(left: _Left) -> float:
    """p-value of Hansen's J by two-step generalised method of moments; Sargan's made robust."""
    kept = left.z.std(axis=0) > 0
    if kept.sum() < 2:
        return 1.0
    left = _Left(left.rows, left.z[:, kept], left.x, left.y, left.freedom)
    weight = left.rows.weight
    gram = left.z.T @ (weight[:, None] * left.z)
    zx, zy = left.sums(left.x), left.sums(left.y)
    inverse = np.linalg.pinv(gram, rcond=1e-9, hermitian=True)
    for _ in range(2):
        size = float(zx @ inverse @ zx)
        if not size > 0:
            return 1.0
        value = float(zx @ inverse @ zy) / size
        # About the mean, so that instruments that disagree do not hide it in their own spread.
        scores = left.z * (left.y - value * left.x)[:, None]
        scores = scores - np.average(scores, axis=0, weights=weight)
        inverse = np.linalg.pinv(left.meat(scores), rcond=1e-9, hermitian=True)
    off = zy - value * zx
    return float(chdtrc(int(kept.sum()) - 1, max(float(off @ inverse @ off), 0.0)))


def _bent(rows: Rows, left: _Left, by: Sequence[str], held: Sequence[str]) -> float:
    """p-value of one slope: squares of instruments are instruments too, and would disagree."""
    more = {}
    for name in by:
        x = rows.columns[name]
        if len(np.unique(x)) > 2:
            more[f"square of {name}"] = ((x - x.mean()) / (x.std() or 1.0)) ** 2
    if not more:
        return 1.0
    richer = Rows({**rows.columns, **more}, rows.clusters, rows.weight)
    squares = np.stack([line(richer, name, held).residual for name in more], axis=1)
    z = np.concatenate([left.z, squares], axis=1)
    return _overidentified(_Left(rows, z, left.x, left.y, left.freedom))
