"""Episodes as rows of a table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from seedo.episodes._batch import EpisodeBatch
from seedo.episodes._origin import EXTERNAL, RECORDED
from seedo.tables import Column, Table


def as_table(batch: EpisodeBatch, title: str = "") -> Table:
    """Every step of every episode as a row; steps in which nothing was seen are left out.

    Rows of one episode come from one system, rows of different episodes from different ones
    unless the world is a recorded one; it is the caller's business to pool what belongs
    together.
    """
    origin = batch.origin
    outcome = batch.outcome.astype(np.float64)
    seen = np.isfinite(outcome).any(axis=2)
    episode, step = np.nonzero(seen)
    were_set = ~np.isnan(batch.setting[seen])
    table = Table.from_rows(origin.variables, outcome[seen], were_set, title)
    kinds = zip(
        origin.variables, origin.types or (), origin.levels or (None,) * origin.n, strict=False
    )
    columns = tuple(Column(name, kind, levels=levels or ()) for name, kind, levels in kinds)
    return replace(
        table,
        columns=columns or table.columns,
        episode=batch.episode_id[episode],
        step=step.astype(np.int64),
    )


def pools_episodes(batch: EpisodeBatch) -> bool:
    """Whether all episodes of a log are about one and the same system.

    True for logs of a world `recorded:NAME` or `external:NAME`; others draw a new system for every
    episode, unless those in the log are all the same.
    """
    if batch.origin.world.startswith((RECORDED, EXTERNAL)) or batch.rows == 1:
        return True
    return batch.system is not None and len(set(batch.system)) == 1
