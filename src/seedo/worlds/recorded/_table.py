"""A user's table as a recorded campaign: factors are knobs, outcomes are goals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.spaces import Goals, Knob
from seedo.tables import Column, Reading, Table, read_table, roles_path
from seedo.worlds._aims import read_goals
from seedo.worlds.recorded._record import Array, Record, made

_SAY = "set roles=temperature=factor,yield=outcome, or write them to"


def read_campaign(path: Path, goals: object, roles: tuple[str, ...], targets: str | None) -> Record:
    """The campaign in a table whose columns have roles: factors (said, or set in some rows as
    `targets` tells) are knobs, outcomes goals to be raised, whatever else was measured readings.
    Rows in which no factor was set were watched; those in which only some were are left out.

    Args:
        path: any table that `tables.read_table` reads.
        goals: see `read_goals`; None: to raise the outcomes.
        roles: as `column=role`, or a file with them; a file beside the table is read in any case.
        targets: as in `tables.read_table`.

    Raises:
        UserError: no factor or no outcome is known, or the table cannot be read.
    """
    said = tuple(text for text in roles if "=" in text)
    files = [Path(text) for text in roles if "=" not in text]
    beside = roles_path(path)
    file = files[0] if files else beside if beside.is_file() else None
    table, notes = read_table(path, targets, reading=Reading(roles=said, file=file), few=True)
    table = table.repeated()
    factors = np.flatnonzero(table.factors | table.hard.any(axis=0)).tolist()
    others = [i for i in range(table.n) if i not in factors]
    if not factors:
        raise UserError(str(path), None, f"which columns were set? {_SAY} {beside.name}")
    wanted = _wanted(table, others, goals, path)
    kept: NDArray[np.bool_] = np.all(np.isfinite(table.values[:, factors]), axis=1)
    if not kept.all():
        notes.append(f"{int((~kept).sum())} rows left out: a factor is missing there")
        table = table.take(kept)
    were_set = table.hard[:, factors] | table.factors[factors]
    partly: NDArray[np.bool_] = np.any(were_set, axis=1) & ~np.all(were_set, axis=1)
    if partly.any():
        notes.append(f"{int(partly.sum())} rows left out: only some of the factors were set there")
        table, were_set = table.take(~partly), were_set[~partly]
    chosen: NDArray[np.bool_] = np.all(were_set, axis=1)
    if chosen.sum() < 2:
        remedy = "two rows or more must have all factors, set"
        raise UserError(str(path), int(chosen.sum()), remedy)
    knobs, settings = zip(
        *(_knob(table.columns[i], table.values[:, i], path) for i in factors), strict=True
    )
    names = tuple(table.variables[i] for i in others)
    values, readings = np.stack(settings, axis=1), table.values[:, others]
    watched = np.concatenate([values, readings], axis=1)[~chosen]
    if len(watched):
        of = f"{len(watched)} rows were watched, nobody setting a factor"
        notes.append(f"{of}: watched={len(watched)} shows them first")
    if goals is None:
        shown = ", ".join(wanted)
        notes.append(f"goal: maximize {shown}; set goals='minimize {wanted[0]}' says otherwise")
    aims = read_goals(wanted if goals is None else goals, names)
    _refuse_names(table, others, aims, path)
    return made(
        knobs, values[chosen], names, readings[chosen], aims, tuple(notes),
        watched if len(watched) else None,
    )  # fmt: skip


def _wanted(table: Table, others: list[int], goals: object, path: Path) -> list[str]:
    """Names of the outcomes."""
    found = [table.variables[i] for i in others if table.columns[i].role == "outcome"]
    if not found and len(others) == 1:
        found = [table.variables[others[0]]]
    if not found and goals is None:
        remedy = f"which column is the outcome? {_SAY} {roles_path(path).name}"
        raise UserError(str(path), None, remedy)
    return found


def _refuse_names(table: Table, others: list[int], goals: Goals, path: Path) -> None:
    """A goal is a number, or yes or no: names have no best."""
    for i in others:
        column = table.columns[i]
        if column.name in goals.readings and column.type == "categorical":
            remedy = f"it holds names ({', '.join(column.levels[:4])}): only numbers can be raised"
            raise UserError(f"{path} column {column.name}", None, remedy)


def _knob(column: Column, values: Array, path: Path) -> tuple[Knob, Array]:
    if not column.named:
        if np.ptp(values) == 0:
            remedy = f"always {values[0]:g}: nothing to choose; set roles={column.name}=ignored"
            raise UserError(f"{path} column {column.name}", None, remedy)
        whole = column.type == "count" and bool(np.all(values == np.floor(values)))
        ends = float(values.min()), float(values.max())
        return Knob(column.name, "whole" if whole else "real", *ends, unit=column.unit), values
    used = [code for code in range(len(column.levels)) if np.any(values == code)]
    levels = tuple(column.levels[code] for code in used)
    codes = np.searchsorted(used, values).astype(np.float64)
    kind = "ordered" if column.type == "ordered" else "categorical"
    if len(levels) < 2:
        remedy = f"always {levels[0]}: nothing to choose; set roles={column.name}=ignored"
        raise UserError(f"{path} column {column.name}", None, remedy)
    return Knob(column.name, kind, levels=levels, unit=column.unit), codes
