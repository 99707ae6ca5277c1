"""Effects of shares that add up: none of them can be changed alone.

Scheffe's canonical polynomials (1958, JRSS B 20): without an intercept, first order, or second with
all products of two shares where a test at 1 % asks for them. An effect is along a direction: one
share takes the place of another, or all others shrink in proportion (Cox 1971, Biometrika 58).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.inference.effects._estimate import Estimate, t_estimate
from seedo.tables import Mixture, Table

_BLENDS = 0.01
"""Level of the test for products of shares."""


@dataclass(frozen=True)
class ShareEffect:
    """What more of one share does.

    Attributes:
        instead: by position of another share, the effect of taking its place.
        proportional: the effect where all others shrink in proportion.
        blends: products of shares are in the model: the effects are those at the mean mixture.
    """

    instead: dict[int, Estimate]
    proportional: Estimate
    blends: bool


def share_effect(
    table: Table,
    mixture: Mixture,
    cause: int,
    outcome: int,
    start: float | None = None,
    end: float | None = None,
) -> ShareEffect | None:
    """The effects of a share on an outcome; other factors of the table are held.

    Args:
        table: all rows; `mixture` is one of its mixtures, `cause` one of the parts.
        outcome: a variable that is no factor.
        start, end: of the share; a unit more if None.

    Returns:
        None where there are too few rows.
    """
    parts = list(mixture.parts)
    beside = [i for i in np.flatnonzero(table.factors).tolist() if i not in parts]
    held, needed = _held(table, beside), table.values[:, [*parts, outcome]]
    rows = np.all(np.isfinite(np.column_stack([needed, held])), axis=1)
    shares, y = table.values[rows][:, parts], table.values[rows, outcome]
    held = held[rows] - held[rows].mean(axis=0)
    if rows.sum() < len(parts) + held.shape[1] + 3 or np.ptp(shares[:, parts.index(cause)]) == 0:
        return None
    plain, fit = _fit(table, rows, _terms(shares, False), held, y), None
    if rows.sum() >= len(parts) * (len(parts) + 1) // 2 + held.shape[1] + 3:
        fit = _fit(table, rows, _terms(shares, True), held, y)
        if float(fit.compare_f_test(plain)[1]) >= _BLENDS:
            fit = None
    blends, model = fit is not None, fit if fit is not None else plain
    centre, at = shares.mean(axis=0), parts.index(cause)
    first = centre[at] if start is None else start
    last = first + 1 if end is None else end
    freedom = float(len(y) - len(model.params))
    if table.unit is not None:
        freedom = float(len(np.unique(table.unit[rows])) - 1)

    def along(direction: NDArray[np.float64]) -> Estimate:
        """The share moves, the others by `direction` for a unit of it."""
        if start is None and blends:  # a unit would leave the region: the slope
            step = 1e-3 * (mixture.total or 1.0)
        else:
            step = last - first
        low = centre + (first - centre[at]) * direction
        moved = _terms(np.stack([low, low + step * direction]), blends)
        contrast = np.concatenate([moved[1] - moved[0], np.zeros(held.shape[1])])
        value = float(contrast @ model.params)
        error = float(np.sqrt(contrast @ model.cov_params() @ contrast))
        how = f"regression over {len(y):,} mixtures"
        scale = float((last - first) / step)
        return t_estimate(scale * value, abs(scale) * error, max(freedom, 1.0), how, len(y))

    def swap(other: int) -> NDArray[np.float64]:
        direction = np.zeros(len(parts))
        direction[at], direction[other] = 1.0, -1.0
        return direction

    shrink = -centre / max(centre.sum() - centre[at], 1e-12)
    shrink[at] = 1.0
    instead = {parts[k]: along(swap(k)) for k in range(len(parts)) if k != at}
    return ShareEffect(instead, along(shrink), blends)


def _terms(shares: NDArray[np.float64], blends: bool) -> NDArray[np.float64]:
    if not blends:
        return shares
    pairs = [shares[:, i] * shares[:, j] for i, j in combinations(range(shares.shape[1]), 2)]
    return np.column_stack([shares, *pairs])


def _held(table: Table, variables: list[int]) -> NDArray[np.float64]:
    """float64[R, K]: other factors, levels as columns."""
    blocks = [np.zeros((table.rows, 0))]
    for i in variables:
        x = table.values[:, i]
        seen = np.unique(x[np.isfinite(x)])
        if len(seen) < 2:
            continue
        if table.columns[i].named:
            coded = (x[:, None] == seen[1:]).astype(np.float64)
            coded[~np.isfinite(x)] = np.nan
            blocks.append(coded)
        else:
            blocks.append(x[:, None])
    return np.concatenate(blocks, axis=1)


def _fit(
    table: Table,
    rows: NDArray[np.bool_],
    terms: NDArray[np.float64],
    held: NDArray[np.float64],
    y: NDArray[np.float64],
) -> Any:
    from statsmodels.regression.linear_model import OLS  # here: takes a second to import

    design = np.column_stack([terms, held])
    groups = table.units_of(rows)
    if groups is None:
        return OLS(y, design).fit()
    return OLS(y, design).fit(cov_type="cluster", cov_kwds={"groups": groups})
