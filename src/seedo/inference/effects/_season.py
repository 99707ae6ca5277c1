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
_STEPS = 4
"""Frequencies that are tried between one whole number of cycles and the next."""


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
    series = [_straightened(when, x[used]) for x in (sample.cause, sample.outcome)]
    cycles = np.arange(_FEWEST_CYCLES, len(used) / 2, 1 / _STEPS)
    evenly = sample.time is None
    both = np.minimum(*(_evenly(when, x, cycles) if evenly else _powers(when, x, cycles)
                        for x in series))  # fmt: skip
    if both.max() < SHARE_OF_CYCLE:
        return sample, []
    near = float(cycles[np.argmax(both)])
    fine = np.arange(near - 0.25, near + 0.25, 0.01)
    best = float(fine[np.argmax(np.minimum(*(_powers(when, x, fine) for x in series)))])
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


def _powers(when: Array, x: Array, cycles: Array) -> Array:
    """Share of the variance of x that a sine of so many cycles explains, at each."""
    from scipy.signal import lombscargle  # takes long to import

    pace = 2 * np.pi * cycles / float(np.ptp(when))
    found: Array = lombscargle(when, x, pace, normalize=True)
    return found


def _evenly(when: Array, x: Array, cycles: Array) -> Array:
    """`_powers` at times that are whole numbers, by one Fourier transform for all frequencies.

    The same least squares of sine and cosine: its sums are those of a transform of the length of
    `_STEPS` spans (Press & Rybicki 1989, without their interpolation, as times fall on its grid).
    """
    at = (when - when[0]).astype(np.int64)
    size = _STEPS * int(at[-1])
    there, series = np.zeros(size), np.zeros(size)
    there[at], series[at] = 1.0, x
    place = np.round(cycles * _STEPS).astype(np.int64)
    one, two = np.fft.fft(series)[place % size], np.fft.fft(there)[2 * place % size]
    cosine, sine = one.real, -one.imag
    count = float(len(at))
    cc, ss, cs = (count + two.real) / 2, (count - two.real) / 2, -two.imag / 2
    apart = cc * ss - cs**2
    full = cosine**2 * ss + sine**2 * cc - 2 * cosine * sine * cs
    # At half a cycle a row sines are nought, and cosines alone are left.
    single = apart < 1e-9 * count**2
    explained = np.where(single, cosine**2 / np.maximum(cc, 1.0),
                         full / np.where(single, 1.0, apart))  # fmt: skip
    found: Array = explained / float((series**2).sum())
    return found


def _straightened(when: Array, x: Array) -> Array:
    """x less its trend."""
    matrix = np.stack([np.ones(len(when)), when - when.mean()], axis=1)
    found: Array = x - matrix @ np.linalg.lstsq(matrix, x, rcond=None)[0]
    return found
