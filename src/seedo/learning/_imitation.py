"""Passive imitation: a network learns from log files alone to do what the logged players did."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from seedo.episodes import Dataset
from seedo.errors import UserError
from seedo.learning._batches import held_out, minibatches, stream, usable
from seedo.learning._checkpoint import check_free
from seedo.learning._course import Course
from seedo.learning._find import open_agent
from seedo.learning._job import Method, Report, State, settings_of, short, train
from seedo.learning._kinds import NETWORKS, USUAL, NetworkKind, kind_for
from seedo.learning._members import start
from seedo.learning._objective import make_evaluation, make_update
from seedo.learning._together import ALONE, Alone, here, on_all, split, spread_over
from seedo.recipes import Group, Recipe
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
    group: Group | None = None,
) -> Any:
    """Train on dataset folders and write an agent folder; the agent.

    The network is the recipe's, or the one that is usual for the worlds that the logs come from;
    `course` says how they are learnt from, in place of the network's own way.

    Every minibatch comes from one dataset; datasets are visited in proportion to their size, in an
    order fixed by the seed; with `visits`, that many times as often each, and a dataset smaller
    than a minibatch is then repeated within one. The last twentieth of each dataset's shards (at
    least one) is held out. The learning rate rises over the first `warm_up` steps.

    With a `group`, processes of their own do it, each with `recipe.devices` devices and its part of
    every minibatch. Gradients are those of one process but for the order in which they are added.
    Process 0 holds the folder; whoever stands for another one is given None. An interrupted job
    goes on with any number of processes.

    Raises:
        UserError: logs that cannot be learnt from (unreadable, unfinished, other do-values), bad
            settings, an output folder that is not this job's, or a group that does not come
            together, differs in what it was started with, or has lost one of its processes.
    """
    datasets, kind, complete = _planned(logs, recipe, course, visits is not None)
    if group is None or group.alone:
        _carry_out(datasets, course or kind.course, out, complete, ALONE, resume, progress,
                   checkpoint_seconds, visits, warm_up)  # fmt: skip
        return open_agent(out)
    if course is not None or visits is not None or warm_up != WARM_UP:
        remedy = "a course, visits or a warm-up of one's own stay in one process: leave it out"
        raise UserError("group", group, remedy)
    group.check_batch(complete.batch_size, complete.devices)
    if group.coordinator is None:  # elsewhere than at process 0 nothing is written there
        check_free(Path(out), resume)
    job = {
        "logs": [str(path) for path in logs],
        "out": str(out),
        "recipe": asdict(recipe),
        "resume": resume,
        "checkpoint_seconds": checkpoint_seconds,
    }
    first = start(group, recipe.devices, job, lambda told: progress and progress(Report(**told)))
    return open_agent(out) if first else None


def take_part(
    job: dict[str, Any], among: Alone, progress: Callable[[Report], None], group: Group
) -> None:
    """Do what `learn` has had this process started for, as one of several."""
    recipe = Recipe(**job["recipe"] | {"widths": tuple(map(tuple, job["recipe"]["widths"]))})
    datasets, kind, complete = _planned(job["logs"], recipe, None, False)
    group.check_batch(complete.batch_size, complete.devices)
    _carry_out(datasets, kind.course, job["out"], complete, among, job["resume"], progress,
               job["checkpoint_seconds"])  # fmt: skip


def _planned(
    logs: Sequence[AnyPlace], recipe: Recipe, course: Any, small: bool
) -> tuple[list[Dataset], NetworkKind, Recipe]:
    """Datasets, what learns from them, and a recipe with nothing left open."""
    if not logs:
        raise UserError("logs", None, "give at least one dataset folder")
    datasets = [Dataset(path) for path in logs]
    if course is None:
        kind = kind_for(datasets, recipe.network)
    else:
        kind = NETWORKS.find(recipe.network or USUAL[""])
    recipe = complete_recipe(recipe, kind)
    _check_logs(datasets, recipe, small)
    return datasets, kind, recipe


def _carry_out(
    datasets: list[Dataset],
    course: Callable[[list[Dataset], Recipe], Course],
    out: str | Path,
    recipe: Recipe,
    among: Alone,
    resume: bool,
    progress: Callable[[Report], None] | None,
    checkpoint_seconds: float,
    visits: Sequence[int] | None = None,
    warm_up: int = WARM_UP,
) -> None:
    mesh = spread_over(among.devices(recipe.devices))
    job = settings_of(recipe) | {"logs": [d.manifest_hash for d in datasets]}
    if visits is not None:
        job |= {"visits": list(visits)}
    if warm_up != WARM_UP:
        job |= {"warm_up": warm_up}
    among.compare(job)
    lessons = course(datasets, recipe)
    if recipe.start is not None:
        lessons = lessons._replace(network=_network_of(recipe.start, lessons))
    method = Imitation(
        datasets, lessons, recipe, visits or (1,) * len(datasets), warm_up, mesh, among.first
    )
    train(
        method, Path(out), job, resume=resume, progress=progress,
        checkpoint_seconds=checkpoint_seconds, among=among,
    )  # fmt: skip


def _network_of(start: str, lessons: Course) -> Any:
    """The network of the agent to go on from."""
    agent = open_agent(start)
    if agent.architecture.to_json() != lessons.architecture.to_json():
        raise UserError("from", start, "its network has another kind or other widths")
    return agent.network


def complete_recipe(recipe: Recipe, kind: NetworkKind) -> Recipe:
    """A recipe with nothing left open."""
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
        mesh: Mesh | None,
        evaluates: bool,
    ) -> None:
        self.datasets, self.course, self.recipe = datasets, course, recipe
        self.visits, self.warm_up = visits, warm_up
        self.mesh, self.evaluates = mesh, evaluates
        self.architecture = course.architecture
        assert recipe.batch_size is not None
        self.batch_size = recipe.batch_size
        if recipe.epochs is not None:
            per_epoch = int(np.dot(minibatches(datasets, self.batch_size), self.visits))
            self.total = max(1, round(recipe.epochs * per_epoch))
        self.minutes = recipe.minutes

    def start(self) -> State:
        course, network = self.course, self.course.network
        optimiser = course.optimiser(self.recipe.weight_decay)
        return State(network, optimiser.init(eqx.filter(network, eqx.is_array)))

    def begin(self, state: State, done: int, rows: list[str]) -> State:
        course, recipe = self.course, self.recipe
        dtype = jnp.bfloat16 if recipe.precision == "bfloat16" else jnp.float32
        self.update = make_update(
            course.loss_weights, recipe.weight_decay, dtype, self.mesh, course.losses,
            course.optimiser,
        )  # fmt: skip
        self.evaluate = make_evaluation(dtype, course.losses)
        held_outs = [held_out(d) for d in self.datasets] if self.evaluates else []
        self.heldout = [course.heldout(i, batch) for i, batch in enumerate(held_outs)]
        self.held_loss = json.loads(rows[-1])["heldout_exploit_loss"] if rows else float("nan")
        self.stream = stream(self.datasets, self.batch_size, recipe.seed, done, self.visits)
        return State(*(on_all(part, self.mesh) for part in state))

    def step(self, state: State, number: int, fraction: float) -> tuple[State, Any]:
        index, batch = next(self.stream)
        todo = split(self.course.lesson(index, batch, number), self.mesh)
        rate = cosine_rate(self.recipe.learning_rate or 0.0, number, fraction, self.warm_up)
        network, rest, losses = self.update(todo, *state, jnp.asarray(rate))
        return State(network, rest), losses

    def due(self, done: int) -> bool:
        return done % LOG_EVERY == 0

    def row(
        self, state: State, figures: list[Any], done: int, seconds: float, last: bool
    ) -> dict[str, Any]:
        explore, exploit, explaining = np.mean(np.stack([np.asarray(x) for x in figures]), axis=0)
        if self.evaluates and ((done // LOG_EVERY) % EVALUATE_EVERY == 1 or last):
            network = state.network if self.mesh is None else here(state.network)
            held = [np.asarray(self.evaluate(network, some)) for some in self.heldout]
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
