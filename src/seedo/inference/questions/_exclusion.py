"""An instrument by design: a variable that was set, and stated to act through the cause alone."""

from __future__ import annotations

import numpy as np

from seedo.inference.effects import touched
from seedo.inference.graphs._prior import GraphPrior
from seedo.inference.questions import _query as q
from seedo.inference.questions._answer import Answer
from seedo.inference.questions._design_answers import Asked, doing, seen
from seedo.inference.questions._instrument_answers import instrumented
from seedo.tables import Table


def answer_from_exclusion(query: Asked, table: Table, prior: GraphPrior | None) -> Answer | None:
    """An effect by an instrument that the experimenter set; None if nothing says there is one.

    It takes a statement that the instrument does not act on the outcome directly (`--forbid`), and
    that no other variable of the table could carry it there.
    """
    if not isinstance(query, q.Effect | q.DoesCause) or prior is None:
        return None
    if isinstance(query, q.Effect) and (query.kind != "total" or query.treated):
        return None
    edges = prior.edge_probability
    if edges is None:
        return None
    asked = doing(query, table)
    cause, outcome = asked.causes[0], asked.outcome
    hard = table.hard | table.factors[None, :]
    for j in range(table.n):
        rows = hard[:, j] & ~np.delete(hard, j, axis=1).any(axis=1) & ~touched(table)
        if j in (cause, outcome) or not rows.any() or edges[j, outcome] != 0:
            continue
        carried = [k for k in range(table.n) if k not in (j, cause, outcome) and edges[j, k] > 0
                   and edges[k, outcome] > 0]  # fmt: skip
        if carried or np.ptp(table.values[rows, j]) == 0:
            continue
        return instrumented(query, table, rows & seen(table, asked.given), (table.variables[j],))
    return None
