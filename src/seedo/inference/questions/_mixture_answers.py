"""Answers about shares that add up."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

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
        set_ = [name for name in names if name in to]
        if not set_:
            continue
        if len(set_) < len(names) - 1:
            return _open_mixture(set_, names, mixture.total, query, table)
        if len(set_) < len(names) and sum(to[name] for name in set_) <= mixture.total:
            continue  # the last one is what is left
        found = sum(to[name] for name in set_)
        # As in the table: shares are rounded when they are written down.
        if abs(found - mixture.total) > 0.01 * abs(mixture.total):
            whole = "" if set_ == names else f"{', '.join(names)} "
            reason = (
                f"{', '.join(set_)} add up to {number(found)} there, and {whole}to "
                f"{number(mixture.total)} in every row: no such mixture can be made"
            )
            return refuse(reason, rests_on=f"{table.rows:,} rows")
    return None


Asked = TypeVar("Asked")


def without_last_share(
    query: Asked, table: Table
) -> tuple[Asked | q.Expectation | q.Probability, Table]:
    """The same question and table without a share that the others fix, where all of these are set:
    to hold it as well would leave nothing of them."""
    if isinstance(query, q.Expectation | q.Probability):
        to = {s.variable for s in query.do}
        for mixture in mixtures(table):
            names = [table.variables[i] for i in mixture.parts]
            free = [name for name in names if name not in to]
            if len(free) <= 1:
                last = free[0] if free else names[-1]
                do = tuple(s for s in query.do if s.variable != last)
                others = [i for i in range(table.n) if table.variables[i] != last]
                return replace(query, do=do), table.only(others)
    return query, table


def _open_mixture(
    set_: list[str], names: list[str], total: float, query: q.Expectation | q.Probability,
    table: Table,
) -> Answer:  # fmt: skip
    """A refusal where some shares are set, and nothing says which others give way."""
    outcome = query.event.variable if isinstance(query, q.Probability) else query.outcome
    rest = ", ".join(name for name in names if name not in set_)
    return refuse(
        f"{', '.join(names)} add up to {number(total)} in every row, and nothing says which of "
        f"{rest} give way: set all of them, or ask 'effect of {set_[0]} on {outcome} from A to B', "
        "which says what replaces what",
        rests_on=f"{table.rows:,} rows",
    )


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
