"""Rung 1: what is seen in the table's own rows, from their frequencies and means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seedo.inference.checks import SHARE, by_time, missing_finding, missing_tells, order
from seedo.inference.effects import Plan, compare, mean_estimate, plain_mean
from seedo.inference.questions import _query as q
from seedo.inference.questions._answer import Answer, independence, refuse
from seedo.inference.questions._comparison_words import Told, beyond, happens, stated
from seedo.inference.questions._design_answers import Doing, doing, groups_by, outcome_of
from seedo.tables import Table

FEWEST = 2
_FEW_ALIKE = 10
"""Rows at one value of a number from which they are averaged by themselves."""


def answer_from_rows(
    query: q.Expectation | q.Probability | q.Correlation, table: Table
) -> Answer | None:
    """A mean, a probability or a correlation among rows in which nothing was done.

    None where there are too few such rows, or more than one number is held exactly.
    """
    rows, which = plain_rows(table)
    if isinstance(query, q.Correlation):
        return _correlation(query, table, rows, which)
    asked = doing(query, table)
    exact: list[q.Event] = []
    for event in asked.given:
        values = table.values[:, table.index(event.variable)]
        there = happens(event, values)
        named = table.columns[table.index(event.variable)].named
        if event.value is not None and not named and (rows & there).sum() < _FEW_ALIKE:
            exact.append(event)
        else:
            rows = rows & there
    if not rows.any():
        return refuse("no row shows what is given: ask about something that occurs",
                      rests_on=which)  # fmt: skip
    if len(exact) > 1:
        return None
    if exact:
        return _at(query, table, rows, asked, exact[0])
    return _mean(query, table, rows, asked, which)


def plain_rows(table: Table) -> tuple[NDArray[np.bool_], str]:
    """Rows in which nothing was done; all, where something was done in every row."""
    observed = table.observational
    if observed.sum() >= FEWEST:
        return observed, "rows in which nothing was set" if not observed.all() else "all rows"
    return np.ones(table.rows, np.bool_), "all rows, something was set in every one"


def _mean(
    query: q.Expectation | q.Probability, table: Table, rows: NDArray[np.bool_], asked: Doing,
    which: str,
) -> Answer | None:  # fmt: skip
    values, scale = outcome_of(table, asked)
    name = table.variables[asked.outcome]
    missing = rows & ~np.isfinite(values)
    by, warnings = _missing(table, rows, missing, asked)
    findings = []
    if by:
        listed = [table.variables[j] for j in by]
        finding = missing_finding(name, int(missing.sum()), int(rows.sum()), listed, True)
        findings.append(finding.line)
    found = plain_mean(table, rows, values, scale, by)  # type: ignore[arg-type]
    if found is None:
        return None
    estimate = mean_estimate(found, 0)
    count = int(np.isfinite(values[rows]).sum())
    text = f"{query.text(table.columns)} = {stated(estimate)} ({which}: {count:,} rows)"
    if by:
        text += f", missing values filled in from {', '.join(table.variables[j] for j in by)}"
    return Answer(
        "", None, text, estimate.value, estimate.low, estimate.high,
        assumes=(independence(table), "the rows are a fair sample of what is asked about"),
        rests_on=f"{count:,} rows", warnings=(*findings, *warnings),
        checks=() if by else ("missingness",),
    )  # fmt: skip


def _missing(
    table: Table, rows: NDArray[np.bool_], missing: NDArray[np.bool_], asked: Doing
) -> tuple[list[int], tuple[str, ...]]:
    """Columns to fill missing outcomes in from, and what is to be said of them."""
    count = int(missing.sum())
    if not count:
        return [], ()
    name = table.variables[asked.outcome]
    others = [j for j in range(table.n) if j != asked.outcome]
    usable = [j for j in others
              if np.isfinite(table.values[rows, j]).all() and _usable(table, rows, j)]  # fmt: skip
    telling = missing_tells(missing[rows], table.values[rows][:, others])
    if telling and usable:
        return usable, ()
    if telling:
        listed = [table.variables[others[k]] for k in telling]
        return [], (missing_finding(name, count, int(rows.sum()), listed, False).line,)
    return [], (
        f"{name} is missing in {count:,} rows, which are left out: right if they are like the "
        "others",
    )


def _usable(table: Table, rows: NDArray[np.bool_], j: int) -> bool:
    different = len(np.unique(table.values[rows, j]))
    return 1 < different and (not table.columns[j].named or different <= 20)


def _at(
    query: q.Expectation | q.Probability, table: Table, rows: NDArray[np.bool_], asked: Doing,
    event: q.Event,
) -> Answer | None:  # fmt: skip
    """A mean where a number has one value, by regression on it."""
    values, scale = outcome_of(table, asked)
    assert event.value is not None
    plan = Plan(rows, table.index(event.variable), asked.outcome, values, scale,  # type: ignore[arg-type]
                asked=(event.value,), randomised=True)  # fmt: skip
    comparison = compare(table, plan)
    if comparison is None or comparison.model.fatal is not None:
        return None
    estimate = comparison.mean(event.value)
    text = f"{query.text(table.columns)} = {stated(estimate)} ({comparison.how})"
    told = Told(comparison, table, (), "")
    lines = [f.line for f in comparison.model.findings]
    return Answer(
        "", None, text, estimate.value, estimate.low, estimate.high,
        assumes=("rows are independent of each other",
                 "the answer is about what is seen, not about what would be done"),
        rests_on=f"{estimate.rows:,} rows", checks=comparison.model.held,
        warnings=(*lines, *beyond(told, (event.value,))),
    )  # fmt: skip


def answer_means(query: q.MeansBy, table: Table) -> Answer:
    """The mean of a variable in every group of another, each among its own rows."""
    single = q.Expectation(query.outcome)
    rows, refused, warnings = [], "", []
    for name, members in groups_by(query, table):
        found = answer_from_rows(single, table.take(members))
        if found is None or found.refused:
            refused = refused or (found.refused if found else "") or "too few rows in a group"
            continue
        warnings += [f"{name}: {line}" for line in found.warnings]
        rows.append({"group": name, "mean": found.value, "low": found.low, "high": found.high,
                     "rows": found.rests_on})  # fmt: skip
    if not rows:
        return refuse(refused or f"{query.by} has no group")
    told = "; ".join(f"{row['group']}: {row['mean']:.3g}" for row in rows)
    return Answer("", None, f"{query.text(table.columns)}: {told}",
                  assumes=("the answer is about what is seen, not about what would be done",),
                  rests_on=f"{table.rows:,} rows", warnings=tuple(dict.fromkeys(warnings)),
                  table=tuple(rows))  # fmt: skip


def _as_numbers(table: Table, variables: Sequence[int]) -> list[str]:
    """Which of two names without an order counts as 1."""
    named = [table.columns[j] for j in variables if table.columns[j].type == "categorical"]
    return [f"{c.name} = {c.levels[1]} counts as 1, {c.levels[0]} as 0" for c in named]


def _correlation(
    query: q.Correlation, table: Table, rows: NDArray[np.bool_], which: str
) -> Answer | None:
    at = [table.index(query.first), table.index(query.second)]
    for j, other in (at, at[::-1]):
        column = table.columns[j]
        if column.type == "categorical" and len(column.levels) > 2:
            name, with_ = column.name, table.variables[other]
            return refuse(
                f"the levels of {name} have no order, and a correlation would be with their order "
                f"in the alphabet; ask E[{with_} | {name} = {column.levels[0]}], or 'effect of "
                f"{name} on {with_}'",
                rests_on=which,
            )
    kept = rows & np.isfinite(table.values[:, at]).all(axis=1)
    if table.weight is not None:
        kept = kept & (table.weight > 0)
    pair = table.values[kept][:, at]
    if len(pair) < 4 or np.any(np.ptp(pair, axis=0) == 0):
        return refuse("a variable that does not vary goes together with nothing", rests_on=which)
    weight = np.ones(len(pair)) if table.weight is None else table.weight[kept]
    share = weight / weight.sum()
    z = pair - share @ pair
    z = z / np.sqrt(share @ z**2)
    r = float(share @ (z[:, 0] * z[:, 1]))
    # Influence on r (Devlin, Gnanadesikan & Kettenring 1975), which holds for any distribution.
    influence = z[:, 0] * z[:, 1] - r * (z**2).sum(axis=1) / 2
    total = float(weight.sum())
    clusters = table.units_of(kept)
    if clusters is None:
        error = math.sqrt(float(weight @ influence**2) / (total - 3) / total)
    else:
        sums = np.bincount(clusters, weight * influence)
        error = math.sqrt(float(sums @ sums) * len(sums) / max(len(sums) - 1, 1)) / total
    stretch, warnings = _in_series(table, kept, z)
    half = 1.959963984540054 * stretch * error / max(1 - r * r, 1e-12)
    low, high = (math.tanh(math.atanh(np.clip(r, -1 + 1e-12, 1 - 1e-12)) + s * half)
                 for s in (-1, 1))  # fmt: skip
    text = f"{query.text(table.columns)} = "
    assumes = ("rows are independent of each other", *_as_numbers(table, at))
    found = Answer("", None, text, r, low, high, assumes=assumes, rests_on=f"{len(pair):,} rows",
                   warnings=warnings)  # fmt: skip
    shown = f"{r:.3g} [{low:.3g}, {high:.3g}]"
    return replace(found, answer=f"{text}{shown} ({which}: {len(pair):,} rows)")


def _in_series(
    table: Table, kept: NDArray[np.bool_], z: NDArray[np.float64]
) -> tuple[float, tuple[str, ...]]:
    """How many times wider an interval is because both variables go over from row to row, and a
    warning: R rows say as much as R (1 - a b) / (1 + a b) independent ones, with autocorrelations
    a and b (Bartlett 1935, Journal of the Royal Statistical Society 98:536).

    Args:
        table: all rows.
        kept: bool[R], rows that are used.
        z: float64[R', 2], both variables in these, standardised.
    """
    if table.unit is not None or table.weight is not None:
        return 1.0, ()
    if table.time is not None:
        z = z[np.argsort(table.time[kept], kind="stable")]
    elif not (by_time(z[:, 0], z[:, 1]) and by_time(z[:, 1], z[:, 0])):
        return 1.0, ()
    found = order(z[:, 0], z[:, 1])
    if found.p_value >= SHARE["autocorrelation"]:
        return 1.0, ()
    both = min(found.residual * found.cause, 0.98)
    count = max(len(z) * (1 - both) / (1 + both), 4.0)
    one, two = found.residual, found.cause
    return math.sqrt(len(z) / count), (
        f"neighbouring rows resemble each other in both (autocorrelation {one:.2f} and {two:.2f}): "
        f"{len(z):,} rows say as much as {count:.0f} independent ones, and a trend or a season "
        "that both share would make such a correlation by itself",
    )
