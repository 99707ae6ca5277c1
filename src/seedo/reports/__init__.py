"""Reports: figures, tables and pages of what was measured."""

from seedo.reports._advice_report import (
    advice_table,
    write_advice,
)
from seedo.reports._figures import (
    bar,
    figures,
    log_scale,
    short_name,
    svg,
)
from seedo.reports._film import (
    film,
)
from seedo.reports._report import (
    beside_table,
    frontier_table,
    matrix,
    spoken_table,
    table,
    write_report,
)

__all__ = [
    "advice_table",
    "bar",
    "beside_table",
    "figures",
    "film",
    "frontier_table",
    "log_scale",
    "matrix",
    "short_name",
    "spoken_table",
    "svg",
    "table",
    "write_advice",
    "write_report",
]
