"""Rows in which the cause was set, together with rows in which it was only observed.

A hidden common cause of cause and outcome breaks what observations say of the effect, and leaves
the rows in which the cause was set untouched. How wrong the observations are is unknown, and the
experiments alone can tell: `_pooled_interval` says what may then be concluded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtr

from seedo.inference.effects._comparison import Plan, compare
from seedo.inference.effects._design import touched
from seedo.inference.effects._estimate import Estimate, t_estimate
from seedo.inference.effects._pooled_interval import Z, pooled_interval
from seedo.inference.effects._sample import scale_of
from seedo.inference.effects._strategy import CausalGraph
from seedo.tables import Table

DIFFER = 0.05
"""Level at which observations and experiments are said to tell different effects."""
CONTRADICT = 0.01
"""Level at which observations and experiments refute a graph that says nothing hidden moves both.

Where the graph is right their weighted mean does not depend on their difference, so that a level of
5 % would leave out, and miss with, one interval in twenty of those that cover."""
_RESPONDS = 0.1
"""Level at which any variable is taken to respond to the cause, and is not adjusted for."""
_FEWEST = 10
"""Rows of observation beyond the number of coefficients, below which they are left out."""


@dataclass(frozen=True)
class Fused:
    """An effect from experiments and observations together.

    Attributes:
        estimate: what is concluded.
        alone: what the experiments say without the observations.
        observed: what the observations would say if nothing hidden moved cause and outcome, nor
            the outcome the cause.
        p_value: two-sided, of so large a difference between them if there were no bias.
        unnoticed: the bias that the experiments would have missed half of the time.
        effect: posterior probability that there is an effect, half of it beforehand; without bias
            by half beforehand too.
        used: whether the observations moved the interval at all.
        trusted: nothing hidden is taken to move both, as a graph says, and nothing refutes it.
    """

    estimate: Estimate
    alone: Estimate
    observed: Estimate
    p_value: float
    unnoticed: float
    effect: float
    used: bool
    trusted: bool = False

    @property
    def differ(self) -> bool:
        """They tell different effects, or one of the intervals leaves the other out."""
        apart = max(self.alone.low, self.observed.low) > min(self.alone.high, self.observed.high)
        inside = self.alone.low <= self.observed.value <= self.alone.high
        return self.p_value < DIFFER or apart or not inside

    @property
    def agree(self) -> bool:
        """Each estimate lies in the interval of the other."""
        return not self.differ and self.observed.low <= self.alone.value <= self.observed.high


def fuse_estimates(alone: Estimate, observed: Estimate) -> Fused:
    """Combines an estimate without bias with one of unknown bias, independent of it.

    Args:
        alone: from the rows in which the cause was set; its interval is what counts, so that a
            half-width of a t distribution is carried over.
        observed: from rows in which it was not.
    """
    # Intervals of few rows are wider than Z errors: the error that would make them so.
    own, other = _error(alone), _error(observed)
    apart = math.hypot(own, other)
    t = (alone.value - observed.value) / apart if apart > 0 else 0.0
    found, used = alone, False
    pooled = pooled_interval(own / apart) if apart > 0 else None
    if pooled is not None:
        shift, half = (float(x[0]) for x in pooled.at(np.array([t])))
        used = not (shift == 0 and half == Z)
        value = alone.value - own * shift
        low, high = value - own * half, value + own * half
        rows = alone.rows + observed.rows
        if used:
            how = f"{alone.how}, with {observed.rows:,} rows of observation"
            found = Estimate(value, own * half / Z, math.inf, low, high, how, rows)
    return Fused(found, alone, observed, float(2 * ndtr(-abs(t))), Z * apart,
                 _probability(alone, own, observed.value, other), used)  # fmt: skip


def trust_observations(fused: Fused) -> Fused:
    """The same where a graph says that nothing hidden biases the observations.

    Both estimates then have one mean, and are weighted by their errors. Where they contradict each
    other the graph is wrong: the experiments alone decide.
    """
    own, other = _error(fused.alone), _error(fused.observed)
    if fused.p_value < CONTRADICT or own == 0 or other == 0:
        return replace(fused, estimate=fused.alone, used=False)
    weight = other**2 / (own**2 + other**2)
    value = weight * fused.alone.value + (1 - weight) * fused.observed.value
    half = Z * own * other / math.hypot(own, other)
    rows = fused.alone.rows + fused.observed.rows
    how = f"{fused.alone.how}, with {fused.observed.rows:,} rows of observation"
    found = Estimate(value, half / Z, math.inf, value - half, value + half, how, rows)
    return replace(fused, estimate=found, used=True, trusted=True)


def _error(estimate: Estimate) -> float:
    return (estimate.high - estimate.low) / (2 * Z)


def _probability(alone: Estimate, own: float, seen: float, other: float) -> float:
    """P(effect): effect and bias are each nought by half, or normal with the spread that one row
    has (unit information; Kass & Wasserman 1995, JASA 90)."""
    if own == 0:
        return float(alone.value != 0)
    wide = max(alone.rows, 2) * own**2

    def density(effect: float, bias: float) -> float:
        """log p(e, o) for variances of effect and bias."""
        first, both = own**2 + effect, effect
        second = other**2 + effect + bias
        determinant = first * second - both**2
        square = second * alone.value**2 - 2 * both * alone.value * seen + first * seen**2
        return -0.5 * (square / determinant + math.log(determinant))

    some = np.logaddexp(density(wide, 0.0), density(wide, wide))
    none = np.logaddexp(density(0.0, 0.0), density(0.0, wide))
    return float(1 / (1 + np.exp(none - some)))


def adjusted_effect(
    table: Table,
    known: CausalGraph,
    cause: int,
    outcome: int,
    held: Sequence[str],
    ends: tuple[float, float] | None = None,
) -> Estimate | None:
    """What the rows in which the cause was not set say of its effect, going by a graph.

    Args:
        table: all rows.
        known: the graph.
        cause, outcome: positions of variables.
        held: variables that are held.
        ends: of the cause; a unit more if None.

    Returns:
        None where there are too few rows, or the effect is not the same at all values.
    """
    names = table.variables
    later = [j for j in range(table.n)
             if names[j] in known.between(names[cause], names[outcome])]  # fmt: skip
    rows = ~table.hard[:, [cause, outcome, *later]].any(axis=1) & ~touched(table)
    values = table.values[:, outcome]
    rows &= np.isfinite(values)
    covariates = tuple(table.index(name) for name in held)
    plan = Plan(rows, cause, outcome, values, scale_of(table.columns[outcome], values), covariates,
                asked=ends or ())  # fmt: skip
    if rows.sum() < len(covariates) + _FEWEST:
        return None
    found = compare(table, plan)
    if found is None or found.model.fatal is not None or not found.constant:
        return None
    return found.unit() if ends is None else found.effect(*ends)


def observed_effect(
    table: Table,
    cause: int,
    outcome: int,
    start: float | None = None,
    end: float | None = None,
) -> tuple[Estimate, tuple[str, ...]] | None:
    """What the rows in which the cause was not set say of its effect, going by regression.

    Adjusted for the variables that do not respond where the cause is set: neither in the way of
    the effect nor its consequences. Errors are robust against unequal variance (HC1), by units
    where rows have them (Liang & Zeger 1986).

    Args:
        table: all rows.
        cause, outcome: positions of variables.
        start, end: of the cause; a unit more if None. Two levels, where the cause has levels.

    Returns:
        The estimate and the names of what was adjusted for; None where there are too few rows, or
        the outcome is one of several names.
    """
    if table.columns[outcome].named and len(table.columns[outcome].levels) > 2:
        return None
    named = table.columns[cause].named and len(table.columns[cause].levels) > 2
    if named and (start is None or end is None):
        return None
    others = [i for i in range(table.n) if i not in (cause, outcome)]
    # One in ten tables may lose a confounder by chance, however many there are.
    level = _RESPONDS / max(len(others), 1)
    beside = [i for i in others if not _responds(table, cause, i, level)]
    rows = _passive(table, set(beside))
    x, y = table.values[:, cause], table.values[:, outcome]
    rows &= np.isfinite(x) & np.isfinite(y)
    if named:
        rows &= (x == start) | (x == end)
    blocks = [(i, block) for i in beside if (block := _coded(table, i, rows)) is not None]
    for _, block in blocks:
        rows = rows & np.isfinite(block).all(axis=1)
    own = np.where(x == end, 1.0, 0.0) if named else x
    design = np.column_stack([np.ones(len(x)), own, *(block for _, block in blocks)])[rows]
    if rows.sum() < design.shape[1] + _FEWEST or np.ptp(own[rows]) == 0:
        return None
    estimate = _slope(y[rows], design, table, rows)
    change = 1.0 if named or start is None or end is None else end - start
    return estimate.scaled(change), tuple(table.variables[i] for i, _ in blocks)


def _passive(table: Table, beside: set[int]) -> NDArray[np.bool_]:
    """bool[R]: nothing was done that the effect could pass through."""
    kept = [not r.unknown and not (r.targets - beside) for r in table.regimes]
    return np.array(kept, np.bool_)[table.regime]


def _responds(table: Table, cause: int, other: int, level: float) -> bool:
    """Whether a variable differs where the cause was set to different values."""
    if table.factors[other]:
        return False
    hard = table.hard
    rows = hard[:, cause] & ~hard[:, other]
    rows &= np.isfinite(table.values[:, [cause, other]]).all(axis=1)
    x, y = table.values[rows, cause], table.values[rows, other]
    if len(x) < 4 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return len(x) < 4 or np.ptp(x) == 0  # unknown: better left out
    r = float(np.corrcoef(x, y)[0, 1])
    t = abs(r) * math.sqrt((len(x) - 2) / max(1 - r**2, 1e-12))
    return float(2 * stdtr(len(x) - 2, -t)) < level


def _coded(table: Table, variable: int, rows: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    """Columns float64[R, K] for a regression, or None if it would add none or cost many rows."""
    column, values = table.columns[variable], table.values[:, variable]
    seen = values[rows & np.isfinite(values)]
    if len(seen) < 0.95 * rows.sum() or len(seen) == 0 or np.ptp(seen) == 0:
        return None
    if not column.named:
        return values[:, None]
    levels = np.unique(seen)[1:]
    if len(levels) > 20:
        return None
    coded = (values[:, None] == levels).astype(np.float64)
    coded[~np.isfinite(values)] = np.nan
    return coded


def _slope(
    y: NDArray[np.float64], design: NDArray[np.float64], table: Table, rows: NDArray[np.bool_]
) -> Estimate:
    """The coefficient of the second column."""
    from statsmodels.regression.linear_model import WLS  # here: takes a second to import

    weight = np.ones(len(y)) if table.weight is None else table.weight[rows]
    how: dict[str, Any] = {"cov_type": "HC1"}
    freedom = float(len(y) - design.shape[1])
    if (groups := table.units_of(rows)) is not None:
        how = {"cov_type": "cluster", "cov_kwds": {"groups": groups}}
        freedom = float(groups.max())
    fit = WLS(y, design, weights=weight).fit(**how)
    words = f"regression over {len(y):,} rows in which it was observed"
    return t_estimate(float(fit.params[1]), float(fit.bse[1]), max(freedom, 1.0), words, len(y))
