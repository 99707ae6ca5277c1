"""Reading names, values, events and conditions of a question."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NoReturn

from seedo.inference.questions._levels import (
    has_order,
    level_of,
    listed,
    named_column,
    threshold,
)
from seedo.inference.questions._query import Event, Setting
from seedo.inference.questions._query_words import (
    FLIPPED,
    NOT_FINITE,
    NUMBER,
    Names,
    QueryError,
    Token,
    folded,
    short,
    written,
)
from seedo.tables import LARGEST_VALUE, Column

ARTICLES = frozenset({"the", "a", "an", "my", "our"})
COMPARISONS = {
    "greater than or equal": ">=", "more than or equal": ">=",
    "less than or equal": "<=", "smaller than or equal": "<=",
    "above": ">", "over": ">", "more than": ">", "greater than": ">", "larger than": ">",
    "higher than": ">", "exceeds": ">", "older than": ">",
    "below": "<", "under": "<", "less than": "<", "smaller than": "<", "lower than": "<",
    "fewer than": "<", "younger than": "<",
    "at least": ">=", "no less than": ">=", "at most": "<=", "no more than": "<=",
    "up to": "<=", "equals": "=", "equal": "=",
}  # fmt: skip
"""Comparisons in words."""


class Reader:
    """A place among the tokens of one question, and what can be read from there."""

    def __init__(
        self, text: str, names: Names, columns: Sequence[Column], tokens: Sequence[Token]
    ) -> None:
        self.text, self.names, self.columns, self.tokens = text, names, columns, tokens
        self.at = 0

    # Reading tokens.

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def fail(self, problem: str, token: Token | None = None, near: Sequence[str] = ()) -> NoReturn:
        raise QueryError(self.text, (token or self.token).start, problem, near)

    def next(self) -> Token:
        token = self.token
        self.at = min(self.at + 1, len(self.tokens) - 1)
        return token

    def sees(self, *words: str) -> bool:
        """Whether these words come next."""
        ahead = self.tokens[self.at : self.at + len(words)]
        return [(t.kind, t.text.casefold()) for t in ahead] == [("word", w) for w in words]

    def accept(self, *words: str) -> bool:
        seen = self.sees(*words)
        self.at += len(words) * seen
        return seen

    def accept_any(self, *phrases: str, before_name: bool = False) -> bool:
        """One of several phrases; with `before_name` only where a name can follow."""
        start = self.at
        for phrase in phrases:
            if self.accept(*phrase.split()):
                if not before_name or self.token.kind in ("word", "quoted"):
                    return True
                self.at = start
        return False

    def expect(self, *words: str) -> None:
        for i, word in enumerate(words):
            if not self.accept(word):
                self.fail(f"expected {' '.join(words[i:])}")

    def choose(self, *words: str) -> str:
        """One of several words."""
        for word in words:
            if self.accept(word):
                return word
        self.fail(f"expected {', '.join(words[:-1])} or {words[-1]}")

    def symbol(self, ahead: int = 0) -> str:
        """The symbol that comes next (or so many tokens later); empty where there is none."""
        token = self.tokens[min(self.at + ahead, len(self.tokens) - 1)]
        return token.text if token.kind == "symbol" else ""

    def sees_do(self) -> bool:
        return self.sees("do") and self.symbol(1) == "("

    def accept_symbol(self, *symbols: str) -> str | None:
        return self.next().text if self.symbol() in symbols else None

    def expect_symbol(self, symbol: str, or_else: str = "") -> None:
        if not self.accept_symbol(symbol):
            self.fail(f"expected {symbol}{or_else}")

    # Variables and numbers.

    def name(self, apart_from: Sequence[str] = (), why: str = "") -> str:
        """A variable, other than those of `apart_from`."""
        if self.token.text.casefold() in ARTICLES and not self.names.matches(self.token.text):
            if self.names.matches(self.tokens[self.at + 1].text):
                self.next()
        token = self.token
        if token.kind not in ("word", "quoted"):
            self.fail("expected a variable")
        self.at += 1
        found = self.names.matches(token.text)
        if len(found) > 1:
            quoted = [written(name) for name in found]
            self.fail(f"{len(found)} variables have this name but for case; expected one of them "
                      "as it is spelt", token, quoted[:3])  # fmt: skip
        if not found:
            self.unknown(token)
        if found[0] in apart_from:
            self.fail(f"expected another variable than {written(found[0])}{why}", token)
        return found[0]

    def unknown(self, token: Token) -> NoReturn:
        problem = f"expected a variable, and none is called {short(token.text, 40)!r}"
        near = [written(name) for name in self.names.near(token.text)]
        if not near and self.names.all:
            shown = ", ".join(written(short(name, 40)) for name in self.names.all[:8])
            more = f" and {len(self.names.all) - 8} more" if len(self.names.all) > 8 else ""
            problem += f"; there are {shown}{more}"
        elif not near:
            problem += "; the log has no variables"
        self.fail(problem, token, near)

    def sees_number(self) -> bool:
        return self.token.kind == "word" and NUMBER.fullmatch(self.token.text) is not None

    def number(self, what: str = "a number") -> float:
        token = self.token
        if self.sees_number():
            self.at += 1
            value = float(token.text.replace("−", "-"))
            if abs(value) <= LARGEST_VALUE:
                return value + 0.0  # -0 is 0
            self.fail(f"expected {what} of at most {LARGEST_VALUE:.0e} in size", token)
        if token.kind == "word" and NOT_FINITE.fullmatch(token.text):
            self.fail(f"expected {what} that is finite")
        if token.kind in ("word", "quoted") and self.names.matches(token.text):
            self.fail(f"expected {what}, not a variable")
        self.fail(f"expected {what}")

    def _measured(self, unit: str) -> float:
        """A number, perhaps with the unit that its column is written with: 5 mg."""
        token = self.token
        if token.kind in ("word", "quoted") and token.text.casefold().endswith(unit.casefold()):
            bare = token.text[: -len(unit)].strip()
            if NUMBER.fullmatch(bare):
                self.at += 1
                return float(bare.replace("−", "-"))
        value = self.number()
        if self.token.text.casefold() == unit.casefold():
            self.at += 1
        return value

    def value(self, variable: str, ordered: bool = False) -> float:
        """A number, or the position of a level of a variable that has them.

        Args:
            variable: whose value it is.
            ordered: whether it is compared with others, so that between two levels is a place too.
        """
        token, column = self.token, named_column(variable, self.columns)
        if column is None:
            unit = next((c.unit for c in self.columns if c.name == variable), "")
            return self._measured(unit) if unit else self.number()
        if token.kind in ("word", "quoted"):
            found = level_of(column, token.text)
            place = threshold(column, token.text) if ordered and found is None else found
            if place is not None:
                self.at += 1
                return float(place)
        self.fail(f"expected a level of {written(variable)}: {listed(column)}")

    def count(self, what: str) -> int:
        """A whole number as ids have them: int64, not negative."""
        digits = self.token.text
        if not (self.token.kind == "word" and re.fullmatch(r"[0-9]{1,18}", digits)):
            self.fail(f"expected the number of the {what}, a whole number such as 17")
        self.at += 1
        return int(digits)

    # Events and conditions.

    def event(self, apart_from: Sequence[str] = (), why: str = "") -> Event:
        """``Y > 1``, ``1 < Y``, ``Y = 1`` or ``0 < Y <= 1``."""
        start, at = self.token, self.at
        if self.sees_number() or self.level_first():
            self.next()
            operator = FLIPPED[self.comparison()]
            if self.sees_number():
                self.fail("expected a variable; one whose name is a number is written in quotes, "
                          f'"{self.token.text}"')  # fmt: skip
            variable = self.name(apart_from, why)
            after, self.at = self.at, at
            bounds = [self.bound(variable, operator)]
            second, self.at = self.tokens[after], after
            if self.symbol() in FLIPPED:
                operator = self.comparison()
                bounds.append(self.bound(variable, operator))
                if "=" in (bounds[0][0], operator) or bounds[0][0][0] == operator[0]:
                    self.fail("expected two comparisons that point the same way, as in 0 < Y < 1",
                              second)  # fmt: skip
        else:
            if self.token.kind == "word" and NOT_FINITE.fullmatch(self.token.text):
                if not self.names.matches(self.token.text):
                    self.number()  # which says why not
            if (level := self.bare_level()) is not None:
                return level
            variable = self.name(apart_from, why)
            if (happened := self.happened(variable)) is not None:
                return happened
            if self.accept("between") or self.accept("is", "between"):
                bounds = [self.bound(variable, ">=")]
                self.expect("and")
                bounds.append(self.bound(variable, "<="))
            else:
                bounds = [self.bound(variable, self.comparison())]
        return self.interval(variable, bounds, start)

    def bare_level(self) -> Event | None:
        """``female`` for ``sex = female``, where one variable alone has such a level."""
        token = self.token
        if token.kind not in ("word", "quoted") or self.names.matches(token.text):
            return None
        if self.symbol(1) in FLIPPED:
            return None
        said = folded(token.text)
        found = [(c.name, i) for c in self.columns if c.named
                 for i, level in enumerate(c.levels) if folded(level) == said]  # fmt: skip
        if len(found) != 1:
            return None
        self.next()
        return Event(found[0][0], found[0][1], found[0][1], True, True)

    def happened(self, variable: str) -> Event | None:
        """``P(recovered)`` for ``P(recovered = yes)``, of a column that says yes or no."""
        column = named_column(variable, self.columns)
        if column is None or column.type != "yes/no" or self.symbol() in FLIPPED:
            return None
        at, compared = self.at, self.sees("between") or self.comparison_in_words() is not None
        self.at = at
        return None if compared else Event(variable, 1.0, 1.0, True, True)

    def level_first(self) -> bool:
        """Whether a level comes next and its variable after a comparison, as in low < dose."""
        if self.names.matches(self.token.text) or self.symbol(1) not in FLIPPED:
            return False
        variable = self.names.matches(self.tokens[min(self.at + 2, len(self.tokens) - 1)].text)
        column = named_column(variable[0], self.columns) if len(variable) == 1 else None
        return column is not None and level_of(column, self.token.text) is not None

    def bound(self, variable: str, operator: str) -> tuple[str, float]:
        """One end of an interval: what is compared, after its comparison was read."""
        column = named_column(variable, self.columns)
        if operator != "=" and column is not None and not has_order(column):
            self.fail(f"expected =: the levels of {written(variable)} ({listed(column)}) have no "
                      "order", self.tokens[self.at - 1])  # fmt: skip
        return operator, self.value(variable, ordered=operator != "=")

    def comparison(self) -> str:
        symbol = self.accept_symbol(*FLIPPED) or self.comparison_in_words()
        if symbol is None:
            self.fail("expected one of < <= = >= >")
        return symbol

    def comparison_in_words(self) -> str | None:
        """``is above``, ``at least``, ..."""
        start = self.at
        if self.sees("is", "not") or self.sees("are", "not"):
            return None
        copula = self.accept("is") or self.accept("are") or self.accept("was")
        for words, symbol in COMPARISONS.items():
            if self.accept(*words.split()):
                self.accept("to")
                return symbol
        if not copula:
            self.at = start
        return "=" if copula else None

    def interval(self, variable: str, bounds: list[tuple[str, float]], start: Token) -> Event:
        low, high = -math.inf, math.inf
        low_included = high_included = False
        for operator, value in bounds:
            if operator in (">", ">=", "="):
                low, low_included = value, operator != ">"
            if operator in ("<", "<=", "="):
                high, high_included = value, operator != "<"
        event = Event(variable, low, high, low_included, high_included)
        if low > high:
            swapped = Event(variable, high, low, high_included, low_included)
            self.fail("expected the smaller number on the smaller side; nothing lies between",
                      start, [swapped.text()])  # fmt: skip
        if low == high and not (low_included and high_included):
            self.fail("expected two different numbers; nothing lies between", start)
        return event

    def conditions(self, outcome: str) -> tuple[tuple[Event, ...], tuple[Setting, ...]]:
        """What follows |: events and do(...), in any order."""
        given: list[Event] = []
        do: list[Setting] = []
        while True:
            if self.sees_do():
                self.at += 2
                self.settings(do, [outcome, *(event.variable for event in given)])
            elif self.sees("do") and not self.names.matches("do"):
                self.next()
                self.fail("expected ( after do, as in do(X = 2)")
            else:
                taken = [outcome, *(e.variable for e in given), *(s.variable for s in do)]
                given.append(self.event(taken, self.why(outcome)))
            if not (self.accept_symbol(",") or self.accept("and")):
                return tuple(given), tuple(do)

    def settings(self, do: list[Setting], taken: list[str]) -> None:
        """``X = 2, W = 1)`` after ``do(``."""
        while True:
            if self.sees_do():
                self.fail("expected a variable; do(...) cannot hold another do, list settings as "
                          "in do(X = 2, W = 1)")  # fmt: skip
            variable = self.name([*taken, *(s.variable for s in do)], self.why(taken[0]))
            self.expect_symbol("=", "; do sets a variable to one number, as in do(X = 2)")
            do.append(Setting(variable, self.value(variable)))
            if not self.accept_symbol(","):
                self.expect_symbol(")", " or ,")
                return

    @staticmethod
    def why(outcome: str) -> str:
        return f"; the outcome, {written(outcome)}, and every condition are different variables"

    def two(self, *between: str) -> tuple[str, str]:
        """Two different variables with words between them."""
        first = self.name()
        self.expect(*between)
        return first, self.name([first])
