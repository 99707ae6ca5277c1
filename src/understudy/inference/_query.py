"""The closed grammar of questions about a log: text in, one frozen dataclass out.

Nothing is answered here. `parse` reads a question; `text()` of what it returns is the canonical
form, and ``parse(q.text(), variables) == q``. The rungs are those of Pearl's ladder of causation
(Causality, 2009; Pearl & Mackenzie, The Book of Why, 2018): 1 seeing, 2 doing, 3 imagining;
questions about the graph itself have rung None. The grammar is written out in docs/questions.md.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from typing import ClassVar, Literal, NamedTuple, NoReturn

from understudy.errors import UserError

MAX_LENGTH = 1000
"""Characters in a question."""
CERTAIN = 0.95
"""Posterior probability from which an edge counts as certain, unless the question says."""
LIKELY = 0.5
"""The same for a likely edge."""

_DELIMITERS = r"\s()\[\]|,?!<>=≤≥≠\"`“”"
_WORD = re.compile(rf"[^{_DELIMITERS}]+")
_SYMBOL = re.compile(r"<=|>=|==|!=|[()\[\]|,?!<>=≤≥≠]")
_SPACE = re.compile(r"\s*")
_CLOSING_QUOTE = {'"': '"', "`": "`", "“": "”"}
_NORMAL = {"≤": "<=", "≥": ">=", "≠": "!=", "==": "="}
_NUMBER = re.compile(r"[+\-−]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+\-−]?[0-9]+)?", re.IGNORECASE)
_NOT_FINITE = re.compile(r"[+\-−]?(nan|inf|infinity|∞)", re.IGNORECASE)
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}


def _name(name: str) -> str:
    """A variable as it is written in a question; quoted with " (a shell would run backticks)."""
    if _WORD.fullmatch(name) and not _NUMBER.fullmatch(name):
        return name
    return '"' + name.replace('"', '""') + '"'


def _number(value: float) -> str:
    return repr(float(value)).removesuffix(".0")


@dataclass(frozen=True)
class Event:
    """A variable lies in an interval; ``Y = 1`` is the interval [1, 1].

    Attributes:
        variable: its name.
        low: lower end, -inf where there is none.
        high: upper end, inf where there is none; never below `low`.
        low_included: whether `low` itself belongs to the event (False where there is none).
        high_included: the same for `high`.
    """

    variable: str
    low: float
    high: float
    low_included: bool = False
    high_included: bool = False

    @property
    def value(self) -> float | None:
        """v in ``Y = v``, None for a proper interval."""
        return self.low if self.low == self.high else None

    def text(self) -> str:
        name, low, high = _name(self.variable), _number(self.low), _number(self.high)
        if self.value is not None:
            return f"{name} = {low}"
        below, above = "<=" if self.low_included else "<", "<=" if self.high_included else "<"
        if self.high == math.inf:
            return f"{name} {_FLIPPED[below]} {low}"
        if self.low == -math.inf:
            return f"{name} {above} {high}"
        return f"{low} {below} {name} {above} {high}"


@dataclass(frozen=True)
class Setting:
    """A variable set to a number, by an intervention or in imagination."""

    variable: str
    value: float

    def text(self) -> str:
        return f"{_name(self.variable)} = {_number(self.value)}"


def _conditions(do: tuple[Setting, ...], given: tuple[Event, ...]) -> str:
    parts = [f"do({', '.join(s.text() for s in do)})"] if do else []
    parts += [event.text() for event in given]
    return f" | {', '.join(parts)}" if parts else ""


@dataclass(frozen=True)
class Probability:
    """P(event | do, given); rung 1, or 2 if something is done.

    The outcome, the variables of `given` and those of `do` are all different.
    """

    kind: ClassVar[str] = "probability"
    event: Event
    given: tuple[Event, ...] = ()
    do: tuple[Setting, ...] = ()

    @property
    def rung(self) -> int:
        return 2 if self.do else 1

    def text(self) -> str:
        return f"P({self.event.text()}{_conditions(self.do, self.given)})"


@dataclass(frozen=True)
class Expectation:
    """E[outcome | do, given]; rung 1, or 2 if something is done. Variables as in `Probability`."""

    kind: ClassVar[str] = "expectation"
    outcome: str
    given: tuple[Event, ...] = ()
    do: tuple[Setting, ...] = ()

    @property
    def rung(self) -> int:
        return 2 if self.do else 1

    def text(self) -> str:
        return f"E[{_name(self.outcome)}{_conditions(self.do, self.given)}]"


