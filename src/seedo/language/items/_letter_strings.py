"""Letter-string analogies: the same rule changes all strings; in three alphabets.

Six rules and five generalisations in the manner of Webb, Holyoak and Lu, "Emergent analogical
reasoning in large language models" (2023), after Hofstadter's Copycat. A string is given more
examples until every rule of the family (see `_letter_rules`) that fits them gives one answer.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from seedo.language.items._alphabets import ALPHABETS, LETTERS, checked, ordered
from seedo.language.items._draw import generator, pick, shuffled
from seedo.language.items._item import Item, Rows
from seedo.language.items._letter_rules import Rule, String, answers, apply

SIZE = 20
"""Places of an alphabet in use; the symbols are so many."""

RULES = {
    "successor": Rule("shift", True, (-1,), "own"),
    "predecessor": Rule("shift", True, (0,), "back"),
    "extension": Rule("extend", True, (-1,), "own"),
    "remove-redundant": Rule("collapse", True),
    "fix-sequence": Rule("fix", True),
    "sort": Rule("sort", True, (), 1),
}
"""The rules that items are made with; "reversed" strings run down the alphabet."""

GENERALISATIONS = ("none", "larger-interval", "grouped", "reversed", "longer")


def letter_strings(seed: int, alphabets: Sequence[str] = ALPHABETS) -> Iterator[Item]:
    """Blocks of one item an alphabet: the same places, in other symbols."""
    names = checked(alphabets)
    design = shuffled(
        generator("letter-strings", seed),
        [(rule, general) for rule in RULES for general in GENERALISATIONS],
    )
    for number in itertools.count():
        rng = generator("letter-strings", seed, number)
        rule_name, generalisation = design[number % len(design)]
        examples, question, answer = _problem(rule_name, generalisation, rng)
        for place, name in enumerate(ALPHABETS):
            symbols = ordered(name, LETTERS, SIZE, rng)
            shift = int(rng.integers(len(symbols) - SIZE + 1))
            if name not in names:
                continue
            drawn = symbols[shift : shift + SIZE]
            yield Item(
                id=f"letter-strings-{seed}-{number}-{place}",
                kind="letter-strings",
                block=f"letter-strings-{seed}-{number}",
                conditions={
                    "alphabet": name,
                    "rule": rule_name,
                    "generalisation": generalisation,
                },
                prompt=_prompt(symbols, drawn, examples, question),
                form=Rows(symbols, 1, len(answer)),
                gold=_shown(answer, drawn),
                metadata={"examples": len(examples)},
            )


def _shown(string: String, symbols: Sequence[str]) -> str:
    return " ".join(symbols[i] for i in string)


def _prompt(
    symbols: Sequence[str],
    drawn: Sequence[str],
    examples: list[tuple[String, String]],
    question: String,
) -> str:
    return "\n".join(
        [
            f"Alphabet, in its order: {' '.join(symbols)}",
            "One rule changes all of these strings.",
            *(f"[{_shown(a, drawn)}] becomes [{_shown(b, drawn)}]" for a, b in examples),
            f"[{_shown(question, drawn)}] becomes what?",
        ]
    )


def _problem(
    rule_name: str, generalisation: str, rng: np.random.Generator
) -> tuple[list[tuple[String, String]], String, String]:
    """Examples, question and answer, unique in the family of rules."""
    rule = RULES[rule_name]
    while True:
        question = _string(rule_name, generalisation, rng)
        answer = apply(rule, question)
        if answer is None or not _inside(answer):
            continue
        examples: list[tuple[String, String]] = []
        for kind in ("none", generalisation, generalisation):
            before = _string(rule_name, kind, rng)
            after = apply(rule, before)
            if after is None or not _inside(after) or before == question:
                break
            examples.append((before, after))
            if answers(examples, question) == {answer}:
                return examples, question, answer


def _inside(string: String) -> bool:
    return all(0 <= place < SIZE for place in string)


def _string(rule_name: str, generalisation: str, rng: np.random.Generator) -> String:
    """A string that the rule changes, with the generalisation's feature."""
    step = pick(rng, (2, 3)) if generalisation == "larger-interval" else 1
    length = pick(rng, (4, 5))
    if generalisation == "longer":
        length = pick(rng, (7, 8))
    if step == 3:
        length = min(length, 5)
    span = step * (length + 1)
    start = int(rng.integers(1, SIZE - span + step))
    units = [start + step * i for i in range(length)]
    if generalisation == "reversed":
        units.reverse()
    width = pick(rng, (2, 3)) if generalisation == "grouped" else 1
    widths = [width] * length
    if rule_name == "remove-redundant":
        doubled = int(rng.integers(length))
        widths[doubled] *= 2
    elif rule_name == "fix-sequence":
        wrong = int(rng.integers(length))
        units[wrong] = pick(rng, [i for i in range(SIZE) if i not in units])
    elif rule_name == "sort":
        i, j = (int(x) for x in rng.permutation(length)[:2])
        units[i], units[j] = units[j], units[i]
    return tuple(unit for unit, width in zip(units, widths, strict=True) for _ in range(width))
