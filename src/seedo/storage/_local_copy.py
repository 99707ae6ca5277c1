"""Small folders of a store, such as agents, as folders of this machine."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

from seedo.errors import UserError
from seedo.storage._place import AnyPlace, place

_COPIES: dict[str, Path] = {}


def local_copy(given: AnyPlace, told_by: str) -> Path:
    """A folder of this machine that holds what a folder holds: the folder itself, unless it lies in
    a store. Copies last as long as this process.

    Args:
        given: the folder.
        told_by: name of a file without which it is not the folder that is meant; nothing is copied
            then.

    Raises:
        UserError: there is no such file there, or the store fails.
    """
    folder = place(given)
    if isinstance(folder, Path):
        return folder
    key = str(folder)
    if key not in _COPIES:
        if not (folder / told_by).is_file():
            raise UserError(key, None, f"there is no {told_by} there: check the address")
        made = Path(tempfile.mkdtemp(prefix="seedo-"))
        atexit.register(shutil.rmtree, made, ignore_errors=True)
        copy = made / folder.name
        copy.mkdir()
        for name in folder.sizes():
            try:
                data = (folder / name).read_bytes()
            except (FileNotFoundError, IsADirectoryError):
                continue
            (copy / name).write_bytes(data)
        _COPIES[key] = copy
    return _COPIES[key]
