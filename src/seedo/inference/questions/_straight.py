"""Which questions the drawn straight lines cannot answer, because a mechanism is not straight."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from seedo.inference.exact._causal_posterior import CausalPosterior
from seedo.inference.questions import _query as q
from seedo.tables import Table

ON_THE_WAY = 0.05
"""Probability from which a variable counts as lying on a path."""
BEYOND_DOUBT = 1e-4
"""Level at which rows tell that causes act jointly, or along a curve."""
MOST = 12
"""Causes of one variable up to which that is looked at."""
TOLD = 0.01
"""Level at which rows tell levels from numbers, where it is open whether they matter."""


def why_bent(query: q.Query, posterior: CausalPosterior, forced: bool = False) -> str:
    """Why straight lines would mislead about a question; "" if they would not.

    Two levels are let through where shares are asked for: a straight line gives their differences.
    What one row would have been is no share.

    Args:
        forced: somebody wants straight lines, whatever the rows say of curves.
    """
    way = _on_the_way(query, posterior)
    if reason := _why_named(query, posterior, way):
        return reason
    mechanisms = posterior.fusion.mechanisms
    # Under a stated graph, why a row was as it was is held against the rows by its answer.
    stated = mechanisms is None and posterior.graph_stated and not isinstance(query, q.WhyRow)
    if forced or not (mechanisms or stated):
        return ""
    levels = [len(column.levels) for column in posterior.table.columns]
    bent = posterior.curved if stated else posterior.bent
    shares = not isinstance(query, q.Counterfactual | q.BestIntervention if stated
                            else q.Counterfactual)  # fmt: skip
    if shares:
        bent = bent & np.array([count == 0 or count > 2 for count in levels])
    concerned = bent & way
    if stated:
        concerned |= _joint(posterior, way)
    if not concerned.any():
        return ""
    if stated:
        return _as_taken(posterior, concerned)
    return (
        f"{_not_straight(posterior, concerned)}, and without a graph effects are computed along "
        "straight lines only: state the graph with --graph, which fits the curves, or force "
        "straight lines with --linear"
    )


def why_joint(query: q.Query, posterior: CausalPosterior) -> str:
    """Why straight lines would mislead about a question under a stated graph, going by curves and
    products of causes alone; "" if they would not."""
    if not posterior.graph_stated:
        return ""
    concerned = _joint(posterior, _on_the_way(query, posterior))
    return _as_taken(posterior, concerned) if concerned.any() else ""


def _as_taken(posterior: CausalPosterior, concerned: NDArray[np.bool_]) -> str:
    return (
        f"{_not_straight(posterior, concerned)}, as this question takes it to: ask for effects, or "
        "for E[.. | do(..)], which follow the curves, or force straight lines with --linear"
    )


def _not_straight(posterior: CausalPosterior, concerned: NDArray[np.bool_]) -> str:
    names = posterior.table.variables
    which = ", ".join(names[j] for j in np.flatnonzero(concerned)[:3])
    return (
        f"the rows say beyond doubt that {which} does not follow its causes along a straight line"
    )


def _why_named(query: q.Query, posterior: CausalPosterior, way: NDArray[np.bool_]) -> str:
    """Why names without an order, which straight lines take for numbers, would mislead."""
    table, edges = posterior.table, posterior.graph.edges
    named = np.array([c.type == "categorical" and len(c.levels) > 2 for c in table.columns])
    if not named.any():
        return ""
    among = edges > ON_THE_WAY
    for child in np.flatnonzero(way):
        parents = np.flatnonzero(among[:, child])
        if named[child] and len(parents):
            return _names_are_no_numbers(posterior, int(child))
        for parent in parents[named[parents]]:
            if isinstance(query, q.Effect | q.BestSetting) and not _with_cause(
                query, posterior, int(parent)
            ):
                continue
            if edges[parent, child] > 0.5 or _told_apart(table, int(child), parents, int(parent)):
                return _names_are_no_numbers(posterior, int(parent))
    return ""


def _joint(posterior: CausalPosterior, way: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """bool[n]: numbers on the way that squares, cubes and products of their causes explain beyond
    doubt better than the causes do by themselves."""
    table = posterior.table
    found = np.zeros(table.n, np.bool_)
    for child in np.flatnonzero(way):
        parents = np.flatnonzero(posterior.graph.edges[:, child] > 0.5)
        if table.columns[child].levels or not 0 < len(parents) <= MOST:
            continue
        y, line, _ = _line(table, int(child), parents)
        x = line[:, 1:]
        pairs = [x[:, i] * x[:, j] for i, j in combinations(range(len(parents)), 2)]
        more = np.column_stack([x**2, x**3, *pairs])
        found[child] = _explains_more(y, line, more) < BEYOND_DOUBT
    return found


def _with_cause(query: q.Effect | q.BestSetting, posterior: CausalPosterior, other: int) -> bool:
    """Whether a variable may go along with the cause: what is beside it is noise."""
    cause, reach = posterior.table.index(query.cause), posterior.graph.ancestors
    shared = (reach[:, cause] > ON_THE_WAY) & (reach[:, other] > ON_THE_WAY)
    near = max(reach[cause, other], reach[other, cause]) > ON_THE_WAY
    return other == cause or bool(near or shared.any())


def _told_apart(table: Table, child: int, parents: NDArray[np.int64], named: int) -> bool:
    """Whether a mean for each level explains the child better than a line along their numbers
    (F test of the two regressions on all likely causes)."""
    y, line, rows = _line(table, child, parents)
    codes = table.values[rows, named]
    levels = np.unique(codes)[2:]
    return _explains_more(y, line, (codes[:, None] == levels).astype(np.float64)) < TOLD


def _line(
    table: Table, child: int, parents: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """A child's values where nothing set it, the columns of its regression on these parents (1, and
    each in standard units), and which rows these are."""
    rows = ~table.hard[:, child]
    x = table.values[rows][:, parents]
    x = (x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-300)
    return table.values[rows, child], np.column_stack([np.ones(len(x)), x]), rows


def _explains_more(
    y: NDArray[np.float64], line: NDArray[np.float64], more: NDArray[np.float64]
) -> float:
    """p-value of the F test that further columns explain y no better; 0 where they explain all of
    it, 1 where nothing is left to explain or there are too few rows to tell."""
    rest, spent = [], []
    for design in (line, np.column_stack([line, more])):
        fitted, _, rank, _ = np.linalg.lstsq(design, y, rcond=None)
        rest.append(float(((y - design @ fitted) ** 2).sum()))
        spent.append(int(rank))
    added, left = spent[1] - spent[0], len(y) - spent[1]
    exact = 1e-18 * float(((y - y.mean()) ** 2).sum())
    if added <= 0 or left <= 0 or rest[0] <= exact:
        return 1.0
    if rest[1] <= exact:
        return 0.0
    return float(stats.f.sf((rest[0] - rest[1]) / added / (rest[1] / left), added, left))


def _names_are_no_numbers(posterior: CausalPosterior, named: int) -> str:
    column = posterior.table.columns[named]
    first = "" if posterior.graph_stated else "state the graph with --graph and "
    return (
        f"{column.name} has {len(column.levels)} levels without an order, which the straight lines "
        f"behind this question would take for the numbers 0 to {len(column.levels) - 1}: {first}"
        "ask for effects, or for E[.. | do(..)], which take levels as they are"
    )


def _on_the_way(query: q.Query, posterior: CausalPosterior) -> NDArray[np.bool_]:
    """bool[n]: variables whose mechanism the answer runs through."""
    table, n = posterior.table, posterior.table.n
    reach = posterior.graph.ancestors > ON_THE_WAY
    reach = reach | np.eye(n, dtype=np.bool_)
    if isinstance(query, q.Counterfactual):
        had = [table.index(s.variable) for s in query.had]
        found = reach[had].any(axis=0) & reach[:, table.index(query.outcome)]
        found[had] = False
        return found
    if isinstance(query, q.Effect | q.BestSetting | q.BestIntervention | q.Ranking | q.WhyRow):
        outcome = table.index(query.outcome)
        one = isinstance(query, q.Effect | q.BestSetting)
        causes = [table.index(query.cause)] if one else list(range(n))  # type: ignore[union-attr]
        found = np.zeros(n, np.bool_)
        for cause in causes:
            if cause != outcome:
                between = reach[cause] & reach[:, outcome]
                between[cause] = False
                found |= between
        return found
    if isinstance(query, q.Probability | q.Expectation | q.Correlation):
        return np.ones(n, np.bool_)
    return np.zeros(n, np.bool_)
