"""What was shown in logged episodes: drawn again in raw worlds, read off the log in others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from seedo import play, worlds
from seedo.episodes import Dataset, EpisodeBatch
from seedo.errors import UserError
from seedo.worlds import World

_AT_ONCE = 256
"""Episodes that are drawn again in one call."""


class Shown(NamedTuple):
    """Steps of watched episodes, R of them.

    Attributes:
        raw: f32[R, D], what was shown after the step, flattened; of log lines their numbers, NaN
            where one was not told.
        set_to: f32[R, K], what each knob was set to in it; NaN where it was left alone.
        episode: int64[R], of the log.
    """

    raw: NDArray[np.float32]
    set_to: NDArray[np.float32]
    episode: NDArray[np.int64]

    def rows(self, which: NDArray[np.int64]) -> Shown:
        """Some of the steps."""
        return Shown(self.raw[which], self.set_to[which], self.episode[which])


def world_of(dataset: Dataset) -> World:
    """The world of a log from which an abstraction can be learnt.

    Raises:
        UserError: its logs name their variables already, or cannot be shown again.
    """
    origin = dataset.origin
    world: World = worlds.from_config(origin.world, json.loads(origin.world_config))
    raw = world.shows is not None and not world.measures_variables
    if not raw and world.spec.space is None:
        remedy = "its logs hold variables, nothing raw: use logs of world raw, or of a bench"
        raise UserError(str(dataset.path), origin.world, remedy)
    if raw:
        play.stream_of_shown(dataset)
    return world


def knobs_of(world: World) -> tuple[str, ...]:
    """Names of what can be set."""
    space = world.spec.space
    return world.spec.variables if space is None else space.names


def shown_in(
    dataset: Dataset,
    world: World,
    shards: Sequence[int],
    most: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Shown:
    """Steps of some shards of a log, at most so many of them (from the first on).

    Args:
        progress: called with the steps shown so far.
    """
    found: list[Shown] = []
    steps = 0
    for shard in shards:
        for part in _parts(dataset, world, shard):
            found.append(part)
            steps += len(part.raw)
            if progress:
                progress(steps)
            if most is not None and steps >= most:
                break
        if most is not None and steps >= most:
            break
    if not steps:
        return Shown(*(np.zeros((0, 0), np.float32),) * 2, np.zeros(0, np.int64))
    return Shown(*(np.concatenate(columns)[:most] for columns in zip(*found, strict=True)))


def _parts(dataset: Dataset, world: World, shard: int) -> Iterator[Shown]:
    batch = dataset.read_shard(shard)
    if world.spec.space is not None:
        yield _read(batch, world)
        return
    stream = play.stream_of_shown(dataset)
    for start in range(0, batch.rows, _AT_ONCE):
        yield _drawn(batch.take(slice(start, start + _AT_ONCE)), world, stream)


def _read(batch: EpisodeBatch, world: World) -> Shown:
    """Readings of a world whose knobs are set all at once; runs without one are left out."""
    knobs = len(knobs_of(world))
    raw = np.asarray(batch.outcome[:, :, knobs:]).reshape(-1, batch.n - knobs)
    set_to = np.asarray(batch.setting[:, :, :knobs]).reshape(-1, knobs)
    episode = np.repeat(batch.episode_id, batch.steps)
    whole = np.isfinite(raw).all(axis=1)
    return Shown(raw[whole], set_to[whole], episode[whole])


def _drawn(batch: EpisodeBatch, world: Any, stream: str) -> Shown:
    """Steps of a raw world, drawn again."""
    drawing = world.drawing
    target = batch.target.reshape(-1)
    n, rows = world.spec.n, len(target)
    raw = play.shown_again(world, batch, stream).reshape(rows, *drawing.shape)
    raw = np.asarray(jax.vmap(drawing.numbers)(jnp.asarray(raw)))
    set_to = np.where(np.arange(n) == target[:, None], batch.value.reshape(-1, 1), np.nan)
    episode = np.repeat(batch.episode_id, batch.steps)
    return Shown(raw, set_to.astype(np.float32), episode)
