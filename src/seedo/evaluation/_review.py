"""Any set of runs, measured from their logs and put side by side."""

from __future__ import annotations

import dataclasses
import json
import math
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedo import __version__
from seedo.episodes import EXPLORE, Dataset, EpisodeBatch
from seedo.errors import UserError
from seedo.evaluation import (
    _attribution,
    _beside,
    _follows,
    _information,
    _metrics,
    _mixed,
    _regret,
    _rows,
    _spoken,
    _stated,
)
from seedo.evaluation._attribution import attribute
from seedo.evaluation._beside import beside
from seedo.evaluation._conduct import Acts, acts
from seedo.evaluation._follows import Follows, followed_answers, followed_experiments
from seedo.evaluation._information import Information, bits_of_episodes, estimates
from seedo.evaluation._members import Member, references
from seedo.evaluation._metrics import Metrics, episode_returns, measure
from seedo.evaluation._mixed import mixed as mixed_model
from seedo.evaluation._opened import Opened, in_line, open_run, open_runs, readable
from seedo.evaluation._regret import NO_RATIO, regret
from seedo.evaluation._replay import world_of
from seedo.evaluation._rerun import command_of, world_in_words
from seedo.evaluation._rows import rows_of
from seedo.evaluation._runs import Group, Run, Seeds
from seedo.evaluation._spoken import conversations, passed_steps, spoken, values_of
from seedo.evaluation._stated import stated
from seedo.evaluation._strategies import HEURISTICS, also_read_by, read
from seedo.execution import Task, Workers, pack, spread, unpack
from seedo.experimenters import Experimenter, find_player
from seedo.statistics import Estimate, clusters_of, mean, missing
from seedo.storage import AnyPlace, place
from seedo.worlds import World, kind_of

_FEW = 200  # episodes
_FEW_PEOPLE = 20
_STREAM = "perform"
_IDLE = 0.5
"""Share of experiments in which something was set, below which it is said."""


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
            "mixed": _mixed.DEFINITIONS,
            "strategies": _follows.DEFINITIONS,
            "settings": _regret.DEFINITIONS,
            "information": _information.DEFINITIONS,
            "arrows": _stated.DEFINITIONS,
            "table": _rows.DEFINITIONS,
        }
        return {**_plain(self), "definitions": definitions}


MakeReader = Callable[[World], Experimenter]
"""A player for a world, or UserError if it cannot play there."""


def review(
    paths: Iterable[AnyPlace],
    progress: Callable[[int, int], None] | None = None,
    readers: Mapping[str, MakeReader] | None = None,
    bits: bool = False,
    against: str | None = None,
    workers: Workers | Executor | None = None,
    mixed: bool = False,
    strategies: bool = False,
) -> Review:
    """Measures every run in `paths`; `progress` is called with (runs done, runs in all).

    Args:
        paths: run folders.
        progress: see above.
        readers: players that read all explorations too, by name, beside the usual readers.
        bits: also what experiments were expected to tell about the graph.
        against: agent, label or path of the run that others are held against on the systems that
            both met; None: the best heuristic among them, else the first.
        workers: who measures, each a run at a time; readers are found by their names there.
        mixed: also people and others in one model of scores.
        strategies: also which strategies predict experiments and answers.

    Raises:
        UserError: no path was given, none of them can be reviewed, or none is `against`.
    """
    problems: list[str] = []
    runs = open_runs(paths, problems)
    arrows = any(_asks_for_arrows(run.known.job) for run in runs)
    wanted = _Wanted(readers or {}, bits, arrows, strategies)

    def meant(run: Opened) -> bool:
        return against is not None and run.known.is_called(against, run.label)

    found: dict[str, Member] = {}
    # Those that others are held against first: without one of them nothing need be measured.
    ordered = sorted(runs, key=meant, reverse=True)
    if against is not None and ordered and not meant(ordered[0]):
        raise _not_there(against, runs, problems)
    if progress:
        progress(0, len(runs))
    members = _each(ordered, wanted) if workers is None else _elsewhere(ordered, wanted, workers)
    for done, (run, (member, own)) in enumerate(zip(ordered, members, strict=True)):
        problems += own
        if member is not None:
            found[run.known.path] = member
        over = done + 1 < len(ordered) and not meant(ordered[done + 1])
        if against is not None and over and not found:
            raise _not_there(against, runs, problems)
        if progress:
            progress(done + 1, len(runs))
    if not found:
        if not problems:
            raise UserError("runs", None, "give at least one run folder")
        raise UserError("runs", None, "nothing to review: " + "; ".join(problems))
    measured = [found[run.known.path] for run in runs if run.known.path in found]
    keys = dict.fromkeys(m.key for m in measured)
    groups = [_group([m for m in measured if m.key == key], against, mixed) for key in keys]
    return Review(tuple(groups), tuple(problems))


