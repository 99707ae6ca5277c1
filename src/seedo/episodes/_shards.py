"""The shards that a manifest lists: few as a list to be read, many in columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError

LISTED = 10_000
"""Shards up to which they stand in `manifest.json` one by one."""
SHARD_NAME = re.compile(r"shard-(\d{5,})\.parquet")
_DIGEST = 32
_HEX = re.compile("[0-9a-f]*")


def shard_name(index: int) -> str:
    return f"shard-{index:05d}.parquet"


@dataclass(frozen=True)
class Shard:
    """One file of a dataset: its name, rows, SHA-256 (hex) and size in bytes."""

    shard: str
    rows: int
    sha256: str
    bytes: int

    @property
    def index(self) -> int:
        match = SHARD_NAME.fullmatch(self.shard)
        assert match is not None
        return int(match[1])


class Shards(Sequence[Shard]):
    """Shards in order of their numbers, 56 bytes each.

    Args:
        numbers: int64[S], rising.
        rows: int64[S].
        sizes: int64[S], bytes of their files.
        digests: uint8[S, 32], SHA-256.
    """

    def __init__(
        self,
        numbers: NDArray[np.int64],
        rows: NDArray[np.int64],
        sizes: NDArray[np.int64],
        digests: NDArray[np.uint8],
    ) -> None:
        self.numbers, self.rows, self.sizes, self.digests = numbers, rows, sizes, digests

    @classmethod
    def of(cls, shards: Iterable[Shard]) -> Shards:
        """These shards, put in order."""
        found = sorted(shards, key=lambda shard: shard.index)
        digests = b"".join(bytes.fromhex(shard.sha256) for shard in found)
        return cls(
            np.array([shard.index for shard in found], np.int64),
            np.array([shard.rows for shard in found], np.int64),
            np.array([shard.bytes for shard in found], np.int64),
            np.frombuffer(digests, np.uint8).reshape(-1, _DIGEST),
        )

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, at: int) -> Shard: ...

    @overload
    def __getitem__(self, at: slice) -> Shards: ...

    def __getitem__(self, at: int | slice) -> Shard | Shards:
        if isinstance(at, slice):
            return self._where(at)
        name = shard_name(int(self.numbers[at]))
        digest = self.digests[at].tobytes().hex()
        return Shard(name, int(self.rows[at]), digest, int(self.sizes[at]))

    def __iter__(self) -> Iterator[Shard]:
        return (self[at] for at in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shards) and all(
            np.array_equal(one, another)
            for one, another in zip(self._columns(), other._columns(), strict=True)
        )

    def __hash__(self) -> int:
        return hash(self.digests.tobytes())

    def keep(self, good: Sequence[bool]) -> Shards:
        """Those that are `good`."""
        return self._where(np.array(good, np.bool_))

    def added(self, shards: Iterable[Shard]) -> Shards:
        """These and others, which are not among them."""
        more = Shards.of(shards)
        both = [np.concatenate(p) for p in zip(self._columns(), more._columns(), strict=True)]
        return Shards(*both)._where(np.argsort(both[0], kind="stable"))

    def _columns(self) -> tuple[NDArray[Any], ...]:
        return self.numbers, self.rows, self.sizes, self.digests

    def _where(self, at: Any) -> Shards:
        return Shards(*(column[at] for column in self._columns()))

    def to_json(self) -> list[dict[str, Any]] | dict[str, Any]:
        """As the manifest has them."""
        if len(self) <= LISTED:
            return [vars(shard) for shard in self]
        ends = np.flatnonzero(np.diff(self.numbers) != 1)
        first, last = self.numbers[[0, *(ends + 1)]], self.numbers[[*ends, -1]]
        return {
            "numbers": np.stack([first, last], axis=1).tolist(),
            "rows": self.rows.tolist(),
            "bytes": self.sizes.tolist(),
            "sha256": self.digests.tobytes().hex(),
        }

    @classmethod
    def from_json(cls, found: Any) -> Shards:
        """What `to_json` made; UserError for what cannot be."""
        if isinstance(found, dict):
            return cls._from_columns(found)
        if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
            raise UserError("shards", None, "must be a list of objects")
        shards = cls.of(_shard(entry) for entry in found)
        names = [entry["shard"] for entry in found]
        if names != [shard_name(number) for number in np.unique(shards.numbers).tolist()]:
            raise UserError("shards", None, "must be in order, each there once")
        return shards

    @classmethod
    def _from_columns(cls, found: Mapping[str, Any]) -> Shards:
        ranges = found.get("numbers")
        if not isinstance(ranges, list) or not all(
            isinstance(pair, list) and len(pair) == 2 and all(type(n) is int for n in pair)
            for pair in ranges
        ):
            raise UserError("shards.numbers", None, "must be a list of pairs of whole numbers")
        digests = found.get("sha256")
        if not isinstance(digests, str) or len(digests) % 64 or not _HEX.fullmatch(digests):
            raise UserError("shards.sha256", None, "must be 64 hexadecimal digits a shard")
        count, above = len(digests) // 64, -1
        for first, last in ranges:
            if not above < first <= last < 2**53:
                raise UserError("shards.numbers", [first, last], "must rise, from 0")
            above = last
        if sum(last - first + 1 for first, last in ranges) != count or not count:
            raise UserError("shards.numbers", None, f"there are {count} checksums")
        numbers = np.concatenate([np.arange(f, e + 1, dtype=np.int64) for f, e in ranges])
        rows, sizes = (_whole_numbers(name, found.get(name), count) for name in ("rows", "bytes"))
        held = np.frombuffer(bytes.fromhex(digests), np.uint8).reshape(-1, _DIGEST)
        return cls(numbers, rows, sizes, held)


NONE = Shards.of(())


def _shard(entry: dict[str, Any]) -> Shard:
    name, digest = entry.get("shard"), entry.get("sha256")
    # A name from a manifest is opened as a file: nothing but a shard's own name will do.
    if not isinstance(name, str) or SHARD_NAME.fullmatch(name) is None or len(name) > 32:
        raise UserError("shard", name, "must be a name like shard-00000.parquet")
    if not isinstance(digest, str) or not re.fullmatch("[0-9a-f]{64}", digest):
        raise UserError(f"{name} sha256", digest, "must be 64 hexadecimal digits")
    return Shard(name, whole_number(entry, "rows"), digest, whole_number(entry, "bytes"))


def whole_number(holder: dict[str, Any], name: str) -> int:
    """A whole number above 0; UserError if it is none."""
    value = holder.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value < 2**63:
        raise UserError(name, value, "must be a whole number above 0")
    return value


def _whole_numbers(name: str, found: Any, count: int) -> NDArray[np.int64]:
    remedy = f"must be {count} whole numbers above 0"
    if not isinstance(found, list) or len(found) != count or set(map(type, found)) != {int}:
        raise UserError(f"shards.{name}", None, remedy)
    if not 1 <= min(found) <= max(found) < 2**63:
        raise UserError(f"shards.{name}", None, remedy)
    return np.array(found, np.int64)
