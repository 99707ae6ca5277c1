"""What a check found: that a model does not fit the rows, and what helps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["mended", "warning", "fatal"]

FALSE_ALARMS = 0.05
"""Share of clean tables in which the whole battery may find anything."""

SHARE = {
    "curvature": 0.010,
    "other curvature": 0.006,
    "interaction": 0.006,
    "autocorrelation": 0.007,
    "clusters": 0.005,
    "graph": 0.004,
    "missingness": 0.006,
    "heavy tails": 0.003,
    "no overlap": 0.002,
    "copies": 0.001,
}
"""Level of each check ("curvature": of the cause, by a square; "other curvature": by a spline, and
of covariates); by Bonferroni the battery keeps to `FALSE_ALARMS` whatever depends."""


@dataclass(frozen=True)
class Finding:
    """One fault.

    Attributes:
        kind: a key of `SHARE` (of curvature the first), or "random walk".
        severity: "mended" where the answer comes from a model that fits, "warning" where it stands
            but may be wrong, "fatal" where there is none.
        text: one line: what was found.
        remedy: what the user can do.
    """

    kind: str
    severity: Severity
    text: str
    remedy: str = ""

    @property
    def line(self) -> str:
        return f"{self.text}; {self.remedy}" if self.remedy else self.text
