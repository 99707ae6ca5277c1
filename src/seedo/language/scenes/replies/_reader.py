"""Reads replies: takes what is unmistakably one legal action, in whatever wrapping, and no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from seedo.language.scenes.replies._calls import in_lines
from seedo.language.scenes.replies._context import standing
from seedo.language.scenes.replies._decision import decided
from seedo.language.scenes.replies._grammar import Grammar
from seedo.language.scenes.replies._malformed import (
    LONGEST,
    LONGEST_LINE,
    UNDONE,
    Malformed,
    action_line,
)
from seedo.language.scenes.replies._mentions import Mention, alone, around, mentions_in
from seedo.language.scenes.replies._sentences import TRIM, lines_of, sentences
from seedo.language.scenes.replies._visible import Visible, odd_signs, visible

Kind = Literal["clean", "repaired", "ambiguous", "illegal", "none"]
"""How a reply was read: as it stood, mended, in two ways, not allowed, not at all."""

KINDS: tuple[Kind, ...] = ("clean", "repaired", "ambiguous", "illegal", "none")
"""What a reply can be: one legal action in the form asked for, or one in another wrapping; several
that it cannot be told between; one that cannot be done; or no action at all."""

REPAIRS = (
    "call",
    "characters",
    "form",
    "formatting",
    "mark",
    "reasoning",
    "turns",
    "words",
)
"""What was around an action that was taken: it was written as a call or as JSON; in odd characters;
in another form (`do(x = 2)`); in bold, quotes, lists, code; after a mark such as `Action:`; after
hidden reasoning; with marks of a chat; among words."""


class Reading(NamedTuple):
    """What a reply was read as.

    Attributes:
        kind: one of `KINDS`.
        found: the action (what `Grammar.read` gives), or why there is none.
        how: of `REPAIRS`, what was repaired.
    """

    kind: Kind
    found: Any | Malformed
    how: tuple[str, ...] = ()


_AMBIGUOUS = Reading(
    "ambiguous",
    Malformed(
        "ambiguous",
        "That names more than one action, or does not choose it: reply with one line, one action.",
    ),
)


def judged(found: Any | Malformed, how: tuple[str, ...] = ()) -> Reading:
    """The reading of what was given in the very form asked for, such as a tool call."""
    if not isinstance(found, Malformed):
        return Reading("repaired" if how else "clean", found, how)
    return Reading("illegal" if found.reason in UNDONE else "none", found)


def read_strictly(
    reply: str, read: Callable[[str], Any], reasoning: bool, longest: int = LONGEST_LINE
) -> Reading:
    """A reply of which only the line asked for counts: all of it, or with `reasoning` the last."""
    line = action_line(reply, reasoning, longest)
    return judged(line if isinstance(line, Malformed) else read(line))


def read_reply(
    reply: str,
    grammar: Grammar,
    reasoning: bool = False,
    told: Callable[[], str] = str,
    longest: int = LONGEST_LINE,
) -> Reading:
    """The one action that a reply unmistakably is, in whatever wrapping.

    What counts is what is said aloud in the writer's own name: not hidden reasoning, not invented
    turns of a conversation, not what is quoted, echoed, refused, supposed or remembered. Where a
    reply names different actions, the one behind a mark of a final answer counts if there is just
    one; with `reasoning` the last line is such a mark; else it is ambiguous.

    Args:
        reply: untrusted text.
        grammar: what can be said now.
        reasoning: whether thinking aloud before the last line was asked for.
        told: all that was said to the player, to know an echo by; called where it is needed.
        longest: characters of the line asked for.
    """
    strictly = read_strictly(reply, grammar.read, reasoning, longest)
    if len(reply) > LONGEST or not reply.strip():
        return strictly
    if strictly.kind == "clean" and not reasoning:
        return strictly  # the line alone: nothing is around it
    seen = visible(reply)
    if not seen.text.strip():
        return _none(grammar)
    asked = _as_asked(seen.text, seen.others, grammar, reasoning, longest)
    if asked is not None:
        same = not seen.repairs and strictly.kind == "clean"
        return strictly if same else Reading("repaired", asked, tuple(sorted(seen.repairs)))
    named = list(mentions_in(seen.text, grammar, told))
    if seen.others:
        foreign = mentions_in(seen.others, grammar, str)
        named += [m._replace(standing="other", strength=0, alone=False) for m in foreign]
    return _judged(named, strictly, grammar, seen)


def read_answer(
    reply: str,
    read: Callable[[str], Any],
    reasoning: bool,
    longest: int,
    bare: bool = True,
    asked: Callable[[str], Any] | None = None,
) -> Reading:
    """The one answer to a question that a reply unmistakably gives; as `read_reply`, for answers
    that are a line or a sentence of their own.

    Args:
        reply: untrusted text.
        read: the answer that a line stands for, or Malformed.
        reasoning: whether thinking aloud before the last line was asked for.
        longest: characters of the line.
        bare: whether a line behind no mark of an answer is one where it is not all that is said.
        asked: reads the line in the form asked for; `read` unless told.
    """
    strictly = read_strictly(reply, asked or read, reasoning, longest)
    if len(reply) > LONGEST or not reply.strip():
        return strictly
    seen = visible(reply)
    if strictly.kind == "clean" and not seen.repairs:
        return strictly
    grammar = Grammar(lambda line: _line(line, read, longest), str)
    text, _, _ = in_lines(seen.text, grammar)
    found: dict[int, dict[str, Any]] = {0: {}, 1: {}, 2: {}}
    last = ""
    parts = lines_of(text)
    for part in (*parts, *sentences(text)):
        for said in dict.fromkeys((part.text, part.text.strip(TRIM))):
            value = grammar.read(said)
            if isinstance(value, Malformed) or alone(part, said) != "own":
                continue
            if part.strength or bare or len(parts) == 1:
                found[part.strength][repr(value)] = value
                last = repr(value) if not part.rest.strip() else last
            break
    for values in (found[2], found[1], found[0]):
        if len(values) == 1 or (reasoning and last in values):
            chosen = values[last] if last in values else next(iter(values.values()))
            return Reading("repaired", chosen, tuple(sorted(seen.repairs | {"formatting"})))
        if values:
            return Reading("ambiguous", Malformed("ambiguous", "Give one answer, on one line."))
    if isinstance(strictly.found, Malformed):
        return strictly
    return Reading("none", Malformed("not-an-answer", "Answer aloud, on one line."))


def _line(line: str, read: Callable[[str], Any], longest: int) -> Any:
    if len(line) > longest or not line.isascii() or odd_signs(line):
        return Malformed("not-an-answer", "Answer in one line of plain ASCII.")
    return read(line)


def _as_asked(
    text: str, others: str, grammar: Grammar, reasoning: bool, longest: int
) -> Any | None:
    """The action of a text that has the form asked for; None: it has not."""
    line = action_line(text, reasoning, longest)
    if isinstance(line, Malformed) or others.strip():
        return None
    found = grammar.read(line)
    if isinstance(found, Malformed):
        return None
    if reasoning:
        last = [s for s in lines_of(text) if s.text.strip()][-1]
        if last.quoted or standing("", "", last.lead, "", last.head) != "own":
            return None
    return found


def _judged(mentions: list[Mention], strictly: Reading, grammar: Grammar, seen: Visible) -> Reading:
    """What a reply is that names these actions."""
    found = decided(mentions)
    if found == "ambiguous":
        return _AMBIGUOUS
    if found != "none":
        return _taken(found, seen)
    if isinstance(strictly.found, Malformed) and strictly.kind == "illegal":
        return strictly
    return _none(grammar)


def _taken(mention: Mention, seen: Visible) -> Reading:
    if isinstance(mention.found, Malformed):
        return Reading("illegal", mention.found)
    how = mention.how | around(seen.text, mention) | seen.repairs
    return Reading("repaired", mention.found, tuple(sorted(how)))


def _none(grammar: Grammar) -> Reading:
    why = grammar.read("")
    found = (
        why if isinstance(why, Malformed) else Malformed("not-an-action", "Reply with an action.")
    )
    return Reading("none", found)
