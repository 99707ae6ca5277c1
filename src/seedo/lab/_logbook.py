"""Which logs can be looked at, and what is in them.

Only what lies under the lab's log folders is opened, links followed; what is opened is anybody's,
so sizes are checked before anything is read.
"""

from __future__ import annotations

import functools
import gzip
import os
import stat
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from seedo.episodes import (
    SCHEMA_KEY,
    DamagedShard,
    Dataset,
    EpisodeBatch,
    Origin,
    from_arrow,
    import_csv,
)
from seedo.errors import UserError
from seedo.lab._log_index import Index, make_index
from seedo.tables import SUFFIXES as TABLES
from seedo.tables import Columns, read_columns

MOST_PATH = 1_000  # characters
MOST_FOUND = 300  # logs in the list
MOST_TABLE = 64 << 20  # bytes of a table
_MOST_DEPTH, _MOST_ENTRIES, _MOST_SECONDS = 6, 20_000, 2.0
_MOST_MANIFEST = 16 << 20
_MOST_SHARD = 1 << 30  # bytes, packed and unpacked
_MOST_CELLS = 1 << 28  # of a shard
_MOST_ROWS = 5_000_000
_MOST_VARIABLES, _MOST_STEPS = 200, 2_000
_MOST_UNPACKED = 256 << 20  # bytes of a compressed table
_INDICES = 4  # logs whose index is kept
_SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages"})

_UNREADABLE = (
    pa.ArrowException, OSError, ValueError, TypeError, KeyError, RecursionError, OverflowError,
    MemoryError,
)  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One file of a log."""

    name: str
    rows: int
    bytes: int


@dataclass(frozen=True, eq=False)
class Log:
    """An opened log; nothing but its description has been read.

    Attributes:
        path: its folder, or its file.
        root: the log folder of the lab that it lies in.
        key: what finds it again, see `Logbook.open`.
        shown: its path as typed where the lab was started.
        origin, steps, optional: of its episodes.
        job: how it came about, as the log says.
        parts: its files.
        complete: whether the job that wrote it has finished.
        version: another one once the log has changed.
    """

    path: Path
    root: Path
    key: str
    shown: str
    origin: Origin
    steps: int
    optional: tuple[str, ...]
    job: dict[str, Any]
    parts: tuple[Part, ...]
    complete: bool
    version: str
    _read: Callable[[int, tuple[str, ...]], EpisodeBatch] = field(repr=False)

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)

    def read(self, part: int, without: tuple[str, ...] = ()) -> EpisodeBatch:
        """All episodes of one file.

        Raises:
            DamagedShard: it cannot be read as what it should be.
        """
        return self._safely(part, lambda: self._read(part, without))

    def explanations(self, part: int) -> pa.Array:
        """Everything said in one file: the texts of all steps of all its episodes.

        Raises:
            DamagedShard: as for `read`.
        """

        def said() -> pa.Array:
            path = self.path / self.parts[part].name if self.path.is_dir() else self.path
            if path.suffix != ".parquet":
                texts = self._read(part, ()).explanation or []
                return pa.array([text for row in texts for text in row], pa.string())
            _check_parquet(path, self.root, self.parts[part].rows)
            column = pq.read_table(path, columns=["explanation"]).column(0)
            return pa.concat_arrays([chunk.flatten() for chunk in column.chunks])

        return self._safely(part, said)

    def _safely(self, part: int, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except DamagedShard as error:
            # Without the folder's path, which is on the page already.
            name = error.field.removeprefix(f"{self.path}{os.sep}")
            raise DamagedShard(name, error.value, error.remedy) from error
        except UserError as error:
            raise DamagedShard(self.parts[part].name, None, str(error)) from error
        except _UNREADABLE as error:
            line = f"cannot be read: {' '.join(str(error).split())[:120]}"
            raise DamagedShard(self.parts[part].name, None, line) from error

    def beside(self, name: str, most: int) -> Path | None:
        """A plain file in the log's folder; None if there is none, or none of at most `most` bytes
        that lies within the lab's folders."""
        path = self.path / name
        try:
            _check_file(path, self.root, most)
        except UserError:
            return None
        return path


@dataclass(frozen=True)
class TableFile:
    """A table with a row a measurement; see `Log` for `path`, `key` and `shown`."""

    path: Path
    key: str
    shown: str
    bytes: int

    def columns(self) -> Columns:
        """What is in it.

        Raises:
            UserError: it cannot be read as a table.
        """
        _check_unpacked(self.path)
        return read_columns(self.path)


