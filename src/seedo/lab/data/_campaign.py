"""A campaign that begins with a kept table, in files with which `seedo experiment` goes on."""

from __future__ import annotations

import json
import math
import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from seedo import evaluation
from seedo.episodes import write_atomic
from seedo.errors import UserError
from seedo.lab._background import Job
from seedo.lab.data import _rows
from seedo.lab.data._shelf import Kept, without_path
from seedo.play import campaign as play
from seedo.tables import Table, near

_FILE, _NAME = "campaign.toml", "campaign"
_Name = Annotated[str, Field(max_length=1_000)]


class Begun(BaseModel):
    """What a campaign is for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    knobs: tuple[_Name, ...] = Field(min_length=1, max_length=20)
    outcome: _Name
    aim: Literal["maximize", "minimize"]
    budget: int = Field(20, ge=1, le=10_000)


class Result(BaseModel):
    """What came of a run; a reading that is left out was not read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: int = Field(ge=0, le=100_000)
    readings: dict[_Name, float] = Field({}, max_length=100)
    state: Literal["done", "failed", "skipped"] = "done"


def begin(kept: Kept, said: Begun) -> dict[str, Any]:
    """Writes the campaign's file; knobs have the range or the levels that the table has.

    Raises:
        UserError: there is one already, or a column is none that can be a knob or a goal.
    """
    if kept.beside(_FILE):
        raise UserError("campaign", None, "there is one: go on with it, or delete it first")
    table, _ = _rows.read(kept)
    for name in (*said.knobs, said.outcome):
        if name not in table.variables:
            raise UserError("column", name, near(name, table.variables))
    if said.outcome in said.knobs:
        raise UserError("outcome", said.outcome, "it is a knob: choose another column")
    if table.columns[table.index(said.outcome)].named:
        raise UserError("outcome", said.outcome, "holds names: choose a column of numbers")
    fields = {
        "name": _NAME,
        "budget": said.budget,
        "start": [{"file": kept.file, "observed": not _set(table, said.knobs)}],
        "knobs": {name: _knob(table, name) for name in said.knobs},
        "goals": {said.outcome: {"aim": said.aim}},
    }
    play.plan_of(fields, kept.place)
    write_atomic(kept.place / _FILE, _toml(fields).encode("utf-8", "replace"))
    try:
        return shown(kept) or {}
    except UserError:
        delete(kept)
        raise


def shown(kept: Kept) -> dict[str, Any] | None:
    """How far it is; None where there is none."""
    if not kept.beside(_FILE):
        return None
    with _open(kept, dry=True) as live:
        plan = live.plan
        return {
            "knobs": [{"name": knob.name, "unit": knob.unit} for knob in plan.space.knobs],
            "readings": list(plan.names),
            "goals": [{"reading": goal.reading, "aim": goal.aim} for goal in plan.goals.each],
            "player": plan.player,
            "budget": plan.budget,
            "made": live.made,
            "finished": live.finish(),
            "earlier": [line.replace(f"{kept.place}{os.sep}", "") for line in live.earlier.told],
            "runs": [_run(live, run) for run in live.runs],
            "command": shlex.join(["seedo", "experiment", str(kept.place / _FILE)]),
        }  # fmt: skip


def _run(live: play.Campaign, run: play.Run) -> dict[str, Any]:
    read = dict(zip(live.plan.names, run.readings.tolist(), strict=True))
    return {"run": run.number, "setting": live.setting(run), "state": run.state, "why": run.why,
            "readings": read}  # fmt: skip


def propose(kept: Kept, job: Job) -> dict[str, Any]:
    """Hands out the next runs: those that wait, else new ones."""
    job.doing = "choosing the next run"
    with _open(kept) as live:
        live.ask()
    return shown(kept) or {}


def tell(kept: Kept, result: Result) -> dict[str, Any]:
    """Writes down what came of a run.

    Raises:
        UserError: it waits for no result, or a reading is unknown or no number.
    """
    with _open(kept) as live:
        failed, skipped = (word * (result.state == word) for word in ("failed", "skipped"))
        live.tell(result.run, result.readings, failed=failed, skipped=skipped)
    return shown(kept) or {}


def report(kept: Kept, job: Job) -> dict[str, Any]:
    """What was found so far, as `seedo experiment --export --json` prints it."""
    job.doing = "working out what was found"
    with _open(kept) as live:
        return evaluation.found(live, live.finish()).to_dict()


def delete(kept: Kept) -> None:
    """Deletes the campaign's file and all that came of it."""
    (kept.place / _FILE).unlink(missing_ok=True)
    shutil.rmtree(kept.place / _NAME, ignore_errors=True)


@contextmanager
def _open(kept: Kept, dry: bool = False) -> Iterator[play.Campaign]:
    """The campaign, held for a moment only, so that the command line can have it in between."""
    if not kept.beside(_FILE):
        raise UserError("campaign", None, "there is none: begin one")
    try:
        with play.Campaign(Path(kept.place / _FILE), kept.place / _NAME, dry=dry) as live:
            yield live
    except UserError as error:
        raise without_path(error, kept.place) from error


def _set(table: Table, knobs: tuple[str, ...]) -> bool:
    """Whether all knobs were set in every row."""
    return all(bool(table.factors[table.index(name)]) for name in knobs)


def _knob(table: Table, name: str) -> dict[str, Any]:
    at = table.index(name)
    column, values = table.columns[at], table.values[:, at]
    seen = values[np.isfinite(values)]
    if column.named and column.levels:
        order = {"type": "ordered"} if column.type == "ordered" else {}
        return {**order, "levels": list(column.levels)}
    unit = {"unit": column.unit} if column.unit else {}
    low, high = float(seen.min()), float(seen.max())
    if not low < high:
        raise UserError("knob", name, "it has one value in the table: choose another column")
    if column.type == "count" or bool((seen == np.floor(seen)).all()):
        return {"type": "whole", "low": math.floor(low), "high": math.ceil(high), **unit}
    return {"low": low, "high": high, **unit}


def _toml(fields: dict[str, Any]) -> str:
    """The file: plain values, then a table for every knob and goal."""
    plain = {name: value for name, value in fields.items() if not isinstance(value, dict)}
    lines = [f"{name} = {_value(value)}" for name, value in plain.items()]
    for kind in ("knobs", "goals"):
        for name, own in fields[kind].items():
            lines += ["", f"[{kind}.{_value(name)}]"]
            lines += [f"{field} = {_value(value)}" for field, value in own.items()]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    """As TOML writes it: texts, numbers, truth values and lists are those of JSON."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_value(own)}" for name, own in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
