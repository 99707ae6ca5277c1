"""Effects along paths, from several linear regressions at once: instruments, front door, mediation.

Each is a function of regression coefficients; its error is that of the rows' joint influence on
them (delta method), so that regressions on the same rows may depend on each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedo.inference.effects._estimate import Estimate, t_estimate
from seedo.inference.effects._intervals import quantile

Array = NDArray[np.float64]

STRONG = 104.7
"""First-stage F from which the usual interval of an instrument covers (Lee et al. 2022)."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Complete rows of a table for linear regressions.

    Attributes:
        columns: float64[R] each, by name.
        clusters: int64[R], rows that are not independent; None: all are.
        weight: float64[R], how many rows a row stands for.
    """

    columns: dict[str, Array]
    clusters: NDArray[np.int64] | None
    weight: Array

    @property
    def count(self) -> int:
        return len(self.weight)

    def matrix(self, names: Sequence[str]) -> Array:
        """float64[R, 1 + k], an intercept and some columns."""
        return np.stack([np.ones(self.count), *(self.columns[n] for n in names)], axis=1)


@dataclass(frozen=True, eq=False)
class Line:
    """A linear regression: coefficients by name, and every row's influence on each."""

    coefficients: dict[str, float]
    influence: dict[str, Array]
    residual: Array
    matrix: Array


def line(rows: Rows, outcome: str, on: Sequence[str]) -> Line:
    """Least squares of a column on others, influence by HC2."""
    matrix, y, weight = rows.matrix(on), rows.columns[outcome], rows.weight
    gram = matrix.T @ (weight[:, None] * matrix)
    scale = np.sqrt(np.maximum(np.diag(gram), 1e-300))
    inverse = np.linalg.pinv(gram / np.outer(scale, scale), rcond=1e-11, hermitian=True)
    inverse /= np.outer(scale, scale)
    beta = inverse @ (matrix.T @ (weight * y))
    residual = y - matrix @ beta
    leverage = np.clip(np.einsum("ij,jk,ik->i", matrix, inverse, matrix), 0, 1 - 1e-9)
    parts = (residual / np.sqrt(1 - leverage))[:, None] * (matrix @ inverse)
    return Line(
        {name: float(b) for name, b in zip(on, beta[1:], strict=True)},
        {name: parts[:, i + 1] for i, name in enumerate(on)},
        residual, matrix,
    )  # fmt: skip


def estimated(rows: Rows, value: float, influence: Array, parameters: int, how: str) -> Estimate:
    """A number from its rows' influence."""
    weight = rows.weight
    if rows.clusters is None:
        error = math.sqrt(float(weight @ influence**2))
        return t_estimate(value, error, max(weight.sum() - parameters, 1.0), how,
                          int(weight.sum()))  # fmt: skip
    sums = np.bincount(rows.clusters, weight * influence)
    count = len(np.unique(rows.clusters))
    error = math.sqrt(float(sums @ sums) * count / max(count - 1, 1))
    return t_estimate(value, error, max(count - 1.0, 1.0), how, int(weight.sum()))


def front_door(rows: Rows, cause: str, outcome: str, mediators: Sequence[str]) -> Estimate:
    """Effect through mediators that intercept all of it (Pearl 1995), all lines straight."""
    after = line(rows, outcome, [*mediators, cause])
    value, influence = 0.0, np.zeros(rows.count)
    for name in mediators:
        first = line(rows, name, [cause])
        a, b = first.coefficients[cause], after.coefficients[name]
        value += a * b
        influence += first.influence[cause] * b + a * after.influence[name]
    how = f"front door through {', '.join(mediators)}"
    return estimated(rows, value, influence, 2 + len(mediators), how)


@dataclass(frozen=True)
class Instrumented:
    """An effect by instrument.

    Attributes:
        estimate: two-stage least squares; None where the instrument is too weak for any interval.
        strength: first-stage F.
    """

    estimate: Estimate | None
    strength: float


