"""What is believed about the graph before any data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.inference.graphs._essential import acyclic


@dataclass(frozen=True, eq=False)
class GraphPrior:
    """A prior over DAGs that is a product over families (structure-modular).

    P(G) is proportional to prod_{i->j in G} p_ij prod_{others} (1 - p_ij), restricted to DAGs with
    limited in-degree. All p = 1/2, the default, is uniform over those DAGs.

    Attributes:
        n: number of variables.
        max_parents: largest in-degree; None for no limit.
        edge_probability: float64[n, n] (parent, child), before acyclicity is imposed; 0 forbids and
            1 requires an edge. The diagonal does not count. None is 1/2 everywhere.
    """

    n: int
    max_parents: int | None = None
    edge_probability: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        limit = self.max_parents
        if limit is not None and (
            not isinstance(limit, int) or isinstance(limit, bool) or limit < 0
        ):
            raise UserError("max_parents", limit, "use a whole number from 0, or None")
        if self.edge_probability is None:
            return
        p = np.array(self.edge_probability, np.float64)
        if p.shape != (self.n, self.n):
            raise UserError("edge_probability", p.shape, f"give shape ({self.n}, {self.n})")
        np.fill_diagonal(p, 0.0)
        if not ((p >= 0) & (p <= 1)).all():
            worst = p[~((p >= 0) & (p <= 1))][0]
            raise UserError("edge_probability", float(worst), "give probabilities from 0 to 1")
        required = p == 1
        if limit is not None and required.sum(0).max() > limit:
            raise UserError("max_parents", limit, "fewer than the edges required into one variable")
        if not acyclic(required):
            raise UserError("required edges", None, "they form a cycle: leave one of them out")
        object.__setattr__(self, "edge_probability", p)

    def without_causes(self, factors: NDArray[np.bool_]) -> GraphPrior:
        """The same, had every edge into some variables been forbidden that is not required.

        Args:
            factors: bool[n], variables that were set in every row: nothing in the table causes
                them. A required edge, of a graph that is known, stays: setting them cut it.
        """
        return self.without_edges(np.broadcast_to(factors, (self.n, self.n)))

    def without_edges(self, refuted: NDArray[np.bool_]) -> GraphPrior:
        """The same, had some edges, bool[n, n] (parent, child), been forbidden; required ones
        stay."""
        if not refuted.any():
            return self
        p = self.edge_probability
        p = np.full((self.n, self.n), 0.5) if p is None else p.copy()
        p[refuted & (p < 1)] = 0.0
        return GraphPrior(self.n, self.max_parents, p)

    def families(
        self, child: int, candidates: NDArray[np.int64], member: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Log prior factor of parent sets of `child`, float64[F].

        Args:
            child: the node.
            candidates: int64[K].
            member: bool[F, K], which candidates are in each set.
        """
        found = np.zeros(len(member))
        if self.edge_probability is not None:
            p = self.edge_probability[:, child]
            with np.errstate(divide="ignore"):
                log_in, log_out = np.log(p), np.log1p(-p)
            inside = np.where(member, log_in[candidates], log_out[candidates]).sum(1)
            left_out = np.setdiff1d(np.arange(self.n), [*candidates, child])
            found += inside + log_out[left_out].sum()
        if self.max_parents is not None:
            found[member.sum(1) > self.max_parents] = -np.inf
        return found


def edge_prior(
    variables: tuple[str, ...],
    *,
    forbidden: list[tuple[str, str]] | None = None,
    required: list[tuple[str, str]] | None = None,
    likely: dict[tuple[str, str], float] | None = None,
    max_parents: int | None = None,
) -> GraphPrior:
    """A prior from statements about single edges, given by names (parent, child).

    Raises:
        UserError: an unknown variable, an edge from a variable to itself, one edge stated twice,
            or requirements that contradict each other.
    """
    n = len(variables)
    p = np.full((n, n), 0.5)
    said: dict[tuple[int, int], Any] = {}

    def state(edge: tuple[str, str], value: float, what: str) -> None:
        for name in edge:
            if name not in variables:
                raise UserError(f"{what} edge", "->".join(edge), f"use {', '.join(variables)}")
        at = (variables.index(edge[0]), variables.index(edge[1]))
        if at[0] == at[1]:
            raise UserError(f"{what} edge", "->".join(edge), "name two different variables")
        if at in said:
            raise UserError(f"{what} edge", "->".join(edge), f"already {said[at]}: state it once")
        said[at] = what
        p[at] = value

    for edge in forbidden or []:
        state(edge, 0.0, "forbidden")
    for edge in required or []:
        state(edge, 1.0, "required")
    for edge, value in (likely or {}).items():
        if not 0 <= value <= 1:
            raise UserError(f"edge {'->'.join(edge)}", value, "give a probability from 0 to 1")
        state(edge, value, "likely")
    return GraphPrior(n, max_parents, p if said else None)
