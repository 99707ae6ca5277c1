"""Users' tables: rows of measurements, and what had been done when each was taken."""

from seedo.tables._apart import Measured, measured_apart
from seedo.tables._column import COLUMN_TYPES, NAMED, ROLES, Column
from seedo.tables._columns import MISSING, Columns, codes, near
from seedo.tables._described import described
from seedo.tables._files import read_table
from seedo.tables._mixtures import Mixture, decimals, mixtures
from seedo.tables._parquet import check_unpacked
from seedo.tables._read_column import LARGEST_VALUE
from seedo.tables._read_columns import OPEN_SUFFIXES, SUFFIXES, read_columns
from seedo.tables._reading import Reading, roles_path, roles_text
from seedo.tables._said_names import said_names
from seedo.tables._table import OBSERVED, Regime, Table
from seedo.tables._usable import MAX_VARIABLES, chance_pairs, shortened

__all__ = [
    "COLUMN_TYPES",
    "LARGEST_VALUE",
    "MAX_VARIABLES",
    "MISSING",
    "NAMED",
    "OBSERVED",
    "OPEN_SUFFIXES",
    "ROLES",
    "SUFFIXES",
    "Column",
    "Columns",
    "Measured",
    "Mixture",
    "Reading",
    "Regime",
    "Table",
    "chance_pairs",
    "check_unpacked",
    "codes",
    "decimals",
    "described",
    "measured_apart",
    "mixtures",
    "near",
    "read_columns",
    "read_table",
    "roles_path",
    "roles_text",
    "said_names",
    "shortened",
]
