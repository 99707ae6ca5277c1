"""Whether an effect follows from the data at hand and a known graph, and by which formula.

The algorithms are y0's (Hoyt et al. 2025): ID (Shpitser & Pearl 2006), IDC (Shpitser & Pearl 2008)
and TRSO (Tikka & Karvanen 2018) for experiments and other populations. y0's verdicts have stood up
well, its formulas less so: ID gives P(Y | X) for the napkin graph (y0 issues 372 and 404). So no
formula is passed on before it has been tried out: a random discrete model of the graph is drawn,
the formula is evaluated on exactly the distributions it may use, and the outcome compared with the
model's true effect. A wrong formula fails this with probability one.
"""

from __future__ import annotations

import importlib
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.inference.graphs._discrete_model import MAX_BITS, DiscreteModel, ancestral
from seedo.inference.graphs._estimand import (
    Estimand,
    Regime,
    Term,
    evaluate,
    product,
    ratio,
    regimes,
    to_latex,
    to_text,
    total,
)
from seedo.inference.graphs._known_graph import KnownGraph


@dataclass(frozen=True)
class Population:
    """Where else experiments were done.

    Attributes:
        name: shown in formulas.
        experiments: the sets of variables experimented on there.
        differs: variables whose mechanisms may not be those of the population in question.
    """

    name: str
    experiments: tuple[frozenset[str], ...]
    differs: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Data:
    """One kind of data: a population ("" is the one in question) under one experiment or none."""

    population: str = ""
    experiment: frozenset[str] = frozenset()

    def __str__(self) -> str:
        what = f"do({', '.join(sorted(self.experiment))})" if self.experiment else "observations"
        return f"{what} in {self.population}" if self.population else what


@dataclass(frozen=True)
class Identified:
    """The effect follows from the data.

    Attributes:
        query: e.g. "P(Y | do(X))".
        estimand: the formula, as a tree; of an experiment it names the part that bears on the
            outcome, so that data under do(X, W) may serve as those under do(X).
        text: the formula on one line.
        latex: the same for LaTeX.
        data: what the formula needs.
        algorithm: who found it.
        checked: it was tried out on a random model; False only where that has too many values.
    """

    query: str
    estimand: Estimand
    text: str
    latex: str
    data: tuple[Data, ...]
    algorithm: str
    checked: bool


@dataclass(frozen=True)
class NotIdentified:
    """The effect does not follow, or no formula for it is known.

    Attributes:
        query: e.g. "P(Y | do(X))".
        reason: why, in words.
        hedge: the larger and the smaller set of variables of the hedge, if observations fall short;
            None where the formula, not the effect, is what is missing.
    """

    query: str
    reason: str
    hedge: tuple[frozenset[str], frozenset[str]] | None


@dataclass(frozen=True)
class _Source:
    """An experiment, as far as it bears on the query."""

    data: Data
    do: frozenset[str]
    differs: frozenset[str]

    @property
    def regime(self) -> Regime:
        return self.data.population, self.do


@dataclass(frozen=True)
class _Problem:
    """A query on the part of the graph that bears on it."""

    graph: KnownGraph
    outcome: frozenset[str]
    treatment: frozenset[str]
    conditions: frozenset[str]
    sources: tuple[_Source, ...]


