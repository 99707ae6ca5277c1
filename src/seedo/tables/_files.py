"""A user's own data, in files, as one table of numbers."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.tables._columns import Columns, codes, near, read_columns
from seedo.tables._table import Regime, Table
from seedo.tables._targets import Label, place, read_labels

MAX_VARIABLES = 50
"""More than these make no table."""

_COPY = 1e-4
"""Largest departure from a straight line, in typical deviations, of a mere change of unit."""


def read_table(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    targets: str | None = None,
    *,
    sources: str | None = None,
    drop: Sequence[str] = (),
    keep: Sequence[str] | None = None,
) -> tuple[Table, list[str]]:
    """Reads files with one line a measurement and one column a variable.

    Files are CSV (cells between commas, semicolons or tabs), TSV, either compressed by gzip, or
    Parquet. Several files are blocks of rows with the same columns. Empty cells, NA, NaN, None and
    null are missing; true and false are 1 and 0.

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
    changed column that is no variable of the table makes its rows' regime an unknown one.

    Left out with a warning are nameless row labels, columns without a value, constant columns and
    all but the first of columns that are linear functions of each other in every complete row
    (copies, another unit); what was done to a copy was done to the column that stays.

    Args:
        paths: one file or several.
        targets: see above.
        sources: column with the name of each row's source, or `file`: each file is a source.
        drop: columns that are no variables.
        keep: the only columns that are variables; all if None.

    Returns:
        table: float64[R, n] with NaN where missing; n from 2 to `MAX_VARIABLES`, and at least
            n + 2 rows are complete.
        warnings: one line each.

    Raises:
        UserError: names file, row (as a spreadsheet counts, the header being row 1), column and
            value of what cannot be used.
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    files = [Path(path) for path in given]
    if not files:
        raise UserError("data", None, "name at least one file")
    blocks = _read_blocks(files)
    names = list(blocks[0].arrays)
    source, source_names, told = _sources(sources, blocks)
    labels = read_labels(targets, blocks, told)
    spent = {**dict.fromkeys(told, "sources"), **dict.fromkeys(labels.spent, "targets")}
    wanted = _wanted(names, spent, drop, keep)
    parts = [block.numbers(wanted) for block in blocks]
    values = np.concatenate([part for part, _ in parts])
    warnings = [line for block, (_, lines) in zip(blocks, parts, strict=True)
                for line in (*block.warnings, *lines)]  # fmt: skip
    _check_set_values(values, wanted, labels.row, labels.labels, blocks)
    stands_for, left_out = _usable(values, wanted)
    rows_of = np.bincount(labels.row, minlength=len(labels.labels))
    warnings += left_out
    warnings += _unknown_warnings(labels.labels, rows_of, stands_for)
    variables = [name for name in wanted if stands_for.get(name) == name]
    values = values[:, [wanted.index(name) for name in variables]]
    complete = int(np.isfinite(values).all(axis=1).sum())
    if complete < len(values):
        warnings.append(f"missing values: complete rows only are used: {complete} of {len(values)}")
    rows = np.arange(len(values), dtype=np.int64)
    regimes = tuple(_regime(label, stands_for, variables) for label in labels.labels)
    table = Table(
        tuple(variables), values, labels.row, regimes, source, tuple(source_names),
        episode=rows, step=np.zeros_like(rows), title=_title(files),
    )  # fmt: skip
    return table, warnings


def _title(files: Sequence[Path]) -> str:
    return ", ".join(path.name for path in files[:3]) + (", ..." if len(files) > 3 else "")


def _read_blocks(files: Sequence[Path]) -> list[Columns]:
    blocks: list[Columns] = []
    for path in files:
        if path in files[: len(blocks)]:
            raise UserError("data", str(path), "named twice: its rows would count double")
        block = read_columns(path)
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
        raise UserError("sources", sources, f"give file, or {near(sources, columns)}")
    source, names = codes(blocks, sources)
    if "" in names:
        where = place(blocks, int(np.argmax(source == names.index(""))), sources)
        raise UserError(where, "", "name every row's source")
    if len(names) == len(source) > 1:
        raise UserError("sources", sources, "no two rows share a source: choose another column")
    return source, names, [sources]


