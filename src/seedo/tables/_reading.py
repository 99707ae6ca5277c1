"""What a user says about the columns of a table, by options or in a file beside it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from seedo.errors import UserError, one_of
from seedo.tables._column import COLUMN_TYPES, ROLES, Column
from seedo.tables._columns import near
from seedo.tables._text_file import read_text_file

Decimal = Literal[".", ","]

_HEADER = ("column", "type", "role", "levels", "unit", "missing", "decimal")
_BETWEEN_LEVELS = " | "


@dataclass(frozen=True)
class Reading:
    """How columns are to be read where a guess may be wrong.

    Attributes:
        types: by column, one of `COLUMN_TYPES`, or levels in their order: `low<medium<high`; or
            texts like `a=count,b=low<high`.
        roles: by column, one of `ROLES`; or texts like `a=unit,b=ignored`.
        unit: the column that says which rows belong together, e.g. the patient.
        time: the column that says when a row was taken.
        weights: the column that says how many rows a row stands for.
        missing: codes for what is missing, `-999` in every column or `x=-999` in one; `none`: no
            number is taken for one. None: such codes are guessed, with a warning.
        decimal: `.` or `,` where a column does not tell.
        file: a file that `write_roles` wrote; what is said beside it comes first.
        asked: a question or a graph: a column that it names stays a variable and keeps its rows.
    """

    types: Mapping[str, str] | Sequence[str] = ()
    roles: Mapping[str, str] | Sequence[str] = ()
    unit: str | None = None
    time: str | None = None
    weights: str | None = None
    missing: Sequence[str] | None = None
    decimal: str | None = None
    file: Path | None = None
    asked: str = ""

    def names(self, column: str) -> bool:
        """Whether the question or the graph names a column."""
        return bool(re.search(rf"(?<!\w){re.escape(column)}(?!\w)", self.asked))


@dataclass(frozen=True)
class Said:
    """What is said about one column; empty where nothing is.

    Attributes:
        type: one of `COLUMN_TYPES`.
        levels: in their order.
        role: one of `ROLES`.
        unit: of measurement.
        missing: codes for what is missing.
        guess: whether further codes are guessed.
        decimal: separator, where the column does not tell.
        wanted: it is asked for, so that it stays a variable whatever it looks like.
    """

    type: str = ""
    levels: tuple[str, ...] = ()
    role: str = ""
    unit: str = ""
    missing: tuple[str, ...] = ()
    guess: bool = True
    decimal: Literal["", ".", ","] = ""
    wanted: bool = False


def resolved(reading: Reading, names: Sequence[str]) -> dict[str, Said]:
    """What is said about each column of a table.

    Raises:
        UserError: something is said about a column that is not there, or cannot be.
    """
    said = {name: Said() for name in names}
    if reading.file is not None:
        said = _from_file(reading.file, said)
    if reading.decimal is not None:
        one_of("--decimal", reading.decimal, (".", ","))
        decimal: Decimal = "," if reading.decimal == "," else "."
        said = {n: replace(s, decimal=decimal) for n, s in said.items()}
    said = _with_codes(said, reading.missing)
    for name, text in _pairs("--types", reading.types, names).items():
        kind, order = _type("--types", text)
        said[name] = replace(said[name], type=kind, levels=order or said[name].levels)
    by_role = _pairs("--roles", reading.roles, names)
    for name, role in by_role.items():
        one_of(f"--roles {name}", role, ROLES)
        said[name] = replace(said[name], role=role)
    options: dict[str, str] = {}
    for option, chosen, role in (("--unit", reading.unit, "unit"), ("--time", reading.time, "time"),
                                 ("--weights", reading.weights, "weight")):  # fmt: skip
        if chosen is None:
            continue
        if chosen not in names:
            raise UserError(option, chosen, near(chosen, names))
        clash = {n: r for n, r in by_role.items() if (n == chosen) != (r == role)}
        for name, its in clash.items():
            if name == chosen or its == role:
                both = f"{option} {chosen}, --roles {name}={its}"
                raise UserError(option, both, "these contradict each other: leave one")
        if chosen in options:
            both = f"{options[chosen]} {chosen}, {option} {chosen}"
            raise UserError(option, both, "a column has one role: leave one")
        options[chosen] = option
        for name, one in said.items():
            if one.role == role and name != chosen:
                said[name] = replace(one, role="")
        said[chosen] = replace(said[chosen], role=role)
    for role in ("unit", "time", "weight"):
        several = [name for name, one in said.items() if one.role == role]
        if len(several) > 1:
            raise UserError("--roles", f"{', '.join(several)}", f"only one column can be {role}")
    return said


def _with_codes(said: dict[str, Said], missing: Sequence[str] | None) -> dict[str, Said]:
    if missing is None:
        return said
    parts = [part.strip() for text in missing for part in text.split(",")]
    codes: dict[str, list[str]] = {name: [] for name in said}
    everywhere = {part.casefold() for part in parts if part and "=" not in part}
    if "none" in everywhere and len(everywhere) > 1:
        remedy = "none and a code contradict each other: leave one"
        raise UserError("--missing", ",".join(missing), remedy)
    for part in parts:
        name, equals, code = part.rpartition("=")
        if equals and not (name.strip() and code.strip()):
            raise UserError("--missing", part, "write column=code, or a code like -999")
        if equals and name.strip() in said:
            codes[name.strip()].append(code.strip())
        elif not part:
            raise UserError("--missing", ",".join(missing), "give codes like -999, or none")
        elif equals and re.fullmatch(r"[\w .-]+", name):
            raise UserError("--missing", name.strip(), near(name.strip(), list(said)))
        elif part.casefold() != "none":
            for each in codes.values():
                each.append(part)
    return {n: replace(s, missing=(*s.missing, *codes[n]), guess=False) for n, s in said.items()}


def _pairs(
    option: str, given: Mapping[str, str] | Sequence[str], names: Sequence[str]
) -> dict[str, str]:
    """What is said by column; names may hold commas if they are in quotes."""
    if isinstance(given, Mapping):
        found = dict(given)
    else:
        found = {}
        texts = [given] if isinstance(given, str) else given
        parts = [p for text in texts for p in re.findall(r'(?:"[^"]*"|[^,"])+', text)]
        for part in parts:
            name, equals, value = part.rpartition("=")
            if not equals or not name.strip():
                raise UserError(option, part.strip(), "write column=value, with commas between")
            name = name.strip().strip('"').strip()
            if found.get(name, value.strip()) != value.strip():
                both = f"{name}={found[name]}, {name}={value.strip()}"
                raise UserError(option, both, "these contradict each other: leave one")
            found[name] = value.strip()
    for name in found:
        if name not in names:
            raise UserError(option, name, near(name, names))
    return found


def _type(option: str, text: str) -> tuple[str, tuple[str, ...]]:
    """Type and levels from one of `COLUMN_TYPES` or from levels in their order."""
    if "<" in text:
        levels = tuple(level.strip() for level in text.split("<"))
        if "" in levels or len({*levels}) < len(levels):
            raise UserError(option, text, "write different levels in their order: low<medium<high")
        return "ordered", levels
    if text not in COLUMN_TYPES:
        known = ", ".join(COLUMN_TYPES)
        raise UserError(option, text, f"use one of {known}, or levels in order: low<medium<high")
    return text, ()


def _from_file(path: Path, said: dict[str, Said]) -> dict[str, Said]:
    if not path.is_file():
        remedy = "neither column=role nor a file: write a=unit,b=ignored, or a file's name"
        raise UserError("--roles", str(path), remedy)
    columns = read_text_file(path)
    strange = [name for name in columns.arrays if name not in _HEADER]
    if strange or "column" not in columns.arrays:
        raise UserError(f"{path} header", ",".join(columns.arrays)[:80],
                        f"the header must be {','.join(_HEADER)}")  # fmt: skip
    cells = {name: columns.text(name).to_pylist() for name in columns.arrays}
    seen: set[str] = set()
    for row, name in enumerate(cells["column"]):
        line = {key: cells[key][row] for key in cells}
        try:
            if name not in said:
                raise UserError("column", name, near(name, list(said)))
            if name in seen:
                raise UserError("column", name, "there more than once: leave one line")
            said[name] = _line(line)
        except UserError as error:
            raise UserError(columns.place(row, error.field), error.value, error.remedy) from None
        seen.add(name)
    return said


def _line(line: Mapping[str, str]) -> Said:
    """One line of a file of roles.

    Raises:
        UserError: its field is the column of the cell that cannot be.
    """
    kind, role, decimal = line.get("type", ""), line.get("role", ""), line.get("decimal", "")
    if kind and kind not in COLUMN_TYPES:
        raise UserError("type", kind, f"use one of {', '.join(COLUMN_TYPES)}")
    if role and role not in ROLES:
        raise UserError("role", role, f"use one of {', '.join(ROLES)}")
    if decimal not in ("", ".", ","):
        raise UserError("decimal", decimal, "use . or ,")
    written = line.get("levels", "").strip()
    levels = tuple(x.strip() for x in re.split(r"\||<", written)) if written else ()
    if "" in levels or len({*levels}) < len(levels):
        raise UserError("levels", written, "give different levels, none empty: low | high")
    if levels and kind in ("real", "positive", "bounded", "count", "time", "label"):
        raise UserError("levels", written, f"a column of type {kind} has none: leave it empty")
    codes = tuple(x.strip() for x in line.get("missing", "").split(";") if x.strip())
    none = [code for code in codes if code.casefold() == "none"]
    missing = tuple(code for code in codes if code not in none)
    separator: Literal["", ".", ","] = "," if decimal == "," else "." if decimal else ""
    return Said(kind, levels, role, line.get("unit", ""), missing, not codes, separator)


def roles_path(table: Path) -> Path:
    """The file beside a table that says how its columns are read."""
    stem = re.sub(r"\.(csv|tsv|txt)\.gz$|\.[^.]+$", "", table.name)
    return table.with_name(f"{stem}.roles.csv")


def roles_text(columns: Collection[Column], decimals: Mapping[str, str] | None = None) -> str:
    """A file that says how columns are read, to be edited and given as `Reading.file`.

    Args:
        columns: what is said of each; an empty type or role is guessed.
        decimals: by column, the separator that its cells do not tell.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER)
    for one in columns:
        levels = _BETWEEN_LEVELS.join(one.levels)
        codes, decimal = ";".join(one.codes), (decimals or {}).get(one.name, "")
        writer.writerow([one.name, one.type, one.role, levels, one.unit, codes, decimal])
    return text.getvalue()