@dataclass(frozen=True)
class Found:
    """A log in the list.

    Attributes:
        key, shown: see `Log`.
        changed: time of the last change, seconds since 1970.
        log: None if it cannot be opened, and then `why_not` says why.
    """

    key: str
    shown: str
    changed: float
    log: Log | None
    why_not: str = ""


class Logbook:
    """The logs under some folders.

    Args:
        roots: the folders.
    """

    def __init__(self, roots: tuple[Path, ...]) -> None:
        self._roots = [(root, root.resolve()) for root in roots]
        self._indexer = ThreadPoolExecutor(1, thread_name_prefix="log-index")
        self._indices: OrderedDict[tuple[str, str], Indexing] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def roots(self) -> list[str]:
        return [str(root) for root, _ in self._roots]

    def found(self) -> tuple[list[Found], bool]:
        """Folders with a manifest, the last changed first; and whether there may be more."""
        budget = _Budget()
        found: dict[Path, Found] = {}
        for given, root in self._roots:
            for folder, changed in _folders(root, budget):
                if folder in found:
                    continue
                if len(found) == MOST_FOUND:
                    budget.spent = True
                    break
                key, shown = self._names(folder, given, root)
                try:
                    log = self._dataset(folder, root, key, shown)
                    found[folder] = Found(key, shown, changed, log)
                except UserError as error:
                    found[folder] = Found(key, shown, changed, None, str(error))
        return sorted(found.values(), key=lambda f: -f.changed), budget.spent

    def open(self, text: str) -> Log | TableFile:
        """A log folder, a shard, a log in CSV or a table.

        Args:
            text: a path inside a root: absolute, or from a root or where the lab was started.

        Raises:
            UserError: no such thing there, or nothing that can be shown.
        """
        path, given, root = self._resolve(text)
        key, shown = self._names(path, given, root)
        if path.is_dir():
            return self._dataset(path, root, key, shown)
        if not path.name.lower().endswith(TABLES):
            raise UserError("path", text[:80], f"open a log folder, or {', '.join(TABLES)}")
        size = _check_file(path, root, _MOST_SHARD)
        if path.name.endswith(".parquet"):
            log = self._shard(path, root, key, shown, size)
            if log is not None:
                return log
        if size > MOST_TABLE:
            raise UserError("path", text[:80], f"tables of at most {MOST_TABLE >> 20} MB are shown")
        if path.name.endswith(".csv"):
            log = self._csv(path, root, key, shown, size)
            if log is not None:
                return log
        return TableFile(path, key, shown, size)

    def index(self, log: Log) -> Indexing:
        """The index of a log, made in the background at the first call."""
        with self._lock:
            at = (log.key, log.version)
            if at not in self._indices:
                self._indices[at] = Indexing(log)
                self._indexer.submit(self._indices[at].run)
                while len(self._indices) > _INDICES:
                    self._indices.popitem(last=False)[1].stop()
            self._indices.move_to_end(at)
            return self._indices[at]

    def _resolve(self, text: str) -> tuple[Path, Path, Path]:
        """The path, and the root it lies in as given and in full."""
        if not text.strip() or len(text) > MOST_PATH or "\0" in text:
            raise UserError("path", text[:80], f"give a path of at most {MOST_PATH} characters")
        typed = Path(text.strip())
        starts = [Path()] if typed.is_absolute() else [*(r for _, r in self._roots), Path()]
        for start in starts:
            try:
                path = (start / typed).resolve()
                if not path.exists():
                    continue
                str(path).encode()
            except (OSError, RuntimeError, ValueError):
                continue
            for given, root in self._roots:
                if path.is_relative_to(root):
                    return path, given, root
        # One answer for what is elsewhere and for what is not there: nobody can try paths out.
        raise UserError("path", text[:80], f"nothing of this name under {', '.join(self.roots)}")

    def _names(self, path: Path, given: Path, root: Path) -> tuple[str, str]:
        inner = path.relative_to(root)
        first = next((r for _, r in self._roots if (r / inner).exists()), root)
        return (inner.as_posix() if first == root else str(path)), str(given / inner)

    def _dataset(self, folder: Path, root: Path, key: str, shown: str) -> Log:
        manifest = folder / "manifest.json"
        if not manifest.is_file():
            raise UserError("path", key, "no log: it holds no manifest.json")
        _check_file(manifest, root, _MOST_MANIFEST)
        try:
            dataset = Dataset(folder)
        except UserError as error:
            remedy = error.remedy
            raise UserError(error.field.replace(str(folder), shown), error.value, remedy) from error
        except _UNREADABLE as error:
            raise UserError("manifest.json", None, "cannot be read") from error
        parts = tuple(Part(s.shard, s.rows, s.bytes) for s in dataset.shards)

        def read(part: int, without: tuple[str, ...]) -> EpisodeBatch:
            _check_parquet(folder / parts[part].name, root, parts[part].rows)
            return dataset.read_shard(part, without)

        log = Log(folder, root, key, shown, dataset.origin, dataset.steps, dataset.optional,
                  dataset.job, parts, dataset.complete, dataset.manifest_hash, read)  # fmt: skip
        return _within_bounds(log)

    def _shard(self, path: Path, root: Path, key: str, shown: str, size: int) -> Log | None:
        """A Parquet file as a log of one shard; None if it is another kind of table."""
        rows = _check_parquet(path, root, None)
        try:
            metadata = pq.read_schema(path).metadata or {}
            if SCHEMA_KEY.encode() not in metadata:
                return None
            first = from_arrow(pa.Table.from_batches([next(pq.ParquetFile(path).iter_batches(1))]))
        except UserError:
            raise
        except StopIteration as error:
            raise UserError("path", key, "a log without episodes") from error
        except _UNREADABLE as error:
            raise UserError("path", key, "not readable as an episode log") from error

        def read(_: int, without: tuple[str, ...]) -> EpisodeBatch:
            _check_parquet(path, root, rows)
            columns = [name for name in pq.read_schema(path).names if name not in without]
            return from_arrow(pq.read_table(path, columns=columns), without)

        return _single(path, root, key, shown, size, rows, first, read)

    def _csv(self, path: Path, root: Path, key: str, shown: str, size: int) -> Log | None:
        """A CSV with a row a step as a log; None if it is another kind of table."""
        with path.open("rb") as file:
            header = file.readline(1 << 16).decode("utf-8", "replace")
        names = {name.strip().strip('"\ufeff') for name in header.split(",")}
        if not {"episode", "step", "phase", "target", "value", "goal"} <= names:
            return None
        batch = _imported(path, path.stat().st_mtime_ns, size)

        def read(_: int, without: tuple[str, ...]) -> EpisodeBatch:
            return batch

        return _single(path, root, key, shown, size, batch.rows, batch, read)


