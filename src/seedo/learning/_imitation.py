"""Passive imitation: a network learns from log files alone to do what the logged players did."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from seedo import __version__
from seedo.episodes import Dataset, EpisodeBatch, concatenate, lock_folder
from seedo.errors import UserError
from seedo.learning._agent import FORMAT, count_parameters, load_agent
from seedo.learning._checkpoint import finish, load_checkpoint, prepare, save_checkpoint
from seedo.learning._course import Course, weights_file
from seedo.learning._decisions import Lesson, lesson
from seedo.learning._networks import Architecture, architecture, build
from seedo.learning._objective import losses, make_evaluation, make_update
from seedo.learning._rooms_imitation import ROOMS_RECIPE, rooms_course
from seedo.learning._weights import from_bytes, to_bytes

EXPLANATIONS = ("none", "predict", "shuffled", "irrelevant", "wrong", "input")
PRECISIONS = ("float32", "bfloat16")
LOG_EVERY = 50
"""Optimiser steps between lines of metrics.jsonl."""
HELDOUT_EPISODES = 2048
WARM_UP = 200
"""Optimiser steps over which the learning rate rises."""
DAG_RECIPE: dict[str, Any] = {
    "network": "equivariant",
    "batch_size": 256,
    "explore_weight": 0.2,
}
"""What a recipe leaves open, for logs of any other world than rooms."""
_UNUSED = ("system", "action_logits")


@dataclass(frozen=True)
class Recipe:
    """How to learn.

    Attributes:
        network: `equivariant` or `plain`, in rooms `relational`; None: the world's default, like
            any None below. widths: overrides of its default widths.
        epochs: passes over the logs; or minutes: wall-clock limit (then the number of steps, and
            so the result, depends on the machine).
        batch_size: episodes a step. learning_rate: peak of a cosine schedule after 200 warm-up
            steps. weight_decay: decoupled.
        explore_weight: weight of the exploration loss beside exploitation.
        explanations: `predict` adds the loss of saying what logged explanations say (of `dag`: the
            edges that they name). For rooms also controls: words said at another step of another
            episode (`shuffled`), true ones about the agent's own place (`irrelevant`), false
            verdicts (`wrong`), or explanations as input instead of a target (`input`).
        explanation_weight: weight of that loss beside exploitation.
        precision: `bfloat16` computes activations in it (accelerators).
        devices: devices that share each minibatch.
        start: folder of an agent with the same network to go on from; None: from random weights.
    """

    network: str | None = None
    widths: tuple[tuple[str, int], ...] = ()
    epochs: float | None = 1.0
    minutes: float | None = None
    batch_size: int | None = None
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    explore_weight: float | None = None
    explanations: str = "none"
    explanation_weight: float = 1.0
    precision: str = "float32"
    seed: int = 0
    devices: int = 1
    start: str | None = None

    def __post_init__(self) -> None:
        for field, options in (("explanations", EXPLANATIONS), ("precision", PRECISIONS)):
            if getattr(self, field) not in options:
                raise UserError(field, getattr(self, field), f"use one of {', '.join(options)}")
        for field in ("learning_rate", "epochs", "minutes"):
            value = getattr(self, field)
            if value is not None and not (np.isfinite(value) and value > 0):
                raise UserError(field, value, "use a finite number above 0")
        for field in ("weight_decay", "explore_weight", "explanation_weight"):
            value = getattr(self, field)
            if value is not None and not (np.isfinite(value) and value >= 0):
                raise UserError(field, value, "use a finite number, 0 or more")
        if (self.epochs is None) == (self.minutes is None):
            raise UserError("epochs", self.epochs, "give either epochs or minutes, not both")
        if self.batch_size is not None and not 1 <= self.batch_size <= 65_536:
            raise UserError("batch_size", self.batch_size, "use a whole number from 1 to 65536")
        if not 0 <= self.seed < 2**32:
            raise UserError("seed", self.seed, "use a whole number from 0 to 4294967295")
        available = len(jax.devices())
        if not 1 <= self.devices <= available:
            raise UserError("devices", self.devices, f"this machine offers 1 to {available}")
        if (self.batch_size or 0) % self.devices:
            raise UserError("batch_size", self.batch_size, f"must divide by {self.devices} devices")


class Report(NamedTuple):
    """What a progress display needs."""

    fraction: float
    step: int
    episodes: int
    episodes_per_second: float
    explore_loss: float
    exploit_loss: float
    heldout_exploit_loss: float


class _Schedule(NamedTuple):
    visits: tuple[int, ...]  # how often each dataset is passed over in an epoch
    warm_up: int


class _Position(NamedTuple):
    step: int
    elapsed: float


def learn(
    logs: Sequence[str | Path],
    out: str | Path,
    recipe: Recipe,
    resume: bool = False,
    progress: Callable[[Report], None] | None = None,
    checkpoint_seconds: float = 20.0,
    course: Callable[[list[Dataset], Recipe], Course] | None = None,
    defaults: dict[str, Any] | None = None,
    visits: Sequence[int] | None = None,
    warm_up: int = WARM_UP,
) -> Any:
    """Train on dataset folders and write an agent folder; the agent.

    `course` and `defaults` (of a recipe) say how the logs are learnt from; None: as is usual for
    the world that they come from.

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
    in_rooms = {d.origin.world == "rooms" for d in datasets}
    if len(in_rooms) > 1:
        raise UserError("logs", "rooms", "rooms and other worlds cannot be learnt together")
    usual = (rooms_course, ROOMS_RECIPE) if True in in_rooms else (dag_course, DAG_RECIPE)
    recipe = complete_recipe(recipe, defaults or usual[1])
    _check_logs(datasets, recipe, visits is not None)
    lessons = (course or usual[0])(datasets, recipe)
    if recipe.start is not None:
        lessons = lessons._replace(network=_network_of(recipe.start, lessons))
    out = Path(out)
    settings = asdict(recipe) | {"widths": [list(w) for w in recipe.widths]}
    job = settings | {"logs": [d.manifest_hash for d in datasets]}
    if visits is not None:
        job |= {"visits": list(visits)}
    if warm_up != WARM_UP:
        job |= {"warm_up": warm_up}
    schedule = _Schedule(tuple(visits or (1,) * len(datasets)), warm_up)
    finished = prepare(out, json.loads(json.dumps(job)), resume)
    if finished:
        return lessons.load(out)
    lock = lock_folder(out)
    try:
        return _train(
            datasets, lessons, out, recipe, settings, progress, checkpoint_seconds, schedule
        )
    finally:
        os.close(lock)


