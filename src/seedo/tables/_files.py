"""A user's own data, in files, as one table of numbers."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.tables._column import Column
from seedo.tables._columns import Columns, codes, names_in, near
from seedo.tables._guess import is_cells, known_counts, likely_counts
from seedo.tables._read_column import Found, Place, read_all
from seedo.tables._read_columns import read_columns
from seedo.tables._reading import Reading, Said, resolved
from seedo.tables._table import Regime, Table
from seedo.tables._targets import Label, Labels, place, read_labels
from seedo.tables._totals import without_totals
from seedo.tables._usable import (
    MAX_VARIABLES,
    listed,
    nearly_empty,
    repeated_rows,
    too_few_columns,
    usable,
)

_VARIABLES = ("factor", "outcome", "measured")

_MOST_COUNTED = 10_000_000
"""A larger weight is no number of rows."""

_MOST_COLUMNS = 1000
"""More are not even read: hardly any of them could stay variables."""


def read_table(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    targets: str | None = None,
    *,
    sources: str | None = None,
    drop: Sequence[str] = (),
    keep: Sequence[str] | None = None,
    reading: Reading | None = None,
    few: bool = False,
) -> tuple[Table, list[str]]:
    """Reads files with one line a measurement and one column a variable.

    Files are text (cells between commas, semicolons, tabs, bars or blanks; UTF-8, UTF-16 or
    Windows-1252), perhaps compressed by gzip, Parquet, or with the extra `tables` Excel, Stata and
    SPSS. Several files are blocks of rows with the same columns. Empty cells, NA, NaN, None and
    null are missing. Columns of text become positions in their levels; how each was read stands in
    `Table.columns` and `Table.others`, what is odd in the warnings.

    `targets` says what had been done to the system in which rows: nothing at all if None, else

    - a column whose cells name what was changed: empty or `-` nothing, `X` X was set, `~X` its
      mechanism shifted, `!X` its mechanism replaced, `?` something unknown; several joined by `;`.
      A column's name comes before a file's.
    - a CSV or TSV file with the header `column,targets` (where this column is 1 and not 0, the
      targets are changed; no targets: no effect), `rows,targets` (rows of data `7` or `1-100`,
      counted from 1 through all files) or `file,targets` (all rows of that file), and perhaps a
      column `kind` (hard, soft, replaced, unknown) for targets without a prefix. Rows, files and
      switches that it does not mention are observations.

    Rows with the same targets are one regime, unless they are told apart by their column or file
    and more than setting took place: shifts of one variable by two reagents are two shifts. A
    changed column that is no variable of the table makes its rows' regime an unknown one. A column
    of role `factor` was set in every row.

    Left out with a warning are nameless row labels, columns without a value or nearly so, constant
    columns and all but the first of columns that are linear functions of each other in every
    complete row (copies, another unit); what was done to a copy was done to the column that stays.

    Args:
        paths: one file or several.
        targets: see above.
        sources: column with the name of each row's source, or `file`: each file is a source.
        drop: columns that are no variables.
        keep: the only columns that are variables; all if None.
        reading: what is said about types, roles, missing values and decimal commas.
        few: as few rows will do as there are, where nothing is estimated from them.

    Returns:
        table: float64[R, n] with NaN where missing; n from 2 to `MAX_VARIABLES`, and at least
            n + 2 rows are complete, unless `few`.
        warnings: one line each.

    Raises:
        UserError: names file, row (as a spreadsheet counts, the header being row 1), column and
            value of what cannot be used.
    """
    reading = reading or Reading()
    files = list(map(Path, [paths] if isinstance(paths, str | os.PathLike) else paths))
    if not files:
        raise UserError("data", None, "name at least one file")
    blocks = _read_blocks(files)
    names = list(blocks[0].arrays)
    said = resolved(reading, names)
    if sources is None:
        sources = next((n for n, one in said.items() if one.role == "source"), None)
    source, source_names, told = _sources(sources, blocks)
    labels = read_labels(targets, blocks, told)
    spent = {**dict.fromkeys(told, "sources"), **dict.fromkeys(labels.spent, "targets")}
    drop = [name for text in drop for name in names_in(text, names)]
    keep = keep and [name for text in keep for name in names_in(text, names)]
    wanted = _wanted(names, spent, drop, keep, blocks[0].data is not None)
    # A column that is no variable may still say what rows belong together, or when they were.
    helpers = [n for n in names if n not in wanted and n not in spent and n not in drop
               and said[n].role in ("unit", "time", "weight")]  # fmt: skip
    said = _protected(said, reading, wanted, keep, labels)
    found = read_all(blocks, [*wanted, *helpers], said)
    parts = _roles(found, said, wanted, blocks)
    table, warnings = _assembled(parts, labels, source, blocks, said, few)
    table = replace(table, sources=tuple(source_names), title=_title(files))
    return table, [line for block in blocks for line in block.warnings] + warnings


@dataclass(frozen=True, eq=False)
class _Parts:
    """What the columns are for.

    Attributes:
        variables: names of those that may become variables.
        found: all columns by name.
        unit, time, weight: names of the columns with these roles.
        notes: what was guessed about roles, one line each.
    """

    variables: list[str]
    found: dict[str, Found]
    unit: str | None
    time: str | None
    weight: str | None
    notes: list[str]

    @property
    def values(self) -> NDArray[np.float64]:
        return np.stack([self.found[name].values for name in self.variables], axis=1)


def _protected(
    said: dict[str, Said],
    reading: Reading,
    wanted: Sequence[str],
    keep: Sequence[str] | None,
    labels: Labels,
) -> dict[str, Said]:
    """What is said, with a mark at columns that are asked for or were set."""
    touched = {name for label in labels.labels for name in label.targets}
    kept = {name for name in wanted
            if name in touched or name in (keep or ()) or reading.names(name)}  # fmt: skip
    return {name: replace(one, wanted=name in kept) for name, one in said.items()}


def _roles(
    found: dict[str, Found],
    said: dict[str, Said],
    wanted: Sequence[str],
    blocks: Sequence[Columns],
) -> _Parts:
    """Which columns are variables, and which say something about rows."""
    chosen: dict[str, str | None] = {}
    for role in ("unit", "time", "weight"):
        having = [name for name, one in found.items() if role in (one.column.role, one.also)]
        by_user = [name for name in having if said[name].role == role]
        chosen[role] = next(iter(by_user or having), None)
        for name in having:
            if name != chosen[role] and found[name].column.role == role:
                found[name] = _with_role(found[name], "ignored")
    notes: list[str] = []
    variables = [name for name in wanted if found[name].column.role in _VARIABLES]
    if chosen["weight"] is None:
        chosen["weight"], notes = _counted(found, said, variables)
        variables = [name for name in variables if name != chosen["weight"]]
        if chosen["weight"]:
            found[chosen["weight"]] = _with_role(found[chosen["weight"]], "weight")
    for name in variables:
        if found[name].column.type == "label":
            odd = found[name].column.notes
            remedy = f"hardly two rows have the same name; --types {name}=categorical makes groups"
            remedy = next((note for note in odd if "look like" in note), remedy)
            raise UserError(f"{blocks[0].path} column {name}", None, remedy)
    if len(variables) < 2:
        others = [f"{n} ({one.column.type}, {one.column.role})" for n, one in found.items()
                  if n not in variables]  # fmt: skip
        remedy = "leave out fewer columns"
        if others:
            remedy = f"not used: {listed(others)}"
            first = next((n for n, one in found.items()
                          if n not in variables and not one.column.unread), "")  # fmt: skip
            remedy += f"; --roles {first}=measured uses it" if first else ""
            remedy += "".join(f"; {n} {note}" for n, one in found.items() if one.column.unread
                              for note in one.column.notes[:1])  # fmt: skip
        raise too_few_columns(variables, remedy)
    return _Parts(variables, found, chosen["unit"], chosen["time"], chosen["weight"], notes)


def _with_role(found: Found, role: str) -> Found:
    kind = "count" if role == "weight" else found.column.type
    return replace(found, column=replace(found.column, role=role, type=kind))


def _counted(
    found: dict[str, Found], said: dict[str, Said], variables: Sequence[str]
) -> tuple[str | None, list[str]]:
    """A column that must hold how often each row was there, and what to say about it."""
    for name in variables:
        # The name first: a table of thousands of columns would be looked through for each.
        if len(variables) < 3 or not (known_counts(name) or likely_counts(name)):
            continue
        others = [found[other].values for other in variables if other != name]
        counts = found[name].values
        if not is_cells(np.stack(others, axis=1), counts):
            continue
        total = f"{int(counts.sum()):,}"
        if said[name].role or said[name].wanted or not known_counts(name):
            line = f"column {name} looks like how often each row was there ({total} in all), and "
            return None, [line + f"is used as a measurement: --weights {name} if it is"]
        line = f"column {name} is taken for how often each row was there ({total} in all), as by "
        return name, [line + f"--weights {name}; if it is a measurement: --roles {name}=measured"]
    return None, []


def _assembled(
    parts: _Parts,
    labels: Labels,
    source: NDArray[np.int64],
    blocks: Sequence[Columns],
    said: dict[str, Said],
    few: bool,
) -> tuple[Table, list[str]]:
    """The table, without its sources' names and title, and what to say."""
    wanted, found, values = parts.variables, parts.found, parts.values
    labels = _with_factors(labels, parts, said)
    warnings = parts.notes + _noted(found)
    _check_set_values(values, wanted, labels.row, labels.labels, blocks)
    kept = {name for name in wanted if said[name].role or said[name].wanted}
    empty, lines = nearly_empty(values, wanted, kept)
    warnings += lines
    remaining = [name for name in wanted if name not in empty]
    values = values[:, [wanted.index(name) for name in remaining]]
    levels = {name: found[name].column.levels for name in remaining}
    unread = [f"{n} {note}" for n, one in found.items() if one.column.unread
              for note in one.column.notes[:1]]  # fmt: skip
    stands_for, left_out, useless = usable(values, remaining, levels, unread, few)
    useless |= dict.fromkeys(empty, "is nearly empty and left out")
    rows_of = np.bincount(labels.row, minlength=len(labels.labels))
    warnings += left_out
    warnings += _unknown_warnings(labels.labels, rows_of, stands_for)
    variables = [name for name in remaining if stands_for.get(name) == name]
    values = values[:, [remaining.index(name) for name in variables]]
    complete = int(np.isfinite(values).all(axis=1).sum())
    if complete < len(values) and not few:
        warnings.append(f"missing values: {complete} of {len(values)} rows are complete")
    if parts.weight is None and not few and (line := repeated_rows(values)):
        warnings.append(line)
    regimes = tuple(_regime(label, stands_for, variables) for label in labels.labels)
    rows = np.arange(len(values), dtype=np.int64)
    table = Table(
        tuple(variables), values, labels.row, regimes, source, (), episode=rows,
        step=np.zeros_like(rows),
        columns=tuple(found[name].column for name in variables),
        others=tuple(_other(one.column, useless.get(name, "")) for name, one in found.items()
                     if name not in variables),
        unit=_unit(parts, blocks), unit_name=parts.unit or "",
        weight=_weight(parts, blocks), time=_time(parts, blocks),
    )  # fmt: skip
    return _set_everywhere(table), warnings


