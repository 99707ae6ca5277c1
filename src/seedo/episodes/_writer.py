"""Writing datasets that survive being killed at any moment."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import weakref
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from seedo import __version__
from seedo.episodes import _manifest
from seedo.episodes._batch import EpisodeBatch
from seedo.episodes._files import cannot_write, flush_folder, lock_folder, write_atomic
from seedo.episodes._manifest import Manifest, Shard, read_manifest, shard_name
from seedo.episodes._origin import Origin
from seedo.episodes._schema import to_parquet
from seedo.errors import UserError
from seedo.tables import check_unpacked

SHARD_ROWS = 16_384
"""Episodes of a shard unless told."""


@dataclass(frozen=True)
class Written:
    """A shard that is on the disk, and what must be the same for all: steps, optional columns."""

    shard: Shard
    steps: int
    optional: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As it travels from one process to another."""
        return {"shard": vars(self.shard), "steps": self.steps, "optional": list(self.optional)}

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Written:
        """What `to_json` made."""
        return cls(Shard(**told["shard"]), told["steps"], tuple(told["optional"]))


@dataclass(frozen=True)
class ShardWriter:
    """Writes shards of a dataset from any process; see `DatasetWriter.plan`. Can be pickled, and
    travels as JSON."""

    path: Path
    manifest: Manifest

    @property
    def shard_rows(self) -> int:
        """Episodes of every shard but the last."""
        return self.manifest.shard_rows

    def rows_of(self, shard: int) -> int:
        """Number of episodes that a shard must have."""
        return self.manifest.rows_of(shard)

    def to_json(self) -> dict[str, Any]:
        """As it travels from one process to another."""
        return {"path": str(self.path.resolve()), "manifest": self.manifest.to_json()}

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> ShardWriter:
        """What `to_json` made."""
        return cls(Path(told["path"]), _manifest.from_json(told["manifest"]))

    def write(self, shard: int, batch: EpisodeBatch) -> Written:
        """Writes the file of one shard, whole or not at all; the manifest does not know it yet.

        Raises:
            UserError: the batch has another origin, shape or number of rows than this shard must
                have, or it cannot be written.
        """
        ours = self.manifest
        if (differs := batch.origin.differs_from(ours.origin)) is not None:
            remedy = f"this dataset has {getattr(ours.origin, differs)!r}"
            raise UserError(differs, getattr(batch.origin, differs), remedy)
        if batch.rows != ours.rows_of(shard):
            remedy = f"shard {shard} has {ours.rows_of(shard)} episodes"
            raise UserError("batch rows", batch.rows, remedy)
        ours.with_shape(batch.steps, batch.optional)
        parquet = to_parquet(batch)
        check_unpacked(pq.read_metadata(pa.BufferReader(parquet)))
        data = memoryview(parquet)
        digest = hashlib.sha256(data).hexdigest()
        write_atomic(self.path / shard_name(shard), data, shared=True)
        entry = Shard(shard_name(shard), batch.rows, digest, data.nbytes)
        return Written(entry, batch.steps, batch.optional)


