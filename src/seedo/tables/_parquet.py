"""Parquet files as named columns."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from seedo.errors import UserError
from seedo.tables._columns import Columns
from seedo.tables._header import check_names
from seedo.tables._open import MAX_BYTES

MAX_CELLS = 1 << 28


def read_parquet(path: Path) -> Columns:
    """Reads a Parquet file; pandas' index is left out with a warning.

    Raises:
        UserError: it cannot be read, or is too large once unpacked.
    """
    try:
        with pq.ParquetFile(path) as file:
            check_unpacked(file.metadata)
            table = file.read()
    except UserError as error:
        raise UserError(str(path), error.value, error.remedy) from error
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        reason = str(error)[:120]
        raise UserError(
            str(path), None, f"damaged, or no Parquet file: copy or save it again ({reason})"
        ) from error
    names = [name.strip() for name in table.column_names]
    check_names(path, names)
    arrays = dict(zip(names, table.columns, strict=True))
    index = [name for name in arrays if re.fullmatch(r"__index_level_\d+__", name)]
    for name in index:
        del arrays[name]
    warnings = [f"{path}: pandas' index {name} is left out" for name in index]
    orders: dict[str, tuple[str, ...]] = {}
    for name, array in arrays.items():
        if pa.types.is_dictionary(array.type):
            if array.type.ordered and array.num_chunks:
                orders[name] = tuple(map(str, array.chunk(0).dictionary.to_pylist()))
            arrays[name] = pc.cast(array, array.type.value_type)
    return Columns(path, arrays, table.num_rows, None, "", tuple(warnings), orders=orders,
                   ranked=frozenset(orders))  # fmt: skip


def check_unpacked(metadata: pq.FileMetaData) -> None:
    """Raises UserError for a Parquet file that is too large to be read once it is unpacked."""
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    cells = sum(g.column(i).num_values for g in groups for i in range(g.num_columns))
    unpacked = sum(group.total_byte_size for group in groups)
    if max(cells, metadata.num_rows) > MAX_CELLS or unpacked > MAX_BYTES:
        held = f"{metadata.num_rows:,} rows, {cells:,} cells, {unpacked:,} bytes unpacked"
        remedy = f"at most {MAX_CELLS:,} cells and {MAX_BYTES:,} bytes: part it into several files"
        raise UserError("file", held, remedy)
