"""How a known graph lets an effect be computed: adjustment, instrument, front door, paths.

Criteria on the graph alone, by d-separation (networkx): the optimal adjustment set (Henckel,
Perković & Maathuis 2022), else a smallest one (van der Zander, Liśkiewicz & Textor 2019); an
instrument given covariates (Brito & Pearl 2002); the front door with several mediators (Pearl,
Causality, 2009, def. 3.3.3); the single door for direct effects (ibid., th. 5.3.1).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Any, Literal

from seedo.inference.graphs._known_graph import KnownGraph

Way = Literal["none", "adjustment", "instrument", "front door", "unknown"]
_MOST_MEDIATORS = 4


@dataclass(frozen=True)
class Strategy:
    """How an effect follows from a graph.

    Attributes:
        way: "none" where the graph has no directed path: no effect; "unknown" where no way here
            applies.
        variables: adjusted for, or the instruments, or the mediators.
        conditions: held beside instruments.
    """

    way: Way
    variables: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()


class CausalGraph:
    """A known graph with its hidden causes as nodes."""

    def __init__(self, graph: KnownGraph, observed: Collection[str]) -> None:
        self.graph = graph.to_networkx()
        for pair in sorted(graph.bidirected):
            hidden = "hidden cause of " + " and ".join(pair)
            self.graph.add_edges_from((hidden, name) for name in pair)
        self.hides = bool(graph.bidirected)
        self.observed = {name for name in graph.variables if name in observed}
        self._order = {name: i for i, name in enumerate(graph.variables)}

    def _sorted(self, names: Collection[str]) -> tuple[str, ...]:
        return tuple(sorted(names, key=self._order.__getitem__))

    def parents(self, name: str) -> tuple[str, ...]:
        """Measured direct causes."""
        return self._sorted(set(self.graph.predecessors(name)) & self.observed)

    def implied(
        self, cause: str, outcome: str, most: int
    ) -> list[tuple[str, str, tuple[str, ...]]]:
        """Independences that the graph implies of cause, outcome and what is between.

        Args:
            cause: name.
            outcome: name.
            most: how many, those of the outcome first, of each those with what is near first.

        Returns:
            (one, other, given): `one` is no cause of `other`.
        """
        import networkx as nx

        place = {v: i for i, v in enumerate(nx.topological_sort(self.graph))}
        centre = [outcome, cause, *self._sorted(self.between(cause, outcome) - {outcome})]
        mine = [v for v in dict.fromkeys(centre) if v in self.observed]
        far = nx.multi_source_dijkstra_path_length(self.graph.to_undirected(), {cause, outcome})
        others = sorted(self._sorted(self.observed), key=lambda v: far.get(v, len(place)))
        found: dict[frozenset[str], tuple[str, str, tuple[str, ...]]] = {}
        for name in mine:
            for v in others:
                if len(found) == most:
                    return list(found.values())
                if v == name or frozenset((name, v)) in found:
                    continue
                one, other = (name, v) if place[name] > place[v] else (v, name)
                given = self._separating(one, other)
                if given is not None:
                    found[frozenset((name, v))] = one, other, given
        return list(found.values())

    def _separating(self, one: str, other: str) -> tuple[str, ...] | None:
        """What makes a variable independent of one that it does not cause."""
        if self.has_edge(other, one):
            return None
        return self._separator(
            self.graph, one, other, set(self.graph.predecessors(one)),
            self.observed - {one, other} - self.descendants(one),
        )  # fmt: skip

    def descendants(self, name: str) -> set[str]:
        """Without the variable itself."""
        import networkx as nx

        return set(nx.descendants(self.graph, name))

    def between(self, cause: str, outcome: str) -> set[str]:
        """On directed paths from the cause to the outcome, which is among them if there are any."""
        import networkx as nx

        return self.descendants(cause) & ({outcome} | set(nx.ancestors(self.graph, outcome)))

    def strategy(self, cause: str, outcome: str) -> Strategy:
        """The best way to the total effect."""
        between = self.between(cause, outcome)
        if not between:
            return Strategy("none")
        adjusted = self.adjustment(cause, outcome)
        if adjusted is not None:
            return Strategy("adjustment", adjusted)
        mediators = self._front_door(cause, outcome, between)
        if mediators is not None:
            return Strategy("front door", mediators)
        return self._instrument(cause, outcome) or Strategy("unknown")

    def adjustment(self, cause: str, outcome: str) -> tuple[str, ...] | None:
        """Variables to hold for the total effect, None if no set of them will do."""
        between = self.between(cause, outcome)
        cut, allowed = self._adjusting(cause, outcome, between)
        parents = set(chain(*(self.graph.predecessors(v) for v in between or {outcome})))
        return self._separator(cut, cause, outcome, parents - between - {cause}, allowed)

    def prognostic(self, cause: str, outcome: str) -> tuple[str, ...]:
        """Variables that move the outcome and that the cause does not change, nearest ones: held
        where the cause was set, they take noise off and leave the effect what it is."""
        between = self.between(cause, outcome)
        found = set(chain(*(self.graph.predecessors(v) for v in between or {outcome})))
        later = self.descendants(cause) | self.descendants(outcome) | {cause, outcome}
        return self._sorted((found & self.observed) - later)

    def adjusts(self, cause: str, outcome: str, held: Collection[str]) -> bool:
        """Whether holding these gives the total effect."""
        import networkx as nx

        cut, allowed = self._adjusting(cause, outcome, self.between(cause, outcome))
        return set(held) <= allowed and nx.is_d_separator(cut, {cause}, {outcome}, set(held))

    def _adjusting(self, cause: str, outcome: str, between: set[str]) -> tuple[Any, set[str]]:
        """The graph without the first edges of directed paths, and what may be held."""
        forbidden = {cause} | between | set(chain(*(self.descendants(v) for v in between)))
        cut = self.graph.copy()
        cut.remove_edges_from([(cause, v) for v in between if cut.has_edge(cause, v)])
        return cut, self.observed - forbidden - {outcome}

    def direct(self, cause: str, outcome: str) -> tuple[str, ...] | None:
        """Variables to hold for the direct effect, None if no set of them will do."""
        cut = self.graph.copy()
        if cut.has_edge(cause, outcome):
            cut.remove_edge(cause, outcome)
        allowed = self.observed - {cause, outcome} - self.descendants(outcome)
        parents = set(self.graph.predecessors(outcome)) - {cause}
        return self._separator(cut, cause, outcome, parents, allowed)

    def mediation(
        self, cause: str, outcome: str, covariates: Collection[str]
    ) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """All mediators and what to hold for natural effects; None where these do not follow.

        Nothing held is changed by the cause; held, it leaves no common cause of cause and mediators
        or outcome, nor, beside the cause, of mediators and outcome (Pearl 2001, th. 2).

        Args:
            cause: name.
            outcome: name.
            covariates: what may be held.
        """
        import networkx as nx

        between = self.between(cause, outcome) - {outcome}
        if not between or not between <= self.observed:
            return None
        held = set(covariates) - self.descendants(cause) - {cause, outcome}
        cut = self.graph.copy()
        cut.remove_edges_from([(a, b) for a, b in cut.edges if a in between and b not in between])
        sound = (
            all(self.adjusts(cause, v, held) for v in (*between, outcome))
            and nx.is_d_separator(cut, between, {outcome}, held | {cause})
        )  # fmt: skip
        return (self._sorted(between), self._sorted(held)) if sound else None

    def has_edge(self, cause: str, outcome: str) -> bool:
        return bool(self.graph.has_edge(cause, outcome))

    def _separator(
        self, graph: Any, one: str, other: str, first: set[str], allowed: set[str]
    ) -> tuple[str, ...] | None:
        import networkx as nx

        if first <= allowed and nx.is_d_separator(graph, {one}, {other}, first):
            return self._sorted(first)
        found = nx.find_minimal_d_separator(graph, {one}, {other}, restricted=allowed)
        return None if found is None else self._sorted(found)

    def _front_door(self, cause: str, outcome: str, between: set[str]) -> tuple[str, ...] | None:
        import networkx as nx

        candidates = self._sorted((between & self.observed) - {outcome})
        below = self.graph.copy()
        below.remove_edges_from(list(self.graph.out_edges(cause)))
        for size in range(1, min(len(candidates), _MOST_MEDIATORS) + 1):
            for some in combinations(candidates, size):
                rest = self.graph.copy()
                rest.remove_nodes_from(some)
                if nx.has_path(rest, cause, outcome):
                    continue
                cut = self.graph.copy()
                cut.remove_edges_from([e for v in some for e in self.graph.out_edges(v)])
                if nx.is_d_separator(below, {cause}, set(some), set()) and (
                    nx.is_d_separator(cut, set(some), {outcome}, {cause})
                ):
                    return some
        return None

    def _instrument(self, cause: str, outcome: str) -> Strategy | None:
        import networkx as nx

        below = self.graph.copy()
        below.remove_edges_from(list(self.graph.out_edges(cause)))
        later = self.descendants(cause) | {cause, outcome}
        found: tuple[str, ...] | None = None
        candidates = self._sorted(self.observed - later - self.descendants(outcome))

        def serves(name: str, held: set[str]) -> bool:
            return nx.is_d_separator(below, {name}, {outcome}, held) and not (
                nx.is_d_separator(self.graph, {name}, {cause}, held))  # fmt: skip

        for name in candidates:
            allowed = self.observed - later - {name} - self.descendants(outcome)
            held = nx.find_minimal_d_separator(below, {name}, {outcome}, restricted=allowed)
            if held is not None and serves(name, set(held)) and (
                found is None or len(held) < len(found)
            ):  # fmt: skip
                found = self._sorted(held)
        if found is None:
            return None
        beside = set(found)
        all_of_them = [v for v in candidates if v not in beside and serves(v, beside)]
        return Strategy("instrument", tuple(all_of_them), found)
