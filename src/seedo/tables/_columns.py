"""A user's own file as named columns, cells as they stand there."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.tables._header import records

MISSING = ("", "na", "n/a", "#n/a", "nan", "null", "none", "<na>", "nat")
"""Cells that mean a missing value, in lower case, unless told."""
_NAMES_SHOWN = 12


def near(name: str, names: Collection[str]) -> str:
    """What may stand where `name` stood: some of `names`, and the most similar one if any is."""
    shown = [repr(n) if "," in n or not n.strip() else n for n in list(names)[:_NAMES_SHOWN]]
    more = f" or {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    by_fold = {n.casefold(): n for n in names}
    alike = difflib.get_close_matches(name.casefold(), by_fold, 1)
    guess = f"; did you mean {by_fold[alike[0]]!r}?" if alike else ""
    return f"use one of {', '.join(shown)}{more}{guess}" if names else "there is none"


def names_in(text: str, names: Collection[str]) -> list[str]:
    """Names in a text: one whole, or several with commas between them, perhaps in quotes."""
    if text in names or "," not in text:
        return [text if text in names or text.strip() not in names else text.strip()]
    parts = next(csv.reader([text], skipinitialspace=True))
    return [part.strip() for part in parts]


@dataclass(frozen=True, eq=False)
class Columns:
    """One file's columns.

    Attributes:
        path: the file.
        arrays: by name, all of `rows` cells: text (CSV), or any Arrow type.
        rows: R.
        data: a text file's bytes, to find rows again for messages; None for others.
        delimiter: between cells; empty where there is none.
        warnings: what was left out or passed over, one line each.
        lines: how many lines that are not empty stand above the first row.
        units: of measurement, by column, as far as the file says.
        orders: levels in their order, by column, as far as the file says.
        ranked: columns whose order of levels means something, as far as the file says.
    """

    path: Path
    arrays: dict[str, pa.ChunkedArray]
    rows: int
    data: bytes | None
    delimiter: str
    warnings: tuple[str, ...] = ()
    lines: int = 1
    units: Mapping[str, str] = field(default_factory=dict)
    orders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ranked: Collection[str] = ()

    def place(self, row: int, column: str) -> str:
        """Where a cell stands, see `line`."""
        return f"{self.line(row)}, column {column}"

    def line(self, row: int) -> str:
        """Where a row stands, `row` (from 0) counted as a spreadsheet does: the header is row 1.

        Empty lines count, though they are no rows of data.
        """
        number = row + self.lines + 1
        if self.data is not None:
            parted = "\t" if self.delimiter == " " else self.delimiter
            at = (k for k, cells in enumerate(records(self.data, parted), 1) if cells)
            try:
                for _ in range(row + self.lines + 1):
                    number = next(at)
            except (csv.Error, StopIteration):
                number = row + self.lines + 1
        return f"{self.path} row {number}"

    def text(self, column: str) -> pa.ChunkedArray:
        """The cells as text[R], blanks at either end removed, empty where null.

        Raises:
            UserError: the column holds lists or the like.
        """
        text = as_text(self.arrays[column])
        if text is None:
            kind = str(self.arrays[column].type)
            raise UserError(f"{self.path} column {column}", kind[:80], "give text")
        return text

    def numbers(self, wanted: Sequence[str]) -> NDArray[np.float64]:
        """The wanted columns as plain numbers, NaN where a cell is empty, NA, NaN, None or null.

        `true` and `false` are 1 and 0. Decimal commas are read where the file does not separate
        its cells by commas.

        Returns:
            float64[R, len(wanted)], finite or NaN.

        Raises:
            UserError: a cell holds no finite number.
        """
        values = np.empty((self.rows, len(wanted)))
        for j, name in enumerate(wanted):
            array = self.arrays[name]
            if not is_text(array.type):
                if not is_numeric(array.type):
                    raise UserError(f"{self.path} column {name}", str(array.type)[:80],
                                    "give numbers or names")  # fmt: skip
                values[:, j] = floats(pc.cast(array, pa.float64(), safe=False))
            else:
                values[:, j] = self._plain(name, self.text(name))
            infinite = np.isinf(values[:, j])
            if infinite.any():
                row = int(np.argmax(infinite))
                cell = array[row].as_py()
                remedy = "give a finite number, or leave the cell empty"
                raise UserError(self.place(row, name), cell, remedy)
        return values

    def _plain(self, name: str, text: pa.ChunkedArray) -> NDArray[np.float64]:
        text = without_missing(pc.utf8_lower(text))
        for word, number in (("true", "1"), ("false", "0")):
            text = pc.if_else(pc.equal(text, word), number, text)
        if self.delimiter != ",":
            text = pc.replace_substring_regex(text, r"^([+-]?\d*),(\d)", r"\1.\2")
        text = pc.replace_substring_regex(text, r"^\+([\d.])", r"\1")
        try:
            return floats(pc.cast(text, pa.float64()))
        except pa.ArrowInvalid:
            number = pc.match_substring_regex(text, r"^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$")
            row = pc.index(pc.fill_null(number, True), False).as_py()
            remedy = "give a number, or leave the cell empty"
            raise UserError(self.place(row, name), self.text(name)[row].as_py()[:80],
                            remedy) from None  # fmt: skip


def codes(blocks: Sequence[Columns], column: str) -> tuple[NDArray[np.int64], list[str]]:
    """A column of names: position of every row's in the list of different ones; and that list."""
    chunks = [chunk for block in blocks for chunk in block.text(column).chunks]
    return encoded(pa.chunked_array(chunks, pa.string()))


def encoded(text: pa.ChunkedArray) -> tuple[NDArray[np.int64], list[str]]:
    """Position of every cell in the list of different ones, in order of appearance; that list."""
    found = text.combine_chunks().dictionary_encode()
    return np.from_dlpack(found.indices).astype(np.int64), found.dictionary.to_pylist()


def as_text(array: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Cells as text, blanks at either end removed, empty where null; None if they cannot be."""
    try:
        text = pc.cast(array, pa.string())
    except pa.ArrowException:
        return None
    text = pc.utf8_trim_whitespace(text)
    # Filling makes Arrow import pandas, which takes long.
    return pc.fill_null(text, "") if text.null_count else text


def without_missing(lower: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text in lower case, null where it means that nothing is there."""
    missing = pc.is_in(lower, value_set=pa.array(MISSING, lower.type))
    return pc.if_else(missing, pa.scalar(None, lower.type), lower)


def is_text(kind: pa.DataType) -> bool:
    """Whether cells of an Arrow type are text."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def is_numeric(kind: pa.DataType) -> bool:
    """Whether cells of an Arrow type are numbers, truth values or nothing at all."""
    return (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_null(kind)
    )


def floats(array: pa.ChunkedArray) -> NDArray[np.float64]:
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


def truths(mask: pa.Array | pa.ChunkedArray) -> NDArray[np.bool_]:
    """Arrow's truth values as bool[R], False where null, without pandas (see `floats`)."""
    known = pc.if_else(pc.is_valid(mask), mask, False)
    whole = known.combine_chunks() if isinstance(known, pa.ChunkedArray) else known
    return np.from_dlpack(pc.cast(whole, pa.uint8())).astype(np.bool_)
