"""Users' tables: rows of measurements, and what had been done when each was taken."""

from seedo.tables._column import COLUMN_TYPES, NAMED, ROLES, Column
from seedo.tables._columns import (
    LARGEST_VALUE,
    MISSING,
    SUFFIXES,
    Columns,
    check_unpacked,
    codes,
    near,
    read_columns,
)
from seedo.tables._files import MAX_VARIABLES, read_table
from seedo.tables._mixtures import Mixture, decimals, mixtures
from seedo.tables._said_names import said_names
from seedo.tables._table import OBSERVED, Regime, Table

__all__ = [
    "COLUMN_TYPES",
    "LARGEST_VALUE",
    "MAX_VARIABLES",
    "MISSING",
    "NAMED",
    "OBSERVED",
    "ROLES",
    "SUFFIXES",
    "Column",
    "Columns",
    "Mixture",
    "Regime",
    "Table",
    "check_unpacked",
    "codes",
    "decimals",
    "mixtures",
    "near",
    "read_columns",
    "read_table",
    "said_names",
]
