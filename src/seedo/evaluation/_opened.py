"""Run folders of a review, opened: manifests first, episodes when they are measured."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from seedo.episodes import DamagedShard, Dataset, EpisodeBatch, concatenate
from seedo.errors import UserError
from seedo.evaluation._runs import Known
from seedo.storage import AnyPlace, Place, place


class Opened(NamedTuple):
    """A run of which only the manifest was read.

    Attributes:
        key: the world, its configuration in a fixed order, and the split: runs that stand in one
            table have the same.
        history: rows of the agent's training metrics, as they stand in the log.
        label: who it is among the runs of its key.
    """

    known: Known
    dataset: Dataset
    key: tuple[str, str, str]
    history: object
    label: str = ""


def open_runs(paths: Iterable[AnyPlace], problems: list[str]) -> list[Opened]:
    """The run of each folder, once; what cannot be opened is added to `problems`."""
    found: dict[Place, Opened | None] = {}
    for path in [str(path) for path in paths]:
        folder = place(path).resolve()
        if folder in found:
            problems.append(f"{path}: given twice")
            continue
        found[folder] = None
        try:
            found[folder] = open_run(path, problems)
        except UserError as error:
            problems.append(in_line(path, error))
        except OSError as error:
            problems.append(f"{path}: cannot be read: {error.strerror}")
    runs = [run for run in found.values() if run is not None]
    return [run._replace(label=_label(run, runs)) for run in runs]


def open_run(path: str, problems: list[str]) -> Opened:
    """The run of a folder."""
    dataset = Dataset(path)
    origin, job = dataset.origin, _job(dataset, path, problems)
    history = job.pop("metrics_history", None)
    config = json.dumps(json.loads(origin.world_config), sort_keys=True)
    known = Known(path, origin.experimenter, origin.seed, job)
    return Opened(known, dataset, (origin.world, config, origin.split), history)


def _label(opened: Opened, runs: Iterable[Opened]) -> str:
    """A run's name, with what tells it from others of that name."""
    run = opened.known
    rest = [other.known for other in runs if other is not opened and other.key == opened.key]
    others = [other for other in rest if other.agent == run.agent]
    label = run.agent
    if any(other.options != run.options for other in others):
        everywhere = set(run.options).intersection(*(other.options for other in others))
        own = [word for word in run.options if word not in everywhere]
        label += f" ({', '.join(own) or 'nothing else'})"
    others = [other for other in others if other.options == run.options]
    if any(other.seed != run.seed for other in others):
        label += f", seed {run.seed}"
    if any(other.seed == run.seed for other in others):
        label += f", {run.path}"
    return label


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
    """What the manifest, and a run.json beside it, say about how a run came about."""
    job: dict[str, Any] = dict(dataset.job)
    beside = place(path) / "run.json"
    try:
        found = json.loads(beside.read_text())
    except FileNotFoundError:
        return job
    except (OSError, ValueError, RecursionError) as error:
        problems.append(f"{beside}: not JSON ({type(error).__name__}); reviewed without it")
        return job
    return {**job, **found} if isinstance(found, dict) else job