def _noted(found: dict[str, Found]) -> list[str]:
    """What is odd about columns, the same about several in one line."""
    by_note: dict[str, list[str]] = {}
    for name, one in found.items():
        for note in one.column.notes:
            by_note.setdefault(note, []).append(name)
    return [f"column{'s' * (len(names) > 1)} {listed(names)}: {note}"
            for note, names in by_note.items()]  # fmt: skip


def _other(column: Column, why: str) -> Column:
    """A column that is no variable; what was left out is ignored, with the reason as a note."""
    if column.role not in _VARIABLES:
        return column
    notes = (*column.notes, f"it {why}") if why else column.notes
    return replace(column, role="ignored", notes=notes, useless=why)


def _with_factors(labels: Labels, parts: _Parts, said: dict[str, Said]) -> Labels:
    """What was done in every row, with what the user calls a factor."""
    factors = frozenset(name for name in parts.variables if said[name].role == "factor")
    if not factors:
        return labels
    done = [replace(label, hard=label.hard | factors, soft=label.soft - factors,
                    replaced=label.replaced - factors) for label in labels.labels]  # fmt: skip
    return replace(labels, labels=tuple(done))


def _set_everywhere(table: Table) -> Table:
    """The table, with the role of factor for what was set in every row."""
    factors: NDArray[np.bool_] = np.all(table.hard, axis=0)
    columns = [replace(column, role="factor") if factor else column
               for column, factor in zip(table.columns, factors, strict=True)]  # fmt: skip
    return replace(table, columns=tuple(columns))


