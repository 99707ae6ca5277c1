"""Where visitors' tables are kept: in the lab's own folder, each visitor's apart, for a while."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from seedo.episodes import write_atomic
from seedo.errors import UserError
from seedo.lab._security import MOST_TABLE, Keys, private_folder
from seedo.lab.data._said import GRAPH, Said
from seedo.tables import SUFFIXES, Measured, measured_apart, roles_path

MOST_TABLES = 8
"""Of one visitor."""
MOST_BYTES = 2 << 30
"""Of all visitors together."""
MOST_CELLS = 10_000_000
MOST_COLUMNS = 1_000
_MOST_NAME, _MOST_SHOWN, _MOST_SAID = 300, 120, 300
"""Characters of a column's name, of a file's as it is shown, and of a part of an error."""
DAYS = 30
"""After which a table that nobody opened is deleted."""

EXPERIMENTS, TARGETS = "experiments.csv", "targets.csv"
"""Files beside a table: rows that were entered, and what was set in them."""

_ABOUT = "about.json"
_ID = re.compile(r"[0-9a-f]{16}")
_ODD = re.compile(r"[^\w .,()+&@%-]")


@dataclass(frozen=True)
class Kept:
    """A table that is kept.

    Attributes:
        key: its name within the visitor's.
        folder: of all that belongs to it; the table and what the command line reads with it lie in
            `folder / "table"`.
        name: of the file, as the visitor has it.
        file: as it is called here.
        bytes, rows, columns: of the file.
        said: by the visitor.
    """

    key: str
    folder: Path
    name: str
    file: str
    bytes: int
    rows: int
    columns: int
    said: Said

    @property
    def path(self) -> Path:
        return self.folder / "table" / self.file

    @property
    def place(self) -> Path:
        """Where the table and its companions lie."""
        return self.folder / "table"

    def beside(self, name: str) -> Path | None:
        """A file beside the table, if it is there."""
        path = self.place / name
        return path if path.is_file() else None

    @property
    def roles(self) -> Path | None:
        """The file that says how columns are read, if there is one."""
        path = roles_path(self.path)
        return path if path.is_file() else None

    def listed(self) -> dict[str, Any]:
        """For the list of tables."""
        used = self.folder.stat().st_mtime
        return {"key": self.key, "name": self.name, "bytes": self.bytes, "rows": self.rows,
                "columns": self.columns, "deleted": used + DAYS * 86_400}  # fmt: skip


class Shelf:
    """The tables of all visitors.

    Args:
        folder: for them; made when the first comes.
        keys: names of folders are derived from visitors' names, which give access and so stand
            nowhere.
    """

    def __init__(self, folder: Path, keys: Keys) -> None:
        self._folder, self._keys = folder, keys
        self._lock = threading.Lock()

    def take(self, visitor: str, name: str, data: bytes) -> Kept:
        """Keeps a table, once it was read as one.

        Raises:
            UserError: it cannot be read, is too large, or there are too many.
        """
        file = _file_name(name)
        if not data:
            raise UserError("file", shown_name(name), "an empty file: give a header and rows")
        if len(data) > MOST_TABLE:
            raise UserError("file", shown_name(name), f"at most {MOST_TABLE >> 20} MB: part it")
        self.sweep()
        own = self._own(visitor)
        if len(self.all(visitor)) >= MOST_TABLES:
            raise UserError("tables", MOST_TABLES, "that many are kept at most: delete one")
        if _bytes(self._folder) + len(data) > MOST_BYTES:
            raise UserError("tables", None, "the lab's folder for tables is full: delete some")
        key = secrets.token_hex(8)
        folder = own / key
        private_folder(folder / "table")
        path = folder / "table" / file
        try:
            path.write_bytes(data)
            size = _checked(path)
            about = {"name": shown_name(name), "file": file, "bytes": len(data),
                     "rows": size.rows, "columns": size.columns, "said": {}}  # fmt: skip
            write_atomic(folder / _ABOUT, json.dumps(about).encode())
        except BaseException as error:
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, UserError):
                raise without_path(error, path.parent) from error
            raise
        return self.find(visitor, key)

    def all(self, visitor: str) -> list[Kept]:
        """A visitor's tables, the last used first."""
        own = self._own(visitor)
        if not own.is_dir():
            return []
        found = [kept for kept in map(_read, own.iterdir()) if kept is not None]
        return sorted(found, key=lambda kept: -kept.folder.stat().st_mtime)

    def find(self, visitor: str, key: str) -> Kept:
        """A visitor's table; it counts as used.

        Raises:
            UserError: there is none.
        """
        kept = _read(self._own(visitor) / key) if _ID.fullmatch(key) else None
        if kept is None:
            raise UserError("table", None, "it is not kept here any more: drop it again")
        os.utime(kept.folder)
        return kept

    def say(self, kept: Kept, said: Said) -> None:
        """Keeps what is said about a table, as the command line reads it too."""
        with self._lock:
            about = json.loads((kept.folder / _ABOUT).read_bytes())
            about["said"] = said.model_dump(mode="json")
            for path, text in ((roles_path(kept.path), said.roles()),
                               (kept.place / GRAPH, said.assumed.graph)):  # fmt: skip
                if text.strip():
                    write_atomic(path, text.encode("utf-8", "replace"))
                else:
                    path.unlink(missing_ok=True)
            write_atomic(kept.folder / _ABOUT, json.dumps(about).encode())

    def delete(self, kept: Kept) -> None:
        """Deletes a table and all that came of it."""
        shutil.rmtree(kept.folder, ignore_errors=True)

    def sweep(self) -> None:
        """Deletes what nobody opened for `DAYS`."""
        until = time.time() - DAYS * 86_400
        for folder in self._folder.glob("*/*"):
            if folder.stat().st_mtime < until:
                shutil.rmtree(folder, ignore_errors=True)

    def _own(self, visitor: str) -> Path:
        return self._folder / self._keys.sign("tables", visitor)[:32]


