"""Which questions the drawn straight lines cannot answer, because a mechanism is not straight."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seedo.inference.exact._causal_posterior import CausalPosterior
from seedo.inference.questions import _query as q

ON_THE_WAY = 0.05
"""Probability from which a variable counts as lying on a path."""


def why_bent(query: q.Query, posterior: CausalPosterior) -> str:
    """Why straight lines would mislead about a question; "" if they would not.

    Two levels are let through: there a straight line gives differences of shares.
    """
    kinds = posterior.fusion.mechanisms.kinds if posterior.fusion.mechanisms else ()
    if not kinds:
        return ""
    levels = [len(column.levels) for column in posterior.table.columns]
    several = [kind != "levels" or count > 2 for kind, count in zip(kinds, levels, strict=True)]
    bent = posterior.bent & np.array(several)
    concerned = bent & _on_the_way(query, posterior)
    if not concerned.any():
        return ""
    names = posterior.table.variables
    which = ", ".join(names[j] for j in np.flatnonzero(concerned)[:3])
    return (
        f"the rows say beyond doubt that {which} does not follow its causes along a straight line, "
        "and without a graph effects are computed along straight lines only: state the graph with "
        "--graph, which fits the curves, or force straight lines with --linear"
    )


def _on_the_way(query: q.Query, posterior: CausalPosterior) -> NDArray[np.bool_]:
    """bool[n]: variables whose mechanism the answer runs through."""
    table, n = posterior.table, posterior.table.n
    reach = posterior.graph.ancestors > ON_THE_WAY
    reach = reach | np.eye(n, dtype=np.bool_)
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
    if isinstance(query, q.Probability | q.Expectation | q.Correlation | q.Counterfactual):
        return np.ones(n, np.bool_)
    return np.zeros(n, np.bool_)
