"""The design that both held-out studies share: watch, imitate, act where training never went."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from seedo import learning, play, worlds
from seedo.episodes import Dataset
from seedo.experimenters import READERS, scripted
from seedo.studies._protocol import Outcome, Say, Study


@dataclass(frozen=True)
class Scale:
    """How much is run: training episodes, passes over them by network (the equivariant one learns
    from far fewer, but each costs it more), test episodes, independent seeds."""

    episodes: int
    epochs: dict[str, float]
    test_episodes: int
    seeds: int


SCALES = {
    "quick": Scale(40_000, {"plain": 2.0, "equivariant": 0.5}, 2048, 1),
    "full": Scale(200_000, {"plain": 1.0, "equivariant": 0.25}, 4096, 3),
}


@dataclass(frozen=True)
class Imitation:
    """What two imitation studies differ in.

    Attributes:
        training: world options of the logs, beside the preset.
        splits: the split it trained on, then the one it never saw.
        measure: figure of one run that the claim is about; larger is better.
        judge: sentence on the verdict from {(preset, network, split): values over seeds}.
    """

    training: dict[str, Any]
    splits: tuple[str, str]
    measure_name: str
    measure: Callable[[Dataset], float]
    judge: Callable[[dict[tuple[str, str, str], list[float]]], str]
    networks: tuple[str, ...] = ("plain", "equivariant")
    presets: tuple[str, ...] = ("linear", "lampinen")


def imitation_study(
    name: str, claim: str, design: str, refuted_if: str, imitation: Imitation
) -> Study:
    """A study that watches, imitates, and acts where training never went."""
    return Study(name, claim, design, refuted_if, SCALES, partial(_carry_out, imitation))


def _carry_out(study: Imitation, size: Scale, out: Path, seed: int, say: Say) -> Outcome:
    found: dict[tuple[str, str, str], list[float]] = {}
    runs: list[str] = []
    for preset in study.presets:
        logs = out / "logs" / preset
        training = worlds.make("dag", preset=preset, split=study.splits[0], **study.training)
        say(f"{preset}: watching {size.episodes:,} expert episodes")
        play.watch(training, scripted("expert"), size.episodes, seed, logs, resume=True)
        stages = {
            split: worlds.make("dag", preset=preset, split=split, **_test_options(study, split))
            for split in study.splits
        }
        for network in study.networks:
            for s in range(seed, seed + size.seeds):
                label = f"{preset}-{network}-{s}"
                say(f"{label}: learning")
                recipe = learning.Recipe(network=network, epochs=size.epochs[network], seed=s)
                agent = learning.learn([logs], out / "agents" / label, recipe, resume=True)
                for split, stage in stages.items():
                    folder = out / "runs" / f"{label}-{split}"
                    played = play.perform(stage, agent, size.test_episodes, s, folder, resume=True)
                    value = study.measure(played)
                    found.setdefault((preset, network, split), []).append(value)
                    say(f"{label}: {study.measure_name} on {split} {value:.3f}")
                    runs.append(str(folder))
        for reader in (*READERS, "random"):
            for split, stage in stages.items():
                folder = out / "runs" / f"{preset}-{reader}-{split}"
                played = play.perform(
                    stage, scripted(reader), size.test_episodes, seed, folder, resume=True
                )
                found[preset, reader, split] = [study.measure(played)]
                runs.append(str(folder))
    return Outcome(
        measure=study.measure_name,
        values={"/".join(key): values for key, values in found.items()},
        verdict=study.judge(found),
        runs=runs,
    )


def _test_options(study: Imitation, split: str) -> dict[str, Any]:
    """The training world's options, less what only made its logs denser."""
    return {k: v for k, v in study.training.items() if k not in ("exploits", "goals")}


def return_ratio(played: Dataset) -> float:
    """Mean return over mean omniscient return."""
    batch = played.read(without=played.optional)
    return float(batch.returns.mean() / batch.oracle_return.mean())


def over_seeds(values: list[float]) -> str:
    """Mean with the t interval over independent seeds, where there are at least two."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return f"{mean:.3f} (one seed, no interval)"
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return f"{mean:.3f} ± {half:.3f} over {len(values)} seeds"
