"""Writing datasets that survive being killed at any moment."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from seedo import __version__
from seedo.episodes import _manifest
from seedo.episodes._batch import EpisodeBatch
from seedo.episodes._manifest import Manifest, read_manifest
from seedo.episodes._origin import Origin
from seedo.episodes._schema import to_parquet
from seedo.episodes._shards import NONE, SHARD_NAME, Shard, shard_name
from seedo.errors import UserError
from seedo.execution import cpu_type
from seedo.storage import (
    LEASE,
    AnyPlace,
    Hold,
    StorePlace,
    address,
    cannot_write,
    flush_folder,
    place,
    write_atomic,
)
from seedo.tables import check_unpacked

SHARD_ROWS = 16_384
"""Episodes of a shard unless told."""
_FREELY, _SHARE = 1.0, 0.05
"""Seconds that saving the manifest may take in any case, and its share of the time after that."""


@dataclass(frozen=True)
class Written:
    """A shard that is on the disk; what must be the same for all: steps, optional columns; and the
    type of the processor that made it."""

    shard: Shard
    steps: int
    optional: tuple[str, ...]
    cpu: str

    def to_json(self) -> dict[str, Any]:
        """As it travels from one process to another."""
        return {"shard": vars(self.shard), "steps": self.steps, "optional": list(self.optional),
                "cpu": self.cpu}  # fmt: skip

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Written:
        """What `to_json` made."""
        return cls(Shard(**told["shard"]), told["steps"], tuple(told["optional"]), told["cpu"])


@dataclass(frozen=True)
class ShardWriter:
    """Writes shards of a dataset from any process; see `DatasetWriter.plan`. Can be pickled, and
    travels as JSON."""

    path: Path | StorePlace
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
        return {"path": address(self.path), "manifest": self.manifest.to_json()}

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> ShardWriter:
        """What `to_json` made."""
        return cls(place(told["path"]), _manifest.from_json(told["manifest"]))

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
        return Written(entry, batch.steps, batch.optional, cpu_type())


class DatasetWriter:
    """Writes a dataset shard by shard, into a folder or to an address in an object store.

    Whenever the process dies, what the manifest lists is whole; with `resume` the job goes on at
    the first shard that is missing or damaged and ends in the same bytes as if it had never
    stopped, provided that the caller makes shard i from the job and i alone. The manifest is saved
    with every shard for as long as that is quick, and then so often that it takes a twentieth of
    the time: shards that it does not list when the process dies are written again::

        with DatasetWriter(path, origin, 16_384, 1_000_000, job, resume=True) as writer:
            while (shard := writer.next_shard) is not None:
                writer.write(shard, episodes(shard, writer.rows_of(shard)))

    Several processes or machines that see the folder fill one dataset: whoever holds the writer
    hands out `plan` and the numbers that are `missing`, and enters what comes back with `add`.

    Resuming reads every shard of a folder; in a store, where that may take hours, it compares
    their sizes, and content that was altered is found when it is read.

    Args:
        path: the folder, made if it is not there; or an address, see `storage.place`.
        origin: of all episodes; the seed may differ from shard to shard.
        shard_rows: episodes of every shard but the last.
        total: episodes of the finished dataset.
        job: what was asked for, JSON-able; compared when resuming.
        resume: go on with the dataset in `path`, if there is one.
        beside: names of files and folders that the caller keeps in the same folder. As they may
            go by what is listed, every shard is listed at once then.
        warn: gets one line for what should be known.

    Raises:
        UserError: a number is not positive, the folder cannot be written, is not empty (without
            `resume`), holds something else, is being written by another job, or was begun as
            another job. Nothing that this class did not write is ever deleted.
    """

    def __init__(
        self,
        path: AnyPlace,
        origin: Origin,
        shard_rows: int,
        total: int,
        job: Mapping[str, Any],
        resume: bool = False,
        beside: Collection[str] = (),
        warn: Callable[[str], None] | None = None,
    ) -> None:
        for name, number in (("shard_rows", shard_rows), ("total", total)):
            if not isinstance(number, int) or isinstance(number, bool) or number < 1:
                raise UserError(name, number, "give a whole number above 0")
        self.path: Any = place(path)  # `Path`, or `StorePlace` where it lies in a store
        self._beside = frozenset(beside)
        self._warn = warn or (lambda line: None)
        self._wanted = Manifest(_plain(job), origin, shard_rows, total, __version__)
        self._made = self._make_folder()
        self._hold = Hold(self.path, warn)
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None
        self._began, self._saving = time.monotonic(), 0.0
        self._unlisted: dict[int, Shard] = {}
        self._written: list[int] = []
        try:
            self._manifest = self._open(resume)
        except BaseException:
            self._hold.release()
            if self._made and isinstance(self.path, Path):
                with contextlib.suppress(OSError):
                    self.path.rmdir()
            raise
        self._done = bytearray(self.shard_count)
        for number in self._manifest.shards.numbers.tolist():
            self._done[number] = 1
        self._rows, self._next = self._manifest.rows, 0
        if self.next_shard is None:
            self.close()

    def _make_folder(self) -> bool:
        """Whether the folder had to be made."""
        if isinstance(self.path, StorePlace):
            if self.path.is_file():
                raise UserError(str(self.path), None, "this is an object: choose another address")
            return False
        try:
            if self.path.is_dir():
                return False
            self.path.mkdir(parents=True)
        except OSError as error:
            raise cannot_write(self.path, error) from error
        with contextlib.suppress(OSError):  # the parent need not be ours to read
            flush_folder(self.path.parent)
        return True

    def _found(self) -> dict[str, int | None]:
        """Names in the folder but for the caller's own, and their sizes where those tell enough."""
        if isinstance(self.path, StorePlace):
            found: dict[str, int | None] = {**self.path.sizes()}
            found.pop(LEASE, None)
        else:
            try:
                found = {entry.name: None for entry in self.path.iterdir()}
            except OSError as error:
                raise cannot_write(self.path, error) from error
        return {name: found[name] for name in sorted(found) if name not in self._beside}

    def _open(self, resume: bool) -> Manifest:
        found = self._found()
        foreign = [name for name in found if not _ours(name)]
        if foreign:
            remedy = (
                f"it holds {foreign[0]!r}, which is not part of a dataset: choose another --out"
            )
            raise UserError(str(self.path), None, remedy)
        if found and not resume:
            remedy = "not empty: continue it with --resume, or choose another --out"
            raise UserError(str(self.path), None, remedy)
        if _manifest.NAME in found:
            manifest = self._resumed(found)
        elif any(not name.endswith(".tmp") for name in found):
            remedy = "it holds shards but no manifest.json: restore it, or choose another --out"
            raise UserError(str(self.path), None, remedy)
        else:
            manifest = self._wanted
        for name in found:
            if name.endswith(".tmp"):
                self._delete(self.path / name)
        self._save(manifest)
        return manifest

    def _resumed(self, files: Mapping[str, int | None]) -> Manifest:
        found, _ = read_manifest(self.path)
        for name, old, new in _differences(_description(found), _description(self._wanted)):
            remedy = f"this dataset was begun with {old!r}: give the same, or choose another --out"
            raise UserError(name, new, remedy)
        whole = [self._is_whole(found, shard, files) for shard in found.shards]
        good = found.shards.keep(whole)
        if found.version != _manifest.VERSION and good.rows.sum() != found.total:
            remedy = (
                f"begun in version {found.version} of the log format, which is read but no longer "
                "written: begin it anew with another --out"
            )
            raise UserError(str(self.path), None, remedy)
        return replace(found, shards=good)

    def _is_whole(self, manifest: Manifest, shard: Shard, files: Mapping[str, int | None]) -> bool:
        """Whether a listed shard is there as it was written; if not it is written again."""
        if shard.index >= manifest.shard_count or shard.rows != manifest.rows_of(shard.index):
            return False
        if isinstance(self.path, StorePlace):
            return files.get(shard.shard) == shard.bytes
        try:
            data = (self.path / shard.shard).read_bytes()
        except OSError:
            return False
        return len(data) == shard.bytes and hashlib.sha256(data).hexdigest() == shard.sha256

    def _delete(self, path: Path | StorePlace) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise cannot_write(Path(str(path)), error) from error

    def _save(self, manifest: Manifest) -> None:
        write_atomic(self.path / _manifest.NAME, manifest.to_bytes())

    @property
    def next_shard(self) -> int | None:
        """Number of the shard that `write` writes next; None when the dataset is finished."""
        self._next = self._done.find(0, self._next)
        if self._next < 0:
            self._next = len(self._done)
        return self._next if self._next < len(self._done) else None

    @property
    def missing(self) -> tuple[int, ...]:
        """Numbers of all shards that are yet to be written, in order."""
        return tuple(number for number, done in enumerate(self._done) if not done)

    @property
    def shard_count(self) -> int:
        """Number of shards of the finished dataset."""
        return self._wanted.shard_count

    @property
    def rows(self) -> int:
        """Episodes written so far, those of earlier runs included."""
        return self._rows

    def rows_of(self, shard: int) -> int:
        """Number of episodes that shard `shard` must have."""
        return self._wanted.rows_of(shard)

    @property
    def plan(self) -> ShardWriter:
        """What another process or machine needs to write shards of this dataset."""
        return ShardWriter(self.path, replace(self._manifest, shards=NONE))

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
        number = written.shard.index
        self._check_missing(number)
        with self._lock:
            before = self._manifest
            self._unlisted[number] = written.shard
            try:
                self._hold.check()
                self._manifest = self._marked(written.cpu).with_shape(
                    written.steps, written.optional
                )
                self._save_if_due(at_once=bool(self._beside) or not self._left)
            except BaseException:
                self._manifest = before
                self._unlisted.pop(number, None)
                if isinstance(self.path, Path):  # in a store it does no harm, and may not answer
                    with contextlib.suppress(OSError):
                        (self.path / written.shard.shard).unlink()
                raise
            self._done[number] = 1
            self._rows += written.shard.rows
            self._written.append(number)
        if not self._left:
            self.close()

    @property
    def _left(self) -> int:
        """Shards that are yet to be written."""
        return len(self._done) - len(self._manifest.shards) - len(self._unlisted)

    def _marked(self, cpu: str) -> Manifest:
        """The manifest, with this type of processor among those that wrote shards."""
        known = self._manifest.cpu_types
        if cpu in known:
            return self._manifest
        if known:
            self._warn(
                f"{self.path}: shards come from {cpu} beside {', '.join(known)}: their last digits "
                "may differ from those of one type; manifest.json names all"
            )
        return replace(self._manifest, cpu_types=tuple(sorted((*known, cpu))))

    def _save_if_due(self, at_once: bool) -> None:
        """Lists what is unlisted, now or when there has been time enough since the last time."""
        lived = time.monotonic() - self._began
        wait = (self._saving - _FREELY) / _SHARE - lived
        if at_once or wait <= 0:
            self._list()
        elif self._timer is None:
            self._timer = threading.Timer(wait, self._list_late)
            self._timer.daemon = True
            self._timer.start()

    def _list_late(self) -> None:
        with self._lock:
            self._timer = None
            with contextlib.suppress(UserError):  # said by the next one, who lists these too
                self._hold.check()
                self._list()

    def _list(self) -> None:
        """Saves the manifest with what it did not list."""
        if not self._unlisted or not self._hold.held:
            return
        began = time.monotonic()
        try:
            shards = self._manifest.shards.added(self._unlisted.values())
            manifest = replace(self._manifest, shards=shards)
            self._save(manifest)
        finally:
            self._saving += time.monotonic() - began
        self._manifest = manifest
        self._unlisted.clear()

    def _check_missing(self, shard: int) -> None:
        self.rows_of(shard)
        if self._done[shard]:
            raise UserError("shard", shard, "written already")
        if not self._hold.held:
            raise UserError("writer", None, "closed: open the dataset again with resume")

    def discard(self) -> None:
        """Deletes what this writer has written, and the folder if it made it."""
        with self._lock:
            self._unlisted.clear()
        names = (*map(shard_name, self._written), _manifest.NAME)
        with contextlib.suppress(OSError, UserError):
            for name in names:
                (self.path / name).unlink(missing_ok=True)
        self.close()
        with contextlib.suppress(OSError):
            if self._made and isinstance(self.path, Path):
                self.path.rmdir()

    def close(self) -> None:
        """Lists what is not listed yet, and lets other jobs write to the folder.

        Raises:
            UserError: the manifest cannot be written: what it does not list is written again.
        """
        try:
            with self._lock:
                if self._timer is not None:
                    self._timer.cancel()
                self._list()
        finally:
            self._hold.release()

    def __enter__(self) -> DatasetWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(*(() if error is None else (UserError,))):
            self.close()


def write_batch(
    path: AnyPlace,
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
    return name == _manifest.NAME or SHARD_NAME.fullmatch(name) is not None


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