def _network_of(start: str, lessons: Course) -> Any:
    """The network of the agent to go on from."""
    agent = lessons.load(Path(start) if not start.startswith("pretrained:") else start)
    if agent.architecture.to_json() != lessons.architecture.to_json():
        raise UserError("from", start, "its network has another kind or other widths")
    return agent.network


def complete_recipe(recipe: Recipe, defaults: dict[str, Any]) -> Recipe:
    """A recipe with nothing left open."""
    return replace(recipe, **{k: v for k, v in defaults.items() if getattr(recipe, k) is None})


def _check_logs(datasets: list[Dataset], recipe: Recipe, small: bool) -> None:
    assert recipe.batch_size is not None
    for dataset in datasets:
        if dataset.origin.world == "blicket":
            raise UserError(str(dataset.path), "blicket", "no network learns from this world yet")
        if not dataset.complete:
            raise UserError(str(dataset.path), None, "unfinished: run its job with --resume first")
        if len(dataset.shards) < 2:
            raise UserError(
                str(dataset.path), None, "has one shard; two are needed to hold one out: write it "
                "again with smaller shards"
            )  # fmt: skip
        usable = _usable(dataset)
        if usable < recipe.batch_size and not small:
            raise UserError(
                "batch_size",
                recipe.batch_size,
                f"{dataset.path} has {usable} episodes to train on (a shard is held out): use "
                f"{usable} or less, or more episodes",
            )


def dag_course(datasets: list[Dataset], recipe: Recipe) -> Course:
    """How logs of world `dag` are learnt from."""
    if recipe.explanations not in ("none", "predict"):
        raise UserError("explanations", recipe.explanations, "this is for rooms: none or predict")
    plan = _architecture(datasets, recipe)
    network = build(plan, recipe.seed)
    predicts = recipe.explanations == "predict"
    free = network.decisions_are_free

    def at_some(index: int, batch: EpisodeBatch, step: int) -> Lesson:
        rng = np.random.default_rng([recipe.seed, step])
        return lesson(batch, plan.do_values, None if free else rng, predicts)

    def at_fixed(index: int, batch: EpisodeBatch) -> Lesson:
        rng = np.random.default_rng(0)
        return lesson(batch, plan.do_values, None if free else rng, predicts)

    assert recipe.explore_weight is not None
    return Course(
        architecture=plan,
        network=network,
        lesson=at_some,
        heldout=at_fixed,
        losses=losses,
        loss_weights=(recipe.explore_weight, 1.0, predicts * recipe.explanation_weight),
        explaining="edge_loss" if predicts else "",
        load=load_agent,
    )


