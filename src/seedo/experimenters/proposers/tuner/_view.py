"""Settings as the tuner sees them: no units, no names, ranges and ranks alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_TOTAL = 0.01
"""By how much shares' total may vary, of itself, to be taken for one whole."""


class Frame(NamedTuple):
    """Ranges and ranks of K knobs, from the settings that there are.

    Attributes:
        low, high: f64[K], ends of what they span.
        orders: f64[M, K], values of each knob, ascending.
        kind: i64[K]: numeric 0, stepped 1, categorical 2.
        mixture: whether the values sum to one total.
    """

    low: Array
    high: Array
    orders: Array
    kind: NDArray[np.int64]
    mixture: bool

    @classmethod
    def of(cls, settings: Array, kind: NDArray[np.int64]) -> Frame:
        """Of settings float64[M, K]."""
        orders = np.sort(settings, axis=0)
        total = settings.sum(axis=1)
        whole = bool(settings.shape[1] > 2 and (kind != 2).all())
        mixture = whole and bool(np.ptp(total) <= _TOTAL * abs(total.mean()))
        return cls(orders[0], orders[-1], orders, kind, mixture)

    def seen(self, settings: Array) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Settings float64[M, K] along the ranges and as ranks, f32[M, K] each, from 0 to 1."""
        span = self.high - self.low
        unit = (settings - self.low) / np.where(span > 0, span, 1.0)
        rank = np.empty(settings.shape, np.float32)
        for i in range(settings.shape[1]):
            order, column = self.orders[:, i], settings[:, i]
            rank[:, i] = np.searchsorted(order, column) + np.searchsorted(order, column, "right")
        return unit.astype(np.float32), rank / np.float32(2 * len(self.orders))
