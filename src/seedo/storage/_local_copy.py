"""Small folders of a store, such as agents, as folders of this machine."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from seedo.storage._place import AnyPlace, place

_COPIES: dict[tuple[str, tuple[str, ...]], Path] = {}


def local_copy(given: AnyPlace, names: Sequence[str]) -> Path:
    """A folder of this machine that holds these files of a folder, as far as they exist there: the
    folder itself, unless it lies in a store. Copies last as long as this process.

    Raises:
        UserError: the store fails.
    """
    folder = place(given)
    if isinstance(folder, Path):
        return folder
    key = str(folder), tuple(names)
    if key not in _COPIES:
        made = Path(tempfile.mkdtemp(prefix="seedo-"))
        atexit.register(shutil.rmtree, made, ignore_errors=True)
        copy = made / folder.name
        copy.mkdir()
        for name in names:
            try:
                data = (folder / name).read_bytes()
            except FileNotFoundError:
                continue
            (copy / name).write_bytes(data)
        _COPIES[key] = copy
    return _COPIES[key]
