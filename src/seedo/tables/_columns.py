"""A user's own file, CSV, TSV or Parquet, as named columns; and its columns as numbers."""

from __future__ import annotations

import csv
import difflib
import gzip
import io
import re
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from seedo.errors import UserError

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")
LARGEST_VALUE = 1e100
"""Size of a value from which sums of squares are no longer safe in float64."""

MAX_CELLS = 1 << 28
MAX_BYTES = 4 << 30
"""Most that a file may hold once it is unpacked; a small one may claim any number."""

MISSING = ("", "na", "n/a", "#n/a", "nan", "null", "none")
_NUMBER = r"^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$|^-?inf(inity)?$"
_COMMA_NUMBER = r"^[+-]?\d*,\d+(e[+-]?\d+)?$"
_DATE = re.compile(r"\d{4}-\d\d?-\d\d?|\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{1,2}:\d\d")
_NAMES_SHOWN = 12


def near(name: str, names: Collection[str]) -> str:
    """What may stand where `name` stood: some of `names`, and the most similar one if any is."""
    shown = [repr(n) if "," in n or not n.strip() else n for n in list(names)[:_NAMES_SHOWN]]
    more = f" or {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    by_fold = {n.casefold(): n for n in names}
    alike = difflib.get_close_matches(name.casefold(), by_fold, 1)
    guess = f"; did you mean {by_fold[alike[0]]!r}?" if alike else ""
    return f"use one of {', '.join(shown)}{more}{guess}" if names else "there is none"


