"""Files that are there whole or not at all, and a folder that one job writes at a time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from pathlib import Path

from seedo.errors import FolderBusy, UserError

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


def write_atomic(path: Path, data: bytes | memoryview, shared: bool = False) -> None:
    """Writes `path` under a temporary name, flushes it to the disk and renames it.

    Whenever the process dies, `path` holds the old bytes or the new ones. A link in its place is
    replaced, not followed.

    Args:
        path: the file.
        data: its bytes.
        shared: other processes may be writing the same file now: the last one's stays.

    Raises:
        UserError: disk full, no permission, ...; the temporary file is gone, `path` as it was.
    """
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
