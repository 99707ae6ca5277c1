"""A kept table as it is read, and how that is shown."""

from __future__ import annotations

import functools
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.lab.data._said import GRAPH, Said
from seedo.lab.data._shelf import EXPERIMENTS, TARGETS, Kept, without_path
from seedo.lab.data._words import error_on_page, on_page
from seedo.tables import COLUMN_TYPES, ROLES, Column, Reading, Table, near, read_columns, read_table

_MOST_LEVELS = 12


def read(kept: Kept, asked: str = "") -> tuple[Table, list[str]]:
    """The table with the rows that were entered, as `seedo ask` reads it, and what was noticed.

    Args:
        kept: which.
        asked: the question or goal; a column that it names stays a variable.

    Raises:
        UserError: it cannot be used as it is read.
    """
    said = kept.said
    entered = kept.beside(EXPERIMENTS)
    marks = kept.beside(TARGETS)
    try:
        table, notes = read_table(
            [kept.path, *([entered] if entered else [])],
            said.targets or (str(marks) if marks else None),
            reading=Reading(file=kept.roles, asked=f"{asked}\n{said.assumed.graph}"),
        )
    except UserError as error:
        raise error_on_page(without_path(error, kept.place)) from error
    return table, [line.replace(f"{kept.place}{os.sep}", "") for line in notes]


@functools.lru_cache(maxsize=256)
def columns_of(path: Path) -> tuple[str, ...]:
    """Names of a kept file's columns, in its order; the file stays as it was dropped."""
    return tuple(read_columns(path).arrays)


def check(kept: Kept, said: Said) -> None:
    """Raises UserError for what is said of a column that is not there.

    A name that is no column would be taken for a file of targets, wherever it lies.
    """
    names = columns_of(kept.path)
    for field, name in (*(("column", one.name) for one in said.columns),
                        *((("targets", said.targets),) if said.targets else ())):  # fmt: skip
        if name not in names:
            raise UserError(field, name, near(name, names))


def command(kept: Kept, verb: str, question: Sequence[str], options: Sequence[str]) -> str:
    """What is typed for the same answer on this machine."""
    words = ["seedo", verb, str(kept.path)]
    if entered := kept.beside(EXPERIMENTS):
        words.append(str(entered))
    words += question
    marks = kept.said.targets or kept.beside(TARGETS)
    if marks:
        words += ["--targets", str(marks)]
    words += kept.said.assumed.options(str(kept.place / GRAPH))
    return shlex.join([*words, *options])


def view(kept: Kept) -> dict[str, Any]:
    """How a table is read: every column, and what is odd; where it cannot be used, why."""
    names = columns_of(kept.path)
    told = {one.name: one.model_dump(mode="json") for one in kept.said.columns}
    common = {
        **kept.listed(),
        "types": COLUMN_TYPES,
        "roles": ROLES,
        "said": kept.said.model_dump(mode="json"),
        "folder": str(kept.place),
    }
    try:
        table, notes = read(kept)
    except UserError as error:
        columns = [{"name": name, "read": False, "said": told.get(name)} for name in names]
        return {**common, "error": str(error), "columns": columns, "notes": [], "variables": []}
    found = {column.name: column for column in (*table.columns, *table.others)}
    columns = [_column(found.get(name), name, table) | {"said": told.get(name)} for name in names]
    return {**common, "error": "", "columns": columns, "notes": [on_page(line) for line in notes],
            "variables": list(table.variables), "rows": table.rows,
            "set": _set(table)}  # fmt: skip


def _column(column: Column | None, name: str, table: Table) -> dict[str, Any]:
    if column is None:  # it says what was done
        return {"name": name, "read": True, "type": "", "role": "targets", "notes": []}
    values = None
    if name in table.variables:
        values = table.values[:, table.index(name)]
    return {
        "name": name,
        "read": True,
        "type": column.type,
        "role": column.role,
        "unit": column.unit,
        "levels": list(column.levels[:_MOST_LEVELS]),
        "level_count": len(column.levels),
        "missing": column.missing,
        "codes": list(column.codes),
        "notes": [on_page(note) for note in column.notes],
        "variable": name in table.variables,
        **_range(column, values),
    }


def _range(column: Column, values: NDArray[np.float64] | None) -> dict[str, Any]:
    """The ends of what was seen, and how often each level was."""
    if values is None or not np.isfinite(values).any():
        return {}
    seen = values[np.isfinite(values)]
    if column.named and column.levels:
        counts = np.bincount(seen.astype(np.int64), minlength=len(column.levels))
        return {"counts": counts[:_MOST_LEVELS].tolist()}
    return {"low": float(seen.min()), "high": float(seen.max()), "mean": float(seen.mean())}


def _set(table: Table) -> list[dict[str, Any]]:
    """What was done, and in how many rows."""
    rows = np.bincount(table.regime, minlength=len(table.regimes)).tolist()
    return [{"what": regime.name, "rows": count}
            for regime, count in zip(table.regimes, rows, strict=True) if count][:50]  # fmt: skip
