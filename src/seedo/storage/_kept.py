"""Objects that were fetched before, in the user's cache folder, up to a number of bytes."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

from seedo.errors import UserError
from seedo.storage._files import write_atomic
from seedo.storage._store import StorePlace

VARIABLE = "SEEDO_STORE_CACHE"
"""Of the environment: mebibytes that are kept; 0: nothing is."""
_MEBIBYTES = 2048
_LOCK = threading.Lock()


def kept_bytes(place: StorePlace, digest: str, size: int) -> bytes:
    """The bytes of an object whose SHA-256 (hex) and size are known: from this machine if they were
    fetched before, else from the store.

    The caller checks them: a file that was altered here is one that was altered.

    Raises:
        FileNotFoundError: no such object.
        UserError: the store fails, or the environment says something that is no size.
    """
    most = _most()
    path = folder() / digest
    with contextlib.suppress(OSError):
        found = path.read_bytes()
        if len(found) == size:
            os.utime(path)
            return found
    found = place.read_bytes(size)
    if len(found) == size <= most // 8:
        # A full disk is no reason not to read.
        with _LOCK, contextlib.suppress(OSError, UserError):
            _make_room(path.parent, most - size)
            write_atomic(path, found, shared=True)
    return found


def forget(digest: str) -> None:
    """Delete what is kept of an object, which is not what it should be."""
    with contextlib.suppress(OSError):
        (folder() / digest).unlink()


def folder() -> Path:
    """Where objects are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "seedo" / "objects"


def _most() -> int:
    text = os.environ.get(VARIABLE)
    if text and not (text.isascii() and text.isdigit()):
        raise UserError(VARIABLE, text, "give whole mebibytes, e.g. 2048; 0 keeps nothing")
    return (int(text) if text else _MEBIBYTES) * 2**20


def _make_room(path: Path, room: int) -> None:
    """Delete what was used longest ago until no more than `room` bytes are left."""
    path.mkdir(parents=True, exist_ok=True)
    with os.scandir(path) as entries:
        files = sorted((e.stat().st_mtime, e.stat().st_size, e.path) for e in entries)
    held = sum(size for _, size, _ in files)
    for _, size, name in files:
        if held <= room:
            return
        with contextlib.suppress(OSError):
            os.unlink(name)
        held -= size
