"""Cause and outcome that both go up or down with time: time is held, or it makes the effect."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import special

from seedo.inference.checks import Finding
from seedo.inference.effects._sample import Covariate, Sample

LEVEL = 0.001
"""Of both tests: that the cause goes with time, and that time tells of the outcome beside it."""
_FEWEST = 12


def hold_trend(
    sample: Sample, cause: str, outcome: str, time: str, in_order: bool
) -> tuple[Sample, list[Finding]]:
    """The sample with time held where it moves both; what was found.

    Args:
        sample: rows in which the cause was not set.
        cause, outcome, time: names.
        in_order: rows without a time may stand in the order of one.
    """
    if any(c.name == time for c in sample.covariates):
        return sample, []
    when = sample.time
    if when is None:
        # The order of rows is not known to be that of time: it is not held, only spoken of.
        when = np.arange(sample.rows, dtype=np.float64)
        if not in_order:
            return sample, []
    used = np.isfinite(sample.outcome) & np.isfinite(when)
    if used.sum() < _FEWEST or not np.isfinite(when).all() or np.ptp(when) == 0:
        return sample, []
    at = when[used]
    at = (at - at.mean()) / at.std()
    held = [c.values[used] for c in sample.covariates if not c.named]
    one = np.ones(len(at))
    moves = _p_of_last(np.stack([one, *held, at], axis=1), sample.cause[used])
    tells = _p_of_last(
        np.stack([one, sample.cause[used], *held, at], axis=1), sample.outcome[used]
    )  # fmt: skip
    if max(moves, tells) > LEVEL:
        return sample, []
    if sample.time is None:
        text = f"{cause} and {outcome} both go up or down from the first row to the last"
        remedy = "if rows are in the order of time, put the time into the table: it is then held"
        return sample, [Finding("trend", "warning", text, remedy)]
    drift = Covariate(time, sample.time)
    text = f"{cause} and {outcome} both go with {time}, which is held: it would look like an effect"
    finding = Finding("trend", "mended", text, f"put {time} into the graph")
    return replace(sample, covariates=(*sample.covariates, drift)), [finding]


def _p_of_last(matrix: np.ndarray, y: np.ndarray) -> float:
    """Two-sided p of the last coefficient in least squares."""
    q, r = np.linalg.qr(matrix)
    last = float(q[:, -1] @ y)
    if abs(r[-1, -1]) < 1e-9 * len(y) ** 0.5:
        return 1.0
    left = y - q @ (q.T @ y)
    freedom = len(y) - matrix.shape[1]
    error = float(np.sqrt(left @ left / freedom))
    return float(2 * special.stdtr(freedom, -abs(last) / error)) if error > 0 else 0.0
