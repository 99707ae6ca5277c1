"""Matrices of symbols after Raven: find the ninth cell; in three alphabets.

Rules in the manner of Webb, Holyoak and Lu (2023): every place in the cell follows one of
`constant` (one value in a line), `progression` (a constant step along the line) and `distribution`
(the same three values in each line, in any order); or the whole cell is a set and the third of a
line is the union (`or`), the intersection (`and`) or the symmetric difference (`xor`) of the first
two. Lines are rows or columns. Items for which rules of this family give two answers are not made.

The options are what is right, crossed with changes to it, so that each value is as frequent as its
alternatives: options alone say nothing (Hu et al., "Stratified rule-aware network for abstract
visual reasoning", 2021).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from seedo.language.items._alphabets import ALPHABETS, DIGITS, checked, ordered
from seedo.language.items._draw import generator, pick, shuffled
from seedo.language.items._item import Item, OneOf

SIZE = 10
PLACE_RULES = ("constant", "progression", "distribution")
SET_RULES = ("or", "and", "xor")
OPTIONS = tuple("ABCDEFGH")

Cell = tuple[int, ...]
Matrix = list[list[Cell]]

DESIGNS = (
    *((rule,) for rule in PLACE_RULES),
    *itertools.combinations_with_replacement(PLACE_RULES, 2),
    ("constant", "progression", "distribution"),
    ("progression", "progression", "distribution"),
    ("progression", "distribution", "distribution"),
    *((rule,) for rule in SET_RULES),
)


def matrices(seed: int, alphabets: Sequence[str] = ALPHABETS) -> Iterator[Item]:
    """Blocks of one item an alphabet: the same places, in other symbols."""
    names = checked(alphabets)
    designs = shuffled(generator("matrices", seed), DESIGNS)
    for number in itertools.count():
        rng = generator("matrices", seed, number)
        design = designs[number % len(designs)]
        matrix, options = _problem(design, rng)
        right = options.index(matrix[2][2])
        for place, name in enumerate(ALPHABETS):
            symbols = ordered(name, DIGITS, SIZE, rng)
            if name not in names:
                continue
            yield Item(
                id=f"matrices-{seed}-{number}-{place}",
                kind="matrices",
                block=f"matrices-{seed}-{number}",
                conditions={
                    "alphabet": name,
                    "rule": "+".join(design),
                    "rules": str(len(design)),
                },
                prompt=_prompt(matrix, options, symbols),
                form=OneOf(OPTIONS),
                gold=OPTIONS[right],
                metadata={"cell": [symbols[i] for i in matrix[2][2]]},
            )


def _shown(cell: Cell, symbols: Sequence[str]) -> str:
    return f"[{' '.join(symbols[i] for i in cell)}]"


def _prompt(matrix: Matrix, options: list[Cell], symbols: Sequence[str]) -> str:
    rows = [[_shown(cell, symbols) for cell in row] for row in matrix]
    rows[2][2] = "[what?]"
    return "\n".join(
        [
            f"Symbols, in their order: {' '.join(symbols)}",
            "The same rules hold in every line of this matrix:",
            *(" ".join(row) for row in rows),
            "Which of these completes it?",
            *(f"{k}: {_shown(o, symbols)}" for k, o in zip(OPTIONS, options, strict=True)),
        ]
    )


def _problem(design: tuple[str, ...], rng: np.random.Generator) -> tuple[Matrix, list[Cell]]:
    """A matrix whose last cell is unique in the family of rules, and eight options for it."""
    while True:
        if design[0] in SET_RULES:
            matrix = _set_matrix(design[0], rng)
        else:
            places = [_place_matrix(rule, rng) for rule in design]
            matrix = [[tuple(p[i][j] for p in places) for j in range(3)] for i in range(3)]
        if matrix is None or answers(matrix) != {matrix[2][2]}:
            continue
        changes = _set_options if design[0] in SET_RULES else _place_options
        return matrix, shuffled(rng, changes(matrix[2][2], rng))


def _place_matrix(rule: str, rng: np.random.Generator) -> list[list[int]]:
    if rule == "constant":
        return [[int(v)] * 3 for v in rng.permutation(SIZE)[:3]]
    if rule == "distribution":
        values = [int(v) for v in rng.permutation(SIZE)[:3]]
        turn = pick(rng, (1, 2))
        return [[values[(turn * i + j) % 3] for j in range(3)] for i in range(3)]
    step = pick(rng, (-2, -1, 1, 2))
    starts = [s for s in range(SIZE) if 0 <= s + 2 * step < SIZE]
    return [[s + step * j for j in range(3)] for s in shuffled(rng, starts)[:3]]


def _set_matrix(rule: str, rng: np.random.Generator) -> Matrix | None:
    matrix = []
    for _ in range(3):
        sizes = rng.integers(1, 4, size=2) if rule != "and" else rng.integers(2, 5, size=2)
        first, second = (set(rng.permutation(SIZE)[:size].tolist()) for size in sizes)
        if rule != "or":
            second = second | set(rng.permutation(sorted(first))[:1].tolist())
        third = combined(rule, first, second)
        if not third or len(third) > 6:
            return None
        matrix.append([tuple(sorted(cell)) for cell in (first, second, third)])
    return matrix


def combined(rule: str, first: set[int], second: set[int]) -> set[int]:
    """The third cell of a line by a rule on sets."""
    return {"or": first | second, "and": first & second, "xor": first ^ second}[rule]


def answers(matrix: Matrix) -> set[Cell]:
    """Every ninth cell that rules of the family give which fit the other eight."""
    found: set[Cell] = set()
    for lines in (matrix, [list(column) for column in zip(*matrix, strict=True)]):
        (a, b, c), (d, e, f), (g, h, _) = lines
        for rule in SET_RULES:
            fits = all(
                combined(rule, set(x), set(y)) == set(z) for x, y, z in ((a, b, c), (d, e, f))
            )
            if fits:
                found.add(tuple(sorted(combined(rule, set(g), set(h)))))
    widths = {len(cell) for row in matrix for cell in row} - {0}
    eight = [cell for row in matrix for cell in row][:8]
    if len({len(cell) for cell in eight}) == 1 and widths:
        places = [_place_answers(matrix, place) for place in range(len(eight[0]))]
        found |= set(itertools.product(*places))
    return found


def _place_answers(matrix: Matrix, place: int) -> set[int]:
    values = np.array([[row[j][place] if (i, j) != (2, 2) else -1 for j in range(3)]
                       for i, row in enumerate(matrix)])  # fmt: skip
    found = set()
    for lines in (values, values.T):
        whole, last = lines[:2], lines[2, :2]
        if (lines[:2] == lines[:2, :1]).all() and last[0] == last[1]:
            found.add(int(last[0]))
        steps = {*np.diff(whole).ravel().tolist(), int(last[1] - last[0])}
        if len(steps) == 1 and 0 not in steps and 0 <= 2 * last[1] - last[0] < SIZE:
            found.add(int(2 * last[1] - last[0]))
        first, second = (set(line.tolist()) for line in whole)
        rest = first - set(last.tolist())
        if first == second and len(first) == 3 and len(rest) == 1:
            found.add(rest.pop())
    return found


def _place_options(right: Cell, rng: np.random.Generator) -> list[Cell]:
    """Eight cells: 8 values of the one place, 4 × 2 of two, 2 × 2 × 2 of three."""
    counts = {1: [8], 2: shuffled(rng, [4, 2]), 3: [2, 2, 2]}[len(right)]
    values = [
        [v, *[o for o in shuffled(rng, range(SIZE)) if o != v][: count - 1]]
        for v, count in zip(right, counts, strict=True)
    ]
    return list(itertools.product(*values))


def _set_options(right: Cell, rng: np.random.Generator) -> list[Cell]:
    """Eight cells: three symbols in or out, everything else as it should be."""
    kept = pick(rng, right)
    free = shuffled(rng, [i for i in range(SIZE) if i != kept])
    inside = [i for i in free if i in right][:2]
    flips = [*inside, *[i for i in free if i not in right]][:3]
    cells = []
    for chosen in itertools.product((False, True), repeat=3):
        changed = {i for i, flip in zip(flips, chosen, strict=True) if flip}
        cells.append(tuple(sorted(set(right) ^ changed)))
    return cells
