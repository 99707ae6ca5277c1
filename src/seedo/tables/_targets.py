"""Which rows of a user's table are interventional, and on what: the notation and its places."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.tables._columns import MISSING, Columns, codes, near
from seedo.tables._read_columns import read_columns

_KINDS = ("hard", "soft", "replaced", "unknown")
_PREFIXES = {"~": "soft", "!": "replaced"}
_FORMS = ("column", "rows", "file")
_NOTATION = "write X, ~X, !X or ?, several joined by ;"


@dataclass(frozen=True)
class Label:
    """What was done in some rows: a `Regime` by names.

    Attributes:
        hard, soft, replaced: names of columns.
        unknown: something else may have been touched too.
        origin: the reagent or file that did it. Shifts of one variable by two origins are two
            shifts, so that these are two labels; setting it is one and the same.
    """

    hard: frozenset[str] = frozenset()
    soft: frozenset[str] = frozenset()
    replaced: frozenset[str] = frozenset()
    unknown: bool = False
    origin: str = ""

    @property
    def targets(self) -> frozenset[str]:
        return self.hard | self.soft | self.replaced

    @property
    def name(self) -> str:
        """For people, e.g. `do(X, Z)` or `u0126: shift(mek)`."""
        verbs = (("do", self.hard), ("shift", self.soft), ("replace", self.replaced))
        parts = [f"{verb}({', '.join(sorted(names))})" for verb, names in verbs if names]
        text = ", ".join(parts + ["unknown"] * self.unknown) or "observed"
        return f"{self.origin}: {text}" if self.origin else text


OBSERVATION = Label()


@dataclass(frozen=True, eq=False)
class Labels:
    """What was done in every row.

    Attributes:
        row: int64[R], position in `labels`.
        labels: all different; the first is the observation.
        spent: columns that say so, and are no variables.
    """

    row: NDArray[np.int64]
    labels: tuple[Label, ...]
    spent: frozenset[str]


def read_labels(targets: str | None, blocks: Sequence[Columns], spent: Collection[str]) -> Labels:
    """Reads what `targets` names: a column of the table, or a file beside it.

    Args:
        targets: see `read_table`; None if all rows are observations.
        blocks: the table's files, all with the same columns.
        spent: columns with another purpose, which are no variables.

    Raises:
        UserError: names the row and column of what cannot be used.
    """
    rows = sum(block.rows for block in blocks)
    columns = list(blocks[0].arrays)
    if targets is None:
        return Labels(np.zeros(rows, np.int64), (OBSERVATION,), frozenset())
    if targets in columns:
        if targets in spent:
            raise UserError("targets", targets, "the column of the sources: name another one")
        names = [name for name in columns if name not in spent and name != targets]
        return _from_column(targets, blocks, names)
    path = Path(targets)
    if targets.strip() and path.is_dir():
        raise UserError("--targets", targets, "a folder: name a column of the table or a file")
    if not targets.strip() or not path.exists():
        remedy = f"neither a column nor a file: {near(targets, columns)}"
        raise UserError("targets", targets, remedy)
    return _from_file(path, blocks, spent)


def place(blocks: Sequence[Columns], row: int, column: str) -> str:
    """Where row `row` of the whole table stands, see `Columns.place`."""
    for block in blocks:
        if row < block.rows:
            return block.place(row, column)
        row -= block.rows
    raise IndexError(row)


def _label(text: str, kind: str, names: Collection[str]) -> Label:
    """Reads `X;~Z;?`; `kind` holds for targets without a prefix, empty for hard.

    Raises:
        UserError: its field is "targets"; the caller knows the place.
    """
    text = text.strip()
    parts = [] if text in ("", "-") else [part.strip() for part in text.split(";")]
    if kind == "unknown":
        if any(part != "?" for part in parts):
            raise UserError("targets", text, "of kind unknown: leave the targets empty")
        return Label(unknown=True)
    if kind and not parts:
        raise UserError("targets", text, f"of kind {kind}: name the variables")
    found: dict[str, set[str]] = {k: set() for k in _KINDS}
    for part in parts:
        its_kind, name = kind or "hard", part
        if part == "?" and part not in names:
            its_kind = "unknown"
        elif part[:1] in _PREFIXES and part not in names:
            its_kind, name = _PREFIXES[part[0]], part[1:].strip()
            if kind and kind != its_kind:
                raise UserError(
                    "targets", part, f"{part[0]} means {its_kind}, but the kind is {kind}"
                )
        if its_kind != "unknown" and name not in names:
            remedy = near(name, names) if name else _NOTATION
            if name.casefold() in MISSING[1:]:
                remedy = f"leave the cell empty for an observation, or {remedy}"
            raise UserError("targets", name or text, remedy)
        if any(name in others for others in found.values()):
            raise UserError("targets", text, f"names {name} twice: name it once")
        found[its_kind].add(name)
    return Label(frozenset(found["hard"]), frozenset(found["soft"]),
                 frozenset(found["replaced"]), bool(found["unknown"]))  # fmt: skip


def _merged(row: NDArray[np.int64], labels: Sequence[Label], spent: Collection[str]) -> Labels:
    """Equal labels made one, the observation first; an origin kept only where it matters."""
    positions: dict[Label, int] = {OBSERVATION: 0}
    for label in labels:
        shared = not (label.soft or label.replaced or label.unknown)
        positions.setdefault(replace(label, origin="") if shared else label, len(positions))
    new = [
        positions[label if label in positions else replace(label, origin="")] for label in labels
    ]
    return Labels(np.array(new, np.int64)[row], tuple(positions), frozenset(spent))


def _from_column(column: str, blocks: Sequence[Columns], names: Sequence[str]) -> Labels:
    code, texts = codes(blocks, column)
    labels = []
    for i, cell in enumerate(texts):
        try:
            labels.append(_label(cell, "", names))
        except UserError as error:
            where = place(blocks, int(np.argmax(code == i)), column)
            raise UserError(where, error.value, error.remedy) from None
    return _merged(code, labels, [column])


@dataclass(frozen=True, eq=False)
class _Line:
    """One line of a sidecar file: what it is about, and what was done there."""

    sidecar: Columns
    row: int
    key: str
    targets: str
    kind: str

    def error(self, column: str, value: object, remedy: str) -> UserError:
        return UserError(self.sidecar.place(self.row, column), value, remedy)

    def label(self, names: Collection[str], origin: str = "") -> Label:
        if self.kind and self.kind not in _KINDS:
            raise self.error("kind", self.kind, f"use one of {', '.join(_KINDS)}")
        try:
            label = _label(self.targets, self.kind, names)
        except UserError as error:
            raise self.error("targets", error.value, error.remedy) from None
        return replace(label, origin=origin)


def _from_file(path: Path, blocks: Sequence[Columns], spent: Collection[str]) -> Labels:
    sidecar = read_columns(path)
    header = list(sidecar.arrays)
    forms = [name for name in header if name in _FORMS]
    others = [name for name in header if name not in (*_FORMS, "targets", "kind")]
    if len(forms) != 1 or "targets" not in header or others:
        remedy = (
            "the header must be column,targets or rows,targets or file,targets; kind may follow"
        )
        raise UserError(f"{path} header", ",".join(header)[:80], remedy)
    if not sidecar.rows:
        raise UserError(str(path), None, "no lines below the header: describe an intervention")
    form = forms[0]
    cells = {name: sidecar.text(name).to_pylist() for name in header}
    kinds = [kind.lower() for kind in cells.get("kind", [""] * sidecar.rows)]
    lines: dict[str, _Line] = {}
    for i, (key, done, kind) in enumerate(zip(cells[form], cells["targets"], kinds, strict=True)):
        line = _Line(sidecar, i, key, done, kind)
        if not key:
            raise line.error(form, key, f"give every line its {form}")
        if key in lines:
            other = sidecar.line(lines[key].row).removeprefix(f"{path} ")
            raise line.error(form, key, f"in {other} too: name it once")
        lines[key] = line
    names = [name for name in blocks[0].arrays if name not in spent]
    read = {"column": _from_indicators, "rows": _from_ranges, "file": _from_blocks}[form]
    return read(list(lines.values()), blocks, names)


def _from_indicators(
    lines: Sequence[_Line], blocks: Sequence[Columns], names: Sequence[str]
) -> Labels:
    for line in lines:
        if line.key not in names:
            raise line.error("column", line.key, near(line.key, names))
    indicators = {line.key for line in lines}
    variables = [name for name in names if name not in indicators]
    on = {line.key: _switch(blocks, line.key) for line in lines}
    done = {line.key: line.label(variables) for line in lines}
    acting = [(name, label) for name, label in done.items() if label != OBSERVATION]
    # The set of switches that are on, as a number made small again after every one.
    code = np.zeros(sum(block.rows for block in blocks), np.int64)
    for name, _ in acting:
        code = np.unique(2 * code + on[name], return_inverse=True)[1]
    first = np.unique(code, return_index=True)[1]
    labels = [_joined([part for part in acting if on[part[0]][row]]) for row in first]
    return _merged(code, labels, indicators)


def _switch(blocks: Sequence[Columns], column: str) -> NDArray[np.bool_]:
    """A column of 0 and 1 as bool[R]."""
    code, texts = codes(blocks, column)
    state = {"0": False, "0.0": False, "false": False, "1": True, "1.0": True, "true": True}
    for i, cell in enumerate(texts):
        if cell.lower() not in state:
            where = place(blocks, int(np.argmax(code == i)), column)
            raise UserError(where, cell[:80], "an indicator: give 0 or 1")
    return np.array([state[cell.lower()] for cell in texts], np.bool_)[code]


def _joined(parts: Sequence[tuple[str, Label]]) -> Label:
    """Several interventions at once; on one variable the strongest one tells."""
    hard = frozenset[str]().union(*(label.hard for _, label in parts))
    replaced = frozenset[str]().union(*(label.replaced for _, label in parts)) - hard
    soft = frozenset[str]().union(*(label.soft for _, label in parts)) - hard - replaced
    unknown = any(label.unknown for _, label in parts)
    return Label(hard, soft, replaced, unknown, "+".join(name for name, _ in parts))


def _from_ranges(lines: Sequence[_Line], blocks: Sequence[Columns], names: Sequence[str]) -> Labels:
    rows = sum(block.rows for block in blocks)
    row = np.zeros(rows, np.int64)
    labels = [OBSERVATION]
    for line in lines:
        match = re.fullmatch(r"(\d{1,15})(?:\s*[-–]\s*(\d{1,15}))?", line.key)
        if match is None:
            raise line.error("rows", line.key, "give rows of data as 7 or 1-100")
        first, last = int(match[1]), int(match[2] or match[1])
        if first > last:
            raise line.error("rows", line.key, f"reversed: write {last}-{first}")
        if first < 1 or last > rows:
            raise line.error("rows", line.key, f"rows of data are counted from 1 to {rows}")
        taken = row[first - 1 : last]
        if taken.any():
            other = lines[int(taken[taken > 0][0]) - 1].key
            raise line.error("rows", line.key, f"overlaps {other}: describe a row once")
        labels.append(line.label(names))
        row[first - 1 : last] = len(labels) - 1
    return _merged(row, labels, [])


def _from_blocks(lines: Sequence[_Line], blocks: Sequence[Columns], names: Sequence[str]) -> Labels:
    of_block = np.zeros(len(blocks), np.int64)
    labels = [OBSERVATION]
    for line in lines:
        found = [i for i, b in enumerate(blocks) if Path(line.key) in (b.path, Path(b.path.name))]
        if len(found) > 1:
            found = [i for i in found if Path(line.key) == blocks[i].path]
        if not found:
            same = sum(b.path.name == line.key for b in blocks) > 1
            shown = [str(b.path) if same else b.path.name for b in blocks]
            raise line.error("file", line.key, near(line.key, shown))
        block = found[0]
        if of_block[block]:
            raise line.error("file", line.key, "the file is named twice: name it once")
        labels.append(line.label(names, blocks[block].path.name.split(".")[0]))
        of_block[block] = len(labels) - 1
    return _merged(np.repeat(of_block, [block.rows for block in blocks]), labels, [])
