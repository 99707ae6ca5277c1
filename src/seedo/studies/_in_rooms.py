"""What the studies in rooms share: an imitator of expert logs, and how often a run ends well."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from seedo import worlds
from seedo.episodes import Dataset
from seedo.experimenters import rooms_player
from seedo.learning import Agent
from seedo.studies._study import Work


def imitator(work: Work[Any], label: str, world: dict[str, Any], explanations: str) -> Agent:
    """Who has imitated the expert: `scale.episodes` of its logs, `scale.epochs` passes over them.

    Args:
        work: its seed is that of the learner; the logs are the same for all.
        label: names the agent's folder.
        world: options of the world of the logs.
        explanations: see `seedo.learning.Recipe`.
    """
    stage: Any = worlds.make("rooms", **world)
    folder = f"logs/{'-'.join(str(v) for v in world.values())}-{work.scale.episodes}"
    logs = replace(work, seed=0).watched(
        stage, rooms_player("expert", stage), work.scale.episodes, folder, "words"
    )
    return work.learnt(
        [logs.path], f"agents/{label}-{work.seed}", epochs=work.scale.epochs,
        explanations=explanations,
    )  # fmt: skip


def share_correct(run: Dataset) -> float:
    """Share of episodes whose last trial ends with the choice that pays."""
    return float(run.read(without=run.optional).returns.mean())
