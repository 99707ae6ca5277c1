"""What was shown in the rows of one's own tables."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from seedo.abstraction._shown import Shown
from seedo.errors import UserError
from seedo.tables import Columns, read_columns

_FEWEST = 100
_FULL = 0.9
"""Columns of which fewer cells hold something are taken as shown only if they are named."""


def read_shown(
    paths: Sequence[Path], knobs: Sequence[str], raw: Sequence[str]
) -> tuple[Shown, tuple[str, ...], dict[str, str]]:
    """Rows of tables, the columns of what they show, and the files' SHA-256.

    Rows in which something shown is missing are left out.

    Raises:
        UserError: see `abstract_table`.
    """
    files = [read_columns(path) for path in paths]
    first = files[0].arrays
    for field, names in (("--knobs", knobs), ("--raw", raw)):
        if len(set(names)) < len(names):
            raise UserError(field, ",".join(names), "name every column once")
        for name in names:
            if name not in first:
                remedy = f"no column of {paths[0]}: its columns are {', '.join(list(first)[:12])}"
                raise UserError(field, name, remedy)
    if both := set(knobs) & set(raw):
        raise UserError("--raw", sorted(both)[0], "is among --knobs: it cannot be both")
    for path, file in zip(paths, files, strict=True):
        if missing := [n for n in (*knobs, *raw) if n not in file.arrays]:
            raise UserError(str(path), missing[0], f"has no such column, {paths[0]} has")
    chosen = tuple(raw) or _that_vary(files, set(knobs))
    if not chosen:
        raise UserError("--raw", None, f"no other column of {paths[0]} holds numbers that vary")
    for name in raw:
        column = np.concatenate([_numbers(file, name) for file in files])
        if np.nanmin(column, initial=np.inf) == np.nanmax(column, initial=-np.inf):
            raise UserError("--raw", name, "is the same in every row: leave it out")
    set_to = np.concatenate([_matrix(file, knobs) for file in files])
    shown = np.concatenate([_matrix(file, chosen) for file in files])
    whole = np.isfinite(shown).all(axis=1)
    if whole.sum() < _FEWEST:
        remedy = f"{_FEWEST} rows are needed in which nothing of what is shown is missing"
        raise UserError(str(paths[0]), int(whole.sum()), remedy)
    digests = {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    rows = np.arange(len(shown), dtype=np.int64)[whole]
    return Shown(shown[whole], set_to[whole], rows), chosen, digests


def _that_vary(files: list[Columns], without: set[str]) -> tuple[str, ...]:
    """Columns of all files that hold numbers, not the same in every row."""
    found = []
    for name in files[0].arrays:
        if name in without or any(name not in file.arrays for file in files):
            continue
        try:
            column = np.concatenate([_numbers(file, name) for file in files])
        except UserError:
            continue
        known = column[np.isfinite(column)]
        if len(known) >= _FULL * len(column) and (known != known[0]).any():
            found.append(name)
    return tuple(found)


def _matrix(file: Columns, names: Sequence[str]) -> NDArray[np.float32]:
    return np.stack([_numbers(file, name) for name in names], axis=1).astype(np.float32)


def _numbers(file: Columns, name: str) -> NDArray[np.float64]:
    """A column as float64, NaN where a cell is empty."""
    array = file.arrays[name]
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        text = pc.utf8_trim_whitespace(array)
        array = pc.if_else(pc.equal(text, ""), None, text)
    try:
        return np.asarray(array.cast(pa.float64()), np.float64)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise UserError(f"{file.path}, column {name}", None, "holds what is no number") from error
