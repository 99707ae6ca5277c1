"""How actions can be said: what a scene tells the reader of replies."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from seedo.language.scenes.replies._malformed import Malformed


class Phrase(NamedTuple):
    """A way to say actions.

    Attributes:
        pattern: finds one in a text of single spaces.
        line: the line of the form that is asked for that says the same as a match.
        place: where it is an action: `anywhere` in a sentence, or only where it is the whole
            sentence (`alone`), because its words are those of ordinary speech.
    """

    pattern: re.Pattern[str]
    line: Callable[[re.Match[str]], str]
    place: Literal["anywhere", "alone"] = "anywhere"


class Grammar(NamedTuple):
    """What can be said at a step.

    Attributes:
        read: the action that a line of the form that is asked for stands for, or Malformed.
        write: such a line for an action.
        phrases: other ways to say actions.
        tools: acting tools by name; objects with `parameters` and `call`, see `scenes.Tool`.
    """

    read: Callable[[str], Any | Malformed]
    write: Callable[[Any], str]
    phrases: Sequence[Phrase] = ()
    tools: Mapping[str, Any] = {}


BEGIN = r"(?<![\w'-])"
"""Before a phrase: no letter."""

END = r"(?=$|[.,](?!\w)|[\s;:!?()\[\]{}\"'*`<>|$\\#]|[_-](?:$|[\s.,;:!?*_`]))"
"""After a word of a phrase: no letter, of whatever script."""

_DRESS = r"[\"'*_`<\[({$]{0,3}"
_UNDRESS = r"[\"'*_`>\])}$]{0,3}"
_NUMBER = (
    r"(?P<value>(?:(?:minus|negative|plus|positive) )?[+-]? ?"
    r"(?:\d,\d(?![\d,])|[^\s()\[\]{}\"'`*<>|=&#;,:!?\\$]{1,40}))"
)


def choice(words: Sequence[str]) -> str:
    """One of some words, perhaps in bold, quotes or brackets: a group `name`."""
    ranked = sorted(map(re.escape, words), key=len, reverse=True)
    return rf"{_DRESS}(?P<name>{'|'.join(ranked)}){_UNDRESS}"


def compiled(pattern: str) -> re.Pattern[str]:
    """In either case of ASCII letters alone: folding would take other letters for ours."""
    return re.compile(pattern, re.IGNORECASE | re.ASCII)


@functools.lru_cache(maxsize=256)
def setting_phrases(names: tuple[str, ...]) -> tuple[Phrase, ...]:
    """Ways to say that one of these variables is set: `do(x = 2)`, `set x to 2`, `x=2` alone.

    The line is `do NAME=VALUE`.
    """
    known = choice(names)
    value = rf"{_DRESS}{_NUMBER}{_UNDRESS}"
    article = r"(?:the )?(?:value of )?(?:variable )?"
    between = (
        r"(?: ?(?::=|==|=|->|<-|\u2190|,|:) ?"
        r"| (?:to|to be|at|equal to|equals|as) (?:the value )?| )"
    )
    verb = rf"{BEGIN}(?:do|set|fix|assign|force|hold|intervene on)"
    opening = r"(?: ?[(\[{]{1,2} ?| ?: ?| )"
    closing = r" ?[)\]}]{0,2}"
    return (
        Phrase(compiled(rf"{verb}{opening}{article}{known}{between}{value}{closing}"), _setting),
        Phrase(
            compiled(
                rf"{BEGIN}do{opening}(?P<name>[^\s=()\[\]{{}}\"'`*,:]{{1,40}}) ?= ?{value}{closing}"
            ),
            _setting,
        ),
        Phrase(compiled(rf"{known} ?(?:=|:=|==|<-|\u2190) ?{value}"), _setting, "alone"),
        Phrase(compiled(rf"{known} to {value}"), _setting, "alone"),
        Phrase(
            compiled(rf"(?:variable|name) ?[:=] ?{known},? (?:and )?value ?[:=] ?{value}"),
            _setting,
            "alone",
        ),
    )  # fmt: skip


def _setting(match: re.Match[str]) -> str:
    return f"do {match['name']}={plain_number(match['value'])}"


def plain_number(text: str) -> str:
    """A number as a line has it: `minus 2` is -2, `2,0` is 2.0, a full stop is none of it."""
    bare = text.rstrip(".").replace(" ", "").casefold()
    for word, sign in (("minus", "-"), ("negative", "-"), ("plus", ""), ("positive", "")):
        bare = bare.replace(word, sign, 1) if bare.startswith(word) else bare
    return bare.replace(",", ".")


OBSERVING = Phrase(
    compiled(
        r"(?:(?:i|we|i'll|i will|we will|let's|let us|just|only|simply|please|now|so|to|want to|"
        r"choose to|do|would like to|next|then|okay|ok|well)[ ,:]{1,2}){0,6}"
        r"observe(?: ?\( ?\))?(?: only| again| now| nothing else| first)?"
    ),
    lambda _: "observe",
    "alone",
)
"""That nothing is set."""