def _wanted(
    names: Sequence[str], spent: dict[str, str], drop: Sequence[str], keep: Sequence[str] | None
) -> list[str]:
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
        raise _too_few_columns(wanted, "part the cells by commas, semicolons or tabs")
    if len(wanted) < 2:
        raise _too_few_columns(wanted, "leave out fewer columns")
    return wanted


def _too_few_columns(left: Sequence[str], remedy: str) -> UserError:
    got = f"only {left[0]}" if left else "none"
    return UserError("variables", got, f"at least two are needed: {remedy}")


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


def _usable(
    values: NDArray[np.float64], wanted: Sequence[str]
) -> tuple[dict[str, str | None], list[str]]:
    """Which column stands for which: itself, one that it copies, or none as it is constant.

    Columns without a value are not mentioned at all. Also returns what to say about it.
    """
    if len(values) < 4:
        raise UserError("rows", len(values), "too few: at least two more than variables are needed")
    stands_for: dict[str, str | None] = {}
    warnings = []
    there = np.isfinite(values)
    empty = [name for j, name in enumerate(wanted) if not there[:, j].any()]
    if empty:
        warnings.append(f"columns without a value are left out: {_listed(empty)}")
    left = [j for j, name in enumerate(wanted) if name not in empty]
    constant = {j: values[there[:, j], j][0] for j in left if _constant(values[there[:, j], j])}
    left = [j for j in left if j not in constant]
    complete = there[:, left].all(axis=1)
    if len(left) > MAX_VARIABLES:
        remedy = (
            f"at most {MAX_VARIABLES}: choose them with --keep, or leave others out with --drop"
        )
        raise UserError("variables", len(left), remedy)
    if left and complete.sum() < len(left) + 2:
        remedy = f"{len(left)} variables need at least {len(left) + 2}"
        if not complete.all():
            worst = left[int(there[:, left].sum(axis=0).argmin())]
            gaps = len(values) - int(there[:, worst].sum())
            remedy += f"; {wanted[worst]} is missing in {gaps}, leave it out with --drop?"
        raise UserError("complete rows", f"{complete.sum()} of {len(values)}", remedy)
    used = values[complete]
    constant |= {j: used[0, j] for j in left if _constant(used[:, j])}
    left = [j for j in left if j not in constant]
    if constant:
        stands_for |= {wanted[j]: None for j in constant}
        shown = [f"{wanted[j]} ({value:g})" for j, value in sorted(constant.items())]
        warnings.append(f"constant columns are left out: {_listed(shown)}")
    stands_for |= {wanted[j]: wanted[j] for j in left}
    for later, first in _copies(used[:, left]).items():
        name, kept = wanted[left[later]], wanted[left[first]]
        stands_for[name] = kept
        same = np.array_equal(used[:, left[later]], used[:, left[first]])
        how = "identical to" if same else "a linear function of"
        warnings.append(f"column {name} is {how} {kept} and left out")
    variables = [name for name in wanted if stands_for.get(name) == name]
    if len(variables) < 2:
        raise _too_few_columns(variables, f"the others say nothing; {'; '.join(warnings)}")
    return stands_for, warnings


def _constant(values: NDArray[np.float64]) -> bool:
    """Whether all are the same to within float64's rounding."""
    return bool(np.ptp(values) <= 1e-14 * np.abs(values).max())


def _copies(values: NDArray[np.float64]) -> dict[int, int]:
    """Columns that are linear functions of an earlier one in every row, and the earliest such."""
    if values.shape[1] < 2:
        return {}
    centred = values / np.abs(values).max(axis=0)
    centred -= centred.mean(axis=0)
    centred /= np.linalg.norm(centred, axis=0)
    correlation = centred.T @ centred
    copies = {}
    for i, j in np.argwhere(np.triu(np.abs(correlation) > 1 - _COPY**2, 1)).tolist():
        # One far outlier alone brings a correlation to 1: the other rows must agree as well.
        off = np.abs(centred[:, j] - correlation[i, j] * centred[:, i]).max()
        deviation = np.abs(centred[:, j] - np.median(centred[:, j]))
        if (
            j not in copies
            and i not in copies
            and off < _COPY * np.median(deviation[deviation > 0])
        ):
            copies[j] = i
    return dict(sorted(copies.items()))


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


def _listed(items: Sequence[str]) -> str:
    more = len(items) - 20
    return ", ".join(items[:20]) + (f" and {more} more" if more > 0 else "")
