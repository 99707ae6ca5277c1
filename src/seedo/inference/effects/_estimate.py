"""What an estimator says: a number, how sure it is, and what it rests on."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from scipy.special import stdtrit

LEVEL = 0.95
"""Of intervals."""


@dataclass(frozen=True)
class Estimate:
    """One number from data.

    Attributes:
        value: the estimate.
        standard_error: of it, in the same unit; NaN where only the interval is known.
        freedom: degrees of freedom of its t distribution; inf for a normal one.
        low, high: the ends of the 95 % interval.
        how: in words, for people: "difference of means of 400 rows".
        rows: how many rows it rests on.
    """

    value: float
    standard_error: float
    freedom: float
    low: float
    high: float
    how: str = ""
    rows: int = 0

    def scaled(self, factor: float) -> Estimate:
        """The estimate of `factor` times the number."""
        low, high = sorted((factor * self.low, factor * self.high))
        return replace(
            self, value=factor * self.value, standard_error=abs(factor) * self.standard_error,
            low=low, high=high,
        )  # fmt: skip


def t_estimate(
    value: float, standard_error: float, freedom: float = math.inf, how: str = "", rows: int = 0
) -> Estimate:
    """An estimate whose interval is that of a t distribution (normal if `freedom` is inf)."""
    width = 1.959963984540054
    if math.isfinite(freedom):
        width = float(stdtrit(freedom, (1 + LEVEL) / 2))
    half = width * standard_error
    return Estimate(value, standard_error, freedom, value - half, value + half, how, rows)
