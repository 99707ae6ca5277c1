"""The answer where the cause was set in some rows and only observed in others."""

from __future__ import annotations

from seedo.inference.effects import (
    CausalGraph,
    Estimate,
    Fused,
    adjusted_effect,
    fuse_estimates,
    observed_effect,
    trust_observations,
)
from seedo.inference.graphs._known_graph import KnownGraph
from seedo.inference.questions import _query as q
from seedo.inference.questions._answer import Answer, interval, number
from seedo.tables import Table


def fused_effect(
    query: q.Effect, table: Table, alone: Estimate, graph: KnownGraph | None = None
) -> Answer | None:
    """What experiments and observations say together; None if there are no observations to add.

    Args:
        query: for a total effect in everybody.
        table: all rows.
        alone: what the rows in which the cause was set say, for the change asked about.
        graph: if it is known: what is held, and whether anything hidden moves both.
    """
    seen = _observed(query, table, graph)
    if seen is None:
        return None
    observed, held, sufficient = seen
    fused = fuse_estimates(alone, observed)
    whatever = fused.estimate
    if sufficient:
        fused = trust_observations(fused)
    found = fused.estimate
    per = "a unit of " + query.cause if query.start is None or query.end is None else (
        f"moving {query.cause} from {number(query.start)} to {number(query.end)}")  # fmt: skip
    said = [f"{per} changes {query.outcome} by {_shown(found)} on average",
            _both(query, fused, held)]  # fmt: skip
    if not fused.trusted:
        said.append(f"P(there is an effect) = {fused.effect:.3f}")
    rows = [
        _row("the experiments alone", alone),
        _row("the observations, if nothing hidden moved both", observed),
        _row("together", found),
    ]
    if fused.trusted:
        rows.append(_row("together, whatever may be hidden", whatever))
    return Answer(
        query.text(), query.rung, "; ".join(said), found.value, found.low, found.high,
        assumes=_assumes(query, fused),
        rests_on=f"{alone.rows:,} rows that set {query.cause}, beside {observed.rows:,} in which "
        "it was observed",
        warnings=_warnings(query, fused, sufficient),
        table=tuple(rows),
        probability=None if fused.trusted else fused.effect,
    )  # fmt: skip


def _observed(
    query: q.Effect, table: Table, graph: KnownGraph | None
) -> tuple[Estimate, tuple[str, ...], bool] | None:
    """What observations say, what is held, and whether a graph says that this is enough."""
    cause, outcome = table.index(query.cause), table.index(query.outcome)
    if graph is not None and {query.cause, query.outcome} <= set(graph.variables):
        known = CausalGraph(graph, table.variables)
        enough = known.adjustment(query.cause, query.outcome)
        held = known.prognostic(query.cause, query.outcome) if enough is None else enough
        ends = None
        if query.start is not None and query.end is not None:
            ends = (query.start, query.end)
        estimate = adjusted_effect(table, known, cause, outcome, held, ends)
        if estimate is not None:
            return estimate, tuple(held), enough is not None
    found = observed_effect(table, cause, outcome, query.start, query.end)
    return None if found is None else (*found, False)


def _shown(estimate: Estimate) -> str:
    return f"{number(estimate.value)} {interval(estimate.low, estimate.high)}"


def _row(name: str, estimate: Estimate) -> dict[str, object]:
    return {"from": name, "effect": estimate.value, "low": estimate.low, "high": estimate.high,
            "rows": estimate.rows}  # fmt: skip


def _both(query: q.Effect, fused: Fused, held: tuple[str, ...]) -> str:
    """What each says alone, and whether they say the same."""
    adjusted = f", {' and '.join(held[:4])} held," if held else ""
    parts = [
        f"the {fused.alone.rows:,} rows that set {query.cause} say {_shown(fused.alone)} by "
        f"themselves, the {fused.observed.rows:,} observations{adjusted} would say "
        f"{_shown(fused.observed)}"
    ]
    p = f"p = {fused.p_value:.2g}"
    if fused.trusted:
        parts.append(f"the graph says that nothing hidden moves both, and nothing refutes it ({p})")
    elif fused.differ:
        decide = "count for most" if fused.used else "decide"
        parts.append(f"they differ ({p}): the experiments {decide}")
    elif fused.agree:
        parts.append(f"they agree ({p})")
    else:
        parts.append(f"no difference is noticed ({p}), but one under {number(fused.unnoticed)} "
                     "could well be missed")  # fmt: skip
    return "; ".join(parts)


def _assumes(query: q.Effect, fused: Fused) -> tuple[str, ...]:
    found = (
        f"setting {query.cause} did nothing else, and was not decided by what else moves "
        f"{query.outcome}",
        "rows are independent; experiments and observations are of the same system",
    )
    if fused.trusted:
        return (*found, f"the graph as given: nothing hidden moves {query.cause} and "
                f"{query.outcome}; the experiments could well miss a bias under "
                f"{number(fused.unnoticed)}")  # fmt: skip
    if not fused.used:
        return (*found, "nothing is assumed of hidden causes: the observations are not used")
    return (*found, "nothing is assumed of hidden causes: the interval covers whatever the bias "
            "of the observations")  # fmt: skip


def _warnings(query: q.Effect, fused: Fused, graph: bool) -> tuple[str, ...]:
    if not fused.differ or fused.trusted:
        return ()
    wrong = "the graph must be wrong: " if graph else ""
    return (
        f"{wrong}what was observed contradicts what the experiments show of {query.cause} and "
        f"{query.outcome}: something hidden moves both, {query.outcome} moves {query.cause}, rows "
        "were selected, or the effect is no straight line",
    )
