"""Graphs in tables: two columns of names, or a matrix of 0 and 1."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Sequence

from seedo.inference.graphs._drawing import Drawing, Place

_FROM = frozenset({"source", "from", "cause", "parent", "tail"})
_TO = frozenset({"target", "to", "effect", "child", "head"})
_SUFFIXES = (".csv", ".tsv", ".tab")
_FIGURES = {"0": False, "1": True, "false": False, "true": True}
_TWO = "write two names: source,target"

Row = tuple[int, list[str]]


def table_rows(text: str, variables: Collection[str]) -> list[Row]:
    """(line number, cells) of the lines of a table that are neither empty nor comments; empty if
    the text cannot be a table. Cells stand between commas, semicolons or tabs."""
    lines = text.splitlines()
    first = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    try:
        delimiter = max(",;\t", key=lambda d: len(next(csv.reader([first], delimiter=d), [])))
    except csv.Error:  # a cell longer than any name
        return []
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True)
    rows = []
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            comment = cells and cells[0].startswith("#") and cells[0] not in variables
            if any(cells) and not comment:
                rows.append((reader.line_num, cells))
    except csv.Error:
        return []
    return rows


def is_matrix(rows: Sequence[Row]) -> bool:
    """Whether these are names, and below them a number for every two."""
    if len(rows) < 2 or _is_figure(rows[0][1][-1]) or _header(rows[0][1]):
        return False
    figures = [_is_figure(cells[-1]) or not cells[-1] for _, cells in rows[1:]]
    wide = all(len(cells) > 1 for _, cells in rows[1:])
    some = any(_is_figure(cell) for _, cells in rows[1:] for cell in cells)
    return wide and some and all(figures)


def is_edge_list(rows: Sequence[Row], source: str) -> bool:
    """Whether these are pairs of names: by the header, by the file's name, or because one name
    stands in several rows, which it would not in a list of variables without edges."""
    if not rows:
        return False
    if _header(rows[0][1]) or _turned(rows[0][1]):
        return True
    pairs = all(len(cells) == 2 for _, cells in rows)
    if source.casefold().endswith(_SUFFIXES):
        return pairs or len(rows[0][1]) > 1
    names = [name for _, cells in rows for name in cells]
    return pairs and len(set(names)) < len(names)


def _header(cells: Sequence[str]) -> bool:
    """Whether a row says which column is the cause and which the effect."""
    said = [cell.casefold() for cell in cells if cell]
    return len(said) > 1 and said[0] in _FROM and said[1] in _TO


def _turned(cells: Sequence[str]) -> bool:
    """Whether a row says so with the effect first."""
    said = [cell.casefold() for cell in cells]
    return len(said) == 2 and said[0] in _TO and said[1] in _FROM


def _is_figure(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return cell.casefold() in _FIGURES
    return True


def read_edge_list(rows: Sequence[Row], drawing: Drawing) -> None:
    """``source,target``: causes in the first column, effects in the second."""
    turned = _turned(rows[0][1])
    if turned and not {*rows[0][1]} & {cell for _, cells in rows[1:] for cell in cells}:
        rows = [(number, cells[::-1]) for number, cells in rows]
    header = rows[0][1] if _header(rows[0][1]) else None
    numbered = header is not None and header[0] == ""  # as pandas writes it, with an index
    columns = len(header) - numbered if header else 2
    if columns > 2:
        raise drawing.place(rows[0][0], ",".join(rows[0][1])).refuse(
            "an edge list has two columns, source and target: leave the others out"
        )
    for number, cells in rows[1:] if header else rows:
        place = drawing.place(number, ",".join(cells))
        pair = cells[1:] if numbered else cells
        if len(pair) == 2 and pair[0] and not pair[1]:
            drawing.node(pair[0], place)
            continue
        if len(pair) != 2:
            raise place.refuse(_TWO)
        drawing.edge(pair[0], "->", pair[1], place)


def read_matrix(rows: Sequence[Row], drawing: Drawing) -> None:
    """Names above, and a 1 in row A, column B for A -> B; names before the rows are optional."""
    names, body = rows[0][1], rows[1:]
    width = len(body[0][1])
    named = not _is_figure(body[0][1][0]) or len(names) == width - 1 or names[0] == ""
    if named and len(names) == width:
        names = names[1:]
    place = drawing.place(rows[0][0], ",".join(rows[0][1]))
    if len(set(names)) < len(names):
        raise place.refuse("a name stands twice; give every column one of its own")
    causes = [cells[0] for _, cells in body] if named else list(names)
    if len(body) != len(names) or sorted(causes) != sorted(names):
        raise place.refuse(
            f"a matrix of {len(names)} columns needs as many rows, of the same names"
        )
    for name in names:
        drawing.node(name, place)
    for (number, cells), cause in zip(body, causes, strict=True):
        place = drawing.place(number, ",".join(cells))
        figures = cells[1:] if named else cells
        if len(figures) != len(names):
            raise place.refuse(f"expected {len(names)} numbers")
        for effect, figure in zip(names, figures, strict=True):
            if _edge_here(figure, place):
                drawing.edge(cause, "->", effect, place)
    drawing.notes.append(
        f"{drawing.source} is read as row causes column: a 1 in row {names[0]}, column "
        f"{names[-1]} means {names[0]} -> {names[-1]}; transpose it if it means the other way"
    )


def _edge_here(figure: str, place: Place) -> bool:
    if not figure:
        raise place.refuse("an empty cell: write 0 (no edge) or 1 (an edge)")
    found = _FIGURES.get(figure.casefold())
    if found is None and _is_figure(figure) and float(figure) in (0.0, 1.0):
        found = bool(float(figure))
    if found is None:
        raise place.refuse(f"{figure!r} is neither 0 (no edge) nor 1 (an edge)")
    return found
