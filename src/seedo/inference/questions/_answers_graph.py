"""Answers about the graph: edges, causes, contradictions, targets, and what to try next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedo.inference.design._next_experiment import plan_experiments
from seedo.inference.exact._causal_posterior import CausalPosterior
from seedo.inference.exact._conflicts import AGREE, Conflicts
from seedo.inference.questions import _query as q
from seedo.inference.questions._answer import (
    UNIDENTIFIED,
    Answer,
    conflict_about,
    refuse,
    setting_in_words,
)
from seedo.inference.questions._answers_effect import default_options


class EdgeBeliefs(NamedTuple):
    """What is believed of every edge, and of which the direction is told.

    Attributes:
        edges: float64[n, n], probability of i -> j; 0 both ways where `doubtful`.
        told: float64[n, n], the part of it in which rows, not the form of families, say which way.
        doubtful: pairs (i, j), i < j, about which observations and experiments contradict each
            other, so that no graph without hidden causes holds both.
        eliminated: bool[n, n], see `_by_elimination`.
    """

    edges: NDArray[np.float64]
    told: NDArray[np.float64]
    doubtful: list[tuple[int, int]]
    eliminated: NDArray[np.bool_]


def edge_beliefs(posterior: CausalPosterior, least: float) -> EdgeBeliefs:
    """Edges as answers about the graph call them; pairs less probable than `least` are not held
    against experiments."""
    edges = posterior.sober.edges.copy()
    doubtful = [(int(i), int(j)) for i, j in np.argwhere(np.triu(edges + edges.T >= least, 1))
                if _contradicted(posterior, int(i), int(j))]  # fmt: skip
    for i, j in doubtful:
        edges[i, j] = edges[j, i] = 0.0
    eliminated = _by_elimination(posterior)
    return EdgeBeliefs(edges, edges * (1 - posterior.by_form) * ~eliminated, doubtful, eliminated)


def answer_certain(query: q.CertainEdges, posterior: CausalPosterior) -> Answer:
    names = posterior.table.variables
    if not posterior.fit.credible and query.threshold > q.LIKELY:
        return _nothing_certain(query, posterior)
    edges, told, doubtful, eliminated = edge_beliefs(posterior, query.threshold)
    certain = [(int(i), int(j)) for i, j in np.argwhere(told >= query.threshold)]
    rows: list[dict[str, Any]] = [
        {"edge": f"{names[i]} -> {names[j]}", "probability": float(edges[i, j])} for i, j in certain
    ]
    rows.sort(key=lambda r: -r["probability"])
    both = edges + edges.T
    undecided: list[dict[str, Any]] = [
        {"edge": f"{names[i]} - {names[j]}", "probability": float(both[i, j]),
         f"{names[i]} -> {names[j]}": float(edges[i, j]),
         "why": why_undirected(posterior, eliminated, int(i), int(j))}
        for i, j in np.argwhere(np.triu(both >= query.threshold, 1))
        if max(told[i, j], told[j, i]) < query.threshold
    ]  # fmt: skip
    listed = ", ".join(r["edge"] for r in rows) or "none"
    text = f"with probability {query.threshold:g} or more: {listed}"
    if undecided:
        pairs = ", ".join(r["edge"] for r in undecided)
        text += f"; adjacent with that probability, direction open: {pairs}"
    if doubtful:
        pairs = ", ".join(f"{names[i]} - {names[j]}" for i, j in doubtful)
        text += f"; nothing is said of {pairs}, where observations contradict experiments"
    warnings = _perhaps_hidden(posterior, certain)
    return Answer("", None, text, float(len(rows)), warnings=warnings, table=(*rows, *undecided))


def _never_set(posterior: CausalPosterior) -> NDArray[np.bool_]:
    """bool[n]: variables that nobody set, so that something hidden may move them and others alike.
    Worlds that are simulated say what is hidden: none there."""
    table = posterior.table
    if not posterior.fusion.model.standardise:
        return np.zeros(table.n, np.bool_)
    found: NDArray[np.bool_] = ~(table.hard.any(axis=0) | table.factors)
    return found


def _by_elimination(posterior: CausalPosterior) -> NDArray[np.bool_]:
    """bool[n, n]: i -> j is what is left because setting j did not move i, which nobody set; a
    hidden cause of both would leave the same rows."""
    left: NDArray[np.bool_] = np.outer(_never_set(posterior), posterior.table.hard.any(axis=0))
    return left


def _contradicted(posterior: CausalPosterior, i: int, j: int) -> bool:
    return any(conflict_about(posterior, *pair) is not None for pair in ((i, j), (j, i)))


def _perhaps_hidden(
    posterior: CausalPosterior, edges: Sequence[tuple[int, int]]
) -> tuple[str, ...]:
    """Edges from a variable that nobody set: a hidden cause of both ends would leave the same rows,
    also those in which the other end was set."""
    table, never_set = posterior.table, _never_set(posterior)
    unset = [(i, j) for i, j in edges if never_set[i]]
    if not unset:
        return ()
    shown = ", ".join(f"{table.variables[i]} -> {table.variables[j]}" for i, j in unset[:6])
    more = f" and {len(unset) - 6} more" if len(unset) > 6 else ""
    causes = ", ".join(dict.fromkeys(table.variables[i] for i, _ in unset[:6]))
    return (
        f"{shown}{more}: only if nothing hidden moves both ends; no row sets {causes}, and an "
        "experiment that does would tell",
    )


def _nothing_certain(query: q.CertainEdges, posterior: CausalPosterior) -> Answer:
    """The edges that a model that does not fit would have, as likely at most."""
    edges, names = posterior.sober.edges, posterior.table.variables
    rows: list[dict[str, Any]] = [
        {"edge": f"{names[i]} -> {names[j]}", "probability if the model held": float(edges[i, j])}
        for i, j in np.argwhere(edges >= q.LIKELY)
    ]
    rows.sort(key=lambda row: -row["probability if the model held"])
    text = f"with probability {query.threshold:g} or more: none; {posterior.fit.misfits[0]}"
    return Answer("", None, text, 0.0, table=tuple(rows))


def misfit_in_words(posterior: CausalPosterior) -> str:
    """What is amiss with the families, and what was done about it; "" if nothing is."""
    fit = posterior.fit
    if fit.power == 1.0:
        return ""
    listed = "; ".join(fit.misfits[:3])
    more = f" and {len(fit.misfits) - 3} more" if len(fit.misfits) > 3 else ""
    rows = max(1, round(fit.power * posterior.table.rows))
    return (
        f"the model does not fit these rows ({listed}{more}): probabilities are those that "
        f"{rows:,} rows would give, as many as do not show it"
        + ("" if fit.credible else ", and nothing is called certain")
    )


def why_undirected(
    posterior: CausalPosterior, eliminated: NDArray[np.bool_], i: int, j: int
) -> str:  # fmt: skip
    """Why the direction of i - j is open; `eliminated` is `_by_elimination`'s."""
    names = posterior.table.variables
    experiment = f"an experiment on {names[i]} or {names[j]} would"
    for a, b in ((i, j), (j, i)):
        if eliminated[a, b] and posterior.sober.edges[a, b] > 0.5:
            return (
                f"setting {names[b]} does not move {names[a]}: {names[a]} moves {names[b]}, or "
                f"something hidden moves both; an experiment on {names[a]} would tell"
            )
    if posterior.open_edges[i, j] > 0.5:
        return f"no row tells which way: {experiment}"
    if max(posterior.by_form[i, j], posterior.by_form[j, i]) > 0.5:
        return f"only the shape of their distributions tells which way, no row does: {experiment}"
    return "too few rows to tell which way"


