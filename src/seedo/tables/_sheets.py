"""Excel, Stata and SPSS files as named columns, through libraries of the extra `tables`."""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from seedo.errors import UserError
from seedo.tables._columns import Columns
from seedo.tables._header import check_names, refuse_numbers

_MOST_LABELS = 1000
_MOST_UNPACKED = 1 << 30


def read_sheet(path: Path) -> Columns:
    """Reads the first sheet of a workbook that holds a table; its first full row is the header.

    Raises:
        UserError: the library is not installed, or the file cannot be read as a table.
    """
    calamine = _library("python_calamine", "python-calamine", path)
    _check_unpacked(path)
    try:
        book = calamine.CalamineWorkbook.from_path(str(path))
        sheets = {
            name: book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            for name in book.sheet_names
        }
    except Exception as error:  # the library's own, of many kinds
        raise _damaged(path, error) from None
    filled = {name: rows for name, rows in sheets.items() if any(map(_filled, rows))}
    if not filled:
        raise UserError(str(path), None, "no cell is filled: give a header and rows")
    name, rows = next(iter(filled.items()))
    widest = max(map(_filled, rows))
    top = next(i for i, row in enumerate(rows) if _filled(row) > widest / 2)
    warnings = []
    if len(filled) > 1:
        others = ", ".join(list(filled)[1:6])
        warnings.append(f"{path}: sheet {name!r} is read; not {others} (save it as a file)")
    if any(map(_filled, rows[:top])):
        warnings.append(f"{path}: the lines above row {top + 1} are taken for a title")
    header = [_text(cell) for cell in rows[top]]
    body = [row for row in rows[top + 1 :] if _filled(row)]
    used = [j for j, cell in enumerate(header) if cell or any(_there(row[j]) for row in body)]
    labels = len(used) > 1 and not header[used[0]]
    if labels:
        warnings.append(f"{path}: the nameless first column (row labels) is left out")
        used = used[1:]
    names = [header[j] for j in used]
    check_names(path, names)
    refuse_numbers(path, names)
    arrays = {header[j]: _array([row[j] for row in body]) for j in used}
    return Columns(path, arrays, len(body), None, "", tuple(warnings), lines=top + 1)


def _damaged(path: Path, error: Exception) -> UserError:
    """That a library could not read a file."""
    remedy = "damaged, or not what its name says: copy or save it again"
    return UserError(str(path), None, f"{remedy} ({str(error)[:100]})")


def read_statistical(path: Path) -> Columns:
    """Reads a file of Stata or SPSS; labels of values are names of levels in the values' order.

    Raises:
        UserError: the library is not installed, or the file cannot be read.
    """
    pyreadstat = _library("pyreadstat", "pyreadstat", path)
    read = pyreadstat.read_dta if path.name.lower().endswith(".dta") else pyreadstat.read_sav
    try:
        columns, about = read(str(path), output_format="dict")
    except Exception as error:  # the library's own, of many kinds
        raise _damaged(path, error) from None
    names = [name.strip() for name in columns]
    check_names(path, names)
    arrays, orders = {}, {}
    for name, cells in zip(names, columns.values(), strict=True):
        values = list(cells)
        labels = about.variable_value_labels.get(name, {})
        if labels and len(labels) <= _MOST_LABELS:
            held = {value for value in values if _there(value)}
            if held <= set(labels):
                orders[name] = tuple(str(labels[code]).strip() for code in sorted(labels))
                values = [str(labels[v]).strip() if _there(v) else None for v in values]
        arrays[name] = _array(values)
    rows = len(next(iter(arrays.values()))) if arrays else 0
    return Columns(path, arrays, rows, None, "", orders=orders)


def _check_unpacked(path: Path) -> None:
    """Refuses a workbook that is small and claims to hold far more than can be read."""
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as file:
            size = sum(part.file_size for part in file.infolist())
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise _damaged(path, error) from None
    if size > _MOST_UNPACKED:
        remedy = f"at most {_MOST_UNPACKED:,} bytes: save the sheet as CSV"
        raise UserError(str(path), f"{size:,} bytes unpacked", remedy)


def _library(module: str, package: str, path: Path) -> Any:
    try:
        return import_module(module)
    except ImportError:
        remedy = f"needs {package}: pip install 'seedo[tables]', or save the file as CSV"
        raise UserError(str(path), path.suffix, remedy) from None


def _there(cell: Any) -> bool:
    return cell is not None and cell != "" and cell == cell


def _filled(row: Sequence[Any]) -> int:
    return sum(map(_there, row))


def _text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return " ".join(str(cell).split()) if _there(cell) else ""


def _array(cells: Sequence[Any]) -> pa.ChunkedArray:
    """The cells as numbers, truth values or moments if all are, else as text."""
    there = [cell for cell in cells if _there(cell)]
    gap = [cell if _there(cell) else None for cell in cells]
    if there and all(isinstance(cell, bool | np.bool_) for cell in there):
        return pa.chunked_array([pa.array(gap, pa.bool_())])
    if all(isinstance(c, int | float | np.number) and not isinstance(c, bool) for c in there):
        return pa.chunked_array([pa.array(gap, pa.float64())])
    if all(isinstance(cell, datetime.date) for cell in there):
        moments = [
            cell if cell is None or isinstance(cell, datetime.datetime)
            else datetime.datetime(cell.year, cell.month, cell.day)
            for cell in gap
        ]  # fmt: skip
        return pa.chunked_array([pa.array(moments, pa.timestamp("us"))])
    return pa.chunked_array([pa.array([_text(cell) for cell in cells], pa.string())])
