"""Watched episodes as files for others' trainers: TRL, Axolotl, whatever opens `datasets`."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from seedo import __version__
from seedo.episodes import Dataset, cannot_write, lock_folder, write_atomic
from seedo.errors import UserError, one_of, whole
from seedo.language.scenes import Conditions
from seedo.language.transcripts._card import card
from seedo.language.transcripts._rows import FORMS, rows_of, schema_of
from seedo.language.transcripts._watched import Retold
from seedo.storage import AnyPlace

MANIFEST, CARD = "manifest.json", "README.md"
KINDS = ("jsonl", "parquet")
"""Formats of files that logs are exported to."""


class Exported(NamedTuple):
    """What an export holds.

    Attributes:
        path: its folder. episodes, rows: written. left_out: episodes that have no words.
    """

    path: Path
    episodes: int
    rows: int
    left_out: int


class _Part(NamedTuple):
    """A file: a shard of a log, as far as it is wanted."""

    name: str
    log: int
    shard: int
    episodes: int


def export(
    logs: Sequence[AnyPlace],
    out: str | Path,
    form: str = "chat",
    kind: str = "jsonl",
    conditions: Conditions | None = None,
    episodes: int | None = None,
    slips: float = 0.0,
    resume: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Exported:
    """Write watched episodes as training data for language models.

    One file a shard of the logs, each whole or not at all; `manifest.json` lists those that are
    there with their SHA-256, `README.md` is written last. The same logs and options give the same
    bytes, whether or not the job was interrupted.

    Args:
        logs: dataset folders of simulated worlds whose episodes have words (`Retold`).
        out: the folder.
        form: `chat` (`messages`, one row an episode), `completion` (`prompt` and `completion`, one
            row an action) or `tools` (`messages` with tool calls, and `tools`); see `rows_of`.
        kind: jsonl or parquet.
        conditions: how episodes are put into words; with `tools`, actions are calls.
        episodes: the first so many of all logs together; None: all.
        slips: share of the actions that are miswritten first and put right; see `Retold`.
        resume: go on with an interrupted export.
        progress: called with (episodes done, episodes in all).

    Raises:
        UserError: logs that cannot be told, bad options, or a folder that is not this export's.
    """
    one_of("as", form, FORMS)
    one_of("format", kind, KINDS)
    if episodes is not None:
        whole("episodes", episodes, 1, 2**31)
    if not logs:
        raise UserError("logs", None, "give at least one dataset folder")
    told_as = _told_as(form, conditions or Conditions())
    retold = [Retold(Dataset(path), told_as, slips) for path in logs]
    parts = list(_parts([one.dataset for one in retold], kind, episodes))
    folder = Path(out)
    job = {
        "as": form,
        "format": kind,
        "conditions": told_as.to_dict(),
        "slips": slips,
        "logs": [one.dataset.manifest_hash for one in retold],
        "episodes": sum(part.episodes for part in parts),
    }
    done = _claimed(folder, job, resume)
    lock = lock_folder(folder)
    try:
        return _written(folder, job, done, parts, retold, progress)
    finally:
        os.close(lock)


def _told_as(form: str, conditions: Conditions) -> Conditions:
    """The conditions, if they go with the form."""
    fields = conditions.to_dict()
    if form == "tools":
        if conditions.tools == "analysis":
            raise UserError("tools", "analysis", "a log holds no analyses: leave it out")
        return Conditions(**fields | {"tools": "actions"})
    if conditions.tools != "none":
        raise UserError("tools", conditions.tools, f"only with --as tools, not {form}")
    return conditions


def _parts(datasets: Sequence[Dataset], kind: str, episodes: int | None) -> Iterator[_Part]:
    """The files to write, in order."""
    left = sum(dataset.rows for dataset in datasets) if episodes is None else episodes
    number = 0
    for log, dataset in enumerate(datasets):
        for shard, entry in enumerate(dataset.shards):
            if left <= 0:
                return
            yield _Part(f"train-{number:05d}.{kind}", log, shard, min(left, entry.rows))
            left, number = left - entry.rows, number + 1


def _claimed(folder: Path, job: dict[str, Any], resume: bool) -> dict[str, Any]:
    """Files of this export that are there, by name; the folder is made, or found to be its own."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        present = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise cannot_write(folder, error) from error
    if not present:
        return {}
    if not resume:
        remedy = "not empty: continue it with --resume, or choose another --out"
        raise UserError(str(folder), None, remedy)
    path = folder / MANIFEST
    try:
        begun = json.loads(path.read_text())
        was, files = begun["job"], {entry["file"]: entry for entry in begun["files"]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        remedy = "holds no export that could go on: choose another --out"
        raise UserError(str(folder), None, remedy) from error
    for field in sorted(set(was) | set(job)):
        if was.get(field) != job.get(field):
            remedy = f"this export was begun with {was.get(field)!r}: choose another --out"
            raise UserError(field, job.get(field), remedy)
    return {name: entry for name, entry in files.items() if _whole(folder / name, entry)}


def _whole(path: Path, entry: dict[str, Any]) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]
    except OSError:
        return False


def _written(
    folder: Path,
    job: dict[str, Any],
    done: dict[str, Any],
    parts: Sequence[_Part],
    retold: Sequence[Retold],
    progress: Callable[[int, int], None] | None,
) -> Exported:
    files: list[dict[str, Any]] = []
    finished = 0
    for part in parts:
        if progress:
            progress(finished, job["episodes"])
        entry = done.get(part.name) or _write(folder, part, job, retold[part.log])
        files.append(entry)
        finished += part.episodes
        about = {"job": job, "seedo_version": __version__, "files": files}
        write_atomic(folder / MANIFEST, json.dumps(about, indent=1, sort_keys=True).encode())
    if progress:
        progress(finished, job["episodes"])
    told = Exported(folder, *(sum(f[n] for f in files) for n in ("episodes", "rows", "left_out")))
    if not told.rows:
        raise UserError(str(folder), None, "no episode of these logs can be put into words")
    origins = [one.dataset.origin for one in retold]
    text = card(job, origins, told.episodes, told.rows, told.left_out)
    write_atomic(folder / CARD, text.encode())
    return told


def _write(folder: Path, part: _Part, job: dict[str, Any], retold: Retold) -> dict[str, Any]:
    """One file, and its entry in the manifest."""
    before = len(retold.left_out)
    batch = retold.shard(part.shard).take(slice(0, part.episodes))
    form, tools = job["as"], retold.tools if job["as"] == "tools" else []
    rows = [row for watched in retold.told(batch) for row in rows_of(watched, form, tools)]
    if job["format"] == "jsonl":
        lines = (json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
        data = "".join(f"{line}\n" for line in lines).encode()
    else:
        buffer = io.BytesIO()
        table = pa.Table.from_pylist(rows, schema_of(form, tools))
        pq.write_table(table, buffer, compression="zstd")
        data = buffer.getvalue()
    write_atomic(folder / part.name, data)
    left_out = len(retold.left_out) - before
    return {
        "file": part.name,
        "episodes": part.episodes - left_out,
        "rows": len(rows),
        "left_out": left_out,
        "sha256": hashlib.sha256(data).hexdigest(),
    }
