"""A file of any kind as named columns."""

from __future__ import annotations

from pathlib import Path

from seedo.errors import UserError
from seedo.tables._columns import Columns
from seedo.tables._parquet import read_parquet
from seedo.tables._text_file import read_text_file

_TEXT = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz")
_SHEETS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")
_STATISTICAL = (".dta", ".sav", ".zsav")
OPEN_SUFFIXES = (*_TEXT, ".parquet")
"""How names of tables end that are read without a library of the extra `tables`."""

SUFFIXES = (*OPEN_SUFFIXES, *_SHEETS, *_STATISTICAL)
"""How names of files end that can be read as a table."""


def read_columns(path: Path) -> Columns:
    """Reads a file of one of `SUFFIXES`; the first row of a text file names the columns.

    Raises:
        UserError: the file cannot be read, or not as a table; names the row where there is one.
    """
    name = path.name.lower()
    if not path.exists():
        raise UserError(str(path), None, "there is no such file")
    if path.is_dir():
        remedy = "a folder, and no dataset with a manifest.json: give its files one by one"
        raise UserError(str(path), None, remedy)
    if name.endswith(_TEXT):
        return read_text_file(path)
    if name.endswith(".parquet"):
        return read_parquet(path)
    if name.endswith(_SHEETS + _STATISTICAL):
        # Libraries of an extra, which take long to import.
        from seedo.tables import _sheets

        return (
            _sheets.read_sheet(path) if name.endswith(_SHEETS) else _sheets.read_statistical(path)
        )
    raise UserError(str(path), path.suffix or "no suffix", f"give {', '.join(SUFFIXES)}")