def _read(folder: Path) -> Kept | None:
    try:
        about = json.loads((folder / _ABOUT).read_bytes())
        return Kept(folder.name, folder, about["name"], about["file"], about["bytes"],
                    about["rows"], about["columns"], Said.from_json(about["said"]))  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _checked(path: Path) -> Measured:
    """Raises UserError for a file that is no table, or too large a one."""
    size = measured_apart(path)
    if size.columns > MOST_COLUMNS:
        remedy = f"at most {MOST_COLUMNS:,} columns: leave out those that are not needed"
        raise UserError(str(path), f"{size.columns:,} columns", remedy)
    if size.longest > _MOST_NAME:
        remedy = f"at most {_MOST_NAME} characters: give it a shorter name"
        raise UserError(f"{path} header", f"a name of {size.longest:,} characters", remedy)
    if size.rows * size.columns > MOST_CELLS:
        remedy = f"at most {MOST_CELLS:,}: leave out columns or rows"
        raise UserError(str(path), f"{size.rows * size.columns:,} cells", remedy)
    return size


def shown_name(name: str) -> str:
    """A file's name as its owner has it, without folders and whatever moves the cursor."""
    last = PurePosixPath(name.replace("\\", "/")).name
    name = "".join(c for c in last if c.isprintable()) or "table"
    return name if len(name) <= _MOST_SHOWN else f"{name[: _MOST_SHOWN - 21]}…{name[-20:]}"


def _file_name(name: str) -> str:
    """A name for it here: one that no shell and no companion of the table could mistake."""
    shown = shown_name(name)
    suffix = next((s for s in sorted(SUFFIXES, key=len, reverse=True)
                   if shown.lower().endswith(s)), None)  # fmt: skip
    if suffix is None:
        raise UserError("file", shown, f"its name has to end in {', '.join(SUFFIXES)}")
    stem = _ODD.sub("-", shown[: -len(suffix)]).strip(" .-")[:60] or "table"
    if stem.casefold() + suffix in (EXPERIMENTS, TARGETS) or stem.casefold().endswith(".roles"):
        stem = f"my {stem.replace('.', '-')}"
    return stem + suffix


def without_path(error: UserError, folder: Path) -> UserError:
    """The same error, without where on this machine the table lies."""
    parts = (error.field, error.value, error.remedy)
    cut = [_without(part, str(folder)) if isinstance(part, str) else part for part in parts]
    return UserError(*cut)  # type: ignore[arg-type]


def _without(text: str, folder: str) -> str:
    text = text.replace(f"{folder}{os.sep}", "").replace(folder, "the table's folder")
    return text if len(text) <= _MOST_SAID else f"{text[:_MOST_SAID]}…"


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
