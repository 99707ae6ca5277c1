"""The closed grammar of questions about a log: text in, one frozen dataclass out.

Nothing is answered here. `parse` (in `_query_parser`) reads a question; `text()` of what it returns
is the canonical form, and ``parse(q.text(), variables) == q``; with the table's columns it names
levels, and ``parse(q.text(columns), variables, columns) == q``. The rungs are those of Pearl's
ladder of causation (Causality, 2009; Pearl & Mackenzie, The Book of Why, 2018): 1 seeing, 2 doing,
3 imagining; questions about the graph itself have rung None. The grammar is written out in
docs/questions.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from seedo.inference.questions._levels import shown
from seedo.inference.questions._query_words import FLIPPED, in_digits, written
from seedo.tables import Column

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

    def text(self, columns: Sequence[Column] = ()) -> str:
        name = written(self.variable)
        low, high = (shown(self.variable, end, columns) for end in (self.low, self.high))
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

    def text(self, columns: Sequence[Column] = ()) -> str:
        return f"{written(self.variable)} = {shown(self.variable, self.value, columns)}"


def _conditions(
    do: tuple[Setting, ...], given: tuple[Event, ...], columns: Sequence[Column]
) -> str:
    parts = [f"do({', '.join(s.text(columns) for s in do)})"] if do else []
    parts += [event.text(columns) for event in given]
    return f" | {', '.join(parts)}" if parts else ""


@dataclass(frozen=True)
class Probability:
    """P(event | do, given); rung 1, or 2 if something is done.

    The outcome, the variables of `given` and those of `do` are all different.
    """

    event: Event
    given: tuple[Event, ...] = ()
    do: tuple[Setting, ...] = ()

    @property
    def rung(self) -> int:
        return 2 if self.do else 1

    def text(self, columns: Sequence[Column] = ()) -> str:
        return f"P({self.event.text(columns)}{_conditions(self.do, self.given, columns)})"


@dataclass(frozen=True)
class Expectation:
    """E[outcome | do, given]; rung 1, or 2 if something is done. Variables as in `Probability`."""

    outcome: str
    given: tuple[Event, ...] = ()
    do: tuple[Setting, ...] = ()

    @property
    def rung(self) -> int:
        return 2 if self.do else 1

    def text(self, columns: Sequence[Column] = ()) -> str:
        return f"E[{written(self.outcome)}{_conditions(self.do, self.given, columns)}]"


@dataclass(frozen=True)
class Correlation:
    """Correlation of two different variables."""

    rung: ClassVar[int] = 1
    first: str
    second: str

    def text(self, columns: Sequence[Column] = ()) -> str:
        return f"correlation of {written(self.first)} and {written(self.second)}"


@dataclass(frozen=True)
class Effect:
    """E[outcome | do(cause = end)] - E[outcome | do(cause = start)], or a part of it.

    Attributes:
        cause: name.
        outcome: another name.
        start: None (as is `end`) for the effect per unit.
        end: differs from `start`.
        kind: along all paths, along the edge alone, or along all paths but the edge.
        given: among rows in which these events are seen; not about cause or outcome.
        by: variable of which every level or group has an answer of its own; "" for none.
        treated: among the treated only (ATT): rows in which the cause is not at its start.
        through: mediators that an indirect effect goes through; none: all there are.
    """

    rung: ClassVar[int] = 2
    cause: str
    outcome: str
    start: float | None = None
    end: float | None = None
    kind: Literal["total", "direct", "indirect"] = "total"
    given: tuple[Event, ...] = ()
    by: str = ""
    treated: bool = False
    through: tuple[str, ...] = ()

    @property
    def plain(self) -> bool:
        """Whether this is the total effect in everybody."""
        return not (self.kind != "total" or self.given or self.by or self.treated)

    def text(self, columns: Sequence[Column] = ()) -> str:
        text = "" if self.kind == "total" else f"{self.kind} "
        text += f"effect of {written(self.cause)} on {written(self.outcome)}"
        if self.start is not None and self.end is not None:
            start, end = (shown(self.cause, v, columns) for v in (self.start, self.end))
            text += f" from {start} to {end}"
        if self.through:
            text += f" through {' and '.join(map(written, self.through))}"
        if self.treated:
            text += " among the treated"
        if self.given:
            text += f" for {', '.join(event.text(columns) for event in self.given)}"
        return f"{text} by {written(self.by)}" if self.by else text


@dataclass(frozen=True)
class Ratio:
    """E[outcome | do(cause = end)] / E[outcome | do(cause = start)], or the ratio of the odds.

    Attributes:
        cause: name.
        outcome: another name, of yes and no; for `risk` also a number never below 0.
        kind: of probabilities (of means, where the outcome is a number), or of odds.
        start, end: as for `Effect`; None: the two values that the cause has.
    """

    rung: ClassVar[int] = 2
    cause: str
    outcome: str
    kind: Literal["risk", "odds"] = "risk"
    start: float | None = None
    end: float | None = None

    def text(self, columns: Sequence[Column] = ()) -> str:
        text = f"{self.kind} ratio of {written(self.cause)} on {written(self.outcome)}"
        return text + _from_to(self.cause, self.start, self.end, columns)


@dataclass(frozen=True)
class Median:
    """The median of a variable among rows in which `given` is seen."""

    rung: ClassVar[int] = 1
    outcome: str
    given: tuple[Event, ...] = ()

    def text(self, columns: Sequence[Column] = ()) -> str:
        text = f"median of {written(self.outcome)}"
        return text + (f" for {', '.join(e.text(columns) for e in self.given)}" * bool(self.given))


@dataclass(frozen=True)
class MedianEffect:
    """The median of the outcome under do(cause = end) minus that under do(cause = start).

    Attributes:
        cause: name.
        outcome: another name.
        start, end: as for `Ratio`.
    """

    rung: ClassVar[int] = 2
    cause: str
    outcome: str
    start: float | None = None
    end: float | None = None

    def text(self, columns: Sequence[Column] = ()) -> str:
        text = f"effect of {written(self.cause)} on the median of {written(self.outcome)}"
        return text + _from_to(self.cause, self.start, self.end, columns)


@dataclass(frozen=True)
class MeansBy:
    """The mean of a variable at every level, or in every group, of another."""

    rung: ClassVar[int] = 1
    outcome: str
    by: str

    def text(self, columns: Sequence[Column] = ()) -> str:
        return f"mean of {written(self.outcome)} by {written(self.by)}"


def _from_to(cause: str, start: float | None, end: float | None, columns: Sequence[Column]) -> str:
    if start is None or end is None:
        return ""
    return f" from {shown(cause, start, columns)} to {shown(cause, end, columns)}"


@dataclass(frozen=True)
class DoesCause:
    """Whether some do(cause = x) changes the distribution of another variable, the outcome."""

    rung: ClassVar[int] = 2
    cause: str
    outcome: str

    def text(self, columns: Sequence[Column] = ()) -> str:
        return f"does {written(self.cause)} cause {written(self.outcome)}?"


@dataclass(frozen=True)
class BestIntervention:
    """Which single intervention raises (or lowers) the expected outcome most."""

    rung: ClassVar[int] = 2
    outcome: str
    direction: Literal["raise", "lower"]

    def text(self, columns: Sequence[Column] = ()) -> str:
        return f"best intervention to {self.direction} {written(self.outcome)}"


@dataclass(frozen=True)
class BestSetting:
    """Which value of one cause raises (or lowers) the expected outcome most."""

    rung: ClassVar[int] = 2
    cause: str
    outcome: str
    direction: Literal["raise", "lower"] = "raise"

    def text(self, columns: Sequence[Column] = ()) -> str:
        cause, outcome = written(self.cause), written(self.outcome)
        return f"best setting of {cause} to {self.direction} {outcome}"


@dataclass(frozen=True)
class Ranking:
    """The causes of a variable, by how much each changes it over the values that were seen."""

    rung: ClassVar[int] = 2
    outcome: str

    def text(self, columns: Sequence[Column] = ()) -> str:
        return f"rank the causes of {written(self.outcome)}"


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

    rung: ClassVar[int] = 3
    outcome: str
    had: tuple[Setting, ...]
    claim: Literal["value", "higher", "lower", "different", "event"] = "value"
    event: Event | None = None
    episode: int | None = None
    step: int | None = None
    row: int | None = None

    def text(self, columns: Sequence[Column] = ()) -> str:
        had = " and ".join(
            f"{written(s.variable)} been {shown(s.variable, s.value, columns)}" for s in self.had
        )
        had = f"had {had} in {_place(self)}"
        outcome = written(self.outcome)
        if self.claim == "value":
            return f"what would {outcome} have been {had}?"
        if self.event is None:
            return f"would {outcome} have been {self.claim} {had}?"
        event = self.event
        low, high = (shown(event.variable, end, columns) for end in (event.low, event.high))
        if (event.high, event.low_included) == (math.inf, False):
            return f"would {outcome} have been above {low} {had}?"
        if (event.low, event.high_included) == (-math.inf, False):
            return f"would {outcome} have been below {high} {had}?"
        return f"P({event.text(columns)} {had})"


@dataclass(frozen=True)
class WhyRow:
    """How much each cause contributed to the outcome's distance from its mean in one row.

    Attributes:
        outcome: name.
        direction: what the question takes for granted about the row; "" if nothing.
        episode, step, row: as in `Counterfactual`.
    """

    rung: ClassVar[int] = 3
    outcome: str
    direction: Literal["low", "high", ""] = ""
    episode: int | None = None
    step: int | None = None
    row: int | None = None

    def text(self, columns: Sequence[Column] = ()) -> str:
        was = self.direction or "as it was"
        return f"why was {written(self.outcome)} {was} in {_place(self)}?"


def _place(query: Counterfactual | WhyRow) -> str:
    places = {"episode": query.episode, "step": query.step, "row": query.row}
    return " ".join(f"{word} {at}" for word, at in places.items() if at is not None)


@dataclass(frozen=True)
class CertainEdges:
    """Edges whose posterior probability is at least `threshold`, in (0, 1]."""

    rung: ClassVar[None] = None
    threshold: float = CERTAIN

    def text(self, columns: Sequence[Column] = ()) -> str:
        return f"which edges are certain at {in_digits(self.threshold)}?"


@dataclass(frozen=True)
class Edge:
    """Whether parent -> child (two different variables) is in the graph."""

    rung: ClassVar[None] = None
    parent: str
    child: str

    def text(self, columns: Sequence[Column] = ()) -> str:
        return f"is there an edge from {written(self.parent)} to {written(self.child)}?"


@dataclass(frozen=True)
class Ancestor:
    """Whether a directed path leads from one variable to another."""

    rung: ClassVar[None] = None
    ancestor: str
    descendant: str

    def text(self, columns: Sequence[Column] = ()) -> str:
        return f"is {written(self.ancestor)} an ancestor of {written(self.descendant)}?"


@dataclass(frozen=True)
class Causes:
    """The ancestors of a variable, each with its probability."""

    rung: ClassVar[None] = None
    outcome: str

    def text(self, columns: Sequence[Column] = ()) -> str:
        return f"what causes {written(self.outcome)}?"


@dataclass(frozen=True)
class Parents:
    """The direct causes of a variable, each with its probability."""

    rung: ClassVar[None] = None
    child: str

    def text(self, columns: Sequence[Column] = ()) -> str:
        return f"parents of {written(self.child)}"


@dataclass(frozen=True)
class Effects:
    """The descendants of a variable, each with its probability."""

    rung: ClassVar[None] = None
    cause: str

    def text(self, columns: Sequence[Column] = ()) -> str:
        return f"what does {written(self.cause)} cause?"


@dataclass(frozen=True)
class NextExperiment:
    """Which intervention would tell most."""

    rung: ClassVar[None] = None

    def text(self, columns: Sequence[Column] = ()) -> str:
        return "what should be tried next?"


@dataclass(frozen=True)
class Conflicts:
    """Where parts of the data, or the data and the assumptions, contradict each other."""

    rung: ClassVar[None] = None

    def text(self, columns: Sequence[Column] = ()) -> str:
        return "what is contradicted?"


@dataclass(frozen=True)
class HiddenConfounders:
    """Which pairs of variables seem to share an unmeasured cause."""

    rung: ClassVar[None] = None

    def text(self, columns: Sequence[Column] = ()) -> str:
        return "are there hidden confounders?"


@dataclass(frozen=True)
class Targets:
    """What the interventions whose targets are unknown acted on."""

    rung: ClassVar[None] = None

    def text(self, columns: Sequence[Column] = ()) -> str:
        return "which interventions hit what?"


Query = (
    Probability
    | Expectation
    | Correlation
    | Effect
    | Ratio
    | Median
    | MedianEffect
    | MeansBy
    | DoesCause
    | BestIntervention
    | BestSetting
    | Ranking
    | Counterfactual
    | WhyRow
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
"""Any question that can be asked of a graph's model."""
