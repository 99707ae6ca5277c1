"""Categorical syllogisms, belief crossed with validity.

All 256 forms: two premises that share a middle term, quantifiers all, no, some, some-not, four
figures. Existential import: every kind named has at least one member, and the prompt says so; 24
forms are valid then. Belief lies in the conclusion alone: the middle term is a pseudo-word
everywhere, so that no premise is true or false of the world.

The design follows Evans, Barston and Pollard (1983) and Dasgupta et al., "Language models show
human-like content effects on reasoning tasks" (2022); contents are our own.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from typing import NamedTuple

from seedo.language.items._draw import generator, pick, shuffled
from seedo.language.items._item import Item, OneOf
from seedo.language.items._words import TELLING, draw_nonsense, draw_pair

BELIEFS = ("believable", "unbelievable", "neutral")
QUANTIFIERS = {"A": "all", "E": "no", "I": "some", "O": "some-not"}
FIGURES = {1: ("MP", "SM"), 2: ("PM", "SM"), 3: ("MP", "MS"), 4: ("PM", "MS")}
"""Figure -> terms of the major and the minor premise, in order; the conclusion is S-P."""

_SENTENCES = {
    "all": "All {} are {}.",
    "no": "No {} are {}.",
    "some": "Some {} are {}.",
    "some-not": "Some {} are not {}.",
}


class Form(NamedTuple):
    """Mood (major premise, minor premise, conclusion) and figure."""

    mood: str
    figure: int

    def __str__(self) -> str:
        return f"{self.mood}-{self.figure}"

    @property
    def statements(self) -> tuple[tuple[str, str, str], ...]:
        """(quantifier, subject, predicate) of both premises and the conclusion."""
        pairs = (*FIGURES[self.figure], "SP")
        return tuple((QUANTIFIERS[q], p[0], p[1]) for q, p in zip(self.mood, pairs, strict=True))


FORMS = tuple(
    Form("".join(mood), figure)
    for figure in FIGURES
    for mood in itertools.product("AEIO", repeat=3)
)
"""The 256 forms of syllogisms: mood and figure."""


def _holds(statement: tuple[str, str, str], model: frozenset[frozenset[str]]) -> bool:
    quantifier, subject, predicate = statement
    shared = any(subject in thing and predicate in thing for thing in model)
    apart = any(subject in thing and predicate not in thing for thing in model)
    return {"all": not apart, "no": not shared, "some": shared, "some-not": apart}[quantifier]


@functools.cache
def _models() -> tuple[frozenset[frozenset[str]], ...]:
    """Every set of types of things that can exist such that there are S, M and P.

    A statement about kinds depends only on which of the eight combinations of memberships exist,
    so these are all models there are, of any size.
    """
    things = [frozenset(t) for size in range(4) for t in itertools.combinations("SMP", size)]
    models = itertools.chain.from_iterable(
        itertools.combinations(things, size) for size in range(len(things) + 1)
    )
    return tuple(
        frozenset(model) for model in models if all(any(k in t for t in model) for k in "SMP")
    )


@functools.cache
def valid(form: Form) -> bool:
    """Whether the conclusion is true in every model of the premises."""
    *premises, conclusion = form.statements
    return all(
        _holds(conclusion, model)
        for model in _models()
        if all(_holds(premise, model) for premise in premises)
    )


def syllogisms(seed: int) -> Iterator[Item]:
    """Blocks of six: belief × validity; both of a belief end in the same sentence."""
    order = generator("syllogisms", seed)
    sound = shuffled(order, [form for form in FORMS if valid(form)])
    for number in itertools.count():
        rng = generator("syllogisms", seed, number)
        good = sound[number % len(sound)]
        # the same conclusion's quantifier, so that it cannot give validity away
        bad = pick(rng, [f for f in FORMS if f.mood[2] == good.mood[2] and not valid(f)])
        quantifier = QUANTIFIERS[good.mood[2]]
        swap = bool(rng.random() < 0.5)
        for place, belief in enumerate(BELIEFS):
            words = [f"{word}s" for word in draw_nonsense(rng, 3)]
            terms = dict(zip("SMP", words, strict=True))
            if belief != "neutral":
                relation = pick(rng, TELLING[quantifier, belief == "believable"])
                terms["S"], terms["P"], _ = draw_pair(rng, relation)
            for form in (good, bad):
                yield _item(seed, number, place, form, belief, terms, swap)


def _item(
    seed: int, block: int, place: int, form: Form, belief: str, terms: dict[str, str], swap: bool
) -> Item:
    sentences = [_SENTENCES[q].format(terms[s], terms[p]) for q, s, p in form.statements]
    premises = sentences[1::-1] if swap else sentences[:2]
    validity = "valid" if valid(form) else "invalid"
    prompt = "\n".join(
        [
            "Take the premises as true, and take it that there is at least one of every kind "
            "named. Use nothing else that you know.",
            f"Premise 1: {premises[0]}",
            f"Premise 2: {premises[1]}",
            f"Conclusion: {sentences[2]}",
            "Does the conclusion follow from the premises (valid) or not (invalid)?",
        ]
    )
    return Item(
        id=f"syllogisms-{seed}-{block}-{place * 2 + (validity == 'invalid')}",
        kind="syllogisms",
        block=f"syllogisms-{seed}-{block}",
        conditions={"validity": validity, "belief": belief, "form": str(form)},
        prompt=prompt,
        form=OneOf(("valid", "invalid")),
        gold=validity,
        metadata={"terms": terms},
    )
