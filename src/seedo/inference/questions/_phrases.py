"""From the ways in which people ask to the forms of the grammar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from seedo.inference.questions._phrase_pattern import Question, spelt_out
from seedo.inference.questions._phrase_table import NAMED, READ, spelled_out
from seedo.inference.questions._query_words import Names, Token
from seedo.tables import Column

_READ = tuple((spelled_out(pattern), form) for pattern, form in READ)
_WITHOUT_OUTCOME = tuple(
    (spelled_out(pattern), form)
    for pattern, form in (*READ, *((entry[0], form) for entry in NAMED for form in entry[2]))
    if "{y}" in form
)
_NAMED = tuple((spelled_out(pattern), why, forms) for pattern, why, forms in NAMED)


def readings(
    names: Names, columns: Sequence[Column], said: Sequence[Token]
) -> Iterator[list[Token]]:
    """The tokens of every form that a phrasing means, the most particular first.

    They keep the places that they have in the question.
    """
    question = Question(names, columns, said)
    for pattern, form in _READ:
        slots = question.matches(pattern)
        filled = None if slots is None else question.fill(form, slots)
        if filled is not None:
            yield [*filled, said[-1]]


def forms_instead(
    names: Names, columns: Sequence[Column], said: Sequence[Token]
) -> tuple[str, tuple[str, ...]] | None:
    """For a phrasing of several readings, or one that is not answered as it is: what is the
    matter, and questions that are answered. None if it is no such phrasing."""
    question = Question(names, columns, said)
    for pattern, why, forms in _NAMED:
        slots = question.matches(pattern)
        if slots is None:
            continue
        near = tuple(spelt_out(f) for form in forms if (f := question.fill(form, slots)))
        if near or not forms:
            return why, near
    outcome = [Token("word", "OUTCOME", 0)]
    for pattern, form in _WITHOUT_OUTCOME:
        slots = question.matches(pattern)
        if slots is not None and (meant := question.fill(form, {**slots, "y": outcome})):
            return f"say which column is the outcome: {spelt_out(meant)}", ()
    return None