def instrument(
    rows: Rows, cause: str, outcome: str, by: str, held: Sequence[str] = ()
) -> Instrumented:
    """Two-stage least squares with one instrument.

    The interval is that of Anderson & Rubin (1949), which covers however weak the instrument is,
    unless it is strong enough for the usual one.
    """
    z = line(rows, by, held).residual
    x, y = (line(rows, name, held).residual for name in (cause, outcome))
    weight = rows.weight
    zx, zy = float(weight @ (z * x)), float(weight @ (z * y))
    size = float(weight @ z**2)
    if not size > 0 or not zx**2 > 1e-18 * size * float(weight @ x**2):
        return Instrumented(None, 0.0)
    freedom = max(float(weight.sum()) - 2 - len(held), 1.0)
    if rows.clusters is not None:
        freedom = max(len(np.unique(rows.clusters)) - 1.0, 1.0)
    # What the instrument leaves of both: scores under any claimed effect are made of these.
    left = np.stack([y - z * zy / size, x - z * zx / size], axis=1) * z[:, None]
    meat: NDArray[np.float64]
    if rows.clusters is None:
        meat = left.T @ (weight[:, None] * left)
    else:
        both: NDArray[np.float64] = np.stack(
            [1.0 * np.bincount(rows.clusters, weight * c) for c in left.T], axis=1
        )
        meat = both.T @ both
    meat = meat * (float(weight.sum()) / freedom if rows.clusters is None else 1.0)
    strength = zx**2 / meat[1, 1] if meat[1, 1] > 0 else math.inf
    value = zy / zx
    how = f"instrument {by}" + (f", {', '.join(held)} held" if held else "")
    if strength > STRONG:
        error = math.sqrt(max(meat[0, 0] - 2 * value * meat[0, 1] + value**2 * meat[1, 1], 0.0))
        found = t_estimate(value, error / abs(zx), freedom, how, int(weight.sum()))
        return Instrumented(found, strength)
    q = quantile(freedom) ** 2
    a = zx**2 - q * meat[1, 1]
    b = zx * zy - q * meat[0, 1]
    c = zy**2 - q * meat[0, 0]
    if a <= 0 or b * b - a * c < 0:
        return Instrumented(None, strength)
    root = math.sqrt(b * b - a * c)
    found = Estimate(value, root / a / quantile(freedom), freedom, (b - root) / a, (b + root) / a,
                     how, int(weight.sum()))  # fmt: skip
    return Instrumented(found, strength)


def direct_effect(rows: Rows, cause: str, outcome: str, held: Sequence[str]) -> Estimate:
    """Coefficient of the cause with mediators (and whatever else must be) held."""
    found = line(rows, outcome, [cause, *held])
    how = f"regression that holds {', '.join(held)}" if held else "regression"
    value, influence = found.coefficients[cause], found.influence[cause]
    return estimated(rows, value, influence, 2 + len(held), how)


def indirect_effect(
    rows: Rows, cause: str, outcome: str, held: Sequence[str], adjusted: Sequence[str]
) -> Estimate:
    """Total less direct effect.

    Args:
        rows: complete rows.
        cause: name.
        outcome: name.
        held: for the direct effect.
        adjusted: for the total effect.
    """
    total = line(rows, outcome, [cause, *adjusted])
    direct = line(rows, outcome, [cause, *held])
    value = total.coefficients[cause] - direct.coefficients[cause]
    influence = total.influence[cause] - direct.influence[cause]
    return estimated(rows, value, influence, 2 + len(held), "total less direct effect")


def effect_through(
    rows: Rows,
    cause: str,
    outcome: str,
    mediator: str,
    first: Sequence[str],
    second: Sequence[str],
) -> Estimate:
    """Product of the effects of the cause on a mediator and of the mediator on the outcome.

    Args:
        rows: complete rows.
        cause: name.
        outcome: name.
        mediator: name.
        first: adjusted for in the first effect.
        second: in the second.
    """  # fmt: skip
    one = line(rows, mediator, [cause, *first])
    two = line(rows, outcome, [mediator, *second])
    a, b = one.coefficients[cause], two.coefficients[mediator]
    influence = one.influence[cause] * b + a * two.influence[mediator]
    return estimated(rows, a * b, influence, 2 + len(second), f"product of effects by {mediator}")
