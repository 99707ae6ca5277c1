"""Answers about shares that add up."""

from __future__ import annotations

from seedo.inference.effects import Estimate, share_effect
from seedo.inference.questions import _query as q
from seedo.inference.questions._answer import Answer, interval, number, refuse
from seedo.tables import Table, mixtures


def impossible_mixture(query: q.Query, table: Table) -> Answer | None:
    """A refusal where all shares of a mixture are set, and do not add up; None elsewhere."""
    if not isinstance(query, q.Expectation | q.Probability):
        return None
    to = {s.variable: s.value for s in query.do}
    for mixture in mixtures(table):
        names = [table.variables[i] for i in mixture.parts]
        if not all(name in to for name in names):
            continue
        found = sum(to[name] for name in names)
        # As in the table: shares are rounded when they are written down.
        if abs(found - mixture.total) > 0.01 * abs(mixture.total):
            reason = (
                f"{', '.join(names)} add up to {number(found)} there, and to "
                f"{number(mixture.total)} in every row: no such mixture can be made"
            )
            return refuse(reason, rests_on=f"{table.rows:,} rows")
    return None


def mixture_effect(query: q.Effect, table: Table) -> Answer | None:
    """The effect of a share, along each replacement; None where the cause is no share.

    Args:
        query: for a total effect in everybody.
        table: all rows.
    """
    cause, outcome = table.index(query.cause), table.index(query.outcome)
    mixture = next((m for m in mixtures(table) if cause in m.parts), None)
    if mixture is None or table.factors[outcome]:
        return None
    found = share_effect(table, mixture, cause, outcome, query.start, query.end)
    if found is None:
        return None
    names = [table.variables[i] for i in mixture.parts]
    more = f"a unit more of {query.cause}" if query.start is None or query.end is None else (
        f"moving {query.cause} from {number(query.start)} to {number(query.end)}")  # fmt: skip
    against = "; ".join(
        f"vs {table.variables[i]} {_signed(e)}" for i, e in found.instead.items()
    )  # fmt: skip
    whole = found.proportional
    text = (
        f"{', '.join(names)} add up to {number(mixture.total)} in every row: {query.cause} cannot "
        f"be changed alone. {more} changes {query.outcome} by, in place of another: {against}; "
        f"with all others shrinking in proportion: {_signed(whole)}"
    )
    rows = [(f"{query.cause} in place of {table.variables[i]}", e)
            for i, e in found.instead.items()]  # fmt: skip
    assumes = ["the mean is a polynomial of the shares "
               + ("with products of pairs; effects are those at the mean mixture"
                  if found.blends else "of first order; no products are called for"),
               "rows are independent" if table.unit is None
               else f"different {table.unit_name or 'units'} are independent"]  # fmt: skip
    return Answer(
        query.text(), query.rung, text, whole.value, whole.low, whole.high,
        assumes=tuple(assumes), rests_on=f"{whole.rows:,} rows in which the mixture was set",
        table=tuple(
            {"if": name, "effect": e.value, "low": e.low, "high": e.high}
            for name, e in [*rows, ("all others shrink in proportion", whole)]
        ),
    )  # fmt: skip


def _signed(estimate: Estimate) -> str:
    sign = "+" if estimate.value > 0 else ""
    return f"{sign}{number(estimate.value)} {interval(estimate.low, estimate.high)}"
