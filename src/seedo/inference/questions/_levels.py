"""Levels of named columns in questions: by name on the way in and out, positions inside."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from seedo.inference.questions._query_words import (
    NUMBER,
    WORD,
    folded,
    in_digits,
    short,
)
from seedo.tables import Column

_YES = frozenset({"1", "yes", "y", "true", "t", "ja", "oui", "si", "sí"})
_NO = frozenset({"0", "no", "n", "false", "f", "nein", "non"})
_ALIKE = (
    _YES,
    _NO,
    frozenset({"treated", "treatment", "treat", "intervention", "active", "exposed"}),
    frozenset({"control", "controls", "untreated", "placebo", "unexposed"}),
    frozenset({"male", "males", "m", "man", "men", "boy", "männlich", "maennlich"}),
    frozenset({"female", "females", "f", "w", "woman", "women", "girl", "weiblich"}),
)
"""Words for one and the same level."""
_ALSO = ((_ALIKE[2], _YES), (_ALIKE[3], _NO))
"""Words that mean a level of two that are the words of another kind, too."""


def named_column(variable: str, columns: Sequence[Column]) -> Column | None:
    """The column of this name if its values are positions in a list of levels."""
    return next((c for c in columns if c.name == variable and c.named and c.levels), None)


def spelt(level: str) -> str:
    """A level as it is written in a question."""
    return level if WORD.fullmatch(level) else '"' + level.replace('"', '""') + '"'


def listed(column: Column, most: int = 8) -> str:
    """The levels of a column, for a message."""
    text = ", ".join(spelt(short(level, 40)) for level in column.levels[:most])
    more = len(column.levels) - most
    return f"{text} and {more} more" if more > 0 else text


def level_of(column: Column, text: str) -> int | None:
    """The level called so: by its name, in another case if one fits, as the same number (1.0 for
    1), or as yes or no where that is what the column says."""
    if text in column.levels:
        return column.levels.index(text)
    alike = [i for i, level in enumerate(column.levels) if folded(level) == folded(text)]
    if len(alike) == 1:
        return alike[0]
    value = _figure(text)
    equal = [i for i, level in enumerate(column.levels) if value == _figure(level) is not None]
    if len(equal) == 1:
        return equal[0]
    said, levels = folded(text), [folded(level) for level in column.levels]
    kinds = [kind for kind in _ALIKE if said in kind]
    if len(levels) == 2:
        for one, other in _ALSO:
            kinds += [other] if said in one else [one] if said in other else []
    alike = [i for i, level in enumerate(levels) if any(level in kind for kind in kinds)]
    return alike[0] if len(alike) == 1 else None


def threshold(column: Column, text: str) -> float | None:
    """Where a number stands among levels that are rising numbers: at a position, or half-way
    between two; None where levels are not, or the text is no number."""
    value, figures = _figure(text), _rising(column)
    if value is None or not figures:
        return None
    place = bisect_left(figures, value)
    return float(place) if place < len(figures) and figures[place] == value else place - 0.5


def has_order(column: Column) -> bool:
    """Whether one level can be above another."""
    return column.type == "ordered" or bool(_rising(column))


def shown(variable: str, value: float, columns: Sequence[Column]) -> str:
    """A value as it is written in a question: a level by its name."""
    column = named_column(variable, columns)
    if column is None or not math.isfinite(value):
        return in_digits(value)
    count = len(column.levels)
    if value in range(count):
        return spelt(column.levels[int(value)])
    figures = _rising(column)
    if not figures:
        return in_digits(value)
    above = min(max(math.ceil(value), 0), count)
    if above == 0:
        return in_digits(figures[0] - 1)
    if above == count:
        return in_digits(figures[-1] + 1)
    return in_digits((figures[above - 1] + figures[above]) / 2)


def _figure(text: str) -> float | None:
    text = text.strip()
    return float(text.replace("−", "-")) if NUMBER.fullmatch(text) else None


def _rising(column: Column) -> list[float]:
    """The levels as numbers, if they are numbers that rise; else none."""
    figures = [_figure(level) for level in column.levels]
    found = [figure for figure in figures if figure is not None]
    rising = all(a < b for a, b in pairwise(found))
    return found if rising and len(found) == len(figures) else []
