"""Second derivation for the selection task: the logical form of the rule as it is said.

A conditional is tested by the cards that show its antecedent true and those that show its
consequent false. Which value a clause is about is read from the text: the values are listed there.
"""

from __future__ import annotations

import re

_SIDE = re.compile(r"On (?:one|the other) side: .+ \((.+) or (.+)\)\.")
_RULE = re.compile(r"Rule: If (.+), then (.+)\.")
_CARD = re.compile(r"([1-4]): (.+)")
_DENIES = re.compile(r"\b(not|no)\b")

_TABLE = {
    # (clause, denied): does a card that shows the value it names make the clause's test?
    ("antecedent", False): True,
    ("antecedent", True): False,
    ("consequent", False): False,
    ("consequent", True): True,
}


def solve(prompt: str) -> str:
    """The answer to a prompt, from its text alone."""
    lines = prompt.split("\n")
    sides = [match.groups() for line in lines if (match := _SIDE.fullmatch(line))]
    rule = next(match for line in lines if (match := _RULE.fullmatch(line)))
    tests: dict[str, bool] = {}
    for clause, text, values in zip(
        ("antecedent", "consequent"), rule.groups(), sides, strict=True
    ):
        named = max((v for v in values if re.search(rf"\b{re.escape(v)}\b", text)), key=len)
        denied = _DENIES.search(text.replace(named, "")) is not None
        for value in values:
            same = _TABLE[clause, denied]
            tests[value] = same if value == named else not same
    cards = [match.groups() for line in lines if (match := _CARD.fullmatch(line))]
    return ", ".join(number for number, value in cards if tests[value])
