"""Items by kind, and the check of their answers."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from seedo.errors import UserError
from seedo.language.items import second
from seedo.language.items._alphabets import ALPHABETS
from seedo.language.items._entailment import entailment
from seedo.language.items._grids import grids
from seedo.language.items._item import Item
from seedo.language.items._letter_strings import letter_strings
from seedo.language.items._matrices import matrices
from seedo.language.items._syllogisms import syllogisms
from seedo.language.items._wason import wason

_CONTENT = {"syllogisms": syllogisms, "entailment": entailment, "wason": wason}
_ANALOGIES = {"letter-strings": letter_strings, "matrices": matrices, "grids": grids}
CONTENT_KINDS = tuple(_CONTENT)
"""Kinds of items whose content can be believable or not."""
ANALOGY_KINDS = tuple(_ANALOGIES)
"""Kinds of letter-string analogies."""
KINDS = CONTENT_KINDS + ANALOGY_KINDS
"""All kinds of items."""


def items(kind: str, count: int, seed: int, alphabets: Sequence[str] = ALPHABETS) -> list[Item]:
    """The first `count` items of a kind and seed; the same for every `count` and on every machine.

    Cells of the design differ in size by one item at most; whole blocks (six items of `syllogisms`
    and `entailment`, four of `wason`, one an alphabet of the analogies) balance them exactly.

    Args:
        kind: one of KINDS.
        count: at least 1.
        seed: at least 0.
        alphabets: of analogies, some of ALPHABETS; other kinds have none.

    Raises:
        UserError: a kind or alphabet that there is not, a count or seed out of range.
    """
    if kind not in KINDS:
        raise UserError("kind", kind, f"use one of {', '.join(KINDS)}")
    for field, value, lowest in (("count", count, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or value < lowest:
            raise UserError(field, value, f"use a whole number from {lowest}")
    made = _CONTENT[kind](seed) if kind in _CONTENT else _ANALOGIES[kind](seed, alphabets)
    return list(itertools.islice(made, count))


class Disagreement(NamedTuple):
    """An item whose two derivations differ."""

    item: Item
    second: str  # the second answer, or why there is none


def disagreements(asked: Iterable[Item]) -> list[Disagreement]:
    """Items whose gold is not what the second derivation makes of the prompt."""
    found = []
    for item in asked:
        try:
            answer = second.solve(item.kind, item.prompt)
        except ValueError as error:
            answer = str(error)
        if answer != item.gold:
            found.append(Disagreement(item, answer))
    return found
