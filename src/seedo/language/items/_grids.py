"""Small coloured grids: the same rule changes each; in three alphabets.

Tasks in the manner of Chollet, "On the measure of intelligence" (2019), from a stated family of
rules (see `_grid_rules`): a change of shape, a recolouring, or both. Items for which two rules of
the family that fit the examples give different answers are not made.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from seedo.language.items._alphabets import ALPHABETS, DIGITS, checked, ordered
from seedo.language.items._draw import generator, pick, shuffled
from seedo.language.items._grid_rules import COLOURS, NEW, SHAPES, Grid, answers, reshape
from seedo.language.items._item import Item, Rows

_NAMES = tuple(dict.fromkeys(shape.name for shape in SHAPES))
DESIGNS = tuple(
    (name, recoloured)
    for name in _NAMES
    for recoloured in (False, True)
    if (name, recoloured) != ("same", False)
)


def grids(seed: int, alphabets: Sequence[str] = ALPHABETS) -> Iterator[Item]:
    """Blocks of one item an alphabet: the same grids, in other symbols."""
    names = checked(alphabets)
    designs = shuffled(generator("grids", seed), DESIGNS)
    for number in itertools.count():
        rng = generator("grids", seed, number)
        name, recoloured = designs[number % len(designs)]
        examples, question, answer = _problem(name, recoloured, rng)
        for place, alphabet in enumerate(ALPHABETS):
            symbols = ordered(alphabet, DIGITS, COLOURS, rng)[:COLOURS]
            if alphabet not in names:
                continue
            yield Item(
                id=f"grids-{seed}-{number}-{place}",
                kind="grids",
                block=f"grids-{seed}-{number}",
                conditions={
                    "alphabet": alphabet,
                    "rule": name,
                    "recoloured": "yes" if recoloured else "no",
                },
                prompt=_prompt(examples, question, symbols),
                form=Rows(symbols, *answer.shape),
                gold=" / ".join(" ".join(symbols[c] for c in row) for row in answer.tolist()),
                metadata={"examples": len(examples)},
            )


def _prompt(examples: list[tuple[Grid, Grid]], question: Grid, symbols: Sequence[str]) -> str:
    def shown(grid: Grid) -> list[str]:
        return [" ".join(symbols[c] for c in row) for row in grid.tolist()]

    lines = [
        f"Symbols: {' '.join(symbols)}",
        f"Background: {symbols[0]}",
        "One rule changes all of these grids.",
    ]
    for before, after in examples:
        lines += ["Before:", *shown(before), "After:", *shown(after)]
    return "\n".join([*lines, "Before:", *shown(question), "After: what?"])


def _problem(
    name: str, recoloured: bool, rng: np.random.Generator
) -> tuple[list[tuple[Grid, Grid]], Grid, Grid]:
    """Examples, question and answer, unique in the family of rules."""
    while True:
        shape = pick(rng, [s for s in SHAPES if s.name == name])
        mapping = np.arange(COLOURS + 1, dtype=np.int8)
        mapping[NEW] = rng.integers(1, COLOURS)
        if recoloured:
            mapping[1:COLOURS] = 1 + rng.permutation(COLOURS - 1)
            if (mapping[:COLOURS] == np.arange(COLOURS)).all():
                continue
        first, second, third, question = (_grid(name, rng) for _ in range(4))
        answer = mapping[reshape(shape, question)]
        wanted = {tuple(tuple(row) for row in answer.tolist())}
        examples = [(g, mapping[reshape(shape, g)]) for g in (first, second, third)]
        if any(np.array_equal(a, b) for a, b in [*examples, (question, answer)]):
            continue
        for shown in (examples[:2], examples):
            if answers(shown, question) == wanted:
                return shown, question, answer


def _grid(name: str, rng: np.random.Generator) -> Grid:
    """A grid on which a change of this name shows."""
    lowest, highest = {"double": (2, 4), "append": (2, 4)}.get(name, (3, 6))
    rows, columns = (int(n) for n in rng.integers(lowest, highest + 1, size=2))
    if name == "fill":
        return _with_holes(rng)
    density = {"beam": 0.15, "crop": 0.4}.get(name, 0.4)
    colours = rng.integers(1, COLOURS, size=(rows, columns))
    grid = np.where(rng.random((rows, columns)) < density, colours, 0).astype(np.int8)
    if name == "crop":
        grid = np.pad(grid[:3, :3], [tuple(rng.integers(0, 3, 2)) for _ in range(2)])
    return grid


def _with_holes(rng: np.random.Generator) -> Grid:
    """A frame around background, and scattered colours."""
    rows, columns = (int(n) for n in rng.integers(5, 7, size=2))
    scattered = rng.integers(1, COLOURS, size=(rows, columns))
    grid = np.where(rng.random((rows, columns)) < 0.15, scattered, 0).astype(np.int8)
    height, width = (int(n) for n in rng.integers(3, 5, size=2))
    top, left = int(rng.integers(rows - height + 1)), int(rng.integers(columns - width + 1))
    grid[top : top + height, left : left + width] = rng.integers(1, COLOURS)
    grid[top + 1 : top + height - 1, left + 1 : left + width - 1] = 0
    return grid
