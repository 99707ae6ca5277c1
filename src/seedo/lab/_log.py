"""An opened log or table, and how large it may be.

What is opened is anybody's, so sizes are checked before anything is read.
"""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from seedo.episodes import DamagedShard, EpisodeBatch, Origin
from seedo.errors import UserError
from seedo.tables import Columns, read_columns

MOST_PATH = 1_000  # characters
MOST_SHARD = 1 << 30  # bytes, packed and unpacked
_MOST_CELLS = 1 << 28  # of a shard
_MOST_ROWS = 5_000_000
_MOST_VARIABLES, _MOST_STEPS = 200, 2_000
_MOST_UNPACKED = 256 << 20  # bytes of a compressed table

UNREADABLE = (
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
            check_parquet(path, self.root, self.parts[part].rows)
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
        except UNREADABLE as error:
            line = f"cannot be read: {' '.join(str(error).split())[:120]}"
            raise DamagedShard(self.parts[part].name, None, line) from error

    def beside(self, name: str, most: int) -> Path | None:
        """A plain file in the log's folder; None if there is none, or none of at most `most` bytes
        that lies within the lab's folders."""
        path = self.path / name
        try:
            check_file(path, self.root, most)
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
        check_unpacked(self.path)
        return read_columns(self.path)


def check_file(path: Path, root: Path, most: int) -> int:
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


def check_parquet(path: Path, root: Path, rows: int | None) -> int:
    """Rows of a Parquet file that is not too large once unpacked.

    Raises:
        DamagedShard: it is too large, has other rows than `rows` or is no such file.
    """
    try:
        check_file(path, root, MOST_SHARD)
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
    except UNREADABLE as error:
        if rows is not None:
            return rows
        raise DamagedShard(path.name, None, "not readable as Parquet") from error
    if unpacked > MOST_SHARD or cells > _MOST_CELLS or metadata.num_rows > _MOST_ROWS:
        raise DamagedShard(path.name, None, "too large once unpacked for the lab")
    return int(metadata.num_rows)


def check_unpacked(path: Path) -> None:
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


def within_bounds(log: Log) -> Log:
    for name, value, most in (
        ("episodes", log.rows, _MOST_ROWS),
        ("variables", log.origin.n, _MOST_VARIABLES),
        ("steps", log.steps, _MOST_STEPS),
    ):
        if value > most:
            raise UserError(name, value, f"the lab shows logs of at most {most:,}")
    return log