def identify(
    graph: KnownGraph,
    treatment: str | Sequence[str],
    outcome: str | Sequence[str],
    *,
    conditions: Sequence[str] = (),
    experiments: Iterable[Iterable[str]] = (),
    populations: Sequence[Population] = (),
) -> Identified | NotIdentified:
    """Whether P(outcome | do(treatment), conditions) follows from observations and experiments.

    Observations of all variables of the graph are taken for granted; experiments are turned to
    where they do not suffice. An experiment is taken to have set its variables, all of them in
    every row, to each value that matters. Verdicts on observations alone are complete. TRSO is not:
    it uses no two experiments for one part of the formula, so with experiments the effect may be
    identified where the answer is `NotIdentified`.

    Args:
        graph: the graph of the population in question; others differ in mechanisms, not in arrows.
        treatment: one or more variables.
        outcome: one or more.
        conditions: variables whose values are seen after the treatment.
        experiments: sets of variables experimented on in the population in question.
        populations: experiments done elsewhere.

    Raises:
        UserError: a name not in the graph, a variable in two places, no y0.
    """
    treatment, outcome = _names(treatment), _names(outcome)
    done = [(Data("", frozenset(e)), frozenset[str]()) for e in experiments]
    for population in populations:
        done += [(Data(population.name, e), population.differs) for e in population.experiments]
    _validate(graph, treatment, outcome, tuple(conditions), done)
    y0 = _Y0()

    part = ancestral(graph, (*outcome, *conditions))
    kept = frozenset(part.variables)
    sources = (_Source(data, data.experiment & kept, differs & kept) for data, differs in done)
    problem = _Problem(
        part,
        frozenset(outcome),
        frozenset(treatment) & kept,
        frozenset(conditions),
        tuple(source for source in sources if source.do),
    )
    asked = Term(problem.outcome, problem.conditions, frozenset(treatment))
    scope = asked.of | asked.given | asked.do
    query = to_text(asked, scope, graph.variables)

    hedge, found = y0.from_observations(problem)
    failed = False
    available = {("", frozenset[str]())} | {source.regime for source in problem.sources}
    for algorithm, estimand in found if hedge is None else y0.from_experiments(problem):
        if not regimes(estimand) <= available:
            continue  # TRSO takes an experiment on X and Z for one on X alone, too
        holds = _holds(problem, estimand)
        if holds is not False:
            return Identified(
                query,
                estimand,
                to_text(estimand, scope, graph.variables),
                to_latex(estimand, scope, graph.variables),
                _needed(problem, estimand),
                algorithm,
                checked=holds is True,
            )
        failed = True
    doubt = "every formula that y0 gave failed on a random model of the graph"
    if hedge is None:
        return NotIdentified(query, f"observations identify it, but {doubt}", None)
    reason = _in_words(hedge, frozenset(treatment), problem)
    return NotIdentified(query, f"{reason}; {doubt}" if failed else reason, hedge)