@dataclass(frozen=True, eq=False)
class Columns:
    """One file's columns, cells as they stand there.

    Attributes:
        path: the file.
        arrays: by name, all of `rows` cells: text (CSV), or any Arrow type (Parquet).
        rows: R.
        data: the text file's bytes, to find rows again for messages; None for Parquet.
        delimiter: between cells; empty for Parquet.
        warnings: what was left out, one line each.
    """

    path: Path
    arrays: dict[str, pa.ChunkedArray]
    rows: int
    data: bytes | None
    delimiter: str
    warnings: tuple[str, ...] = ()

    def place(self, row: int, column: str) -> str:
        """Where a cell stands, see `line`."""
        return f"{self.line(row)}, column {column}"

    def line(self, row: int) -> str:
        """Where a row stands, `row` (from 0) counted as a spreadsheet does: the header is row 1.

        Empty lines count, though they are no rows of data.
        """
        number = row + 2
        if self.data is not None:
            at = (k for k, cells in enumerate(_records(self.data, self.delimiter), 1) if cells)
            try:
                for _ in range(row + 2):
                    number = next(at)
            except (csv.Error, StopIteration):
                number = row + 2
        return f"{self.path} row {number}"

    def text(self, column: str) -> pa.ChunkedArray:
        """The cells as text[R], blanks at either end removed, empty where null.

        Raises:
            UserError: the column holds lists or the like.
        """
        try:
            text = pc.cast(self.arrays[column], pa.string())
        except pa.ArrowException:
            kind = str(self.arrays[column].type)
            raise UserError(f"{self.path} column {column}", kind[:80], "give text") from None
        text = pc.utf8_trim_whitespace(text)
        # Filling makes Arrow import pandas, which takes long.
        return pc.fill_null(text, "") if text.null_count else text

    def numbers(self, wanted: Sequence[str]) -> tuple[NDArray[np.float64], list[str]]:
        """The wanted columns, NaN where a cell is empty, NA, NaN, None or null; and warnings.

        `true` and `false` are 1 and 0. Decimal commas are read where the file does not separate
        its cells by commas and uses no decimal points.

        Returns:
            values: float64[R, len(wanted)], finite or NaN.
            warnings: one line each.

        Raises:
            UserError: a column or a cell holds no numbers, or a number is infinite or huge.
        """
        values = np.empty((self.rows, len(wanted)))
        unread: dict[str, pa.ChunkedArray] = {}
        no_numbers: dict[str, str] = {}
        for j, name in enumerate(wanted):
            array = self.arrays[name]
            if _is_text(array.type):
                read, left = _parse(array)
                if read is None:
                    unread[name] = left
                    continue
            elif (read := _convert(array)) is None:
                no_numbers[name] = _kind(array.type)
                continue
            values[:, j] = read
        warnings = []
        if unread and self._decimal_commas(wanted, unread):
            for name, array in list(unread.items()):
                read, left = _parse(pc.replace_substring(array, ",", "."))
                if read is not None:
                    values[:, wanted.index(name)] = read
                    del unread[name]
            between = "semicolons" if self.delimiter == ";" else "tabs"
            warnings.append(
                f"{self.path}: {between} between cells, decimal commas: 1,5 read as 1.5"
            )
        self._refuse_text(unread, no_numbers)
        with np.errstate(invalid="ignore"):
            huge = np.argwhere(np.abs(values) > LARGEST_VALUE)
        if len(huge):
            row, j = map(int, huge[0])
            remedy = "give a finite number, or leave the cell empty"
            if np.isfinite(values[row, j]):
                remedy = f"at most {LARGEST_VALUE:.0e} in size: choose another unit"
            raise UserError(self.place(row, wanted[j]), self._cell(wanted[j], row), remedy)
        spread = np.nanmax(values, axis=0, initial=-np.inf) - np.nanmin(
            values, axis=0, initial=np.inf
        )
        small = np.flatnonzero((spread > 0) & (spread < 1 / LARGEST_VALUE))
        if len(small):
            remedy = f"its values differ by less than {1 / LARGEST_VALUE:.0e}: choose another unit"
            raise UserError(f"{self.path} column {wanted[int(small[0])]}", None, remedy)
        return values, warnings

    def _cell(self, column: str, row: int) -> Any:
        cell = self.arrays[column][row].as_py()
        return cell[:80] if isinstance(cell, str) else cell

    def _decimal_commas(self, wanted: Sequence[str], unread: dict[str, pa.ChunkedArray]) -> bool:
        if self.delimiter not in (";", "\t"):
            return False
        if not any(_any(pc.match_substring_regex(a, _COMMA_NUMBER)) for a in unread.values()):
            return False
        point = r"^[+-]?[\d.]*\.\d[\d,.eE+-]*$"
        return not any(
            _any(pc.match_substring_regex(self.arrays[name], point))
            for name in wanted
            if _is_text(self.arrays[name].type)
        )

    def _refuse_text(self, unread: dict[str, pa.ChunkedArray], no_numbers: dict[str, str]) -> None:
        """Raises UserError for columns that are not numbers, then for a cell that is not one."""
        cells: dict[str, int] = {}
        for name, array in unread.items():
            good = np.asarray(pc.fill_null(pc.match_substring_regex(array, _NUMBER), True))
            there = int(pc.count(array).as_py())
            bad = len(good) - int(good.sum())
            cells[name] = int(np.argmin(good))
            if 2 * bad > there:
                example = str(self._cell(name, cells.pop(name)))
                no_numbers[name] = f"{example!r}, a {'date' if _DATE.match(example) else 'text'}"
        if no_numbers:
            names = list(no_numbers)
            some = "columns" if len(names) > 1 else "column"
            held = next(iter(no_numbers.values()))
            shown, choice = ", ".join(names), f"leave out with --drop {','.join(names)}"
            if len(names) > _NAMES_SHOWN:
                shown = f"{', '.join(names[:_NAMES_SHOWN])} and {len(names) - _NAMES_SHOWN} more"
                choice = "choose columns with --keep"
            remedy = f"no numbers ({held}): {choice}, or use as --targets or --sources"
            raise UserError(f"{self.path} {some} {shown}", None, remedy)
        for name, row in cells.items():
            cell = self._cell(name, row)
            remedy = "give a number, or leave the cell empty"
            if re.fullmatch(r"[+-]?[\d.,' ]+", str(cell)):
                remedy = "give a number with a decimal point, without thousands separators"
            raise UserError(self.place(row, name), cell, remedy)


def codes(blocks: Sequence[Columns], column: str) -> tuple[NDArray[np.int64], list[str]]:
    """A column of names: position of every row's in the list of different ones; and that list."""
    chunks = [chunk for block in blocks for chunk in block.text(column).chunks]
    encoded = pa.chunked_array(chunks, pa.string()).combine_chunks().dictionary_encode()
    names = [str(cell) for cell in encoded.dictionary.to_pylist()]
    return np.from_dlpack(encoded.indices).astype(np.int64), names


