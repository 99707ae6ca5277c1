"""Episodes as samples of Inspect."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from inspect_ai.dataset import Sample

from seedo.language.runs._examples import Examples
from seedo.language.runs.inspect._scorer import CLUSTER
from seedo.language.runs.inspect._solver import chat, open_recorded
from seedo.language.scenes import Conditions


def episode_samples(
    world: Any,
    episodes: Iterable[int],
    seed: int,
    stream: str,
    conditions: Conditions,
    examples: Examples | None,
    cell: dict[str, str] | None = None,
) -> list[Sample]:
    """Episodes of a stream of a world, one sample each.

    `cell` is metadata that tells samples of one episode apart; its "cell" begins their ids.
    """
    shared = {
        "world": world.name,
        "config": world.config(),
        "seed": seed,
        "stream": stream,
        "conditions": conditions.to_dict(),
        "examples": examples.to_dict() if examples else None,
        **(cell or {}),
    }
    where = f"{cell['cell']}/" if cell else ""
    samples = []
    for index in episodes:
        metadata = shared | {"index": index, CLUSTER: f"{seed}/{stream}/{index}"}
        # What the model reads first; the scene itself is opened when its turn comes.
        said = chat(open_recorded(metadata).scene.messages())
        name = f"{where}{world.name}-{seed}-{index:05d}"
        samples.append(Sample(said, id=name, metadata=metadata))
    return samples
