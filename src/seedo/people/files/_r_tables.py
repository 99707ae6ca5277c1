"""Data frames of R's files, or the same tables as CSV or Parquet."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.tables import read_columns

_R = (".rdata", ".rda")


def r_tables(file: Path) -> Iterator[dict[str, NDArray[Any]]]:
    """The tables in a file: columns by name, each [rows] of numbers, texts or (in R) matrices.

    Raises:
        UserError: the file is none of these, or its reader is not installed.
    """
    if file.suffix.lower() not in _R:
        arrays = read_columns(file).arrays
        yield {name: _cells(cells.to_pylist()) for name, cells in arrays.items()}
        return
    if not file.is_file():
        raise UserError(str(file), None, "there is no such file")
    try:
        import pandas as pd
        import rdata
    except ImportError as error:
        remedy = "to read R's files: pip install 'seedo[people]', or give the table as CSV"
        raise UserError(str(file), None, remedy) from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # matrices in cells come as they are, which is said
            found = rdata.read_rda(file)
    except Exception as error:  # whatever the reader raises, the file is not what it says it is
        raise UserError(str(file), None, f"not readable as R's data: {error}") from error
    for frame in found.values():
        if isinstance(frame, pd.DataFrame):
            yield {
                str(name): _cells(column.astype(object).where(column.notna(), None))
                for name, column in frame.items()
            }


class Rows:
    """Columns by name, with what is wrong in them said by file, column and row.

    Args:
        columns: each object[rows].
        places: row of the file of each row, counted from 0; None: all of them.
    """

    def __init__(
        self,
        file: Path,
        columns: dict[str, NDArray[Any]],
        places: NDArray[np.int64] | None = None,
    ) -> None:
        self.file, self.columns, self._places = file, columns, places

    def part(self, kept: NDArray[np.bool_]) -> Rows:
        """The same with some of the rows only."""
        return Rows(self.file, self.columns, np.flatnonzero(kept))

    def numbers(self, name: str) -> NDArray[np.float64]:
        """float64[rows]; NaN where R has NA or a text file nothing."""
        return np.array(list(self._each(name, _number, "give a number")), np.float64)

    def whole(self, name: str, among: tuple[int, ...] = ()) -> NDArray[np.int64]:
        """int64[rows], every one among these if there are some."""
        found = self.numbers(name)
        wrong = ~np.isfinite(found) | (found != np.round(found))
        wrong |= ~np.isin(found, among) if among else False
        if wrong.any():
            row = int(np.argmax(wrong))
            remedy = f"give one of {', '.join(map(str, among))}" if among else "give a whole number"
            raise self.wrong(name, row, remedy)
        return found.astype(np.int64)

    def texts(self, name: str) -> list[str]:
        """What stands in a column; whole numbers without a point."""
        return list(self._each(name, _text, "give text"))

    def flags(self, name: str, count: int) -> NDArray[np.bool_]:
        """bool[rows, count] of cells that hold so many numbers, in a matrix or in words."""
        found = list(self._each(name, lambda cell: _flags(cell, count), f"give {count} of 0 and 1"))
        return np.array(found, np.bool_).reshape(-1, count)

    def wrong(self, name: str, row: int, remedy: str) -> UserError:
        """The error of a cell, rows counted from 1."""
        place = row if self._places is None else int(self._places[row])
        value = " ".join(str(self.columns[name][place]).split())[:60]
        return UserError(f"{self.file}: column {name}, row {place + 1}", value, remedy)

    def _each(self, name: str, read: Callable[[Any], Any], remedy: str) -> Iterator[Any]:
        if name not in self.columns:
            raise UserError(f"{self.file}: column {name}", None, "missing")
        cells = self.columns[name]
        for row, cell in enumerate(cells if self._places is None else cells[self._places]):
            try:
                yield read(cell)
            except (TypeError, ValueError):
                raise self.wrong(name, row, remedy) from None


def _cells(column: Iterable[Any]) -> NDArray[Any]:
    """object[rows]; a matrix in a cell stays one cell."""
    cells = list(column)
    found = np.empty(len(cells), object)
    for row, cell in enumerate(cells):
        found[row] = cell
    return found


def _number(cell: Any) -> float:
    if cell is None or (isinstance(cell, str) and cell.strip() in ("", "NA")):
        return np.nan
    return float(cell)


def _text(cell: Any) -> str:
    if cell is None:
        raise ValueError(cell)
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    return str(cell).strip()


def _flags(cell: Any, count: int) -> list[float]:
    if isinstance(cell, str):
        cell = [float(part) for part in cell.replace("[", " ").replace("]", " ")
                .replace(",", " ").split()]  # fmt: skip
    found = [float(number) for number in np.asarray(cell, np.float64).ravel()]
    if len(found) != count or not set(found) <= {0.0, 1.0}:
        raise ValueError(cell)
    return found
