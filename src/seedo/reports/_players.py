"""One table for all players of a world: for the terminal, for pages and as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.table import Table

from seedo.evaluation import Group, Row
from seedo.reports._estimates import NONE, escape, frame, rounded, short, text
from seedo.statistics import Estimate, missing

Get = Callable[[Row], Estimate]


class Column(NamedTuple):
    """A figure of every row.

    Attributes:
        section: what it is about.
        form: `number`, `percent`, `count` (whole numbers) or `money`.
    """

    section: str
    title: str
    get: Get
    form: str = "number"


def _figure(name: str) -> Get:
    return lambda row: row.figures.get(name, missing(""))


def _shared(name: str) -> Get:
    return lambda row: row.shared.get(name, missing(""))


def _less(name: str) -> Get:
    return lambda row: row.less.get(name, missing(""))


_PHASES = {"explore": "experiments", "exploit": "scored actions"}
_ACTS = {"legal": "set or answered", "observed": "only observed", "passed": "passed",
         "refused": "replies refused", "echoed": "given back as shown"}  # fmt: skip

COLUMNS: tuple[Column, ...] = (
    Column("result", "return", _figure("return")),
    Column("result", "return ratio", _figure("return_ratio")),
    Column("result", "return ratio on shared systems", _shared("return_ratio")),
    Column("result", "return ratio, less", _less("return_ratio")),
    Column("result", "return, less", _less("return")),
    Column("result", "exploit regret", _figure("exploit_regret")),
    Column("result", "exploit regret on shared systems", _shared("exploit_regret")),
    Column("result", "exploit regret, less", _less("exploit_regret")),
    Column("result", "unexplored", _figure("unexplored")),
    Column("result", "unread", _figure("unread")),
    Column("result", "Bayes ratio on own experiments", _figure("bayes_ratio")),
    Column("result", "exact Bayes after its experiments", _figure("bayes_reader")),
    Column("what experiments told", "distinct tested", _figure("distinct_tested")),
    Column("what experiments told", "bits an experiment", _figure("bits")),
    Column("what experiments told", "bits by chance", _figure("random_bits")),
    Column("what experiments told", "bits of the best", _figure("best_bits")),
    Column("what experiments told", "bits above random", _figure("bits_above_random")),
    Column("what experiments told", "bits an experiment, less", _less("bits")),
    Column("arrows", "arrows F1", _figure("arrows_f1")),
    Column("arrows", "arrows by chance", _figure("arrows_by_chance")),
    Column("arrows", "arrows of the exact posterior", _figure("arrows_exact")),
    Column("arrows", "arrows F1, less", _less("arrows_f1")),
    Column("arrows", "valid answers", _figure("arrows_answered"), "percent"),
    *(
        Column(
            f"at {_PHASES[phase]}",
            f"{_PHASES[phase]}: {title}",
            _figure(f"{phase}_{name}"),
            "percent",
        )
        for phase in _PHASES
        for name, title in _ACTS.items()
    ),
    *(
        Column("replies", title, _figure(title), "percent")
        for title in ("clean", "repaired", "ambiguous", "illegal", "none", "malformed")
    ),
    Column("replies", "malformed, less", _less("malformed"), "percent"),
    Column("cost", "tokens in", _figure("tokens_in"), "count"),
    Column("cost", "tokens out", _figure("tokens_out"), "count"),
    Column("cost", "dollars", _figure("dollars"), "money"),
)
"""All figures of pages; `less` is on the systems that a row and the one it is held against met."""

_FORMS: dict[str, Callable[[float], str]] = {
    "number": "{:.3f}".format,
    "percent": "{:.1%}".format,
    "count": "{:,.0f}".format,
    "money": "{:,.5f}".format,
}


def cell(column: Column, row: Row) -> str:
    """`0.843 [0.831, 0.855]`, or a dash."""
    return text(column.get(row), form=_FORMS[column.form])


def columns_of(group: Group) -> list[Column]:
    """Those in which any row has a value."""
    return [c for c in COLUMNS if any(c.get(row).value is not None for row in group.rows)]


def heading(group: Group, less: bool = True) -> str:
    """What the rows of a group rest on, in a sentence; `less`: differences, too."""
    runs = [row for row in group.rows if row.kind == "run"]
    said = []
    if len(runs) > 1:
        if group.against and less:
            said.append(f"Less: {group.against}, on the systems that both met.")
        elif not group.against:
            said.append("The run that others are to be held against is not in this table.")
        if any(row.apart for row in runs):
            met = f"{group.shared:,} systems" if group.shared else "no system"
            said.append(f"* met other systems than the rest: all met {met}.")
        else:
            said.append(f"All met the same {group.shared:,} systems.")
    return " ".join(said)


def name_of(row: Row) -> str:
    """Its label, marked where it met systems that others did not."""
    return f"{row.label} *" if row.apart else row.label


# -- the terminal ---------------------------------------------------------------------------------


class _Narrow(NamedTuple):
    """A column of the terminal: cells of two lines, and what the legend says of them."""

    title: str
    lines: Callable[[Row], tuple[str, str]]
    says: str = ""


def _with_interval(get: Get, percent: bool = False) -> Callable[[Row], tuple[str, str]]:
    def lines(row: Row) -> tuple[str, str]:
        found = get(row)
        if found.value is None:
            return NONE, ""
        form: Callable[[float], str] = "{:.0%}".format if percent else "{:.2f}".format
        if found.low is None or found.high is None:
            return form(found.value), ""
        return form(found.value), f"[{form(found.low)}, {form(found.high)}]"

    return lines


def _two(first: str, second: str, form: str) -> Callable[[Row], tuple[str, str]]:
    def lines(row: Row) -> tuple[str, str]:
        both = [row.figures.get(name, missing("")).value for name in (first, second)]
        shown = [NONE if v is None else _SHORT[form](v) for v in both]
        return (shown[0], shown[1]) if any(v is not None for v in both) else (NONE, "")

    return lines


_SHORT: dict[str, Callable[[float], str]] = {
    "number": "{:.2f}".format,
    "percent": "{:.0%}".format,
    "count": "{:,.0f}".format,
}


def _money(row: Row) -> tuple[str, str]:
    return rounded(row.figures.get("dollars", missing("")).value), ""


_RESULTS = (
    _Narrow("n", lambda row: (f"{row.systems:,}", f"of {len(row.runs)}" if len(row.runs) > 1
                              else "")),
    _Narrow("return", _with_interval(_figure("return_ratio")), "share of the omniscient one"),
    _Narrow("mean", _with_interval(_figure("return"))),
    _Narrow("on shared", _with_interval(_shared("return_ratio"))),
    _Narrow("less", _with_interval(
        lambda row: row.less.get("return_ratio", row.less.get("return", missing(""))))),
    _Narrow("regret", _with_interval(_figure("exploit_regret")),
            "0 the omniscient return, 1 chance"),
    _Narrow("Bayes ratio", _with_interval(_figure("bayes_ratio")),
            "share of what could be made of the own experiments"),
    _Narrow("bits > random", _with_interval(_figure("bits_above_random"))),
    _Narrow("arrows F1", _with_interval(_figure("arrows_f1"))),
    _Narrow("chance\nexact", _two("arrows_by_chance", "arrows_exact", "number")),
)  # fmt: skip
_OF_STEPS = "shares of experiments, below of scored actions"
_OF_REPLIES = "shares of all replies"
_EACH = "of an episode"
_CONDUCT = (
    _Narrow("tested", lambda row: (short(row.figures.get("distinct_tested", missing(""))), "")),
    *(
        _Narrow(title, _two(f"explore_{name}", f"exploit_{name}", "percent"), says)
        for title, name, says in (
            ("set", "legal", _OF_STEPS), ("observed", "observed", _OF_STEPS),
            ("passed", "passed", _OF_STEPS), ("refused", "refused", "shares of replies there"),
            ("as shown", "echoed", "actions there that are the line with which the turn showed "
                                   "one, drawn at random"),
        )
    ),
    _Narrow("repaired", _with_interval(_figure("repaired"), percent=True), _OF_REPLIES),
    _Narrow("malformed", _with_interval(_figure("malformed"), percent=True), _OF_REPLIES),
    _Narrow("tokens\nin, out", _two("tokens_in", "tokens_out", "count"), _EACH),
    _Narrow("dollars", _money, _EACH),
)  # fmt: skip


def players_tables(group: Group) -> list[Table]:
    """The table of a group whole, then as two that are narrower: results, and what was done."""
    return [
        _table(group, (*_RESULTS, *_CONDUCT)),
        _table(group, _RESULTS),
        _table(group, _CONDUCT),
    ]


def _table(group: Group, columns: Sequence[_Narrow]) -> Table:
    shown = [c for c in columns if any(c.lines(row)[0] not in (NONE, "") for row in group.rows)]
    if any(c.title == "return" for c in shown):
        shown = [c for c in shown if c.title != "mean"]
    cells_of = [["\n".join(c.lines(row)).rstrip("\n") for c in shown] for row in group.rows]
    says = [heading(group, any(c.title == "less" for c in shown)), *_legend(shown)]
    if any("[" in cell for cells in cells_of for cell in cells):
        says.append("Brackets: 95 %.")
    made = frame(escape(" ".join(says).strip()), ["player"], [c.title for c in shown])
    made.title, made.title_justify = escape(group.label), "left"
    for row, cells in zip(group.rows, cells_of, strict=True):
        if row.kind == "run" or any(cell not in (NONE, "") for cell in cells[1:]):
            style = {"run": "", "seeds": "italic", "reference": "dim"}[row.kind]
            made.add_row(escape(name_of(row)), *cells, style=style)
    return made


def _legend(shown: Sequence[_Narrow]) -> list[str]:
    """What the columns are, those of one kind in one sentence."""
    titles: dict[str, list[str]] = {}
    for column in shown:
        titles.setdefault(column.says, []).append(column.title.partition("\n")[0])
    told = ((", ".join(own), says) for says, own in titles.items() if says)
    return [f"{own[0].upper()}{own[1:]}: {says}." for own, says in told]


# -- pages ----------------------------------------------------------------------------------------


class Line(NamedTuple):
    """A row as text; `cells` has what is shown and why it is missing, for every column."""

    kind: str
    name: str
    systems: str
    cells: list[tuple[str, str]]


class Sheet(NamedTuple):
    """The table of a group as text."""

    label: str
    heading: str
    columns: list[Column]
    lines: list[Line]


def sheet(group: Group) -> Sheet:
    """The table with all figures that anybody has."""
    columns = columns_of(group)
    lines = []
    for row in group.rows:
        cells = [(cell(column, row), column.get(row).reason) for column in columns]
        lines.append(Line(row.kind, name_of(row), f"{row.systems:,}", cells))
    return Sheet(group.label, heading(group), columns, lines)
