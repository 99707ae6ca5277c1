"""A whole row as it would have been: every variable at once, as each drawn model has it."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.inference.exact import Progress
from seedo.inference.questions import _query as q
from seedo.inference.questions._answer import Answer
from seedo.inference.questions._answers_row import row_asked_about
from seedo.inference.questions._ask import Beliefs, ask, posterior
from seedo.inference.questions._query_parser import parse
from seedo.tables import Table


class ImaginedRow(NamedTuple):
    """What one row would have been.

    Attributes:
        answer: to the question as it was asked.
        refused: why the row as a whole is not settled; "" if it is.
        episode, step: of the row.
        held: float64[n], what each variable would have been set to; NaN: left alone.
        values: float64[S, n], the row as each of S drawn models has it, equally probable; none of
            them if it was refused.
    """

    answer: Answer
    refused: str
    episode: int
    step: int
    held: NDArray[np.float64]
    values: NDArray[np.float64]


def imagined_row(
    question: str,
    table: Table,
    beliefs: Beliefs | None = None,
    errors: NDArray[np.float64] | None = None,
    progress: Progress | None = None,
) -> ImaginedRow:
    """All variables of the row that a counterfactual is about.

    Args:
        question: what would Y have been had X been 2 in ..., see docs/questions.md.
        table: rows of episodes.
        errors: float64[n], standard deviations of the errors with which the row was read; none if
            None. What was set is known.
        progress: called with (steps done, steps in all) while graphs are sampled.

    Raises:
        UserError: another question; or as `ask`.
    """
    beliefs = beliefs or Beliefs()
    query = parse(question, table.variables, table.columns, table.useless)
    if not isinstance(query, q.Counterfactual):
        asked = "ask what something would have been, e.g. 'what would B have been had A been 2 in "
        raise UserError("question", question, f"{asked}episode 3 step 4?'")
    if beliefs.form == "nonlinear":
        raise UserError("--nonlinear", None, "rows as a whole are imagined along straight lines")
    at, _ = row_asked_about(query, table)
    found = posterior(table, beliefs, progress)
    had = {table.index(s.variable): s.value for s in query.had}
    answered = ask(query, table, beliefs, weigh=lambda: found)
    refused = answered.refused
    for name in table.variables:
        if not refused and table.index(name) not in had:
            one = replace(query, outcome=name, claim="value", event=None)
            refused = ask(one, table, beliefs, weigh=lambda: found).refused
    was, was_set = table.values[at], table.hard[at]
    held = np.where(was_set, was, np.nan)
    held[list(had)] = list(had.values())
    values = np.zeros((0, table.n))
    if not refused:
        rng = np.random.default_rng([beliefs.seed, 2])
        off = np.where(was_set, 0.0, 0.0 if errors is None else errors)
        read = was + off * rng.normal(size=(len(found.draws), table.n))
        values = found.draws.counterfactual(read, was_set, had)
    return ImaginedRow(answered, refused, int(table.episode[at]), int(table.step[at]), held, values)
