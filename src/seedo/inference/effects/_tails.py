"""Rows far out that decide a mean: one by itself, or a few because spread has no end."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from seedo.inference.checks import Finding, far_out, heavy_tails
from seedo.inference.effects._fit import Fitted, Means

Array = NDArray[np.float64]

_MOST = 50_000
"""Rows up to which the robust regression is fitted as well."""
_ARMS = 8


def tails(both: Means, outcome: str, change: float, words: str) -> list[Finding]:
    """What is found of rows far out.

    Args:
        both: means of the outcome at two settings.
        outcome: its name.
        change: what their difference is divided by.
        words: what this difference is, for people.
    """
    fitted = both.fitted
    if fitted.sample.clusters is not None:
        return []
    used = fitted.used
    influence = both.influence[:, 1] - both.influence[:, 0]
    worst = heavy_tails(influence[used])
    if worst is not None:
        value = fitted.sample.outcome[used][worst]
        return [Finding(
            "heavy tails", "warning",
            f"one row, in which {outcome} is {value:.6g}, by itself decides much of the answer",
            "check that row, or ask about the logarithm",
        )]  # fmt: skip
    if fitted.link != "identity" or fitted.sample.scale != "real":
        return []
    if not far_out(_by_arm(fitted)):
        return []
    text = (
        f"a few rows with {outcome} far out decide the mean (heavy tails): it may be off by more "
        "than most rows would let one think"
    )
    said = _robust(both, change, words)
    remedy = "check them" if said else "check them, or ask about ranks or a median instead"
    return [Finding("heavy tails", "warning", text + said, remedy)]


def _by_arm(fitted: Fitted) -> Array:
    """float64[U], residuals, of one spread in all arms where there are few."""
    residual = fitted.residual.copy()
    levels, arm = np.unique(fitted.sample.cause[fitted.used], return_inverse=True)
    if len(levels) > _ARMS:
        return residual
    for k in range(len(levels)):
        mine = arm.reshape(-1) == k
        low, high = np.quantile(residual[mine], [0.25, 0.75])
        residual[mine] /= (high - low) if high > low else 1.0
    return residual


def _robust(both: Means, change: float, words: str) -> str:
    """What a regression says in which rows far out count less (Huber 1964; statsmodels)."""
    fitted = both.fitted
    if len(fitted.residual) > _MOST or fitted.sample.weight is not None:
        return ""
    import statsmodels.api as sm  # takes long to import

    y = fitted.sample.outcome[fitted.used]
    try:
        found = sm.RLM(y, fitted.matrix, M=sm.robust.norms.TukeyBiweight()).fit()
    except (ValueError, ZeroDivisionError, np.linalg.LinAlgError):
        return ""
    # At where the rows are: the same rows are averaged over.
    direction = (both.direction[1] - both.direction[0]) / change
    value = float(direction @ found.params)
    error = math.sqrt(max(float(direction @ found.cov_params() @ direction), 0.0))
    if not math.isfinite(value) or not error > 0:
        return ""
    return (
        f"; robust regression, in which such rows count less, says {value:.3g} "
        f"[{value - 1.96 * error:.3g}, {value + 1.96 * error:.3g}] {words}"
    )
