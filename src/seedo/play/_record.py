"""Run anyone on any world and log what happens."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from seedo.episodes import (
    ROOMS_VARIABLES,
    SHARD_ROWS,
    Dataset,
    DatasetWriter,
    EpisodeBatch,
    Origin,
)
from seedo.errors import UserError, whole
from seedo.experimenters import (
    Experimenter,
    Scripted,
    action_frequencies,
    memoriser,
    scripted,
)
from seedo.play._blicket import blicket_episodes
from seedo.play._parts import in_parts
from seedo.play._rollout import Rollout, rollout
from seedo.play._rooms import room_episodes
from seedo.worlds import World, from_config
from seedo.worlds.blicket import BlicketWorld
from seedo.worlds.rooms import RoomsWorld

AnyWorld = World | RoomsWorld | BlicketWorld
Progress = Callable[[int, int], None]
"""Called with (episodes done, episodes in all)."""

DAG_EXPLAIN = ("graph", "effects")
EXPLAIN = ("none", "graph", "effects", "words")


def simulate(
    world: World, experimenter: Experimenter, seed: int, stream: str, start: int, count: int
) -> Rollout:
    """Episodes start..start+count-1 of a stream, as NumPy arrays.

    They are played in chunks of one fixed size, so that a world and an experimenter are compiled
    once whatever the number of episodes; the chunks after the first on all processor cores.
    """
    most = getattr(experimenter, "episodes_at_once", _chunk(world))
    return in_parts(
        lambda index: rollout(world, experimenter, seed, stream, index), start, count, most
    )


def _chunk(world: World) -> int:
    """Episodes played at once: as many as keep the working arrays within some tens of MB."""
    spec = world.spec
    heavy = 64 if world.config().get("mechanism", "linear") != "linear" else 1
    if world.config().get("rounds", 1) > 1:  # such episodes may be long
        heavy *= max(1, spec.steps // 100)
    size = 2**21 // (spec.n * spec.n * len(spec.do_values) * heavy)
    return 1 << max(6, min(12, size.bit_length() - 1))


def episodes(
    world: AnyWorld,
    experimenter: Any,
    seed: int,
    stream: str,
    start: int,
    count: int,
    systems: bool = False,
    explain: str = "none",
) -> EpisodeBatch:
    """Play and put into log form.

    Args:
        stream: the purpose (see `worlds.episode_key`); streams never share systems.
        systems: log each system and its exact expectations as JSON.
        explain: `graph` logs, at the last step, the edges of the system as text; `effects` there
            what raising each variable by 1 does to the others in expectation; in rooms, `words`
            logs what is said at every step.
    """
    if isinstance(world, RoomsWorld):
        source = origin(world, experimenter.name, seed)
        return room_episodes(world, experimenter, source, stream, start, count, explain != "none")
    if isinstance(world, BlicketWorld):
        source = origin(world, experimenter.name, seed)
        return blicket_episodes(world, experimenter, source, stream, start, count, systems)
    played: Any = simulate(world, experimenter, seed, stream, start, count)
    return logged(world, experimenter.name, seed, start, played, systems, explain)


def logged(
    world: World,
    experimenter: str,
    seed: int,
    start: int,
    played: Any,
    systems: bool = False,
    explain: str = "none",
) -> EpisodeBatch:
    """A rollout of the episodes from `start` on, as NumPy arrays, in log form; see `episodes`."""
    return EpisodeBatch(
        origin=origin(world, experimenter, seed),
        episode_id=np.arange(start, start + len(played.returns)),
        phase=np.broadcast_to(np.asarray(world.spec.phases, np.int8), played.target.shape),
        target=played.target,
        value=np.where(played.target < 0, np.nan, played.value),
        outcome=played.outcome,
        mask=played.relevant,
        goal=played.goal,
        returns=played.returns,
        oracle_return=played.oracle_return,
        random_return=played.random_return,
        action_logits=played.log_probs,
        explanation=_told(explain, world, played),
        system=describe_systems(world, played.system, played.expected) if systems else None,
    )


def origin(world: AnyWorld, experimenter: str, seed: int) -> Origin:
    return Origin(
        world=world.name,
        world_config=json.dumps(world.config(), sort_keys=True),
        split=world.split,
        seed=seed,
        experimenter=experimenter,
        variables=ROOMS_VARIABLES if isinstance(world, RoomsWorld) else world.spec.variables,
    )


def _told(explain: str, world: World, played: Any) -> list[list[str]] | None:
    names = world.spec.variables
    if explain == "graph":
        return _graphs(played, names)
    if explain == "effects":
        return _effects(played, names, world.spec.do_values)
    return None


def _effects(played: Any, names: tuple[str, ...], do_values: tuple[float, ...]) -> list[list[str]]:
    """A line for every variable that moves another by 0.05 or more: `A: B=0.5 C=-1.2`."""
    if played.expected.ndim > 4:
        raise UserError("explain", "effects", "they drift from round to round: use graph or none")
    low, high = int(np.argmin(do_values)), int(np.argmax(do_values))
    slope = (played.expected[:, :, high] - played.expected[:, :, low]) / max(
        do_values[high] - do_values[low], 1e-9
    )
    silent = [""] * (played.target.shape[1] - 1)
    texts = []
    for effects in np.round(slope.astype(np.float64), 1) + 0.0:
        lines = []
        for cause, row in enumerate(effects):
            moved = [f"{names[j]}={x:.1f}" for j, x in enumerate(row) if x and j != cause]
            if moved:
                lines.append(f"{names[cause]}: {' '.join(moved)}")
        texts.append([*silent, "\n".join(lines)])
    return texts


def _graphs(played: Any, names: tuple[str, ...]) -> list[list[str]]:
    n, silent = len(names), [""] * (played.target.shape[1] - 1)
    edges = played.system.weights[:, :n, :n] != 0
    texts: list[list[str]] = [[] for _ in range(len(edges))]
    for episode, cause, effect in zip(*np.nonzero(edges), strict=True):
        texts[episode].append(f"{names[cause]}->{names[effect]}")
    return [[*silent, " ".join(text)] for text in texts]


def describe_systems(world: World, system: Any, expected: Any) -> list[str]:
    """Systems as the JSON text of a log; all arrays have a leading episode axis.

    Of systems that drift, `expected` has an entry for every round, `weights` are those of the
    first, and `second_weights` those that they turn to; see `worlds.DagConfig`, drift.
    """

    def short(array: np.ndarray) -> list[Any]:
        return np.round(array.astype(np.float64), 6).tolist()

    columns = (system.weights, system.noise_scale, expected)
    mechanism = world.config().get("mechanism", "linear")
    texts = [
        {"weights": weights, "noise_scale": noise, "mechanism": mechanism, "expected": expected}
        for weights, noise, expected in zip(*map(short, columns), strict=True)
    ]
    if system.second is not None:
        for text, second in zip(texts, short(system.second), strict=True):
            text["second_weights"] = second
    return [json.dumps(text, separators=(",", ":")) for text in texts]


def record(
    world: AnyWorld,
    experimenter: Any,
    count: int,
    seed: int,
    out: str | Path,
    *,
    stream: str,
    resume: bool = False,
    systems: bool = False,
    explain: str = "none",
    job: dict[str, Any] | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Play `count` episodes into a dataset folder; a killed job goes on with `resume`.

    `experimenter` is an `Experimenter`, in rooms a `RoomsPlayer`, in blicket a `BlicketPlayer`.

    Raises:
        UserError: a bad number or option, or a folder that cannot be written.
    """
    check_size(count, seed)
    if explain not in EXPLAIN:
        raise UserError("explain", explain, f"use one of {', '.join(EXPLAIN)}")
    if explain not in ("none", *(("words",) if isinstance(world, RoomsWorld) else DAG_EXPLAIN)):
        raise UserError("explain", explain, "graph and effects are for world dag, words for rooms")
    if explain != "none" and isinstance(world, BlicketWorld):
        raise UserError("explain", explain, "world blicket has no explanations")
    shard_rows = shard_size(count)
    description = {
        "stream": stream,
        "systems": systems,
        "explain": explain,
        "seed": seed,
        "world": world.name,
        **(job or {}),
    }
    start = origin(world, experimenter.name, seed)
    with DatasetWriter(out, start, shard_rows, count, description, resume=resume) as writer:
        if progress:
            progress(writer.rows, count)
        while (shard := writer.next_shard) is not None:
            first, rows = shard * shard_rows, writer.rows_of(shard)
            writer.write(episodes(world, experimenter, seed, stream, first, rows, systems, explain))
            if progress:
                progress(writer.rows, count)
    return Dataset(out)


