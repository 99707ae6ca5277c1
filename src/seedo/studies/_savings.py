"""How many experiments something saves: where one learning curve reaches what another ends at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_TAILS = (2.5, 97.5)


def experiments_needed(curve: NDArray[np.float64], target: float) -> float:
    """Least number of experiments, linearly interpolated, at which a curve reaches a target.

    Args:
        curve: float64[T + 1], the score after 0, 1, ..., T experiments; larger is better.
        target: the score to reach.

    Returns:
        0 where it is reached with none; infinity where it is not reached.
    """
    reached = np.flatnonzero(curve >= target)
    if not len(reached):
        return float("inf")
    at = int(reached[0])
    if at == 0:
        return 0.0
    return at - 1 + float((target - curve[at - 1]) / (curve[at] - curve[at - 1]))


def saving(
    without: NDArray[np.float64],
    having: NDArray[np.float64],
    experiments: int,
    samples: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> dict[str, float | None]:
    """Experiments saved at the score that `experiments` of them reach without the help.

    Args:
        without: float64[T + 1], mean score by number of experiments; larger is better.
        having: the same with the help.
        experiments: those it is held against.
        samples: both curves, resampled, float64[R, T + 1].

    Returns:
        `value`, `low`, `high` (95 %, percentiles of the paired bootstrap); at most `experiments`,
        which says "with none at all". None is "the score is not reached".
    """
    own = experiments - experiments_needed(having, float(without[experiments]))
    drawn = [
        experiments - experiments_needed(b, float(a[experiments]))
        for a, b in zip(*samples, strict=True)
    ]
    low, high = np.percentile(drawn, _TAILS, method="nearest")
    return {k: float(v) if np.isfinite(v) else None
            for k, v in (("value", own), ("low", low), ("high", high))}  # fmt: skip


def worth(
    without: NDArray[np.float64],
    having: NDArray[np.float64],
    samples: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> dict[str, float | None]:
    """Experiments without the help that reach what the help gives with no experiment.

    None is "more than were made".
    """
    own = experiments_needed(without, float(having[0]))
    drawn = [experiments_needed(a, float(b[0])) for a, b in zip(*samples, strict=True)]
    low, high = np.percentile(drawn, _TAILS, method="nearest")
    return {k: float(v) if np.isfinite(v) else None
            for k, v in (("value", own), ("low", low), ("high", high))}  # fmt: skip
