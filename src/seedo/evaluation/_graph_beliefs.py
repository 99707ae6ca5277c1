"""The graph as far as rows tell it, edge by edge."""

from __future__ import annotations

from typing import Any

import numpy as np

from seedo.inference import CausalPosterior
from seedo.inference.questions import edge_beliefs, misfit_in_words, why_undirected

_DIRECTED = 0.5
"""Share of a pair's probability that has to be told one way for its direction to count as told."""


def graph_beliefs(posterior: CausalPosterior, least: float = 0.05) -> dict[str, Any]:
    """Every pair of variables that may be adjacent, with how sure that is, as plain JSON values.

    Args:
        posterior: what the rows say.
        least: pairs that are adjacent with less probability are left out.

    Returns:
        `variables`; `pairs`, the likeliest first: `a`, `b`, `probability` of an edge, `forward`
        (a -> b) and `backward`, `told` (whether rows or statements tell the direction), `why` they
        do not; `doubtful`: pairs about which experiments contradict observations; `misfit`: what is
        amiss with the model, "" if nothing is; `converged`.
    """
    names = posterior.table.variables
    edges, told, doubtful, eliminated = edge_beliefs(posterior, least)
    found = []
    for i, j in np.argwhere(np.triu(edges + edges.T >= least, 1)).tolist():
        forward, backward = float(edges[i, j]), float(edges[j, i])
        known = max(told[i, j], told[j, i]) > _DIRECTED * (forward + backward)
        found.append({
            "a": names[i],
            "b": names[j],
            "probability": forward + backward,
            "forward": forward,
            "backward": backward,
            "told": bool(known),
            "why": "" if known else why_undirected(posterior, eliminated, i, j),
        })  # fmt: skip
    return {
        "variables": list(names),
        "pairs": sorted(found, key=lambda pair: -float(str(pair["probability"]))),
        "doubtful": [[names[i], names[j]] for i, j in doubtful],
        "misfit": misfit_in_words(posterior),
        "converged": bool(posterior.graph.converged),
    }
