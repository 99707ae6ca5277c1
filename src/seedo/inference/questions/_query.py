"""The closed grammar of questions about a log: text in, one frozen dataclass out.

Nothing is answered here. `parse` (in `_query_parser`) reads a question; `text()` of what it returns
is the canonical form, and ``parse(q.text(), variables) == q``. The rungs are those of Pearl's
ladder of causation (Causality, 2009; Pearl & Mackenzie, The Book of Why, 2018): 1 seeing, 2 doing,
3 imagining; questions about the graph itself have rung None. The grammar is written out in
docs/questions.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from seedo.inference.questions._query_words import FLIPPED, in_digits, written

MAX_LENGTH = 1000
"""Characters in a question."""
CERTAIN = 0.95
"""Posterior probability from which an edge counts as certain, unless the question says."""
LIKELY = 0.5
"""The same for a likely edge."""


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
        name, low, high = written(self.variable), in_digits(self.low), in_digits(self.high)
        if self.value is not None:
            return f"{name} = {low}"
        below, above = "<=" if self.low_included else "<", "<=" if self.high_included else "<"
        if self.high == math.inf:
            return f"{name} {FLIPPED[below]} {low}"
        if self.low == -math.inf:
            return f"{name} {above} {high}"
        return f"{low} {below} {name} {above} {high}"


@dataclass(frozen=True)
class Setting:
    """A variable set to a number, by an intervention or in imagination."""

    variable: str
    value: float

    def text(self) -> str:
        return f"{written(self.variable)} = {in_digits(self.value)}"


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
        return f"E[{written(self.outcome)}{_conditions(self.do, self.given)}]"


@dataclass(frozen=True)
class Correlation:
    """Correlation of two different variables."""

    kind: ClassVar[str] = "correlation"
    rung: ClassVar[int] = 1
    first: str
    second: str

    def text(self) -> str:
        return f"correlation of {written(self.first)} and {written(self.second)}"


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
        text = f"effect of {written(self.cause)} on {written(self.outcome)}"
        if self.start is None or self.end is None:
            return text
        return f"{text} from {in_digits(self.start)} to {in_digits(self.end)}"


@dataclass(frozen=True)
class DoesCause:
    """Whether some do(cause = x) changes the distribution of another variable, the outcome."""

    kind: ClassVar[str] = "does cause"
    rung: ClassVar[int] = 2
    cause: str
    outcome: str

    def text(self) -> str:
        return f"does {written(self.cause)} cause {written(self.outcome)}?"


@dataclass(frozen=True)
class BestIntervention:
    """Which single intervention raises (or lowers) the expected outcome most."""

    kind: ClassVar[str] = "best intervention"
    rung: ClassVar[int] = 2
    outcome: str
    direction: Literal["raise", "lower"]

    def text(self) -> str:
        return f"best intervention to {self.direction} {written(self.outcome)}"


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
        had = " and ".join(f"{written(s.variable)} been {in_digits(s.value)}" for s in self.had)
        places = {"episode": self.episode, "step": self.step, "row": self.row}
        place = " ".join(f"{word} {at}" for word, at in places.items() if at is not None)
        had = f"had {had} in {place}"
        outcome = written(self.outcome)
        if self.claim == "value":
            return f"what would {outcome} have been {had}?"
        if self.event is None:
            return f"would {outcome} have been {self.claim} {had}?"
        event = self.event
        if (event.high, event.low_included) == (math.inf, False):
            return f"would {outcome} have been above {in_digits(event.low)} {had}?"
        if (event.low, event.high_included) == (-math.inf, False):
            return f"would {outcome} have been below {in_digits(event.high)} {had}?"
        return f"P({event.text()} {had})"


@dataclass(frozen=True)
class CertainEdges:
    """Edges whose posterior probability is at least `threshold`, in (0, 1]."""

    kind: ClassVar[str] = "certain edges"
    rung: ClassVar[None] = None
    threshold: float = CERTAIN

    def text(self) -> str:
        return f"which edges are certain at {in_digits(self.threshold)}?"


@dataclass(frozen=True)
class Edge:
    """Whether parent -> child (two different variables) is in the graph."""

    kind: ClassVar[str] = "edge"
    rung: ClassVar[None] = None
    parent: str
    child: str

    def text(self) -> str:
        return f"is there an edge from {written(self.parent)} to {written(self.child)}?"


@dataclass(frozen=True)
class Ancestor:
    """Whether a directed path leads from one variable to another."""

    kind: ClassVar[str] = "ancestor"
    rung: ClassVar[None] = None
    ancestor: str
    descendant: str

    def text(self) -> str:
        return f"is {written(self.ancestor)} an ancestor of {written(self.descendant)}?"


@dataclass(frozen=True)
class Causes:
    """The ancestors of a variable, each with its probability."""

    kind: ClassVar[str] = "causes"
    rung: ClassVar[None] = None
    outcome: str

    def text(self) -> str:
        return f"what causes {written(self.outcome)}?"


@dataclass(frozen=True)
class Parents:
    """The direct causes of a variable, each with its probability."""

    kind: ClassVar[str] = "parents"
    rung: ClassVar[None] = None
    child: str

    def text(self) -> str:
        return f"parents of {written(self.child)}"


@dataclass(frozen=True)
class Effects:
    """The descendants of a variable, each with its probability."""

    kind: ClassVar[str] = "effects"
    rung: ClassVar[None] = None
    cause: str

    def text(self) -> str:
        return f"what does {written(self.cause)} cause?"


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
