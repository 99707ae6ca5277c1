"""One cell of the map of transfer: watch, imitate, act in both splits, and what came of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from seedo import evaluation
from seedo.episodes import EXPLOIT, EXPLORE, Dataset, EpisodeBatch
from seedo.experimenters import find_player, scripted
from seedo.studies._price import priced
from seedo.studies._stages import stage
from seedo.studies._study import Work
from seedo.worlds import HELD_CAUSE, HELD_EFFECT

SPLITS = ("train", "heldout-link")
RENAMED = "tokens, renamed"
"""Not a network of its own: `tokens`, with the variables of every watched episode renamed."""
_PRICED = {"noise_variance", "experiments", "do_values"}
"""What a world may differ in, to have the price of its exclusion computed within a minute or so."""
DENSER: dict[str, Any] = {"exploits": 4, "goals": "fresh"}
"""What makes watched logs denser, and is not played."""
EXPERT = ("scripted:expert",)
EPISODES, PASSES = 50_000, 2.0
"""Watched, and how often each, where nothing else is said."""
RECIPES: dict[str, dict[str, Any]] = {
    "plain": {"batch_size": 64, "learning_rate": 2e-3},
    "plain-copy": {"batch_size": 64, "learning_rate": 2e-3},
    "equivariant": {"batch_size": 64},
}
"""At so few episodes many small steps get further than the usual large ones."""


@dataclass(frozen=True)
class Cell:
    """What one learner watched, and what it is.

    Attributes:
        network: of the ladder; see `learning.KINDS`, and `RENAMED`.
        noise: variance of every variable's noise.
        held: what is held out; see `worlds.DagConfig`.
        episodes: watched, each `epochs` times.
        world: further options of the world, in order.
        recipe: further settings of learning, in order.
        watched: players, each in an equal share of the episodes.
    """

    network: str
    noise: float
    held: str = "path"
    episodes: int = EPISODES
    epochs: float = PASSES
    world: tuple[tuple[str, Any], ...] = ()
    recipe: tuple[tuple[str, Any], ...] = ()
    watched: tuple[str, ...] = EXPERT

    @property
    def name(self) -> str:
        """Of its folder and in tables."""
        more = "".join(f" {k}={_short(v)}" for k, v in (*self.world, *self.recipe))
        if self.watched != EXPERT:
            more += f" watching={' and '.join(self.watched)}"
        epochs = "" if self.epochs == PASSES else f" epochs={self.epochs:g}"
        return f"{self.network} noise={self.noise:g} {self.held} {self.episodes}{epochs}{more}"

    def to_json(self) -> dict[str, Any]:
        """All fields; the usual expert goes without saying."""
        fields = asdict(self)
        if self.watched == EXPERT:
            del fields["watched"]
        return fields

    @property
    def setting(self) -> tuple[Any, ...]:
        """The world, without who learns in it."""
        return (self.noise, self.held, self.world)

    def make(self, split: str, **more: Any) -> Any:
        """The world of a split."""
        options = {"noise_variance": self.noise, "held": self.held, **dict(self.world), **more}
        return stage("dag", split=split, **options)


def _short(value: Any) -> str:
    if isinstance(value, tuple | list):
        return "/".join(f"{v:g}" for v in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def found(work: Work[Any], cell: Cell, test_episodes: int) -> dict[str, Any]:
    """Figures of a cell's learner with the seed of `work`, by split: kept, or found now."""
    question = {"cell": cell.to_json(), "seed": work.seed, "test": test_episodes}
    return dict(
        work.numbers(
            f"cells/{_folder(cell.name)}/{work.seed}.json",
            question,
            partial(_play, work, cell, test_episodes),
        )
    )


def references(work: Work[Any], cell: Cell, test_episodes: int) -> dict[str, Any]:
    """Of a cell's world, by split: what heuristics and exact Bayes make of experiments in which
    each variable is set in turn, the random floor."""

    def compute() -> dict[str, Any]:
        figures = {}
        for split in SPLITS:
            run = work.played(
                cell.make(split), scripted("largest-effect"), test_episodes,
                f"runs/{_folder(f'rotation {_folder(_world_name(cell))}')}-{split}",
            )  # fmt: skip
            figures[split] = _figures(run)
        return figures

    question = {"world": json_able(cell.setting), "seed": work.seed, "test": test_episodes}
    file = f"worlds/{_folder(_world_name(cell))}/{work.seed}.json"
    return dict(work.numbers(file, question, compute))


