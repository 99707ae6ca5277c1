"""Which logs can be looked at, and what is in them.

Only what lies under the lab's log folders is opened, links followed; what is opened is anybody's,
so sizes are checked before anything is read.
"""

from __future__ import annotations

import copy
import functools
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from seedo.episodes import SCHEMA_KEY, Dataset, EpisodeBatch, from_arrow, import_csv
from seedo.errors import UserError
from seedo.lab._background import Background, Job, Jobs, Stopped
from seedo.lab._log import (
    MOST_PATH,
    MOST_SHARD,
    UNREADABLE,
    Log,
    Part,
    TableFile,
    check_file,
    check_parquet,
    within_bounds,
)
from seedo.lab._log_index import Index, make_index
from seedo.tables import OPEN_SUFFIXES

MOST_FOUND = 300  # logs in the list
MOST_TABLE = 64 << 20  # bytes of a table
_MOST_DEPTH, _MOST_ENTRIES, _MOST_SECONDS = 6, 20_000, 2.0
_MOST_MANIFEST = 16 << 20
_SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages"})
_INDICES = 4  # logs whose index is kept


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
        background: where they are read.
        closed: a folder of visitors' own logs, of which nothing is found or opened but what one of
            them is shown, see `also`.
    """

    def __init__(
        self, roots: tuple[Path, ...], background: Background, closed: Path | None = None
    ) -> None:
        self._roots = [(root, root.resolve()) for root in roots]
        self._closed = closed and closed.resolve()
        self._indices = Jobs(background, "log index", kept=_INDICES)

    def also(self, name: str, folder: Path) -> Logbook:
        """The same for one who has a folder of logs besides, shown under this name."""
        other = copy.copy(self)
        other._roots = [*self._roots, (Path(name), folder.resolve())]
        return other

    @property
    def roots(self) -> list[str]:
        return [str(root) for root, _ in self._roots]

    def found(self) -> tuple[list[Found], bool]:
        """Folders with a manifest, the last changed first; and whether there may be more."""
        budget = _Budget()
        found: dict[Path, Found] = {}
        for given, root in self._roots:
            for folder, changed in _folders(root, budget, self._closed):
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
        if not path.name.lower().endswith(OPEN_SUFFIXES):
            raise UserError("path", text[:80], f"open a log folder, or {', '.join(OPEN_SUFFIXES)}")
        size = check_file(path, root, MOST_SHARD)
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

    def index(self, log: Log) -> Job:
        """The job that makes the index of a log, begun at the first call."""
        return self._indices.start((log.key, log.version), functools.partial(_index, log))

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
                if path.is_relative_to(root) and not self._shut(path, root):
                    return path, given, root
        # One answer for what is elsewhere and for what is not there: nobody can try paths out.
        raise UserError("path", text[:80], f"nothing of this name under {', '.join(self.roots)}")

    def _shut(self, path: Path, root: Path) -> bool:
        """Whether a path in a root lies among visitors' logs, and the root is not one's own."""
        closed = self._closed
        return closed is not None and path.is_relative_to(closed) and closed not in root.parents

    def _names(self, path: Path, given: Path, root: Path) -> tuple[str, str]:
        inner = path.relative_to(root)
        first = next((r for _, r in self._roots if (r / inner).exists()), root)
        return (inner.as_posix() if first == root else str(path)), str(given / inner)

    def _dataset(self, folder: Path, root: Path, key: str, shown: str) -> Log:
        manifest = folder / "manifest.json"
        if not manifest.is_file():
            raise UserError("path", key, "no log: it holds no manifest.json")
        check_file(manifest, root, _MOST_MANIFEST)
        try:
            dataset = Dataset(folder)
        except UserError as error:
            remedy = error.remedy
            raise UserError(error.field.replace(str(folder), shown), error.value, remedy) from error
        except UNREADABLE as error:
            raise UserError("manifest.json", None, "cannot be read") from error
        parts = tuple(Part(s.shard, s.rows, s.bytes) for s in dataset.shards)

        def read(part: int, without: tuple[str, ...]) -> EpisodeBatch:
            check_parquet(folder / parts[part].name, root, parts[part].rows)
            return dataset.read_shard(part, without)

        log = Log(folder, root, key, shown, dataset.origin, dataset.steps, dataset.optional,
                  dataset.job, parts, dataset.complete, dataset.manifest_hash, read)  # fmt: skip
        return within_bounds(log)

    def _shard(self, path: Path, root: Path, key: str, shown: str, size: int) -> Log | None:
        """A Parquet file as a log of one shard; None if it is another kind of table."""
        rows = check_parquet(path, root, None)
        try:
            metadata = pq.read_schema(path).metadata or {}
            if SCHEMA_KEY.encode() not in metadata:
                return None
            first = from_arrow(pa.Table.from_batches([next(pq.ParquetFile(path).iter_batches(1))]))
        except UserError:
            raise
        except StopIteration as error:
            raise UserError("path", key, "a log without episodes") from error
        except UNREADABLE as error:
            raise UserError("path", key, "not readable as an episode log") from error

        def read(_: int, without: tuple[str, ...]) -> EpisodeBatch:
            check_parquet(path, root, rows)
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


def _index(log: Log, job: Job) -> Index:
    try:
        return make_index(log, lambda part: job.progress(part, len(log.parts)))
    except (UserError, Stopped):
        raise
    except Exception as error:  # a log can be wrong in ways that nobody thought of
        kind = type(error).__name__
        raise UserError("log", log.key, f"cannot be read ({kind})") from error


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


def _folders(root: Path, budget: _Budget, closed: Path | None) -> Iterator[tuple[Path, float]]:
    """Folders with a manifest and its time, breadth first; links are not followed, nor is `closed`
    entered from above."""
    level = [root] if root != closed else []
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
                        elif _worth_a_look(entry) and folder / entry.name != closed:
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
    return within_bounds(
        Log(path, root, key, shown, first.origin, first.steps, first.optional, {}, parts, True,
            version, read)
    )  # fmt: skip
