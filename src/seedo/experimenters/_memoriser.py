"""The memoriser: exploits by what was most often done for this goal in the logs it has read."""

from __future__ import annotations

from collections.abc import Iterable

import jax.numpy as jnp
import numpy as np

from seedo.episodes import EpisodeBatch
from seedo.errors import UserError
from seedo.experimenters._choosers import CHOOSERS
from seedo.experimenters._scripted import Scripted
from seedo.worlds import EXPLOIT


def action_frequencies(
    batches: Iterable[EpisodeBatch], n: int, do_values: tuple[float, ...]
) -> np.ndarray:
    """How often each exploit action was taken for each goal: int64[goal, n, V]."""
    counts = np.zeros((n, n, len(do_values)), np.int64)
    for batch in batches:
        if batch.outcome.shape[-1] != n:
            raise UserError(
                "memoriser",
                batch.outcome.shape[-1],
                f"its logs must have the world's {n} variables",
            )
        rows = (batch.phase == EXPLOIT) & (batch.target >= 0) & (batch.goal >= 0)
        for v, value in enumerate(do_values):
            chosen = rows & (batch.value == np.float32(value))
            np.add.at(counts[:, :, v], (batch.goal[chosen], batch.target[chosen]), 1)
    return counts


def memoriser(counts: np.ndarray, name: str = "memoriser") -> Scripted:
    """Tries the variables in random order, then plays the action most frequent for the goal."""
    table = jnp.asarray(counts, jnp.float32)
    return Scripted(name, CHOOSERS["shuffled"], lambda history, goal, values: table[goal])