class Indexing:
    """An index that is being made, or is done."""

    def __init__(self, log: Log) -> None:
        self.log, self.done = log, 0
        self.began = time.monotonic()
        self._index: Index | None = None
        self._error: UserError | None = None
        self._ready, self._stopped = threading.Event(), False

    @property
    def ready(self) -> bool:
        return self._ready.is_set()

    def wait(self, seconds: float | None) -> Index | None:
        """The index, None if it is still being made then.

        Raises:
            UserError: it cannot be made.
        """
        self._ready.wait(seconds)
        if self._error is not None:
            raise self._error
        return self._index

    def stop(self) -> None:
        self._stopped = True

    def run(self) -> None:
        def progress(part: int) -> None:
            self.done = part
            if self._stopped:
                raise UserError("log", self.log.key, "open it again")

        try:
            self._index = make_index(self.log, progress)
        except UserError as error:
            self._error = error
        except Exception as error:  # a log can be wrong in ways that nobody thought of
            kind = type(error).__name__
            self._error = UserError("log", self.log.key, f"cannot be read ({kind})")
        finally:
            self._ready.set()


class _Budget:
    """How much more may be looked through for logs."""

    def __init__(self) -> None:
        self._entries = _MOST_ENTRIES
        self._until = time.monotonic() + _MOST_SECONDS
        self.spent = False

    def take(self) -> bool:
        self._entries -= 1
        if self._entries < 0 or time.monotonic() > self._until:
            self.spent = True
        return not self.spent


