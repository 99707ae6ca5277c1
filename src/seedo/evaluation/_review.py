"""Any set of runs, measured from their logs and put side by side."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedo import __version__
from seedo.episodes import EXPLORE, DamagedShard, Dataset, EpisodeBatch, concatenate
from seedo.errors import UserError
from seedo.evaluation import _attribution, _beside, _information, _metrics, _regret, _spoken
from seedo.evaluation._attribution import Attribution, attribute
from seedo.evaluation._beside import Beside, Returns, beside
from seedo.evaluation._information import Information, information
from seedo.evaluation._metrics import Metrics, episode_returns, measure
from seedo.evaluation._regret import NO_RATIO, Regret, regret
from seedo.evaluation._replay import world_of
from seedo.evaluation._spoken import Spoken, conversations, passed_steps, spoken
from seedo.evaluation._strategies import BAYES, HEURISTICS, also_read_by, read
from seedo.experimenters import Experimenter
from seedo.statistics import (
    Cluster,
    Estimate,
    clusters_of,
    mean,
    missing,
    ratios,
)
from seedo.worlds import World, kind_of, names

_FEW = 200  # episodes
_FEW_PEOPLE = 20


@dataclass(frozen=True)
class Run:
    """One run: one player on one world.

    Attributes:
        path: as given.
        agent: display name.
        episodes: readable ones, on which all figures rest.
        command: what writes this run again; "" if the log does not tell.
        job: what the log says about how it came about, without the learning curve.
        learning: rows of the agent's training metrics, if the log has them.
        warnings: one line each.
        spoken: what a text player's conversations show; None: there are none.
        participants: how many people's episodes these are; None: they are not people's.
        regret: how good the best setting was after each run; None: no settings are chosen here.
        information: what its experiments were expected to tell; None: it was not asked for.
    """

    path: str
    agent: str
    seed: int
    mode: str
    episodes: int
    command: str
    job: dict[str, Any]
    metrics: Metrics
    attribution: Attribution
    learning: tuple[dict[str, float], ...]
    warnings: tuple[str, ...]
    spoken: Spoken | None = None
    participants: int | None = None
    regret: Regret | None = None
    information: Information | None = None


@dataclass(frozen=True)
class Seeds:
    """Independent runs of one agent on one world: the mean over runs, with a t interval."""

    agent: str
    runs: tuple[str, ...]
    return_ratio: Estimate
    bayes_ratio: Estimate
    normalised_return: Estimate


@dataclass(frozen=True)
class Group:
    """Runs on one world and split.

    Attributes:
        world: e.g. "dag linear n=5", with the settings that differ from the preset's.
        references: return ratios of "random", the heuristics, "bayes" and "oracle". Heuristics and
            Bayes read the histories of all runs of the group; an episode (a system) that several
            runs, or several people, share counts once, with the mean over them.
        beside: every run of people against every other run, on the systems that both met.
    """

    world: str
    split: str
    world_config: dict[str, Any]
    runs: tuple[Run, ...]
    references: dict[str, Estimate]
    best_heuristic: str | None
    seeds: tuple[Seeds, ...]
    beside: tuple[Beside, ...] = ()

    @property
    def label(self) -> str:
        return f"{self.world}, {self.split}"

    @property
    def readers(self) -> tuple[str, ...]:
        """All that read the explorations of any run."""
        return tuple(dict.fromkeys(name for run in self.runs for name in run.metrics.readers))

    @property
    def read(self) -> bool:
        """Whether any reader could make something of any run's explorations."""
        return any(
            reader.return_ratio.value is not None
            for run in self.runs
            for reader in run.metrics.readers.values()
        )


