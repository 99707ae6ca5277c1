"""Users' tables: rows of measurements, and what had been done when each was taken."""

from seedo.tables._columns import (
    LARGEST_VALUE,
    SUFFIXES,
    Columns,
    read_columns,
)
from seedo.tables._files import (
    MAX_VARIABLES,
    read_table,
)
from seedo.tables._table import (
    OBSERVED,
    Regime,
    Table,
)

__all__ = [
    "LARGEST_VALUE",
    "MAX_VARIABLES",
    "OBSERVED",
    "SUFFIXES",
    "Columns",
    "Regime",
    "Table",
    "read_columns",
    "read_table",
]