def _folders(root: Path, budget: _Budget) -> Iterator[tuple[Path, float]]:
    """Folders with a manifest and its time, breadth first; links are not followed."""
    level = [root]
    for _ in range(_MOST_DEPTH + 1):
        below: list[Path] = []
        for folder in level:
            inner: list[Path] = []
            changed = None
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        if not budget.take():
                            return
                        if entry.name == "manifest.json" and entry.is_file(follow_symlinks=False):
                            changed = entry.stat(follow_symlinks=False).st_mtime
                        elif _worth_a_look(entry):
                            inner.append(folder / entry.name)
            except OSError:
                continue
            if changed is not None:
                yield folder, changed
            else:
                below += sorted(inner)
        level = below


def _worth_a_look(entry: os.DirEntry[str]) -> bool:
    name = entry.name
    if name.startswith(".") or name in _SKIPPED or not name.isprintable():
        return False
    return entry.is_dir(follow_symlinks=False)


def _check_file(path: Path, root: Path, most: int) -> int:
    """Size of a plain file within a root.

    Raises:
        UserError: it is something else, elsewhere or too large.
    """
    try:
        if not path.resolve(strict=True).is_relative_to(root):
            raise UserError(path.name, None, "a link that leads out of the lab's folders")
        status = path.stat()
    except (OSError, RuntimeError) as error:
        raise UserError(path.name, None, "missing, or cannot be read") from error
    if not stat.S_ISREG(status.st_mode):
        raise UserError(path.name, None, "not a plain file")
    if status.st_size > most:
        raise UserError(path.name, None, f"more than the {most >> 20:,} MB that the lab opens")
    return status.st_size


def _check_parquet(path: Path, root: Path, rows: int | None) -> int:
    """Rows of a Parquet file that is not too large once unpacked.

    Raises:
        DamagedShard: it is too large, has other rows than `rows` or is no such file.
    """
    try:
        _check_file(path, root, _MOST_SHARD)
        with open(path, "rb") as file:
            # What is not Parquet at all is described better by whoever checks its bytes.
            if rows is not None and file.read(4) != b"PAR1":
                return rows
        metadata = pq.read_metadata(path)
        groups = [metadata.row_group(i) for i in range(min(metadata.num_row_groups, 10_000))]
        unpacked = sum(group.total_byte_size for group in groups)
        cells = sum(g.column(i).num_values for g in groups for i in range(g.num_columns))
    except UserError as error:
        raise DamagedShard(error.field, error.value, error.remedy) from error
    except _UNREADABLE as error:
        if rows is not None:
            return rows
        raise DamagedShard(path.name, None, "not readable as Parquet") from error
    if unpacked > _MOST_SHARD or cells > _MOST_CELLS or metadata.num_rows > _MOST_ROWS:
        raise DamagedShard(path.name, None, "too large once unpacked for the lab")
    return int(metadata.num_rows)


def _check_unpacked(path: Path) -> None:
    """Raises UserError if a compressed table is too large."""
    if not path.name.lower().endswith(".gz"):
        return
    size = 0
    try:
        with gzip.open(path) as file:
            while chunk := file.read(1 << 20):
                size += len(chunk)
                if size > _MOST_UNPACKED:
                    remedy = f"more than {_MOST_UNPACKED >> 20} MB once unpacked"
                    raise UserError(path.name, None, remedy)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(path.name, None, "not a whole gzip file") from error


def _within_bounds(log: Log) -> Log:
    for name, value, most in (
        ("episodes", log.rows, _MOST_ROWS),
        ("variables", log.origin.n, _MOST_VARIABLES),
        ("steps", log.steps, _MOST_STEPS),
    ):
        if value > most:
            raise UserError(name, value, f"the lab shows logs of at most {most:,}")
    return log


@functools.lru_cache(maxsize=2)
def _imported(path: Path, changed: int, size: int) -> EpisodeBatch:
    """A log in CSV; read again once it has changed."""
    return import_csv(path)


def _single(
    path: Path,
    root: Path,
    key: str,
    shown: str,
    size: int,
    rows: int,
    first: EpisodeBatch,
    read: Callable[[int, tuple[str, ...]], EpisodeBatch],
) -> Log:
    """A log in one file, of which some episodes are known."""
    version = f"{path.stat().st_mtime_ns} {size}"
    parts = (Part(path.name, rows, size),)
    return _within_bounds(
        Log(path, root, key, shown, first.origin, first.steps, first.optional, {}, parts, True,
            version, read)
    )  # fmt: skip