def answer_edge(query: q.Edge, posterior: CausalPosterior) -> Answer:
    i, j = posterior.table.index(query.parent), posterior.table.index(query.child)
    p, back = float(posterior.sober.edges[i, j]), float(posterior.sober.edges[j, i])
    if _contradicted(posterior, i, j):
        return refuse(
            f"observations and experiments contradict each other about {query.parent} and "
            f"{query.child}, so that no graph without hidden causes holds both; ask for the effect "
            "of what was set, which the experiments tell"
        )
    told = max(p * (1 - posterior.by_form[i, j]), back * (1 - posterior.by_form[j, i]))
    unsure = posterior.open_edges[i, j] > UNIDENTIFIED or max(p, back) >= q.CERTAIN
    if unsure and told < q.CERTAIN:
        return refuse(
            f"{query.parent} and {query.child} are adjacent with probability {p + back:.3f}, and "
            f"{why_undirected(posterior, _by_elimination(posterior), i, j)}"
        )
    text = f"P({query.parent} -> {query.child}) = {p:.3f}; the other way {back:.3f}"
    warnings = _perhaps_hidden(posterior, [(i, j)] if p >= q.LIKELY else [])
    return Answer("", None, text, p, warnings=warnings)


def answer_ancestor(query: q.Ancestor, posterior: CausalPosterior) -> Answer:
    table = posterior.table
    p = float(posterior.sober.ancestors[table.index(query.ancestor), table.index(query.descendant)])
    text = f"P({query.ancestor} is an ancestor of {query.descendant}) = {p:.3f}"
    return Answer("", None, text, p)