@dataclass(frozen=True)
class Correlation:
    """Correlation of two different variables."""

    kind: ClassVar[str] = "correlation"
    rung: ClassVar[int] = 1
    first: str
    second: str

    def text(self) -> str:
        return f"correlation of {_name(self.first)} and {_name(self.second)}"


@dataclass(frozen=True)
class Effect:
    """Total effect: E[outcome | do(cause = end)] - E[outcome | do(cause = start)].

    Attributes:
        cause: name.
        outcome: another name.
        start: None (as is `end`) for the effect per unit.
        end: differs from `start`.
    """

    kind: ClassVar[str] = "effect"
    rung: ClassVar[int] = 2
    cause: str
    outcome: str
    start: float | None = None
    end: float | None = None

    def text(self) -> str:
        text = f"effect of {_name(self.cause)} on {_name(self.outcome)}"
        if self.start is None or self.end is None:
            return text
        return f"{text} from {_number(self.start)} to {_number(self.end)}"


@dataclass(frozen=True)
class DoesCause:
    """Whether some do(cause = x) changes the distribution of another variable, the outcome."""

    kind: ClassVar[str] = "does cause"
    rung: ClassVar[int] = 2
    cause: str
    outcome: str

    def text(self) -> str:
        return f"does {_name(self.cause)} cause {_name(self.outcome)}?"


@dataclass(frozen=True)
class BestIntervention:
    """Which single intervention raises (or lowers) the expected outcome most."""

    kind: ClassVar[str] = "best intervention"
    rung: ClassVar[int] = 2
    outcome: str
    direction: Literal["raise", "lower"]

    def text(self) -> str:
        return f"best intervention to {self.direction} {_name(self.outcome)}"


@dataclass(frozen=True)
class Counterfactual:
    """What the outcome would have been in one row, had other variables been different.

    Attributes:
        outcome: name; not among `had`.
        had: at least one setting, of different variables.
        claim: "value" asks for the outcome; "higher", "lower", "different" compare it with what
            was seen; "event" asks whether `event` would have happened.
        event: about the outcome; None unless `claim` is "event".
        episode: id, None for any.
        step: step within the episode, None if not said; needs an episode.
        row: position, from 0, among the rows of that episode, or of the whole table if there is
            no episode; None if not said. At most one of `step` and `row` is given, and at least
            one of `episode` and `row`.
    """

    kind: ClassVar[str] = "counterfactual"
    rung: ClassVar[int] = 3
    outcome: str
    had: tuple[Setting, ...]
    claim: Literal["value", "higher", "lower", "different", "event"] = "value"
    event: Event | None = None
    episode: int | None = None
    step: int | None = None
    row: int | None = None

    def text(self) -> str:
        had = " and ".join(f"{_name(s.variable)} been {_number(s.value)}" for s in self.had)
        places = {"episode": self.episode, "step": self.step, "row": self.row}
        place = " ".join(f"{word} {at}" for word, at in places.items() if at is not None)
        had = f"had {had} in {place}"
        outcome = _name(self.outcome)
        if self.claim == "value":
            return f"what would {outcome} have been {had}?"
        if self.event is None:
            return f"would {outcome} have been {self.claim} {had}?"
        event = self.event
        if (event.high, event.low_included) == (math.inf, False):
            return f"would {outcome} have been above {_number(event.low)} {had}?"
        if (event.low, event.high_included) == (-math.inf, False):
            return f"would {outcome} have been below {_number(event.high)} {had}?"
        return f"P({event.text()} {had})"


@dataclass(frozen=True)
class CertainEdges:
    """Edges whose posterior probability is at least `threshold`, in (0, 1]."""

    kind: ClassVar[str] = "certain edges"
    rung: ClassVar[None] = None
    threshold: float = CERTAIN

    def text(self) -> str:
        return f"which edges are certain at {_number(self.threshold)}?"


@dataclass(frozen=True)
class Edge:
    """Whether parent -> child (two different variables) is in the graph."""

    kind: ClassVar[str] = "edge"
    rung: ClassVar[None] = None
    parent: str
    child: str

    def text(self) -> str:
        return f"is there an edge from {_name(self.parent)} to {_name(self.child)}?"


@dataclass(frozen=True)
class Ancestor:
    """Whether a directed path leads from one variable to another."""

    kind: ClassVar[str] = "ancestor"
    rung: ClassVar[None] = None
    ancestor: str
    descendant: str

    def text(self) -> str:
        return f"is {_name(self.ancestor)} an ancestor of {_name(self.descendant)}?"


@dataclass(frozen=True)
class Causes:
    """The ancestors of a variable, each with its probability."""

    kind: ClassVar[str] = "causes"
    rung: ClassVar[None] = None
    outcome: str

    def text(self) -> str:
        return f"what causes {_name(self.outcome)}?"


