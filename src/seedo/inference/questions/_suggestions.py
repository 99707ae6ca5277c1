"""What to offer for a question that cannot be read: never with cause and effect turned round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches

from seedo.inference.questions._phrase_pattern import Question, spelt_out
from seedo.inference.questions._phrase_table import CUES, VOCABULARY, WHEN_CUED, spelled_out
from seedo.inference.questions._query import Query
from seedo.inference.questions._query_words import Names, QueryError, Token, folded, written
from seedo.tables import Column

_CUES = tuple(map(spelled_out, CUES))


def suggest(
    names: Names,
    columns: Sequence[Column],
    said: Sequence[Token],
    read: Callable[[Sequence[Token]], Query],
) -> tuple[str, ...]:
    """Up to two questions that may have been meant.

    The question with its spelling put right, if it can then be read; or else, where it mentions two
    variables and its words say which is the cause, questions about that effect; where they do not
    say, the question that has no direction.
    """
    corrected = _corrected(said, names)
    if corrected is not None:
        try:
            return (read(corrected).text(columns),)
        except QueryError:
            pass
    question = Question(names, columns, said)
    mentioned = [names.matches(t.text) for t in question.tokens if t.kind in ("word", "quoted")]
    variables = list(dict.fromkeys(found[0] for found in mentioned if len(found) == 1))
    if len(variables) != 2:
        return ()
    roles = set()
    for cue in _CUES:
        if slots := question.matches(cue):
            roles.add((slots["a"][0].text, slots["b"][0].text))
    if not roles:
        first, second = map(written, variables)
        return (f"correlation of {first} and {second}",)
    if len(roles) > 1:
        return ()
    cause, outcome = roles.pop()
    slots = {"a": [Token("quoted", cause, 0)], "b": [Token("quoted", outcome, 0)]}
    filled = [question.fill(form, slots) for form in WHEN_CUED]
    return tuple(spelt_out(tokens) for tokens in filled if tokens)


def _corrected(said: Sequence[Token], names: Names) -> list[Token] | None:
    """The question with every unknown word replaced by the nearest that phrasings have."""
    found, changed = [], False
    for token in said:
        word = folded(token.text)
        if token.kind == "word" and len(word) > 3 and not names.matches(token.text):
            near = get_close_matches(word[:40], VOCABULARY, n=1, cutoff=0.8)
            if near and near[0] != word:
                token, changed = token._replace(text=near[0]), True
        found.append(token)
    return found if changed else None
