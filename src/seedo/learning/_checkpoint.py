"""A training job's state on disk: whole at every moment, whenever the process dies."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from seedo.episodes import cannot_write, write_atomic
from seedo.errors import UserError

_FILES = ("weights.safetensors", "optimizer.safetensors", "metrics.jsonl", "state.json")


def save_checkpoint(folder: Path, files: dict[str, bytes]) -> None:
    """Replace `folder/checkpoint` by one with these files."""
    new, current, old = (folder / n for n in ("checkpoint.tmp", "checkpoint", "checkpoint.old"))
    try:
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
        for name in _FILES:
            write_atomic(new / name, files[name])
        # Between the two renames the old checkpoint is the one that loads.
        shutil.rmtree(old, ignore_errors=True)
        if current.exists():
            os.replace(current, old)
        os.replace(new, current)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise cannot_write(new, error) from error


def load_checkpoint(folder: Path) -> dict[str, bytes] | None:
    """The files of the latest whole checkpoint; None if there is none."""
    for name in ("checkpoint", "checkpoint.old"):
        source = folder / name
        if all((source / file).is_file() for file in _FILES):
            return {file: (source / file).read_bytes() for file in _FILES}
    return None


def finish(folder: Path, files: dict[str, bytes]) -> None:
    """Write the finished agent (agent.json last: with it the agent is there) and drop the
    checkpoints."""
    for name in sorted(files, key=lambda name: name == "agent.json"):
        write_atomic(folder / name, files[name])
    for name in ("checkpoint", "checkpoint.old", "checkpoint.tmp"):
        shutil.rmtree(folder / name, ignore_errors=True)


def check_free(folder: Path, resume: bool) -> None:
    """Raises UserError if a folder holds something that is not to be gone on with."""
    try:
        present = folder.exists() and any(folder.iterdir())
    except OSError as error:
        raise cannot_write(folder, error) from error
    if present and not resume:
        raise UserError(
            str(folder), None, "not empty: continue it with --resume, or choose another --out"
        )


def prepare(folder: Path, job: dict[str, Any], resume: bool) -> bool:
    """Claim the folder for a job. True if the job is already finished.

    Raises:
        UserError: the folder is in use, cannot be written, or was begun as another job.
    """
    check_free(folder, resume)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        present = sorted(p.name for p in folder.iterdir())
    except OSError as error:
        raise cannot_write(folder, error) from error
    path = folder / "job.json"
    if present and not path.exists() and present != ["job.json.tmp"]:
        raise UserError(str(folder), None, "not an agent folder: choose another --out")
    if path.exists():
        try:
            begun = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise UserError(
                str(path), None, f"cannot read ({error}): choose another --out"
            ) from error
        for field in sorted(set(begun) | set(job)):
            if begun.get(field) != job.get(field):
                raise UserError(
                    field,
                    job.get(field),
                    f"this job was begun with {begun.get(field)!r}: give the same, or choose "
                    "another --out",
                )
    else:
        write_atomic(path, json.dumps(job, indent=1, sort_keys=True).encode())
    return (folder / "agent.json").exists()
