"""Fitted means of what was read, and the search for settings that are judged best."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from seedo.inference.design import Factor, Response, fit_response
from seedo.spaces import Space, among, climbed, fresh

Array = NDArray[np.float64]
Judge = Callable[[Array], Array]
"""Settings float64[M, K] -> what they promise, float64[M]."""

NOTHING = 0.02
"""Expected improvement, in standard deviations of what was read, that is not worth a run: a run far
from all others tells more, if only that the model is wrong."""
TRUSTED = 0.5
"""Share of the variance of runs left out that has to be predicted before a setting that was never
run is recommended."""
_NEAR, _BEST, _CORNERS = 16, 6, 32
"""Settings that are judged: around each of so many best ones, and at corners."""
_WIDTHS = (0.15, 0.05, 0.02)
"""Of the steps around the best, in ranges of knobs: one round each."""


def fitted(x: Array, y: Array, curves: bool = True) -> Response:
    """The mean of y, float64[R], as a function of inputs float64[R, I]: see `fit_response`.

    The same rows are fitted once, for a campaign's observed rows stay as they are.
    """
    x, y = np.ascontiguousarray(x), np.ascontiguousarray(y)
    return _fitted(x.tobytes(), y.tobytes(), x.shape, curves)


@lru_cache(maxsize=64)
def _fitted(x_bytes: bytes, y_bytes: bytes, shape: tuple[int, int], curves: bool) -> Response:
    x, y = np.frombuffer(x_bytes).reshape(shape), np.frombuffer(y_bytes)
    varying = np.ptp(x, axis=0) > 1e-12
    low, high = x.min(axis=0), np.where(varying, x.max(axis=0), x.min(axis=0) + 1)
    factors = tuple(
        Factor(f"x{i}", low[i], high[i], squared=len(np.unique(x[:, i])) > 2, dependent=not v)
        for i, v in enumerate(varying)
    )
    return fit_response(factors, x, y, curves=curves)


def highest(
    space: Space,
    judge: Judge,
    tried: Array,
    rng: np.random.Generator,
    spread: int = 192,
    pending: Array | None = None,
) -> Array:
    """The setting, float64[K], judged highest: among sampled ones, then around the best.

    Args:
        judge: settings float64[M, K] -> float64[M].
        tried: float64[R, K], looked at as well, as far as it can be set now.
        spread: settings that are looked at first; where there are no more, all are.
        pending: float64[P, K], none of which is taken unless there is no other.
    """
    barred = np.empty((0, space.size)) if pending is None else pending
    every = space.all()
    if every is not None and (space.listed is not None or len(every) <= spread):
        every = fresh(every, barred)
        return every[int(np.argmax(judge(every)))]
    again = tried[space.allows(tried)][-spread:]
    at = np.concatenate([space.sample(spread, rng), space.corners(_CORNERS, rng), again])
    at, worth = climbed(
        space, fresh(at, barred), judge, rng, best=_BEST, count=_NEAR, widths=_WIDTHS,
        keep=lambda more: more[~among(more, barred)] if len(barred) else more,
    )  # fmt: skip
    best: Array = at[int(np.argmax(worth))]
    return best
