"""Run folders of a review, opened: manifests first, episodes when they are measured."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from seedo.episodes import DamagedShard, Dataset, EpisodeBatch, concatenate
from seedo.errors import UserError


class Opened(NamedTuple):
    """A run of which only the manifest was read.

    Attributes:
        path: as given.
        job: what the manifest, and a run.json beside it, say about how it came about.
    """

    path: str
    dataset: Dataset
    job: dict[str, Any]


def open_runs(paths: Iterable[str | os.PathLike[str]], problems: list[str]) -> list[Opened]:
    """The run of each folder, once; what cannot be opened is added to `problems`."""
    found: dict[Path, Opened | None] = {}
    for path in map(os.fspath, paths):
        folder = Path(path).resolve()
        if folder in found:
            problems.append(f"{path}: given twice")
            continue
        found[folder] = None
        try:
            dataset = Dataset(path)
        except UserError as error:
            problems.append(in_line(path, error))
        except OSError as error:
            problems.append(f"{path}: cannot be read: {error.strerror}")
        else:
            found[folder] = Opened(path, dataset, _job(dataset, path, problems))
    return [run for run in found.values() if run is not None]


def in_line(path: str, error: Exception) -> str:
    """What was wrong with a path, which is named once."""
    text = " ".join(str(error).split())
    return text if path in text else f"{path}: {text}"


def readable(dataset: Dataset, path: str, problems: list[str]) -> EpisodeBatch:
    """All undamaged shards; what is damaged is added to `problems`."""
    parts = []
    for index in range(len(dataset.shards)):
        try:
            parts.append(dataset.read_shard(index, without=("explanation",)))
        except DamagedShard as error:
            problems.append(in_line(path, error))
    if not parts:
        raise UserError(path, None, "no readable shard")
    return concatenate(parts)


def _job(dataset: Dataset, path: str, problems: list[str]) -> dict[str, Any]:
    job: dict[str, Any] = dict(dataset.job)
    beside = Path(path) / "run.json"
    try:
        found = json.loads(beside.read_text())
    except FileNotFoundError:
        return job
    except (OSError, ValueError, RecursionError) as error:
        problems.append(f"{beside}: not JSON ({type(error).__name__}); reviewed without it")
        return job
    return {**job, **found} if isinstance(found, dict) else job
