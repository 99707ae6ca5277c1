"""Everything that a table of rows says about the system behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.inference.exact._conflicts import Conflicts, find_conflicts, nothing_to_compare
from seedo.inference.exact._draws import Draws, draw_parameters
from seedo.inference.exact._fit import Fit, find_misfits
from seedo.inference.exact._graph_posterior import (
    SUMMED,
    GraphPosterior,
    Progress,
)
from seedo.inference.exact._kept import kept_posterior
from seedo.inference.graphs._essential import (
    effect_identified,
    essential_graph,
    meek_closure,
)
from seedo.inference.graphs._prior import GraphPrior
from seedo.inference.scores._mechanisms import Form, Mechanisms
from seedo.inference.scores._noise import KnownNoise, NoiseModel, UnknownNoise
from seedo.inference.scores._score_table import ScoreTable, distinct_graphs, members
from seedo.inference.scores._scores import (
    Fusion,
    fuse,
    mechanisms_of,
    own_moments,
    score_families,
)
from seedo.inference.scores._settings import ruled_out
from seedo.tables import Table

LARGEST = 50
"""Most variables."""
CANDIDATES = 12
"""Parents considered for every variable where not every set of them can be."""
BENT_CONFLICTS = (
    "observations and experiments are compared along straight lines only, and these mechanisms are "
    "not all straight: --linear compares them as if they were"
)
BEYOND_DOUBT = 0.9
"""Posterior share of bent shapes from which a mechanism is taken to bend."""
_DISTINCT = 200
_FAMILIES = 20


@dataclass(frozen=True, eq=False)
class CausalPosterior:
    """The joint posterior over graph and parameters, and what it rests on.

    Attributes:
        fusion: the rows and their family scores.
        graph: posterior over graphs.
        draws: S joint draws of graph and parameters, in the user's units.
        seed: of the draws.
        rows: int64[R], where each complete row stood in the table that was given.
    """

    fusion: Fusion
    graph: GraphPosterior
    draws: Draws
    seed: int
    rows: NDArray[np.int64]

    @property
    def table(self) -> Table:
        """Complete rows."""
        return self.fusion.table

    @cached_property
    def conflicts(self) -> Conflicts:
        """Whether what was observed contradicts what experiments show."""
        reason = nothing_to_compare(self.table)
        if not reason and self.fusion.mechanisms is not None:
            reason = BENT_CONFLICTS
        if reason:
            return Conflicts(None, (), reason)
        return find_conflicts(self.fusion, self.seed)

    @cached_property
    def fit(self) -> Fit:
        """Whether the families fit the rows."""
        return find_misfits(self.fusion, self.graph.graphs)

    @cached_property
    def sober(self) -> GraphPosterior:
        """The posterior over graphs, of no more rows than do not show that the families misfit."""
        if self.fit.power == 1.0:
            return self.graph
        scores = self.fusion.scores
        member = members(scores.k)
        prior = np.stack(
            [self.fusion.prior.families(j, own, member) for j, own in enumerate(scores.candidates)]
        )
        with np.errstate(invalid="ignore"):
            told = self.fit.power * (scores.score - prior) + prior
        tempered = ScoreTable(scores.candidates, np.where(np.isfinite(scores.score), told, -np.inf))
        return kept_posterior(tempered, len(self.graph.graphs), self.seed)

    @cached_property
    def classes(self) -> tuple[tuple[float, NDArray[np.bool_], NDArray[np.bool_]], ...]:
        """What data and prior can and cannot orient: for the most probable graphs, with their
        shares (adding up to 1), the directed and undirected edges of their interventional essential
        graph, after the edges that the prior settles (Meek 1995; Perković 2020). With noise of one
        known variance every edge is directed (Peters & Bühlmann, Biometrika 2014)."""
        distinct, count = distinct_graphs(self.graph.graphs)
        order = np.argsort(-count, kind="stable")[:_DISTINCT]
        targets = self._targets()
        total = count[order].sum()
        return tuple((float(count[k] / total), *self._class(distinct[k], targets)) for k in order)

    @cached_property
    def by_form(self) -> NDArray[np.float64]:
        """float64[n, n]: of the graphs with i -> j, the share in which nothing orients that edge
        but the form of the families: curves, levels, counts. Where i and j share an unmeasured
        cause that form is neither's, and which of two wrong ones fits better says nothing."""
        n = self.table.n
        if self.fusion.mechanisms is None:
            return np.zeros((n, n))
        graphs = self.sober.graphs[:: max(1, len(self.sober.graphs) // _DISTINCT)]
        distinct, count = distinct_graphs(graphs)
        targets = self._targets()
        there, open_ = np.zeros((n, n)), np.zeros((n, n))
        for adjacency, times in zip(distinct, count, strict=True):
            directed, _ = self._class(adjacency, targets, np.zeros(n, np.bool_))
            there += times * adjacency
            open_ += times * (adjacency & ~directed)
        return open_ / np.maximum(there, 1)

    def _class(
        self,
        adjacency: NDArray[np.bool_],
        targets: list[frozenset[int]],
        formed: NDArray[np.bool_] | None = None,
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Directed and undirected edges; `formed`, bool[n], are the variables whose families may
        orient edges into them by their form: all that bend, if None."""
        if isinstance(self.fusion.model, KnownNoise):
            return adjacency, np.zeros_like(adjacency)
        directed, undirected = essential_graph(adjacency, targets)
        p = self.fusion.prior.edge_probability
        said = np.zeros_like(adjacency) if p is None else (p == 1) | (p.T == 0)
        # A bent mechanism fits in its own direction only (Hoyer et al., NIPS 2008).
        formed = self.bent if formed is None else formed
        settled = undirected & adjacency & (said | formed[None, :])
        if not settled.any():
            return directed, undirected
        return meek_closure(directed | settled, undirected & ~(settled | settled.T))

    @cached_property
    def bent(self) -> NDArray[np.bool_]:
        """bool[n]: the variable is beyond doubt no straight-line function of its causes: it bends,
        or is a count or one of several levels."""
        return _bent(self.fusion, self.graph.graphs)

    @property
    def graph_stated(self) -> bool:
        """Whether the prior leaves no edge open."""
        p = self.fusion.prior.edge_probability
        return p is not None and bool(np.isin(p, (0.0, 1.0)).all())

    @cached_property
    def curved(self) -> NDArray[np.bool_]:
        """bool[n]: as `bent`, also where straight lines were fitted without asking the rows, as
        under a stated graph."""
        fusion = self.fusion
        mechanisms = fusion.mechanisms or mechanisms_of(
            self.table, fusion.model, fusion.prior, "auto"
        )
        return _bent(replace(fusion, mechanisms=mechanisms), self.graph.graphs)

    def unidentified(self, cause: int, outcome: int) -> float:
        """Posterior probability of graphs in which the data leave the total effect open, however
        many rows there were: graphs that fit equally well disagree about it (Perković 2020)."""
        return sum(
            share
            for share, directed, undirected in self.classes
            if not effect_identified(directed, undirected, cause, outcome)
        )

    @cached_property
    def open_edges(self) -> NDArray[np.float64]:
        """float64[n, n], symmetric: probability that i and j are adjacent and that no row of the
        data can tell which way."""
        found = np.zeros((self.table.n, self.table.n))
        for share, _, undirected in self.classes:
            found += share * undirected
        return found

    def target_probabilities(self) -> dict[str, NDArray[np.float64]]:
        """For every regime with unknown targets, P(it shifts j), float64[n]."""
        fusion = self.fusion
        found = {}
        codes = fusion.scores.codes(self.graph.graphs)
        for bit, regime in enumerate(fusion.unknown):
            p = np.zeros(self.table.n)
            for child in range(self.table.n):
                assert fusion.hits is not None
                hit = [c for c in range(len(fusion.hits)) if c >> bit & 1]
                p[child] = np.exp(fusion.hits[hit, child][:, codes[:, child]]).sum(0).mean()
            found[self.table.regimes[regime].name] = p
        return found

    def _targets(self) -> list[frozenset[int]]:
        seen = np.unique(self.table.regime)
        targets = {self.table.regimes[i].targets for i in seen}
        likely = self.target_probabilities()
        for regime in (self.table.regimes[i] for i in self.fusion.unknown):
            targets.add(regime.targets | frozenset(np.flatnonzero(likely[regime.name] > 0.5)))
        return sorted(targets - {frozenset()}, key=sorted)


def infer(
    table: Table,
    model: NoiseModel | None = None,
    prior: GraphPrior | None = None,
    *,
    form: Form = "auto",
    draws: int = 2000,
    seed: int = 0,
    progress: Progress | None = None,
) -> CausalPosterior:
    """What a table says: posterior over graphs, weights, noise.

    Args:
        table: rows; incomplete ones are left out.
        model: `UnknownNoise()` if None.
        prior: over graphs; uniform if None. Nothing causes a variable that was set in every row,
            but what is required to.
        form: of mechanisms: `auto` lets them bend where they do beyond doubt; `linear` and
            `nonlinear` are taken as said.
        draws: joint draws of graph and parameters.
        seed: same seed, same table: same draws.
        progress: called with (steps done, steps in all) while graphs are sampled.

    Raises:
        UserError: too few rows, too many variables or an impossible prior.
    """
    n = table.n
    if not 2 <= n <= LARGEST:
        raise UserError("variables", n, f"use 2 to {LARGEST}: leave some out with --drop")
    complete = table.take(table.complete)
    model = model or UnknownNoise()
    prior = (prior or GraphPrior(n)).without_causes(table.factors)
    if complete.rows and model.standardise and table.factors.any():
        prior = prior.without_edges(ruled_out(complete, table.factors))
    mechanisms = mechanisms_of(complete, model, prior, form) if complete.rows else None
    candidates = None
    if n > SUMMED:
        candidates = likely_parents(complete, model, prior, mechanisms=mechanisms)
    fusion = fuse(complete, model, prior, candidates, mechanisms=mechanisms)
    graph = kept_posterior(fusion.scores, draws, seed, progress)
    if mechanisms is not None and mechanisms.optional and not _bent(fusion, graph.graphs).any():
        # What looked bent was so against the arrows only: of a straight line, too, if the other end
        # was set in some of the rows.
        if n > SUMMED:
            candidates = likely_parents(complete, model, prior)
        fusion = fuse(complete, model, prior, candidates)
        graph = kept_posterior(fusion.scores, draws, seed, progress)
    rng = np.random.default_rng([seed, 1])
    drawn = draw_parameters(fusion, graph.graphs, rng)
    return CausalPosterior(fusion, graph, drawn, seed, np.flatnonzero(table.complete))


def _bent(fusion: Fusion, graphs: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """bool[n]: which mechanisms are no straight lines, averaged over graphs, bool[S, n, n]."""
    found = np.zeros(fusion.table.n, np.bool_)
    mechanisms = fusion.mechanisms
    if mechanisms is None:
        return found
    codes = fusion.scores.codes(graphs)
    for child in range(fusion.table.n):
        if mechanisms.kinds[child] == "number" and not mechanisms.may_bend(child):
            continue
        families, count = np.unique(codes[:, child], return_counts=True)
        order = np.argsort(-count, kind="stable")[:_FAMILIES]
        own = fusion.scores.candidates[child]
        share = [mechanisms.bent_share(child, own[(code >> np.arange(len(own)) & 1) == 1])
                 for code in families[order]]  # fmt: skip
        found[child] = np.average(share, weights=count[order]) > BEYOND_DOUBT
    return found


def likely_parents(
    table: Table,
    model: NoiseModel,
    prior: GraphPrior,
    most: int = CANDIDATES,
    mechanisms: Mechanisms | None = None,
) -> NDArray[np.int64]:
    """Candidate parents of every variable, int64[n, K], ascending.

    Those that an edge is required from, then by forward selection on the family score, which finds
    parents, children and spouses alike; whoever selects is selected back, room permitting.
    """
    n = table.n
    most = min(most, n - 1)
    if mechanisms is not None:
        order = [_ranking(mechanisms, prior, child, most) for child in range(n)]
    else:
        order = [_selection(table, model, prior, child, most) for child in range(n)]
    chosen = []
    for child in range(n):
        required = set()
        if prior.edge_probability is not None:
            required = set(np.flatnonzero(prior.edge_probability[:, child] == 1).tolist())
        if len(required) > most:
            raise UserError("required edges", len(required), f"at most {most} into one variable")
        selecting = [i for i in range(n) if i != child and child in order[i][: most // 2]]
        ranked = [*sorted(required), *order[child][: most // 2], *selecting, *order[child]]
        ranked += [i for i in range(n) if i != child]
        chosen.append(sorted(dict.fromkeys(ranked).keys() - {child},
                             key=list(dict.fromkeys(ranked)).index)[:most])  # fmt: skip
    return np.sort(np.array(chosen, np.int64), axis=1)


def _ranking(mechanisms: Mechanisms, prior: GraphPrior, child: int, most: int) -> list[int]:
    """As `_selection`, by families of other kinds; nothing explains a factor."""
    table = mechanisms.table
    if table.factors[child]:
        return []
    allowed = [i for i in range(table.n) if i != child]
    if prior.edge_probability is not None:
        allowed = [i for i in allowed if prior.edge_probability[i, child] > 0]
    return mechanisms.ranking(child, allowed, min(most, mechanisms.considered(child)))


def _selection(
    table: Table, model: NoiseModel, prior: GraphPrior, child: int, most: int
) -> list[int]:
    """The variables that explain a variable best, one after the other."""
    allowed = [i for i in range(table.n) if i != child]
    if prior.edge_probability is not None:
        allowed = [i for i in allowed if prior.edge_probability[i, child] > 0]
    moments = own_moments(table, model, child)
    found: list[int] = []
    while allowed and len(found) < most:
        parents = np.array([[*found, i] for i in allowed], np.int64)
        scores = score_families(moments, model, table.n, child, parents)
        best = allowed[int(np.argmax(scores))]
        found.append(best)
        allowed.remove(best)
    return found
