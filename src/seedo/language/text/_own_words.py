"""What is said on stage in the words that a text understudy has learnt, and its replies in those
of the stage."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from seedo.language.scenes import NONSENSE, Message, without_directions

_BEGINS = "Variables: "
_WORD = re.compile(r"[^\s=>:]{1,60}")


def in_own_words(messages: Sequence[Message]) -> tuple[list[Message], dict[str, str]]:
    """A conversation as an understudy has learnt to read it, and the stage's word for each of its.

    Variables of other names are called by the words of `NONSENSE` that the episode leaves free, in
    the order of listing; what only directs the stage ("Experiment 2 of 5.") is left out. Where
    there are more variables than words, the rest keep their names.
    """
    called: dict[str, str] = {}
    told: list[Message] = []
    for message in messages:
        told_of = without_directions(message["content"])
        for line in told_of.split("\n"):
            if message["role"] == "user" and line.startswith(_BEGINS):
                called = _calling(line.removeprefix(_BEGINS).split())
        content = renamed(told_of, called)
        told.append(Message(role=message["role"], content=content))
    return told, {own: word for word, own in called.items()}


def renamed(text: str, called: Mapping[str, str]) -> str:
    """A text with whole words replaced."""
    return _WORD.sub(lambda match: called.get(match[0], match[0]), text) if called else text


def _calling(names: list[str]) -> dict[str, str]:
    free = [word for word in NONSENSE if word not in names]
    strange = [name for name in names if name not in NONSENSE]
    return dict(zip(strange, free, strict=False))
