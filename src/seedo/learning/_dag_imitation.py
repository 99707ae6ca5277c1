"""Imitation in worlds of variables that are set and seen: what is learnt from their logs."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from seedo import play, worlds
from seedo.episodes import Dataset, EpisodeBatch, concatenate
from seedo.errors import UserError
from seedo.learning._agent import Agent, Provenance
from seedo.learning._components import principal
from seedo.learning._course import Course
from seedo.learning._decisions import Lesson, lesson, renamed
from seedo.learning._folder import Stored, read_weights
from seedo.learning._kinds import NetworkKind
from seedo.learning._networks import (
    READS_RAW,
    SYMMETRIC,
    Architecture,
    Network,
    architecture,
    build,
)
from seedo.learning._objective import losses
from seedo.learning._shelf import EPISODES, shelved
from seedo.learning._sighted import Sighted
from seedo.learning._tokens import Tokens
from seedo.recipes import Recipe

DAG_RECIPE: dict[str, Any] = {
    "network": "equivariant",
    "batch_size": 256,
    "learning_rate": 3e-3,
    "explore_weight": 0.2,
}
"""What a recipe leaves open."""
_FOR_COMPONENTS = 1024
"""Episodes."""
TOKENS_RECIPE = DAG_RECIPE | {"batch_size": 64, "learning_rate": 4e-3}
"""The same for networks of tokens, which take more and smaller steps to tell who set what."""


def dag_course(datasets: list[Dataset], recipe: Recipe) -> Course:
    """How logs of world `dag` are learnt from."""
    if recipe.explanations not in ("none", "predict"):
        raise UserError("explanations", recipe.explanations, "this is for rooms: none or predict")
    plan = dag_architecture(datasets, recipe)
    network = build(plan, recipe.seed)
    if isinstance(network, Tokens) and network.shelf is not None:
        network = _with_episodes(network, datasets, plan.do_values)
    sight = None
    if isinstance(network, Sighted):
        sight = _Sight(datasets)
        if recipe.rename:
            raise UserError("rename", True, f"what {plan.kind} reads has no names to change")
        network = sight.given(network, recipe.seed)
    predicts = recipe.explanations == "predict"
    explains = _explains(plan, network, datasets, predicts)
    free = network.decisions_are_free

    def at_some(index: int, batch: EpisodeBatch, step: int) -> Lesson:
        rng = np.random.default_rng([recipe.seed, step])
        one = lesson(batch, plan.do_values, None if free else rng, explains)
        if recipe.rename:
            rng = np.random.default_rng([recipe.seed, step, 1])
            one = renamed(one, len(plan.do_values), rng)
        return one if sight is None else sight.seen(one, index, batch)

    def at_fixed(index: int, batch: EpisodeBatch) -> Lesson:
        rng = np.random.default_rng(0)
        one = lesson(batch, plan.do_values, None if free else rng, explains)
        return one if sight is None else sight.seen(one, index, batch)

    assert recipe.explore_weight is not None
    return Course(
        architecture=plan,
        network=network,
        lesson=at_some,
        heldout=at_fixed,
        losses=losses,
        loss_weights=(recipe.explore_weight, 1.0, predicts * recipe.explanation_weight),
        explaining="edge_loss" if predicts else "",
    )


class _Sight:
    """What was shown in episodes of raw worlds, for networks that read it.

    Raises:
        UserError: logs that were not played by Seedo, so that nothing can be drawn again.
    """

    def __init__(self, datasets: list[Dataset]) -> None:
        self.datasets, self.worlds = datasets, [_world(dataset) for dataset in datasets]
        self.streams = [play.stream_of_shown(dataset) for dataset in datasets]

    def shown(self, index: int, batch: EpisodeBatch) -> Any:
        return play.shown_again(self.worlds[index], batch, self.streams[index])

    def given(self, network: Sighted, seed: int) -> Sighted:
        """With the components of what the first episodes showed."""
        batch = self.datasets[0].read_shard(0, without=EpisodeBatch.OPTIONAL)
        shown = self.shown(0, batch.take(slice(0, _FOR_COMPONENTS)))
        raw = shown.reshape(-1, shown.shape[-1])
        return network.with_components(*principal(raw, np.random.default_rng(seed)))

    def seen(self, one: Lesson, index: int, batch: EpisodeBatch) -> Lesson:
        """A lesson in which what followed is what was shown."""
        return one._replace(inputs=one.inputs._replace(outcome=self.shown(index, batch)))


def _world(dataset: Dataset) -> Any:
    origin = dataset.origin
    return worlds.from_config(origin.world, json.loads(origin.world_config))


def _with_episodes(
    network: Tokens, datasets: list[Dataset], do_values: tuple[float, ...]
) -> Tokens:
    """With the first watched episodes to look up."""
    parts, rows = [], 0
    for dataset in datasets:
        for index in range(len(dataset.shards)):
            parts.append(dataset.read_shard(index, without=EpisodeBatch.OPTIONAL))
            rows += parts[-1].rows
            if rows >= EPISODES:
                break
    batch = concatenate(parts).take(slice(0, EPISODES))
    return network.with_episodes(*shelved(lesson(batch, do_values, None, ""), do_values))


def _explains(plan: Architecture, network: Network, datasets: list[Dataset], predicts: bool) -> str:
    """What the logs' explanations are learnt as; "" where they are not.

    Raises:
        UserError: the network states effects, and the logs do not tell them.
    """
    if network.explains == "graph":
        return "graph" if predicts else ""
    for dataset in datasets:
        if not predicts or "explanation" not in dataset.optional:
            remedy = "states effects: watch with --explain effects, learn with --explanations"
            raise UserError("network", plan.kind, f"{remedy} predict ({dataset.path})")
    return "effects"


def dag_architecture(datasets: list[Dataset], recipe: Recipe) -> Architecture:
    """The network's shape: its grid of values is that of the logs."""
    grids = {tuple(_do_values(d)) for d in datasets}
    if len(grids) != 1:
        raise UserError("do_values", sorted(grids), "all logs must use the same grid of values")
    sizes = {d.n for d in datasets}
    kind = recipe.network or DAG_RECIPE["network"]
    if kind not in SYMMETRIC and len(sizes) != 1:
        raise UserError("network", kind, f"logs have {sorted(sizes)} variables: use equivariant")
    widths = dict(recipe.widths)
    if kind in READS_RAW:
        widths["numbers"] = _numbers(datasets)
    return architecture(kind, grids.pop(), max(sizes), max(d.steps for d in datasets), widths)


