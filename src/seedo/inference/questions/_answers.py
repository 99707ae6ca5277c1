"""Answers to questions about a system, from the posterior; and refusals, with the reason.

Each kind of question is one function of a sibling module; `answer` chooses it. A refusal is an
answer: the question is understood, but the data do not decide it, however it is computed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from seedo.errors import UserError
from seedo.inference.exact._causal_posterior import CausalPosterior
from seedo.inference.questions import _query as q
from seedo.inference.questions._answer import (
    Answer,
    assumptions,
    data_in_words,
    number,
    refuse,
)
from seedo.inference.questions._answers_distribution import (
    answer_correlation,
    answer_expectation,
    answer_probability,
)
from seedo.inference.questions._answers_effect import answer_best, answer_does_cause, answer_effect
from seedo.inference.questions._answers_graph import (
    answer_ancestor,
    answer_causes,
    answer_certain,
    answer_conflicts,
    answer_edge,
    answer_effects,
    answer_next,
    answer_parents,
    answer_targets,
    misfit_in_words,
)
from seedo.inference.questions._answers_ranking import answer_best_setting, answer_ranking
from seedo.inference.questions._answers_row import answer_counterfactual
from seedo.inference.questions._answers_why import answer_why_row
from seedo.inference.questions._query_parser import parse
from seedo.inference.questions._straight import why_bent


def answer(question: str | q.Query, posterior: CausalPosterior, straight: bool = False) -> Answer:
    """Answers one question.

    Args:
        straight: along straight lines, whatever the rows say of curves.

    Raises:
        UserError: the question cannot be read, or names a row that is not there.
    """
    query, columns = question, posterior.table.columns
    if isinstance(query, str):
        query = parse(query, posterior.table.variables, columns)
    how = _HOW.get(type(query))
    if how is None:
        raise UserError("question", query.text(columns), "ask for one effect at a time, e.g. "
                        "'effect of X on Y from 0 to 2'")  # fmt: skip
    reason = why_bent(query, posterior, straight)
    if reason:
        found = refuse(reason)
    elif isinstance(query, q.WhyRow):
        found = answer_why_row(query, posterior, straight)
    else:
        found = how(query, posterior)
    return replace(
        found,
        question=query.text(columns),
        rung=query.rung,
        assumes=found.assumes or assumptions(posterior),
        rests_on=found.rests_on or data_in_words(posterior),
        warnings=(
            *found.warnings,
            *_far_off(query, posterior),
            *_general_warnings(posterior),
            *_misfit(query, posterior),
        ),
    )


def _misfit(query: q.Query, posterior: CausalPosterior) -> tuple[str, ...]:
    """What makes probabilities of edges and causes less certain than the rows by themselves say."""
    of_graph = q.CertainEdges | q.Edge | q.Ancestor | q.Causes | q.Parents | q.Effects
    said = misfit_in_words(posterior) if isinstance(query, of_graph) else ""
    return (said,) if said else ()


def _general_warnings(posterior: CausalPosterior) -> tuple[str, ...]:
    found = []
    graph = posterior.graph
    if not graph.converged:
        found.append(
            f"the sampled graphs have not converged (largest R-hat {graph.max_rhat:.3f}): "
            "probabilities are rough"
        )
    conflicts = posterior.conflicts
    if conflicts.contradicted:
        names = posterior.table.variables
        pairs = [f"{names[p.cause]} on {names[p.effect]}"
                 for p in conflicts.pairs if p.contradicted]  # fmt: skip
        of = f" (the effect of {', '.join(pairs[:3])})" if pairs else ""
        found.append(
            f"what was observed contradicts what the experiments show{of}: a hidden common cause, "
            "selection or a non-linear mechanism would explain it; ask 'what is contradicted?'"
        )
    return tuple(found)


def _far_off(query: q.Query, posterior: CausalPosterior) -> tuple[str, ...]:
    """Values asked about that lie further outside what was seen than that is wide."""
    asked: list[tuple[str, float]] = []
    if isinstance(query, q.Probability | q.Expectation):
        asked += [(s.variable, s.value) for s in query.do]
        asked += [(e.variable, e.value) for e in query.given if e.value is not None]
    elif isinstance(query, q.Counterfactual):
        asked += [(s.variable, s.value) for s in query.had]
    elif isinstance(query, q.Effect) and query.start is not None and query.end is not None:
        asked += [(query.cause, query.start), (query.cause, query.end)]
    found = []
    for name, value in asked:
        column = posterior.table.values[:, posterior.table.index(name)]
        low, high = float(column.min()), float(column.max())
        if max(low - value, value - high) > high - low:
            found.append(
                f"{name} = {number(value)} is far from all that was seen ({number(low)} to "
                f"{number(high)}): the answer rests on straight lines going on that far"
            )
    return tuple(found)


_HOW: dict[type, Callable[[Any, CausalPosterior], Answer]] = {
    q.Probability: answer_probability,
    q.Expectation: answer_expectation,
    q.Correlation: answer_correlation,
    q.Effect: answer_effect,
    q.DoesCause: answer_does_cause,
    q.BestIntervention: answer_best,
    q.BestSetting: lambda query, posterior: answer_best_setting(
        query, posterior.table, lambda effect: answer_effect(effect, posterior)
    ),
    q.Ranking: lambda query, posterior: answer_ranking(
        query, posterior.table, lambda effect: answer_effect(effect, posterior)
    ),
    q.Counterfactual: answer_counterfactual,
    q.WhyRow: answer_why_row,
    q.CertainEdges: answer_certain,
    q.Edge: answer_edge,
    q.Ancestor: answer_ancestor,
    q.Causes: answer_causes,
    q.Parents: answer_parents,
    q.Effects: answer_effects,
    q.NextExperiment: answer_next,
    q.Conflicts: answer_conflicts,
    q.HiddenConfounders: answer_conflicts,
    q.Targets: answer_targets,
}
