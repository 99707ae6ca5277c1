"""Which numbers of log lines are worth reading, and in what unit: found from what was done.

A line tells numbers in units of their own, in some steps and not in others, and much of it is
chatter: wordings, clocks, counters. What is the same whatever is done cannot be anything that a
knob sets, nor anything that follows from that; it is left out before variables are looked for, or
it would be counted as one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seedo.abstraction._shown import Shown

_CERTAIN = 4.5
"""Standard errors from which on a correlation is none by chance."""


def weights(shown: Shown) -> NDArray[np.float32]:
    """f32[D], what numbers are multiplied by: 0 if they are left out, as those are that are not
    told in every step and those that do not depend on what was done, in size or spread; otherwise
    one per standard deviation, and 1 for those that are only ever 0 or 1.
    """
    found = np.zeros(shown.raw.shape[1], np.float32)
    told = np.flatnonzero(np.isfinite(shown.raw).all(axis=0))
    raw = shown.raw[:, told]
    spread, flags = raw.std(axis=0), ((raw == 0) | (raw == 1)).all(axis=0)
    # What varies by rounding alone is constant.
    varies = spread > 1e-5 * np.maximum(1.0, abs(raw).max(axis=0, initial=0.0))
    told, raw, spread, flags = told[varies], raw[:, varies], spread[varies], flags[varies]
    moved = _depends((raw - raw.mean(axis=0)) / spread, shown.set_to)
    found[told[moved]] = np.where(flags, 1.0, 1 / spread)[moved]
    return found


def weighed(shown: Shown, weight: NDArray[np.float32]) -> Shown:
    """Steps of which the numbers are multiplied by their weights; what is left out is 0."""
    return shown._replace(raw=np.where(weight > 0, shown.raw, 0) * weight)


def _depends(raw: NDArray[np.float32], set_to: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether numbers, or their squares, go with whether a knob was set, to what, or how far."""
    values = np.nan_to_num(set_to)
    done = _standard(np.concatenate([np.isfinite(set_to), values, values**2], axis=1))
    least = _CERTAIN * np.sqrt(len(raw))
    found = np.zeros(raw.shape[1], bool)
    for seen in (raw, _standard(raw**2)):
        found |= (abs(done.T @ seen) > least).any(axis=0)
    return found


def _standard(values: NDArray[np.float32]) -> NDArray[np.float32]:
    off = values - values.mean(axis=0)
    spread = off.std(axis=0)
    return off / np.where(spread > 1e-6, spread, np.inf)
