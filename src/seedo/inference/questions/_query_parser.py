"""Reading questions: the grammar first, then the ways in which people ask the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from seedo.inference.questions._phrases import forms_instead, readings
from seedo.inference.questions._query import MAX_LENGTH, Query
from seedo.inference.questions._query_grammar import Grammar
from seedo.inference.questions._query_words import (
    Names,
    QueryError,
    Token,
    folded,
    tokens,
    wholes,
    written,
)
from seedo.inference.questions._suggestions import suggest
from seedo.tables import Column


def parse(
    text: str,
    variables: Sequence[str],
    columns: Sequence[Column] = (),
    useless: Mapping[str, str] | None = None,
) -> Query:
    """Reads one question (grammar and other phrasings: docs/questions.md).

    Keywords are read in any case, and a question mark at the end is optional. A variable is found
    by its exact name, or else by the only name that differs in case (or Unicode form, NFKC). A
    name that has spaces or one of ``()[]|,?!<>=`` in it, or reads as a number, is written between
    double quotes or backticks, with a quote inside doubled; quotes may be left out where nothing
    else can be meant. A plain phrasing is understood if it has one reading.

    Args:
        text: at most `MAX_LENGTH` characters.
        variables: the names in the log, all different.
        columns: of the table; values of a column with levels are then written as their names, and
            read as their positions. Without them every value is a number.
        useless: columns that are no variables, and why: "is 3 in every row".

    Raises:
        QueryError: a `UserError` that says where the question breaks off, what was expected there,
            and what may have been meant. What is offered has cause and effect as the question has
            them.
    """
    if len(text) > MAX_LENGTH:
        raise QueryError(
            text, MAX_LENGTH, f"expected at most {MAX_LENGTH:,} characters, not {len(text):,}"
        )
    names = Names(variables, useless or {})
    try:
        return Grammar(text, names, columns, [*tokens(text)]).question()
    except QueryError as error:
        refused = error
    several = wholes(chain(variables, *(column.levels for column in columns)))
    said = [*tokens(text, several)]
    try:
        return _read(text, names, columns, said)
    except QueryError as error:
        # The one that got further knows better what was meant.
        refused = max(refused, error, key=lambda e: e.column)
    start, problem = refused.column - 1, refused.problem
    if instead := forms_instead(names, columns, said):
        why, near = instead
        readable = tuple(form for form in near if _readable(form, names, columns))
        if readable or not near:
            raise QueryError(text, start, why or "expected another question", readable)
    told = [
        f"{written(name)} {why}, so that nothing can be learnt about it"
        for name, why in names.useless.items()
        if any(t.kind in ("word", "quoted") and folded(t.text) == folded(name) for t in said)
    ]
    if told:
        raise QueryError(text, start, told[0])
    if refused.near or not _about_the_form(problem):
        raise refused
    near = suggest(names, columns, said, lambda again: _read(text, names, columns, again))
    raise QueryError(text, start, problem, near)


def _read(text: str, names: Names, columns: Sequence[Column], said: Sequence[Token]) -> Query:
    """By the grammar, or as the first phrasing that reads as a question.

    Raises:
        QueryError: there is none.
    """
    refused = []
    for again in chain([said], readings(names, columns, said)):
        try:
            return Grammar(text, names, columns, again).question()
        except QueryError as error:
            refused.append(error)
    raise max(refused, key=lambda e: e.column)


def _readable(form: str, names: Names, columns: Sequence[Column]) -> bool:
    try:
        Grammar(form, names, columns, [*tokens(form)]).question()
    except QueryError:
        return False
    return True


def _about_the_form(problem: str) -> bool:
    """Whether it is the question itself that was not understood, and not a value in it."""
    return problem.startswith(("expected a question", "expected another question", "expected on",
                               "expected of", "expected an", "expected nothing", "expected the end",
                               "expected higher", "expected have", "expected cause", "expected and",
                               "expected edges"))  # fmt: skip
