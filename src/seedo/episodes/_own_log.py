"""A user's own log, one line a step, as episodes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seedo.episodes._batch import PHASES, EpisodeBatch
from seedo.episodes._origin import RECORDED, Levels, Origin
from seedo.errors import UserError, one_of
from seedo.tables import MISSING, Columns, codes, near, read_columns

_KEYS = ("episode", "step", "phase", "target", "value", "goal")
_PARTICIPANT = "participant"
_ENDS = ("terminated", "truncated", "done", "dones", "terminal", "terminals", "timeout", "timeouts")
"""Columns of Gymnasium, Minari and their like that are true in the last step of an episode."""
_LARGEST = float(np.finfo(np.float32).max)
_MOST_LEVELS = 64
"""More different texts in a column are no names of its values."""


@dataclass(frozen=True)
class Layout:
    """What a file does not say in columns of its own.

    Attributes:
        factors: variables that were set in every row in which they have a value, in place of (or
            beside) the columns `target` and `value`.
        goal: the variable to raise in every step, in place of the column `goal`.
        phase: of every step, in place of the column `phase`.
        drop: columns that are no variables.
    """

    factors: tuple[str, ...] = ()
    goal: str | None = None
    phase: str | None = None
    drop: tuple[str, ...] = ()


class OwnLog:
    """A CSV, TSV (either compressed by gzip) or Parquet file with one line a step.

    Columns, in any order: `episode` (any name), `step` (0, 1, 2, ... or 1, 2, 3, ... within an
    episode), `phase` (observe, explore or exploit), `target` (the variable that was set, several
    joined by `;`, or empty), `value` (what it was set to, or they were, in the same order), `goal`
    (a variable, or empty while it is not known), and, if you have it, `participant` (a pseudonym
    of the person whose episode it is); every other column is a variable, its cells the outcomes,
    empty where not seen. A variable without a single number, and with at most 64 different texts,
    is categorical. Without `episode`, episodes end where one of `terminated`, `truncated`, `done`
    and their like is true, and these are no variables; without `step`, `phase` and `target`, the
    rows of an episode are its steps in the order of the file. Episodes are numbered as they are
    named if all names are whole numbers, else in order of appearance. Returns are NaN: nobody
    knows what would have been.

    Args:
        path: the file.
        layout: what stands in place of columns that the file has not.

    Attributes:
        variables: their names.
        names: of the episodes, in order of appearance.
        lengths: int64[episodes], steps of each.
        warnings: one line each, about how the file was read.

    Raises:
        UserError: names the row (as a spreadsheet counts, the header being row 1), the column and
            the value.
    """

    def __init__(self, path: str | os.PathLike[str], layout: Layout | None = None) -> None:
        self.path = Path(path)
        found = read_columns(self.path)
        columns, counted, ends = _with_steps(found)
        self._columns, self._ends, self._written = columns, ends, ",".join(found.arrays)[:120]
        self._layout = layout = layout or Layout()
        self.variables = self._check_header(list(columns.arrays))
        if not columns.rows:
            remedy = "no rows below the header: give at least one episode"
            raise UserError(str(self.path), None, remedy)
        self.outcome, self.levels = self._outcomes()
        self.warnings = (*columns.warnings, *counted)
        code, self.names = codes([columns], "episode")
        remedy = "give every row the name or number of its episode"
        self._refuse("episode", np.array([not name for name in self.names])[code], remedy)
        step = np.array(self._each("step", _whole, "give a whole number"))
        self._order = np.lexsort((step, code))
        self.lengths = np.bincount(code)
        self._check_steps(code, step)
        remedy = f"give one of {', '.join(PHASES)}"
        self.phase = np.array(self._each("phase", PHASES.index, remedy, layout.phase), np.int8)
        remedy = f"{near('', self.variables)}, or leave it empty"
        self.goal = np.array(self._each("goal", self._variable, remedy, layout.goal), np.int16)
        self.setting = self._settings()
        self.participant = self._participants(code)

    def batch(self, steps: int | None = None, **origin: Any) -> EpisodeBatch:
        """The episodes.

        Args:
            steps: those with so many steps only; None: all, which must have as many.
            origin: fields of `Origin`; those left out: world `recorded:<file name>`, split
                `train`, experimenter `unknown`, seed 0, no creation time.

        Raises:
            UserError: there are none, or some have more steps than others.
        """
        wanted = int(self.lengths[0]) if steps is None else steps
        chosen = np.flatnonzero(self.lengths == wanted)
        if steps is None and len(chosen) < len(self.lengths):
            other = int(np.argmax(self.lengths != wanted))
            remedy = (
                f"episode {self.names[0]!r} has {wanted}: all must have as many; --by-length makes "
                f"a dataset for each length: {self._lengths_said()}"
            )
            field = f"{self.path}: steps of episode {self.names[other]!r}"
            raise UserError(field, int(self.lengths[other]), remedy)
        if not len(chosen):
            raise UserError("steps", wanted, "no episode has as many")
        first = np.cumsum(self.lengths) - self.lengths
        rows = self._order[first[chosen][:, None] + np.arange(wanted)]
        given = {"world": f"{RECORDED}{self.path.stem}", "world_config": "{}", "split": "train",
                 "experimenter": "unknown", "seed": 0, **origin}  # fmt: skip
        unknown = np.full(len(chosen), np.nan, np.float32)
        return EpisodeBatch(
            origin=Origin(variables=self.variables, levels=self.levels, **given),
            episode_id=_ids(self.names)[chosen],
            phase=self.phase[rows],
            setting=self.setting[rows],
            outcome=self.outcome[rows],
            mask=np.ones((len(chosen), len(self.variables)), np.bool_),
            goal=self.goal[rows],
            returns=unknown,
            oracle_return=unknown.copy(),
            random_return=unknown.copy(),
            participant=self.participant and [self.participant[i] for i in chosen],
        )

    def _lengths_said(self) -> str:
        """Which episodes have how many steps, for people."""
        parts = []
        for steps in sorted({*self.lengths.tolist()}):
            named = [name for name, n in zip(self.names, self.lengths, strict=True) if n == steps]
            more = f" and {len(named) - 3} more" if len(named) > 3 else ""
            parts.append(f"{steps} in {', '.join(named[:3])}{more}")
        left = len(parts) - 6
        return "; ".join(parts[:6]) + (f"; and {left} more lengths" if left > 0 else "")

    def _check_header(self, header: list[str]) -> tuple[str, ...]:
        """The variables; UserError if a column is missing or an option fits none."""
        layout = self._layout
        given = {"phase": layout.phase, "goal": layout.goal}
        needed = [name for name in _KEYS if given.get(name) is None]
        if layout.factors and not {"target", "value"} & set(header):
            needed = [name for name in needed if name not in ("target", "value")]
        for name in needed:
            if name not in header:
                remedy = f"column {name} is missing: the header needs {','.join(needed)}"
                if name == "episode":
                    remedy += "; or, in place of episode, a column terminated or done"
                elif name != "step":
                    remedy += f"; or say it by {self._options(header)}, see docs/logs.md"
                raise UserError(str(self.path), self._written, remedy)
        for name, option in given.items():
            if option is not None and name in header:
                raise UserError(name, option, f"the file has a column {name}: leave this out")
        for name in layout.drop:
            if name not in header or name in needed:
                raise UserError("drop", name, near(name, sorted({*header} - {*needed})))
        spent = {*_KEYS, _PARTICIPANT, *layout.drop, *self._ends}
        variables = tuple(name for name in header if name not in spent)
        if not variables:
            remedy = "no variable: give each one a column with its outcomes"
            raise UserError(str(self.path), None, remedy)
        if layout.phase is not None:
            one_of("phase", layout.phase, PHASES)
        options = [("set", factor) for factor in layout.factors]
        for option, chosen in (*options, ("goal", layout.goal)):
            if chosen is not None and chosen not in variables:
                raise UserError(option, chosen, near(chosen, variables))
        return variables

    def _options(self, header: list[str]) -> str:
        """The options that say what the columns do not, as far as their names show it."""
        action = next((n for n in header if n.casefold() in ("action", "actions")), "VARIABLE")
        reward = next((n for n in header if n.casefold() in ("reward", "rewards")), "VARIABLE")
        return f"--set {action} --goal {reward} --phase explore"

    def _error(self, row: int, column: str, remedy: str) -> UserError:
        cell = self._columns.text(column)[row].as_py()
        return UserError(self._columns.place(row, column), cell[:80], remedy)

    def _refuse(self, column: str, wrong: NDArray[np.bool_], remedy: str) -> None:
        if np.any(wrong):
            raise self._error(int(np.argmax(wrong)), column, remedy)

    def _each(self, column: str, read: Any, remedy: str, given: str | None = None) -> list[Any]:
        """What `read` makes of every cell of a column, or of `given` in its place."""
        if given is not None:
            return [read(given)] * self._columns.rows
        code, cells = codes([self._columns], column)
        found: list[Any] = []
        for i, cell in enumerate(cells):
            try:
                found.append(read(cell))
            except ValueError:
                raise self._error(int(np.argmax(code == i)), column, remedy) from None
        return [found[i] for i in code]

    def _variable(self, cell: str) -> int:
        return self.variables.index(cell) if cell else -1

    def _outcomes(
        self,
    ) -> tuple[NDArray[np.float32], Levels]:
        """float32[R, n]; the names of each variable's values, None for numbers."""
        columns = self._columns
        outcome = np.full((columns.rows, len(self.variables)), np.nan)
        levels: list[tuple[str, ...] | None] = []
        for j, variable in enumerate(self.variables):
            code, cells = codes([columns], variable)
            there = [cell for cell in cells if cell.casefold() not in MISSING]
            names = tuple(sorted(there)) if _are_names(there) else None
            levels.append(names)
            if names is not None:
                place = [names.index(cell) if cell in names else np.nan for cell in cells]
                outcome[:, j] = np.array(place)[code]
        numbers = [j for j, names in enumerate(levels) if names is None]
        outcome[:, numbers] = columns.numbers([self.variables[j] for j in numbers])
        for j in numbers:
            remedy = "give a finite number, or leave it empty"
            self._refuse(self.variables[j], np.abs(outcome[:, j]) > _LARGEST, remedy)
        return outcome.astype(np.float32), tuple(levels)

    def _settings(self) -> NDArray[np.float32]:
        """float32[R, n], what the columns `target` and `value` and the factors say."""
        setting = np.full(self.outcome.shape, np.nan, np.float32)
        for factor in self._layout.factors:
            j = self.variables.index(factor)
            setting[:, j] = self.outcome[:, j]
        if "target" not in self._columns.arrays:
            return setting
        done = (self._columns.text(name).to_pylist() for name in ("target", "value"))
        for row, (target, value) in enumerate(zip(*done, strict=True)):
            names = [target] if target in self.variables else target.split(";") if target else []
            values = value.split(";") if len(names) > 1 else [value]
            if not names and value.casefold() not in MISSING:
                raise self._error(row, "value", "name the variable that was set in column target")
            if names and len(values) != len(names):
                raise self._error(row, "value", f"give {len(names)} values, joined by ;")
            for name, cell in zip(map(str.strip, names), map(str.strip, values), strict=False):
                if name not in self.variables:
                    remedy = f"{near(name, self.variables)}, or leave it empty"
                    raise self._error(row, "target", remedy)
                j = self.variables.index(name)
                try:
                    setting[row, j] = self._value(cell, self.levels[j])
                except ValueError:
                    remedy = f"give the value to which {name} was set"
                    raise self._error(row, "value", remedy) from None
        return setting

    def _value(self, cell: str, names: tuple[str, ...] | None) -> float:
        """What a variable was set to; ValueError if it cannot be."""
        if names is not None:
            return names.index(cell)
        number = float(cell if self._columns.delimiter == "," else cell.replace(",", "."))
        if not abs(number) <= _LARGEST:
            raise ValueError
        return number

    def _check_steps(self, code: NDArray[np.int64], step: NDArray[np.int64]) -> None:
        """Refuses episodes whose steps have gaps or doubles."""
        code, step = code[self._order], step[self._order]
        first = (np.cumsum(self.lengths) - self.lengths)[code]
        due = step[first] + np.arange(len(step)) - first
        early = (due == step) & (first == np.arange(len(step))) & ~np.isin(step, (0, 1))
        for i in np.flatnonzero(early | (step != due))[:1]:
            remedy = f"episode {self.names[code[i]]!r} "
            remedy += ("must begin with step 0 or 1" if early[i]
                       else f"needs step {due[i]} here, each step once")  # fmt: skip
            place = self._columns.place(int(self._order[i]), "step")
            raise UserError(place, int(step[i]), remedy)

    def _participants(self, code: NDArray[np.int64]) -> list[str] | None:
        """Whose each episode is; None if the file does not say."""
        if _PARTICIPANT not in self._columns.arrays:
            return None
        person, people = codes([self._columns], _PARTICIPANT)
        if not any(people):
            return None
        of_episode = person[np.unique(code, return_index=True)[1]]
        missing = person == (people.index("") if "" in people else -1)
        self._refuse(_PARTICIPANT, missing, "give a pseudonym in every row, or in none")
        remedy = "the rows of one episode name several people"
        self._refuse(_PARTICIPANT, person != of_episode[code], remedy)
        return [people[i] for i in of_episode]


