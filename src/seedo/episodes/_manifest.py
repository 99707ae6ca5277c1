"""`manifest.json`: what a dataset folder is meant to hold, and how to tell that it still does."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any

from seedo.episodes._batch import EpisodeBatch
from seedo.episodes._origin import Origin
from seedo.episodes._shards import LISTED, NONE, Shards, whole_number
from seedo.errors import UserError
from seedo.storage import Place

NAME = "manifest.json"
FORMAT = "seedo-episodes"
OLD_FORMAT = "understudy-episodes"
"""Of datasets written before the project had its name: read for ever."""
VERSION = 2
"""Of new datasets, see `SCHEMA_VERSION`; those of version 1 are read for ever."""


@dataclass(frozen=True)
class Manifest:
    """The description of a dataset.

    Args:
        job: what was asked for, JSON-able; a job is resumed only with the same description.
        origin: where the episodes come from; seeds may differ between shards.
        shard_rows: rows of every shard but the last.
        total: rows of the finished dataset.
        steps: steps of every episode, None before the first shard.
        optional: optional columns that every shard has.
        shards: those written, in order of their numbers.
        seedo_version: of the program that began it.
        version: of the format.
        cpu_types: of whoever wrote the shards, see `execution.cpu_type`; equal bytes hold for equal
            ones. Empty where nobody said.
    """

    job: dict[str, Any]
    origin: Origin
    shard_rows: int
    total: int
    seedo_version: str
    steps: int | None = None
    optional: tuple[str, ...] = ()
    shards: Shards = NONE
    version: int = VERSION
    cpu_types: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        return int(self.shards.rows.sum())

    def rows_of(self, index: int) -> int:
        """Rows that shard `index` has when the dataset is finished; UserError if there is none."""
        if not 0 <= index < self.shard_count:
            raise UserError("shard", index, f"there are shards 0 to {self.shard_count - 1}")
        return min(self.shard_rows, self.total - index * self.shard_rows)

    @property
    def shard_count(self) -> int:
        """Number of shards of the finished dataset."""
        return -(-self.total // self.shard_rows)

    def with_shape(self, steps: int, optional: tuple[str, ...]) -> Manifest:
        """This manifest, with the shape of its first shard; UserError if it has another."""
        if self.steps is None:
            return replace(self, steps=steps, optional=optional)
        if steps != self.steps:
            raise UserError("batch steps", steps, f"this dataset has {self.steps}")
        if optional != self.optional:
            remedy = f"this dataset has {list(self.optional)}"
            raise UserError("batch optional columns", list(optional), remedy)
        return self

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "version": self.version,
            "seedo_version": self.seedo_version,
            "job": self.job,
            "origin": self.origin.to_json(),
            "n": self.origin.n,
            "steps": self.steps,
            "optional": list(self.optional),
            "shard_rows": self.shard_rows,
            "total": self.total,
            **({"cpu_types": list(self.cpu_types)} if self.cpu_types else {}),
            "shards": self.shards.to_json(),
        }

    def to_bytes(self) -> bytes:
        # Many shards stand in columns, which nobody reads line by line.
        indent = 1 if len(self.shards) <= LISTED else None
        return (json.dumps(self.to_json(), indent=indent, allow_nan=False) + "\n").encode()


def read_manifest(folder: Place) -> tuple[Manifest, str]:
    """The manifest of a dataset folder and the SHA-256 (hex) of its file.

    Raises:
        UserError: no such folder, no manifest, bad JSON, another version, a field that cannot be.
    """
    path = folder / NAME
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(str(folder), None, _why_unreadable(folder, error)) from error
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError) as error:
        remedy = f"not valid JSON ({str(error)[:80]}): restore it, or write the dataset again"
        raise UserError(str(path), None, remedy) from error
    if not isinstance(fields, dict) or fields.get("format") not in (FORMAT, OLD_FORMAT):
        raise UserError(str(path), None, "not the manifest of an episode dataset")
    if fields.get("version") not in (1, VERSION):
        remedy = f"this version of Seedo reads versions 1 and {VERSION}"
        raise UserError(f"{path} version", fields.get("version"), remedy)
    try:
        return from_json(fields), hashlib.sha256(data).hexdigest()
    except UserError as error:
        raise UserError(f"{path} {error.field}", error.value, error.remedy) from error


def _why_unreadable(folder: Place, error: OSError) -> str:
    try:
        if not folder.exists():
            return "there is no such folder: give the folder of an episode dataset"
        if not folder.is_dir():
            return "not a folder: give the folder that holds manifest.json"
        if not any(folder.iterdir()):
            return "an empty folder: give the folder of an episode dataset"
    except OSError as inner:
        error = inner
    if isinstance(error, FileNotFoundError):
        return "not an episode dataset: it holds no manifest.json"
    return f"cannot be read: {error.strerror}"


def from_json(fields: dict[str, Any]) -> Manifest:
    """What `Manifest.to_json` made; UserError for a field that cannot be."""
    origin = Origin.from_json(fields.get("origin"))
    if whole_number(fields, "n") != origin.n:
        raise UserError("n", fields["n"], f"there are {origin.n} variables")
    old = fields.get("format") == OLD_FORMAT
    version_field = "understudy_version" if old else "seedo_version"
    job, version, optional = (fields.get(k) for k in ("job", version_field, "optional"))
    if not isinstance(job, dict):
        raise UserError("job", job, "must be an object")
    if not isinstance(version, str):
        raise UserError(version_field, version, "must be text")
    if not isinstance(optional, list) or not set(optional) <= set(EpisodeBatch.OPTIONAL):
        raise UserError("optional", optional, f"must be among {EpisodeBatch.OPTIONAL}")
    manifest = Manifest(
        job=job,
        origin=origin,
        shard_rows=whole_number(fields, "shard_rows"),
        total=whole_number(fields, "total"),
        seedo_version=version,
        steps=None if fields.get("steps") is None else whole_number(fields, "steps"),
        optional=tuple(name for name in EpisodeBatch.OPTIONAL if name in optional),
        version=fields["version"],
    )
    cpus = fields.get("cpu_types", [])
    if not isinstance(cpus, list) or not all(isinstance(cpu, str) for cpu in cpus):
        raise UserError("cpu_types", cpus, "must be a list of texts")
    shards = Shards.from_json(fields.get("shards"))
    if len(shards) and manifest.steps is None:
        raise UserError("steps", None, "must be a whole number above 0")
    return replace(manifest, shards=shards, cpu_types=tuple(cpus))
