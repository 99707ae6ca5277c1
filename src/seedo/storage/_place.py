"""Addresses: a path of this machine, `file://...`, or a folder or object of a store."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, TypeAlias
from urllib.parse import unquote

from seedo.errors import UserError
from seedo.storage._kinds import KINDS
from seedo.storage._store import StorePlace


class Place(Protocol):
    """What paths and places of stores have in common."""

    @property
    def name(self) -> str: ...

    @property
    def suffix(self) -> str: ...

    @property
    def parent(self) -> Place: ...

    def __truediv__(self, name: str, /) -> Place: ...

    def exists(self) -> bool: ...

    def is_file(self) -> bool: ...

    def is_dir(self) -> bool: ...

    def iterdir(self) -> Iterable[Place]: ...

    def read_bytes(self) -> bytes: ...

    def read_text(self) -> str: ...

    def resolve(self) -> Place: ...


AnyPlace: TypeAlias = str | os.PathLike[str] | Place
"""A folder or file: a path, an address such as `s3://bucket/logs`, or a place."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):/{2}(.*)", re.DOTALL)
_OFFERED = ("file", "s3", "gs", "az")


def place(given: AnyPlace) -> Path | StorePlace:
    """The place of a path or an address; nobody is asked whether it exists.

    Raises:
        UserError: an address of a kind that is unknown, without a bucket, or with what is not to
            be in one: keys, passwords, parameters.
    """
    if isinstance(given, Path | StorePlace):
        return given
    text = os.fspath(given) if isinstance(given, os.PathLike) else str(given)
    found = _SCHEME.fullmatch(text)
    if found is None:
        return Path(text)
    scheme, rest = found[1].lower(), found[2]
    if scheme == "file":
        if not rest.startswith("/"):
            raise UserError("address", text, "write it as file:///folder, with three slashes")
        return Path(unquote(rest))
    host = rest.split("/", 1)[0]
    if "@" in host or "?" in rest or "#" in rest:
        # Not repeated: what stands there may be a secret.
        remedy = "nothing but bucket and folder belongs into an address: keys and passwords come "
        remedy += "from the environment or the store's own configuration file"
        raise UserError(f"{scheme}://...", None, remedy)
    if scheme not in KINDS:
        kinds = ", ".join(f"{kind}://" for kind in _OFFERED)
        raise UserError("address", text, f"no store of this kind is known: use {kinds} or a path")
    parts = tuple(part for part in rest.split("/") if part)
    if not host:
        bucket = KINDS[scheme].bucket
        raise UserError("address", text, f"names no {bucket}: write {scheme}://{bucket}/folder")
    if not {".", ".."}.isdisjoint(parts):
        raise UserError("address", text, "leave out . and ..: stores know no such folders")
    return StorePlace(scheme, parts)


def in_store(given: AnyPlace) -> bool:
    """Whether it lies in a store; UserError as for `place`."""
    return isinstance(place(given), StorePlace)


def address(given: AnyPlace) -> str:
    """As another process of any machine finds it, as far as a path can be found there."""
    return str(place(given).resolve())


def local_path(field: str, given: AnyPlace) -> Path:
    """The path of something that has to lie on this machine.

    Raises:
        UserError: it lies in a store.
    """
    found = place(given)
    if isinstance(found, Path):
        return found
    raise UserError(field, str(found), "has to lie on this machine: give a path")
