"""Whether the straight lines that paths are multiplied along are straight."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seedo.inference.checks import SHARE, added_terms
from seedo.inference.effects._paths import Rows, line

Leg = tuple[str, tuple[str, ...]]
"""A variable, and those that it is regressed on, the cause of the leg first."""


def bent(rows: Rows, legs: Sequence[Leg], slopes_apart: bool = False) -> str:
    """Which leg is no straight line, as a clause; "" where all may be.

    Squares and cubes (a share's S-shape has no square at its middle) and products with the leg's
    cause, by a robust score test.

    Args:
        rows: complete rows.
        legs: regressions.
        slopes_apart: products are fitted, and so not looked for.
    """
    for outcome, on in legs:
        fitted = line(rows, outcome, on)
        standard = {name: _standard(rows, name) for name in on}
        extra = [
            x**power for x in standard.values() if len(np.unique(x)) > 2 for power in (2, 3)
        ]  # fmt: skip
        first = standard[on[0]]
        if not slopes_apart:
            extra += [first * standard[name] for name in on[1:]]
        if not extra:
            continue
        p_value = added_terms(
            fitted.residual, fitted.matrix, np.stack(extra, axis=1),
            weight=rows.weight, clusters=rows.clusters,
        )  # fmt: skip
        if p_value < SHARE["curvature"] / len(legs):
            return f"{outcome} is no straight line in {' and '.join(on)} (p = {p_value:.2g})"
    return ""


def _standard(rows: Rows, name: str) -> np.ndarray:
    x = rows.columns[name]
    spread = float(x.std())
    found: np.ndarray = (x - x.mean()) / (spread if spread > 0 else 1.0)
    return found