def _listed(
    posterior: CausalPosterior, probability: NDArray[np.float64], itself: int, what: str
) -> Answer:
    names = posterior.table.variables
    order = [int(k) for k in np.argsort(-probability, kind="stable") if k != itself]
    rows: list[dict[str, Any]] = [
        {"variable": names[k], "probability": float(probability[k])} for k in order
    ]
    likely = [f"{r['variable']} ({r['probability']:.2f})" for r in rows
              if r["probability"] >= q.LIKELY]  # fmt: skip
    return Answer("", None, f"{what}: {', '.join(likely) or 'none likely'}", table=tuple(rows))


def answer_causes(query: q.Causes, posterior: CausalPosterior) -> Answer:
    at = posterior.table.index(query.outcome)
    return _listed(posterior, posterior.sober.ancestors[:, at], at, f"causes of {query.outcome}")


def answer_parents(query: q.Parents, posterior: CausalPosterior) -> Answer:
    at = posterior.table.index(query.child)
    return _listed(posterior, posterior.sober.edges[:, at], at, f"direct causes of {query.child}")


def answer_effects(query: q.Effects, posterior: CausalPosterior) -> Answer:
    at = posterior.table.index(query.cause)
    return _listed(posterior, posterior.sober.ancestors[at], at, f"effects of {query.cause}")


def answer_next(query: q.NextExperiment, posterior: CausalPosterior) -> Answer:
    plan = plan_experiments(posterior, default_options(posterior), seed=posterior.seed)
    rows = tuple(
        {"experiment": setting_in_words(posterior.table, [c.target], [c.value]), "bits": c.bits,
         "standard error": c.bits_error}
        for c in plan.candidates[:10]
    )  # fmt: skip
    told = told_by_form(posterior)
    warnings = (told,) if told else ()
    if not plan.chosen:
        return Answer("", None, plan.stop, table=rows, warnings=warnings)
    best = plan.chosen[0]
    text = (
        f"{rows[0]['experiment']}: one such row is expected to tell {best.bits:.3f} bits "
        f"(+- {2 * best.bits_error:.3f}) about the graph"
    )
    return Answer("", None, text, best.bits, table=rows, warnings=warnings)