@dataclass(frozen=True)
class Parents:
    """The direct causes of a variable, each with its probability."""

    kind: ClassVar[str] = "parents"
    rung: ClassVar[None] = None
    child: str

    def text(self) -> str:
        return f"parents of {_name(self.child)}"


@dataclass(frozen=True)
class Effects:
    """The descendants of a variable, each with its probability."""

    kind: ClassVar[str] = "effects"
    rung: ClassVar[None] = None
    cause: str

    def text(self) -> str:
        return f"what does {_name(self.cause)} cause?"


@dataclass(frozen=True)
class NextExperiment:
    """Which intervention would tell most."""

    kind: ClassVar[str] = "next experiment"
    rung: ClassVar[None] = None

    def text(self) -> str:
        return "what should be tried next?"


@dataclass(frozen=True)
class Conflicts:
    """Where parts of the data, or the data and the assumptions, contradict each other."""

    kind: ClassVar[str] = "conflicts"
    rung: ClassVar[None] = None

    def text(self) -> str:
        return "what is contradicted?"


@dataclass(frozen=True)
class HiddenConfounders:
    """Which pairs of variables seem to share an unmeasured cause."""

    kind: ClassVar[str] = "hidden confounders"
    rung: ClassVar[None] = None

    def text(self) -> str:
        return "are there hidden confounders?"


@dataclass(frozen=True)
class Targets:
    """What the interventions whose targets are unknown acted on."""

    kind: ClassVar[str] = "targets"
    rung: ClassVar[None] = None

    def text(self) -> str:
        return "which interventions hit what?"


Query = (
    Probability
    | Expectation
    | Correlation
    | Effect
    | DoesCause
    | BestIntervention
    | Counterfactual
    | CertainEdges
    | Edge
    | Ancestor
    | Causes
    | Parents
    | Effects
    | NextExperiment
    | Conflicts
    | HiddenConfounders
    | Targets
)


class QueryError(UserError):
    """A question that cannot be read.

    Attributes:
        column: where reading stopped, from 1, in characters of the question as given.
        near: what may have been meant: variables or whole questions, written as in a question.
        diagram: the question with a caret under the column, and the problem; three lines.
    """

    def __init__(self, text: str, start: int, problem: str, near: Sequence[str] = ()) -> None:
        self.column, self.near = start + 1, tuple(near)
        if near:
            problem += f"; did you mean: {' or '.join(near)}"
        problem = _printable(problem)
        rest = f"at {_short(text[start:], 30)!r}" if text[start:].strip() else "at the end"
        super().__init__("question", _short(text, 200), f"column {self.column}, {rest}: {problem}")
        shown = _printable(
            "".join(" " if c.isspace() else c for c in text), "\N{REPLACEMENT CHARACTER}"
        )
        left = max(0, start - 60)
        self.diagram = f"{shown[left : start + 60]}\n{' ' * (start - left)}^\n{problem}"


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _printable(text: str, instead: str | None = None) -> str:
    """Without control, bidirectional and other characters a terminal would act upon."""
    return "".join(c if c.isprintable() else instead or ascii(c)[1:-1] for c in text)


class _Token(NamedTuple):
    kind: Literal["word", "quoted", "symbol", "end"]
    text: str  # of a symbol in normal form, of a quoted name without quotes
    start: int


def _tokens(text: str) -> Iterator[_Token]:
    at = _SPACE.match(text).end()  # type: ignore[union-attr]
    while at < len(text):
        start = at
        if closing := _CLOSING_QUOTE.get(text[at]):
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
            yield _Token("quoted", name, start)
        elif word := _WORD.match(text, at):
            at = word.end()
            yield _Token("word", word.group(), start)
        elif symbol := _SYMBOL.match(text, at):
            at = symbol.end()
            yield _Token("symbol", _NORMAL.get(symbol.group(), symbol.group()), start)
        else:
            raise QueryError(text, start, "a closing quote without an opening one")
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
    yield _Token("end", "", len(text.rstrip()))


