"""Which of the actions that a reply names is the one that it decides for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from seedo.language.scenes.replies._mentions import MOST, Mention

Verdict = Literal["ambiguous", "none"]


def decided(mentions: Sequence[Mention]) -> Mention | Verdict:
    """The one action that a reply decides for.

    What is marked as the final answer, else what is marked as an action, else the only action that
    is named; of several, the one that says that it takes the place of the others, or that closes
    the reply as a line of its own where the others are only spoken of.
    """
    named = [m for m in mentions if m.valued or m.standing == "own"]
    if any(m.bare and not m.valued for m in mentions):
        named = [m for m in named if not m.bare]  # they are results
    if len(named) >= MOST:
        return "ambiguous"
    for strength in (2, 1):
        marked = [m for m in named if m.strength == strength]
        counted = [m for m in marked if m.standing not in ("denied", "aside")]
        keys = {m.key for m in counted}
        if len(keys) > 1:
            return "ambiguous"
        if keys == {""}:
            return "none"
        own = [m for m in counted if m.standing == "own"]
        if own and _unopposed(own[-1], marked, named):
            return own[-1]
        if own:
            return "ambiguous"
    return _unmarked(named)


def _unopposed(chosen: Mention, marked: Sequence[Mention], named: Sequence[Mention]) -> bool:
    """Whether nothing contradicts an action behind a mark."""
    if any(m.key == chosen.key and m.standing in ("denied", "doubted") for m in marked):
        return False
    place = max(i for i, m in enumerate(named) if m is chosen)
    others = [
        (i, m) for i, m in enumerate(named) if m.key not in (chosen.key, "") and m.standing == "own"
    ]
    if any(i > place for i, _ in others):
        return False  # another one is done after it
    rivals = [m for m in named[place:] if m.corrects and m.key not in (chosen.key, "")]
    if any(m.standing not in ("denied", "aside") for m in rivals):
        return False  # another one is put in its place
    if others and chosen.ordered and not chosen.corrects and "mark" not in chosen.how:
        return False  # the second of two
    return chosen.strength == 2 or not others or _replaces(chosen, named)


def _unmarked(named: Sequence[Mention]) -> Mention | Verdict:
    counted = [m for m in named if m.standing not in ("denied", "aside")]
    own = [m for m in counted if m.standing == "own"]
    if not own:
        return "ambiguous" if len({m.key for m in named}) > 1 else "none"
    chosen = own[-1]
    if any(m.key == chosen.key and m.standing in ("denied", "doubted") for m in named):
        return "ambiguous"
    others = [m for m in counted if m.key != chosen.key]
    denied = [m for m in named if m.key != chosen.key and m.standing == "denied"]
    if denied and chosen.ordered and not chosen.corrects:
        return "ambiguous"
    if not others:
        return chosen
    return chosen if _replaces(chosen, named) or _closes(chosen, counted) else "ambiguous"


def _replaces(chosen: Mention, named: Sequence[Mention]) -> bool:
    """Whether the last action that is named says that it takes the place of those before it."""
    return named[-1].key == chosen.key and chosen.corrects and not chosen.ordered


def _closes(chosen: Mention, counted: Sequence[Mention]) -> bool:
    """Whether an action is a line of its own at the end, apart from others that are spoken of."""
    last = counted[-1]
    others = [m for m in counted if m.key != chosen.key]
    return (
        last is chosen
        and chosen.alone
        and chosen.apart
        and all(m.standing != "own" for m in others)
    )