def _refuse_gaps(values: NDArray[np.float64], name: str, blocks: Sequence[Columns],
                 remedy: str) -> None:  # fmt: skip
    gaps = np.isnan(values)
    if gaps.any():
        row = int(np.argmax(gaps))
        cell = Place(blocks, name).cell(row)
        raise UserError(place(blocks, row, name), "" if cell is None else str(cell), remedy)


def _unit(parts: _Parts, blocks: Sequence[Columns]) -> NDArray[np.int64] | None:
    """int64[R], the unit that each row belongs to."""
    if parts.unit is None:
        return None
    values = parts.found[parts.unit].values
    _refuse_gaps(values, parts.unit, blocks, "name every row's unit, or --roles "
                 f"{parts.unit}=ignored")  # fmt: skip
    return np.unique(values, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _time(parts: _Parts, blocks: Sequence[Columns]) -> NDArray[np.float64] | None:
    """float64[R], when each row was taken."""
    if parts.time is None:
        return None
    one = parts.found[parts.time]
    if one.column.type in ("categorical", "yes/no", "label"):
        raise UserError("--time", parts.time, "names without an order: give dates or numbers")
    _refuse_gaps(one.values, parts.time, blocks, f"no time: --roles {parts.time}=ignored")
    return one.values


def _weight(parts: _Parts, blocks: Sequence[Columns]) -> NDArray[np.float64] | None:
    """float64[R], how many rows each row stands for."""
    if parts.weight is None:
        return None
    one = parts.found[parts.weight]
    if one.column.named or one.column.type in ("label", "time"):
        if one.column.levels != ("0", "1"):
            raise UserError("--weights", parts.weight, f"holds {one.column.type}: give numbers")
    _refuse_gaps(one.values, parts.weight, blocks, "give every row's weight, a number from 0 on")
    if (one.values < 0).any():
        row = int(np.argmax(one.values < 0))
        raise UserError(place(blocks, row, parts.weight), float(one.values[row]),
                        "a weight is never below 0")  # fmt: skip
    if one.values.max() > _MOST_COUNTED:
        row = int(np.argmax(one.values))
        remedy = f"no row was there so often: at most {_MOST_COUNTED:,}"
        raise UserError(place(blocks, row, parts.weight), float(one.values[row]), remedy)
    if not one.values.any():
        raise UserError("--weights", parts.weight, "all are 0: no row counts")
    return one.values


def _title(files: Sequence[Path]) -> str:
    return ", ".join(path.name for path in files[:3]) + (", ..." if len(files) > 3 else "")


def _read_blocks(files: Sequence[Path]) -> list[Columns]:
    blocks: list[Columns] = []
    for path in files:
        if path in files[: len(blocks)]:
            raise UserError("data", str(path), "named twice: its rows would count double")
        block, total = without_totals(read_columns(path))
        block = replace(block, warnings=(*block.warnings, *([total] if total else [])))
        if not block.rows:
            raise UserError(str(path), None, "no rows below the header: give measurements")
        if blocks:
            first, here = list(blocks[0].arrays), set(block.arrays)
            differ = [f"no {name!r}" for name in first if name not in here]
            differ += [f"in addition {name!r}" for name in block.arrays if name not in first]
            if differ:
                remedy = f"columns differ from those of {blocks[0].path}: {', '.join(differ[:6])}"
                raise UserError(str(path), None, remedy)
        blocks.append(block)
    return blocks


def _sources(
    sources: str | None, blocks: Sequence[Columns]
) -> tuple[NDArray[np.int64], list[str], list[str]]:
    """Position of every row's source, int64[R]; the sources' names; columns that say so."""
    lengths = [block.rows for block in blocks]
    columns = list(blocks[0].arrays)
    if sources is None:
        return np.zeros(sum(lengths), np.int64), ["data"], []
    if sources not in columns:
        if sources == "file":
            return (np.repeat(np.arange(len(blocks)), lengths).astype(np.int64),
                    [str(block.path) for block in blocks], [])  # fmt: skip
        raise UserError("--sources", sources, f"give file, or {near(sources, columns)}")
    source, names = codes(blocks, sources)
    if "" in names:
        where = place(blocks, int(np.argmax(source == names.index(""))), sources)
        raise UserError(where, "", "name every row's source")
    if len(names) == len(source) > 1:
        raise UserError("sources", sources, "no two rows share a source: choose another column")
    return source, names, [sources]


def _wanted(
    names: Sequence[str], spent: dict[str, str], drop: Sequence[str], keep: Sequence[str] | None,
    text: bool,
) -> list[str]:  # fmt: skip
    """The columns to be read as variables, in the table's order."""
    for option, chosen in (("drop", drop), ("keep", keep or ())):
        for name in chosen:
            if name not in names:
                raise UserError(option, name, near(name, list(names)))
    for name in keep or ():
        if name in drop:
            raise UserError("keep", name, "also in --drop: choose one")
        if name in spent:
            raise UserError(
                "keep", name, f"no variable, since --{spent[name]} uses it: leave it out"
            )
    wanted = [
        name
        for name in names
        if name not in spent and name not in drop and (keep is None or name in keep)
    ]
    if len(names) < 2:
        remedy = "part the cells by commas, semicolons or tabs" if text else "give more columns"
        raise too_few_columns(wanted, remedy)
    if len(wanted) < 2:
        raise too_few_columns(wanted, "leave out fewer columns")
    if len(wanted) > _MOST_COLUMNS:
        remedy = f"at most {MAX_VARIABLES} are used: choose them with --keep"
        raise UserError("variables", len(wanted), remedy)
    return wanted


def _check_set_values(
    values: NDArray[np.float64],
    wanted: Sequence[str],
    row: NDArray[np.int64],
    labels: Sequence[Label],
    blocks: Sequence[Columns],
) -> None:
    """Refuses rows in which nobody knows what a variable was set to."""
    for i, label in enumerate(labels):
        for name in sorted(label.hard & set(wanted)):
            bad = (row == i) & np.isnan(values[:, wanted.index(name)])
            if bad.any():
                where = place(blocks, int(np.argmax(bad)), name)
                raise UserError(where, "", f"missing, though {name} was set: give its value")


def _unknown_warnings(
    labels: Sequence[Label], rows_of: NDArray[np.int64], stands_for: dict[str, str | None]
) -> list[str]:
    lines = []
    for name in sorted({name for label in labels for name in label.targets}):
        count = int(sum(rows for label, rows in zip(labels, rows_of, strict=True)
                        if name in label.targets))  # fmt: skip
        if name not in stands_for:
            lines.append(f"{name} was changed in {count} rows and is left out: to what remains, "
                         "their target is unknown")  # fmt: skip
        elif stands_for[name] is None:
            lines.append(f"{name} was changed in {count} rows but is constant throughout: these "
                         "count as if it had not been")  # fmt: skip
    return lines


def _regime(label: Label, stands_for: dict[str, str | None], variables: Sequence[str]) -> Regime:
    def places(names: Collection[str]) -> frozenset[int]:
        kept = (stands_for.get(name) for name in names)
        return frozenset(variables.index(name) for name in kept if name is not None)

    hard = places(label.hard)
    replaced = places(label.replaced) - hard
    soft = places(label.soft) - hard - replaced
    hidden = any(name not in stands_for for name in label.targets)
    return Regime(label.name, hard, soft, replaced, label.unknown or hidden)
