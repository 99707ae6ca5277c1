"""Effects along paths that are no straight lines: natural effects and the front door by curves.

Both average an outcome's fitted curve over the mediators as they are under one setting of the
cause. That average is itself a regression, of fitted values on the cause, so that no distribution
of the mediators has to be modelled. Errors are those of the rows' joint influence on both
regressions (delta method), as in the straight case.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from seedo.inference.effects._estimate import Estimate
from seedo.inference.effects._paths import Rows, estimated
from seedo.inference.effects._terms import KNOTS, Curve, curve, products

Array = NDArray[np.float64]

ROWS_A_COLUMN = 5
"""Rows for each column of a regression, below which curves lose their knots, then are lines."""
ROWS_OF_KNOTS = (800, 3000)
"""Rows from which a curve has the next number of knots."""
_FEW = 4
_STEPS = 50
_APART = 30.0
"""Logarithm of odds from which a regression of shares has found rows that are all alike."""


def front_door_by_curves(
    rows: Rows, cause: str, outcome: str, mediators: Sequence[str], start: float, end: float
) -> Estimate | None:
    """Change of the mean outcome between two settings, all of it through mediators.

    The sum over m of P(m | x) times the mean over all x' of E[outcome | m, x'] (Pearl 1995,
    eq. 13), curves for E[outcome | m, x'] and for what its mean over x' is given x.

    Args:
        rows: complete rows.
        cause: name.
        outcome: name.
        mediators: names.
        start: setting of the cause.
        end: setting it is compared with.

    Returns:
        None where rows are too few.
    """
    for knots in _knots(rows):
        of_cause = _curve(rows, cause, knots)
        own = of_cause.columns(rows.columns[cause])
        block, lines = _block(rows, mediators, knots)
        straight = _lines(of_cause, own)
        first = _design([block, own, products(lines, straight)])
        if first.shape[1] * ROWS_A_COLUMN <= rows.count:
            break
    else:
        return None
    fit = _Least(rows, first, rows.columns[outcome])
    share = rows.weight / rows.weight.sum()
    mean = share @ own
    centre = np.broadcast_to(mean, own.shape)
    averaged = _design([block, centre, products(lines, centre[:, : straight.shape[1]])])
    second = _Least(rows, _design([own]), averaged @ fit.beta)
    value, influence, pull = _second(rows, second, averaged, fit, _step(of_cause, start, end))
    # The mean over x' is that of these rows: its own error.
    place = 1 + block.shape[1] + own.shape[1]
    each = np.tile(fit.beta[1 + block.shape[1] : place], (rows.count, 1))
    each[:, : straight.shape[1]] += lines @ fit.beta[place:].reshape(lines.shape[1], -1)
    slope = (rows.weight * pull) @ each
    influence += (own - mean) @ slope / rows.weight.sum()
    how = f"front door through {', '.join(mediators)}, along smooth curves"
    return estimated(rows, value, influence, first.shape[1], how)


def natural_effect(
    rows: Rows,
    cause: str,
    outcome: str,
    mediators: Sequence[str],
    held: Sequence[str],
    start: float,
    end: float,
    direct: bool,
) -> Estimate | None:
    """Natural direct or indirect effect (Pearl 2001; the mediation formula, Pearl 2012, eq. 15).

    Direct: the cause moved while the mediators stay as they are under its start. Indirect: the
    mediators moved as the cause would, the cause at its end. They add up to the total effect.

    Args:
        rows: complete rows.
        cause: name.
        outcome: name.
        mediators: all variables through which the cause acts.
        held: what is common cause of any two of these, not changed by the cause.
        start: setting of the cause.
        end: setting it is compared with.
        direct: which of both.

    Returns:
        None where rows are too few.
    """
    x = rows.columns[cause]
    for knots in (*_knots(rows), -1):
        model = _Mediation(rows, cause, mediators, held, knots)
        first = model.outcomes(x)
        if first.shape[1] * ROWS_A_COLUMN <= rows.count:
            break
    else:
        return None
    fit = _fitted(rows, first, rows.columns[outcome])
    at_end = model.outcomes(np.full(rows.count, end))
    given = model.mediators(x)
    of_start, of_end = (model.mediators(np.full(rows.count, v)) for v in (start, end))
    value_of, slope_of = fit.at(at_end)
    each = of_end - of_start
    if direct:
        value_of_start, slope_of_start = fit.at(model.outcomes(np.full(rows.count, start)))
        value_of, slope_of = value_of - value_of_start, slope_of - slope_of_start
        each = of_start
    share = rows.weight / rows.weight.sum()
    second = _Least(rows, given, value_of)
    value, influence, _ = _second(rows, second, slope_of, fit, share @ each)
    # What is held is averaged over these rows: its own error.
    influence += (each @ second.beta - value) / rows.weight.sum()
    kind = "direct" if direct else "indirect"
    how = f"the mediation formula, natural {kind} effect through {', '.join(mediators)}"
    if direct:
        how = f"the mediation formula, natural direct effect beside {', '.join(mediators)}"
    return estimated(rows, value, influence, first.shape[1], how)


class _Mediation:
    """Terms of the outcome's regression, and of that of fitted values on cause and what is held."""

    def __init__(
        self, rows: Rows, cause: str, mediators: Sequence[str], held: Sequence[str], knots: int
    ) -> None:  # fmt: skip
        self.cause = _curve(rows, cause, max(knots, 0))
        self.block, self.lines = _block(rows, mediators, knots)
        curves = [_curve(rows, v, knots) for v in held]
        beside = [c.columns(rows.columns[v]) for c, v in zip(curves, held, strict=True)]
        none = np.zeros((rows.count, 0))
        straight = [_lines(c, x) for c, x in zip(curves, beside, strict=True)]
        self.held = np.concatenate([none, *beside], axis=1)
        self.straight = np.concatenate([none, *straight], axis=1)

    def outcomes(self, cause: Array) -> Array:
        """float64[R, k] at values of the cause, mediators and held as they were."""
        own = self.cause.columns(cause)
        line = _lines(self.cause, own)
        return _design([
            own, self.block, self.held, products(line, self.lines), products(line, self.straight),
            products(self.lines, self.straight),
        ])  # fmt: skip

    def mediators(self, cause: Array) -> Array:
        """float64[R, k] at values of the cause, held as they were."""
        own = self.cause.columns(cause)
        return _design([own, self.held, products(_lines(self.cause, own), self.straight)])


class _Least:
    """Least squares of a column on some, by well-scaled normal equations; residuals by HC3."""

    def __init__(self, rows: Rows, matrix: Array, y: Array) -> None:
        weighted = rows.weight[:, None] * matrix
        gram = matrix.T @ weighted
        scale = np.sqrt(np.maximum(np.diag(gram), 1e-300))
        inverse = np.linalg.pinv(gram / np.outer(scale, scale), rcond=1e-10, hermitian=True)
        self.inverse = inverse / np.outer(scale, scale)
        self.matrix = matrix
        self.beta: Array = self.inverse @ (weighted.T @ y)
        residual = y - matrix @ self.beta
        leverage = np.einsum("ij,jk,ik->i", matrix, self.inverse, matrix)
        self.residual: Array = residual / (1 - np.clip(leverage, 0, 0.99))

    def at(self, terms: Array) -> tuple[Array, Array]:
        """float64[R], fitted values; float64[R, k], their change with the coefficients."""
        return terms @ self.beta, terms


class _Shares:
    """Logistic regression of what is yes or no, by iterated least squares of statsmodels."""

    def __init__(self, rows: Rows, matrix: Array, y: Array) -> None:
        import statsmodels.api as sm  # here, because it takes long to import

        found = sm.GLM(y, matrix, family=sm.families.Binomial(), freq_weights=rows.weight)
        self.matrix = matrix
        self.beta: Array = np.asarray(found.fit(maxiter=_STEPS).params, np.float64)
        share, slope = self.at(matrix)
        self.residual: Array = y - share
        gram = slope.T @ (rows.weight[:, None] * matrix)
        self.inverse: Array = np.asarray(np.linalg.pinv(gram, hermitian=True), np.float64)

    def at(self, terms: Array) -> tuple[Array, Array]:
        """As for `_Least`."""
        share = expit(terms @ self.beta)
        return share, (share * (1 - share))[:, None] * terms


def _fitted(rows: Rows, matrix: Array, y: Array) -> _Least | _Shares:
    """A line, or shares of a yes/no outcome where both occur among all kinds of rows."""
    if not np.isin(y, (0.0, 1.0)).all() or np.ptp(y) == 0:
        return _Least(rows, matrix, y)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = _Shares(rows, matrix, y)
    odds = np.abs(matrix @ found.beta)
    apart = not np.isfinite(found.beta).all() or float(odds.max()) > _APART
    return _Least(rows, matrix, y) if apart else found


def _second(
    rows: Rows, second: _Least, slope: Array, fit: _Least | _Shares, contrast: Array
) -> tuple[float, Array, Array]:
    """A contrast of the regression of fitted values on what they are given.

    Args:
        rows: complete rows.
        second: that regression.
        slope: float64[R, q], change of the fitted values with the coefficients of the first.
        fit: the first.
        contrast: float64[k].

    Returns:
        the contrast; float64[R], every row's influence; float64[R], how it changes with every
        fitted value.
    """
    pull = second.matrix @ (second.inverse @ contrast)
    through = slope.T @ (rows.weight * pull)
    influence = pull * second.residual
    influence += fit.residual * (fit.matrix @ (fit.inverse @ through))
    return float(contrast @ second.beta), influence, pull


def _knots(rows: Rows) -> tuple[int, ...]:
    """Numbers of inner knots to try; by rows alone, so that no outcome chooses them."""
    return (*KNOTS[sum(rows.count >= r for r in ROWS_OF_KNOTS) :: -1], 0)


def _curve(rows: Rows, name: str, knots: int) -> Curve:
    """A column's curve; a cubic without knots; below nought of them a line."""
    x = rows.columns[name]
    different = len(np.unique(x))
    if different <= _FEW:
        return curve(x, "levels")
    return curve(x, "line" if knots < 0 else "spline", max(knots, 0))


def _lines(form: Curve, columns: Array) -> Array:
    """Of a curve's columns the line; of levels all."""
    return columns if form.form == "levels" else columns[:, :1]


def _block(rows: Rows, mediators: Sequence[str], knots: int) -> tuple[Array, Array]:
    """float64[R, k], mediators' columns and products of pairs of them; float64[R, l], lines."""
    curves = [_curve(rows, v, knots) for v in mediators]
    each = [c.columns(rows.columns[v]) for c, v in zip(curves, mediators, strict=True)]
    lines = [_lines(c, x) for c, x in zip(curves, each, strict=True)]
    pairs = [products(a, b) for i, a in enumerate(lines) for b in lines[i + 1 :]]
    return np.concatenate([*each, *pairs], axis=1), np.concatenate(lines, axis=1)


def _design(blocks: Sequence[Array]) -> Array:
    return np.concatenate([np.ones((len(blocks[0]), 1)), *blocks], axis=1)


def _step(form: Curve, start: float, end: float) -> Array:
    """Contrast of intercept and curve between two settings."""
    points = form.columns(np.array([start, end]))
    return np.concatenate([[0.0], points[1] - points[0]])