@dataclass(frozen=True)
class Review:
    """Everything that a table, a report or a program needs to know about a set of runs.

    Attributes:
        problems: one line for each path or shard that was left out.
    """

    groups: tuple[Group, ...]
    problems: tuple[str, ...]
    seedo_version: str = __version__

    @property
    def runs(self) -> tuple[Run, ...]:
        return tuple(run for group in self.groups for run in group.runs)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, without NaN or infinity."""
        definitions = {
            "metrics": _metrics.DEFINITIONS,
            "attribution": _attribution.DEFINITIONS,
            "conversations": _spoken.DEFINITIONS,
            "people": _beside.DEFINITIONS,
            "settings": _regret.DEFINITIONS,
            "information": _information.DEFINITIONS,
        }
        return {**_plain(self), "definitions": definitions}


class _Measured(NamedTuple):
    run: Run
    key: tuple[str, str]  # world, world_config in a fixed order
    family: str
    episode: NDArray[np.int64]  # [B, 2], seed and id
    returns: dict[str, NDArray[np.float64]]
    config: dict[str, Any]
    split: str
    people: Cluster | None

    @property
    def own(self) -> Returns:
        """What the player got, and where."""
        returns = self.returns
        return Returns(
            self.run.agent, self.episode, returns["agent"], returns["oracle"], self.people
        )


MakeReader = Callable[[World], Experimenter]
"""A player for a world, or UserError if it cannot play there."""


def review(
    paths: Iterable[str | os.PathLike[str]],
    progress: Callable[[int, int], None] | None = None,
    readers: Mapping[str, MakeReader] | None = None,
    bits: bool = False,
) -> Review:
    """Measures every run in `paths`; `progress` is called with (runs done, runs in all).

    Args:
        paths: run folders.
        progress: see above.
        readers: players that read all explorations too, by name, beside the usual readers.
        bits: also what experiments were expected to tell about the graph.

    Raises:
        UserError: no path was given, or none of them can be reviewed.
    """
    problems: list[str] = []
    measured: list[_Measured] = []
    seen: set[Path] = set()
    paths = list(paths)
    for done, path in enumerate(paths):
        if progress:
            progress(done, len(paths))
        resolved = Path(path).resolve()
        if resolved in seen:
            problems.append(f"{path}: given twice")
            continue
        seen.add(resolved)
        try:
            measured.append(_measured(path, problems, readers or {}, bits))
        except UserError as error:
            problems.append(_line(path, error))
        except OSError as error:
            problems.append(f"{path}: cannot be read: {error.strerror}")
    if progress:
        progress(len(paths), len(paths))
    if not measured:
        if not seen:
            raise UserError("runs", None, "give at least one run folder")
        raise UserError("runs", None, "nothing to review: " + "; ".join(problems))
    keys = dict.fromkeys((m.key, m.split) for m in measured)
    groups = (_group([m for m in measured if (m.key, m.split) == key]) for key in keys)
    return Review(tuple(groups), tuple(problems))


def _line(path: str | os.PathLike[str], error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if os.fspath(path) in text else f"{os.fspath(path)}: {text}"


def _measured(
    path: str | os.PathLike[str],
    problems: list[str],
    readers: Mapping[str, MakeReader],
    bits: bool,
) -> _Measured:
    dataset = Dataset(path)
    batch = readable(dataset, path, problems)
    origin = batch.origin
    config = json.loads(origin.world_config)
    lines: list[dict[str, Any]] = []
    try:
        lines = conversations(Path(path))
    except UserError as error:
        problems.append(_line(path, error))
    batch = _unseen(batch, passed_steps(lines))
    readings = read(batch)
    for name, make in readers.items():
        try:
            if not isinstance(readings, str):
                world = world_of(batch)
                readings = also_read_by(readings, batch, name, make(world), world.spec)
        except UserError as error:
            problems.append(f"{os.fspath(path)}: not read by {name}: {error}")
    returns = episode_returns(batch, readings)
    job = _job(dataset, path, problems)
    curve = job.pop("metrics_history", None)
    metrics = measure(batch, readings, returns)
    curve_of_best = regret(batch)
    if curve_of_best is not None:
        none = missing(NO_RATIO)
        metrics = dataclasses.replace(metrics, return_ratio=none, random_floor=none)
    warnings = _warnings(dataset, batch, metrics, returns, readings)
    mode = job.get("mode")
    run = Run(
        path=os.fspath(path),
        agent=origin.experimenter,
        seed=origin.seed,
        mode=mode if isinstance(mode, str) else "–",
        episodes=batch.rows,
        command=_command(job, batch, config, path),
        job=job,
        metrics=metrics,
        attribution=attribute(batch, readings),
        learning=_curve(curve),
        warnings=tuple(warnings),
        spoken=spoken(lines, job.get("calls"), batch.phase[0].tolist()),
        participants=None if batch.participant is None else len(set(batch.participant)),
        regret=curve_of_best,
        information=information(batch) if bits else None,
    )
    episode = np.stack([np.full(batch.rows, origin.seed), batch.episode_id], axis=1)
    key = (origin.world, json.dumps(config, sort_keys=True))
    people = clusters_of(batch.participant)
    return _Measured(run, key, _family(run), episode, returns, config, origin.split, people)


def _unseen(batch: EpisodeBatch, passed: dict[int, list[int]]) -> EpisodeBatch:
    """A log in which experiments that passed with nothing done have shown nothing: whoever did not
    act is not paid for what it was shown."""
    if not passed or kind_of(batch.origin.world, batch.origin.world_config).family != "dag":
        return batch
    outcome = batch.outcome.copy()
    for row, episode in enumerate(batch.episode_id.tolist()):
        steps = [step for step in passed.get(episode, ()) if step < batch.steps]
        outcome[row, [s for s in steps if batch.phase[row, s] == EXPLORE]] = np.nan
    return dataclasses.replace(batch, outcome=outcome)


def readable(dataset: Dataset, path: str | os.PathLike[str], problems: list[str]) -> EpisodeBatch:
    """All undamaged shards; what is damaged is added to `problems`."""
    parts = []
    for index in range(len(dataset.shards)):
        try:
            parts.append(dataset.read_shard(index, without=("explanation",)))
        except DamagedShard as error:
            problems.append(_line(path, error))
    if not parts:
        raise UserError(os.fspath(path), None, "no readable shard")
    return concatenate(parts)


def _job(dataset: Dataset, path: str | os.PathLike[str], problems: list[str]) -> dict[str, Any]:
    """What the manifest, and a run.json beside it, say about how the run came about."""
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


def _curve(rows: object) -> tuple[dict[str, float], ...]:
    """The numbers in the rows of a training log."""
    if not isinstance(rows, list):
        return ()
    return tuple(
        {
            str(key): float(value)
            for key, value in row.items()
            if isinstance(value, int | float) and math.isfinite(value)
        }
        for row in rows
        if isinstance(row, dict)
    )


def _warnings(
    dataset: Dataset,
    batch: EpisodeBatch,
    metrics: Metrics,
    returns: dict[str, NDArray[Any]],
    readings: Any,
) -> list[str]:
    found = []
    if not dataset.complete:
        found.append("unfinished: its job can be continued with --resume")
    if batch.rows < dataset.rows:
        found.append(f"{dataset.rows - batch.rows:,} episodes in damaged shards are left out")
    if batch.participant is not None:
        if (people := len(set(batch.participant))) < _FEW_PEOPLE:
            found.append(f"only {people} participant{'' if people == 1 else 's'}")
    elif batch.rows < _FEW:
        found.append(f"only {batch.rows} episodes")
    if unknown := int((~np.isfinite(returns["agent"]) | ~np.isfinite(returns["oracle"])).sum()):
        found.append(f"{unknown:,} episodes without a return or an oracle return do not count")
    if metrics.refused.value:
        found.append(f"{metrics.refused.value:.1%} of exploit steps did nothing legal")
    if isinstance(readings, str):
        found.append(f"no strategies: {readings}")
        return found
    found += [f"no {name} reader: {why}" for name, why in readings.missing.items()]
    best = metrics.best_heuristic
    if best is not None and (metrics.readers[best].bayes_ratio.low or 0.0) > 1.0:
        found.append(
            f"{best} reads better than the Bayes-optimal reader: the order of the experiments, or "
            "what the split leaves out, gives the answer away"
        )
    if readings.worth is not None:
        found += _disagreement(batch, readings)
    return found


def _disagreement(batch: EpisodeBatch, readings: Any) -> list[str]:
    """Whether the logged returns are those that the logged systems give."""
    rows = np.arange(len(readings.action))
    worth = readings.worth[rows, np.maximum(readings.action, 0)]
    worth = np.where(readings.action >= 0, worth, 0.0)
    steps = np.bincount(readings.episode, minlength=batch.rows)
    total = np.bincount(readings.episode, worth, batch.rows)
    exploits = (batch.phase == 2).sum(1)
    whole = (steps == exploits) & (steps > 0) & np.isfinite(batch.returns)
    own = total[whole] / steps[whole]
    wrong = int((np.abs(own - batch.returns[whole]) > 1e-3 * (1 + np.abs(own))).sum())
    return [f"{wrong:,} logged returns differ from what the logged systems give"] if wrong else []


def _command(
    job: dict[str, Any], batch: EpisodeBatch, config: dict[str, Any], path: str | os.PathLike[str]
) -> str:
    """The command line that writes the run again, as far as the log tells."""
    given = job.get("command")
    if isinstance(given, list):
        return shlex.join(str(word) for word in given)
    if isinstance(given, str):
        return given
    origin = batch.origin
    if job.get("task") not in ("perform", "serve-mcp"):
        return ""
    trained = isinstance(job.get("agent_record"), dict)
    agent = origin.experimenter if trained else f"scripted:{origin.experimenter}"
    agent = str(job.get("player", agent))
    words = ["seedo", "perform", agent]
    if job["task"] == "serve-mcp":
        words = ["seedo", "serve-mcp", "--name", agent.partition(":")[2]]
    words += ["--world", origin.world]
    words += ["--preset", str(config["preset"])] if "preset" in config else []
    words += ["--split", origin.split]
    differing = _own_settings(origin.world, config)
    if (n := config.get("n")) is not None:
        words += ["--n", str(n)]
    for field, value in differing.items():
        text = ",".join(map(str, value)) if isinstance(value, list) else _set(value)
        words += ["--set", f"{field}={text}"]
    if isinstance(options := job.get("options"), list):
        words += map(str, options)
    words += ["--episodes", str(batch.rows), "--seed", str(origin.seed)]
    if job.get("mode") == "sample":
        words.append("--sample")
    return shlex.join([*words, "--out", os.fspath(path)])


def _set(value: Any) -> str:
    """A setting as `--set` reads it."""
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _own_settings(world: str, config: dict[str, Any]) -> dict[str, Any]:
    """Settings of a world other than its preset's and its split's."""
    try:
        if world.partition(":")[0] not in names():
            return {}
        return kind_of(world, json.dumps(config)).own_settings(config)
    except UserError:
        return {}


def _family(run: Run) -> str:
    """What runs that differ only in their seed have in common.

    A name that ends in the training seed (`linear-0`, `linear-s1`, `linear-seed2`) loses that end.
    """
    record = run.job.get("agent_record")
    recipe = record.get("recipe") if isinstance(record, dict) else None
    if not isinstance(recipe, dict):
        return run.agent
    ending = re.search(r"[-_.]?(?:seed|s)?[-_]?(\d+)$", run.agent)
    if ending and ending.start() and int(ending[1]) == recipe.get("seed"):
        return run.agent[: ending.start()]
    return run.agent


def _group(members: list[_Measured]) -> Group:
    first = members[0]
    references = _references(members)
    ranked = {name: value for name in HEURISTICS if (value := references[name].value) is not None}
    # Different people under one name are no repetitions of one run.
    trained = [m for m in members if m.people is None]
    families = dict.fromkeys(m.family for m in trained)
    seeds = []
    for family in families:
        runs = [m.run for m in trained if m.family == family]
        if len(runs) > 1:
            seeds.append(_seeds(family, runs))
    return Group(
        world=_world(first.key[0], first.config),
        split=first.split,
        world_config=first.config,
        runs=tuple(m.run for m in members),
        references=references,
        best_heuristic=max(ranked, key=ranked.__getitem__) if ranked else None,
        seeds=tuple(seeds),
        beside=tuple(
            beside(m.own, other.own) for m in members if m.people is not None for other in trained
        ),
    )


def _world(name: str, config: dict[str, Any]) -> str:
    words = [name]
    if isinstance(config.get("preset"), str):
        words.append(config["preset"])
    if isinstance(config.get("n"), int):
        words.append(f"n={config['n']}")
    differing = _own_settings(name, config)
    words += [f"{field}={_short(value)}" for field, value in differing.items()]
    return " ".join(words)


def _short(value: object) -> str:
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 24 else text[:23] + "…"


def _seeds(family: str, runs: list[Run]) -> Seeds:
    def over(name: str) -> Estimate:
        values = [getattr(run.metrics, name) for run in runs]
        found = [v.value for v in values if v.value is not None]
        return mean(found) if found else missing(values[0].reason)

    names = ("return_ratio", "bayes_ratio", "normalised_return")
    return Seeds(family, tuple(run.path for run in runs), *(over(name) for name in names))


def _references(members: list[_Measured]) -> dict[str, Estimate]:
    """Return ratios of those that runs are held against, over distinct episodes of all of them."""
    episode = np.concatenate([m.episode for m in members])
    oracle = np.concatenate([m.returns["oracle"] for m in members])
    _, which = np.unique(episode, axis=0, return_inverse=True)
    which = which.ravel()
    names = ("random", *HEURISTICS, BAYES)
    if members[0].run.regret is not None:
        return dict.fromkeys([*names, "oracle"], missing(NO_RATIO))
    top, bottom = [], []
    for name in names:
        own = np.concatenate([m.returns[name] for m in members])
        known = np.isfinite(own) & np.isfinite(oracle)
        count = np.bincount(which, known)
        with np.errstate(invalid="ignore"):
            top.append(np.bincount(which, np.where(known, own, 0.0)) / count)
            bottom.append(np.bincount(which, np.where(known, oracle, 0.0)) / count)
    found = dict(zip(names, ratios(top, bottom), strict=True))
    for name in names:
        if found[name].value is None:
            m = members[0].run.metrics
            reason = (m.random_floor if name == "random" else m.readers[name].return_ratio).reason
            found[name] = missing(reason or found[name].reason)
    ceiling = found["random"].value is not None
    found["oracle"] = (
        Estimate(1.0, 1.0, 1.0, found["random"].n) if ceiling else missing(found["random"].reason)
    )
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Estimate):
        return value.to_json()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
