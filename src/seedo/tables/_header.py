"""Where a text table begins: what parts its cells, which lines are its header and units."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from seedo.errors import UserError

DELIMITERS = (",", ";", "\t", "|")
_LOOKED_AT = 20  # lines after the header
_NUMBER = re.compile(r"[+-]?[\d.,' ]*\d[\d.,' ]*(e[+-]?\d+)?\s*%?", re.IGNORECASE)
_UNIT = re.compile(r"[(\[]?[^\d\s,;]?[^,;]{0,14}[)\]]?")
_UNIT_IN_NAME = re.compile(r".*\S\s*(?:\(([^()]{1,12})\)|\[([^\[\]]{1,12})\])")


@dataclass(frozen=True)
class Header:
    """The beginning of a text table.

    Attributes:
        delimiter: between cells.
        names: of the columns, blanks at either end removed.
        units: of the columns by a line below the names; empty if there is none.
        lines: how many lines that are not empty stand above the first row of data.
        start: byte at which the first row of data begins.
        notes: what was passed over, one line each.
    """

    delimiter: str
    names: tuple[str, ...]
    units: tuple[str, ...]
    lines: int
    start: int
    notes: tuple[str, ...]


def records(data: bytes, delimiter: str, strict: bool = False) -> Iterator[list[str]]:
    """The lines of a text file as lists of cells, one by one; empty ones too.

    Raises:
        csv.Error: when a line is reached that is no CSV.
    """
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
    return csv.reader(text, delimiter=delimiter, strict=strict)


def spaces_to_tabs(data: bytes) -> bytes:
    """Runs of blanks between cells as one tab each; those within quotes stay.

    Blanks at either end of a line go.
    """
    parts = re.split(rb'("[^"\r\n]*")', data)
    parts[::2] = [re.sub(rb"[ \t]+", b"\t", part) for part in parts[::2]]
    return re.sub(rb"(?m)^\t+|\t+(?=\r?$)", b"", b"".join(parts))


def parted_by_spaces(data: bytes) -> bool:
    """Whether nothing but blanks can part the cells: every line has as many of them."""
    start = b"\n".join(_passed_comments(data)[1].splitlines()[: _LOOKED_AT + 1])
    lines = [line for line in start.splitlines() if line.strip()]
    if not lines or any(d.encode() in lines[0] for d in DELIMITERS):
        return False
    rows = list(records(spaces_to_tabs(b"\n".join(lines)), "\t"))
    widths = [len(row) for row in rows]
    if len(rows) < 2 or widths[0] < 2 or len({*widths[1:]}) > 1:
        return False
    return widths[1] - widths[0] in (0, 1) and all(_NUMBER.fullmatch(row[-1]) for row in rows[1:2])


def find_header(path: Path, data: bytes, tabs: bool) -> Header:
    """Where the table in a text file begins.

    Lines that begin with # above the header are passed over; so is a `sep=` line of Excel. A line
    below the header is one of units if no cell of it is a number and columns of numbers follow.

    Raises:
        UserError: there is no header.
    """
    skipped, rest = _passed_comments(data)
    notes = [f"{path}: {skipped} lines of comment above the header"] if skipped > 1 else []
    if skipped == 1:
        notes = [f"{path}: one line of comment above the header"]
    said = re.match(rb"\s*\"?sep=(.)\"?[ \t]*(?:\r\n|\r|\n)", rest)
    if said:
        rest, skipped = rest[said.end() :], skipped + 1
    delimiter = said[1].decode("latin-1") if said else _delimiter(rest, tabs)
    try:
        first = list(islice((row for row in records(rest, delimiter) if row), _LOOKED_AT + 2))
    except csv.Error as error:
        raise UserError(f"{path} header", None, f"not CSV: {error}") from error
    names = tuple(name.strip() for name in (first[0] if first else []))
    names = (*(re.sub(r"^#\s*(?=\S)", "", name) for name in names[:1]), *names[1:])
    units = _units(names, first[1:])
    lines = 2 if units else 1
    start = len(data) - len(rest) + _end_of(rest, delimiter, lines)
    if units:
        notes.append(f"{path}: the line below the header is read as units: {', '.join(units)}")
    else:
        units = tuple(_unit_of(name) for name in names)
    return Header(delimiter, names, units, skipped + lines, start, tuple(notes))


def check_names(path: Path, names: Sequence[str], first: int = 1) -> None:
    """Raises UserError for names that are empty, of two lines, or there twice."""
    seen: dict[str, int] = {}
    for position, name in enumerate(names, first):
        if not name:
            raise UserError(f"{path} header, column {position}", name, "give every column a name")
        if not name.isprintable():
            remedy = "write the name on one line, without control characters"
            raise UserError(f"{path} header, column {position}", name, remedy)
        if name in seen:
            remedy = f"there more than once, in columns {seen[name]} and {position}: rename one"
            raise UserError(f"{path} header", name, remedy)
        seen[name] = position


def refuse_numbers(path: Path, names: Sequence[str]) -> None:
    """Raises UserError for a first row of data; 0, 1, ... are names, pandas' own."""
    numbers = all(re.fullmatch(r"[+-]?\d*[.,]?\d+([eE][+-]?\d+)?", name) for name in names)
    if numbers and list(names) != [str(i) for i in range(len(names))]:
        given = ",".join(names)[:80]
        raise UserError(f"{path} header", given, "numbers: let the first row name the columns")


