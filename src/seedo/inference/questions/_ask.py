"""One question to one table: which of the ways to an answer is taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np

from seedo.errors import UserError
from seedo.inference.effects import HIDDEN, Wanted
from seedo.inference.exact import CausalPosterior, Progress, infer
from seedo.inference.graphs._known_graph import KnownGraph
from seedo.inference.graphs._prior import GraphPrior
from seedo.inference.questions import _query as q
from seedo.inference.questions._answer import Answer, interval, number, refuse
from seedo.inference.questions._answers import answer
from seedo.inference.questions._answers_ranking import (
    EffectAnswer,
    answer_best_by_means,
    answer_best_setting,
    answer_ranking,
)
from seedo.inference.questions._answers_row import row_asked_about
from seedo.inference.questions._answers_why import answer_why_by_effects, separate_causes
from seedo.inference.questions._design_answers import answer_from_design, groups_by
from seedo.inference.questions._exclusion import answer_from_exclusion
from seedo.inference.questions._factor_answers import answer_from_factors
from seedo.inference.questions._graph_answers import answer_from_graph
from seedo.inference.questions._impossible import check_rows, impossible
from seedo.inference.questions._known_answers import (
    answer_nonlinear,
    answer_with_hidden_causes,
    prior_of_graph,
)
from seedo.inference.questions._median_answers import answer_median
from seedo.inference.questions._misfit import Misfit, misfit
from seedo.inference.questions._mixture_answers import without_last_share
from seedo.inference.questions._query_parser import parse
from seedo.inference.questions._seen_answers import answer_from_rows, answer_means
from seedo.inference.scores._scores import NoiseModel
from seedo.tables import Table

Form = Literal["auto", "linear", "nonlinear"]
"""How effects may bend."""


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
    weigh: Callable[[], CausalPosterior] | None = None,
) -> Answer:
    """Answers one question from a table.

    Args:
        question: see docs/questions.md.
        table: rows.
        beliefs: nothing is known if None.
        progress: called with (steps done, steps in all) while graphs are sampled.
        weigh: gives the posterior over graphs, where it is needed; worked out afresh if None.

    Raises:
        UserError: the question cannot be read, or cannot be asked of this table and graph.
    """
    beliefs = beliefs or Beliefs()
    query = (
        parse(question, table.variables, table.columns, table.useless)
        if isinstance(question, str)
        else question
    )
    _check(query, table)
    weighed = cache(weigh or (lambda: posterior(table, beliefs, progress)))
    found = _said(query, table, beliefs, weighed)
    if beliefs.graph is None or not beliefs.graph.notes:
        return found
    return replace(found, assumes=(*found.assumes, *beliefs.graph.notes))


def _said(
    query: q.Query, table: Table, beliefs: Beliefs, weighed: Callable[[], CausalPosterior]
) -> Answer:
    """One answer, from several effects where it takes several."""
    # What is wrong with the rows of one cause is so whatever it is moved between.
    doubted = cache(lambda cause, outcome: misfit(q.Effect(cause, outcome), table))
    found = _compared(
        query, table, beliefs,
        lambda one: _answered(
            one, table, beliefs, weighed, lambda: doubted(one.cause, one.outcome)
        ),
    )  # fmt: skip
    if found is None:
        found = _answered(query, table, beliefs, weighed, lambda: misfit(query, table))
        instead = _by_means(query, table, beliefs, weighed) if found.refused else None
        if instead is None:
            return found
        found = instead
    return replace(found, question=query.text(table.columns), rung=query.rung)


def _by_means(
    query: q.Query, table: Table, beliefs: Beliefs, weighed: Callable[[], CausalPosterior]
) -> Answer | None:
    """The best intervention under a stated graph where straight lines cannot tell it."""
    graph = beliefs.graph
    if not isinstance(query, q.BestIntervention) or graph is None or beliefs.form != "auto":
        return None
    if query.outcome not in graph.variables or graph.bidirected:
        return None
    if table.columns[table.index(query.outcome)].type == "categorical":
        return None
    import networkx as nx  # here, because it takes long to import

    above = nx.ancestors(graph.to_networkx(), query.outcome)
    causes = [name for name in table.variables if name in above]
    return answer_best_by_means(
        query, table, causes,
        lambda one: _answered(one, table, beliefs, weighed, lambda: misfit(one, table)),
    )  # fmt: skip


def _check(query: q.Query, table: Table) -> None:
    """Refuses, before anything is computed, what no computing could answer.

    Raises:
        UserError: there is no such row; or the mean of names without an order is asked for.
    """
    if isinstance(query, q.Counterfactual | q.WhyRow):
        row_asked_about(query, table)
    if isinstance(query, q.Expectation | q.MeansBy):
        column = table.columns[table.index(query.outcome)]
        if column.type == "categorical":
            some = ", ".join(column.levels[:4]) + ", ..." * (len(column.levels) > 4)
            remedy = f"names without an order ({some}) have no mean"
            if isinstance(query, q.Expectation):
                event = q.Event(query.outcome, 0.0, 0.0, True, True)
                asked = q.Probability(event, query.given, query.do).text(table.columns)
                remedy += f": ask {asked}"
            raise UserError("question", query.text(table.columns), remedy)


def _compared(
    query: q.Query, table: Table, beliefs: Beliefs, effect: EffectAnswer
) -> Answer | None:
    """What is answered from several effects; None for all else."""
    if isinstance(query, q.Ranking):
        return answer_ranking(query, table, effect)
    if isinstance(query, q.BestSetting):
        return answer_best_setting(query, table, effect)
    if isinstance(query, q.WhyRow) and beliefs.form != "linear" and beliefs.model is None:
        causes = separate_causes(table, beliefs.graph, query.outcome)
        if causes and not table.hard[:, table.index(query.outcome)].any():
            return answer_why_by_effects(query, table, causes, effect)
    return None


def _answered(
    query: q.Query,
    table: Table,
    beliefs: Beliefs,
    weighed: Callable[[], CausalPosterior],
    doubted: Callable[[], Misfit],
) -> Answer:
    """A question about one thing; `weighed` and `doubted` are the posterior, and what is wrong with
    the rows, each worked out when first asked for."""
    # Rows of a log come with the noise of their world, and its posterior.
    if beliefs.model is None and (found := answer_from_factors(query, table)):
        return replace(found, question=query.text(table.columns), rung=query.rung)
    graph = beliefs.graph
    # Numbers of the size of 1e90 have no squares: what comes of them is refused, not printed.
    with np.errstate(all="ignore"):
        found = _without_posterior(query, table, beliefs)
    if found is not None:
        found = _finite(found)
        return replace(found, question=query.text(table.columns), rung=query.rung)
    if graph is not None and graph.bidirected:
        return answer_with_hidden_causes(query, graph, table)
    if beliefs.form == "nonlinear":
        if graph is None:
            raise UserError("--nonlinear", None, "needs the graph: add --graph")
        return answer_nonlinear(query, graph, table, beliefs.seed)
    doubts = doubted() if beliefs.form == "auto" and beliefs.model is None else Misfit()
    if doubts.refused:
        found = refuse(doubts.refused, rests_on=f"{table.rows:,} rows")
        return replace(found, question=query.text(table.columns), rung=query.rung)
    found = answer(query, weighed(), beliefs.form == "linear")
    return replace(found, warnings=(*doubts.warnings, *found.warnings))


def _finite(found: Answer) -> Answer:
    """The answer, or a refusal where its numbers are none."""
    numbers = [x for x in (found.value, found.low, found.high) if x is not None]
    if np.isfinite(numbers).all():
        return found
    return refuse(
        "the numbers in these rows are too large, too small or too far apart to be computed with: "
        "choose other units",
        rests_on=found.rests_on,
    )


def ask_again(
    query: q.Effect, table: Table, beliefs: Beliefs, plain: bool = False
) -> Answer | None:
    """An effect in rows drawn or changed for comparison's sake: as `ask`, but for what is said of
    the graph and these rows. None where graphs would have to be weighed.

    Args:
        query: about an effect.
        table: all rows.
        beliefs: nothing is weighed under them.
        plain: lines are fitted, whatever the rows say of them.

    Raises:
        UserError: the rows do not allow the question.
    """
    if beliefs.model is None and (found := answer_from_factors(query, table)):
        return found
    with np.errstate(all="ignore"):
        found = _without_posterior(query, table, beliefs, False, "line" if plain else "auto")
    return None if found is None else _finite(found)


def _without_posterior(
    query: q.Query,
    table: Table,
    beliefs: Beliefs,
    doubts: bool = True,
    wanted: Wanted = "auto",
) -> Answer | None:
    """What design, known graph or the rows alone tell; None where graphs must be weighed.

    Rows of a log come with the noise of their world: its posterior is exact, and is taken.

    Args:
        doubts: what the rows deny of a graph is said.
        wanted: form of the cause's effect, where beliefs leave it open.
    """
    if isinstance(query, q.MeansBy):
        return answer_means(query, table)
    if isinstance(query, q.Median | q.MedianEffect):
        return answer_median(query, table, beliefs.graph, beliefs.seed)
    if beliefs.form == "linear" or beliefs.model is not None:
        return _no_ratio(query, table) if isinstance(query, q.Ratio) else None
    if beliefs.form == "nonlinear":
        wanted = "curve"
    check_rows(query, table)
    if isinstance(query, q.Correlation) or (
        isinstance(query, q.Expectation | q.Probability) and not query.do
    ):
        return answer_from_rows(query, table)
    if not isinstance(query, q.Effect | q.Expectation | q.Probability | q.DoesCause | q.Ratio):
        return None
    if (never := impossible(query, table)) is not None:
        return never
    if isinstance(query, q.Effect) and query.by:
        return _by_group(query, table, beliefs, doubts, wanted)
    found = None
    if not isinstance(query, q.Effect) or query.kind == "total":
        one, rows = without_last_share(query, table)
        found = answer_from_design(one, rows, wanted, beliefs.graph)
    if found is None and beliefs.graph is not None:
        found = answer_from_graph(query, table, beliefs.graph, wanted, doubts)
    if found is None and isinstance(query, q.Ratio):
        return _no_ratio(query, table)
    if found is None and beliefs.graph is None:
        found = answer_from_exclusion(query, table, beliefs.prior)
    return found


def _no_ratio(query: q.Ratio, table: Table) -> Answer:
    return refuse(
        "ratios are told where the cause was set, or where the graph says what to hold, and not "
        f"along straight lines: ask 'effect of {query.cause} on {query.outcome}'",
        rests_on=f"{table.rows:,} rows",
    )


def posterior(
    table: Table, beliefs: Beliefs | None = None, progress: Progress | None = None
) -> CausalPosterior:
    """What a table says about graph and parameters; see `ask` for the arguments.

    Raises:
        UserError: the graph has hidden common causes, or lacks a variable; weights cannot be
            counted, see `Table.repeated`, or leave too few rows; as for `infer`.
    """
    beliefs = beliefs or Beliefs()
    if table.weight is not None:
        counted = table.values[table.complete & (table.weight > 0)]
        different = len(np.unique(counted, axis=0))
        if different < table.n + 2:
            remedy = f"{table.n} variables need {table.n + 2} that differ: leave variables out"
            raise UserError("rows with a weight above 0", different, remedy)
    prior = beliefs.prior
    form = beliefs.form
    if beliefs.graph is not None:
        # Nothing is left to learn about the graph; curves are fitted by what asks for them.
        prior, form = prior_of_graph(beliefs.graph, table.variables), "linear"
    return infer(
        table.repeated(), beliefs.model, prior, form=form, draws=beliefs.draws,
        seed=beliefs.seed, progress=progress,
    )  # fmt: skip


def _by_group(
    query: q.Effect, table: Table, beliefs: Beliefs, doubts: bool, wanted: Wanted
) -> Answer | None:
    """One answer a level or group of a variable."""
    single = replace(query, by="")
    rows, warnings, hidden, refused, few = [], [], [], "", ""
    for name, members in groups_by(query, table):
        found = _without_posterior(single, table.take(members), beliefs, doubts, wanted)
        if found is None:
            few = few or f"{name} has {int(members.sum()):,} rows, too few for an effect of its own"
            warnings.append(f"{name}: no answer by itself ({int(members.sum()):,} rows)")
            continue
        refused = refused or found.refused
        warnings += [f"{name}: {line}" for line in found.warnings]
        hidden += [f"{name}: {line}" for line in found.assumes if line.startswith(HIDDEN)]
        rows.append({"group": name, "effect": found.value, "low": found.low, "high": found.high,
                     "rows": found.rests_on})  # fmt: skip
    if not rows and beliefs.graph is None and not table.factors.any():
        return None
    if all(row["effect"] is None for row in rows):
        why = refused or few or "no group has an answer by itself"
        return refuse(why, rests_on=f"{table.rows:,} rows")
    said = "; ".join(
        f"{row['group']}: {number(row['effect'])} {interval(row['low'], row['high'])}"  # type: ignore[arg-type]
        for row in rows if row["effect"] is not None and row["low"] is not None
    )  # fmt: skip
    per = "a unit" if query.start is None or query.end is None else (
        f"from {number(query.start)} to {number(query.end)}")  # fmt: skip
    whom = " among the treated" if query.treated else ""
    text = f"{query.kind} effect of {query.cause} on {query.outcome}{whom} ({per}), {said}"
    assumes = (f"{query.cause} does not change {query.by}", "each group is looked at by itself",
               *hidden)  # fmt: skip
    return Answer("", None, text, assumes=assumes, rests_on=f"{table.rows:,} rows",
                  warnings=tuple(dict.fromkeys(warnings)), table=tuple(rows))  # fmt: skip
