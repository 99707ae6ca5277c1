"""Cause and outcome that share a cycle: the season is held, or it makes the effect."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seedo.inference.checks import Finding
from seedo.inference.effects._sample import Covariate, Sample

Array = NDArray[np.float64]

SHARE_OF_CYCLE = 0.4
"""Share of the variance of both, trend apart, that one sine explains."""
_FEWEST_ROWS, _MOST_ROWS = 40, 2000
_FEWEST_CYCLES = 3
_FEWEST_VALUES = 8


def hold_season(sample: Sample, cause: str, outcome: str) -> tuple[Sample, list[Finding]]:
    """The sample with a sine and a cosine held where both variables follow one; what was found.

    By the periodogram of Lomb (1976) and Scargle (1982), which takes gaps.

    Args:
        sample: rows in the order of time, in which the cause was not set.
        cause, outcome: names.
    """
    at = np.arange(sample.rows, dtype=np.float64) if sample.time is None else sample.time
    used = np.flatnonzero(np.isfinite(sample.outcome) & np.isfinite(at))[:_MOST_ROWS]
    if len(used) < _FEWEST_ROWS or len(np.unique(sample.cause[used])) < _FEWEST_VALUES:
        return sample, []
    when = at[used]
    span = float(np.ptp(when))
    if span == 0 or len(np.unique(sample.outcome[used])) < _FEWEST_VALUES:
        return sample, []
    from scipy.signal import lombscargle  # takes long to import

    series = [_straightened(when, x[used]) for x in (sample.cause, sample.outcome)]

    def shared(cycles: Array) -> tuple[float, float]:
        pace = 2 * np.pi * cycles / span
        powers = [lombscargle(when, x, pace, normalize=True) for x in series]
        both = np.minimum(*powers)
        return float(cycles[np.argmax(both)]), float(both.max())

    best, power = shared(np.arange(_FEWEST_CYCLES, len(used) / 2, 0.25))
    if power < SHARE_OF_CYCLE:
        return sample, []
    best, _ = shared(np.arange(best - 0.25, best + 0.25, 0.01))
    angle = 2 * np.pi * best / span * at
    sine, cosine, later = np.sin(angle), np.cos(angle), (at - at.mean()) / span
    # Products with time: the length of a cycle is itself estimated.
    waves = tuple(Covariate("season", x) for x in (sine, cosine, later * sine, later * cosine))
    length = span / best
    per = f"every {length:.3g} rows" if sample.time is None else f"of length {length:.3g} in time"
    finding = Finding(
        "trend", "mended",
        f"{cause} and {outcome} share a cycle ({per}), which is held: it would look like an effect",
        "put the season into the table and the graph",
    )  # fmt: skip
    return replace(sample, covariates=(*sample.covariates, *waves)), [finding]


def _straightened(when: Array, x: Array) -> Array:
    """x less its trend."""
    matrix = np.stack([np.ones(len(when)), when - when.mean()], axis=1)
    found: Array = x - matrix @ np.linalg.lstsq(matrix, x, rcond=None)[0]
    return found
