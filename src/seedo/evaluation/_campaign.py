"""What a campaign found: the best, how sure that is, what causes what, what would come next."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from seedo import inference
from seedo.errors import UserError
from seedo.evaluation._smooth import smooth_means
from seedo.inference.questions import Answer
from seedo.play.campaign import Campaign, Run, runs_table
from seedo.spaces import Goal, Runs, distinct, same_setting

Array = NDArray[np.float64]

_FEWEST = 8
"""Runs with a result from which on a model is fitted."""
_FREEDOM = 3
"""Repeats, beyond the first of a setting, from which on their scatter is an estimate of noise."""


@dataclass(frozen=True)
class Expected:
    """What a setting gives of a reading, on average.

    Attributes:
        reading: its name.
        value: the estimate.
        low, high: a 95 % interval of the mean, not of a single run; None where nothing tells.
        by: what it rests on.
    """

    reading: str
    value: float
    low: float | None
    high: float | None
    by: str


@dataclass(frozen=True)
class Best:
    """A setting that is kept.

    Attributes:
        setting: by name of knob.
        words: the same with units.
        runs: numbers of the runs in which it was set; () for one of an earlier table.
        expected: of every goal.
    """

    setting: dict[str, Any]
    words: str
    runs: tuple[int, ...]
    expected: tuple[Expected, ...]


@dataclass(frozen=True)
class Effect:
    """What a knob does to a reading, by the contrast of runs.

    Attributes:
        knob, reading: names.
        answer: in words.
        probability: that there is an effect; None where it cannot be said.
        steps: effects along its range, or between its levels, where one number does not tell.
        warnings: what may make it wrong.
    """

    knob: str
    reading: str
    answer: str
    probability: float | None
    steps: tuple[dict[str, Any], ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """What a campaign found.

    Attributes:
        name, player: as in its file.
        why: it ended; "" if it goes on.
        counts: runs by state, and earlier rows.
        spent: what all runs cost.
        goals: names of readings and aims.
        best: the setting to keep; None before the first result.
        measured: the setting of the best single result, where that is another one.
        curve: a dict for every run with a result: `run`, `value` (of all goals, to be raised) and
            `best` so far; None where it failed.
        front: runs that no other one, nor a row of an earlier table, beats in all goals, by number;
            () for a single goal.
        choices: the settings of these, where a front is wanted.
        runs: all, as rows.
        next: what would be proposed now, in words; () if nothing.
        effects: of every knob on every reading.
        between: readings that may stand between a knob and a goal, in words.
        notes: what is odd, one line each.
        graph: the arrows and hidden causes that were given; () where none is known.
        heeded: what became of that graph, one line each.
    """

    name: str
    player: str
    why: str
    counts: dict[str, int]
    spent: float
    goals: tuple[dict[str, Any], ...]
    best: Best | None
    measured: Best | None
    curve: tuple[dict[str, Any], ...]
    front: tuple[int, ...]
    choices: tuple[Best, ...]
    runs: tuple[dict[str, Any], ...]
    next: tuple[str, ...]
    effects: tuple[Effect, ...]
    between: tuple[str, ...]
    notes: tuple[str, ...]
    graph: tuple[str, ...] = ()
    heeded: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON: None where there is no number; no graph where none is known."""
        fields = asdict(self)
        for name in () if self.graph else ("graph", "heeded"):
            del fields[name]
        return _plain(fields)


def found(campaign: Campaign, why: str = "") -> Found:
    """What a campaign found so far.

    Args:
        campaign: open; it is not changed.
        why: it ended.
    """
    plan, runs = campaign.plan, campaign.runs
    known = campaign.known.made
    counts = {state: sum(run.state == state for run in runs)
              for state in ("done", "failed", "skipped", "waits")}  # fmt: skip
    observed = int(campaign.earlier.observed.sum())
    counts |= {"earlier": len(campaign.earlier.observed) - observed, "observed": observed}
    best, measured, odd = _best(campaign, known)
    front = _front(campaign)
    effects = _effects(campaign)
    return Found(
        name=plan.name,
        player=plan.player,
        why=why,
        counts=counts,
        spent=campaign.spent,
        goals=tuple({"reading": g.reading, **g.to_json()} for g in plan.goals.each),
        best=best,
        measured=measured,
        curve=_curve(campaign),
        front=front,
        choices=_choices(campaign, known, front) if plan.goals.pareto else (),
        runs=tuple(_row(campaign, run) for run in runs),
        next=_next(campaign),
        effects=effects,
        between=_between(effects, plan.goals.readings),
        notes=(*odd, *(f"run {run.number}: {line}" for run in runs for line in run.odd)),
        graph=tuple(plan.graph.to_json()) if plan.graph is not None else (),
        heeded=campaign.chooser.told(campaign.known) if plan.graph is not None else (),
    )