Measured = tuple[Member | None, list[str]]
"""A run, if it could be measured, and its problems."""


def _each(runs: Iterable[Opened], wanted: _Wanted) -> Iterator[Measured]:
    """Every run, measured here."""
    for run in runs:
        problems: list[str] = []
        member = None
        try:
            member = _measured(run, problems, wanted)
        except UserError as error:
            problems.append(in_line(run.known.path, error))
        except OSError as error:
            problems.append(f"{run.known.path}: cannot be read: {error.strerror}")
        yield member, problems


def _elsewhere(
    runs: Sequence[Opened], wanted: _Wanted, workers: Workers | Executor
) -> Iterator[Measured]:
    """Every run, measured by workers; in order, each as soon as those before it are there."""
    told = {"readers": list(wanted.readers), "bits": wanted.bits, "arrows": wanted.arrows}
    told |= {"strategies": wanted.strategies}
    tasks = (
        (number, Task("measure", told | {"path": run.known.path, "label": run.label}))
        for number, run in enumerate(runs)
    )
    ready: dict[int, Measured] = {}
    coming = 0
    for number, done in spread(tasks, workers):
        ready[number] = unpack(done.result["measured"])
        while coming in ready:
            yield ready.pop(coming)
            coming += 1


def measure_run(told: Mapping[str, Any]) -> dict[str, Any]:
    """What a worker does: measures the run of a folder, with readers found by name."""
    readers = {name: partial(find_player, name) for name in told["readers"]}
    run = open_run(told["path"], [])._replace(label=told["label"])  # problems are known there
    wanted = _Wanted(readers, told["bits"], told["arrows"], told["strategies"])
    return {"measured": pack(next(_each([run], wanted)))}


def _not_there(against: str, runs: list[Opened], problems: list[str]) -> UserError:
    """Why nobody can be held against a run, and against whom instead."""
    meant = {run.known.path: run.known.is_called(against, run.label) for run in runs}
    tried = (against, *(path for path, is_meant in meant.items() if is_meant))
    own = [p for p in problems if p.startswith(tuple(f"{path}: " for path in tried))]
    names = dict.fromkeys(run.label for run in runs if not meant[run.known.path])
    remedy = f"name one of these, or its folder: {', '.join(names)}"
    return UserError("--against", against, "; ".join([*own, remedy]))


def _asks_for_arrows(job: Mapping[str, Any]) -> bool:
    """Whether players of a run were asked which variable influences which."""
    conditions = job.get("conditions")
    return isinstance(conditions, dict) and conditions.get("structure") is True


class _Wanted(NamedTuple):
    """What is measured besides the usual: see `review`; `arrows`: what was stated of them."""

    readers: Mapping[str, MakeReader]
    bits: bool
    arrows: bool
    strategies: bool


