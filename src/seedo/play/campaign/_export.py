"""A campaign's runs as files: a table, and a log of one episode."""

from __future__ import annotations

import csv
import io
import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from seedo.episodes import EXPLORE, OBSERVE, EpisodeBatch, Origin, write_atomic, write_batch
from seedo.errors import UserError
from seedo.play.campaign._campaign import Campaign
from seedo.play.campaign._runs import Run
from seedo.tables import Column, Table, roles_path, roles_text

_TYPES = {"real": "real", "whole": "real", "ordered": "ordered", "categorical": "categorical"}
"""Of knobs, as columns are called."""
_JOB = "experiment"


def runs_table(campaign: Campaign) -> Table:
    """The runs that were made, and those of earlier tables, as rows in which all knobs were set."""
    space, names = campaign.plan.space, campaign.plan.names
    made = campaign.known.made
    hard = np.zeros((len(made), space.size + len(names)), np.bool_)
    hard[:, : space.size] = True
    values = np.concatenate([made.settings, made.readings], axis=1)
    table = Table.from_rows((*space.names, *names), values, hard, "runs")
    return replace(table, columns=_columns(campaign))


def _columns(campaign: Campaign) -> tuple[Column, ...]:
    knobs = (
        Column(knob.name, _TYPES[knob.type], "factor", knob.levels, knob.unit)
        for knob in campaign.plan.space.knobs
    )
    wanted = campaign.plan.goals.readings
    read = (
        Column(reading.name, "real", "outcome" if reading.name in wanted[:1] else "measured",
               (), reading.unit)
        for reading in campaign.plan.readings
    )  # fmt: skip
    return (*knobs, *read)


def write_runs(campaign: Campaign, path: Path) -> None:
    """All runs as a table, with a file beside it that says how `seedo ask` is to read it.

    Raises:
        UserError: it cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    plan = campaign.plan
    number, *rest = (plan.column(name) for name in ("run", "state", "cost", "why"))
    writer.writerow([number, *plan.space.names, *plan.names, *rest])
    for run in campaign.runs:
        setting = campaign.setting(run)
        values = [_plain(value) for value in run.readings]
        writer.writerow([run.number, *(setting.get(name, "") for name in plan.space.names),
                         *values, run.state, _plain(run.cost), run.why])  # fmt: skip
    notes = [Column(name, "label", "ignored") for name in (number, *rest)]
    write_atomic(path, text.getvalue().encode())
    write_atomic(roles_path(path), roles_text((*_columns(campaign), *notes)).encode())


def _plain(value: float) -> str:
    return "" if math.isnan(value) else repr(float(value))


def episode(campaign: Campaign) -> EpisodeBatch:
    """The campaign as an episode: rows that were only observed, then the runs that were made, one
    step each.

    Raises:
        UserError: there is none.
    """
    plan, space = campaign.plan, campaign.plan.space
    runs = [run for run in campaign.runs if run.made and np.isfinite(run.setting).all()]
    seen = campaign.earlier.observed
    watched = np.concatenate([campaign.earlier.settings[seen], campaign.earlier.readings[seen]], 1)
    watched = watched[np.isfinite(watched).any(axis=1)]
    steps = len(watched) + len(runs)
    if not steps:
        raise UserError("campaign", plan.name, "no run has a result yet")
    n = space.size + len(plan.names)
    setting, outcome = np.full((steps, n), np.nan), np.full((steps, n), np.nan)
    outcome[: len(watched)] = watched
    for at, run in enumerate(runs, len(watched)):
        setting[at, : space.size] = run.setting
        outcome[at] = [*run.setting, *run.readings]
    goal = (*space.names, *plan.names).index(plan.goals.readings[0])
    unknown = np.full(1, np.nan)
    phase = [OBSERVE] * len(watched) + [EXPLORE] * len(runs)
    fields: dict[str, Any] = {
        "origin": _origin(campaign, runs),
        "episode_id": np.zeros(1, np.int64),
        "phase": np.array([phase]),
        "setting": setting[None],
        "outcome": outcome[None],
        "mask": np.ones((1, n), np.bool_),
        "goal": np.full((1, steps), goal),
        "returns": unknown,
        "oracle_return": unknown,
        "random_return": unknown,
    }
    return EpisodeBatch(**fields)


def write_log(campaign: Campaign, path: Path) -> None:
    """The campaign as a dataset of one episode, in the place of the one written before.

    Raises:
        UserError: no run has a result, the folder holds something else, or it cannot be written.
    """
    batch = episode(campaign)
    if path.exists() and not _ours(path):
        raise UserError(str(path), None, "it holds something else: move it away")
    fresh = path.with_name(f"{path.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    write_batch(fresh, batch, {"task": _JOB, "provenance": "campaign"})
    if path.exists():
        shutil.rmtree(path)
    fresh.rename(path)


def _ours(path: Path) -> bool:
    try:
        manifest = json.loads((path / "manifest.json").read_text())
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and manifest.get("job", {}).get("task") == _JOB


def _origin(campaign: Campaign, runs: Sequence[Run]) -> Origin:
    plan = campaign.plan
    read = ("real",) * len(plan.names)
    return Origin(
        world=f"recorded:{plan.name}",
        world_config=json.dumps(plan.to_json(), sort_keys=True),
        split="train",
        seed=plan.seed,
        experimenter=plan.player,
        variables=(*plan.space.names, *plan.names),
        created=campaign.began,
        types=(*(_TYPES[knob.type] for knob in plan.space.knobs), *read),
        levels=(*(knob.levels or None for knob in plan.space.knobs), *(None for _ in read)),
    )
