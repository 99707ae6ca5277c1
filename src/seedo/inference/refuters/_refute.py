"""All refuters of one answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from seedo.errors import UserError
from seedo.inference.exact import Progress
from seedo.inference.questions import Answer, Beliefs, DoesCause, Effect, Query, ask_again, parse
from seedo.inference.refuters._asked import subject_of
from seedo.inference.refuters._bootstrap import bootstrap
from seedo.inference.refuters._common_causes import hidden_cause, random_cause
from seedo.inference.refuters._halves import halves
from seedo.inference.refuters._placebo import placebo, placebo_in_order
from seedo.inference.refuters._refutation import Refutation
from seedo.inference.refuters._stretches import MOST_STRETCHES, stretches
from seedo.inference.refuters._subject import Subject
from seedo.tables import Table

_ROWS = 5_000
"""Rows from which fewer samples are drawn."""
_FEWEST = 0.2
"""Share of the samples that are drawn at least."""


@dataclass(frozen=True)
class Times:
    """How many samples each refuter draws; one that draws none is left out.

    Attributes:
        placebo: shuffles of the cause.
        order: shifts of it along the rows.
        random: columns held as a common cause.
        halves: pairs of halves.
        bootstrap: samples of units drawn again.
    """

    placebo: int = 120
    order: int = 50
    random: int = 5
    halves: int = 20
    bootstrap: int = 100

    @property
    def all(self) -> int:
        """Answers in all."""
        own = self.placebo + self.order + self.random + self.bootstrap
        return own + 2 * self.halves + MOST_STRETCHES

    def scaled(self, share: float) -> Times:
        """Fewer of each."""
        return Times(*(max(round(share * n), min(n, 20)) for n in self.__dict__.values()))


def refute(
    question: str | Query,
    table: Table,
    found: Answer,
    beliefs: Beliefs,
    progress: Progress | None = None,
    times: Times | None = None,
) -> Answer:
    """The answer with what was tried to refute it.

    Args:
        question: for an effect, or whether there is one.
        table: all rows.
        found: the answer to it.
        beliefs: what the answer takes for granted; its seed is that of all that is drawn here.
        progress: called with (answers done, answers in all).
        times: how many samples are drawn; by the number of rows if None.

    Raises:
        UserError: the question is not about an effect.
    """
    query = (
        parse(question, table.variables, table.columns, table.useless)
        if isinstance(question, str)
        else question
    )
    if isinstance(query, DoesCause):
        query = Effect(query.cause, query.outcome)
    if not isinstance(query, Effect):
        cause = getattr(query, "cause", "X")
        outcome = getattr(query, "outcome", "Y")
        remedy = f"only effects are refuted: ask 'effect of {cause} on {outcome}'"
        raise UserError("refute", query.text(table.columns), remedy)
    if found.refused:
        return found
    query, of = _with_numbers(query, table, beliefs, ask_again(query, table, beliefs))
    subject = None if of is None else subject_of(query, table, beliefs, of)
    if subject is None:
        return replace(found, refutations=(_nothing(of, table, beliefs).to_dict(),))
    times = times or _times(table, found)
    told = _all(subject, times, beliefs.seed, progress)
    return replace(found, refutations=tuple(one.to_dict() for one in told))


def _with_numbers(
    query: Effect, table: Table, beliefs: Beliefs, found: Answer | None
) -> tuple[Effect, Answer | None]:
    """The question and answer themselves; of a curve without one number, those about the middle
    half of the cause's values."""
    cause = table.columns[table.index(query.cause)]
    if found is None or cause.named or query.by or found.value is not None or found.refused:
        return query, found
    x = table.values[:, table.index(query.cause)]
    start, end = (float(v) for v in np.nanquantile(x, [0.25, 0.75]))
    if start == end or query.start is not None:
        return query, found
    middle = replace(query, start=start, end=end)
    return middle, ask_again(middle, table, beliefs)


def _times(table: Table, found: Answer) -> Times:
    share = min(1.0, _ROWS / max(table.rows, 1))
    if "missing values filled in" in found.answer:
        share /= 5  # each answer is one of many filled-in tables
    return Times().scaled(max(share, _FEWEST))


def _nothing(found: Answer | None, table: Table, beliefs: Beliefs) -> Refutation:
    """Why no refuter is run."""
    if found is not None and found.value is not None and found.low is None:
        line = "the answer is the graph's alone: no rows could refute it"
    elif table.weight is not None:
        line = "the rows stand for too many rows to be exchanged one by one"
    elif beliefs.graph is not None:
        line = "the answer's estimator would take as long again for every sample"
    else:
        line = (
            "the answer averages over graphs, which every sample would weigh anew: give --graph, "
            "or mark what was set with --targets, and the effect is refuted"
        )
    return Refutation("refuters", "does not apply", f"refuters: {line}")


def _all(subject: Subject, times: Times, seed: int, progress: Progress | None) -> list[Refutation]:
    """Every refuter, each with random numbers of its own."""
    total = times.all - (0 if subject.in_order else times.order)
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(min(done, total), total)

    def rng(k: int) -> np.random.Generator:
        return np.random.default_rng((seed, k))

    ways: list[tuple[int, Callable[[], Refutation]]] = [
        (times.placebo, lambda: placebo(subject, times.placebo, rng(0), step)),
        (times.order if subject.in_order else 0,
         lambda: placebo_in_order(subject, times.order, rng(1), step)),
        (times.random, lambda: random_cause(subject, times.random, rng(2), step)),
        (1, lambda: hidden_cause(subject)),
        (times.halves, lambda: halves(subject, times.halves, rng(3), step)),
        (1, lambda: stretches(subject, step)),
        (times.bootstrap, lambda: bootstrap(subject, times.bootstrap, rng(4), step)),
    ]  # fmt: skip
    return [way() for count, way in ways if count]
