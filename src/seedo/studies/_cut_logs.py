"""Logs cut short: the same episodes, had there been fewer experiments."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.episodes import EXPLORE, OBSERVE, EpisodeBatch
from seedo.errors import UserError


def cut(batch: EpisodeBatch, experiments: int, steps: int) -> EpisodeBatch:
    """The first `experiments` experiments, then the last step, as logs of `steps` steps.

    What is cut out, and what is missing up to `steps`, becomes steps in which nothing was done and
    nothing was seen: readers pass over them, and logs of every length take one compiled program.
    The returns stay those of what was done in the end, after all experiments.

    Raises:
        UserError: the log has more steps than `steps`, or fewer experiments.
    """
    exploring = batch.phase == EXPLORE
    if (exploring.sum(1) < experiments).any():
        raise UserError("experiments", experiments, "more than the log has")
    if batch.steps > steps:
        raise UserError("steps", steps, f"the log has {batch.steps}")
    gone = exploring & (exploring.cumsum(1) > experiments)

    def padded(values: NDArray[Any], blank: float) -> NDArray[Any]:
        mask = gone if values.ndim == 2 else gone[:, :, None]
        shape = (batch.rows, steps - batch.steps, *values.shape[2:])
        middle = np.full(shape, blank, values.dtype)
        values = np.where(mask, np.asarray(blank, values.dtype), values)
        return np.concatenate([values[:, :-1], middle, values[:, -1:]], 1)

    return replace(
        batch,
        phase=padded(batch.phase, OBSERVE),
        setting=padded(batch.setting, np.nan),
        outcome=padded(batch.outcome, np.nan),
        goal=padded(batch.goal, -1),
        action_logits=None,
        explanation=None,
    )
