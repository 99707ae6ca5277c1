"""Looking for the setting that is judged best."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from seedo.spaces._space import Space

Array = NDArray[np.float64]

WIDTHS = (0.1, 0.03, 0.01)
"""Of steps around settings, in ranges of knobs."""


def climbed(
    space: Space,
    at: Array,
    judge: Callable[[Array], Array],
    rng: np.random.Generator,
    *,
    best: int,
    count: int,
    widths: Sequence[float] = WIDTHS,
    keep: Callable[[Array], Array] | None = None,
) -> tuple[Array, Array]:
    """Settings, and steps around the best of them in rounds of smaller and smaller steps.

    Args:
        space: of the steps.
        at: float64[M, K], settings to begin with.
        judge: settings float64[M, K] -> float64[M].
        rng: of the steps.
        best: so many settings are looked around in every round.
        count: steps around each, see `Space.near`.
        widths: of the steps, one round each.
        keep: steps -> those of them that count; None: all.

    Returns:
        Settings float64[M', K], those to begin with first; and how they are judged, float64[M'].
    """
    worth = judge(at)
    for width in widths:
        good = at[np.argsort(-worth, kind="stable")[:best]]
        fresh = space.near(good, width, count, rng)
        if keep is not None:
            fresh = keep(fresh)
        if len(fresh):
            at, worth = np.concatenate([at, fresh]), np.concatenate([worth, judge(fresh)])
    return at, worth