def _names(names: str | Sequence[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _validate(
    graph: KnownGraph,
    treatment: tuple[str, ...],
    outcome: tuple[str, ...],
    conditions: tuple[str, ...],
    done: Sequence[tuple[Data, frozenset[str]]],
) -> None:
    for role, names in (("treatment", treatment), ("outcome", outcome), ("condition", conditions)):
        graph.check(names, role)
    for role, names in (("treatment", treatment), ("outcome", outcome)):
        if not names:
            raise UserError(role, None, f"name at least one of {', '.join(graph.variables)}")
    for name, times in Counter(treatment + outcome + conditions).items():
        if times > 1:
            raise UserError("query", name, "give a variable one part: treatment, outcome or given")
    for data, differs in done:
        graph.check(sorted(data.experiment), "experiment")
        graph.check(sorted(differs), "population differs")


def _holds(problem: _Problem, estimand: Estimand) -> bool | None:
    """Whether a formula gives the true effect in a random model; None if that is too large."""
    graph = problem.graph
    if len(graph.variables) + len(graph.bidirected) > MAX_BITS:
        return None
    rng = np.random.default_rng(0)
    here = DiscreteModel(graph, rng)
    tables: dict[Regime, NDArray[np.float64]] = {("", frozenset()): here.joint()}
    elsewhere = {"": here}
    for source in problem.sources:
        name = source.data.population
        if name not in elsewhere:
            elsewhere[name] = DiscreteModel(graph, rng, inherit=here, differs=source.differs)
        tables[source.regime] = elsewhere[name].joint(source.do)
    value = evaluate(estimand, graph.variables, tables)
    query = Term(problem.outcome, problem.conditions, problem.treatment)
    truth = evaluate(query, graph.variables, {("", query.do): here.joint(query.do)})
    return bool(np.allclose(value, truth, rtol=1e-7, atol=1e-9))


def _needed(problem: _Problem, estimand: Estimand) -> tuple[Data, ...]:
    of_regime = {source.regime: source.data for source in reversed(problem.sources)}
    data = {of_regime.get(regime, Data()) for regime in regimes(estimand)}
    return tuple(sorted(data, key=lambda d: (d.population, sorted(d.experiment))))


def _in_words(
    hedge: tuple[frozenset[str], frozenset[str]], treatment: frozenset[str], problem: _Problem
) -> str:
    def names(some: Iterable[str]) -> str:
        return ", ".join(v for v in problem.graph.variables if v in some)

    whole, rest = hedge
    text = (
        f"hidden common causes join {names(whole)} into one c-component, and {names(rest)} into "
        f"another within it once {names(whole - rest)} is set (a hedge): models that agree on all "
        f"observations differ in the effect"
    )
    if problem.sources:
        done = "; ".join(dict.fromkeys(str(source.data) for source in problem.sources))
        text += f", and y0 finds no way round it with {done}"
    return text


class _Y0:
    """y0's algorithms, given and answering in this package's terms.

    y0 reads meaning into names (T_ marks a population's differences), so it is given others.
    """

    def __init__(self) -> None:
        try:
            self.dsl = importlib.import_module("y0.dsl")
            self.graph = importlib.import_module("y0.graph")
            self.id = importlib.import_module("y0.algorithm.identify")
            self.id_c = importlib.import_module("y0.algorithm.identify.id_c")
            self.transport = importlib.import_module("y0.algorithm.transport")
        except ImportError:
            raise UserError(
                "identification", None, "needs y0: pip install 'seedo[causal]'"
            ) from None
        # It warns where several sources would do; the first is taken, and tried out.
        logging.getLogger("y0.algorithm.transport").setLevel(logging.ERROR)

    def from_observations(
        self, problem: _Problem
    ) -> tuple[tuple[frozenset[str], frozenset[str]] | None, Iterator[tuple[str, Estimand]]]:
        """The hedge, or None, and then formulas. ID's is the shorter, TRSO's the sounder."""
        query = self._exchanged(problem)
        try:
            joint = self.id.identify(query.uncondition())
        except self.id.Unidentifiable as failure:
            whole, parts = failure.args
            smaller = frozenset().union(*parts)
            return (self._back(problem, whole), self._back(problem, smaller)), iter(())
        return None, self._formulas(problem, query, joint)

    def _formulas(
        self, problem: _Problem, query: Any, joint: Any
    ) -> Iterator[tuple[str, Estimand]]:
        name = "IDC" if problem.conditions else "ID"
        yield name, self._conditional(problem, query, self._read(problem, joint, ()))
        joint = self._trso(problem, query, ())
        if joint is not None:
            yield "TRSO", self._conditional(problem, query, self._read(problem, joint, ()))

    def from_experiments(self, problem: _Problem) -> Iterator[tuple[str, Estimand]]:
        """Formulas that use single experiments, then those that may use several."""
        query = self._exchanged(problem)
        sources = problem.sources
        for some in [*((s,) for s in sources), *([sources] if len(sources) > 1 else [])]:
            joint = self._trso(problem, query, some)
            if joint is not None:
                yield "TRSO", self._conditional(problem, query, self._read(problem, joint, some))

    def _exchanged(self, problem: _Problem) -> Any:
        """The query, conditions made treatments where rule 2 of the do-calculus lets them (IDC)."""
        forth = self._forth(problem)
        query = self.id.Identification.from_parts(
            graph=self._mixed(problem),
            outcomes={forth[v] for v in problem.outcome},
            treatments={forth[v] for v in problem.treatment},
            conditions={forth[v] for v in problem.conditions},
        )
        # y0 loses a variable with its last edge and then cannot find it: give each two more.
        edged = query.graph.copy()
        for v in forth.values():
            edged.add_directed_edge(self.dsl.Variable(f"before_{v.name}"), v)
            edged.add_directed_edge(v, self.dsl.Variable(f"after_{v.name}"))
        for condition in [forth[v] for v in problem.graph.variables if v in problem.conditions]:
            asked = self.id.Identification(query.query, edged)
            if self.id_c.rule_2_of_do_calculus_applies(asked, condition):
                query = query.exchange_observation_with_action(condition)
        return query

    def _trso(self, problem: _Problem, query: Any, sources: Sequence[_Source]) -> Any:
        """TRSO's expression for the joint of outcomes and conditions, or None."""
        forth, graph, here = (
            self._forth(problem),
            self._mixed(problem),
            self.transport.TARGET_DOMAIN,
        )
        domains = self._domains(sources)
        graphs = {
            domain: self.transport.create_transport_diagram(
                nodes_to_transport=[forth[v] for v in sorted(source.differs)], graph=graph
            )
            for domain, source in zip(domains, sources, strict=True)
        }
        query = self.transport.TRSOQuery(
            target_interventions=set(query.treatments),
            target_outcomes=query.outcomes | query.conditions,
            expression=self.dsl.PopulationProbability(
                population=here, distribution=self.dsl.Distribution.safe(graph.nodes())
            ),
            active_interventions=set(),
            domain=here,
            domains=set(domains),
            graphs={**graphs, here: graph},
            surrogate_interventions={
                domain: {forth[v] for v in source.do}
                for domain, source in zip(domains, sources, strict=True)
            },
        )
        try:
            return self.transport.trso(query)
        except (KeyError, ValueError):
            return None  # a variable lost as above, or an experiment on all that is asked about

    def _domains(self, sources: Sequence[_Source]) -> list[Any]:
        return [self.dsl.Population(f"S{i}") for i in range(len(sources))]

    def _conditional(self, problem: _Problem, query: Any, joint: Estimand) -> Estimand:
        if not query.conditions:
            return joint
        return ratio(joint, total(self._back(problem, query.outcomes), joint))

    def _forth(self, problem: _Problem) -> dict[str, Any]:
        width = len(str(len(problem.graph.variables)))
        return {v: self.dsl.Variable(f"V{i:0{width}}")
                for i, v in enumerate(problem.graph.variables)}  # fmt: skip

    def _back(self, problem: _Problem, variables: Iterable[Any]) -> frozenset[str]:
        return frozenset(problem.graph.variables[int(v.name[1:])] for v in variables)

    def _mixed(self, problem: _Problem) -> Any:
        forth = self._forth(problem)
        return self.graph.NxMixedGraph.from_edges(
            nodes=list(forth.values()),
            directed=[(forth[a], forth[b]) for a, b in sorted(problem.graph.directed)],
            undirected=[(forth[a], forth[b]) for a, b in sorted(problem.graph.bidirected)],
        )

    def _read(self, problem: _Problem, expression: Any, sources: Sequence[_Source]) -> Estimand:
        """y0's expression as a tree of this package."""
        dsl, domains = self.dsl, self._domains(sources)

        def read(node: Any) -> Estimand:
            if isinstance(node, dsl.Probability):
                population = ""
                if getattr(node, "population", None) in domains:
                    population = sources[domains.index(node.population)].data.population
                set_to = {i for v in (*node.children, *node.parents)
                          for i in getattr(v, "interventions", ())}  # fmt: skip
                return Term(
                    self._back(problem, node.children),
                    self._back(problem, node.parents),
                    self._back(problem, set_to),
                    population,
                )
            if isinstance(node, dsl.Sum):
                return total(self._back(problem, node.ranges), read(node.expression))
            if isinstance(node, dsl.Product):
                return product([read(factor) for factor in node.expressions])
            if isinstance(node, dsl.Fraction):
                return ratio(read(node.numerator), read(node.denominator))
            if isinstance(node, dsl.One):
                return product([])
            raise TypeError(f"y0 answered with a {type(node).__name__}")

        return read(expression)