# -- the best -----------------------------------------------------------------------------------


def _best(campaign: Campaign, known: Runs) -> tuple[Best | None, Best | None, tuple[str, ...]]:
    """The setting to keep, as the player would, the one of the best single result, if other, and
    what is odd."""
    goals, space = campaign.plan.goals, campaign.plan.space
    value = np.where(space.allows(known.settings), known.values(goals), np.nan)
    if not np.isfinite(value).any():
        return None, None, ()
    top = known.settings[int(np.nanargmax(value))]
    try:
        kept = campaign.chooser.recommend(campaign.known, len(campaign.runs))
    except UserError as error:
        return _kept(campaign, known, top), None, (str(error),)
    best = _kept(campaign, known, kept)
    return best, None if np.allclose(top, kept) else _kept(campaign, known, top), ()


def _kept(campaign: Campaign, known: Runs, setting: Array) -> Best:
    goals = campaign.plan.goals.each
    expected = (expect(campaign, known, setting[None], goal)[0] for goal in goals)
    return _chosen(campaign, setting, expected)


def _chosen(campaign: Campaign, setting: Array, expected: Iterable[Expected]) -> Best:
    plan = campaign.plan
    same = tuple(
        run.number for run in campaign.runs
        if run.made and same_setting(run.setting[None], setting)[0]
    )  # fmt: skip
    return Best(plan.space.named(setting), plan.space.words(setting), same, tuple(expected))


def expect(campaign: Campaign, known: Runs, settings: Array, goal: Goal) -> tuple[Expected, ...]:
    """What settings, float64[M, K], give of a goal's reading on average: from their repeats, where
    repeats tell how runs scatter; else from a smooth model of all runs; else as it was measured.

    The best of many is best by luck too: the model makes up for that, the mean of two or more
    repeats only in part.
    """
    y = known.readings[:, known.names.index(goal.reading)]
    there = np.isfinite(y) & np.isfinite(known.settings).all(axis=1)
    x, y = known.settings[there], y[there]
    scatter = _scatter(x, y)
    space = campaign.plan.space
    told = [_by_repeats(goal, y[same_setting(x, setting)], *scatter) for setting in settings]
    asked = [i for i, one in enumerate(told) if one is None]
    if asked and len(y) >= _FEWEST and np.ptp(y) > 0:
        points = space.coordinates(settings[asked])
        by = f"a smooth model of {len(y)} runs"
        for i, found in zip(asked, smooth_means(space.coordinates(x), y, points), strict=True):
            told[i] = Expected(goal.reading, *found, by)
    return tuple(
        one or _as_measured(goal, y[same_setting(x, setting)])
        for one, setting in zip(told, settings, strict=True)
    )


def _by_repeats(goal: Goal, own: Array, scatter: float, freedom: int) -> Expected | None:
    """None where repeats do not tell."""
    if len(own) < 2 or freedom < _FREEDOM:
        return None
    half = float(stats.t.ppf(0.975, freedom)) * scatter / math.sqrt(len(own))
    mean = float(own.mean())
    return Expected(goal.reading, mean, mean - half, mean + half, f"the mean of {len(own)} runs")


def _as_measured(goal: Goal, own: Array) -> Expected:
    if len(own):
        by = "one run" if len(own) == 1 else f"the mean of {len(own)} runs"
        return Expected(goal.reading, float(own.mean()), None, None, f"{by}: too few to say more")
    return Expected(goal.reading, math.nan, None, None, "too few runs")


def _scatter(x: Array, y: Array) -> tuple[float, int]:
    """Standard deviation of repeats around their means, and its degrees of freedom."""
    different, which = distinct(x)
    count = np.bincount(which, minlength=len(different))
    means = np.bincount(which, y) / count
    freedom = int(len(y) - len(different))
    rest = float(((y - means[which]) ** 2).sum())
    return (math.sqrt(rest / freedom) if freedom else math.nan), freedom