def _passed_comments(data: bytes) -> tuple[int, bytes]:
    """Lines that begin with # at the top, how many, and what follows them."""
    count = 0
    rest = data.lstrip(b"\r\n")
    while rest.startswith((b"#", b'"#')):
        line = re.match(rb"[^\r\n]*", rest)
        rest_after = rest[line.end() if line else 0 :].lstrip(b"\r\n")
        if not rest_after:
            break
        # One line is a header of its own, such as `#chrom,pos`, if only the next are like it.
        if count == 0 and _is_header(rest, rest_after):
            break
        count, rest = count + 1, rest_after
    return count, rest


def _is_header(line: bytes, after: bytes) -> bool:
    """Whether a line that begins with # parts into as many cells as the next one, if several."""
    first, second = (re.split(rb"[\r\n]", part, maxsplit=1)[0] for part in (line, after))
    if second.startswith(b"#"):
        return False
    return any(first.count(d.encode()) == second.count(d.encode()) > 0 for d in DELIMITERS)


def _delimiter(data: bytes, tabs: bool) -> str:
    """What separates cells: what parts the first lines alike, else the most frequent in the
    header."""
    start = data.lstrip(b"\r\n")[:1_000_000].decode("utf-8", "ignore")
    header = re.split(r"[\r\n]", re.sub(r'"[^"]*"', "", start), maxsplit=1)[0]
    if tabs and "\t" in header:
        return "\t"
    lines = start.splitlines()[: _LOOKED_AT + 1]
    found = {}
    for delimiter in DELIMITERS:
        try:
            rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            continue
        widths = {len(row) for row in rows}
        if len(widths) == 1 and (width := widths.pop()) > 1:
            found[delimiter] = width
    if found:
        return max(found, key=lambda d: found[d])
    return max(DELIMITERS, key=header.count)


def _units(names: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """What the first of the rows says about units, or nothing if it is data."""
    rows = [[cell.strip() for cell in row] for row in rows]
    if len(rows) < 4 or any(len(row) != len(names) for row in rows):
        return ()
    first, later = rows[0], rows[1:]
    numeric = [
        sum(bool(_NUMBER.fullmatch(row[j])) for row in later) >= 0.9 * len(later)
        for j in range(len(names))
    ]
    if not any(numeric):
        return ()
    for cell, number in zip(first, numeric, strict=True):
        if _NUMBER.fullmatch(cell) or not _UNIT.fullmatch(cell):
            return ()
        if number and cell.casefold() in ("na", "n/a", "nan", "null", "none", "?", ".", "inf"):
            return ()
    there = [cell for cell, number in zip(first, numeric, strict=True) if number and cell]
    least = len(there) >= max(1, sum(numeric) / 2)
    repeated = any(cell and cell == row[j] for row in later for j, cell in enumerate(first))
    # In a wide table one cell alone may be a slip of the pen.
    if not least or repeated or (len(there) == 1 and len(names) > 1 and sum(map(bool, first)) < 2):
        return ()
    return tuple(cell.strip("()[] ") for cell in first)


def _unit_of(name: str) -> str:
    found = _UNIT_IN_NAME.fullmatch(name)
    return (found[1] or found[2]).strip() if found else ""


def _end_of(data: bytes, delimiter: str, lines: int) -> int:
    """Byte behind the first lines that are not empty."""
    text = io.BytesIO(data)
    taken = 0

    def each() -> Iterator[str]:
        nonlocal taken
        for line in text:
            for part in re.findall(rb"[^\r]*\r\n?|[^\r]+", line):
                taken += len(part)
                yield part.decode("utf-8")

    found = 0
    reader = csv.reader(each(), delimiter=delimiter)
    for row in reader:
        found += bool(row)
        if found == lines:
            break
    return taken
