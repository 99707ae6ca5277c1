"""Medians: of rows, and under settings where nothing has to be held."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seedo.inference.effects import CausalGraph, set_rows, touched
from seedo.inference.graphs._known_graph import KnownGraph
from seedo.inference.questions import _query as q
from seedo.inference.questions._answer import Answer, independence, interval, number, refuse
from seedo.inference.questions._design_answers import seen
from seedo.inference.questions._levels import shown
from seedo.inference.questions._seen_answers import plain_rows
from seedo.tables import Table

DRAWS = 2000
FEWEST = 10
"""Rows a median is taken of; of fewer the 95 % interval hardly exists."""


def answer_median(query: q.Median | q.MedianEffect, table: Table, graph: KnownGraph | None,
                  seed: int = 0) -> Answer:  # fmt: skip
    """A median, or the difference of two, with a bootstrap interval (percentiles; of units where
    rows belong together; Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13).

    A difference is told where the cause was set, or where the graph leaves nothing to hold.
    """
    if table.weight is not None:
        table = table.repeated()
    j = table.index(query.outcome)
    column = table.columns[j]
    if column.named and column.type != "ordered":
        return refuse(f"the levels of {query.outcome} have no middle: ask P({query.outcome} = "
                      f"{column.levels[0]})")  # fmt: skip
    random = np.random.default_rng(seed)
    there = np.isfinite(table.values[:, j])
    if isinstance(query, q.Median):
        rows, which = plain_rows(table)
        rows = rows & there & seen(table, query.given)
        if rows.sum() < FEWEST:
            return refuse(f"{rows.sum()} rows are too few for a median: at least {FEWEST}")
        value, low, high = _spread([rows], table, j, random)
        text = f"{query.text(table.columns)} = {number(value)} {interval(low, high)} ({which})"
        return Answer("", None, text, value, low, high, assumes=(independence(table),),
                      rests_on=f"{rows.sum():,} rows")  # fmt: skip
    return _moved(query, table, graph, there, random)


def _moved(
    query: q.MedianEffect, table: Table, graph: KnownGraph | None, there: NDArray[np.bool_],
    random: np.random.Generator,
) -> Answer:  # fmt: skip
    cause, outcome = query.cause, query.outcome
    i, j = table.index(cause), table.index(outcome)
    instead = f"ask 'effect of {cause} on {outcome}', which is about the mean"
    design = set_rows(table, (i,), j)
    if design is not None:
        rows, assumes = design.rows, f"{cause} was set without regard to what else moves {outcome}"
    elif graph is None:
        return refuse(f"{cause} was not set and no graph is given: {instead}")
    else:
        graph.check([cause, outcome], "graph")
        known = CausalGraph(graph, table.variables)
        if not known.adjusts(cause, outcome, ()):
            way = known.strategy(cause, outcome)
            held = f"holding {', '.join(way.variables)}" if way.variables else "another way"
            return refuse(f"by the graph this effect takes {held}, and medians are compared only "
                          f"where nothing has to be held: {instead}")  # fmt: skip
        rows, assumes = ~touched(table) & ~table.hard[:, j], "the graph as given"
    rows = rows & there
    x = table.values[:, i]
    ends = (query.start, query.end)
    if None in ends:
        values = np.unique(x[rows & np.isfinite(x)])
        if len(values) != 2:
            return refuse(f"{cause} has {len(values)} values: ask 'effect of {cause} on the median "
                          f"of {outcome} from A to B'")  # fmt: skip
        ends = (float(values[0]), float(values[1]))
    arms = [rows & (x == end) for end in ends]
    names = [shown(cause, float(end), table.columns) for end in ends]  # type: ignore[arg-type]
    few = next((name for name, arm in zip(names, arms, strict=True) if arm.sum() < FEWEST), "")
    if few:
        return refuse(f"fewer than {FEWEST} rows have {cause} = {few}: {instead}")
    value, low, high = _spread(arms, table, j, random)
    count = sum(int(arm.sum()) for arm in arms)
    text = f"moving {cause} from {names[0]} to {names[1]} changes the median of {outcome} by "
    text += f"{number(value)} {interval(low, high)} (difference of medians, {count:,} rows)"
    return Answer("", None, text, value, low, high, assumes=(assumes, independence(table)),
                  rests_on=f"{count:,} rows")  # fmt: skip


def _spread(
    arms: list[NDArray[np.bool_]], table: Table, j: int, random: np.random.Generator
) -> tuple[float, float, float]:
    """The last median, minus the first if there are two; and its 95 % interval."""
    y = table.values[:, j]
    signs = [1.0] if len(arms) == 1 else [-1.0, 1.0]
    value = sum(s * float(np.median(y[arm])) for s, arm in zip(signs, arms, strict=True))
    if table.unit is None:
        drawn = sum(s * _resampled(y[arm], random) for s, arm in zip(signs, arms, strict=True))
    else:
        drawn = _of_units(y, arms, signs, table.unit, random)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(value), float(low), float(high)


def _resampled(y: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """float64[DRAWS], medians of samples with replacement, some rows of draws at a time."""
    size = max(1, 4_000_000 // len(y))
    parts = [np.median(random.choice(y, (min(size, DRAWS - at), len(y))), axis=1)
             for at in range(0, DRAWS, size)]  # fmt: skip
    return np.concatenate(parts)


def _of_units(
    y: NDArray[np.float64], arms: list[NDArray[np.bool_]], signs: list[float],
    unit: NDArray[np.int64], random: np.random.Generator,
) -> NDArray[np.float64]:  # fmt: skip
    """The same with whole units drawn; draws without a row in an arm are passed over."""
    units = np.unique(unit[np.any(arms, axis=0)])
    of = [[np.flatnonzero(arm & (unit == u)) for u in units] for arm in arms]
    drawn = []
    for _ in range(DRAWS // 4):
        chosen = random.integers(len(units), size=len(units))
        picked = [np.concatenate([rows[k] for k in chosen]) for rows in of]
        if all(len(rows) for rows in picked):
            drawn.append(sum(s * float(np.median(y[rows]))
                             for s, rows in zip(signs, picked, strict=True)))  # fmt: skip
    return np.array(drawn)
