"""Marks of an answer: what stands before a colon, or an arrow, and says what comes next."""

from __future__ import annotations

import re
from typing import NamedTuple

from seedo.language.scenes.replies._cues import CONDITION, DEFERS, MAYBE, NOT, PAST, QUOTED
from seedo.language.scenes.replies._tongues import ANSWERS, DENYING, FRAMING

_LABEL = re.compile(
    r"(?P<said>[^\n:=<>\u2192]{1,80}?)[*_`\" ]{0,4}"
    r"(?P<sign>:(?!=)|=>|->|\u2192|(?<=\w) ?:?=(?!=)| - )[*_`\s]{0,6}"
)
_WORD = re.compile(r"[^\W\d_]+(?:'[a-z]+)?|\d+")

_FINAL = frozenset(
    """answer answers winner verdict conclusion chosen selected corrected correction pick
    selection""".split()
)
_ENDING = frozenset("final best".split())
_ENDED = frozenset("answer action line one choice decision reply response command output".split())
_NOUNS = (
    frozenset(
        """action decision choice move command output experiment intervention step turn act test
            line
    message reply response""".split()
    )
    | _FINAL
)
_CLOSING = frozenset("so therefore thus hence final finally conclusion instead correction".split())
_OPENING = frozenset("ok okay well now then and here here's first sure yes alright right".split())
_BESIDE = frozenset(
    """my the our this a an is will would be now for of at in to i i'm and it next first second
    third new single revised updated final best selected recommended optimal current proposed
    suggested chosen corrected good most informative useful last one overall literal exact only
    following experiment round trial episode phase step turn as follows am on by go with from
    all that own mon ma mein meine mi minha mia mijn me us we up go short
    line respond reply decided tl dr bottom""".split()
)
_AWAY = re.compile(
    r"\b(?:worst|rejected|history|log|expected|previous|runner|backup|fallback|later|future|other|"
    r"another|optional|failed|error|done|completed|executed|alternative|option|possible|candidate|"
    r"second (?:choice|best|answer|pick)|plan [b-z]|last (?:action|move|experiment|intervention|"
    r"answer|step|choice|reply|turn)|(?:next|last) turn)\b"
)
_ACTS = re.compile(
    r"\b(?:choos(?:e|ing)|pick(?:ing)?|select(?:ing)?|go(?:ing)? (?:with|for)|went with|"
    r"commit(?:ting)? to|"
    r"opt(?:ing)? for|settl(?:e|ing) (?:on|for)|decid(?:e|ed) (?:on|to|for)|play|answer|conclude|"
    r"submit|final answer|vote for|(?:the|my|our) (?:(?:final|best|better|clear|obvious|optimal|"
    r"right|"
    r"correct) )?(?:winner|choice|pick|answer|decision) is)\b"
)
_CUES = (_AWAY, NOT, CONDITION, MAYBE, PAST, QUOTED, DEFERS, DENYING, FRAMING)


class Mark(NamedTuple):
    """A mark of an answer.

    Attributes:
        end: where what it marks begins.
        strength: 1 a mark of an action, 2 one of a final answer.
    """

    end: int
    strength: int


def mark_of(text: str) -> Mark | None:
    """The mark that a sentence begins with."""
    match = _LABEL.match(text)
    if match is None:
        return None
    strength = _strength(match["said"].lower().replace("_", " "), match["sign"])
    return Mark(match.end(), strength) if strength else None


def _strength(said: str, sign: str) -> int:
    """Of what stands before a colon; 0: it is no mark."""
    words = _WORD.findall(said)
    if not words or len(words) > 9 or _AWAY.search(said):
        return 0
    closing = [w for w in words if w in _CLOSING]
    nouns = [w for w in words if w in _NOUNS]
    rest = [w for w in words if w not in _NOUNS and w not in _CLOSING and w not in _OPENING]
    if nouns and all(w in _BESIDE or w.isdigit() for w in rest):
        first = nouns[0]
        ended = any(w in _ENDING for w in words) and any(w in _ENDED for w in words)
        return 2 if first in _FINAL or ended or "instead" in closing else 1
    if sign == ":" and (closing or "best" in words) and all(w in _BESIDE for w in rest):
        return 2
    return 0


def labels(said: str) -> bool:
    """Whether what stands before a colon, in lower case, says that an action comes next: in other
    words than those of marks, or in another language."""
    said = said.replace("_", " ")
    words = _WORD.findall(said)
    if not words or len(words) > 12 or said.count("\n"):
        return False
    if any(cue.search(said) for cue in _CUES):
        return False
    noun = next((i for i, w in enumerate(words) if w in _NOUNS), -1)
    return (
        (noun >= 0 and all(w in _BESIDE or w in _OPENING or w.isdigit() for w in words[:noun]))
        or ANSWERS.search(said) is not None
        or all(_elsewhere(w) for w in words)
    )


def _elsewhere(word: str) -> bool:
    """Whether a word is in a script that none of our lists of words is in."""
    return all(c > "\u0530" and not "\u3040" <= c <= "\ud7ff" for c in word if c.isalpha())


def decides(before: str) -> bool:
    """Whether what stands before an action in its sentence, in lower case, says that it is the one
    that was chosen."""
    clause = re.split(r"[,;.]|\bbut\b", before)[-1]
    found = list(_ACTS.finditer(clause))
    return bool(found) and len(clause) - found[-1].end() <= 16