def _numbers(datasets: list[Dataset]) -> int:
    """How many numbers raw worlds show."""
    of = [_world(dataset) for dataset in datasets]
    for world in of:
        if world.drawing.reader is not None:
            remedy = "networks read no log lines: seedo abstract, and learn in through:FOLDER"
            raise UserError("drawing", world.shows["drawing"], remedy)
    shown = {
        (math.prod(world.drawing.shape), json.dumps(world.shows, sort_keys=True)) for world in of
    }
    if len(shown) != 1:
        raise UserError("logs", None, "all logs must show alike: one drawing, one drawing_seed")
    return int(shown.pop()[0])


def _do_values(dataset: Dataset) -> list[float]:
    config = json.loads(dataset.origin.world_config)
    values = config.get("do_values")
    if isinstance(values, list) and values:
        return [float(v) for v in values]
    seen: set[float] = set()  # a foreign log: its grid is what was ever done
    for i in range(len(dataset.shards)):
        value = dataset.read_shard(i, without=EpisodeBatch.OPTIONAL).value
        seen |= set(np.unique(value[np.isfinite(value)]).tolist())
        if len(seen) > 64:
            raise UserError(
                str(dataset.path), None, "more than 64 different do-values: round them to a grid"
            )
    if not seen:
        raise UserError(str(dataset.path), None, "holds no intervention to imitate")
    return sorted(seen)


def load_dag_agent(stored: Stored, greedy: bool) -> Agent:
    """An agent from its folder."""
    plan = Architecture.from_json(stored.architecture)
    network = read_weights(stored.folder, lambda: build(plan, 0))
    past = Provenance(stored.name, stored.training, stored.history)
    return Agent(network, plan, past, greedy)


def _inside(stored: Stored, world: Any, seed: int) -> tuple[Agent, Network]:
    """An agent to be looked into, and a network of its shape that has learnt nothing."""
    agent = load_dag_agent(stored, True)
    agent.check(world.spec)
    return agent, build(agent.architecture, seed)


DAG_NETWORK = NetworkKind(
    load_dag_agent, ("dag", ""), DAG_RECIPE, dag_course, labels=True, inside=_inside
)
"""Networks that read variables which are set and seen."""
TOKENS_NETWORK = DAG_NETWORK._replace(recipe=TOKENS_RECIPE)
RAW_NETWORK = DAG_NETWORK._replace(
    families=("raw",), recipe=TOKENS_RECIPE | {"network": READS_RAW[0], "learning_rate": 1e-3}
)
"""Networks that read what raw worlds show."""
