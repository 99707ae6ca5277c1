"""Reproduces the shipped agents: writes their logs, trains, and copies the result into the package.

    python scripts/pretrain.py dag        # equivariant, a mix of sizes, lengths and noise
    python scripts/pretrain.py dag-plain  # plain, n = 5

All logs are of the scripted expert on split `train`; several fresh goals an episode only make the
logs denser.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import print

from understudy import evaluation, experimenters, learning, worlds

LOGS: dict[str, list[tuple[int, dict[str, Any]]]] = {
    "dag": [
        (240_000, {"n": 5, "exploits": 4}),
        (40_000, {"n": 5, "exploits": 4, "noise_variance_sd": 0.7}),
        (40_000, {"n": 5, "experiments": 10, "exploits": 3}),
        (20_000, {"n": 3, "exploits": 3}),
        (60_000, {"n": 6, "exploits": 4}),
        (20_000, {"n": 10, "relevant": 5, "exploits": 2}),
    ],
    "dag-plain": [(1_000_000, {"n": 5, "exploits": 4})],
}
RECIPES: dict[str, dict[str, Any]] = {
    "dag": {"network": "equivariant", "epochs": 1.0},
    "dag-plain": {"network": "plain", "epochs": 2.0},
}
PACKAGE = Path(__file__).parents[1] / "src" / "understudy" / "pretrained"


def main(
    name: str,
    work: Annotated[Path, typer.Option(help="Folder for logs and training.")] = Path("pretrain"),
    seed: int = 0,
) -> None:
    """Write the logs, train, and put the agent into the package; an interrupted run goes on."""
    folders = []
    for i, (count, options) in enumerate(LOGS[name]):
        folder = work / name / f"logs-{i}"
        world = worlds.make("dag", goals="fresh", **options)
        evaluation.watch(world, experimenters.scripted("expert"), count, seed, folder, resume=True)
        folders.append(folder)
        print(f"{folder}: {count:,} episodes, {options}")
    agent = work / name / "agent"
    learning.learn(
        folders, agent, learning.Recipe(**RECIPES[name], seed=seed), resume=True, progress=print
    )
    target = PACKAGE / name
    target.mkdir(parents=True, exist_ok=True)
    for file in ("agent.json", "weights.safetensors", "metrics.jsonl"):
        shutil.copyfile(agent / file, target / file)


if __name__ == "__main__":
    typer.run(main)