def read_columns(path: Path) -> Columns:
    """Reads a file of one of `SUFFIXES`; the first row of a text file names the columns.

    A nameless first column (row labels, as pandas and R write them) is left out with a warning.

    Raises:
        UserError: the file cannot be read, or not as a table; names the row where there is one.
    """
    name = path.name.lower()
    if not path.exists():
        raise UserError(str(path), None, "there is no such file")
    if path.is_dir():
        remedy = "a folder, and no dataset with a manifest.json: give its files one by one"
        raise UserError(str(path), None, remedy)
    if not name.endswith(SUFFIXES):
        raise UserError(str(path), path.suffix or "no suffix", f"give {', '.join(SUFFIXES)}")
    try:
        if name.endswith(".parquet"):
            return _read_parquet(path)
        data = path.read_bytes()
    except OSError as error:
        raise UserError(str(path), None, f"cannot be read: {error.strerror or error}") from error
    if name.endswith(".gz"):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
                data = file.read(MAX_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise UserError(str(path), None, f"not a whole gzip file: {error}") from error
        if len(data) > MAX_BYTES:
            raise UserError(str(path), None, f"more than {MAX_BYTES:,} bytes unpacked: part it")
    return _read_text(path, _decoded(path, data), name.removesuffix(".gz").endswith(".tsv"))


def _read_parquet(path: Path) -> Columns:
    try:
        with pq.ParquetFile(path) as file:
            check_unpacked(file.metadata)
            table = file.read()
    except UserError as error:
        raise UserError(str(path), error.value, error.remedy) from error
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        reason = str(error)[:120]
        raise UserError(str(path), None, f"not a whole Parquet file: {reason}") from error
    _check_names(path, table.column_names)
    arrays = dict(zip(table.column_names, table.columns, strict=True))
    index = [name for name in arrays if re.fullmatch(r"__index_level_\d+__", name)]
    for name in index:
        del arrays[name]
    warnings = [f"{path}: pandas' index {name} is left out" for name in index]
    for name, array in arrays.items():
        if pa.types.is_dictionary(array.type):
            arrays[name] = pc.cast(array, array.type.value_type)
    return Columns(path, arrays, table.num_rows, None, "", tuple(warnings))


def check_unpacked(metadata: pq.FileMetaData) -> None:
    """Raises UserError for a Parquet file that is too large to be read once it is unpacked."""
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    cells = sum(g.column(i).num_values for g in groups for i in range(g.num_columns))
    unpacked = sum(group.total_byte_size for group in groups)
    if max(cells, metadata.num_rows) > MAX_CELLS or unpacked > MAX_BYTES:
        held = f"{metadata.num_rows:,} rows, {cells:,} cells, {unpacked:,} bytes unpacked"
        remedy = f"at most {MAX_CELLS:,} cells and {MAX_BYTES:,} bytes: part it into several files"
        raise UserError("file", held, remedy)


def _decoded(path: Path, data: bytes) -> bytes:
    """The bytes without byte order mark, known to be UTF-8 text with something in it."""
    for start, what in (
        (b"\x1f\x8b", "compressed by gzip: let its name end in .csv.gz or .tsv.gz"),
        (b"PAR1", "a Parquet file: let its name end in .parquet"),
        (b"PK\x03\x04", "an Excel or zip file: save it as CSV"),
    ):
        if data.startswith(start):
            raise UserError(str(path), None, what)
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        raise UserError(str(path), None, "an empty file: give a header and rows")
    try:
        data.decode("utf-8")
        bad = data.find(b"\x00")
    except UnicodeDecodeError as error:
        bad = error.start
    if bad >= 0:
        line = data.count(b"\n", 0, bad) + 1
        raise UserError(
            f"{path} line {line}", data[bad : bad + 1], "no UTF-8 text: save it as UTF-8"
        )
    return data


def _read_text(path: Path, data: bytes, tabs: bool) -> Columns:
    delimiter = _delimiter(data, tabs)
    try:
        header = next((cells for cells in _records(data, delimiter) if cells), [])
    except csv.Error as error:
        raise UserError(f"{path} header", None, f"not CSV: {error}") from error
    names = [name.strip() for name in header]
    labels = len(names) > 1 and not names[0] and names.count("") == 1
    _check_names(path, names[labels:], labels + 1)
    _check_header(path, names)
    if data.count(b'"') % 2:
        _refuse_open_quote(path, data, delimiter)
    try:
        table = pacsv.read_csv(
            pa.BufferReader(data if data.endswith(b"\n") else data + b"\n"),
            read_options=pacsv.ReadOptions(block_size=1 << 24),
            parse_options=pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=b'"' in data),
            convert_options=pacsv.ConvertOptions(
                column_types={name: pa.string() for name in header}, check_utf8=False
            ),
        )
    except pa.ArrowException as error:
        _refuse_ragged(path, data, delimiter, len(names))
        raise UserError(str(path), None, f"not CSV: {str(error)[:120]}") from error
    arrays = dict(zip(names, table.columns, strict=True))
    warnings = []
    if labels:
        del arrays[""]
        warnings.append(f"{path}: the nameless first column (row labels) is left out")
    return Columns(path, arrays, table.num_rows, data, delimiter, tuple(warnings))