class DatasetWriter:
    """Writes a dataset folder shard by shard.

    Whenever the process dies, what the manifest lists is whole; with `resume` the job goes on at
    the first shard that is missing or damaged and ends in the same bytes as if it had never
    stopped, provided that the caller makes shard i from the job and i alone::

        with DatasetWriter(path, origin, 16_384, 1_000_000, job, resume=True) as writer:
            while (shard := writer.next_shard) is not None:
                writer.write(shard, episodes(shard, writer.rows_of(shard)))

    Several processes or machines that see the folder fill one dataset: whoever holds the writer
    hands out `plan` and the numbers that are `missing`, and enters what comes back with `add`.

    Args:
        path: the folder; made if it is not there.
        origin: of all episodes; the seed may differ from shard to shard.
        shard_rows: episodes of every shard but the last.
        total: episodes of the finished dataset.
        job: what was asked for, JSON-able; compared when resuming.
        resume: go on with the dataset in `path`, if there is one.
        beside: names of files and folders that the caller keeps in the same folder.

    Raises:
        UserError: a number is not positive, the folder cannot be written, is not empty (without
            `resume`), holds something else, is being written by another job, or was begun as
            another job. Nothing that this class did not write is ever deleted.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        origin: Origin,
        shard_rows: int,
        total: int,
        job: Mapping[str, Any],
        resume: bool = False,
        beside: Collection[str] = (),
    ) -> None:
        for name, number in (("shard_rows", shard_rows), ("total", total)):
            if not isinstance(number, int) or isinstance(number, bool) or number < 1:
                raise UserError(name, number, "give a whole number above 0")
        self.path, self._beside = Path(path), frozenset(beside)
        self._wanted = Manifest(_plain(job), origin, shard_rows, total, __version__)
        self._made = self._make_folder()
        self._written: list[Path] = []
        self._close = weakref.finalize(self, os.close, lock_folder(self.path))
        try:
            self._manifest = self._open(resume)
        except BaseException:
            self.close()
            if self._made:
                with contextlib.suppress(OSError):
                    self.path.rmdir()
            raise
        if self.next_shard is None:
            self.close()

    def _make_folder(self) -> bool:
        """Whether the folder had to be made."""
        try:
            if self.path.is_dir():
                return False
            self.path.mkdir(parents=True)
        except OSError as error:
            raise cannot_write(self.path, error) from error
        with contextlib.suppress(OSError):  # the parent need not be ours to read
            flush_folder(self.path.parent)
        return True

    def _open(self, resume: bool) -> Manifest:
        try:
            names = sorted({entry.name for entry in self.path.iterdir()} - self._beside)
        except OSError as error:
            raise cannot_write(self.path, error) from error
        foreign = [name for name in names if not _ours(name)]
        if foreign:
            remedy = (
                f"it holds {foreign[0]!r}, which is not part of a dataset: choose another --out"
            )
            raise UserError(str(self.path), None, remedy)
        if names and not resume:
            remedy = "not empty: continue it with --resume, or choose another --out"
            raise UserError(str(self.path), None, remedy)
        if _manifest.NAME in names:
            manifest = self._resumed()
        elif any(not name.endswith(".tmp") for name in names):
            remedy = "it holds shards but no manifest.json: restore it, or choose another --out"
            raise UserError(str(self.path), None, remedy)
        else:
            manifest = self._wanted
        for name in names:
            if name.endswith(".tmp"):
                self._delete(self.path / name)
        self._save(manifest)
        return manifest

    def _resumed(self) -> Manifest:
        found, _ = read_manifest(self.path)
        for name, old, new in _differences(_description(found), _description(self._wanted)):
            remedy = f"this dataset was begun with {old!r}: give the same, or choose another --out"
            raise UserError(name, new, remedy)
        good = tuple(shard for shard in found.shards if self._is_whole(found, shard))
        if found.version != _manifest.VERSION and sum(s.rows for s in good) != found.total:
            remedy = (
                f"begun in version {found.version} of the log format, which is read but no longer "
                "written: begin it anew with another --out"
            )
            raise UserError(str(self.path), None, remedy)
        return replace(found, shards=good)

    def _is_whole(self, manifest: Manifest, shard: Shard) -> bool:
        """Whether a listed shard is on the disk as it was written; if not it is written again."""
        if shard.index >= manifest.shard_count or shard.rows != manifest.rows_of(shard.index):
            return False
        try:
            data = (self.path / shard.shard).read_bytes()
        except OSError:
            return False
        return len(data) == shard.bytes and hashlib.sha256(data).hexdigest() == shard.sha256

    def _delete(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise cannot_write(path, error) from error

    def _save(self, manifest: Manifest) -> None:
        write_atomic(self.path / _manifest.NAME, manifest.to_bytes())

    @property
    def next_shard(self) -> int | None:
        """Number of the shard that `write` writes next; None when the dataset is finished."""
        return next(iter(self.missing), None)

    @property
    def missing(self) -> tuple[int, ...]:
        """Numbers of all shards that are yet to be written, in order."""
        done = {shard.index for shard in self._manifest.shards}
        return tuple(i for i in range(self.shard_count) if i not in done)

    @property
    def shard_count(self) -> int:
        """Number of shards of the finished dataset."""
        return self._wanted.shard_count

    @property
    def rows(self) -> int:
        """Episodes written so far, those of earlier runs included."""
        return self._manifest.rows

    def rows_of(self, shard: int) -> int:
        """Number of episodes that shard `shard` must have."""
        return self._wanted.rows_of(shard)

    @property
    def plan(self) -> ShardWriter:
        """What another process or machine needs to write shards of this dataset."""
        return ShardWriter(self.path, replace(self._manifest, shards=()))

    def write(self, shard: int, batch: EpisodeBatch) -> None:
        """Writes one of the `missing` shards, in any order.

        Raises:
            UserError: it is written already, or there is none of this number; the batch has
                another origin, shape or number of rows than it must have; or it cannot be written.
                Then the folder is as it was before the call.
        """
        self._check_missing(shard)
        self.add(self.plan.write(shard, batch))

    def add(self, written: Written) -> None:
        """Enters into the manifest a shard that `plan` has written, here or elsewhere.

        Raises:
            UserError: as for `write`; then its file is gone.
        """
        self._check_missing(written.shard.index)
        path = self.path / written.shard.shard
        try:
            manifest = self._manifest.with_shape(written.steps, written.optional)
            manifest = manifest.with_shard(written.shard)
            self._save(manifest)
        except BaseException:
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        self._manifest = manifest
        self._written.append(path)
        if self.next_shard is None:
            self.close()

    def _check_missing(self, shard: int) -> None:
        self.rows_of(shard)
        if shard not in self.missing:
            raise UserError("shard", shard, "written already")
        if not self._close.alive:
            raise UserError("writer", None, "closed: open the dataset again with resume")

    def discard(self) -> None:
        """Deletes what this writer has written, and the folder if it made it."""
        self.close()
        with contextlib.suppress(OSError):
            for path in (*self._written, self.path / _manifest.NAME):
                path.unlink(missing_ok=True)
            if self._made:
                self.path.rmdir()

    def close(self) -> None:
        """Lets other jobs write to the folder; everything written is already on the disk."""
        self._close()

    def __enter__(self) -> DatasetWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def write_batch(
    path: str | os.PathLike[str],
    batch: EpisodeBatch,
    job: Mapping[str, Any] | None = None,
    shard_rows: int = SHARD_ROWS,
) -> None:
    """Writes a batch as a finished dataset in a new or empty folder, or nothing at all.

    Raises:
        UserError: the batch is empty, or as for `DatasetWriter`.
    """
    writer = DatasetWriter(path, batch.origin, shard_rows, batch.rows, job or {})
    try:
        while (shard := writer.next_shard) is not None:
            start = shard * shard_rows
            writer.write(shard, batch.take(slice(start, start + writer.rows_of(shard))))
    except BaseException:
        writer.discard()
        raise


def _ours(name: str) -> bool:
    name = re.sub(r"(\.[0-9a-f]{8})?\.tmp$", "", name)
    return name == _manifest.NAME or _manifest.SHARD_NAME.fullmatch(name) is not None


def _plain(job: Mapping[str, Any]) -> dict[str, Any]:
    """The job as it will read back from JSON."""
    try:
        return json.loads(json.dumps(dict(job), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise UserError("job", None, f"must be plain JSON: {error}") from error


def _description(manifest: Manifest) -> dict[str, Any]:
    origin = manifest.origin.to_json()
    return {
        **manifest.job,
        "origin": origin | {"world_config": json.loads(origin["world_config"])},
        "total": manifest.total,
        "shard_rows": manifest.shard_rows,
        "seedo_version": manifest.seedo_version,
    }


def _differences(old: Any, new: Any, name: str = "") -> list[tuple[str, Any, Any]]:
    """(dotted name, old, new) of all leaves in which two JSON values differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            difference
            for key in dict.fromkeys((*old, *new))
            for difference in _differences(
                old.get(key), new.get(key), f"{name}.{key}" if name else key
            )
        ]
    return [] if old == new and type(old) is type(new) else [(name, old, new)]
