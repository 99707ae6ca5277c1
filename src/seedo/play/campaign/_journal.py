"""A journal, as that of a campaign: what is in it survives whatever happens to the process."""

from __future__ import annotations

import json
import os
import weakref
from pathlib import Path
from typing import Any

from seedo.episodes import cannot_write, flush_folder, lock_folder
from seedo.errors import UserError

NAME = "journal.jsonl"


class Journal:
    """Entries that are only ever added, one JSON object a line; each is on the disk when `write`
    returns. One process at a time has it open.

    Args:
        folder: made if it is not there.
        name: of the file in it.
        locks: keeps others out of the folder; False where the caller does.

    Attributes:
        entries: all of them, in their order.
        torn: what of a last entry was on the disk when the process died in the middle of writing
            it; "" where there is no such thing. It is cut off, and kept in an entry `torn`.

    Raises:
        UserError: the folder cannot be written, another process has it, or a line of the journal is
            no entry.
    """

    def __init__(self, folder: Path, name: str = NAME, locks: bool = True) -> None:
        self.path = folder / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(folder, error) from error
        self._closes = [weakref.finalize(self, os.close, lock_folder(folder))] if locks else []
        self.entries, whole, self.torn = _read(self.path)
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            self._closes.append(weakref.finalize(self, os.close, self._file))
            if os.fstat(self._file).st_size > whole:
                os.ftruncate(self._file, whole)
            os.lseek(self._file, whole, os.SEEK_SET)
            flush_folder(folder)
        except OSError as error:
            raise cannot_write(self.path, error) from error
        if whole and self.entries and os.pread(self._file, 1, whole - 1) != b"\n":
            self._append(b"\n")
        if self.torn:
            self.write({"kind": "torn", "text": self.torn})

    def write(self, entry: dict[str, Any]) -> None:
        """Adds an entry, plain JSON.

        Raises:
            UserError: it cannot be written; the journal is as it was.
        """
        text = json.dumps(entry, ensure_ascii=False, allow_nan=False)
        self._append(text.encode() + b"\n")
        self.entries.append(json.loads(text))

    def close(self) -> None:
        """Let others have it."""
        for close in self._closes:
            close()

    def _append(self, data: bytes) -> None:
        begin = os.lseek(self._file, 0, os.SEEK_CUR)
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(self._file, left) :]
            os.fsync(self._file)
        except OSError as error:
            os.ftruncate(self._file, begin)
            os.lseek(self._file, begin, os.SEEK_SET)
            remedy = f"cannot be written: {error.strerror}; all before it is kept"
            raise UserError(str(self.path), None, remedy) from error


def read_journal(folder: Path) -> list[dict[str, Any]]:
    """The entries of a campaign's journal, which stays as it is; [] where there is none.

    Raises:
        UserError: a line of it is no entry.
    """
    return _read(folder / NAME)[0]


def _read(path: Path) -> tuple[list[dict[str, Any]], int, str]:
    """Entries, how many bytes they take, and what stands behind them half written."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return [], 0, ""
    except OSError as error:
        raise UserError(str(path), None, f"cannot be read: {error.strerror}") from None
    entries: list[dict[str, Any]] = []
    at = 0
    lines = data.split(b"\n")
    for number, line in enumerate(lines, 1):
        last = number == len(lines)
        if line.strip():
            entry = _entry(line)
            if entry is None and not last:
                remedy = f"line {number} is no entry of a journal: mend it, or choose another --out"
                raise UserError(str(path), None, remedy)
            if entry is None:
                return entries, at, line.decode(errors="replace")
            entries.append(entry)
        at += len(line) + (not last)
    return entries, at, ""


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line.decode())
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("kind"), str) else None
