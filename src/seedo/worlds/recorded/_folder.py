"""A folder with `data.csv`, without a header, and `config.json`, as Olympus has them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from seedo.errors import UserError
from seedo.spaces import Goals, Knob
from seedo.worlds._aims import read_goals
from seedo.worlds.recorded._record import Array, Record, made

_LARGEST = 1e100


def read_folder(folder: Path, goals: object) -> Record:
    """The campaign in a folder: Häse et al. (2021), "Olympus: a benchmarking framework for noisy
    optimization and experiment planning", whose layout it is.

    `config.json` names `parameters` (continuous with low and high, discrete, or categorical with
    options), then `measurements`, and says `default_goal`, for each measurement or for all.

    Args:
        folder: with the two files.
        goals: in place of the folder's own; None: those.

    Raises:
        UserError: names the file, and row and column, of what cannot be used.
    """
    config = _config(folder / "config.json")
    parameters = _list(folder / "config.json", config, "parameters")
    names = tuple(str(m["name"]) for m in _list(folder / "config.json", config, "measurements"))
    columns = [*(str(p["name"]) for p in parameters), *names]
    if len(set(columns)) < len(columns):
        raise UserError(str(folder / "config.json"), None, "two columns have one name")
    cells = _cells(folder / "data.csv", columns)
    notes: list[str] = []
    knobs, settings = [], []
    for i, parameter in enumerate(parameters):
        knob, values = _knob(folder, parameter, [row[i] for row in cells], notes)
        if knob is not None:
            knobs.append(knob)
            settings.append(values)
    if not knobs:
        raise UserError(str(folder), None, "nothing was varied: there is nothing to choose")
    readings = [
        _numbers(folder, name, [row[len(parameters) + i] for row in cells], True)
        for i, name in enumerate(names)
    ]
    wanted = _own_goals(folder, config, names) if goals is None else read_goals(goals, names)
    return made(
        tuple(knobs), np.stack(settings, axis=1), names, np.stack(readings, axis=1), wanted,
        tuple(notes),
    )  # fmt: skip


def _config(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except OSError as error:
        raise UserError(str(path), None, f"cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise UserError(str(path), None, "is no JSON") from None
    if not isinstance(found, dict):
        raise UserError(str(path), None, "give an object with parameters and measurements")
    return found


def _list(path: Path, config: dict[str, Any], field: str) -> list[dict[str, Any]]:
    found = config.get(field)
    whole = isinstance(found, list) and found
    if not whole or not all(isinstance(e, dict) and e.get("name") for e in found or ()):
        raise UserError(f"{path} {field}", None, "give a list of objects with a name each")
    assert isinstance(found, list)
    return found


def _cells(path: Path, columns: list[str]) -> list[list[str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [[cell.strip() for cell in row] for row in csv.reader(file)]
    except OSError as error:
        raise UserError(str(path), None, f"cannot be read: {error.strerror}") from None
    except (ValueError, csv.Error):
        raise UserError(str(path), None, "is no text of comma-separated values") from None
    for number, row in enumerate(rows, 1):
        if row and len(row) != len(columns):
            remedy = f"its config names {len(columns)}: {', '.join(columns)}"
            raise UserError(f"{path} row {number}", f"{len(row)} values", remedy)
    found = [row for row in rows if row]
    if len(found) < 2:
        raise UserError(str(path), len(found), "give two rows or more")
    return found


def _knob(
    folder: Path, parameter: dict[str, Any], cells: list[str], notes: list[str]
) -> tuple[Knob | None, Array]:
    """A knob, None where it was never changed, and its values."""
    name, kind = str(parameter["name"]), parameter.get("type", "continuous")
    where = f"{folder / 'config.json'} {name}"
    if kind == "categorical":
        options = parameter.get("options")
        if not isinstance(options, list):
            raise UserError(where, options, "give its options, a list of names")
        known = [str(option) for option in options]
        strange = [cell for cell in cells if cell not in known]
        if strange:
            remedy = f"its options are {', '.join(known)}"
            raise UserError(f"{folder / 'data.csv'} {name}", strange[0], remedy)
        levels = tuple(option for option in known if option in cells)
        if missing := [option for option in known if option not in cells]:
            notes.append(f"{name}: never tried, so left out: {', '.join(missing)}")
        codes = np.array([float(levels.index(cell)) for cell in cells])
        if len(levels) < 2:
            notes.append(f"{name}: always {levels[0]}, so no knob")
            return None, codes
        return Knob(name, "categorical", levels=levels), codes
    if kind not in ("continuous", "discrete"):
        raise UserError(where, kind, "use continuous, discrete or categorical")
    values = _numbers(folder, name, cells, False)
    if np.ptp(values) == 0:
        notes.append(f"{name}: always {values[0]:g}, so no knob")
        return None, values
    ends = [parameter.get("low"), parameter.get("high")]
    for end in ends:
        number = isinstance(end, int | float) and not isinstance(end, bool)
        if end is not None and not (number and abs(end) < _LARGEST):
            raise UserError(where, end, "low and high are numbers")
    low = min([float(values.min()), *(float(e) for e in ends[:1] if e is not None)])
    high = max([float(values.max()), *(float(e) for e in ends[1:] if e is not None)])
    return Knob(name, low=low, high=high), values


def _numbers(folder: Path, name: str, cells: list[str], gaps: bool) -> Array:
    """A column's numbers; empty cells and their like are NaN where there may be gaps."""
    found = np.empty(len(cells))
    for row, cell in enumerate(cells):
        try:
            found[row] = float(cell) if cell else np.nan
        except ValueError:
            found[row] = np.inf
        if not (abs(found[row]) < _LARGEST or (gaps and np.isnan(found[row]))):
            where = f"{folder / 'data.csv'} row {row + 1}, {name}"
            raise UserError(where, cell, "give a number")
    return found


def _own_goals(folder: Path, config: dict[str, Any], names: tuple[str, ...]) -> Goals:
    where = f"{folder / 'config.json'} default_goal"
    given = config.get("default_goal")
    aims = given if isinstance(given, list) else [given] * len(names)
    for aim in aims:
        if aim not in ("maximize", "minimize"):
            raise UserError(where, aim, "use maximize or minimize, or name the goals")
    if len(aims) != len(names):
        raise UserError(where, aims, f"give one for each of {', '.join(names)}")
    return read_goals([f"{aim} {name}" for aim, name in zip(aims, names, strict=True)], names)
