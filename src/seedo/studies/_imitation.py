"""The design that both held-out studies share: watch, imitate, act where training never went."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

from seedo.episodes import Dataset
from seedo.experimenters import READERS, scripted
from seedo.studies._stages import stage
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
        parts={
            "learner": partial(_learner, splits, training),
            "rival": partial(_rival, splits, training),
        },
        measure=lambda _, found: {key: [measure(run) for run in runs]
                                  for key, runs in found.items()},
        **about,
    )  # fmt: skip


def _play(
    splits: tuple[str, str], training: dict[str, Any], work: Work[Scale]
) -> dict[str, list[Dataset]]:
    found: dict[str, list[Dataset]] = {}
    for preset in PRESETS:
        _logs(splits, training, work, preset)
    seeds = [own.seed for own in work.seeds(work.scale.seeds)]
    learners: list[Any] = [list(key) for key in product(PRESETS, NETWORKS, seeds)]
    for (preset, network, _), runs in zip(learners, work.each("learner", learners), strict=True):
        for split, run in runs.items():
            found.setdefault(f"{preset}/{network}/{split}", []).append(run)
    rivals: list[Any] = [list(key) for key in product(PRESETS, (*READERS, "random"))]
    for (preset, reader), runs in zip(rivals, work.each("rival", rivals), strict=True):
        found |= {f"{preset}/{reader}/{split}": [run] for split, run in runs.items()}
    return found


def _logs(
    splits: tuple[str, str], training: dict[str, Any], work: Work[Scale], preset: str
) -> Dataset:
    """What all learners of a preset watch."""
    world = stage("dag", preset=preset, split=splits[0], **training)
    return work.watched(world, scripted("expert"), work.scale.episodes, f"logs/{preset}")


def _stages(splits: tuple[str, str], training: dict[str, Any], preset: str) -> dict[str, Any]:
    """Where all are tested, by split: the training world's options, less what only makes its logs
    denser."""
    tested = {k: v for k, v in training.items() if k not in ("exploits", "goals")}
    return {split: stage("dag", preset=preset, split=split, **tested) for split in splits}


def _learner(
    splits: tuple[str, str], training: dict[str, Any], work: Work[Scale], key: Any
) -> dict[str, Dataset]:
    preset, network, seed = key
    logs, own, label = _logs(splits, training, work, preset), work.at(seed), "-".join(map(str, key))
    agent = own.learnt(
        [logs.path], f"agents/{label}", network=network, epochs=work.scale.epochs[network]
    )
    return {
        split: own.played(world, agent, work.scale.test_episodes, f"runs/{label}-{split}", True)
        for split, world in _stages(splits, training, preset).items()
    }


def _rival(
    splits: tuple[str, str], training: dict[str, Any], work: Work[Scale], key: Any
) -> dict[str, Dataset]:
    preset, reader = key
    count = work.scale.test_episodes
    return {
        split: work.played(world, scripted(reader), count, f"runs/{preset}-{reader}-{split}", True)
        for split, world in _stages(splits, training, preset).items()
    }
