"""Sentences of a reply, with what stands around them, and marks of answers taken off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from seedo.language.scenes.replies._marks import mark_of

_FENCE = re.compile(r"^\s{0,8}(?:```|~~~)[\w.+-]{0,20}\s*$")
_BULLET = re.compile(
    r"^\s{0,12}(?:(?:[-*+•◦▪➤⇒→»$%#=]{1,6}|=>|->|>>>|\d{1,3}[.)]|\(?[a-zA-Z0-9][.)])\s{1,4}){0,3}"
    r"(?:/(?=[a-z]))?"
)
_LISTED = re.compile(r"^\s{0,12}(?:[-*+•◦▪➤✔✘✓✅❌|]|\d{1,3}[.)]|\(?[a-zA-Z0-9][.)])(?!\*)\s?")
_SENTENCE = re.compile(
    r"(?<=[.!?])[\"')\]*_`]{0,3}\s+(?=\S)|(?<=[\u3002\uff01\uff1f])(?=\S)|;\s+(?=\S)"
)
_ABBREVIATED = re.compile(r"\b(e\.g|i\.e|for ex|vs|etc|cf|z\.B|approx)\.", re.IGNORECASE)
_INTERJECTED = re.compile(
    r"(?:(?:(?:no|nope|ok|okay|oh|well|ah|but)\b[ ,.:;!*_\u2014-]{1,5}){0,2}"
    r"(?:wait|hmm+|hm|oops|sorry|actually|scratch that|correction|edit|update|i mean|on reflection|"
    r"on second thoughts?)\b[ ,.:;!*_\u2014-]{1,5}(?:no[ ,.:;!*_\u2014-]{1,5})?){1,4}(?=\S)",
    re.IGNORECASE,
)
"""What is said when one corrects oneself, before what is said instead."""
_MARKED = ' *_`$.()#+•-"✅👉🎯'
TRIM = " \n*_`~$\\|\"'()[]{}<>.,;:!-"
"""What is cut off from the ends of a sentence."""


class Sentence(NamedTuple):
    """A sentence, or a line.

    Attributes:
        text: without bullets and marks.
        lead: the one before it, in lower case.
        head: the last line that opened a list or a section it is in, in lower case.
        rest: all that comes after it, in lower case.
        strength: of the mark before it: 0 none, 1 a mark of an action, 2 one of a final answer.
        quoted: whether it is marked as somebody else's.
        begin: where its text begins in the whole.
        whole: whether it is all of its line.
    """

    text: str
    lead: str
    head: str
    rest: str
    strength: int
    quoted: bool
    begin: int
    whole: bool


def sentences(text: str) -> Iterator[Sentence]:
    """Of a text."""
    yield from _cut(text, by_sentence=True)


def lines_of(text: str) -> list[Sentence]:
    """The lines of a text that say anything."""
    return list(_cut(text, by_sentence=False))


def _cut(text: str, by_sentence: bool) -> Iterator[Sentence]:
    """Sentences, or whole lines, with what is around them; marks of an answer are taken off."""
    lowered = text.lower()
    lowered = lowered if len(lowered) == len(text) else text
    lines = text.split("\n")
    written = [line for line in lines if line.strip() and not _FENCE.match(line)]
    all_quoted = all(_is_quote(line) for line in written)
    lead, pending, place, head = "", 0, 0, ""
    gap, under, prose = False, False, False
    for line in lines:
        begin, place = place, place + len(line) + 1
        if not line.strip() or _FENCE.match(line):
            gap = gap or not line.strip()
            continue
        listed = _LISTED.match(line) is not None
        if under and not listed and (gap or prose):
            head = ""  # what comes after a gap or a paragraph is in the list no more
        gap, under, prose = False, True, not listed and line.count(" ") > 4
        quoted = _is_quote(line) and not all_quoted
        inner = line.lstrip(" >") if _is_quote(line) else line
        parts = _split(inner) if by_sentence else [inner]
        at = begin + len(line) - len(inner)
        for part in parts:
            at += len(part)
            body, strength = _unmarked(_BULLET.sub("", part, count=1), pending)
            if not body.strip(TRIM):
                pending = strength
                lead = part.strip().lower() if strength == 0 else lead
                continue
            start = at - len(body.lstrip())
            whole = len([p for p in parts if p.strip(TRIM)]) == 1
            said = body.strip()
            yield Sentence(said, lead, head, lowered[at:], strength, quoted, start, whole)
            pending, lead = 0, part.strip().lower()
        if line.rstrip(" *_`").endswith((":", "\uff1a")) or line.startswith("#"):
            head, under = lead, False


def _unmarked(body: str, pending: int) -> tuple[str, int]:
    """A sentence without the marks of an answer before it, and the strength of these."""
    strength = pending
    for _ in range(3):
        bare = body.lstrip(_MARKED)
        if (cut := _INTERJECTED.match(bare)) is not None:
            body = bare = bare[cut.end() :]
            bare = bare.lstrip(_MARKED)
        if (mark := mark_of(bare)) is None:
            return body, strength
        if bare.count("~~", 0, mark.end) % 2:
            return body, strength  # struck through
        body, strength = _BULLET.sub("", bare[mark.end :], count=1), max(strength, mark.strength)
    return body, strength


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
