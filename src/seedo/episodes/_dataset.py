"""Reading datasets: shard by shard, all at once, or as a shuffled stream for training."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seedo.episodes._ahead import Ahead
from seedo.episodes._batch import EpisodeBatch, check_optional, concatenate
from seedo.episodes._manifest import NAME, read_manifest
from seedo.episodes._origin import Origin
from seedo.episodes._schema import check_schema, from_parquet
from seedo.episodes._shards import Shard, Shards
from seedo.errors import DamagedShard, UserError
from seedo.storage import AnyPlace, StorePlace, forget, kept_bytes, place

_RESTORE = "restore it, or write it again with --resume"
_AGAIN = "delete it, then write it again with --resume"


class Dataset:
    """An episode dataset in a folder or an object store; opening it reads the manifest only.

    Every shard is checked (size, SHA-256, schema, every value) when it is first read.

    Args:
        path: the folder, or its address, see `storage.place`.

    Raises:
        UserError: not a dataset, one without a single shard yet, or a store that fails.
    """

    def __init__(self, path: AnyPlace) -> None:
        self.path: Any = place(path)  # `Path`, or `StorePlace` where it lies in a store
        self._manifest, self.manifest_hash = read_manifest(self.path)
        if not len(self._manifest.shards) or self._manifest.steps is None:
            raise UserError(str(self.path), None, "no shard written yet: run its job with --resume")
        self._steps = self._manifest.steps
        self._checked: set[int] = set()

    @property
    def n(self) -> int:
        """Number of variables."""
        return self.origin.n

    @property
    def steps(self) -> int:
        """Steps of every episode."""
        return self._steps

    @property
    def origin(self) -> Origin:
        """Where the episodes came from; single shards may have other seeds."""
        return self._manifest.origin

    @property
    def job(self) -> dict[str, object]:
        """The description of the job that wrote it."""
        return self._manifest.job

    @property
    def optional(self) -> tuple[str, ...]:
        """Names of the optional columns that are there."""
        return self._manifest.optional

    @property
    def rows(self) -> int:
        """Number of episodes."""
        return self._manifest.rows

    @property
    def shards(self) -> Shards:
        """What the manifest lists; `read_shard(i)` reads `shards[i]`."""
        return self._manifest.shards

    @property
    def links(self) -> dict[str, str]:
        """Files of this dataset that are links, and where they lead: their content is checked as
        any other's, but lies elsewhere."""
        if isinstance(self.path, StorePlace):
            return {}
        files = [self.path / name for name in (NAME, *(s.shard for s in self.shards))]
        return {file.name: os.readlink(file) for file in files if file.is_symlink()}

    @property
    def cpu_types(self) -> tuple[str, ...]:
        """Types of the processors that wrote it, see `execution.cpu_type`; empty where nobody
        said."""
        return self._manifest.cpu_types

    @property
    def complete(self) -> bool:
        """Whether the job that wrote it has finished; whether it is whole still, `verify` says."""
        return self.rows == self._manifest.total

    @property
    def cited(self) -> dict[str, Any]:
        """What the record of whoever learns from it says of it, JSON-able."""
        return {
            "manifest_sha256": self.manifest_hash,
            "rows": self.rows,
            "experimenter": self.origin.experimenter,
            "seed": self.origin.seed,
            "world": self.origin.world,
            "world_config": json.loads(self.origin.world_config),
        }

    def __len__(self) -> int:
        return self.rows

    def read_shard(self, index: int, without: Sequence[str] = ()) -> EpisodeBatch:
        """All episodes of one shard.

        Args:
            index: position in `shards`.
            without: optional columns (`EpisodeBatch.OPTIONAL`) that are not needed.

        Raises:
            DamagedShard: names the file and what is wrong with it.
        """
        if not 0 <= index < len(self.shards):
            raise UserError("shard", index, f"there are shards 0 to {len(self.shards) - 1}")
        return self._read(index, self._fetch(index), check_optional(without))

    def _fetch(self, index: int) -> bytes:
        """What a shard's file holds."""
        shard = self.shards[index]
        if not isinstance(self.path, StorePlace):
            return _read(self.path / shard.shard)
        try:
            return kept_bytes(self.path / shard.shard, shard.sha256, shard.bytes)
        except FileNotFoundError:
            raise DamagedShard(str(self.path / shard.shard), None, f"missing: {_RESTORE}") from None

    def _read(self, index: int, data: bytes, without: tuple[str, ...]) -> EpisodeBatch:
        shard = self.shards[index]
        path = self.path / shard.shard
        if len(data) != shard.bytes or index not in self._checked:
            data = self._checked_bytes(index, data)
        batch = self._parse(str(path), data, shard, without)
        self._checked.add(index)
        return batch

    def _checked_bytes(self, index: int, data: bytes) -> bytes:
        """The bytes that the manifest describes, fetched once more where a store may have them;
        DamagedShard if they are not to be had."""
        shard = self.shards[index]
        path, stored = self.path / shard.shard, isinstance(self.path, StorePlace)
        try:
            _check_bytes(str(path), data, shard, _AGAIN if stored else _RESTORE)
        except DamagedShard:
            if not stored:
                raise
            forget(shard.sha256)
            data = self._fetch(index)
            try:
                _check_bytes(str(path), data, shard, _AGAIN)
            except DamagedShard:
                forget(shard.sha256)
                raise
        return data

    def _parse(
        self, path: str, data: bytes, shard: Shard, without: tuple[str, ...]
    ) -> EpisodeBatch:
        try:
            batch = from_parquet(pa.py_buffer(data), without)
            if (differs := batch.origin.differs_from(self.origin)) is not None:
                expected = getattr(self.origin, differs)
                remedy = f"the manifest says {expected!r}"
                raise UserError(differs, getattr(batch.origin, differs), remedy)
            if batch.steps != self.steps:
                raise UserError("steps", batch.steps, f"the manifest says {self.steps}")
            if batch.rows != shard.rows:
                raise UserError("rows", batch.rows, f"the manifest says {shard.rows}")
            there = tuple(name for name in self.optional if name not in without)
            if batch.optional != there:
                raise UserError("optional columns", batch.optional, f"the manifest says {there}")
        except UserError as error:
            raise DamagedShard(f"{path}: {error.field}", error.value, error.remedy) from error
        return batch

    def verify(self) -> list[DamagedShard]:
        """Reads every shard whole and lists what is damaged; an empty list if nothing is."""
        damage = []
        for index in range(len(self.shards)):
            self._checked.discard(index)
            try:
                self.read_shard(index)
            except DamagedShard as error:
                damage.append(error)
        return damage

    def read(self, limit: int | None = None, without: Sequence[str] = ()) -> EpisodeBatch:
        """The first `limit` episodes, or all, in one batch.

        Raises:
            UserError: `limit` is not positive.
            DamagedShard: as for `read_shard`.
        """
        if limit is not None and limit < 1:
            raise UserError("limit", limit, "give a whole number above 0")
        wanted = self.rows if limit is None else min(limit, self.rows)
        parts, found = [], 0
        for index in range(len(self.shards)):
            if found >= wanted:
                break
            part = self.read_shard(index, without).take(slice(0, wanted - found))
            found += part.rows
            parts.append(part)
        return concatenate(parts)

    def batches(
        self,
        batch_size: int,
        seed: int,
        epoch: int = 0,
        skip: int = 0,
        on_damage: Literal["refuse", "skip"] = "refuse",
        *,
        shards: Sequence[int] | None = None,
        without: Sequence[str] = (),
        warn: Callable[[str], None] | None = None,
        window: int = 4,
    ) -> Iterator[EpisodeBatch]:
        """One epoch of shuffled minibatches, holding at most 2 `window` + 1 shards in memory.

        The order of the shards is shuffled, then the rows of every `window` shards together; a
        thread prepares the next window meanwhile, and from a store shards are fetched some time
        ahead. Batch i depends on (seed, epoch, i) and the
        arguments only: `skip=i` starts there, without reading windows that lie wholly before.

        Args:
            batch_size: episodes of every minibatch; what is left over at the end is dropped.
            seed: of the order, from 0.
            epoch: gives every epoch an order of its own.
            skip: minibatches to leave out at the start.
            on_damage: "refuse" raises at the first damaged shard; "skip" first checks all shards,
                so that positions stay exact, and leaves the damaged ones out.
            shards: positions in `shards` to read; all if None.
            without: optional columns that are not needed.
            warn: called with one line for every shard left out.
            window: shards whose rows are mixed.

        Raises:
            UserError: a number is out of range, or a minibatch has more episodes than there are.
            DamagedShard: as for `read_shard`.
        """
        limits = (("batch_size", batch_size, 1), ("seed", seed, 0), ("epoch", epoch, 0))
        for name, number, least in (*limits, ("skip", skip, 0), ("window", window, 1)):
            if number < least:
                raise UserError(name, number, f"give a whole number from {least}")
        if on_damage not in ("refuse", "skip"):
            raise UserError("on_damage", on_damage, "choose refuse or skip")
        chosen = list(range(len(self.shards)) if shards is None else shards)
        if not all(0 <= i < len(self.shards) for i in chosen):
            raise UserError("shards", chosen, f"there are shards 0 to {len(self.shards) - 1}")
        if on_damage == "skip":
            chosen = self._undamaged(chosen, warn)
        rows = sum(self.shards[i].rows for i in chosen)
        if rows < batch_size:
            raise UserError("batch_size", batch_size, f"there are {rows} usable episodes")
        order = np.random.default_rng([seed, epoch]).permutation(np.array(chosen, np.int64))
        windows = [order[i : i + window].tolist() for i in range(0, len(order), window)]
        return self._stream(windows, batch_size, (seed, epoch), skip, check_optional(without))

    def _undamaged(self, chosen: list[int], warn: Callable[[str], None] | None) -> list[int]:
        good = []
        for index in chosen:
            try:
                self.read_shard(index)
                good.append(index)
            except DamagedShard as error:
                if warn is not None:
                    warn(f"left out: {error}")
        return good

    def _stream(
        self,
        windows: list[list[int]],
        batch_size: int,
        key: tuple[int, int],
        skip: int,
        without: tuple[str, ...],
    ) -> Iterator[EpisodeBatch]:
        offset, first = skip * batch_size, 0
        while first < len(windows):
            held = sum(self.shards[i].rows for i in windows[first])
            if offset < held:
                break
            offset, first = offset - held, first + 1

        order = [index for window in windows[first:] for index in window]
        ahead: Ahead | None = None
        if isinstance(self.path, StorePlace):
            ahead = Ahead(self._fetch, order, [self.shards[i].bytes for i in order])
        fetch = ahead.take if ahead else self._fetch

        def load(number: int) -> EpisodeBatch:
            mixed = concatenate([self._read(i, fetch(i), without) for i in windows[number]])
            rng = np.random.default_rng([*key, number])
            return mixed.take(rng.permutation(mixed.rows))

        pool = ThreadPoolExecutor(1, thread_name_prefix="episodes")
        try:
            coming = pool.submit(load, first) if first < len(windows) else None
            left: EpisodeBatch | None = None
            for number in range(first, len(windows)):
                assert coming is not None
                rows = coming.result().take(slice(offset, None))
                offset = 0
                coming = pool.submit(load, number + 1) if number + 1 < len(windows) else None
                start = 0
                if left is not None:
                    start = batch_size - left.rows
                    joined = concatenate([left, rows.take(slice(0, start))])
                    if joined.rows < batch_size:
                        left = joined
                        continue
                    yield joined
                while start + batch_size <= rows.rows:
                    yield rows.take(slice(start, start + batch_size))
                    start += batch_size
                left = rows.take(slice(start, None)) if start < rows.rows else None
        finally:
            pool.shutdown(cancel_futures=True)
            if ahead is not None:
                ahead.close()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        lost = f"a link to {os.readlink(path)}, which is" if path.is_symlink() else ""
        raise DamagedShard(str(path), None, f"{lost} missing: {_RESTORE}".lstrip()) from None
    except (OSError, MemoryError) as error:
        reason = getattr(error, "strerror", None) or "too large"
        raise DamagedShard(str(path), None, f"cannot be read: {reason}") from error


def _check_bytes(path: str, data: bytes, shard: Shard, remedy: str) -> None:
    """Raises DamagedShard unless `data` are the bytes that the manifest describes."""
    if len(data) == shard.bytes and hashlib.sha256(data).hexdigest() == shard.sha256:
        return
    if not data:
        problem = "an empty file"
    elif len(data) < shard.bytes and b"PAR1".startswith(data[:4]) and data[-4:] != b"PAR1":
        problem = f"truncated: {len(data)} of {shard.bytes} bytes"
    elif data[:4] != b"PAR1":
        problem = "not a Parquet file"
    elif len(data) != shard.bytes and (foreign := _foreign(data)) is not None:
        problem = foreign
    elif len(data) != shard.bytes:
        problem = f"{len(data)} bytes where the manifest says {shard.bytes}"
    else:
        problem = "checksum differs from the manifest's: its content was altered"
    raise DamagedShard(path, None, f"{problem}; {remedy}")


def _foreign(data: bytes) -> str | None:
    """What else a whole Parquet file is, if not an episode log of this version."""
    try:
        check_schema(pq.read_schema(pa.BufferReader(data)))
    except UserError as error:
        return str(error)
    except (pa.ArrowException, OSError, ValueError):
        pass
    return None