def _records(data: bytes, delimiter: str, strict: bool = False) -> Iterator[list[str]]:
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
    return csv.reader(text, delimiter=delimiter, strict=strict)


def _delimiter(data: bytes, tabs: bool) -> str:
    """What separates the header's cells: of comma, semicolon and tab the most frequent one."""
    start = data.lstrip(b"\r\n")[:1_000_000].decode("utf-8", "ignore")
    header = re.sub(r'"[^"]*"', "", start)
    header = re.split(r"[\r\n]", header, maxsplit=1)[0]
    if tabs and "\t" in header:
        return "\t"
    return max(",;\t", key=header.count)


def _check_names(path: Path, names: Sequence[str], first: int = 1) -> None:
    seen: set[str] = set()
    for position, name in enumerate(names, first):
        if not name:
            raise UserError(f"{path} header, column {position}", name, "give every column a name")
        if not name.isprintable():
            remedy = "write the name on one line, without control characters"
            raise UserError(f"{path} header, column {position}", name, remedy)
        if name in seen:
            raise UserError(f"{path} header", name, "there more than once: rename one")
        seen.add(name)


def _check_header(path: Path, names: Sequence[str]) -> None:
    """Refuses a first row of data; 0, 1, ... are names, pandas' own."""
    numbers = all(re.fullmatch(r"[+-]?\d*[.,]?\d+([eE][+-]?\d+)?", name) for name in names)
    if numbers and list(names) != [str(i) for i in range(len(names))]:
        given = ",".join(names)[:80]
        raise UserError(f"{path} header", given, "numbers: let the first row name the columns")


def _refuse_open_quote(path: Path, data: bytes, delimiter: str) -> None:
    start = 1
    try:
        for _ in _records(data, delimiter, strict=True):
            start += 1
    except csv.Error as error:
        if "unexpected end" in str(error) or "field limit" in str(error):
            raise UserError(f"{path} row {start}", '"', "this quote is never closed") from error


def _refuse_ragged(path: Path, data: bytes, delimiter: str, width: int) -> None:
    try:
        for number, cells in enumerate(_records(data, delimiter), 1):
            if cells and len(cells) != width:
                some = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
                raise UserError(f"{path} row {number}", some, f"the header has {width}")
    except csv.Error as error:
        raise UserError(str(path), None, f"not CSV: {error}") from error


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_temporal(kind):
        return f"{kind}, dates or times"
    return f"{kind}, nested" if pa.types.is_nested(kind) else str(kind)


def _convert(array: pa.ChunkedArray) -> NDArray[np.float64] | None:
    """A Parquet column as float64[R], NaN where null; None if its type is no number's."""
    kind = array.type
    if not (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_null(kind)
    ):
        return None
    return _floats(pc.cast(array, pa.float64(), safe=False))


def _parse(array: pa.ChunkedArray) -> tuple[NDArray[np.float64] | None, pa.ChunkedArray]:
    """Text as float64[R], NaN where missing, or None; and the cells in lower case, null there."""
    try:
        return _floats(pc.cast(array, pa.float64())), array
    except pa.ArrowInvalid:
        pass
    array = pc.utf8_lower(pc.utf8_trim_whitespace(array))
    missing = pc.is_in(array, value_set=pa.array(MISSING, array.type))
    array = pc.if_else(missing, pa.scalar(None, array.type), array)
    truth = pc.is_in(array, value_set=pa.array(["true", "false"], array.type))
    if pc.all(pc.or_(truth, pc.is_null(array))).as_py() and _any(truth):
        numbers = pc.if_else(pc.is_null(array), None, pc.equal(array, "true"))
        return _floats(pc.cast(numbers, pa.float64())), array
    array = pc.replace_substring_regex(array, r"^\+([\d.])", r"\1")
    try:
        return _floats(pc.cast(array, pa.float64())), array
    except pa.ArrowInvalid:
        return None, array


def _floats(array: pa.ChunkedArray) -> NDArray[np.float64]:
    """Arrow's float64[R], NaN where null. Arrow's own way to NumPy imports pandas, which takes
    long."""
    whole = array.combine_chunks()
    if not len(whole):
        return np.zeros(0)
    numbers = np.frombuffer(whole.buffers()[1], np.float64)[whole.offset :][: len(whole)]
    if not whole.null_count:
        return numbers
    valid = np.from_dlpack(pc.cast(whole.is_valid(), pa.uint8()))
    return np.where(valid, numbers, np.nan)


def _any(mask: pa.ChunkedArray) -> bool:
    return bool(pc.any(mask).as_py())
