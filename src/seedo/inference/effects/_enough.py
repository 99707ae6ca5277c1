"""Whether rows can tell how far an estimate would vary by chance; without that, no interval."""

from __future__ import annotations

import numpy as np

from seedo.inference.checks import Finding
from seedo.inference.effects._sample import Sample

FEWEST_UNITS = 3
"""Independent units from which an interval is given."""
FEWEST_IN_ARM = 2


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
