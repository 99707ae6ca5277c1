"""Minibatches of logs, in an order fixed by the seed; what is held out of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from seedo.episodes import Dataset, EpisodeBatch, concatenate

HELDOUT_EPISODES = 2048
_UNUSED = ("system", "action_logits")


def usable(dataset: Dataset) -> int:
    """Episodes to train on."""
    return sum(dataset.shards[i].rows for i in _shards(dataset)[0])


def minibatches(datasets: Sequence[Dataset], batch_size: int) -> list[int]:
    """Minibatches in one pass over each dataset."""
    return [max(1, usable(d) // batch_size) for d in datasets]


def stream(
    datasets: Sequence[Dataset], batch_size: int, seed: int, skip: int, visits: Sequence[int]
) -> Iterator[tuple[int, EpisodeBatch]]:
    """An endless stream of (dataset index, minibatch), the same whatever `skip` it starts at.

    In an epoch every dataset is passed over as often as `visits` says.
    """
    passes = minibatches(datasets, batch_size)
    sizes = [size * often for size, often in zip(passes, visits, strict=True)]
    epoch, skip_in = divmod(skip, sum(sizes))

    def own(index: int, skip: int) -> Iterator[EpisodeBatch]:
        dataset, often, size = datasets[index], visits[index], passes[index]
        first, skip = divmod(skip, size)
        for visit in range(first, often):
            for batch in dataset.batches(
                min(batch_size, usable(dataset)), seed, epoch * often + visit, skip,
                shards=_shards(dataset)[0], without=_unused(dataset),
            ):  # fmt: skip
                full = batch.rows == batch_size
                yield batch if full else batch.take(np.arange(batch_size) % batch.rows)
            skip = 0

    while True:
        turns = np.repeat(np.arange(len(datasets)), sizes)
        turns = np.random.default_rng([seed, epoch]).permutation(turns)
        before = np.bincount(turns[:skip_in], minlength=len(datasets))
        streams = [own(index, int(skipped)) for index, skipped in enumerate(before)]
        for turn in turns[skip_in:]:
            yield int(turn), next(streams[turn])
        epoch, skip_in = epoch + 1, 0


def held_out(dataset: Dataset) -> EpisodeBatch:
    """Episodes that are not trained on: the first of the last twentieth of the shards."""
    parts, rows = [], 0
    for i in _shards(dataset)[1]:
        parts.append(dataset.read_shard(i, without=_unused(dataset)).take(slice(0, 512)))
        rows += parts[-1].rows
        if rows >= HELDOUT_EPISODES:
            break
    return concatenate(parts)


def _shards(dataset: Dataset) -> tuple[list[int], list[int]]:
    """Shards to train on, and shards held out."""
    count = len(dataset.shards)
    held = max(1, count // 20)
    return list(range(count - held)), list(range(count - held, count))


def _unused(dataset: Dataset) -> tuple[str, ...]:
    return tuple(name for name in _UNUSED if name in dataset.optional)
