"""The actions that a text names, and whether each is what its writer does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from seedo.language.scenes.replies._calls import in_lines
from seedo.language.scenes.replies._context import Standing, standing
from seedo.language.scenes.replies._grammar import Grammar
from seedo.language.scenes.replies._malformed import LONGEST_LINE, UNDONE, Malformed
from seedo.language.scenes.replies._sentences import TRIM, Sentence, sentences
from seedo.language.scenes.replies._visible import odd_signs

MOST = 40
"""Actions named in one reply that are looked at."""

_QUOTES = "\"'`"
_NOTHING = Malformed("not-an-action", "Reply with an action.")


class Mention(NamedTuple):
    """An action that is named.

    Attributes:
        key: what it does, as a line.
        raw: as it is written.
        found: the action, or why it cannot be done.
        standing: what it is in its sentence.
        strength: of the mark before it, see `Sentence`.
        how: of `REPAIRS`.
    """

    key: str
    raw: str
    found: Any | Malformed
    standing: Standing
    strength: int
    how: frozenset[str]


def mentions_in(text: str, grammar: Grammar, told: Callable[[], str]) -> Iterator[Mention]:
    """Actions in a text; `told` as in `read_reply`."""
    plain, called, undone = in_lines(text, grammar)
    for call, why in undone:
        yield Mention(str(call), "", why, "own", 0, frozenset())
    count = len(undone)
    for sentence in sentences(plain):
        named = list(islice(_named(sentence, grammar, told), MOST))
        if sentence.strength == 2 and not named:  # a final answer, and no action
            named = [Mention("", "", _NOTHING, "other", 2, frozenset())]
        for mention in named:
            yield mention._replace(how=mention.how | called)
            count += 1
            if count >= MOST:
                return


def _named(sentence: Sentence, grammar: Grammar, told: Callable[[], str]) -> Iterator[Mention]:
    """The actions that a sentence names."""
    text = sentence.text
    taken: list[tuple[int, int]] = []
    bare = text.strip(TRIM)
    for phrase in grammar.phrases:
        if phrase.place == "alone":
            match = phrase.pattern.fullmatch(bare) if len(bare) <= LONGEST_LINE else None
            if match and not taken:
                taken.append((0, len(text)))
                yield _mention(phrase.line(match), bare, alone(sentence, bare), sentence, grammar)
            continue
        for match in phrase.pattern.finditer(text):
            start, end = match.span()
            if any(start < b and a < end for a, b in taken):
                continue
            taken.append((start, end))
            before, after = text[:start].lower(), text[end:].lower()
            if match[0].count(before[-1:]) % 2 and before[-1:] in _QUOTES:
                before = before[:-1]  # the pattern took the other one
            place = standing(before, after, sentence.lead, sentence.rest)
            if place == "own" and (sentence.quoted or odd_signs(text)):
                place = "other"
            if place == "own" and re.search(r"\w", before + after) and _echoed(text, told):
                place = "other"
            yield _mention(phrase.line(match), match[0], place, sentence, grammar)
    if not taken and bare and len(bare) <= LONGEST_LINE and bare.isascii():
        found = grammar.read(bare)
        if not isinstance(found, Malformed) or found.reason in UNDONE:
            yield _mention(bare, bare, alone(sentence, bare), sentence, grammar)


def alone(sentence: Sentence, bare: str) -> Standing:
    """What an action is that is a whole sentence."""
    if sentence.quoted or odd_signs(sentence.text):
        return "other"
    after = "?" if sentence.text.rstrip("\"')*_` ").endswith("?") else ""
    return standing("", after, sentence.lead, sentence.rest)


def _echoed(text: str, told: Callable[[], str]) -> bool:
    return text.strip(" *_`#>-").lower() in told().lower()


def _mention(line: str, raw: str, place: Standing, sentence: Sentence, grammar: Grammar) -> Mention:
    found = grammar.read(line) if line.isascii() else Malformed(
        "unknown-name", "Use plain ASCII letters and digits.")  # fmt: skip
    legal = not isinstance(found, Malformed)
    how = {"mark"} if sentence.strength else set()
    if legal and isinstance(grammar.read(raw.strip(TRIM)), Malformed):
        how.add("form")
    key = grammar.write(found) if legal else line.lower()
    return Mention(key, raw, found, place, sentence.strength, frozenset(how))


def around(text: str, mention: Mention) -> frozenset[str]:
    """What stands around an action, as repairs."""
    left = text.replace(mention.raw, "", 1)
    if mention.strength == 0 and "call" not in mention.how and re.search(r"[^\W\d_]{2}", left):
        return frozenset({"words"})
    whole = text.strip()
    shown = whole != mention.raw.strip(TRIM) and "call" not in mention.how
    return frozenset({"formatting"}) if shown and mention.strength == 0 else frozenset()
