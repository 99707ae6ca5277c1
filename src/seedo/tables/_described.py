"""How a table was read, in a few lines for people."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seedo.tables._column import Column
from seedo.tables._table import Table

_MOST_COLUMNS, _MOST_LEVELS = 12, 4


def described(table: Table) -> list[str]:
    """How each column was read: variables by kind, what is no variable, and how to change that."""
    each = [_variable(c, table.values[:, j]) for j, c in enumerate(table.columns)]
    shown = "; ".join(each[:_MOST_COLUMNS])
    more = f"; and {len(each) - _MOST_COLUMNS} more" if len(each) > _MOST_COLUMNS else ""
    rows = f"{table.rows:,} rows"
    if table.weight is not None:
        rows += f" for {table.weight.sum():,.10g}"
    lines = [f"{table.title}: {rows} of {shown}{more}"]
    others = [f"{c.name} ({c.type}, {c.role})" for c in table.others]
    if others:
        left = len(others) - _MOST_COLUMNS
        shown = ", ".join(others[:_MOST_COLUMNS]) + (f" and {left} more" if left > 0 else "")
        lines.append(f"no variables: {shown}")
    if others or any(column.type != "real" for column in table.columns):
        lines.append("another reading: --types, --roles, --unit, --time, --weights, --missing, or "
                     "`seedo inspect FILE --write-roles`")  # fmt: skip
    return lines


def _variable(column: Column, values: NDArray[np.float64]) -> str:
    kind = column.type
    if column.levels and column.levels not in (("0", "1"), ("False", "True"), ("no", "yes")):
        some = ", ".join(column.levels[:_MOST_LEVELS])
        kind += f" ({some}{', ...' if len(column.levels) > _MOST_LEVELS else ''})"
    gaps = int(np.isnan(values).sum())
    parts = [f"{column.name} {kind}", f"in {column.unit}" if column.unit else "",
             column.role if column.role in ("factor", "outcome") else "",
             f"{gaps:,} missing" if gaps else ""]  # fmt: skip
    return ", ".join(part for part in parts if part)
