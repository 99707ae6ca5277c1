"""One question to one table: which of the ways to an answer is taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from seedo.errors import UserError
from seedo.inference.exact import CausalPosterior, Progress, infer
from seedo.inference.graphs._known_graph import KnownGraph
from seedo.inference.graphs._prior import GraphPrior
from seedo.inference.questions import _query as q
from seedo.inference.questions._answer import Answer
from seedo.inference.questions._answers import answer
from seedo.inference.questions._known_answers import (
    answer_nonlinear,
    answer_with_hidden_causes,
    prior_of_graph,
)
from seedo.inference.questions._query_parser import parse
from seedo.inference.scores._scores import NoiseModel
from seedo.tables import Table

Form = Literal["auto", "linear", "nonlinear"]


@dataclass(frozen=True)
class Beliefs:
    """What is taken for granted before the data.

    Attributes:
        graph: the graph, if it is known.
        prior: over graphs, if it is not; uniform if None.
        model: of mechanisms and noise; that of the scores' default if None.
        form: of mechanisms: `auto` takes what fits, `linear` and `nonlinear` are taken as said.
        draws: joint draws from the posterior.
        seed: of everything that is drawn.
    """

    graph: KnownGraph | None = None
    prior: GraphPrior | None = None
    model: NoiseModel | None = None
    form: Form = "auto"
    draws: int = 2000
    seed: int = 0


def ask(
    question: str | q.Query,
    table: Table,
    beliefs: Beliefs | None = None,
    progress: Progress | None = None,
) -> Answer:
    """Answers one question from a table.

    Args:
        question: see docs/questions.md.
        table: rows.
        beliefs: nothing is known if None.
        progress: called with (steps done, steps in all) while graphs are sampled.

    Raises:
        UserError: the question cannot be read, or cannot be asked of this table and graph.
    """
    beliefs = beliefs or Beliefs()
    query = (
        parse(question, table.variables, table.columns) if isinstance(question, str) else question
    )
    graph = beliefs.graph
    if graph is not None and graph.bidirected:
        return answer_with_hidden_causes(query, graph, table)
    if beliefs.form == "nonlinear":
        if graph is None:
            raise UserError("--nonlinear", None, "needs the graph: add --graph")
        return answer_nonlinear(query, graph, table, beliefs.seed)
    return answer(query, posterior(table, beliefs, progress))


def posterior(
    table: Table, beliefs: Beliefs | None = None, progress: Progress | None = None
) -> CausalPosterior:
    """What a table says about graph and parameters; see `ask` for the arguments.

    Raises:
        UserError: the graph has hidden common causes, or lacks a variable; as for `infer`.
    """
    beliefs = beliefs or Beliefs()
    prior = beliefs.prior
    if beliefs.graph is not None:
        prior = prior_of_graph(beliefs.graph, table.variables)
    return infer(
        table, beliefs.model, prior, draws=beliefs.draws, seed=beliefs.seed, progress=progress
    )
