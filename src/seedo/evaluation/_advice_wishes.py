"""What is wanted of an advice: read and checked before any work is done."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seedo.errors import UserError, one_of, whole
from seedo.inference import Goal
from seedo.spaces import Forbidden, Knob, Linear, read_constraint
from seedo.tables import LARGEST_VALUE, Table

_MOST = 100
_GOAL = re.compile(r"\s*(maximi[sz]e|raise|minimi[sz]e|lower)\s+(.+?)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Wishes:
    """What experiments are for, and which can be made.

    Attributes:
        goal: None if only learning counts.
        budget: how many experiments to plan.
        can_set: variables that may be set, as positions; None: all.
        values: what a variable can be set to, by position; codes of levels.
        costs: of an experiment on a variable, by position; 1 where nothing is said.
        prefer: "bits" or "gain"; None: the goal if there is one.
        ranges: what a variable can be set to, by position, in place of what was tried.
        constraints: what settings of several variables have to keep.
    """

    goal: Goal | None = None
    budget: int = 1
    can_set: tuple[int, ...] | None = None
    values: Mapping[int, tuple[float, ...]] = field(default_factory=dict)
    costs: Mapping[int, float] = field(default_factory=dict)
    prefer: str | None = None
    ranges: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    constraints: tuple[Linear | Forbidden, ...] = ()


def wishes(
    table: Table,
    *,
    budget: int = 1,
    goal: str | None = None,
    can_set: Sequence[str] | None = None,
    values: Mapping[str, Sequence[float | str]] | None = None,
    costs: Mapping[str, float] | None = None,
    prefer: str | None = None,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    constraints: Sequence[Mapping[str, Any]] = (),
) -> Wishes:
    """Reads wishes by the names of a table's variables.

    Args:
        table: rows that the advice will rest on.
        budget: how many experiments to plan, 1 to 100.
        goal: "maximize Y" or "minimize Y".
        can_set: names of variables that may be set; all if None.
        values: what a variable can be set to: numbers, or names of its levels, each once.
        costs: of an experiment on a variable, above 0.
        prefer: "bits" to learn, "gain" for the goal.
        ranges: ends of what a variable can be set to.
        constraints: tables as in a campaign's file, see `spaces.read_constraint`.

    Raises:
        UserError: an unknown variable or level, a goal that cannot be read, a value given twice or
            of a variable that cannot be set, a number that cannot be.
    """
    names = table.variables
    whole("budget", budget, 1, _MOST)
    if prefer is not None:
        one_of("prefer", prefer, ("bits", "gain"))
    aim = None if goal is None else _goal(goal, table)
    if aim is None and prefer == "gain":
        raise UserError("prefer", prefer, "there is nothing to gain without a goal: name one")
    allowed = None
    if can_set is not None:
        allowed = tuple(_variable(name, table, "can-set") for name in can_set)
    choices, price = {}, {}
    for name, own in (values or {}).items():
        at = _variable(name, table, "values")
        _check_settable(names, at, allowed, aim, "values")
        choices[at] = _values(table, at, own)
    for name, cost in (costs or {}).items():
        at = _variable(name, table, "costs")
        _check_settable(names, at, allowed, aim, "costs")
        if not (math.isfinite(cost) and cost > 0):
            raise UserError(f"costs {name}", cost, "give a number above 0")
        price[at] = float(cost)
    ends = {}
    for name, (low, high) in (ranges or {}).items():
        at = _variable(name, table, "range")
        _check_settable(names, at, allowed, aim, "range")
        if table.columns[at].named or at in choices:
            raise UserError("range", name, "its values are listed: give values, or a range")
        if not (low < high and max(abs(low), abs(high)) <= LARGEST_VALUE):
            raise UserError(f"range {name}", f"{low:g}..{high:g}", "the first end lies below the "
                            "second")  # fmt: skip
        ends[at] = (float(low), float(high))
    knobs = [_knob(table, i) for i in np.flatnonzero(table.factors).tolist()]
    kept = tuple(read_constraint(fields, knobs) for fields in constraints)
    return Wishes(aim, budget, allowed, choices, price, prefer, ends, kept)


def _knob(table: Table, at: int) -> Knob:
    """A factor as constraints name its values: levels by name, any number."""
    column = table.columns[at]
    if column.named and len(column.levels) > 1:
        return Knob(column.name, "categorical", levels=column.levels)
    return Knob(column.name, low=-LARGEST_VALUE, high=LARGEST_VALUE)


def _goal(text: str, table: Table) -> Goal:
    found = _GOAL.fullmatch(text)
    if not found:
        raise UserError("goal", text, "write 'maximize NAME' or 'minimize NAME'")
    sign = 1 if found[1].lower()[:2] in ("ma", "ra") else -1
    return Goal(_variable(found[2].strip("`\"'"), table, "goal"), sign)


def _variable(name: str, table: Table, field: str) -> int:
    """Position of a variable; says why a column of the file is none."""
    column = next((c for c in table.others if c.name == name), None)
    if column is not None and name not in table.variables:
        remedy = f"it is read as {column.role}: --roles {name}=measured makes it a variable"
        if column.role == "ignored":
            why = column.notes[-1] if column.notes else "it is empty, was dropped or is ignored"
            remedy = f"{why}: nothing can be learned about it"
        raise UserError(field, name, remedy)
    return _known(name, table.variables, field)


def _known(name: str, names: Sequence[str], field: str) -> int:
    if name in names:
        return list(names).index(name)
    near = difflib.get_close_matches(name, names, 3)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    listed = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    raise UserError(field, name, f"use one of {listed}{hint}")


def _check_settable(
    names: Sequence[str], at: int, allowed: tuple[int, ...] | None, goal: Goal | None, field: str
) -> None:
    if goal is not None and at == goal.variable:
        raise UserError(field, names[at], "it is the goal, which is not set: leave it out")
    if allowed is not None and at not in allowed:
        raise UserError(field, names[at], "it cannot be set: add it to can-set")


def _values(table: Table, at: int, own: Sequence[float | str]) -> tuple[float, ...]:
    field = f"values {table.variables[at]}"
    found = [_coded(table, at, value) for value in own]
    if not found:
        raise UserError("values", table.variables[at], "give at least one value")
    for k, value in enumerate(found):
        if value in found[:k]:
            raise UserError(field, own[k], "it is given twice: give each value once")
    return tuple(found)


def _coded(table: Table, variable: int, value: float | str) -> float:
    """A level's position, or the number itself."""
    column = table.columns[variable]
    if column.named:
        if str(value) not in column.levels:
            listed = ", ".join(column.levels[:12])
            raise UserError(f"values {column.name}", value, f"use one of {listed}")
        return float(column.levels.index(str(value)))
    try:
        found = float(value)
    except ValueError:
        found = np.nan
    if not abs(found) <= LARGEST_VALUE:
        remedy = f"give finite numbers, at most {LARGEST_VALUE:.0e} in size"
        raise UserError(f"values {column.name}", value, remedy)
    return found