def _architecture(datasets: list[Dataset], recipe: Recipe) -> Architecture:
    grids = {tuple(_do_values(d)) for d in datasets}
    if len(grids) != 1:
        raise UserError("do_values", sorted(grids), "all logs must use the same grid of values")
    sizes = {d.n for d in datasets}
    if recipe.network == "plain" and len(sizes) != 1:
        raise UserError("network", "plain", f"logs have {sorted(sizes)} variables: use equivariant")
    return architecture(
        recipe.network or DAG_RECIPE["network"],
        grids.pop(),
        max(sizes),
        max(d.steps for d in datasets),
        dict(recipe.widths),
    )


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


def _shards(dataset: Dataset) -> tuple[list[int], list[int]]:
    """Shards to train on, and shards held out."""
    count = len(dataset.shards)
    held = max(1, count // 20)
    return list(range(count - held)), list(range(count - held, count))


def _usable(dataset: Dataset) -> int:
    """Episodes to train on."""
    return sum(dataset.shards[i].rows for i in _shards(dataset)[0])


def minibatches(datasets: Sequence[Dataset], batch_size: int) -> list[int]:
    """Minibatches in one pass over each dataset."""
    return [max(1, _usable(d) // batch_size) for d in datasets]


def _stream(
    datasets: list[Dataset], batch_size: int, seed: int, skip: int, visits: Sequence[int]
) -> Iterator[tuple[int, EpisodeBatch]]:
    """An endless stream of (dataset index, minibatch), the same whatever `skip` it starts at."""
    passes = minibatches(datasets, batch_size)
    sizes = [size * often for size, often in zip(passes, visits, strict=True)]
    epoch, skip_in = divmod(skip, sum(sizes))

    def stream(index: int, skip: int) -> Iterator[EpisodeBatch]:
        dataset, often, size = datasets[index], visits[index], passes[index]
        first, skip = divmod(skip, size)
        for visit in range(first, often):
            for batch in dataset.batches(
                min(batch_size, _usable(dataset)), seed, epoch * often + visit, skip,
                shards=_shards(dataset)[0], without=_unused(dataset),
            ):  # fmt: skip
                full = batch.rows == batch_size
                yield batch if full else batch.take(np.arange(batch_size) % batch.rows)
            skip = 0

    while True:
        turns = np.repeat(np.arange(len(datasets)), sizes)
        turns = np.random.default_rng([seed, epoch]).permutation(turns)
        before = np.bincount(turns[:skip_in], minlength=len(datasets))
        streams = [stream(index, int(skipped)) for index, skipped in enumerate(before)]
        for turn in turns[skip_in:]:
            yield int(turn), next(streams[turn])
        epoch, skip_in = epoch + 1, 0


def _unused(dataset: Dataset) -> tuple[str, ...]:
    return tuple(name for name in _UNUSED if name in dataset.optional)


def _train(
    datasets: list[Dataset],
    course: Course,
    out: Path,
    recipe: Recipe,
    settings: dict[str, Any],
    progress: Callable[[Report], None] | None,
    checkpoint_seconds: float,
    schedule: _Schedule,
) -> Any:
    dtype = jnp.bfloat16 if recipe.precision == "bfloat16" else jnp.float32
    assert recipe.batch_size is not None
    network = course.network
    state = course.optimiser(recipe.weight_decay).init(eqx.filter(network, eqx.is_array))
    rows: list[str] = []
    at = _Position(0, 0.0)
    saved = load_checkpoint(out)
    if saved is not None:
        network = from_bytes(saved["weights.safetensors"], network, out / "checkpoint")
        state = from_bytes(saved["optimizer.safetensors"], state, out / "checkpoint")
        rows = saved["metrics.jsonl"].decode().splitlines()
        at = _Position(**json.loads(saved["state.json"]))

    place = _placement(recipe.devices)
    network, state = place(network, False), place(state, False)
    update = make_update(
        course.loss_weights,
        recipe.weight_decay,
        dtype,
        recipe.devices,
        course.losses,
        course.optimiser,
    )
    evaluate = make_evaluation(dtype, course.losses)
    heldout = [course.heldout(i, _heldout(d)) for i, d in enumerate(datasets)]
    turns = minibatches(datasets, recipe.batch_size)
    per_epoch = int(np.dot(turns, schedule.visits))
    total = None if recipe.epochs is None else max(1, round(recipe.epochs * per_epoch))
    began = time.monotonic() - at.elapsed
    last_saved = time.monotonic()
    step, recent, first_step, first_time = at.step, [], at.step, time.monotonic()
    held_loss = json.loads(rows[-1])["heldout_exploit_loss"] if rows else float("nan")

    def fraction() -> float:
        if total is not None:
            return step / total
        assert recipe.minutes is not None
        return (time.monotonic() - began) / (60 * recipe.minutes)

    stream = _stream(datasets, recipe.batch_size, recipe.seed, at.step, schedule.visits)
    while fraction() < 1.0:
        index, batch = next(stream)
        todo = course.lesson(index, batch, step)
        rate = _rate(recipe.learning_rate, step, fraction(), schedule.warm_up)
        network, state, losses = update(place(todo, True), network, state, jnp.asarray(rate))
        recent.append(losses)
        step += 1
        ending = total is not None and step >= total
        if step % LOG_EVERY and not ending:
            continue
        explore, exploit, explaining = np.mean(np.stack([np.asarray(x) for x in recent]), axis=0)
        recent = []
        if not np.isfinite(exploit):
            raise UserError("loss", float(exploit), "training diverged: lower --learning-rate")
        if (step // LOG_EVERY) % 4 == 1 or ending:
            held = np.mean([np.asarray(evaluate(network, h)) for h in heldout], axis=0)
            held_loss = float(held[1])
        row = {
            "step": step,
            "episodes": step * recipe.batch_size,
            "explore_loss": _short(explore),
            "exploit_loss": _short(exploit),
            "heldout_exploit_loss": _short(held_loss),
        }
        if course.explaining:
            row[course.explaining] = _short(explaining)
        rows.append(json.dumps(row))
        now = time.monotonic()
        if progress:
            speed = (step - first_step) * recipe.batch_size / max(now - first_time, 1e-9)
            progress(
                Report(min(fraction(), 1.0), step, step * recipe.batch_size, speed, float(explore),
                       float(exploit), held_loss)
            )  # fmt: skip
        if now - last_saved >= checkpoint_seconds and not ending:
            save_checkpoint(out, weights_file(network) | _optimiser_files(state, rows) | {
                "state.json": json.dumps(_Position(step, now - began)._asdict()).encode()
            })  # fmt: skip
            last_saved = time.monotonic()

    files = course.files(network)
    weights = next(iter(files.values()))
    description = {
        "format": FORMAT,
        "architecture": course.architecture.to_json(),
        "training": {
            "recipe": settings,
            "steps": step,
            "episodes": step * recipe.batch_size,
            "parameters": count_parameters(network),
            "seedo_version": __version__,
            "weights_sha256": hashlib.sha256(weights).hexdigest(),
            "data": [
                {
                    "manifest_sha256": d.manifest_hash,
                    "rows": d.rows,
                    "experimenter": d.origin.experimenter,
                    "seed": d.origin.seed,
                    "world": d.origin.world,
                    "world_config": json.loads(d.origin.world_config),
                }
                for d in datasets
            ],
        },
    }
    files |= _optimiser_files(state, rows)
    files["agent.json"] = json.dumps(description, indent=1, sort_keys=True).encode()
    finish(out, files)
    return course.load(out)


def _optimiser_files(state: Any, rows: list[str]) -> dict[str, bytes]:
    return {
        "optimizer.safetensors": to_bytes(state),
        "metrics.jsonl": "".join(row + "\n" for row in rows).encode(),
    }


def _heldout(dataset: Dataset) -> EpisodeBatch:
    parts, rows = [], 0
    for i in _shards(dataset)[1]:
        parts.append(dataset.read_shard(i, without=_unused(dataset)).take(slice(0, 512)))
        rows += parts[-1].rows
        if rows >= HELDOUT_EPISODES:
            break
    return concatenate(parts)


def _rate(peak: float, step: int, fraction: float, warm_up: int) -> float:
    """Linear warm-up, then a cosine down to a hundredth of the peak."""
    return (
        peak * min(1.0, (step + 1) / warm_up) * (0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * fraction)))
    )


def _short(x: float) -> float:
    return float(f"{float(x):.6g}")


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
