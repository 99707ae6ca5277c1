"""The one way in for a question to a table."""

from __future__ import annotations

from collections.abc import Callable

from seedo.inference import questions, refuters
from seedo.inference.exact import CausalPosterior, Progress
from seedo.inference.questions import Answer, Beliefs, Query
from seedo.tables import Table


def ask(
    question: str | Query,
    table: Table,
    beliefs: Beliefs | None = None,
    progress: Progress | None = None,
    weigh: Callable[[], CausalPosterior] | None = None,
    refute: bool | refuters.Times = False,
    refuting: Progress | None = None,
) -> Answer:
    """Answers one question from a table.

    Args:
        question: see docs/questions.md.
        table: rows.
        beliefs: nothing is known if None.
        progress: called with (steps done, steps in all) while graphs are sampled.
        weigh: gives the posterior over graphs, where it is needed; worked out afresh if None.
        refute: whether refuters are run on an effect (`Answer.refutations`; docs/refuters.md), and
            how many samples they draw.
        refuting: called with (answers done, answers in all) while they run.

    Raises:
        UserError: the question cannot be read, or cannot be asked of this table and graph; it is
            not about an effect, and to be refuted.
    """
    beliefs = beliefs or Beliefs()
    found = questions.ask(question, table, beliefs, progress, weigh)
    if refute is False:
        return found
    times = refute if isinstance(refute, refuters.Times) else None
    return refuters.refute(question, table, found, beliefs, refuting, times)
