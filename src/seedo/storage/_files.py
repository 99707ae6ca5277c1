"""Files that are there whole or not at all, and a folder that one job writes at a time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import os
import weakref
from collections.abc import Callable
from pathlib import Path

from seedo.errors import FolderBusy, UserError
from seedo.storage._lease import Lease
from seedo.storage._store import StorePlace

_REMEDIES = {
    errno.ENOSPC: "the disk is full: free some space, then run the same command with --resume",
    errno.EDQUOT: "the disk quota is used up: free some, then run the same command with --resume",
    errno.EACCES: "no permission: choose a folder that you may write to",
    errno.EPERM: "no permission: choose a folder that you may write to",
    errno.EROFS: "the file system is read-only: choose a folder that you may write to",
    errno.ENOTDIR: "a part of this path is a file: choose another folder",
    errno.EEXIST: "this is a file: choose a folder",
}


def cannot_write(path: Path, error: OSError) -> UserError:
    """What to tell the user when `path` could not be written."""
    reason = error.strerror or str(error)
    return UserError(str(path), None, _REMEDIES.get(error.errno or 0, f"cannot write: {reason}"))


def write_atomic(path: Path | StorePlace, data: bytes | memoryview, shared: bool = False) -> None:
    """Writes `path` under a temporary name, flushes it to the disk and renames it; in a store, puts
    it in one request and makes sure of what was kept.

    Whenever the process dies, `path` holds the old bytes or the new ones. A link in its place is
    replaced, not followed.

    Args:
        path: the file or object.
        data: its bytes.
        shared: other processes may be writing the same file now: the last one's stays.

    Raises:
        UserError: disk full, no permission, ...; the temporary file is gone, `path` as it was.
    """
    if isinstance(path, StorePlace):
        path.write(data)
        return
    mark = f".{os.urandom(4).hex()}" if shared else ""
    temporary = path.with_name(f"{path.name}{mark}.tmp")
    try:
        try:
            temporary.unlink(missing_ok=True)
            with open(temporary, "xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        flush_folder(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error


def flush_folder(path: Path) -> None:
    """Makes renames and new names in a folder survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems cannot
            raise
    finally:
        os.close(handle)


def lock_folder(path: Path) -> int:
    """A handle that keeps other writers out until it is closed or the process ends.

    Raises:
        FolderBusy: another job holds the folder.
    """
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        remedy = "another job is writing to this folder: wait for it or choose another"
        raise FolderBusy(str(path), None, remedy) from error
    except OSError:
        pass  # a file system without locks: one job at a time is then up to the user
    return handle


class Hold:
    """Keeps other writers out of a folder until `release`, or until this process ends.

    Args:
        folder: which.
        warn: gets a line where one has to wait to see whether another writer still lives.

    Raises:
        UserError: another job holds the folder.
    """

    def __init__(
        self, folder: Path | StorePlace, warn: Callable[[str], None] | None = None
    ) -> None:
        self._lease: Lease | None = None
        if isinstance(folder, StorePlace):
            self._lease = Lease(folder, warn)
            self._release = weakref.finalize(self, self._lease.release)
        else:
            self._release = weakref.finalize(self, functools.partial(os.close, lock_folder(folder)))

    @property
    def held(self) -> bool:
        return self._release.alive

    def check(self) -> None:
        """Raises UserError if another job has taken the folder over, or that cannot be told."""
        if self._lease is not None:
            self._lease.check()

    def release(self) -> None:
        """Let others in; again: nothing."""
        self._release()