def price(work: Work[Any], cell: Cell, train: int, draws: int) -> dict[str, Any] | None:
    """What the exclusion is worth to an imitator in a cell's world, in nats a decision; None where
    it is not known. See `priced`."""
    options = {"noise_variance": cell.noise, **dict(cell.world)}
    for denser in DENSER:  # it is of one decision, and logs have the same for each of several
        options.pop(denser, None)
    if set(options) - _PRICED:
        return None
    question = {"world": json_able(cell.setting), "seed": work.seed, "sizes": [train, draws]}
    file = f"prices/{_folder(_world_name(cell))}.json"

    def compute() -> dict[str, Any]:
        work.say(f"{file}: the price of the exclusion")
        return dict(priced(options, cell.held, train, unseen=64, draws=draws, seed=work.seed))

    return dict(work.numbers(file, question, compute)["train"]["price"])


def json_able(setting: tuple[Any, ...]) -> list[Any]:
    """A cell's setting as JSON has it."""
    noise, held, options = setting
    return [noise, held, [[k, list(v) if isinstance(v, tuple) else v] for k, v in options]]


def _world_name(cell: Cell) -> str:
    return Cell("", cell.noise, cell.held, 0, world=cell.world).name.strip()


def _folder(name: str) -> str:
    return re.sub(r"[^\w.=+-]+", "-", name.replace(",", "").replace("/", "_"))


def _play(work: Work[Any], cell: Cell, test_episodes: int) -> dict[str, Any]:
    # A scratchpad states effects; other networks that are told why name the arrows.
    telling = "graph" if "explanations" in dict(cell.recipe) else "effects"
    world = cell.make("train", **DENSER | dict(cell.world))
    logs = []
    for name in cell.watched:
        count = cell.episodes // len(cell.watched)
        who = "" if name == EXPERT[0] else f"{name} "
        where = _folder(f"{_world_name(cell)} {who}{count} {telling} {work.seed}")
        player = find_player(name, world)
        logs.append(work.watched(world, player, count, f"logs/{where}", telling).path)
    recipe: dict[str, Any] = {"network": cell.network, "epochs": cell.epochs}
    recipe |= RECIPES.get(cell.network, {}) | dict(cell.recipe)
    if cell.network == RENAMED:
        recipe |= {"network": "tokens", "rename": True}
    if cell.network.startswith("scratchpad"):
        recipe |= {"explanations": "predict"}
    place = f"{_folder(cell.name)}-{work.seed}"
    agent = work.learnt(logs, f"agents/{place}", **recipe)
    figures = {}
    for split in SPLITS:
        run = work.played(cell.make(split), agent, test_episodes, f"runs/{place}-{split}")
        figures[split] = _figures(run)
    return figures


def _figures(run: Dataset) -> dict[str, Any]:
    """Of a run: shares of the omniscient return, with intervals over episodes, and what was done
    with D."""
    (group,) = evaluation.review([run.path]).groups
    metrics = group.runs[0].metrics
    best = metrics.best_heuristic
    batch = run.read(without=run.optional)
    return {
        "n": batch.rows,
        "return": metrics.return_ratio.to_json(),
        "Bayes ratio": metrics.bayes_ratio.to_json(),
        "random": metrics.random_floor.to_json(),
        "best heuristic": best,
        "readers": {k: r.return_ratio.to_json() for k, r in metrics.readers.items()},
        "tested": metrics.distinct_tested.to_json(),
        **_with_d(batch),
    }


def _with_d(batch: EpisodeBatch) -> dict[str, Any]:
    exploring = (batch.phase == EXPLORE) & (batch.target == HELD_CAUSE)
    last = (batch.phase == EXPLOIT) & (batch.goal == HELD_EFFECT)
    chosen = (last & (batch.target == HELD_CAUSE)).sum() / max(int(last.sum()), 1)
    return {"tests D": float(exploring.any(1).mean()), "sets D for E": float(chosen)}


def transfer(figures: Mapping[str, Any]) -> float:
    """Held-out return as a share of that in distribution, each of the omniscient return."""
    inside, outside = (figures[split]["return"]["value"] for split in SPLITS)
    return float(outside / np.maximum(inside, 1e-9))
