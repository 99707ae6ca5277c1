"""Dependence of rows on the rows before them: autocorrelation, random walks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from seedo.inference.checks._finding import SHARE, Finding

Array = NDArray[np.float64]

FEWEST = 20
"""Rows from which order is looked at."""
CAUSE_ROOT = 20.7
"""n (1 - r) below which a unit root is not rejected at 1 % (Dickey & Fuller 1979, constant)."""
UNIT_ROOT, A_REGRESSOR = 28.3, 6.4
"""The same of residuals from one regressor, and how much more for each other one (Phillips &
Ouliaris 1990, table Ib: 28.3, 34.2, 41.1, 47.5)."""
_TURNS = 0.25
"""Share of rows at which a series turns, below which rows are sorted by it (chance: 2/3; 1/2 in a
random walk)."""


@dataclass(frozen=True)
class Order:
    """Lag-one autocorrelation of residuals and of the cause, in the order of the rows."""

    residual: float
    cause: float
    walk: bool
    p_value: float


def by_time(outcome: Array, cause: Array) -> bool:
    """Whether the order of rows may be that of time: not if they are sorted by either variable,
    or if the outcome has few values, which sorting leaves in runs."""
    if len(np.unique(outcome)) <= 12 or _turns(outcome) < _TURNS:
        return False
    step = np.diff(cause)
    return bool((step > 0).any() and (step < 0).any())


def _turns(x: Array) -> float:
    step = np.diff(x)
    return float(np.mean(step[1:] * step[:-1] < 0)) if len(step) > 1 else 0.0


def order(residual: Array, cause: Array, regressors: int = 1) -> Order:
    """How far neighbouring rows resemble each other.

    Intervals are wrong only where residuals *and* cause do (their products are what is averaged),
    so the p-value is the larger of the two one-sided ones.

    Args:
        residual: float64[R], outcome less fitted mean, in the order of time.
        cause: float64[R], the cause less what covariates say of it.
        regressors: how many terms the residuals are from.
    """
    count = len(residual)
    if count < FEWEST or np.ptp(residual) == 0 or np.ptp(cause) == 0:
        return Order(0.0, 0.0, False, 1.0)
    mine, other = _lag_one(residual), _lag_one(cause)
    p = float(ndtr(-np.sqrt(count) * min(mine, other)))
    more = A_REGRESSOR * (max(regressors, 1) - 1)
    walk = (
        p < SHARE["autocorrelation"]
        and min(mine, other) > 0.6
        and count * (1 - mine) < UNIT_ROOT + more
        and count * (1 - other) < CAUSE_ROOT + more
    )
    return Order(mine, other, walk, p)


def _lag_one(x: Array) -> float:
    centred = x - x.mean()
    return float(centred[1:] @ centred[:-1] / (centred @ centred))


def alike_in_runs(
    outcome: Array, residual: Array, run: NDArray[np.int64], lag: int = 5
) -> float | None:
    """Correlation of neighbours within runs of rows, where it does not die out along the run;
    None where there is none.

    Args:
        outcome: float64[R], in the order of the rows.
        residual: float64[R], the outcome less its fitted mean.
        run: int64[R], sorted.
        lag: rows apart at which half of the resemblance must be left (noise that goes over from
            row to row leaves r^lag of r).
    """
    if len(residual) < FEWEST or len(np.unique(outcome)) <= 12 or _turns(outcome) < _TURNS:
        return None
    centred = residual - residual.mean()
    variance = float(centred @ centred) / len(centred)
    if variance == 0:
        return None
    near, far = run[1:] == run[:-1], run[lag:] == run[:-lag]
    if min(near.sum(), far.sum()) < FEWEST:
        return None
    one = float((centred[1:] * centred[:-1])[near].mean()) / variance
    later = float((centred[lag:] * centred[:-lag])[far].mean()) / variance
    sure = float(ndtr(-np.sqrt(near.sum()) * one)) < SHARE["autocorrelation"]
    return one if sure and later > one / 2 else None


def order_finding(found: Order, cause: str, outcome: str) -> Finding | None:
    """What is said of an effect in rows that depend on the rows before; None: nothing."""
    if found.walk:
        return Finding(
            "random walk", "fatal",
            f"{cause} and what is left of {outcome} both wander as random walks do "
            f"(autocorrelation from row to row {found.cause:.2f} and {found.residual:.2f}, about "
            "1 in a random walk): their levels go together by chance, so no effect can be told "
            "from levels",
            f"give differences from one row to the next instead of {cause} and {outcome}",
        )  # fmt: skip
    if found.p_value < SHARE["autocorrelation"]:
        return Finding(
            "autocorrelation", "mended",
            f"neighbouring rows resemble each other (autocorrelation of residuals "
            f"{found.residual:.2f}, Durbin-Watson {2 * (1 - found.residual):.2f})",
        )  # fmt: skip
    return None
