"""What was done at the steps of each phase, by any player."""

from __future__ import annotations

import numpy as np

from seedo.episodes import EXPLOIT, EXPLORE, EpisodeBatch
from seedo.evaluation._spoken import Spoken
from seedo.statistics import Estimate, clusters_of, missing, share_of

PHASES = {"explore": EXPLORE, "exploit": EXPLOIT}

Acts = dict[str, dict[str, Estimate]]
"""By phase (`explore`, `exploit`), shares by name: see `acts` in `_spoken.DEFINITIONS`."""

_NO_REPLIES = "no replies are read: it acts in numbers"


def acts(batch: EpisodeBatch, spoken: Spoken | None) -> Acts:
    """Shares of the steps of every phase that the log has; of a text player as its conversations
    say."""
    if spoken is not None and spoken.acts:
        return spoken.acts
    done = ~np.isnan(batch.setting).all(axis=-1)
    people = clusters_of(batch.participant)
    found: Acts = {}
    for name, phase in PHASES.items():
        steps = batch.phase == phase
        if not steps.any():
            continue
        total = steps.sum(1)
        silent = missing(_NO_REPLIES)
        found[name] = {
            "legal": share_of((steps & done).sum(1), total, people),
            "observed": share_of((steps & ~done).sum(1), total, people),
            "passed": silent,
            "refused": silent,
        }
    return found
