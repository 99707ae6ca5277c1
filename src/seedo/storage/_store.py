"""Folders and objects of a store, used as paths are."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from seedo.storage._faults import Torn, insist
from seedo.storage._kinds import KINDS, file_system


class StorePlace:
    """An address in an object store; it need not exist. A folder is what names begin with.

    Every call asks again where the store may recover, for `SEEDO_STORE_SECONDS`.

    Args:
        scheme: one of `KINDS`.
        parts: bucket, and the names below it.

    Raises (all methods that ask the store):
        FileNotFoundError: there is no such object.
        UserError: the store cannot be used, in one line.
    """

    def __init__(self, scheme: str, parts: tuple[str, ...]) -> None:
        self.scheme, self.parts = scheme, parts

    def __str__(self) -> str:
        return f"{self.scheme}://{'/'.join(self.parts)}"

    def __repr__(self) -> str:
        return f"StorePlace({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StorePlace) and str(other) == str(self)

    def __hash__(self) -> int:
        return hash(str(self))

    def __truediv__(self, name: str) -> StorePlace:
        return StorePlace(self.scheme, (*self.parts, *(p for p in name.split("/") if p)))

    @property
    def name(self) -> str:
        return self.parts[-1]

    @property
    def suffix(self) -> str:
        stem, dot, end = self.name.rpartition(".")
        return dot + end if stem else ""

    @property
    def parent(self) -> StorePlace:
        return StorePlace(self.scheme, self.parts[:-1] or self.parts)

    def exists(self) -> bool:
        return self._about() is not None

    def is_file(self) -> bool:
        about = self._about()
        return about is not None and about["type"] == "file"

    def is_dir(self) -> bool:
        about = self._about()
        return about is not None and about["type"] == "directory"

    def resolve(self) -> StorePlace:
        return self

    def read_bytes(self, size: int | None = None) -> bytes:
        """The object's bytes; asked for twice where another number of them comes than is known, as
        answers may be cut off on the way."""
        found = self._ask(lambda fs: fs.cat_file(self._key, **KINDS[self.scheme].reading))
        if size is not None and len(found) != size:
            found = self._ask(lambda fs: fs.cat_file(self._key, **KINDS[self.scheme].reading))
        return found

    def read_text(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return self.read_bytes().decode(encoding, errors)

    def sizes(self) -> dict[str, int]:
        """Names right below this folder, and their sizes in bytes (0 for folders)."""
        try:
            found = self._ask(lambda fs: fs.ls(self._key, detail=True))
        except FileNotFoundError:
            return {}
        own = self._key.strip("/")
        named = ((entry["name"].strip("/"), entry.get("size") or 0) for entry in found)
        return {name.rpartition("/")[2]: size for name, size in named if name != own}

    def iterdir(self) -> Iterator[StorePlace]:
        return (self / name for name in sorted(self.sizes()))

    def write(self, data: bytes | memoryview) -> None:
        """Puts the object in one request, and makes sure of what the store has kept."""
        sent = bytes(data)

        def put(fs: Any) -> None:
            fs.pipe_file(self._key, sent, **KINDS[self.scheme].writing)
            self._check_kept(fs, sent)

        self._ask(put)

    def create(self, data: bytes) -> bool:
        """Puts the object if there is none; whether there was none."""
        kind, ours = KINDS[self.scheme], False

        def put(fs: Any) -> bool:
            nonlocal ours
            try:
                only = {} if ours else kind.creating
                fs.pipe_file(self._key, data, **only, **kind.writing)
            except FileExistsError:
                # Perhaps by ourselves: an answer that failed may belong to a request that did not.
                return bool(fs.cat_file(self._key, **kind.reading) == data)
            ours = True
            self._check_kept(fs, data)
            return True

        try:
            return self._ask(put)
        except FileNotFoundError:  # gone since
            return False

    def replace(self, old: bytes, new: bytes) -> bool:
        """Puts the object over one that holds `old`; whether it does. Two who do it at a time may
        both succeed in a store that cannot be asked for more."""
        kind, ours = KINDS[self.scheme], False

        def put(fs: Any) -> bool:
            nonlocal ours
            only: dict[str, Any] = {}
            if not ours:
                before = fs.info(self._key)
                there = fs.cat_file(self._key, **kind.reading)
                if there == new:
                    return True  # an answer was lost
                if there != old:
                    return False
                if kind.matching is not None and "ETag" in before:
                    only = kind.matching(before["ETag"])
            try:
                fs.pipe_file(self._key, new, **kind.writing, **only)
            except OSError as error:
                if only and "condition" in str(error).lower():
                    return False
                raise
            ours = True
            self._check_kept(fs, new)
            return True

        try:
            return self._ask(put)
        except FileNotFoundError:
            return False

    def unlink(self, missing_ok: bool = False) -> None:
        """Deletes the object."""
        try:
            self._ask(lambda fs: fs.rm_file(self._key))
        except FileNotFoundError:
            if not missing_ok:
                raise

    @property
    def _key(self) -> str:
        path = "/".join(self.parts)
        return f"/{path}" if self.scheme == "memory" else path

    def _about(self) -> dict[str, Any] | None:
        try:
            return self._ask(lambda fs: fs.info(self._key))
        except FileNotFoundError:
            return None

    def _ask(self, do: Callable[[Any], Any]) -> Any:
        fs = file_system(self.scheme)
        return insist(str(self), lambda: do(fs))

    def _check_kept(self, fs: Any, sent: bytes) -> None:
        """Raises Torn unless the object is what was sent: by its size and the store's checksum, and
        where that is none of the content, by reading it."""
        about = fs.info(self._key)
        if (size := about.get("size")) != len(sent):
            raise Torn(f"the store kept {size} of {len(sent)} bytes")
        digest = hashlib.md5(sent, usedforsecurity=False)
        told = {str(about.get("ETag", "")).strip('"'), str(about.get("md5Hash", ""))}
        if told & {digest.hexdigest(), base64.b64encode(digest.digest()).decode()}:
            return
        if fs.cat_file(self._key, **KINDS[self.scheme].reading) != sent:
            raise Torn("the store kept other bytes than were sent")
