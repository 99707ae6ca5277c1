"""Reproduces the shipped agents: writes their logs, trains, and copies the result into the package.

    python scripts/pretrain.py dag        # equivariant, a mix of sizes, lengths and noise
    python scripts/pretrain.py dag-plain  # plain, n = 5
    python scripts/pretrain.py dag-soft   # plain, n = 5, preset lampinen
    python scripts/pretrain.py dag-text   # a language model that has read transcripts, n = 3 and 5

All logs are of split `train`, of the scripted expert if nothing else is said; several fresh goals
an episode only make the logs denser. `dag-soft` watches an `equivariant` network that has watched
the expert, and that goes by what it saw of a system, whichever variable it was. `dag-text` learns
to read where there are several goals, and then from single goals, which no earlier answer gives
away.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich import print

from seedo import experimenters, language, learning, play, worlds


class Stage(NamedTuple):
    """Logs, as (episodes, options of the world), how they are explained, and a recipe; whether the
    agent of the stage before is watched, in place of the expert, or gone on with."""

    logs: list[tuple[int, dict[str, Any]]]
    recipe: dict[str, Any]
    explain: str = "none"
    watch_last: bool = False


_READ = {"network": "text", "learning_rate": 2e-3, "weight_decay": 0.01, "explanations": "predict"}
STAGES: dict[str, list[Stage]] = {
    "dag": [
        Stage(
            [
                (240_000, {"n": 5, "exploits": 4}),
                (40_000, {"n": 5, "exploits": 4, "noise_variance_sd": 0.7}),
                (40_000, {"n": 5, "experiments": 10, "exploits": 3}),
                (20_000, {"n": 3, "exploits": 3}),
                (60_000, {"n": 6, "exploits": 4}),
                (20_000, {"n": 10, "relevant": 5, "exploits": 2}),
            ],
            {"network": "equivariant", "epochs": 1.0},
        )
    ],
    "dag-plain": [
        Stage([(1_000_000, {"n": 5, "exploits": 4})], {"network": "plain", "epochs": 2.0})
    ],
    "dag-soft": [
        Stage(
            [(200_000, {"preset": "lampinen", "exploits": 4})],
            {"network": "equivariant", "batch_size": 64},
            "effects",
        ),
        Stage(
            [(400_000, {"preset": "lampinen", "exploits": 4})],
            {"network": "plain", "batch_size": 64, "learning_rate": 2e-3, "epochs": 2.0},
            "effects",
            watch_last=True,
        ),
    ],
    "dag-text": [
        Stage(
            [(200_000, {"n": 3, "exploits": 4}), (400_000, {"n": 5, "exploits": 4})],
            _READ | {"epochs": 0.26},
            "effects",
        ),
        Stage(
            [(80_000, {"n": 3, "exploits": 1}), (600_000, {"n": 5, "exploits": 1})],
            _READ | {"epochs": 0.84},
            "effects",
        ),
    ],
}
PACKAGE = Path(__file__).parents[1] / "src" / "seedo" / "pretrained"


def main(
    name: str,
    work: Annotated[Path, typer.Option(help="Folder for logs and training.")] = Path("pretrain"),
    seed: int = 0,
) -> None:
    """Write the logs, train, and put the agent into the package; an interrupted run goes on."""
    start = None
    for k, stage in enumerate(STAGES[name]):
        folders = []
        for i, (count, options) in enumerate(stage.logs):
            folder = work / name / f"logs-{k}-{i}"
            world = worlds.make(
                "dag", goals="fresh" if options["exploits"] > 1 else "same", **options
            )
            watched = "scripted:expert" if not stage.watch_last else str(start)
            who = experimenters.find_player(watched, world)
            play.watch(world, who, count, seed, folder, resume=True, explain=stage.explain)
            folders.append(folder)
            print(f"{folder}: {count:,} episodes, {options}")
        agent = work / name / f"agent-{k}"
        going_on = None if stage.watch_last else start
        recipe = learning.Recipe(**stage.recipe, seed=seed, start=going_on)
        read = language.learn_by_reading if recipe.network == "text" else learning.learn
        read(folders, agent, recipe, resume=True, progress=print)
        start = str(agent)
    target = PACKAGE / name
    target.mkdir(parents=True, exist_ok=True)
    for path in agent.iterdir():
        if path.name not in ("job.json", "optimizer.safetensors", "lock"):
            shutil.copyfile(path, target / path.name)


if __name__ == "__main__":
    typer.run(main)
