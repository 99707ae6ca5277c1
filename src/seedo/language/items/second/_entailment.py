"""Second derivation of entailment: an analytic tableau on what the prompt says.

Premises and the negated conclusion are broken up until every branch holds a contradiction
(entailed) or one is left open (not entailed); Smullyan, First-Order Logic (1968). Sentences are
read from the text; a statement about every thing of a kind is used for each individual that is
named.
"""

from __future__ import annotations

import re
from typing import Any

Node = Any  # ("lit", atom, sign) | ("and", node, node) | ("or", node, node)

_CLAUSE = re.compile(r"(.+?) is (not )?(.+)")
_COMPOUND = (
    (re.compile(r"it is not the case that both (.+) and (.+)"), "not-both"),
    (re.compile(r"it is neither the case that (.+) nor the case that (.+)"), "neither"),
    (re.compile(r"if (.+), then (.+)"), "if"),
    (re.compile(r"unless (.+), (.+)"), "or"),
    (re.compile(r"either (.+) or (.+), but not both"), "one"),
    (re.compile(r"(.+), or (.+), or both"), "or"),
    (re.compile(r"(.+), and (.+)"), "and"),
    (re.compile(r"(.+) only if (.+)"), "if"),
)
_GENERAL = re.compile(r"(every|no) (.+?) is an? (.+)|only (.+) are (.+)")


def solve(prompt: str) -> str:
    """The answer to a prompt, from its text alone."""
    lines = [line.split(": ", 1) for line in prompt.split("\n") if ": " in line]
    sentences = {label: text.rstrip(".").lower() for label, text in lines}
    conclusion = sentences.pop("Conclusion")
    individual = conclusion.split(" is ")[0]
    branch = [_negated(_sentence(conclusion, individual))]
    branch += [_sentence(premise, individual) for premise in sentences.values()]
    return "entailed" if _closes(branch, {}) else "not entailed"


def _sentence(text: str, individual: str) -> Node:
    general = _GENERAL.fullmatch(text)
    if general:
        return _instance(general, individual)
    for pattern, connective in _COMPOUND:
        match = pattern.fullmatch(text)
        if match:
            return _compound(connective, _clause(match[1]), _clause(match[2]))
    return _clause(text)


def _clause(text: str) -> Node:
    match = _CLAUSE.fullmatch(text)
    if match is None:
        raise ValueError(f"not a clause: {text!r}")
    predicate = re.sub(r"^an? ", "", match[3])
    return ("lit", (match[1], predicate), match[2] is None)


def _instance(match: re.Match[str], individual: str) -> Node:
    if match[4]:
        kind, other = _singular(match[4]), _singular(match[5])
        return _compound(
            "if", ("lit", (individual, other), True), ("lit", (individual, kind), True)
        )
    subject: Node = ("lit", (individual, match[2]), True)
    said: list[Node] = [
        ("lit", (individual, kind), True) for kind in re.split(r" or an? ", match[3])
    ]
    predicate = said[0] if len(said) == 1 else ("or", said[0], said[1])
    return _compound("if" if match[1] == "every" else "not-both", subject, predicate)


def _singular(noun: str) -> str:
    if noun.endswith("ies"):
        return noun[:-3] + "y"
    return noun[:-2] if noun.endswith(("ses", "xes")) else noun[:-1]


def _compound(connective: str, left: Node, right: Node) -> Node:
    if connective == "if":
        return ("or", _negated(left), right)
    if connective == "not-both":
        return ("or", _negated(left), _negated(right))
    if connective == "neither":
        return ("and", _negated(left), _negated(right))
    if connective == "one":
        return ("and", ("or", left, right), ("or", _negated(left), _negated(right)))
    return (connective, left, right)


def _negated(node: Node) -> Node:
    if node[0] == "lit":
        return ("lit", node[1], not node[2])
    return ("and" if node[0] == "or" else "or", _negated(node[1]), _negated(node[2]))


def _closes(branch: list[Node], known: dict[Any, bool]) -> bool:
    """Whether every way of making all nodes of a branch true runs into a contradiction."""
    if not branch:
        return False
    node, *rest = branch
    if node[0] == "lit":
        if known.get(node[1], node[2]) != node[2]:
            return True
        return _closes(rest, {**known, node[1]: node[2]})
    if node[0] == "and":
        return _closes([node[1], node[2], *rest], known)
    return _closes([node[1], *rest], known) and _closes([node[2], *rest], known)
