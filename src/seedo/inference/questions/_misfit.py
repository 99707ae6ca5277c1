"""Checks of what the posterior over graphs takes for granted, before an answer rests on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seedo.inference.effects import Plan, compare, scale_of, touched
from seedo.inference.questions import _query as q
from seedo.tables import Table

_MOST = 30
"""Other columns beyond which the nearest to the outcome alone are held."""


@dataclass(frozen=True)
class Misfit:
    """What was found.

    Attributes:
        refused: why no model of the levels of these variables can answer; "" if one may.
        warnings: what is wrong with straight lines here.
        bent: those of them that another form of the model would mend: curves, interactions.
    """

    refused: str = ""
    warnings: tuple[str, ...] = ()
    bent: tuple[str, ...] = ()


def misfit(query: q.Query, table: Table) -> Misfit:
    """Holds a regression of the outcome on all else against the rows.

    Only of questions about one cause and one outcome: others name no regression.
    """
    if isinstance(query, q.Effect | q.DoesCause):
        pair = query.cause, query.outcome
    elif isinstance(query, q.Expectation) and query.do:
        pair = query.do[0].variable, query.outcome
    elif isinstance(query, q.Probability) and query.do:
        pair = query.do[0].variable, query.event.variable
    else:
        return Misfit()
    cause, outcome = (table.index(name) for name in pair)
    rows = ~table.hard[:, [cause, outcome]].any(axis=1) & ~touched(table)
    values = table.values[:, outcome]
    others = [
        j for j in range(table.n)
        if j not in (cause, outcome) and np.isfinite(table.values[rows, j]).any()
        and np.isfinite(table.values[rows, j]).mean() > 0.5
    ]  # fmt: skip
    if len(others) > _MOST or rows.sum() < 4 * (len(others) + 2):
        others = []
    scale = scale_of(table.columns[outcome], values)
    found = compare(table, Plan(rows, cause, outcome, values, scale, tuple(others)))
    if found is None:
        return Misfit()
    walks = [f.line for f in found.model.findings if f.kind == "random walk"]
    if walks:
        return Misfit(refused=walks[0])
    warnings = tuple(
        f.text.split(":")[0] + ": the straight lines behind this answer do not allow for that"
        if f.severity == "mended" else f.line
        for f in found.model.findings
    )  # fmt: skip
    bent = tuple(f.text.split(":")[0] for f in found.model.findings if f.severity == "mended")
    return Misfit("", warnings, bent)
