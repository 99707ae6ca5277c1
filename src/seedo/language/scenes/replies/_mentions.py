"""The actions that a text names, and whether each is what its writer does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from seedo.language.scenes.replies._calls import in_lines
from seedo.language.scenes.replies._context import Standing, leads_on, standing
from seedo.language.scenes.replies._cues import CORRECTS, IN_ORDER, INSTEAD
from seedo.language.scenes.replies._grammar import Grammar
from seedo.language.scenes.replies._malformed import LONGEST_LINE, UNDONE, Malformed
from seedo.language.scenes.replies._marks import decides, labels
from seedo.language.scenes.replies._sentences import TRIM, Sentence, sentences
from seedo.language.scenes.replies._visible import odd_signs

MOST = 40
"""Actions named in one reply that are looked at."""

_QUOTES = "\"'`"
_NOTHING = Malformed("not-an-action", "Reply with an action.")
_BETWEEN = re.compile(r"[\s.,;!*`\"']{0,12}")
_LABELLED = re.compile(r"[:\uff1a]\s")
_JUST = re.compile(r"\b(?:i|we) just\s*$")
_CLOSED = re.compile(r"[.;!\n]")
_WORD = re.compile(r"[^\W\d_]+")


class Mention(NamedTuple):
    """An action that is named.

    Attributes:
        key: what it does, as a line.
        raw: as it is written.
        found: the action, or why it cannot be done.
        standing: what it is in its sentence.
        strength: of the mark before it: 0 none, 1 a mark of an action, 2 one of a final answer.
        how: of `REPAIRS`.
        alone: whether it is a line of its own.
        apart: whether words that name no action lie between it and the one before it.
        corrects: whether these say that it takes the place of the one before it.
        ordered: whether they say that it comes after the one before it.
        valued: whether it says a value that it could have.
        bare: whether it is a name and a value without a verb, as results are.
    """

    key: str
    raw: str
    found: Any | Malformed
    standing: Standing
    strength: int
    how: frozenset[str] = frozenset()
    alone: bool = False
    apart: bool = False
    corrects: bool = False
    ordered: bool = False
    valued: bool = True
    bare: bool = False


class _Place(NamedTuple):
    """Words of a sentence that say an action, from `start` to `end`; whether they are one only
        where
    they are meant, and whether they are all that it says."""

    start: int
    end: int
    line: str
    meant: bool
    bare: bool


def mentions_in(text: str, grammar: Grammar, told: Callable[[], str]) -> Iterator[Mention]:
    """Actions in a text; `told` as in `read_reply`."""
    plain, called, undone = in_lines(text, grammar)
    for call, why in undone:
        yield Mention(str(call), "", why, "own", 0)
    count, since = len(undone), 0
    for sentence in sentences(plain):
        named = list(islice(_named(sentence, grammar, told), MOST))
        if sentence.strength == 2 and not named:  # a final answer, and no action
            named = [(Mention("", "", _NOTHING, "other", 2), 0, 0)]
        for mention, start, end in named:
            between = plain[since : sentence.begin + start].lower()
            since = sentence.begin + end
            yield mention._replace(
                how=mention.how | called,
                apart=len(_WORD.findall(between)) > 2,
                corrects=CORRECTS.search(between) is not None,
                ordered=IN_ORDER.search(_CLOSED.split(between)[-1]) is not None,
            )
            count += 1
            if count >= MOST:
                return


def _named(
    sentence: Sentence, grammar: Grammar, told: Callable[[], str]
) -> Iterator[tuple[Mention, int, int]]:
    """The actions that a sentence names, and where."""
    text = sentence.text
    places = _places(text, grammar)
    if not places:
        yield from _whole(sentence, grammar)
        return
    earlier: Standing | None = None
    own = False
    since = 0
    row = text.startswith("|") and text.count("|") > 2
    for n, place in enumerate(places):
        upto = places[n + 1].start if n + 1 < len(places) else len(text)
        before, after = text[since : place.start].lower(), text[place.end : upto].lower()
        match = text[place.start : place.end]
        if match.count(before[-1:]) % 2 and before[-1:] in _QUOTES:
            before = before[:-1]  # the pattern took the other one
        if text.count("~~", 0, place.start) % 2:
            stands: Standing = "denied"  # struck through
        else:
            upon = None if "~~" in before else earlier
            stands = _stands(sentence, before, after, upon, n + 1 < len(places), text)
        if stands == "own" and (sentence.quoted or row or odd_signs(text)):
            stands = "aside" if sentence.quoted else "other"
        if stands == "own" and re.search(r"\w", text[: place.start] + text[place.end :]):
            stands = "aside" if _echoed(text, told) else stands
        if stands == "own" and _JUST.search(before) and re.match(r"(?:set|put)\b", match.lower()):
            stands = "aside"  # "I just set": it is done
        if before.endswith("to ") and match[:3].lower() == "do:":
            stands = "other"  # "to do: …"
        instead = stands == "denied" and INSTEAD.search(before) is not None
        earlier, since = None if instead else stands, place.end
        if place.meant and stands != "own" and (place.line == "observe" or not own):
            continue
        own = own or stands == "own"
        found = _mention(place.line, match, stands, sentence, grammar)
        if stands == "own" and decides(f"{before}{match.lower().partition(' ')[0]}"):
            found = found._replace(strength=2, how=found.how | {"words"})
        if place.bare and isinstance(found.found, Malformed):
            found = found._replace(standing="other", valued=False)
        yield found._replace(bare=place.bare), place.start, place.end


def _stands(
    sentence: Sentence, before: str, after: str, earlier: Standing | None, more: bool, text: str
) -> Standing:
    """What an action is that is said between two parts of a sentence."""
    asked = text.rstrip("\"')*_` ").endswith("?")
    if more:  # what comes next leads to the next action
        parts = re.split(r"(?<=[,;:.])\s", after)
        after = "".join(parts[:-1]) if leads_on(parts[-1]) else after
    if asked:
        after = f"{after}?"
    return standing(before, after, sentence.lead, sentence.rest, sentence.head, earlier)


def _places(text: str, grammar: Grammar) -> list[_Place]:
    """Where a sentence says actions, from left to right; what it says again at once counts once."""
    found: list[_Place] = []
    bare = text.strip(TRIM)
    begin = text.find(bare)
    for phrase in grammar.phrases:
        if phrase.place == "alone":
            if found or len(bare) > LONGEST_LINE:
                continue
            if (match := phrase.pattern.fullmatch(bare)) is not None:
                found.append(_Place(begin, begin + len(bare), phrase.line(match), False, True))
            elif (label := list(_LABELLED.finditer(bare))[-1:]) != []:
                end = label[0].end()
                if not labels(bare[:end].lower()):
                    continue  # a result
                if (match := phrase.pattern.fullmatch(bare[end:].strip(TRIM))) is not None:
                    found.append(
                        _Place(begin + end, begin + len(bare), phrase.line(match), False, True)
                    )
            continue
        for match in islice(phrase.pattern.finditer(text), 4 * MOST):
            start, end = match.span()
            if not any(start < p.end and p.start < end for p in found[-4 * MOST :]):
                meant = phrase.place == "meant"
                found.append(_Place(start, end, phrase.line(match), meant, False))
    found.sort()
    merged = found[:1]
    for place in found[1:]:
        last = merged[-1]
        if place.line == last.line and _BETWEEN.fullmatch(text, last.end, place.start):
            merged[-1] = last._replace(end=place.end)
        else:
            merged.append(place)
    return merged[: MOST + 1]


def _whole(sentence: Sentence, grammar: Grammar) -> Iterator[tuple[Mention, int, int]]:
    """The action that is a whole sentence in the form asked for, or all of it behind a colon."""
    text = sentence.text
    bare = text.strip(TRIM)
    if not bare or len(bare) > LONGEST_LINE:
        return
    label = list(_LABELLED.finditer(bare))[-1:]
    for start in (0, label[0].end()) if label else (0,):
        said = bare[start:].strip(TRIM)
        found = grammar.read(said) if said and said.isascii() else None
        if found is None or (isinstance(found, Malformed) and found.reason not in UNDONE):
            continue
        if start:
            stands = standing(bare[:start].lower(), "", sentence.lead, sentence.rest, sentence.head)
            stands = "other" if sentence.quoted or odd_signs(text) else stands
        else:
            stands = alone(sentence, bare)
        yield _mention(said, said, stands, sentence, grammar), 0, len(text)
        return


def alone(sentence: Sentence, bare: str) -> Standing:
    """What an action is that is a whole sentence."""
    if sentence.quoted or odd_signs(sentence.text):
        return "aside" if sentence.quoted else "other"
    after = "?" if sentence.text.rstrip("\"')*_` ").endswith("?") else ""
    return standing("", after, sentence.lead, sentence.rest, sentence.head)


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
    whole = sentence.whole and sentence.text.strip(TRIM) == raw.strip(TRIM)
    valued = legal or re.search(r"\d", line) is not None
    return Mention(
        key, raw, found, place, sentence.strength, frozenset(how), alone=whole, valued=valued
    )


def around(text: str, mention: Mention) -> frozenset[str]:
    """What stands around an action, as repairs."""
    left = text.replace(mention.raw, "", 1)
    if mention.strength == 0 and "call" not in mention.how and re.search(r"[^\W\d_]{2}", left):
        return frozenset({"words"})
    whole = text.strip()
    shown = whole != mention.raw.strip(TRIM) and "call" not in mention.how
    return frozenset({"formatting"}) if shown and mention.strength == 0 else frozenset()
