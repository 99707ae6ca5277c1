"""Effects along straight paths, from several linear regressions at once: front door, mediation.

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

Array = NDArray[np.float64]


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
