"""Second derivation for matrices: try every candidate for the ninth cell against whole lines.

Reads the prompt's text alone. A rule is a test of three complete lines; an option is right if some
rule accepts the lines that it completes, and only one option may be. That no cell outside the
options would be accepted either is tested too: all single symbols in each place, all sets.
"""

from __future__ import annotations

import itertools
import re

_CELL = re.compile(r"\[(.*?)\]")


def solve(prompt: str) -> str:
    """The answer to a prompt, from its text alone.

    Raises:
        ValueError: no cell or several complete the matrix by rules of the family.
    """
    lines = prompt.split("\n")
    order = lines[0].split(": ", 1)[1].split()
    rows = [[tuple(c.split()) for c in _CELL.findall(line)] for line in lines[2:5]]
    options = {}
    for line in lines[6:]:
        label, _, shown = line.partition(": ")
        options[label] = tuple(shown.strip("[]").split())
    known = [cell for row in rows for cell in row][:8]
    accepted = _sets(known, order) | _places(known, order)
    if len(accepted) != 1:
        raise ValueError(f"{len(accepted)} cells fit: {sorted(accepted)}")
    (cell,) = accepted
    labels = [label for label, option in options.items() if option == cell]
    if len(labels) != 1:
        raise ValueError(f"{len(labels)} options are {cell}")
    return labels[0]


def _both_ways(cells: list[int]) -> tuple[list[list[int]], list[list[int]]]:
    across = [cells[0:3], cells[3:6], cells[6:9]]
    return across, [list(line) for line in zip(*across, strict=True)]


def _sets(known: list[tuple[str, ...]], order: list[str]) -> set[tuple[str, ...]]:
    """Cells that complete the lines by a rule on membership, symbol by symbol."""
    symbols = [symbol for symbol in order if any(symbol in cell for cell in known)]
    found = set()
    for turned in (False, True):
        cells = known if not turned else [known[i] for i in (0, 3, 6, 1, 4, 7, 2, 5)]
        for rule in (max, min, int.__ne__):
            fits = all(
                int(rule(int(s in cells[i]), int(s in cells[i + 1]))) == int(s in cells[i + 2])
                for i in (0, 3)
                for s in symbols
            )
            if fits:
                inside = [s for s in symbols if rule(int(s in cells[6]), int(s in cells[7]))]
                found.add(tuple(inside))
    return found


def _places(known: list[tuple[str, ...]], order: list[str]) -> set[tuple[str, ...]]:
    width = len(known[0])
    if any(len(cell) != width for cell in known):
        return set()
    rank = {symbol: i for i, symbol in enumerate(order)}
    fitting = []
    for place in range(width):
        column = [rank[cell[place]] for cell in known]
        fitting.append(
            [s for s in order if any(_rule(lines) for lines in _both_ways([*column, rank[s]]))]
        )
    return set(itertools.product(*fitting))


def _rule(lines: list[list[int]]) -> bool:
    """Whether three complete lines follow one of the rules on a place."""
    if all(line[0] == line[1] == line[2] for line in lines):
        return True
    steps = {line[i + 1] - line[i] for line in lines for i in (0, 1)}
    if len(steps) == 1 and steps != {0}:
        return True
    return len({frozenset(line) for line in lines}) == 1 and len(set(lines[0])) == 3
