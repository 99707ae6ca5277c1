"""Passive imitation: a network learns from log files alone to do what the logged players did."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from seedo.episodes import Dataset
from seedo.errors import UserError
from seedo.learning._batches import held_out, minibatches, stream, usable
from seedo.learning._course import Course
from seedo.learning._find import open_agent
from seedo.learning._job import Method, Report, State, settings_of, short, train
from seedo.learning._kinds import NETWORKS, USUAL, NetworkKind, kind_for
from seedo.learning._objective import make_evaluation, make_update
from seedo.recipes import Recipe
from seedo.storage import AnyPlace

LOG_EVERY = 50
"""Optimiser steps between lines of metrics.jsonl."""
EVALUATE_EVERY = 4
"""Lines between looks at the episodes that are held out."""


WARM_UP = 200
"""Optimiser steps over which the learning rate rises."""


def learn(
    logs: Sequence[AnyPlace],
    out: str | Path,
    recipe: Recipe,
    resume: bool = False,
    progress: Callable[[Report], None] | None = None,
    checkpoint_seconds: float = 20.0,
    course: Callable[[list[Dataset], Recipe], Course] | None = None,
    visits: Sequence[int] | None = None,
    warm_up: int = WARM_UP,
) -> Any:
    """Train on dataset folders and write an agent folder; the agent.

    The network is the recipe's, or the one that is usual for the worlds that the logs come from;
    `course` says how they are learnt from, in place of the network's own way.

    Every minibatch comes from one dataset; datasets are visited in proportion to their size, in an
    order fixed by the seed; with `visits`, that many times as often each, and a dataset smaller
    than a minibatch is then repeated within one. The last twentieth of each dataset's shards (at
    least one) is held out. The learning rate rises over the first `warm_up` steps.

    Raises:
        UserError: logs that cannot be learnt from (unreadable, unfinished, other do-values), bad
            settings, or an output folder that is not this job's.
    """
    if not logs:
        raise UserError("logs", None, "give at least one dataset folder")
    datasets = [Dataset(path) for path in logs]
    if course is None:
        kind = kind_for(datasets, recipe.network)
    else:
        kind = NETWORKS.find(recipe.network or USUAL[""])
    recipe = complete_recipe(recipe, kind)
    _check_logs(datasets, recipe, visits is not None)
    lessons = (course or kind.course)(datasets, recipe)
    if recipe.start is not None:
        lessons = lessons._replace(network=_network_of(recipe.start, lessons))
    out = Path(out)
    job = settings_of(recipe) | {"logs": [d.manifest_hash for d in datasets]}
    if visits is not None:
        job |= {"visits": list(visits)}
    if warm_up != WARM_UP:
        job |= {"warm_up": warm_up}
    train(
        Imitation(datasets, lessons, recipe, visits or (1,) * len(datasets), warm_up), out, job,
        resume=resume, progress=progress, checkpoint_seconds=checkpoint_seconds,
    )  # fmt: skip
    return open_agent(out)


def _network_of(start: str, lessons: Course) -> Any:
    """The network of the agent to go on from."""
    agent = open_agent(start)
    if agent.architecture.to_json() != lessons.architecture.to_json():
        raise UserError("from", start, "its network has another kind or other widths")
    return agent.network


def complete_recipe(recipe: Recipe, kind: NetworkKind) -> Recipe:
    """A recipe with nothing left open, for this machine.

    Raises:
        UserError: it wants more devices than there are.
    """
    available = len(jax.devices())
    if recipe.devices > available:
        raise UserError("devices", recipe.devices, f"this machine offers 1 to {available}")
    return replace(recipe, **{k: v for k, v in kind.recipe.items() if getattr(recipe, k) is None})


def _check_logs(datasets: list[Dataset], recipe: Recipe, small: bool) -> None:
    assert recipe.batch_size is not None
    for dataset in datasets:
        if not dataset.complete:
            raise UserError(str(dataset.path), None, "unfinished: run its job with --resume first")
        if len(dataset.shards) < 2:
            raise UserError(
                str(dataset.path), None, "has one shard; two are needed to hold one out: write it "
                "again with smaller shards"
            )  # fmt: skip
        rows = usable(dataset)
        if rows < recipe.batch_size and not small:
            raise UserError(
                "batch_size",
                recipe.batch_size,
                f"{dataset.path} has {rows} episodes to train on (a shard is held out): use "
                f"{rows} or less, or more episodes",
            )


class Imitation(Method):
    """Steps on minibatches of logs."""

    watched = ("exploit_loss",)

    def __init__(
        self,
        datasets: list[Dataset],
        course: Course,
        recipe: Recipe,
        visits: Sequence[int],
        warm_up: int,
    ) -> None:
        self.datasets, self.course, self.recipe = datasets, course, recipe
        self.visits, self.warm_up = visits, warm_up
        self.architecture = course.architecture
        assert recipe.batch_size is not None
        self.batch_size = recipe.batch_size
        if recipe.epochs is not None:
            per_epoch = int(np.dot(minibatches(datasets, self.batch_size), self.visits))
            self.total = max(1, round(recipe.epochs * per_epoch))
        self.minutes = recipe.minutes
        self.place = _placement(recipe.devices)

    def start(self) -> State:
        course, network = self.course, self.course.network
        optimiser = course.optimiser(self.recipe.weight_decay)
        return State(network, optimiser.init(eqx.filter(network, eqx.is_array)))

    def begin(self, state: State, done: int, rows: list[str]) -> State:
        course, recipe = self.course, self.recipe
        dtype = jnp.bfloat16 if recipe.precision == "bfloat16" else jnp.float32
        self.update = make_update(
            course.loss_weights, recipe.weight_decay, dtype, recipe.devices, course.losses,
            course.optimiser,
        )  # fmt: skip
        self.evaluate = make_evaluation(dtype, course.losses)
        self.heldout = [course.heldout(i, held_out(d)) for i, d in enumerate(self.datasets)]
        self.held_loss = json.loads(rows[-1])["heldout_exploit_loss"] if rows else float("nan")
        self.stream = stream(self.datasets, self.batch_size, recipe.seed, done, self.visits)
        return State(*(self.place(part, False) for part in state))

    def step(self, state: State, number: int, fraction: float) -> tuple[State, Any]:
        index, batch = next(self.stream)
        todo = self.place(self.course.lesson(index, batch, number), True)
        rate = cosine_rate(self.recipe.learning_rate or 0.0, number, fraction, self.warm_up)
        network, rest, losses = self.update(todo, *state, jnp.asarray(rate))
        return State(network, rest), losses

    def due(self, done: int) -> bool:
        return done % LOG_EVERY == 0

    def row(
        self, state: State, figures: list[Any], done: int, seconds: float, last: bool
    ) -> dict[str, Any]:
        explore, exploit, explaining = np.mean(np.stack([np.asarray(x) for x in figures]), axis=0)
        if (done // LOG_EVERY) % EVALUATE_EVERY == 1 or last:
            held = [np.asarray(self.evaluate(state.network, some)) for some in self.heldout]
            self.held_loss = float(np.mean(held, axis=0)[1])
        self.speed = len(figures) * self.batch_size / max(seconds, 1e-9)
        row = {
            "step": done,
            "episodes": done * self.batch_size,
            "explore_loss": short(explore),
            "exploit_loss": short(exploit),
            "heldout_exploit_loss": short(self.held_loss),
        }
        return row | ({self.course.explaining: short(explaining)} if self.course.explaining else {})

    def told(self, row: dict[str, Any]) -> str:
        return (
            f"loss explore {row['explore_loss']:.3f} exploit {row['exploit_loss']:.3f} "
            f"(held out {row['heldout_exploit_loss']:.3f}), {self.speed:,.0f} episodes/s"
        )

    def record(self, row: dict[str, Any]) -> dict[str, Any]:
        return {
            "recipe": settings_of(self.recipe),
            "steps": row["step"],
            "episodes": row["episodes"],
            "data": [d.cited for d in self.datasets],
        }

    def files(self, network: Any) -> dict[str, bytes]:
        return self.course.files(network)


def cosine_rate(peak: float, step: int, fraction: float, warm_up: float) -> float:
    """Linear warm-up over so many steps, and a cosine down to a hundredth of the peak over all the
    job, of which this fraction is behind."""
    return (
        peak * min(1.0, (step + 1) / warm_up) * (0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * fraction)))
    )


def _placement(devices: int) -> Callable[[Any, bool], Any]:
    """Puts arrays on one device, or splits their episode axis over several."""
    if devices == 1:
        return lambda tree, split: tree
    mesh = Mesh(np.array(jax.devices()[:devices]), ("episodes",))
    whole = NamedSharding(mesh, PartitionSpec())
    parts = NamedSharding(mesh, PartitionSpec("episodes"))

    def place(tree: Any, split: bool) -> Any:
        if not split:
            arrays, rest = eqx.partition(tree, eqx.is_array)
            return eqx.combine(jax.device_put(arrays, whole), rest)
        placed = tree.each_column(lambda a: jax.device_put(a, parts))
        return placed._replace(steps=jax.device_put(tree.steps, whole))

    return place
