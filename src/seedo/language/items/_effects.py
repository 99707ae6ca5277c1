"""What answers to items come to: accuracy by cell, content effects, effects of alphabets.

Items of one block differ in their conditions only, so contrasts are taken within blocks and their
intervals over blocks; accuracy over items (Wilson's, or Student's t where items were repeated).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from seedo.language.items._generate import ANALOGY_KINDS, CONTENT_KINDS
from seedo.language.items._item import Item
from seedo.statistics import (
    Estimate,
    ItemAnswer,
    MixedEffects,
    clustered_mean,
    clusters_of,
    mean,
    missing,
    mixed_effects,
    proportion,
)


class Answered(NamedTuple):
    """One answer to one item."""

    item: str
    block: str
    kind: str
    conditions: Mapping[str, str]
    run: str  # a repetition: epoch, seed of the run
    correct: float  # 1 or 0; 0 where there is no answer
    malformed: float  # 1: there is no answer to be read
    floor: float
    as_shown: float = 0.0  # 1: the answer is the one, drawn at random, that the prompt shows

    @property
    def score(self) -> float:
        """1 or 0, and what chance gives where there is no answer: silence is no knowledge of what
        is wrong."""
        return self.floor if self.malformed else self.correct


def answered(item: Item, reply: str, reasoning: bool = False, run: str = "") -> Answered:
    """How a reply to an item is scored."""
    answer = item.read(reply, reasoning)
    return Answered(
        item=item.id,
        block=item.block,
        kind=item.kind,
        conditions=item.conditions,
        run=run,
        correct=float(answer == item.gold),
        malformed=float(not isinstance(answer, str)),
        floor=item.floor,
        as_shown=float(answer == item.shown_normally),
    )


_CELLS: dict[str, tuple[str, ...]] = {
    "syllogisms": ("validity", "belief"),
    "entailment": ("validity", "belief"),
    "wason": ("content",),
}


def cell(kind: str, conditions: Mapping[str, str]) -> str:
    """The cell of the design that an item is in, as "kind/level/level"."""
    return "/".join([kind, *(conditions[name] for name in _CELLS.get(kind, ("alphabet",)))])


def by_cell(
    rows: Iterable[Answered], measure: Callable[[Sequence[Answered]], Estimate] | None = None
) -> dict[str, Estimate]:
    """A measure (`accuracy` unless told) of every cell, in the order met."""
    measure = measure or accuracy
    cells: dict[str, list[Answered]] = {}
    for row in rows:
        cells.setdefault(cell(row.kind, row.conditions), []).append(row)
    return {name: measure(own) for name, own in cells.items()}


def accuracy(rows: Sequence[Answered]) -> Estimate:
    """Mean `Answered.score`: the share of right answers, where silence counts as chance; `n` counts
    items."""
    if not any(row.malformed for row in rows):
        return _share(rows, [row.correct for row in rows])
    found = clustered_mean([row.score for row in rows], [row.item for row in rows])
    return _no_point(found, "the same in every item: no interval")


def among_answered(rows: Sequence[Answered]) -> Estimate:
    """Share of right answers among those that could be read."""
    read = [row for row in rows if not row.malformed]
    return _share(read, [row.correct for row in read]) if read else missing("nothing was answered")


def share_answered(rows: Sequence[Answered]) -> Estimate:
    """Share of replies in which an answer could be read."""
    return _share(rows, [1 - row.malformed for row in rows])


def share_as_shown(rows: Sequence[Answered]) -> Estimate:
    """Share of replies whose answer is the one, drawn at random, that the prompt shows: where it is
    near 1, the form was given back and nothing was answered."""
    return _share(rows, [row.as_shown for row in rows])


def _share(rows: Sequence[Answered], hits: Sequence[float]) -> Estimate:
    repeated = len({row.item for row in rows}) < len(rows)
    return proportion(hits, clusters_of([row.item for row in rows]) if repeated else None)


def _no_point(found: Estimate, why: str) -> Estimate:
    """Without an interval where that is a point: values that are all the same do not tell how far
    others would lie from them, such as chance for silence, or 0 for one answer to everything."""
    same = found.low is not None and found.low == found.high
    return Estimate(found.value, n=found.n, reason=why) if same else found


SIDES = ("inconsistent", "consistent")
"""The first is what the mixed model compares with."""


def consistency(row: Answered) -> str | None:
    """Whether what is known of the world leads to the right answer; None: it says nothing.

    `syllogisms`, `entailment`: `consistent` where the conclusion is believable and valid or
    unbelievable and invalid, else `inconsistent`; neutral conclusions are neither. `wason`:
    `consistent` in familiar and social clothes, `inconsistent` in arbitrary and nonsense ones.
    """
    levels = row.conditions
    if row.kind == "wason":
        return "consistent" if levels["content"] in ("familiar", "social") else "inconsistent"
    if levels["belief"] == "neutral":
        return None
    agrees = (levels["validity"] == "valid") == (levels["belief"] == "believable")
    return "consistent" if agrees else "inconsistent"


def _within_blocks(
    rows: Iterable[Answered], side: Callable[[Answered], str | None], first: str, second: str
) -> Estimate:
    """Mean over blocks of accuracy on the first side less on the second; `n` counts blocks."""
    blocks: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        where = side(row)
        if where in (first, second):
            blocks.setdefault(row.block, {}).setdefault(where, []).append(row.score)
    whole = [sides for sides in blocks.values() if len(sides) == 2]
    found = mean([np.mean(sides[first]) - np.mean(sides[second]) for sides in whole])
    return _no_point(found, "the same in every block: no interval")


@dataclass(frozen=True)
class ContentEffect:
    """Accuracy where content helps less accuracy where it misleads.

    Attributes:
        paired: mean difference within blocks.
        mixed: the same from `seedo.language` mixed model, random intercepts for blocks (items
            where they were repeated) and runs; None where there are no two sides to compare.
    """

    paired: Estimate
    mixed: MixedEffects | None


def paired_content_effects(rows: Sequence[Answered]) -> dict[str, Estimate]:
    """Content effect of each content kind among the rows: consistent less inconsistent."""
    return {
        kind: _within_blocks(
            [row for row in rows if row.kind == kind], consistency, "consistent", "inconsistent"
        )
        for kind in CONTENT_KINDS
        if any(row.kind == kind for row in rows)
    }


def content_effect(rows: Iterable[Answered]) -> dict[str, ContentEffect]:
    """Content effects by kind, paired and by a mixed model; needs statsmodels (extra `inspect`).

    The mixed model's effect is "consistency: consistent - inconsistent".
    """
    known = list(rows)
    found = {}
    for kind, paired in paired_content_effects(known).items():
        own = [row for row in known if row.kind == kind]
        sides = {side: [r for r in own if consistency(r) == side] for side in SIDES}
        repeated = len({row.run for row in own}) > 1
        answers = [
            ItemAnswer(r.item if repeated else r.block, r.run, r.score, {"consistency": side})
            for side, of_side in sides.items()
            for r in of_side
        ]
        two = all(sides.values())
        found[kind] = ContentEffect(paired, mixed_effects(answers) if two else None)
    return found


def alphabet_effects(rows: Sequence[Answered]) -> dict[str, Estimate]:
    """Accuracy in the usual alphabet less in another, within blocks, as "kind/other"."""

    def alphabet(row: Answered) -> str | None:
        return row.conditions["alphabet"]

    found = {}
    for kind in ANALOGY_KINDS:
        own = [row for row in rows if row.kind == kind]
        seen = {alphabet(row) for row in own}
        for other in ("permuted", "symbols"):
            if {"usual", other} <= seen:
                found[f"{kind}/{other}"] = _within_blocks(own, alphabet, "usual", other)
    return found
