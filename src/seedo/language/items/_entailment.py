"""Short inferences with if, or, and, only, unless, every and no; belief crossed with validity.

Every scheme has a valid and an invalid set of premises with the same conclusion. The conclusion is
true of the world (believable), false of it (unbelievable) or says nothing (neutral); whatever else
occurs in the premises is made of pseudo-words, so that belief lies in the conclusion alone. "Or" is
inclusive unless "but not both" is said.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from seedo.language.items._draw import generator, pick, shuffled
from seedo.language.items._item import Item, OneOf
from seedo.language.items._syllogisms import BELIEFS
from seedo.language.items._words import INDIVIDUALS, OPPOSITES, draw_nonsense

Formula = tuple[Any, ...]
"""(operator, operand, ...); atoms are the letters c (of the conclusion), r and s. Operands of
`every`, `no` and `only` are kinds; an atom of a quantifier scheme says that the individual is of
the kind."""

NOT_C: Formula = ("not", "c")


class Scheme(NamedTuple):
    """A valid and an invalid inference to one conclusion."""

    name: str
    valid: tuple[Any, ...]
    invalid: tuple[Any, ...]
    conclusion: Any


PROPOSITIONAL = (
    Scheme("if", (("if", "r", "c"), "r"), (("if", "c", "r"), "r"), "c"),
    Scheme("or", (("or", "r", "c"), ("not", "r")), (("or", "r", "c"), "r"), "c"),
    Scheme(
        "chain",
        (("if", "r", "s"), ("if", "s", "c"), "r"),
        (("if", "r", "s"), ("if", "c", "s"), "r"),
        "c",
    ),
    Scheme("and", (("and", "r", "c"),), (("or", "r", "c"),), "c"),
    Scheme(
        "dilemma",
        (("or", "r", "s"), ("if", "r", "c"), ("if", "s", "c")),
        (("or", "r", "s"), ("if", "r", "c")),
        "c",
    ),
    Scheme("only-if", (("only-if", "r", "c"), "r"), (("only-if", "c", "r"), "r"), "c"),
    Scheme("unless", (("unless", "r", "c"), ("not", "r")), (("unless", "r", "c"), "r"), "c"),
    Scheme("either", (("either", "r", "c"), ("not", "r")), (("either", "r", "c"), "r"), "c"),
    Scheme("not-if", (("if", "c", "r"), ("not", "r")), (("if", "r", "c"), ("not", "r")), NOT_C),
    Scheme("not-either", (("either", "r", "c"), "r"), (("or", "r", "c"), "r"), NOT_C),
    Scheme(
        "not-both", (("not-both", "r", "c"), "r"), (("not-both", "r", "c"), ("not", "r")), NOT_C
    ),
    Scheme("if-not", (("if", "r", NOT_C), "r"), (("if", NOT_C, "r"), "r"), NOT_C),
    Scheme("neither", (("neither", "r", "c"),), (("not-both", "r", "c"),), NOT_C),
    Scheme(
        "not-chain",
        (("if", "c", "r"), ("if", "r", "s"), ("not", "s")),
        (("if", "r", "c"), ("if", "s", "r"), ("not", "s")),
        NOT_C,
    ),
)
QUANTIFIED = (
    Scheme("every", (("every", "r", "c"), "r"), (("every", "c", "r"), "r"), "c"),
    Scheme("only", (("only", "c", "r"), "r"), (("only", "r", "c"), "r"), "c"),
    Scheme(
        "every-or",
        (("every", "r", "s", "c"), "r", ("not", "s")),
        (("every", "r", "s", "c"), "r", "s"),
        "c",
    ),
    Scheme("no", (("no", "r", "c"), "r"), (("no", "r", "c"), ("not", "r")), NOT_C),
    Scheme(
        "not-every", (("every", "c", "r"), ("not", "r")), (("every", "r", "c"), ("not", "r")), NOT_C
    ),
    Scheme(
        "not-only", (("only", "r", "c"), ("not", "r")), (("only", "c", "r"), ("not", "r")), NOT_C
    ),
)
SCHEMES = PROPOSITIONAL + QUANTIFIED
"""Schemes of inference, propositional ones first."""

_CONNECTIVES: dict[str, Callable[..., bool]] = {
    "not": lambda x: not x,
    "if": lambda x, y: not x or y,
    "only-if": lambda x, y: not x or y,
    "unless": lambda x, y: x or y,
    "or": lambda x, y: x or y,
    "either": lambda x, y: x != y,
    "and": lambda x, y: x and y,
    "not-both": lambda x, y: not (x and y),
    "neither": lambda x, y: not (x or y),
}
_QUANTIFIERS: dict[str, Callable[..., bool]] = {
    "every": lambda kind, *others: not kind or any(others),
    "only": lambda kind, other: not other or kind,
    "no": lambda kind, other: not (kind and other),
}

World = tuple[dict[str, bool], ...]
"""What is true of each thing there is; the first is the one that atoms are about."""


def _true(formula: Any, world: World) -> bool:
    if isinstance(formula, str):
        return world[0][formula]
    operator, *operands = formula
    if operator in _QUANTIFIERS:
        return all(_QUANTIFIERS[operator](*(thing[k] for k in operands)) for thing in world)
    return _CONNECTIVES[operator](*(_true(operand, world) for operand in operands))


@functools.cache
def entails(premises: tuple[Any, ...], conclusion: Any) -> bool:
    """By truth table, over worlds of two things.

    Two are enough: a statement with every, only or no stays true when things are taken away, and
    atoms are about one thing alone.
    """
    rows = [
        dict(zip("crs", row, strict=True)) for row in itertools.product((True, False), repeat=3)
    ]
    return all(
        _true(conclusion, world)
        for world in itertools.product(rows, repeat=2)
        if all(_true(premise, world) for premise in premises)
    )


def entailment(seed: int) -> Iterator[Item]:
    """Blocks of six: belief × validity; both of a belief end in the same sentence."""
    schemes = shuffled(generator("entailment", seed), SCHEMES)
    for number in itertools.count():
        rng = generator("entailment", seed, number)
        scheme = schemes[number % len(schemes)]
        swap = bool(rng.random() < 0.5)
        for place, belief in enumerate(BELIEFS):
            says = _saying(scheme, belief, rng)
            for given in (scheme.valid, scheme.invalid):
                yield _item(seed, number, place, scheme, given, belief, says, swap)


def _saying(scheme: Scheme, belief: str, rng: Any) -> dict[str, tuple[str, str]]:
    """Atom -> (subject, what it is said to be)."""
    words = draw_nonsense(rng, 6)
    # a negative conclusion is believable where what it denies is false
    wanted = (belief == "believable") == (scheme.conclusion == "c")
    if scheme in QUANTIFIED:
        individual, kind = pick(rng, INDIVIDUALS)
        if belief == "neutral":
            individual, kind = words[0].capitalize(), words[1]
        elif not wanted:
            kind = pick(rng, sorted({k for _, k in INDIVIDUALS} - {kind}))
        return {a: (individual, k) for a, k in zip("crs", (kind, *words[2:4]), strict=True)}
    subject, is_so, is_not = pick(rng, OPPOSITES)
    first = (subject, is_so if wanted else is_not)
    if belief == "neutral":
        first = (f"the {words[0]}", words[1])
    return {
        "c": first,
        "r": (f"the {words[2]}", words[3]),
        "s": (f"the {words[4]}", words[5]),
    }


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def _plural(noun: str) -> str:
    if noun.endswith(("s", "x")):
        return f"{noun}es"
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"


_WORDING = {
    "if": "if {}, then {}",
    "only-if": "{} only if {}",
    "unless": "unless {}, {}",
    "or": "{}, or {}, or both",
    "either": "either {} or {}, but not both",
    "and": "{}, and {}",
    "not-both": "it is not the case that both {} and {}",
    "neither": "it is neither the case that {} nor the case that {}",
}


def _words(formula: Any, says: dict[str, tuple[str, str]], quantified: bool) -> str:
    if isinstance(formula, str) or formula[0] == "not":
        subject, predicate = says[formula[-1]]
        particle = "" if isinstance(formula, str) else "not "
        return f"{subject} is {particle}{_a(predicate) if quantified else predicate}"
    operator, *operands = formula
    if operator in _QUANTIFIERS:
        kinds = [says[k][1] for k in operands]
        if operator == "every":
            return f"every {kinds[0]} is {' or '.join(_a(k) for k in kinds[1:])}"
        if operator == "only":
            return f"only {_plural(kinds[0])} are {_plural(kinds[1])}"
        return f"no {kinds[0]} is {_a(kinds[1])}"
    return _WORDING[operator].format(*(_words(o, says, quantified) for o in operands))


def _item(
    seed: int,
    block: int,
    place: int,
    scheme: Scheme,
    given: tuple[Any, ...],
    belief: str,
    says: dict[str, tuple[str, str]],
    swap: bool,
) -> Item:
    holds = entails(given, scheme.conclusion)
    sentences = []
    for formula in (*given[:: -1 if swap else 1], scheme.conclusion):
        text = _words(formula, says, scheme in QUANTIFIED)
        sentences.append(f"{text[0].upper()}{text[1:]}.")
    prompt = "\n".join(
        [
            "Take the premises as true. Use nothing else that you know.",
            *(f"Premise {i}: {sentence}" for i, sentence in enumerate(sentences[:-1], 1)),
            f"Conclusion: {sentences[-1]}",
            "Do the premises entail the conclusion (entailed) or not (not entailed)?",
        ]
    )
    validity = "valid" if holds else "invalid"
    return Item(
        id=f"entailment-{seed}-{block}-{place * 2 + (not holds)}",
        kind="entailment",
        block=f"entailment-{seed}-{block}",
        conditions={"validity": validity, "belief": belief, "form": scheme.name},
        prompt=prompt,
        form=OneOf(("entailed", "not entailed")),
        gold="entailed" if holds else "not entailed",
        metadata={"says": {atom: list(words) for atom, words in says.items()}},
    )
