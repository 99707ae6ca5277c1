"""Run anyone on any world and log what happens."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from seedo.episodes import SHARD_ROWS, Dataset, DatasetWriter, EpisodeBatch, Origin
from seedo.errors import UserError, whole
from seedo.experimenters import Experimenter
from seedo.play import _others as others
from seedo.play._elsewhere import Elsewhere, play_elsewhere
from seedo.play._live import live_batch, played_by
from seedo.play._loop import simulate
from seedo.play._unfinished import NAME as UNFINISHED
from seedo.play._unfinished import Unfinished
from seedo.storage import AnyPlace, local_path
from seedo.worlds import Spec, World

_TYPES = {"real": "real", "whole": "real", "ordered": "ordered", "categorical": "categorical"}
"""Of knobs, as columns of a log are called."""

Progress = Callable[[int, int], None]
"""Called with (episodes done, episodes in all)."""
Say = Callable[[str], None]


def episodes(
    world: World,
    player: Experimenter,
    seed: int,
    stream: str,
    start: int,
    count: int,
    systems: bool = False,
    explain: str = "none",
    unfinished: Unfinished | None = None,
    rules: World | None = None,
) -> EpisodeBatch:
    """Play episodes start..start+count-1 of a stream and put them into log form.

    Args:
        stream: the purpose (see `worlds.episode_key`); streams never share systems.
        systems: log each system and its exact expectations as JSON.
        explain: one of the world's `explanations`.
        unfinished: what a `dear` world has measured in them already.
        rules: a world whose compiled program is used, of which this one differs only in what is
            drawn before the first step (see `rollout`).
    """
    source = origin(world, player.name, seed)
    if world.host or player.host:
        with ThreadPoolExecutor(min(count, os.cpu_count() or 1)) as pool:
            lived = list(
                pool.map(
                    lambda index: played_by(world, player, seed, stream, index, unfinished),
                    range(start, start + count),
                )
            )
        return live_batch(source, lived, systems, explain)
    played = simulate(world, player, seed, stream, start, count, rules)
    return world.to_log(source, np.arange(start, start + count), played, systems, explain)


def origin(world: World, experimenter: str, seed: int) -> Origin:
    """What a log says about where its episodes come from."""
    return Origin(
        world=world.name,
        world_config=json.dumps(world.config(), sort_keys=True),
        split=world.split,
        seed=seed,
        experimenter=experimenter,
        variables=world.spec.variables,
        **_kinds(world.spec),
    )


def _kinds(spec: Spec) -> dict[str, Any]:
    """Types and levels of variables, where a space says."""
    if spec.space is None:
        return {}
    others = len(spec.readings)
    return {
        "types": (*(_TYPES[knob.type] for knob in spec.space.knobs), *("real",) * others),
        "levels": (*(knob.levels or None for knob in spec.space.knobs), *(None,) * others),
    }


def record(
    world: World,
    player: Experimenter,
    count: int,
    seed: int,
    out: AnyPlace,
    job: dict[str, Any],
    *,
    resume: bool = False,
    systems: bool = False,
    explain: str = "none",
    progress: Progress | None = None,
    say: Say | None = None,
    rules: World | None = None,
    elsewhere: Elsewhere | None = None,
) -> Dataset:
    """Play `count` episodes into a dataset folder; a killed job goes on with `resume`.

    What a `dear` world measures is on the disk before the next step, in `unfinished.jsonl` beside
    the log until the episode is in it, and is not measured again.

    Args:
        job: entries of the manifest, as plain JSON; its `stream` is that of the episodes.
        systems, explain, rules: see `episodes`.
        say: gets a line for every run that has to be measured again.
        elsewhere: other processes that play and write the shards, to the same bytes; None: here.

    Raises:
        UserError: a bad number or option, or a folder that cannot be written.
    """
    check_size(count, seed)
    if explain not in world.explanations:
        remedy = f"world {world.name} has {', '.join(world.explanations)}"
        raise UserError("explain", explain, remedy)
    others.check(world, player)
    player.check(world.spec)
    shard_rows, stream = shard_size(count), job["stream"]
    if world.host:
        shard_rows = min(shard_rows, world.at_once)
    description = {
        "systems": systems,
        "explain": explain,
        "seed": seed,
        "world": world.name,
        **job,
    }
    start = origin(world, player.name, seed)
    beside = (UNFINISHED,) if world.dear else ()
    if world.dear:  # what is paid for is on a disk before anything else happens
        out = local_path("--out", out)
    with DatasetWriter(
        out, start, shard_rows, count, description, resume=resume, beside=beside, warn=say
    ) as writer:
        kept = _unfinished(world, out, start, description, say)
        if progress:
            progress(writer.rows, count)
        if elsewhere is not None and writer.next_shard is not None:
            told = {"seed": seed, "stream": stream, "systems": systems, "explain": explain}
            try:
                for written in play_elsewhere(writer, world, player, elsewhere, told):
                    writer.add(written)
                    if progress:
                        progress(writer.rows, count)
            except Exception:
                if not writer.rows:
                    writer.discard()
                raise
        while (shard := writer.next_shard) is not None:
            first, rows = shard * shard_rows, writer.rows_of(shard)
            try:
                with others.named(world, player):
                    batch = episodes(
                        world, player, seed, stream, first, rows, systems, explain, kept, rules
                    )
            except Exception:
                if not (kept is not None and kept.stopped()) and not writer.rows:
                    if kept is not None:
                        kept.forget()
                    writer.discard()  # leave no folder with nothing in it
                raise
            writer.write(shard, batch)
            if kept is not None:
                kept.forget()
            if progress:
                progress(writer.rows, count)
    return Dataset(out)


def _unfinished(
    world: World, out: AnyPlace, start: Origin, job: dict[str, Any], say: Say | None
) -> Unfinished | None:
    """What a dear world has measured for a job already; None: it is not dear."""
    if not world.dear:
        return None
    assert world.spec.space is not None
    of = {"world": start.world_config, "player": start.experimenter, **job}
    folder = local_path("--out", out)
    return Unfinished(folder, of, world.spec.space.words, say or (lambda line: None))


def check_size(count: int, seed: int) -> None:
    """Raises UserError if so many episodes of this seed cannot be recorded."""
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise UserError("episodes", count, "use a whole number above 0")
    whole("seed", seed, 0, 2**32 - 1)


def shard_size(count: int) -> int:
    """Episodes of a shard: always some twenty shards, so that learning can hold whole ones out."""
    return min(SHARD_ROWS, max(1, -(-count // 20)))


def watch(
    world: World,
    player: Experimenter,
    count: int,
    seed: int,
    out: AnyPlace,
    *,
    resume: bool = False,
    systems: bool = False,
    explain: str = "none",
    name: str | None = None,
    progress: Progress | None = None,
    say: Say | None = None,
    elsewhere: Elsewhere | None = None,
) -> Dataset:
    """Logs to learn from: `record` on the stream that nobody is evaluated on.

    `name` is the one that the player was asked for by, where it was.
    """
    others.check(world, player)
    job = {"stream": "watch", "task": "watch", "experimenter": player.name}
    job |= {"provenance": "watched"} | _named(name)
    return record(
        world, player, count, seed, out, job,
        resume=resume, systems=systems, explain=explain, progress=progress, say=say,
        elsewhere=elsewhere,
    )  # fmt: skip


def perform(
    world: World,
    player: Experimenter,
    count: int,
    seed: int,
    out: AnyPlace,
    *,
    resume: bool = False,
    explain: str = "none",
    name: str | None = None,
    progress: Progress | None = None,
    say: Say | None = None,
    rules: World | None = None,
    elsewhere: Elsewhere | None = None,
) -> Dataset:
    """A run to review: `record` with systems, on systems that no log to learn from contains.

    `name` is the one that the player was asked for by, where it was; `rules`: see `episodes`.
    """
    others.check(world, player)
    job = {"stream": "perform", "task": "perform", "agent": player.name}
    job |= _named(name) | player.record
    return record(
        world, player, count, seed, out, job,
        resume=resume, systems=True, explain=explain, progress=progress, say=say, rules=rules,
        elsewhere=elsewhere,
    )  # fmt: skip


def _named(name: str | None) -> dict[str, Any]:
    return {} if name is None else {"player": name}
