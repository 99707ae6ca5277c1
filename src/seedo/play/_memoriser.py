"""The memoriser, after it has read logs."""

from __future__ import annotations

from typing import Any

from seedo.episodes import Dataset
from seedo.experimenters import Scripted, action_frequencies, memoriser, scripted
from seedo.play._record import episodes


def fitted_memoriser(world: Any, seed: int, logs: str | None = None) -> Scripted:
    """A memoriser that has read `logs`, or 16,384 expert episodes of the world's `train` split."""
    spec = world.spec
    if logs is not None:
        dataset = Dataset(logs)
        batches = [dataset.read_shard(i) for i in range(len(dataset.shards))]
    else:
        training = world.from_config(world.config() | {"split": "train"})
        batches = [episodes(training, scripted("expert"), seed, "watch", 0, 16_384)]
    return memoriser(action_frequencies(batches, spec.n, spec.do_values))
