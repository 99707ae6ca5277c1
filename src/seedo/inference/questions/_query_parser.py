"""Reading questions: recursive descent over the grammar in docs/questions.md."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Literal, NoReturn

from seedo.inference.questions._levels import (
    has_order,
    level_of,
    listed,
    named_column,
    threshold,
)
from seedo.inference.questions._query import (
    CERTAIN,
    LIKELY,
    MAX_LENGTH,
    Ancestor,
    BestIntervention,
    BestSetting,
    Causes,
    CertainEdges,
    Conflicts,
    Correlation,
    Counterfactual,
    DoesCause,
    Edge,
    Effect,
    Effects,
    Event,
    Expectation,
    HiddenConfounders,
    NextExperiment,
    Parents,
    Probability,
    Query,
    Ranking,
    Setting,
    Targets,
    WhyRow,
)
from seedo.inference.questions._query_words import (
    FLIPPED,
    NOT_FINITE,
    NUMBER,
    SYNONYMS,
    Names,
    QueryError,
    Token,
    folded,
    short,
    tokens,
    written,
)
from seedo.tables import LARGEST_VALUE, Column

FORMS = (
    "P({a} > 1)",
    "P({a} > 1 | {b} = 2)",
    "P({a} > 1 | do({b} = 2))",
    "E[{a}]",
    "E[{a} | {b} = 2]",
    "E[{a} | do({b} = 2)]",
    "correlation of {a} and {b}",
    "effect of {a} on {b}",
    "effect of {a} on {b} from 0 to 2",
    "effect of {a} on {b} among the treated",
    "direct effect of {a} on {b}",
    "indirect effect of {a} on {b}",
    "does {a} cause {b}?",
    "what raises {a}?",
    "what lowers {a}?",
    "best intervention to raise {a}",
    "best intervention to lower {a}",
    "best setting of {a} to raise {b}",
    "rank the causes of {a}",
    "why was {a} low in row 5?",
    "would {a} have been higher had {b} been 2 in episode 17?",
    "what would {a} have been had {b} been 2 in episode 17?",
    "which edges are certain?",
    "which edges are certain at 0.9?",
    "which edges are likely?",
    "is there an edge from {a} to {b}?",
    "is {a} an ancestor of {b}?",
    "what causes {a}?",
    "parents of {a}",
    "what does {a} cause?",
    "effects of {a}",
    "what should be tried next?",
    "what is contradicted?",
    "are there hidden confounders?",
    "which interventions hit what?",
)
FORM_WORDS = frozenset(re.findall("[a-z]{2,}", " ".join(FORMS)))


class _Parser:
    """Recursive descent over the tokens of one question; every method reads one rule."""

    def __init__(self, text: str, names: Names, columns: Sequence[Column]) -> None:
        self.text, self.names, self.columns = text, names, columns
        self.tokens = list(tokens(text))
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

    def value(self, variable: str, ordered: bool = False) -> float:
        """A number, or the position of a level of a variable that has them.

        Args:
            variable: whose value it is.
            ordered: whether it is compared with others, so that between two levels is a place too.
        """
        token, column = self.token, named_column(variable, self.columns)
        if column is None:
            return self.number()
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
            variable = self.name(apart_from, why)
            bounds = [self.bound(variable, self.comparison())]
        return self.interval(variable, bounds, start)

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
        symbol = self.accept_symbol(*FLIPPED)
        if symbol is None:
            self.fail("expected one of < <= = >= >")
        return symbol

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
            if not self.accept_symbol(","):
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

    # Rungs 1 and 2.

    def bracket(self) -> str:
        opened = self.accept_symbol("(", "[")
        if opened is None:
            self.fail("expected ( or [")
        return ")" if opened == "(" else "]"

    def probability(self) -> Query:
        closing = self.bracket()
        if self.sees_do():
            self.fail("expected an event such as Y > 1; do(...) goes after |")
        event = self.event()
        if self.sees("had"):
            query: Query = self.counterfactual(event.variable, "event", event)
        else:
            query = Probability(event, *self.given_and_do(event.variable))
        if self.symbol() == ",":
            self.fail(f"expected {closing}; one event at a time, conditions go after |")
        self.expect_symbol(closing, self.before_closing(query))
        return query

    def expectation(self) -> Query:
        closing = self.bracket()
        outcome = self.name()
        query = Expectation(outcome, *self.given_and_do(outcome))
        self.expect_symbol(closing, self.before_closing(query))
        return query

    @staticmethod
    def before_closing(query: Query) -> str:
        """What else could stand where a bracket should close."""
        if not isinstance(query, Probability | Expectation):
            return ""
        return " or ," if query.given or query.do else " or |"

    def given_and_do(self, outcome: str) -> tuple[tuple[Event, ...], tuple[Setting, ...]]:
        return self.conditions(outcome) if self.accept_symbol("|") else ((), ())

    def correlation(self) -> Query:
        self.choose("of", "between")
        return Correlation(*self.two("and"))

    def effect(self) -> Query:
        """``effect of X on Y``, with what may stand before and after it."""
        kind: Literal["total", "direct", "indirect"] = "total"
        if self.accept("direct"):
            kind = "direct"
        elif self.accept("indirect"):
            kind = "indirect"
        else:
            self.accept("total")
        plural = self.choose("effect", "effects") == "effects"
        self.expect("of")
        cause = self.name()
        if plural and kind == "total" and not self.sees("on"):
            return Effects(cause)
        self.expect("on")
        outcome = self.name([cause])
        start, end = self.from_to(cause) if self.accept("from") else (None, None)
        through: list[str] = []
        if kind == "indirect" and self.accept("through"):
            through = self.listed_names([cause, outcome])
        treated = self.accept("among", "the", "treated")
        given: list[Event] = []
        while self.accept("for") if not given else self.accept_symbol(","):
            taken = [cause, outcome, *(event.variable for event in given)]
            given.append(self.event(taken, "; cause, outcome and every condition are different "
                                    "variables"))  # fmt: skip
        by = self.name([cause, outcome]) if self.accept("by") else ""
        return Effect(cause, outcome, start, end, kind, tuple(given), by, treated, tuple(through))

    def from_to(self, cause: str) -> tuple[float, float]:
        start = self.value(cause)
        self.expect("to")
        token = self.token
        end = self.value(cause)
        if start == end:
            self.fail("expected another number than the one before", token)
        return start, end

    def listed_names(self, apart_from: Sequence[str]) -> list[str]:
        """``A and B``: different variables."""
        found = [self.name(apart_from)]
        while self.accept("and"):
            found.append(self.name([*apart_from, *found]))
        return found

    def best(self) -> Query:
        what = self.choose("intervention", "setting")
        cause = ""
        if what == "setting":
            self.expect("of")
            cause = self.name()
        self.expect("to")
        direction: Literal["raise", "lower"] = (
            "raise" if self.choose("raise", "lower") == "raise" else "lower"
        )
        if cause:
            return BestSetting(cause, self.name([cause]), direction)
        return BestIntervention(self.name(), direction)

    # Rung 3.

    def counterfactual(
        self,
        outcome: str,
        claim: Literal["value", "higher", "lower", "different", "event"],
        event: Event | None = None,
    ) -> Counterfactual:
        """``had X been 2 and Z been 1 in episode 17``."""
        self.expect("had")
        had: list[Setting] = []
        while True:
            variable = self.name([outcome, *(s.variable for s in had)], self.why(outcome))
            self.expect("been")
            had.append(Setting(variable, self.value(variable)))
            if not self.accept("and"):
                break
        if not self.accept("in"):
            self.fail("expected in episode and its number; a counterfactual is about something "
                      "that happened")  # fmt: skip
        return Counterfactual(outcome, tuple(had), claim, event, **self.place())

    def place(self) -> dict[str, int]:
        """``episode 17 step 3`` or ``row 5``."""
        place: dict[str, int] = {}
        word = self.choose("episode", "row")
        place[word] = self.count(word)
        if word == "episode":
            if self.symbol() == "," and self.tokens[self.at + 1].text.casefold() in ("step", "row"):
                self.next()
            for word in ("step", "row"):
                if not place.keys() & {"step", "row"} and self.accept(word):
                    place[word] = self.count(word)
        return place

    def why_row(self) -> Query:
        """``was Y low in row 5`` after why."""
        self.expect("was")
        outcome = self.name()
        direction: Literal["low", "high", ""] = ""
        if not self.accept("as", "it", "was"):
            direction = "low" if self.choose("low", "high") == "low" else "high"
        self.expect("in")
        return WhyRow(outcome, direction, **self.place())

    def would(self) -> Query:
        outcome = self.name()
        self.expect("have", "been")
        if self.sees("above") or self.sees("below"):
            start = self.token
            bound = self.bound(outcome, ">" if self.next().text.casefold() == "above" else "<")
            return self.counterfactual(outcome, "event", self.interval(outcome, [bound], start))
        if self.accept("higher"):
            return self.counterfactual(outcome, "higher")
        if self.accept("lower"):
            return self.counterfactual(outcome, "lower")
        if self.accept("different"):
            return self.counterfactual(outcome, "different")
        self.fail("expected higher, lower, different, above or below")

    # The graph.

    def which(self) -> Query:
        if self.accept("interventions"):
            self.expect("hit", "what")
            return Targets()
        if not self.accept("edges"):
            self.fail("expected edges or interventions", near=self.similar())
        self.expect("are")
        threshold = CERTAIN if self.choose("certain", "likely") == "certain" else LIKELY
        if self.accept("at"):
            token, threshold = self.token, self.number("a probability such as 0.9")
            if not 0 < threshold <= 1:
                self.fail("expected a probability above 0 and up to 1, such as 0.9", token)
        return CertainEdges(threshold)

    def is_(self) -> Query:
        # A variable may be called "there".
        if self.sees("there", "an", "edge") or (
            self.sees("there") and not self.names.matches("there")
        ):
            self.expect("there", "an", "edge", "from")
            return Edge(*self.two("to"))
        return Ancestor(*self.two("an", "ancestor", "of"))

    # The whole.

    def noun(self) -> Query | None:
        """The questions that may stand after ``what is the``."""
        if self.accept("p"):
            return self.probability()
        if self.accept("e"):
            return self.expectation()
        if self.accept("correlation"):
            return self.correlation()
        kinds = ("total", "direct", "indirect")
        if self.token.text.casefold() in ("effect", "effects") or (
            self.token.text.casefold() in kinds and self.tokens[self.at].kind == "word"
        ):
            return self.effect()
        if self.accept("best"):
            return self.best()
        if self.accept("parents"):
            self.expect("of")
            return Parents(self.name())
        return None

    def what(self) -> Query:
        if self.accept("is", "contradicted"):
            return Conflicts()
        if self.accept("is") or self.accept("are"):
            self.accept("the")
            return self.noun() or self.unreadable()
        if self.accept("causes"):
            return Causes(self.name())
        if self.accept("raises"):
            return BestIntervention(self.name(), "raise")
        if self.accept("lowers"):
            return BestIntervention(self.name(), "lower")
        if self.accept("does"):
            cause = self.name()
            self.expect("cause")
            return Effects(cause)
        if self.accept("should"):
            self.expect("be", "tried", "next")
            return NextExperiment()
        if self.accept("would"):
            outcome = self.name()
            self.expect("have", "been")
            return self.counterfactual(outcome, "value")
        self.unreadable()

    def question(self) -> Query:
        """One question and nothing after it."""
        if self.accept("what"):
            query = self.what()
        elif self.accept("does"):
            query = DoesCause(*self.two("cause"))
        elif self.accept("would"):
            query = self.would()
        elif self.accept("which"):
            query = self.which()
        elif self.accept("is"):
            query = self.is_()
        elif self.accept("why"):
            query = self.why_row()
        elif self.accept("rank"):
            self.expect("the", "causes", "of")
            query = Ranking(self.name())
        elif self.accept("are", "there"):
            self.expect("hidden", "confounders")
            query = HiddenConfounders()
        else:
            query = self.noun() or self.unreadable()
        asked = self.accept_symbol("?")
        if self.token.kind != "end":
            self.fail(f"expected {'nothing' if asked else 'the end of the question'} here")
        return query

    def unreadable(self) -> NoReturn:
        """Fails where no form goes on like this, and offers those that look alike."""
        near = self.similar()
        if near:
            self.fail("expected another question", near=near)
        self.fail("expected a question such as P(Y > 1), E[Y | do(X = 2)] or effect of X on Y; "
                  "docs/questions.md lists them all")  # fmt: skip

    def similar(self) -> list[str]:
        """Up to two forms like this question, about the variables it mentions."""
        said_names = [t.text for t in self.tokens if t.text.casefold() not in FORM_WORDS]
        found = [m[0] for name in said_names if len(m := self.names.matches(name)) == 1]
        named = list(dict.fromkeys([*found, *self.names.all[:2]]))[:2]
        if not named or len(self.tokens) == 1:
            return []
        slots = dict(zip("ab", map(written, named), strict=False))
        forms = [f.format(**slots) for f in FORMS if "b" in slots or "{b}" not in f]
        words = folded(self.text[:200])[:200].split()
        said = " ".join(SYNONYMS.get(w, w) for w in words)

        def likeness(form: str) -> float:
            alike = SequenceMatcher(None, said, folded(form)).ratio()
            # "mean of Y" has few letters in common with E[Y].
            return alike + 0.3 * (said.startswith(("p ", "e ")) and said[0] == folded(form[0])
                                  and form[1] in "([")  # fmt: skip

        best = sorted((-likeness(form), form) for form in forms)
        return [form for unlikeness, form in best[:2] if unlikeness < -0.55]


def parse(text: str, variables: Sequence[str], columns: Sequence[Column] = ()) -> Query:
    """Reads one question (grammar: docs/questions.md).

    Keywords are read in any case, and a question mark at the end is optional. A variable is found
    by its exact name, or else by the only name that differs in case (or Unicode form, NFKC). A
    name that has spaces or one of ``()[]|,?!<>=`` in it, or reads as a number, is written between
    double quotes or backticks, with a quote inside doubled.

    Args:
        text: at most `MAX_LENGTH` characters.
        variables: the names in the log, all different.
        columns: of the table; values of a column with levels are then written as their names, and
            read as their positions. Without them every value is a number.

    Raises:
        QueryError: a `UserError` that says where the question breaks off, what was expected there,
            and what may have been meant.
    """
    if len(text) > MAX_LENGTH:
        raise QueryError(
            text, MAX_LENGTH, f"expected at most {MAX_LENGTH:,} characters, not {len(text):,}"
        )
    return _Parser(text, Names(variables), columns).question()