# Questions to offer when one cannot be read; {a} and {b} are variables it mentions, in order.
_FORMS = (
    "P({a} > 1)",
    "P({a} > 1 | {b} = 2)",
    "P({a} > 1 | do({b} = 2))",
    "E[{a}]",
    "E[{a} | {b} = 2]",
    "E[{a} | do({b} = 2)]",
    "correlation of {a} and {b}",
    "effect of {a} on {b}",
    "effect of {a} on {b} from 0 to 2",
    "does {a} cause {b}?",
    "what raises {a}?",
    "what lowers {a}?",
    "best intervention to raise {a}",
    "best intervention to lower {a}",
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
_FORM_WORDS = frozenset(re.findall("[a-z]{2,}", " ".join(_FORMS)))
# What people write for a word of the grammar; helps only to find the form to offer.
_SYNONYMS = {
    "prob": "p", "probability": "p", "pr": "p", "chance": "p",
    "mean": "e", "average": "e", "expectation": "e", "expected": "e",
    "affect": "effect", "affects": "effect", "influence": "effect", "impact": "effect",
    "increase": "raise", "increases": "raises", "decrease": "lower", "decreases": "lowers",
    "reduce": "lower", "reduces": "lowers", "correlated": "correlation", "causing": "causes",
    "experiment": "tried", "experiments": "tried",
}  # fmt: skip


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


class _Names:
    """The variables of a log, found as they were written."""

    def __init__(self, variables: Sequence[str]) -> None:
        self.all = tuple(variables)
        self._exact = frozenset(self.all)
        self._folded: dict[str, list[str]] = {}
        for name in dict.fromkeys(self.all):
            self._folded.setdefault(_folded(name), []).append(name)

    def matches(self, written: str) -> list[str]:
        """The variable of exactly this name, or else all that differ in case only."""
        return [written] if written in self._exact else self._folded.get(_folded(written), [])

    def near(self, written: str) -> list[str]:
        """Up to three variables that may have been meant."""
        # difflib's time is quadratic in the length; nobody's typo needs more than this.
        key = _folded(written[:60])[:60]
        starts = [f for f in self._folded if len(key) > 1 and f.startswith(key)]
        close = get_close_matches(key, self._folded, n=3, cutoff=0.6)
        return [self._folded[f][0] for f in dict.fromkeys(starts[:3] + close)][:3]


class _Parser:
    """Recursive descent over the tokens of one question; every method reads one rule."""

    def __init__(self, text: str, names: _Names) -> None:
        self.text, self.names = text, names
        self.tokens = list(_tokens(text))
        self.at = 0

    # Reading tokens.

    @property
    def token(self) -> _Token:
        return self.tokens[self.at]

    def fail(self, problem: str, token: _Token | None = None, near: Sequence[str] = ()) -> NoReturn:
        raise QueryError(self.text, (token or self.token).start, problem, near)

    def next(self) -> _Token:
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
            quoted = [_name(name) for name in found]
            self.fail(f"{len(found)} variables have this name but for case; expected one of them "
                      "as it is spelt", token, quoted[:3])  # fmt: skip
        if not found:
            self.unknown(token)
        if found[0] in apart_from:
            self.fail(f"expected another variable than {_name(found[0])}{why}", token)
        return found[0]

    def unknown(self, token: _Token) -> NoReturn:
        problem = f"expected a variable, and none is called {_short(token.text, 40)!r}"
        near = [_name(name) for name in self.names.near(token.text)]
        if not near and self.names.all:
            shown = ", ".join(_name(_short(name, 40)) for name in self.names.all[:8])
            more = f" and {len(self.names.all) - 8} more" if len(self.names.all) > 8 else ""
            problem += f"; there are {shown}{more}"
        elif not near:
            problem += "; the log has no variables"
        self.fail(problem, token, near)

    def sees_number(self) -> bool:
        return self.token.kind == "word" and _NUMBER.fullmatch(self.token.text) is not None

    def number(self, what: str = "a number") -> float:
        token = self.token
        if self.sees_number():
            self.at += 1
            value = float(token.text.replace("−", "-"))
            if math.isfinite(value):
                return value + 0.0  # -0 is 0
            self.fail(f"expected {what}; this is more than a computer's numbers hold", token)
        if token.kind == "word" and _NOT_FINITE.fullmatch(token.text):
            self.fail(f"expected {what} that is finite")
        if token.kind in ("word", "quoted") and self.names.matches(token.text):
            self.fail(f"expected {what}, not a variable")
        self.fail(f"expected {what}")

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
        start = self.token
        if self.sees_number():
            first = self.number()
            operator = _FLIPPED[self.comparison()]
            if self.sees_number():
                self.fail("expected a variable; one whose name is a number is written in quotes, "
                          f'"{self.token.text}"')  # fmt: skip
            variable = self.name(apart_from, why)
            bounds = [(operator, first)]
            second = self.token
            if self.symbol() in _FLIPPED:
                operator = self.comparison()
                bounds.append((operator, self.number()))
                if "=" in (bounds[0][0], operator) or bounds[0][0][0] == operator[0]:
                    self.fail("expected two comparisons that point the same way, as in 0 < Y < 1",
                              second)  # fmt: skip
        else:
            if self.token.kind == "word" and _NOT_FINITE.fullmatch(self.token.text):
                if not self.names.matches(self.token.text):
                    self.number()  # which says why not
            variable = self.name(apart_from, why)
            bounds = [(self.comparison(), self.number())]
        return self.interval(variable, bounds, start)

    def comparison(self) -> str:
        symbol = self.accept_symbol(*_FLIPPED)
        if symbol is None:
            self.fail("expected one of < <= = >= >")
        return symbol

    def interval(self, variable: str, bounds: list[tuple[str, float]], start: _Token) -> Event:
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
            do.append(Setting(variable, self.number()))
            if not self.accept_symbol(","):
                self.expect_symbol(")", " or ,")
                return

    @staticmethod
    def why(outcome: str) -> str:
        return f"; the outcome, {_name(outcome)}, and every condition are different variables"

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

    def effect(self, plural: bool) -> Query:
        self.expect("of")
        cause = self.name()
        if plural and not self.sees("on"):
            return Effects(cause)
        self.expect("on")
        outcome = self.name([cause])
        if not self.accept("from"):
            return Effect(cause, outcome)
        start = self.number()
        self.expect("to")
        token = self.token
        end = self.number()
        if start == end:
            self.fail("expected another number than the one before", token)
        return Effect(cause, outcome, start, end)

    def best(self) -> Query:
        self.expect("intervention", "to")
        raised = self.choose("raise", "lower") == "raise"
        return BestIntervention(self.name(), "raise" if raised else "lower")

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
            had.append(Setting(variable, self.number()))
            if not self.accept("and"):
                break
        if not self.accept("in"):
            self.fail("expected in episode and its number; a counterfactual is about something "
                      "that happened")  # fmt: skip
        place: dict[str, int] = {}
        word = self.choose("episode", "row")
        place[word] = self.count(word)
        if word == "episode":
            if self.symbol() == "," and self.tokens[self.at + 1].text.casefold() in ("step", "row"):
                self.next()
            for word in ("step", "row"):
                if not place.keys() & {"step", "row"} and self.accept(word):
                    place[word] = self.count(word)
        return Counterfactual(outcome, tuple(had), claim, event, **place)

    def would(self) -> Query:
        outcome = self.name()
        self.expect("have", "been")
        if self.sees("above") or self.sees("below"):
            start = self.token
            bound = (">" if self.next().text.casefold() == "above" else "<", self.number())
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
        if self.sees("effect") or self.sees("effects"):
            return self.effect(plural=self.next().text.casefold() == "effects")
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
        said_names = [t.text for t in self.tokens if t.text.casefold() not in _FORM_WORDS]
        found = [m[0] for name in said_names if len(m := self.names.matches(name)) == 1]
        named = list(dict.fromkeys([*found, *self.names.all[:2]]))[:2]
        if not named or len(self.tokens) == 1:
            return []
        slots = dict(zip("ab", map(_name, named), strict=False))
        forms = [f.format(**slots) for f in _FORMS if "b" in slots or "{b}" not in f]
        words = _folded(self.text[:200])[:200].split()
        said = " ".join(_SYNONYMS.get(w, w) for w in words)

        def likeness(form: str) -> float:
            alike = SequenceMatcher(None, said, _folded(form)).ratio()
            # "mean of Y" has few letters in common with E[Y].
            return alike + 0.3 * (said.startswith(("p ", "e ")) and said[0] == _folded(form[0])
                                  and form[1] in "([")  # fmt: skip

        best = sorted((-likeness(form), form) for form in forms)
        return [form for unlikeness, form in best[:2] if unlikeness < -0.55]


def parse(text: str, variables: Sequence[str]) -> Query:
    """Reads one question (grammar: docs/questions.md).

    Keywords are read in any case, and a question mark at the end is optional. A variable is found
    by its exact name, or else by the only name that differs in case (or Unicode form, NFKC). A
    name that has spaces or one of ``()[]|,?!<>=`` in it, or reads as a number, is written between
    double quotes or backticks, with a quote inside doubled.

    Args:
        text: at most `MAX_LENGTH` characters.
        variables: the names in the log, all different.

    Raises:
        QueryError: a `UserError` that says where the question breaks off, what was expected there,
            and what may have been meant.
    """
    if len(text) > MAX_LENGTH:
        raise QueryError(
            text, MAX_LENGTH, f"expected at most {MAX_LENGTH:,} characters, not {len(text):,}"
        )
    return _Parser(text, _Names(variables)).question()
