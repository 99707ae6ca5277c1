"""Second derivation of validity: the traditional rules of distribution.

A syllogism whose terms are not empty is valid if and only if the middle term is distributed in a
premise, no term is distributed in the conclusion that is not in its premise, not both premises are
negative, and the conclusion is negative exactly when a premise is (any textbook of traditional
logic, e.g. Copi, Introduction to Logic, ch. 6).
"""

from __future__ import annotations

import re

_STATEMENT = re.compile(r"(All|No|Some) (.+?) are (not )?(.+)\.")


def solve(prompt: str) -> str:
    """The answer to a prompt, from its text alone."""
    read = [
        _parse(line.split(": ", 1)[1])
        for line in prompt.split("\n")
        if line.startswith(("Premise 1: ", "Premise 2: ", "Conclusion: "))
    ]
    first, second, conclusion = read
    return "valid" if _follows((first, second), conclusion) else "invalid"


def _parse(sentence: str) -> tuple[bool, dict[str, bool]]:
    """Whether a statement is negative, and which of its terms it distributes."""
    match = _STATEMENT.fullmatch(sentence)
    if match is None:
        raise ValueError(f"not a categorical statement: {sentence!r}")
    word, subject, particle, predicate = match.groups()
    negative = word == "No" or particle is not None
    # a universal statement is about all of its subject, a negative one about all of its predicate
    return negative, {subject: word != "Some", predicate: negative}


def _follows(
    premises: tuple[tuple[bool, dict[str, bool]], tuple[bool, dict[str, bool]]],
    conclusion: tuple[bool, dict[str, bool]],
) -> bool:
    (first_negative, first), (second_negative, second) = premises
    negative, ends = conclusion
    (middle,) = first.keys() & second.keys()
    if not (first[middle] or second[middle]):
        return False
    outer = first | second
    if any(distributed and not outer[term] for term, distributed in ends.items()):
        return False
    if first_negative and second_negative:
        return False
    return negative == (first_negative or second_negative)