# -- runs -----------------------------------------------------------------------------------------


def _curve(campaign: Campaign) -> tuple[dict[str, Any], ...]:
    plan = campaign.plan
    runs = [run for run in campaign.runs if run.made]
    if not runs:
        return ()
    read = Runs(np.array([r.setting for r in runs]), np.array([r.readings for r in runs]),
                plan.names)  # fmt: skip
    values, best, rows = read.values(plan.goals), math.nan, []
    for run, value in zip(runs, values.tolist(), strict=True):
        best = value if math.isnan(best) else max(best, value) if not math.isnan(value) else best
        rows.append({"run": run.number, "value": value, "best": best})
    return tuple(rows)


def _front(campaign: Campaign) -> tuple[int, ...]:
    plan = campaign.plan
    if len(plan.goals.each) == 1 or not campaign.runs:
        return ()
    earlier = campaign.earlier.readings[~campaign.earlier.observed]
    readings = np.concatenate([earlier, [run.readings for run in campaign.runs]])
    keep = plan.goals.front(plan.goals.read(readings, plan.names))
    return tuple(np.flatnonzero(keep[len(earlier) :]).tolist())


def _choices(campaign: Campaign, known: Runs, front: tuple[int, ...]) -> tuple[Best, ...]:
    """The different settings of some runs, in the order of the first goal."""
    settings = np.array([campaign.runs[number].setting for number in front])
    if not len(settings):
        return ()
    different = distinct(settings)[0]
    goals = campaign.plan.goals.each
    told = [expect(campaign, known, different, goal) for goal in goals]
    found = [_chosen(campaign, setting, told) for setting, told in
             zip(different, zip(*told, strict=True), strict=True)]  # fmt: skip
    return tuple(sorted(found, key=lambda one: one.expected[0].value))


def _row(campaign: Campaign, run: Run) -> dict[str, Any]:
    return {
        "run": run.number,
        "setting": campaign.setting(run),
        "readings": dict(zip(campaign.plan.names, run.readings.tolist(), strict=True)),
        "state": run.state,
        "asked": run.asked,
        "cost": run.cost,
        "seconds": run.seconds,
        "why": run.why,
    }


def _next(campaign: Campaign) -> tuple[str, ...]:
    """What would be proposed, had the budget one more batch; what waits, where something does."""
    words = campaign.plan.space.words
    if campaign.waiting:
        return tuple(words(run.setting) for run in campaign.waiting)
    try:
        return tuple(words(setting) for setting in campaign.preview(campaign.plan.batch))
    except UserError:
        return ()


# -- causes ---------------------------------------------------------------------------------------


def _effects(campaign: Campaign) -> tuple[Effect, ...]:
    """The effect of every knob that was varied on every reading."""
    table = runs_table(campaign)
    wanted = campaign.plan.goals.readings
    readings = (*wanted, *(name for name in campaign.plan.names if name not in wanted))
    found = []
    for reading in readings:
        y = table.values[:, table.index(reading)]
        for knob in campaign.plan.space.names:
            x = table.values[np.isfinite(y), table.index(knob)]
            if len(np.unique(x)) > 1 and len(x) >= _FEWEST:
                found.append(_effect(knob, reading, table))
    return tuple(found)


def _effect(knob: str, reading: str, table: Any) -> Effect:
    names = tuple('"' + name.replace('"', '""') + '"' for name in (knob, reading))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            told: Answer = inference.ask("effect of {} on {}".format(*names), table)
    except UserError as error:
        return Effect(knob, reading, f"not answered: {error}", None, (), ())
    steps = tuple(row for row in told.table if "effect" in row)
    return Effect(knob, reading, told.answer, told.probability, steps, told.warnings)


def _between(effects: tuple[Effect, ...], goals: tuple[str, ...]) -> tuple[str, ...]:
    """Readings that a knob moves for certain beside a goal that it moves too."""
    sure = {(e.knob, e.reading) for e in effects if (e.probability or 0.0) >= 0.95}
    found = []
    for knob, goal in sorted(sure):
        others = [name for k, name in sorted(sure) if k == knob and name not in goals]
        if goal in goals and others:
            found.append(
                f"{knob} moves {goal} and also {', '.join(others)}: its effect may run through "
                f"{'it' if len(others) == 1 else 'them'}; runs in which that is held still by "
                "another knob would tell"
            )
    return tuple(found)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
