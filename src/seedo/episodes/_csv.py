"""A user's own log, one line a step, as episodes."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seedo.episodes._batch import PHASES, EpisodeBatch
from seedo.episodes._origin import Origin
from seedo.errors import UserError

_COLUMNS = ("episode", "step", "phase", "target", "value", "goal")
_PARTICIPANT = "participant"


@dataclass(frozen=True)
class _Step:
    line: int
    step: int
    phase: int
    target: int
    value: float
    goal: int
    outcome: list[float]
    participant: str


def import_csv(
    path: str | os.PathLike[str],
    *,
    world: str | None = None,
    world_config: str = "{}",
    split: str = "train",
    experimenter: str = "unknown",
    seed: int = 0,
    created: str | None = None,
) -> EpisodeBatch:
    """Reads a CSV file with one line a step.

    Columns, in any order: `episode` (any name), `step` (0, 1, 2, ... or 1, 2, 3, ... within an
    episode), `phase` (observe, explore or exploit), `target` (the variable that was set, or
    empty), `value` (what it was set to, or empty), `goal` (a variable, or empty while it is not
    known), and, if you have it, `participant` (a pseudonym of the person whose episode it is);
    every other column is a variable, its cells the outcomes, empty where not seen. All
    episodes must have the same number of steps. Episodes are numbered as they are named if all
    names are whole numbers, else in order of appearance. Returns are NaN: nobody knows what would
    have been.

    Args:
        path: the file, UTF-8.
        world: name of the world; `recorded:<file name>` if None.
        world_config, split, experimenter, seed, created: see `Origin`.

    Raises:
        UserError: names the row (as a spreadsheet counts, the header being row 1), the column and
            the value.
    """
    file = Path(path)
    variables, episodes = _read(file)
    rows = [_in_order(name, steps) for name, steps in episodes.items()]
    if not rows:
        raise UserError(str(file), None, "no rows below the header: give at least one episode")
    lengths = {name: len(steps) for name, steps in zip(episodes, rows, strict=True)}
    first = next(iter(lengths))
    for name, length in lengths.items():
        if length != lengths[first]:
            remedy = (
                f"episode {first!r} has {lengths[first]}: all must have as many; import episodes "
                "of different lengths from files of their own"
            )
            raise UserError(f"{file}: steps of episode {name!r}", length, remedy)
    origin = Origin(
        world=f"recorded:{file.stem}" if world is None else world,
        world_config=world_config,
        split=split,
        seed=seed,
        experimenter=experimenter,
        variables=variables,
        created=created,
    )
    unknown = np.full(len(rows), np.nan, np.float32)
    return EpisodeBatch(
        origin=origin,
        episode_id=_ids(list(episodes)),
        phase=np.array([[s.phase for s in row] for row in rows], np.int8),
        target=np.array([[s.target for s in row] for row in rows], np.int16),
        value=np.array([[s.value for s in row] for row in rows], np.float32),
        outcome=np.array([[s.outcome for s in row] for row in rows], np.float32),
        mask=np.ones((len(rows), len(variables)), np.bool_),
        goal=np.array([[s.goal for s in row] for row in rows], np.int16),
        returns=unknown,
        oracle_return=unknown.copy(),
        random_return=unknown.copy(),
        participant=_participants(list(episodes), rows),
    )


def _participants(names: list[str], rows: list[list[_Step]]) -> list[str] | None:
    """Whose each episode is; None if the file does not say."""
    found = []
    for name, row in zip(names, rows, strict=True):
        for step in row:
            if step.participant != row[0].participant:
                remedy = f"episode {name!r} is {row[0].participant!r}'s"
                raise UserError(f"row {step.line}, column {_PARTICIPANT}", step.participant, remedy)
        found.append(row[0].participant)
    if not any(found):
        return None
    for row, participant in zip(rows, found, strict=True):
        if not participant:
            remedy = "give a pseudonym in every row, or in none"
            raise UserError(f"row {row[0].line}, column {_PARTICIPANT}", "", remedy)
    return found


def _read(path: Path) -> tuple[tuple[str, ...], dict[str, list[_Step]]]:
    episodes: dict[str, list[_Step]] = {}
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            variables = _variables(path, header)
            for number, cells in enumerate(reader, 2):
                if not cells:
                    continue
                if len(cells) != len(header):
                    remedy = f"the header has {len(header)}"
                    raise UserError(f"{path} row {number}", f"{len(cells)} cells", remedy)
                row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
                name, step = _step(_Row(path, number, row), variables)
                episodes.setdefault(name, []).append(step)
    except OSError as error:
        raise UserError(str(path), None, f"cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(str(path), None, f"not a CSV file in UTF-8: {error}") from error
    return variables, episodes


def _variables(path: Path, header: list[str]) -> tuple[str, ...]:
    for name in _COLUMNS:
        if name not in header:
            remedy = f"column {name} is missing: the header needs {','.join(_COLUMNS)}"
            raise UserError(str(path), ",".join(header)[:120], remedy)
    for name in header:
        if not name:
            raise UserError(f"{path} header", name, "give every column a name")
        if header.count(name) > 1:
            raise UserError(f"{path} header", name, "there more than once: rename one")
    variables = tuple(name for name in header if name not in (*_COLUMNS, _PARTICIPANT))
    if not variables:
        raise UserError(str(path), None, "no variable: give each one a column with its outcomes")
    return variables


@dataclass(frozen=True)
class _Row:
    """One line of the file, and how to complain about it."""

    path: Path
    number: int
    cells: dict[str, str]

    def error(self, column: str, remedy: str) -> UserError:
        place = f"{self.path} row {self.number}, column {column}"
        return UserError(place, self.cells[column][:80], remedy)

    def number_in(self, column: str) -> float:
        """The cell as a finite float32, NaN if it is empty."""
        cell = self.cells[column]
        if not cell:
            return math.nan
        try:
            number = float(cell)
        except ValueError:
            raise self.error(column, "give a number, or leave it empty") from None
        if not abs(number) <= float(np.finfo(np.float32).max):
            raise self.error(column, "give a finite number, or leave it empty")
        return number

    def variable_in(self, column: str, variables: tuple[str, ...]) -> int:
        """The position of the variable that the cell names, -1 if it is empty."""
        cell = self.cells[column]
        if not cell:
            return -1
        if cell not in variables:
            raise self.error(column, f"give one of {', '.join(variables)}, or leave it empty")
        return variables.index(cell)


def _step(row: _Row, variables: tuple[str, ...]) -> tuple[str, _Step]:
    name = row.cells["episode"]
    if not name:
        raise row.error("episode", "give every row the name or number of its episode")
    try:
        step = int(row.cells["step"])
    except ValueError:
        raise row.error("step", "give a whole number") from None
    if row.cells["phase"] not in PHASES:
        raise row.error("phase", f"give one of {', '.join(PHASES)}")
    target = row.variable_in("target", variables)
    value = row.number_in("value")
    if target >= 0 and math.isnan(value):
        raise row.error("value", f"give the value to which {variables[target]} was set")
    if target < 0 and not math.isnan(value):
        raise row.error("value", "name the variable that was set in column target")
    return name, _Step(
        line=row.number,
        step=step,
        phase=PHASES.index(row.cells["phase"]),
        target=target,
        value=value,
        goal=row.variable_in("goal", variables),
        outcome=[row.number_in(variable) for variable in variables],
        participant=row.cells.get(_PARTICIPANT, ""),
    )


def _in_order(name: str, steps: list[_Step]) -> list[_Step]:
    """The steps of an episode by number; refuses gaps and doubles."""
    ordered = sorted(steps, key=lambda s: s.step)
    start = ordered[0].step
    if start not in (0, 1):
        place = f"row {ordered[0].line}, column step"
        raise UserError(place, start, f"episode {name!r} must begin with step 0 or 1")
    for expected, step in enumerate(ordered, start):
        if step.step != expected:
            remedy = f"episode {name!r} needs step {expected} here, each step once"
            raise UserError(f"row {step.line}, column step", step.step, remedy)
    return ordered


def _ids(names: list[str]) -> np.ndarray:
    def numbers() -> Iterator[int]:
        for name in names:
            number = int(name)
            if not -(2**63) <= number < 2**63:
                raise ValueError(name)
            yield number

    try:
        ids = list(numbers())
    except ValueError:
        ids = []
    return np.array(ids if len(set(ids)) == len(names) else range(len(names)), np.int64)
