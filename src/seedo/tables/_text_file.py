"""Text files with a header: CSV and its relatives."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from seedo.errors import UserError
from seedo.tables._columns import Columns
from seedo.tables._header import (
    Header,
    check_names,
    find_header,
    parted_by_spaces,
    records,
    refuse_numbers,
    spaces_to_tabs,
)
from seedo.tables._open import decoded, read_bytes

_MOST_NAMES = 200_000
"""Every column takes memory of its own, however few its cells are."""


def read_text_file(path: Path) -> Columns:
    """Reads a text file whose cells are parted by commas, semicolons, tabs, bars or blanks.

    A nameless first column (row labels, as pandas and R write them) and nameless columns without a
    single cell are left out with a warning.

    Raises:
        UserError: the file cannot be read, or not as a table; names the row where there is one.
    """
    data, warnings = decoded(path, read_bytes(path))
    blanks = parted_by_spaces(data)
    if blanks:
        data = spaces_to_tabs(data)
    tabs = blanks or path.name.lower().removesuffix(".gz").endswith(".tsv")
    header = find_header(path, data, tabs)
    names = _with_row_labels(header, data) if blanks else list(header.names)
    if len(names) > _MOST_NAMES:
        remedy = f"at most {_MOST_NAMES:,} columns: part it, or let its rows be columns"
        raise UserError(f"{path} header", f"{len(names):,} names", remedy)
    units = dict(zip(header.names, header.units, strict=True))
    labels = len(names) > 1 and not names[0] and bool(names[1])
    named = [name for name in names[labels:] if name]
    check_names(path, named if len(named) < len(names) - labels else names[labels:], labels + 1)
    refuse_numbers(path, names)
    if data.count(b'"') % 2:
        _refuse_open_quote(path, data, header.delimiter)
    table = _parse(path, data, header, names)
    nameless = [j for j, name in enumerate(names) if not name and j >= labels]
    for j in nameless:
        if _holds(table.column(j)):
            check_names(path, names[labels:], labels + 1)
    arrays = {name: table.column(j) for j, name in enumerate(names) if name}
    warnings += header.notes
    if labels:
        warnings.append(f"{path}: the nameless first column (row labels) is left out")
    if nameless and not blanks:
        warnings.append(f"{path}: {len(nameless)} columns without name and cells are left out")
    return Columns(
        path, arrays, table.num_rows, data, " " if blanks else header.delimiter, tuple(warnings),
        header.lines, {name: unit for name, unit in units.items() if unit and name},
    )  # fmt: skip


def _with_row_labels(header: Header, data: bytes) -> list[str]:
    """The names, with an empty one first where R wrote row labels without a name."""
    first = next((row for row in records(data[header.start :], header.delimiter) if row), [])
    return [""] * (len(first) == len(header.names) + 1) + list(header.names)


def _parse(path: Path, data: bytes, header: Header, names: Sequence[str]) -> pa.Table:
    rows = memoryview(data)[header.start :]
    keys = [str(j) for j in range(len(names))]
    types = {key: pa.string() for key in keys}
    if not bytes(rows[:1000]).strip() and not data[header.start :].strip():
        return pa.table({key: pa.array([], pa.string()) for key in keys})
    whole = rows if data.endswith(b"\n") else bytes(rows) + b"\n"
    try:
        return pacsv.read_csv(
            pa.BufferReader(whole),
            read_options=pacsv.ReadOptions(block_size=1 << 24, column_names=keys),
            parse_options=pacsv.ParseOptions(
                delimiter=header.delimiter, newlines_in_values=b'"' in data
            ),
            convert_options=pacsv.ConvertOptions(column_types=types, check_utf8=False),
        )
    except pa.ArrowException as error:
        _refuse_ragged(path, data, header, len(names))
        raise UserError(str(path), None, f"not CSV: {str(error)[:120]}") from error


def _holds(array: pa.ChunkedArray) -> bool:
    """Whether any cell holds something."""
    blank = pc.equal(pc.utf8_trim_whitespace(array), "")
    return bool(len(array)) and not pc.all(blank).as_py()


def _refuse_open_quote(path: Path, data: bytes, delimiter: str) -> None:
    start = 1
    try:
        for _ in records(data, delimiter, strict=True):
            start += 1
    except csv.Error as error:
        if "unexpected end" in str(error) or "field limit" in str(error):
            raise UserError(f"{path} row {start}", '"', "this quote is never closed") from error


def _refuse_ragged(path: Path, data: bytes, header: Header, width: int) -> None:
    seen = 0
    try:
        for number, cells in enumerate(records(data, header.delimiter), 1):
            seen += bool(cells)
            if cells and len(cells) != width and seen > header.lines:
                some = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
                remedy = f"the header has {width}: put cells that hold {header.delimiter!r} in "
                remedy += "double quotes" if len(cells) > width else "double quotes, fill gaps"
                if width == 1:
                    remedy = "the header has 1: if that is a title, begin its line with #"
                raise UserError(f"{path} row {number}", some, remedy)
    except csv.Error as error:
        raise UserError(str(path), None, f"not CSV: {error}") from error
