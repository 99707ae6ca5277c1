"""The words of a question: names, numbers and symbols, and how to complain about them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Literal, NamedTuple

from seedo.errors import UserError

_DELIMITERS = r"\s()\[\]|,?!<>=≤≥≠\"`“”"
WORD = re.compile(rf"[^{_DELIMITERS}]+")
_SYMBOL = re.compile(r"<=|>=|==|!=|[()\[\]|,?!<>=≤≥≠]")
_SPACE = re.compile(r"\s*")
_CLOSING_QUOTE = {'"': '"', "`": "`", "“": "”"}
_NORMAL = {"≤": "<=", "≥": ">=", "≠": "!=", "==": "="}
NUMBER = re.compile(r"[+\-−]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+\-−]?[0-9]+)?", re.IGNORECASE)
NOT_FINITE = re.compile(r"[+\-−]?(nan|inf|infinity|∞)", re.IGNORECASE)
FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}


def written(name: str) -> str:
    """A variable as it is written in a question; quoted with " (a shell would run backticks)."""
    if WORD.fullmatch(name) and not NUMBER.fullmatch(name):
        return name
    return '"' + name.replace('"', '""') + '"'


def in_digits(value: float) -> str:
    return repr(float(value)).removesuffix(".0")


class QueryError(UserError):
    """A question that cannot be read.

    Attributes:
        column: where reading stopped, from 1, in characters of the question as given.
        problem: what was expected.
        near: what may have been meant: variables or whole questions, written as in a question.
        diagram: the question with a caret under the column, and the problem; three lines.
    """

    def __init__(self, text: str, start: int, problem: str, near: Sequence[str] = ()) -> None:
        self.column, self.near, self.problem = start + 1, tuple(near), problem
        if near:
            problem += f"; did you mean: {' or '.join(near)}"
        problem = _printable(problem)
        rest = f"at {short(text[start:], 30)!r}" if text[start:].strip() else "at the end"
        super().__init__("question", short(text, 200), f"column {self.column}, {rest}: {problem}")
        shown = _printable(
            "".join(" " if c.isspace() else c for c in text), "\N{REPLACEMENT CHARACTER}"
        )
        left = max(0, start - 60)
        self.diagram = f"{shown[left : start + 60]}\n{' ' * (start - left)}^\n{problem}"


def short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _printable(text: str, instead: str | None = None) -> str:
    """Without control, bidirectional and other characters a terminal would act upon."""
    return "".join(c if c.isprintable() else instead or ascii(c)[1:-1] for c in text)


class Token(NamedTuple):
    kind: Literal["word", "quoted", "symbol", "end"]
    text: str  # of a symbol in normal form, of a quoted name without quotes
    start: int


def tokens(text: str, wholes: re.Pattern[str] | None = None) -> Iterator[Token]:
    """Tokens of a question, and one of kind "end".

    Args:
        text: the question.
        wholes: names of several words, each read as one where it stands, as if in quotes.

    Raises:
        QueryError: a quote without its partner.
    """
    at = _SPACE.match(text).end()  # type: ignore[union-attr]
    while at < len(text):
        start = at
        if wholes and (whole := wholes.match(text, at)):
            at = whole.end()
            yield Token("quoted", whole.group(), start)
        elif closing := _CLOSING_QUOTE.get(text[at]):
            at += 1
            name = ""
            while True:
                end = text.find(closing, at)
                if end < 0:
                    raise QueryError(
                        text, start, f"a quoted name starts here; expected {closing} after it"
                    )
                name += text[at:end]
                at = end + 1
                if not text.startswith(closing, at):  # a doubled quote is a quote in the name
                    break
                name += closing
                at += 1
            yield Token("quoted", name, start)
        elif word := WORD.match(text, at):
            at = word.end()
            yield Token("word", word.group(), start)
        elif symbol := _SYMBOL.match(text, at):
            at = symbol.end()
            yield Token("symbol", _NORMAL.get(symbol.group(), symbol.group()), start)
        else:
            raise QueryError(text, start, "a closing quote without an opening one")
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
    yield Token("end", "", len(text.rstrip()))


def folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def wholes(names: Iterable[str]) -> re.Pattern[str] | None:
    """What stands for a name of more than one word; None if there is no such name.

    Such a name is the longest that fits and ends where a word can end.
    """
    several = sorted({n.strip() for n in names if n.strip() and not WORD.fullmatch(n.strip())},
                     key=len, reverse=True)  # fmt: skip
    if not several:
        return None
    spelt = "|".join(r"\s+".join(map(re.escape, name.split())) for name in several)
    return re.compile(rf"(?:{spelt})(?=[{_DELIMITERS}]|[.]?$)", re.IGNORECASE)


def _spaced(text: str) -> str:
    return " ".join(folded(text).split())


class Names:
    """The variables of a log, found as they were written.

    Args:
        variables: their names.
        useless: columns that are no variables, and why.
    """

    def __init__(self, variables: Sequence[str], useless: Mapping[str, str] | None = None) -> None:
        self.all = tuple(variables)
        self.useless = dict(useless or {})
        self._exact = frozenset(self.all)
        self.folded: dict[str, list[str]] = {}
        for name in dict.fromkeys(self.all):
            self.folded.setdefault(folded(name), []).append(name)
        for name in dict.fromkeys(self.all):  # padded, or with two spaces for one
            if _spaced(name) not in self.folded:
                self.folded[_spaced(name)] = [name]

    def matches(self, written: str) -> list[str]:
        """The variable of exactly this name, or else all that differ in case only."""
        if written in self._exact:
            return [written]
        return self.folded.get(folded(written), []) or self.folded.get(_spaced(written), [])

    def near(self, written: str) -> list[str]:
        """Up to three variables that may have been meant."""
        # difflib's time is quadratic in the length; nobody's typo needs more than this.
        key = folded(written[:60])[:60]
        starts = [f for f in self.folded if len(key) > 1 and f.startswith(key)]
        close = get_close_matches(key, self.folded, n=3, cutoff=0.6)
        return [self.folded[f][0] for f in dict.fromkeys(starts[:3] + close)][:3]
