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
    """Who has imitated `scale.expert`: `scale.episodes` of its logs, `scale.epochs` passes over
    them in minibatches of `scale.batch_size`, by `scale.network`.

    Args:
        work: its seed is that of the learner; the logs are the same for all.
        label: names the agent's folder.
        world: options of the world of the logs.
        explanations: see `seedo.learning.Recipe`.
    """
    stage: Any = worlds.make("rooms", **world)
    folder = f"logs/{'-'.join(str(v) for v in world.values())}-{work.scale.episodes}"
    logs = replace(work, seed=0).watched(
        stage, rooms_player(work.scale.expert, stage), work.scale.episodes, folder, "words"
    )
    return work.learnt(
        [logs.path], f"agents/{label}-{work.seed}", epochs=work.scale.epochs,
        explanations=explanations, network=work.scale.network,
        batch_size=work.scale.batch_size,
    )  # fmt: skip


def curve(agent: Agent) -> dict[str, list[float]]:
    """How it learnt: after so many `episodes`, the loss of the action that counts (held-out
    episodes, nats) and of a word of an explanation, where those are learnt."""
    rows = agent.history
    # What is held out is looked at now and then, and told again until the next look.
    names = {"episodes": "episodes", "heldout_exploit_loss": "loss", "word_loss": "word_loss"}
    return {new: [row[old] for row in rows] for old, new in names.items() if old in rows[-1]}


def share_correct(run: Dataset) -> float:
    """Share of episodes whose last trial ends with the choice that pays."""
    return float(run.read(without=run.optional).returns.mean())
