"""Reports: figures, tables and pages of what was measured."""

from seedo.reports._abstraction import abstraction_lines, abstraction_table
from seedo.reports._advice_report import advice_table, write_advice
from seedo.reports._answer_report import write_answer
from seedo.reports._campaign_report import campaign_figures, campaign_table, write_campaign
from seedo.reports._card import card_of, markdown, write_card
from seedo.reports._drawing import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PINK,
    RED,
    SKY,
    STYLE,
    bar,
    bars,
    curve,
    legend_above,
    log_scale,
    only_ticks,
    panels,
    short_name,
    svg,
)
from seedo.reports._figures import figures
from seedo.reports._film import film
from seedo.reports._imagined import imagined_lines, write_shot
from seedo.reports._inside import inside_figure, interchange_table, probe_table
from seedo.reports._notebook import notebook_html
from seedo.reports._players import players_tables
from seedo.reports._report import (
    beside_table,
    frontier_table,
    html,
    information_table,
    less_table,
    matrix,
    regret_table,
    table,
    write_report,
)
from seedo.reports._settings_report import settings_table, write_settings_advice

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "INK",
    "ORANGE",
    "PINK",
    "RED",
    "SKY",
    "STYLE",
    "abstraction_lines",
    "abstraction_table",
    "advice_table",
    "bar",
    "bars",
    "beside_table",
    "campaign_figures",
    "campaign_table",
    "card_of",
    "curve",
    "figures",
    "film",
    "frontier_table",
    "html",
    "imagined_lines",
    "information_table",
    "inside_figure",
    "interchange_table",
    "legend_above",
    "less_table",
    "log_scale",
    "markdown",
    "matrix",
    "notebook_html",
    "only_ticks",
    "panels",
    "players_tables",
    "probe_table",
    "regret_table",
    "settings_table",
    "short_name",
    "svg",
    "table",
    "write_advice",
    "write_answer",
    "write_campaign",
    "write_card",
    "write_report",
    "write_settings_advice",
    "write_shot",
]