def import_csv(
    path: str | os.PathLike[str], layout: Layout | None = None, **origin: Any
) -> EpisodeBatch:
    """The episodes of a file, all of one length; see `OwnLog` and `OwnLog.batch`."""
    return OwnLog(path, layout).batch(**origin)


def _with_steps(columns: Columns) -> tuple[Columns, list[str], list[str]]:
    """The columns with `episode` and `step`, if they follow from others; what to say; and the
    columns from which episodes follow."""
    arrays, said = dict(columns.arrays), []
    ends = [] if "episode" in arrays else [n for n in arrays if n.casefold() in _ENDS]
    if ends:
        over = (columns.numbers(ends) > 0).any(axis=1)
        episode: NDArray[np.int64] = np.cumsum(over) - over
        arrays["episode"] = pa.chunked_array([pa.array(map(str, episode.tolist()), pa.string())])
        count = int(episode[-1]) + 1 if len(episode) else 0
        said.append(f"episodes end where {' or '.join(ends)} is true: {count:,} of them")
    foreign = not {"step", "phase", "target"} & set(arrays)
    if "episode" in arrays and foreign:
        whole = replace(columns, arrays=arrays)
        code, names = codes([whole], "episode")
        order = np.argsort(code, kind="stable")
        step = np.empty(len(code), np.int64)
        first = np.cumsum(np.bincount(code, minlength=len(names)))
        first = np.concatenate([[0], first])[code[order]]
        step[order] = np.arange(len(code)) - first
        arrays["step"] = pa.chunked_array([pa.array(map(str, step.tolist()), pa.string())])
        said.append("steps are the rows of an episode in the order of the file")
    return replace(columns, arrays=arrays), said, ends


def _whole(cell: str) -> int:
    number = float(cell)
    if not number.is_integer():
        raise ValueError(cell)
    return int(number)


def _are_names(cells: list[str]) -> bool:
    """Whether the different cells of a column are names of its values, and not numbers."""
    truth = {"true", "false"}
    if not 0 < len(cells) <= _MOST_LEVELS or {cell.casefold() for cell in cells[:3]} <= truth:
        return False
    for cell in cells:
        try:
            float(cell.replace(",", "."))
        except ValueError:
            continue
        return False
    return True


def _ids(names: list[str]) -> NDArray[np.int64]:
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