def told_by_form(posterior: CausalPosterior) -> str:
    """Which directions the posterior, and bits about it, take as told although no row tells them:
    the form of levels and curves alone does; "": none."""
    names, edges = posterior.table.variables, posterior.graph.edges
    pairs = [
        f"{names[i]} - {names[j]}"
        for i, j in np.argwhere((posterior.by_form > 0.5) & (edges > 0.5))
    ]
    if not pairs:
        return ""
    more = f" and {len(pairs) - 4} more" if len(pairs) > 4 else ""
    return (
        f"no row tells which way {', '.join(pairs[:4])}{more} points: bits and gains go by the "
        "form of levels and curves, and an experiment on either end would tell more than they say"
    )


def answer_conflicts(
    query: q.Conflicts | q.HiddenConfounders, posterior: CausalPosterior
) -> Answer:
    found = posterior.conflicts
    names = posterior.table.variables
    rows = tuple(
        {"effect of": names[p.cause], "on": names[p.effect], "measured": p.measured,
         "standard error": p.standard_error, "predicted low": p.predicted[0],
         "predicted": p.predicted[1], "predicted high": p.predicted[2], "p-value": p.p_value,
         "contradicted": p.contradicted, "P(hidden common cause)": p.confounded}
        for p in found.pairs
    )  # fmt: skip
    if found.reason:
        return refuse(found.reason)
    factor = ""
    # Single effects may contradict each other while the whole, of which they are a part, does not.
    if found.log_bayes_factor is not None and (found.whole or not found.contradicted):
        factor = (
            "; log Bayes factor of one system behind observations and experiments against one "
            f"each: {found.log_bayes_factor:.1f} nats"
        )
    worst = [r for r in rows if r["contradicted"]]
    if not found.contradicted:
        text = f"{_likeness(found, names)}{factor}"
        if isinstance(query, q.HiddenConfounders) and found.agree:
            text += (
                "; so no sign of any, but weak ones go unnoticed with so few rows or experiments"
            )
    else:
        pairs = ", ".join(f"{r['effect of']} on {r['on']}" for r in worst)
        text = f"contradicted{f': the effect of {pairs}' if pairs else ''}{factor}"
        if isinstance(query, q.HiddenConfounders):
            text += "; a hidden common cause is one explanation, selection and curvature are others"
    probable = [f"{names[p.cause]} and {names[p.effect]} (probability {p.confounded:.2f})"
                for p in found.pairs if p.confounded >= 0.5
                and p.p_value * len(found.pairs) < AGREE]  # fmt: skip
    if probable and isinstance(query, q.HiddenConfounders):
        text = f"probably something hidden moves both {'; '.join(probable)}; {text}"
    return Answer("", None, text, found.log_bayes_factor, table=rows)


def _likeness(found: Conflicts, names: tuple[str, ...]) -> str:
    """How alike observations and experiments are that do not contradict each other."""
    if found.agree:
        return "observations and experiments agree"
    worst = found.pairs[0]
    least = f"p = {worst.p_value:.2g}"
    about = f"the effect of {names[worst.cause]} on {names[worst.effect]}"
    if worst.p_value * len(found.pairs) >= AGREE:
        return (
            f"nothing contradicts: of {len(found.pairs)} effects that of {names[worst.cause]} on "
            f"{names[worst.effect]} differs most, and no more than chance makes it ({least})"
        )
    return (
        f"no contradiction is certain, but observations and experiments do not agree about {about} "
        f"({least})"
    )


def answer_targets(query: q.Targets, posterior: CausalPosterior) -> Answer:
    found = posterior.target_probabilities()
    if not found:
        return refuse("no row has an intervention with unknown targets")
    names = posterior.table.variables
    rows, said = [], []
    for regime, p in found.items():
        rows += [{"intervention": regime, "variable": names[j], "probability": float(p[j])}
                 for j in np.argsort(-p, kind="stable")]  # fmt: skip
        hit = [f"{names[j]} ({p[j]:.2f})" for j in np.argsort(-p, kind="stable") if p[j] >= 0.5]
        said.append(f"{regime}: {', '.join(hit) or 'nothing likely'}")
    return Answer("", None, "; ".join(said), table=tuple(rows))
