"""The design that both held-out studies share: watch, imitate, act where training never went."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

from seedo import worlds
from seedo.episodes import Dataset
from seedo.experimenters import READERS, scripted
from seedo.studies._study import Study, Work

NETWORKS = ("plain", "equivariant")
PRESETS = ("linear", "lampinen")


@dataclass(frozen=True)
class Scale:
    """How much is run."""

    episodes: int  # watched
    epochs: dict[str, float]  # by network: the equivariant one learns from far fewer episodes
    test_episodes: int  # of every run
    seeds: int  # independent learners


SCALES = {
    "quick": Scale(40_000, {"plain": 2.0, "equivariant": 0.5}, 2048, 1),
    "full": Scale(200_000, {"plain": 1.0, "equivariant": 0.25}, 4096, 3),
}
Values = dict[str, list[float]]
"""By "PRESET/PLAYER/SPLIT", one a seed."""


def imitation_study(
    splits: tuple[str, str],
    training: dict[str, Any],
    measure: Callable[[Dataset], float],
    **about: Any,
) -> Study:
    """A study of what imitators do where training never went.

    Args:
        splits: the one it trained on, then the one it never saw.
        training: world options of the logs, beside preset and split.
        measure: figure of one run that the claim is about; larger is better.
        about: what else a `Study` has.
    """
    return Study(
        scales=SCALES,
        play=partial(_play, splits, training),
        measure=lambda _, found: {key: [measure(run) for run in runs]
                                  for key, runs in found.items()},
        **about,
    )  # fmt: skip


def _play(
    splits: tuple[str, str], training: dict[str, Any], work: Work[Scale]
) -> dict[str, list[Dataset]]:
    found: dict[str, list[Dataset]] = {}
    scale = work.scale
    # The training world's options, less what only makes its logs denser.
    tested = {k: v for k, v in training.items() if k not in ("exploits", "goals")}
    for preset in PRESETS:
        watched = worlds.make("dag", preset=preset, split=splits[0], **training)
        logs = work.watched(watched, scripted("expert"), scale.episodes, f"logs/{preset}")
        stages = {s: worlds.make("dag", preset=preset, split=s, **tested) for s in splits}
        for network, own in product(NETWORKS, list(work.seeds(scale.seeds))):
            label = f"{preset}-{network}-{own.seed}"
            agent = own.learnt(
                [logs.path], f"agents/{label}", network=network, epochs=scale.epochs[network]
            )
            for split, world in stages.items():
                run = own.played(world, agent, scale.test_episodes, f"runs/{label}-{split}", True)
                found.setdefault(f"{preset}/{network}/{split}", []).append(run)
        for reader, (split, world) in product((*READERS, "random"), stages.items()):
            folder = f"runs/{preset}-{reader}-{split}"
            run = work.played(world, scripted(reader), scale.test_episodes, folder, True)
            found[f"{preset}/{reader}/{split}"] = [run]
    return found
