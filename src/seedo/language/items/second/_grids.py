"""Second derivation for grids: cells as a dictionary, rules as where each cell goes.

Reads the prompt's text alone. Shapes that fit every example up to a substitution of symbols are
applied to the question; they have to agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

Cells = dict[tuple[int, int], str]
Picture = tuple[int, int, Cells]  # rows, columns, every cell's symbol
Change = Callable[[Picture, str], Picture]


def solve(prompt: str) -> str:
    """The answer to a prompt, from its text alone.

    Raises:
        ValueError: the rules that fit give no or several answers.
    """
    head, *parts = prompt.split("\nBefore:\n")
    symbols, background = (line.split(": ")[1] for line in head.split("\n")[:2])
    pairs = [part.split("\nAfter:") for part in parts]
    question = _read(pairs.pop()[0])
    examples = [(_read(before), _read(after)) for before, after in pairs]
    found = set()
    for change in _family(symbols.split(), background):
        substitution: dict[str, str] = {}
        if all(_fits(change(a, background), b, substitution) for a, b in examples):
            found.add(_write(change(question, background), substitution))
    if len(found) != 1:
        raise ValueError(f"{len(found)} answers fit: {sorted(found)}")
    return found.pop()


def _read(text: str) -> Picture:
    rows = [line.split() for line in text.strip("\n").split("\n")]
    cells = {(r, c): symbol for r, row in enumerate(rows) for c, symbol in enumerate(row)}
    return len(rows), len(rows[0]), cells


def _write(picture: Picture, substitution: dict[str, str]) -> str:
    rows, columns, cells = picture
    return " / ".join(
        " ".join(substitution.get(cells[r, c], "unknown") for c in range(columns))
        for r in range(rows)
    )


def _fits(made: Picture, wanted: Picture, substitution: dict[str, str]) -> bool:
    """Whether a substitution, extended where needed, turns one picture into the other."""
    if made[:2] != wanted[:2]:
        return False
    target = wanted[2]
    for where, symbol in made[2].items():
        if substitution.setdefault(symbol, target[where]) != target[where]:
            return False
    return True


def _family(symbols: list[str], background: str) -> Iterator[Change]:
    yield lambda p, _: p
    for turned in (False, True):
        for flip_rows in (False, True):
            for flip_columns in (False, True):
                if turned or flip_rows or flip_columns:
                    yield _symmetry(turned, flip_rows, flip_columns)
    for down in range(-2, 3):
        for right in range(-2, 3):
            if down or right:
                yield _moved(down, right, around=False)
                yield _moved(down, right, around=True)
    for step in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        yield _dropped(step)
        yield _drawn_out(step)
    for symbol in symbols:
        if symbol != background:
            yield _filled(symbol)
    yield _enlarged
    yield _cut_out
    yield lambda p, _: (
        2 * p[0],
        p[1],
        p[2] | {(2 * p[0] - 1 - r, c): s for (r, c), s in p[2].items()},
    )
    yield lambda p, _: (
        p[0],
        2 * p[1],
        p[2] | {(r, 2 * p[1] - 1 - c): s for (r, c), s in p[2].items()},
    )


def _symmetry(turned: bool, flip_rows: bool, flip_columns: bool) -> Change:
    """One of the seven symmetries of a rectangle's cells that move something."""

    def change(picture: Picture, background: str) -> Picture:
        rows, columns, cells = picture
        made = {}
        for (r, c), symbol in cells.items():
            to = (rows - 1 - r if flip_rows else r, columns - 1 - c if flip_columns else c)
            made[to[::-1] if turned else to] = symbol
        return (columns, rows, made) if turned else (rows, columns, made)

    return change


def _moved(down: int, right: int, around: bool) -> Change:
    def change(picture: Picture, background: str) -> Picture:
        rows, columns, cells = picture
        made = {}
        for r, c in cells:
            source = (r - down, c - right)
            if around:
                source = (source[0] % rows, source[1] % columns)
            made[r, c] = cells.get(source, background)
        return rows, columns, made

    return change


def _dropped(step: tuple[int, int]) -> Change:
    """Let cells fall one place at a time until nothing moves."""

    def change(picture: Picture, background: str) -> Picture:
        cells = dict(picture[2])
        moving = True
        while moving:
            moving = False
            for (r, c), symbol in list(cells.items()):
                below = (r + step[0], c + step[1])
                if cells[r, c] == symbol != background and cells.get(below) == background:
                    cells[below], cells[r, c] = symbol, background
                    moving = True
        return picture[0], picture[1], cells

    return change


def _drawn_out(step: tuple[int, int]) -> Change:
    """Each symbol walks on over background, leaving itself behind."""

    def change(picture: Picture, background: str) -> Picture:
        before, cells = picture[2], dict(picture[2])
        for (r, c), symbol in before.items():
            if symbol != background:
                r, c = r + step[0], c + step[1]
                while before.get((r, c)) == background:
                    cells[r, c] = symbol
                    r, c = r + step[0], c + step[1]
        return picture[0], picture[1], cells

    return change


def _filled(symbol: str) -> Change:
    def change(picture: Picture, background: str) -> Picture:
        rows, columns, cells = picture
        empty = {where for where, s in cells.items() if s == background}
        border = {(r, c) for r, c in empty if r in (0, rows - 1) or c in (0, columns - 1)}
        waiting = list(border)
        while waiting:
            r, c = waiting.pop()
            for near in ((r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)):
                if near in empty and near not in border:
                    border.add(near)
                    waiting.append(near)
        return rows, columns, cells | {where: symbol for where in empty - border}

    return change


def _enlarged(picture: Picture, background: str) -> Picture:
    rows, columns, cells = picture
    made = {(r, c): cells[r // 2, c // 2] for r in range(2 * rows) for c in range(2 * columns)}
    return 2 * rows, 2 * columns, made


def _cut_out(picture: Picture, background: str) -> Picture:
    coloured = [where for where, symbol in picture[2].items() if symbol != background]
    if not coloured:
        return picture
    top, left = min(r for r, _ in coloured), min(c for _, c in coloured)
    rows = max(r for r, _ in coloured) - top + 1
    columns = max(c for _, c in coloured) - left + 1
    return (
        rows,
        columns,
        {(r, c): picture[2][r + top, c + left] for r in range(rows) for c in range(columns)},
    )
