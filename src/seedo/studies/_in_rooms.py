"""What the studies in rooms share: expert logs, an imitator of them, and its choices elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seedo import learning, play, worlds
from seedo.experimenters import rooms_player
from seedo.statistics import _intervals as _statistics
from seedo.studies._protocol import Say
from seedo.studies._stages import played


@dataclass(frozen=True)
class Training:
    """Which logs are imitated, and how.

    Attributes:
        label: names the agent's folder.
        world: options of the world of the logs.
        explanations: see `seedo.learning.Recipe`.
        episodes: of the expert's logs.
        epochs: passes over them.
    """

    label: str
    world: dict[str, Any]
    explanations: str
    episodes: int
    epochs: float


def imitator(training: Training, seed: int, out: Path, say: Say) -> Any:
    """An agent trained on expert logs; logs and agent are found again if they are there."""
    stage: Any = worlds.make("rooms", **training.world)
    told = "-".join(str(v) for v in training.world.values())
    logs = out / "logs" / f"{told}-{training.episodes}"
    say(f"{training.label}, seed {seed}: watching {training.episodes:,} expert episodes")
    expert = rooms_player("expert", stage)
    play.watch(stage, expert, training.episodes, 0, logs, resume=True, explain="words")
    recipe = learning.Recipe(epochs=training.epochs, explanations=training.explanations, seed=seed)
    say(f"{training.label}, seed {seed}: learning")
    return learning.learn([logs], out / "agents" / f"{training.label}-{seed}", recipe, resume=True)


def share_correct(
    agent: Any, world: dict[str, Any], episodes: int, seed: int, folder: Path, say: Say
) -> float:
    """Share of episodes whose last trial ends with the choice that pays."""
    run = played(worlds.make("rooms", **world), agent, episodes, seed, folder, say)
    return float(run.read(without=run.optional).returns.mean())


def interval(values: list[float]) -> str:
    """Mean over seeds with its 95 % interval, where there are several."""
    found = _statistics.mean(np.array(values))
    if found.low is None:
        return f"{found.value:.3f} (one seed)"
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"
