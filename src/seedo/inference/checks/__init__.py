"""Checks of a model against rows: functions of arrays, each of which finds one kind of fault.

The battery as a whole cries wolf in at most `FALSE_ALARMS` of clean tables: every check has a
fixed share of that level.
"""

from seedo.inference.checks._added import added_terms
from seedo.inference.checks._finding import FALSE_ALARMS, SHARE, Finding
from seedo.inference.checks._groups import constant_within, groups_of, resemblance
from seedo.inference.checks._order import (
    Order,
    alike_in_runs,
    by_time,
    order,
    order_finding,
)
from seedo.inference.checks._overlap import Overlap, overlap, separated
from seedo.inference.checks._rows import (
    copies,
    far_out,
    heavy_tails,
    missing_by_outcome,
    missing_finding,
    missing_tells,
    unequal_spread,
)

__all__ = [
    "FALSE_ALARMS",
    "SHARE",
    "Finding",
    "Order",
    "Overlap",
    "added_terms",
    "alike_in_runs",
    "by_time",
    "constant_within",
    "copies",
    "far_out",
    "groups_of",
    "heavy_tails",
    "missing_by_outcome",
    "missing_finding",
    "missing_tells",
    "order",
    "order_finding",
    "overlap",
    "resemblance",
    "separated",
    "unequal_spread",
]
