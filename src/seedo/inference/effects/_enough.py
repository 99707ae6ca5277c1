"""Whether rows can tell how far an estimate would vary by chance; without that, no interval."""

from __future__ import annotations

import numpy as np

from seedo.inference.checks import Finding
from seedo.inference.effects._sample import Sample

FEWEST_UNITS = 3
"""Independent units from which an interval is given."""
FEWEST_IN_ARM = 2
_ROUNDING = 1e-3
"""Of a cause's spread: what a fixed one may have left beside what fixes it."""


def too_few(sample: Sample, cause: str) -> Finding | None:
    """Rows of one unit, an arm of one row, or fewer rows than the regression has terms.

    Args:
        sample: rows; those without outcome or weight do not count.
        cause: its name.
    """
    counted = np.isfinite(sample.outcome) & (sample.weights > 0)
    rows = int(counted.sum())
    terms = 2 + sum(
        len(np.unique(c.values)) - 1 if c.named else 1 for c in sample.covariates
    )  # fmt: skip
    if rows <= terms:
        return Finding(
            "too few rows", "fatal",
            f"{rows} rows with an outcome and a weight above 0 cannot tell {terms} coefficients "
            "and how far they vary by chance",
            "give more rows, or hold fewer variables",
        )  # fmt: skip
    if sample.scale == "real" and (different := _different(sample, counted)) <= terms:
        return Finding(
            "too few rows", "fatal",
            f"only {different} rows differ from each other, and {terms} coefficients are asked of "
            "them",
            "give more rows that differ, or hold fewer variables",
        )  # fmt: skip
    if _fixed(sample, counted):
        by = ", ".join(c.name for c in sample.covariates)
        return Finding(
            "no overlap", "fatal",
            f"{cause} is fixed by {by} in all rows, but for rounding: what it does cannot be told "
            "from what they do",
            f"give rows in which {cause} differs where {by} are alike",
        )  # fmt: skip
    if sample.clusters is not None:
        units = len(np.unique(sample.clusters[counted]))
        if units < FEWEST_UNITS:
            some = "one unit" if units == 1 else f"{units} units"
            return Finding(
                "too few rows", "fatal",
                f"all rows are of {some}, and nothing tells how far units vary by chance",
                f"give rows of at least {FEWEST_UNITS} units, or another column as --unit",
            )  # fmt: skip
    values, count = np.unique(sample.cause[counted], return_counts=True)
    if len(values) == 2 and count.min() < FEWEST_IN_ARM:
        return Finding(
            "too few rows", "fatal",
            f"{cause} has one of its two values in a single row, and nothing tells how far such "
            "rows vary by chance",
            "give more rows with that value",
        )  # fmt: skip
    return None


def _different(sample: Sample, counted: np.ndarray) -> int:
    """How many rows differ, up to the first few hundred."""
    columns = [sample.outcome, sample.cause, *(c.values for c in sample.covariates)]
    rows = np.stack(columns, axis=1)[counted]
    # Most samples show at once that they have enough.
    for some in (rows[:200], rows):
        if (found := len(np.unique(some, axis=0))) > 100:
            break
    return found


def _fixed(sample: Sample, counted: np.ndarray) -> bool:
    """Whether a line in the covariates gives the cause, but for rounding."""
    x = sample.cause[counted]
    if not sample.covariates or sample.cause_named or len(np.unique(x[:200])) <= 2:
        return False
    blocks = [
        (c.values[counted, None] == np.unique(c.values)[1:]).astype(np.float64)
        if c.named else ((c.values[counted] - c.values.mean()) / (c.values.std() or 1.0))[:, None]
        for c in sample.covariates
    ]  # fmt: skip
    matrix = np.concatenate([np.ones((len(x), 1)), *blocks], axis=1)
    left = x - matrix @ np.linalg.lstsq(matrix, x, rcond=None)[0]
    return bool(left.std() < _ROUNDING * x.std())