def _measured(opened: Opened, problems: list[str], wanted: _Wanted) -> Member:
    known, dataset = opened.known, opened.dataset
    path, job = known.path, known.job
    batch = readable(dataset, path, problems)
    origin = batch.origin
    config = json.loads(origin.world_config)
    lines: list[dict[str, Any]] = []
    try:
        lines = conversations(place(path))
    except UserError as error:
        problems.append(in_line(path, error))
    batch = _unseen(batch, passed_steps(lines))
    readings = read(batch)
    for name, make in wanted.readers.items():
        try:
            if not isinstance(readings, str):
                world = world_of(batch)
                readings = also_read_by(readings, batch, name, make(world), world.spec)
        except UserError as error:
            problems.append(f"{path}: not read by {name}: {error}")
    returns = episode_returns(batch, readings)
    metrics = measure(batch, readings, returns)
    curve_of_best = regret(batch)
    if curve_of_best is not None:
        none = missing(NO_RATIO)
        metrics = dataclasses.replace(metrics, return_ratio=none, random_floor=none)
    mode = job.get("mode")
    said = spoken(lines, job.get("calls"), batch.phase[0].tolist())
    done = acts(batch, said)
    warnings = [*_warnings(dataset, batch, metrics, returns, readings), *_idle(done)]
    values = values_of(lines, batch.episode_id.tolist())
    people = clusters_of(batch.participant)
    told = arrows = None
    if wanted.bits:
        bits = bits_of_episodes(batch)
        told = Information.unknown(bits) if isinstance(bits, str) else estimates(bits, people)
        if not isinstance(bits, str):
            values["bits"] = np.full(batch.rows, np.nan)
            values["bits"][: len(bits.chosen)] = bits.chosen
    if wanted.arrows:
        arrows, values["arrows_f1"] = stated(batch, lines, _asks_for_arrows(job))
    run = Run(
        **vars(known),
        mode=mode if isinstance(mode, str) else "–",
        episodes=batch.rows,
        command=command_of(job, batch, config, path),
        metrics=metrics,
        attribution=attribute(batch, readings),
        learning=_curve(opened.history),
        warnings=tuple(warnings),
        spoken=said,
        participants=None if batch.participant is None else len(set(batch.participant)),
        regret=curve_of_best,
        information=told,
        stated=arrows,
        acts=done,
        follows=Follows(followed_experiments(batch), followed_answers(batch, readings))
        if wanted.strategies
        else None,
    )
    source = _source(origin.seed, job.get("stream"))
    episode = np.stack([np.full(batch.rows, source), batch.episode_id], axis=1)
    return Member(run, opened.label, opened.key, episode, returns, values, config, people)


def _source(seed: int, stream: Any) -> int:
    """A number for where systems are drawn from: episodes of one number in two streams differ."""
    if not isinstance(stream, str) or stream == _STREAM:
        return seed
    return seed + (zlib.crc32(stream.encode()) & 0x7FFFFFFF) * 2**32


def _idle(done: Acts) -> list[str]:
    """A line on whoever hardly experimented: what it got is not what its experiments told."""
    explored = done.get("explore", {}).get("legal")
    if explored is None or explored.value is None or explored.value >= _IDLE:
        return []
    return [f"something was set in {explored.value:.0%} of its experiments"]


def _unseen(batch: EpisodeBatch, passed: dict[int, list[int]]) -> EpisodeBatch:
    """A log in which experiments that passed with nothing done have shown nothing: whoever did not
    act is not paid for what it was shown."""
    family = kind_of(batch.origin.world, batch.origin.world_config).family
    if not passed or family not in ("dag", "blicket"):
        return batch
    outcome = batch.outcome.copy()
    shown = slice(None) if family == "dag" else -1  # of a machine, the light
    for row, episode in enumerate(batch.episode_id.tolist()):
        steps = [step for step in passed.get(episode, ()) if step < batch.steps]
        outcome[row, [s for s in steps if batch.phase[row, s] == EXPLORE], shown] = np.nan
    return dataclasses.replace(batch, outcome=outcome)


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


def _group(members: list[Member], against: str | None, mixed: bool) -> Group:
    first = members[0]
    found, regrets = references(members)
    ranked = {name: value for name in HEURISTICS if (value := found[name].value) is not None}
    # Different people under one name are no repetitions of one run.
    trained = [m for m in members if m.people is None]
    families = dict.fromkeys(m.run.family for m in trained)
    seeds = []
    for family in families:
        runs = [m.run for m in trained if m.run.family == family]
        if len(runs) > 1:
            seeds.append(_seeds(family, runs))
    table = rows_of(members, found, regrets, against)
    return Group(
        world=world_in_words(first.key[0], first.config),
        split=first.key[2],
        world_config=first.config,
        runs=tuple(m.run for m in members),
        references=found,
        best_heuristic=max(ranked, key=ranked.__getitem__) if ranked else None,
        seeds=tuple(seeds),
        beside=tuple(
            beside(m.own, other.own) for m in members if m.people is not None for other in trained
        ),
        rows=table.rows,
        against=table.against,
        shared=table.shared,
        mixed=mixed_model([dataclasses.replace(m.own, name=m.label) for m in members])
        if mixed
        else None,
    )


def _seeds(family: str, runs: list[Run]) -> Seeds:
    def over(name: str) -> Estimate:
        values = [getattr(run.metrics, name) for run in runs]
        found = [v.value for v in values if v.value is not None]
        return mean(found) if found else missing(values[0].reason)

    names = ("return_ratio", "bayes_ratio", "normalised_return")
    return Seeds(family, tuple(run.path for run in runs), *(over(name) for name in names))


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
