"""Patterns of words with slots, matched against the tokens of a question."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import accumulate

from seedo.inference.questions._levels import level_of, named_column
from seedo.inference.questions._query_reader import ARTICLES
from seedo.inference.questions._query_words import NUMBER, Names, Token, folded, written
from seedo.tables import Column

_VARIABLE, _NUMBER, _LEVEL = 1, 2, 4
_ENDS = "[\x01-\x08]"
"""Every token ends with a character that says what it may stand for: 1 plus the sum of those."""
_TEXT = "[^\x01-\x08]*"
_PART = re.compile(r"\{(\w+)\}|([()|?*])|(\\[()]|[^\s()|?*{}\\]+)")
_SLOTS = {"a": _VARIABLE, "b": _VARIABLE, "m": _VARIABLE, "z": _VARIABLE, "v": _LEVEL,
          "w": _LEVEL, "n": _NUMBER, "r": _VARIABLE}  # fmt: skip
_SYMBOL = re.compile(r"<=|>=|[()\[\]|,?<>=]")


class Question:
    """The tokens of a question, prepared for matching.

    Args:
        names: of the variables.
        columns: of the table.
        tokens: of the question, with the one that ends it.
    """

    def __init__(self, names: Names, columns: Sequence[Column], tokens: Sequence[Token]) -> None:
        self.names, self.columns = names, columns
        self.tokens = [*_tidied(tokens, names)]
        encoded = [self._encoded(token) for token in self.tokens]
        self.encoded = "".join(encoded)
        self.starts = [0, *accumulate(map(len, encoded))]

    def _encoded(self, token: Token) -> str:
        """The word, empty if it is quoted, and what the token may stand for."""
        word = "" if token.kind == "quoted" else folded(token.text).replace("’", "'")
        stands_for = _VARIABLE * self._names_one(token)
        if token.kind == "word" and NUMBER.fullmatch(token.text):
            stands_for += _NUMBER
        # Of a variable that is called Y, "yes" is not meant.
        level = any(token.text in c.levels for c in self.columns) if stands_for == _VARIABLE else (
            token.kind != "symbol" and bool(self.columns_of([token])))  # fmt: skip
        if stands_for == _NUMBER or level:
            stands_for += _LEVEL
        return re.sub(_ENDS, " ", word) + chr(1 + stands_for)

    def _names_one(self, token: Token) -> bool:
        return token.kind in ("word", "quoted") and len(self.names.matches(token.text)) == 1

    def columns_of(self, values: Sequence[Token]) -> list[Column]:
        """The columns that have all of these levels."""
        return [c for c in self.columns if named_column(c.name, [c]) is not None
                and all(level_of(c, v.text) is not None for v in values)]  # fmt: skip

    def matches(self, pattern: str) -> Mapping[str, list[Token]] | None:
        """The tokens in each slot of a pattern that fits the whole question; None if it does not.

        A pattern is words, ``( | )? *`` as in regular expressions, and slots: ``{a}``, ``{b}``,
        ``{m}``, ``{z}`` for a variable each, ``{v}``, ``{w}`` for a number or level, ``{n}`` for a
        number, ``{r}`` for the variable of ``{a}`` again, any other for any number of tokens; a
        bracket that is meant as such stands behind a backslash. A cause is ``{a}``, an outcome
        ``{b}``.
        """
        found = _compiled(pattern).fullmatch(self.encoded)
        if found is None:
            return None
        slots = {}
        for slot, text in found.groupdict().items():
            if text is not None:
                span = found.span(slot)
                start, end = (bisect_left(self.starts, place) for place in span)
                slots[slot] = self.tokens[start:end]
        one = [slots[s][0].text for s in ("a", "b", "m", "z") if s in slots]
        variables = [self.names.matches(name)[0] for name in one]
        again = [self.names.matches(slots["r"][0].text)[0]] if "r" in slots else variables[:1]
        apart = len(set(variables)) == len(variables)
        return slots if apart and again == variables[:1] else None

    def of_role(self, role: str) -> str | None:
        """The one column of which it is said that it has this role."""
        found = [column.name for column in self.columns if column.role == role]
        return found[0] if len(found) == 1 else None

    def fill(self, form: str, slots: Mapping[str, Sequence[Token]]) -> list[Token] | None:
        """The tokens of a form, with those of the question in its slots.

        ``{y}`` is the column that is the outcome, ``{x}`` the one that was set in every row.
        ``{c}`` is the only one with the levels ``{v}`` and ``{w}``, ``{f}`` the same if it was set
        in every row. None where there is none, or where a slot of the form was not matched.
        """
        found: list[Token] = []
        start = self.tokens[0].start if self.tokens else 0
        for part in _PART_OF_FORM.findall(form):
            slot = part[1:-1] if part.startswith("{") else ""
            if not slot:
                kind = "symbol" if _SYMBOL.fullmatch(part) else "word"
                found.append(Token(kind, part, start))  # type: ignore[arg-type]
            elif slot in slots:
                found += slots[slot]
                start = slots[slot][-1].start if slots[slot] else start
            elif (name := self._implied(slot, slots)) is not None:
                found.append(Token("quoted", name, start))
            else:
                return None
        return found

    def _implied(self, slot: str, slots: Mapping[str, Sequence[Token]]) -> str | None:
        if slot in ("x", "y"):
            return self.of_role("factor" if slot == "x" else "outcome")
        if slot not in ("c", "f"):
            return None
        columns = self.columns_of([t for s in ("v", "w") for t in slots.get(s, ())])
        if len(columns) != 1 or (slot == "f" and columns[0].role != "factor"):
            return None
        return columns[0].name


_PART_OF_FORM = re.compile(r"\{\w+\}|<=|>=|[()\[\]|,?<>=]|[^\s()\[\]|,?<>={}]+")


def spelt_out(tokens: Sequence[Token]) -> str:
    """A question of these tokens, as it would be typed."""
    text = ""
    for token in tokens:
        if token.kind == "end":
            break
        shown = written(token.text) if token.kind == "quoted" else token.text
        glued = text.endswith(("(", "[")) or shown in (")", "]", ",", "?", "(", "[")
        text += shown if glued or not text else f" {shown}"
    return text


def _tidied(tokens: Sequence[Token], names: Names) -> Iterator[Token]:
    """Without the end, marks of the end and possessive endings."""
    said = [token for token in tokens if token.kind != "end"]
    while said and (said[-1].text in ("?", "!") and said[-1].kind == "symbol"):
        said.pop()
    for i, token in enumerate(said):
        text = token.text.replace("’", "'")
        stem = text.rstrip(".!;:") if i == len(said) - 1 else text.rstrip(";:")
        if token.kind != "word" or names.matches(token.text) or NUMBER.fullmatch(text):
            yield token
        elif text.endswith("'s") and names.matches(text[:-2]):
            yield token._replace(text=text[:-2])
            yield token._replace(text="'s")
        elif stem:
            yield token._replace(text=stem)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = []
    for slot, operator, word in _PART.findall(pattern):
        if operator:
            parts.append("(?:" if operator == "(" else operator)
        elif word:
            parts.append(f"(?:{re.escape(word.removeprefix(chr(92)))}{_ENDS})")
        elif slot in _SLOTS:
            ends = "".join(chr(1 + sort) for sort in range(8) if sort & _SLOTS[slot])
            if _SLOTS[slot] == _VARIABLE:
                parts.append(f"(?:(?:{'|'.join(sorted(ARTICLES))}){_ENDS})?")
            parts.append(f"(?P<{slot}>{_TEXT}[{ends}])")
        else:
            parts.append(f"(?P<{slot}>(?:{_TEXT}{_ENDS})*?)")
    return re.compile("".join(parts))
