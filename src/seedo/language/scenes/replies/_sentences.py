"""Sentences of a reply, with what stands around them, and marks of answers taken off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_MARK = re.compile(
    r"[\s*_#+•`$.()\d-]{0,12}"
    r"(?:(?:so|thus|therefore|hence|ok|okay|well|now|then|and|here is|here's)[ ,:]{1,2}){0,4}"
    r"(?:(?:my|the|our) )?(?P<final>final )?(?:next |chosen |best |first |second |third |single )?"
    r"(?:answer|action|reply|response|decision|choice|move|command|output|experiment|intervention|"
    r"step|turn|act)"
    r"(?: (?:is|will be|would be|line|\d{1,3}(?: ?(?:of|/) ?\d{1,3})?)){0,2}"
    r"[*_` ]{0,4}(?::|=>|->|\u2192|=| - )[*_`\s]{0,6}",
    re.IGNORECASE,
)
_FENCE = re.compile(r"^\s{0,8}(?:```|~~~)[\w.+-]{0,20}\s*$")
_BULLET = re.compile(
    r"^\s{0,12}(?:(?:[-*+•◦▪➤⇒→»$%#]{1,3}|=>|->|>>>|\d{1,3}[.)]|\(?[a-zA-Z0-9][.)])\s{1,4}){0,3}"
)
_SENTENCE = re.compile(r"(?<=[.!?])[\"')\]*_`]{0,3}\s+(?=\S)")
_ABBREVIATED = re.compile(r"\b(e\.g|i\.e|for ex|vs|etc|cf)\.", re.IGNORECASE)
TRIM = " \n*_`~$\\|\"'()[]{}<>.,;:!-"
"""What is cut off from the ends of a sentence."""


class Sentence(NamedTuple):
    """A sentence, or a line.

    Attributes:
        text: without bullets and marks.
        lead: the one before it, in lower case.
        rest: all that comes after it, in lower case.
        strength: of the mark before it: 0 none, 1 a mark of an action, 2 one of a final answer.
        quoted: whether it is marked as somebody else's.
    """

    text: str
    lead: str
    rest: str
    strength: int
    quoted: bool


def sentences(text: str) -> Iterator[Sentence]:
    """Of a text."""
    yield from _cut(text, by_sentence=True)


def lines_of(text: str) -> list[Sentence]:
    """The lines of a text that say anything."""
    return list(_cut(text, by_sentence=False))


def _cut(text: str, by_sentence: bool) -> Iterator[Sentence]:
    """Sentences, or whole lines, with what is around them; marks of an answer are taken off."""
    lowered = text.lower()
    known = len(lowered) == len(text)
    lines = text.split("\n")
    written = [line for line in lines if line.strip() and not _FENCE.match(line)]
    all_quoted = all(_is_quote(line) for line in written)
    lead, pending, place = "", 0, 0
    for line in lines:
        begin, place = place, place + len(line) + 1
        if not line.strip() or _FENCE.match(line):
            continue
        quoted = _is_quote(line) and not all_quoted
        inner = line.lstrip(" >") if _is_quote(line) else line
        parts = _split(inner) if by_sentence else [inner]
        at = begin + len(line) - len(inner)
        for part in parts:
            at += len(part)
            body = _BULLET.sub("", part, count=1)
            strength, marked = pending, _MARK.match(body)
            if marked is not None:
                strength = max(strength, 2 if marked["final"] else 1)
                body = body[marked.end() :]
            if not body.strip(TRIM):
                pending, lead = strength, part.strip().lower() if marked is None else lead
                continue
            rest = (lowered if known else text)[at:]
            yield Sentence(body.strip(), lead, rest, strength, quoted)
            pending, lead = 0, part.strip().lower()


def _is_quote(line: str) -> bool:
    bare = _BULLET.sub("", line, count=1).lstrip(" *_")
    return bare.startswith(">") and not bare.startswith(">>>")


def _split(line: str) -> list[str]:
    """Sentences of a line, with their ends."""
    guarded = _ABBREVIATED.sub(lambda m: m[0].replace(".", "\u2024"), line)
    found, begin = [], 0
    for match in _SENTENCE.finditer(guarded):
        found.append(line[begin : match.end()])
        begin = match.end()
    return [*found, line[begin:]]