def check_size(count: int, seed: int) -> None:
    """Raises UserError if so many episodes of this seed cannot be recorded."""
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise UserError("episodes", count, "use a whole number above 0")
    whole("seed", seed, 0, 2**32 - 1)


def shard_size(count: int) -> int:
    """Episodes of a shard: always some twenty shards, so that learning can hold whole ones out."""
    return min(SHARD_ROWS, max(1, -(-count // 20)))


def watch(world: AnyWorld, experimenter: Any, count: int, seed: int, out: str | Path,
          **options: Any) -> Dataset:  # fmt: skip
    """Logs to learn from: `record` on the stream that nobody is evaluated on."""
    job = {"task": "watch", "experimenter": experimenter.name, "provenance": "watched"}
    return record(world, experimenter, count, seed, out, stream="watch", job=job, **options)


def perform(world: AnyWorld, experimenter: Any, count: int, seed: int, out: str | Path,
            **options: Any) -> Dataset:  # fmt: skip
    """A run to review: `record` with systems, on systems that no log to learn from contains."""
    job = {"task": "perform", "agent": experimenter.name} | getattr(experimenter, "record", {})
    return record(
        world, experimenter, count, seed, out, stream="perform", systems=True, job=job, **options
    )


def fitted_memoriser(world: World, seed: int, logs: str | None = None) -> Scripted:
    """A memoriser that has read `logs`, or 16,384 expert episodes of the world's `train` split."""
    spec = world.spec
    if logs is not None:
        dataset = Dataset(logs)
        batches = [dataset.read_shard(i) for i in range(len(dataset.shards))]
    else:
        config = world.config() | {"split": "train"}
        training = from_config(world.name, config)
        batches = [episodes(training, scripted("expert"), seed, "watch", 0, 16_384)]
    return memoriser(action_frequencies(batches, spec.n, spec.do_values))
