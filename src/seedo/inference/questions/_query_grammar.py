"""The grammar in docs/questions.md, by recursive descent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, NoReturn

from seedo.inference.questions._levels import named_column
from seedo.inference.questions._query import (
    CERTAIN,
    LIKELY,
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
    MeansBy,
    Median,
    MedianEffect,
    NextExperiment,
    Parents,
    Probability,
    Query,
    Ranking,
    Ratio,
    Setting,
    Targets,
    WhyRow,
)
from seedo.inference.questions._query_reader import Reader
from seedo.inference.questions._query_words import written

TREATED = ("among the treated", "for the treated", "on the treated", "in the treated")
AMONG = ("for", "where", "among", "within", "given", "in", "when", "if")
EACH = ("by", "for each", "for every", "in each", "within each", "per", "separately by",
        "separately for each", "split by", "stratified by")  # fmt: skip
"""What may stand before a group, before conditions, and before a variable of groups."""
MINUS = ("-", "−", "–", "minus", "-e", "-p", "−e", "−p")
"""What may stand between two means."""


class Grammar(Reader):
    """Recursive descent; every method reads one rule of docs/questions.md."""

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
        start, end = self.from_to(cause) if self.accept("from") else (None, None)
        self.expect("on")
        if kind == "total" and self.accept_any("the median of", "median of"):
            outcome = self.name([cause])
            if start is None and self.accept("from"):
                start, end = self.from_to(cause)
            return MedianEffect(cause, outcome, start, end)
        outcome = self.name([cause])
        found = Effect(cause, outcome, start, end, kind)
        while (narrowed := self.narrowed(found)) is not None:
            found = narrowed
        return found

    def ratio(self, kind: Literal["risk", "odds"]) -> Query:
        """``of X on Y from a to b`` after risk ratio or odds ratio."""
        self.expect("of")
        cause = self.name()
        self.expect("on")
        outcome = self.name([cause])
        start, end = self.from_to(cause) if self.accept("from") else (None, None)
        return Ratio(cause, outcome, kind, start, end)

    def narrowed(self, effect: Effect) -> Effect | None:
        """An effect with one more thing said about it; None if nothing more is. Order is free."""
        cause, outcome = effect.cause, effect.outcome
        if effect.start is None and self.accept("from"):
            start, end = self.from_to(cause)
            return replace(effect, start=start, end=end)
        if effect.kind == "indirect" and not effect.through and self.accept("through"):
            return replace(effect, through=self.listed_names([cause, outcome]))
        if not effect.treated and self.accept_any(*TREATED):
            return replace(effect, treated=True)
        if not effect.by and self.accept_any(*EACH, before_name=True):
            return replace(effect, by=self.name([cause, outcome]))
        if not effect.given and self.accept_any(*AMONG):
            return replace(effect, given=self.among([cause, outcome]))
        return None

    def among(self, taken: list[str]) -> tuple[Event, ...]:
        """``age > 40, sex = female``: events about different variables."""
        given: list[Event] = []
        while True:
            names = [*taken, *(event.variable for event in given)]
            given.append(
                self.event(names, "; cause, outcome and every condition are different variables")
            )
            if not (self.accept_symbol(",") or self.accept("and")):
                return tuple(given)

    def from_to(self, cause: str) -> tuple[float, float]:
        start = self.value(cause)
        self.expect("to")
        token = self.token
        end = self.value(cause)
        if start == end:
            self.fail("expected another number than the one before", token)
        return start, end

    def listed_names(self, apart_from: Sequence[str]) -> tuple[str, ...]:
        """``A and B``: different variables."""
        found = [self.name(apart_from)]
        while self.accept("and") or self.accept_symbol(","):
            found.append(self.name([*apart_from, *found]))
        return tuple(found)

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
            self.fail("expected edges or interventions")
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
        if self.accept("risk", "ratio"):
            return self.ratio("risk")
        if self.accept("odds", "ratio"):
            return self.ratio("odds")
        if self.accept("median", "of"):
            outcome = self.name()
            return Median(outcome, self.among([outcome]) if self.accept_any(*AMONG) else ())
        if self.accept("mean", "of"):
            outcome = self.name()
            if not self.accept_any(*EACH, before_name=True):
                self.fail("expected by and a variable, as in mean of Y by X; the mean of all rows "
                          f"is E[{written(outcome)}]")  # fmt: skip
            return MeansBy(outcome, self.name([outcome]))
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
        if self.token.kind == "word" and self.token.text.casefold() in MINUS:
            query = self.difference(query)
        asked = self.accept_symbol("?")
        if self.token.kind != "end":
            self.fail(f"expected {'nothing' if asked else 'the end of the question'} here")
        return query

    def difference(self, first: Query) -> Query:
        """``E[Y | do(X = 2)] - E[Y | do(X = 0)]``: the effect of one setting against another."""
        minus = self.token
        sign = self.next().text.casefold()
        second = self.noun() if len(sign) == 1 or sign == "minus" else (
            self.probability() if sign.endswith("p") else self.expectation()
        )  # fmt: skip
        same = all(isinstance(one, Expectation | Probability) and len(one.do) == 1 and not one.given
                   for one in (first, second)) and type(first) is type(second)  # fmt: skip
        if not same or first.do[0].variable != second.do[0].variable:  # type: ignore[union-attr]
            self.fail("two answers are compared only if both set one and the same cause, as in "
                      "E[OUTCOME | do(CAUSE = 2)] - E[OUTCOME | do(CAUSE = 0)]", minus)  # fmt: skip
        end, start = first.do[0], second.do[0]  # type: ignore[union-attr]
        outcome, other = (self.counted(one) for one in (first, second))  # type: ignore[arg-type]
        if outcome is None or outcome != other or start == end:
            near = [] if second is None else [first.text(self.columns), second.text(self.columns)]
            self.fail("the difference of these is not computed; ask for both", minus, near)
        return Effect(end.variable, outcome, start.value, end.value)

    def counted(self, query: Expectation | Probability) -> str | None:
        """The outcome whose mean a question asks for; P(Y = yes) is the mean of yes and no."""
        if isinstance(query, Expectation):
            return query.outcome
        column = named_column(query.event.variable, self.columns)
        said = column is not None and column.type == "yes/no" and query.event.value == 1.0
        return query.event.variable if said else None

    def unreadable(self) -> NoReturn:
        """Fails where no form goes on like this."""
        self.fail("expected a question such as P(OUTCOME > 1), E[OUTCOME | do(CAUSE = 2)] or "
                  "effect of CAUSE on OUTCOME; docs/questions.md lists them all")  # fmt: skip
