"""Answers to questions about a system, from the posterior; and refusals, with the reason.

Each kind of question is one function; `answer` chooses it. A refusal is an answer: the question is
understood, but the data do not decide it, however it is computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from understudy.episodes import Table
from understudy.errors import UserError
from understudy.inference import _query as q
from understudy.inference._causal_posterior import CausalPosterior
from understudy.inference._conflicts import PairConflict
from understudy.inference._next_experiment import Goal, best_action, plan_experiments
from understudy.inference._query_parser import parse

LEVEL = 0.95
UNIDENTIFIED = 0.05
"""Posterior mass of graphs that leave an effect open, above which it is not answered."""
MISFIT = 0.01
"""Level at which rows that set a variable are said to tell another effect than the posterior."""
_SIMULATED = 4000
_ACCEPTED = 50


@dataclass(frozen=True)
class Answer:
    """What is said to one question.

    Attributes:
        question: in its canonical form.
        rung: of Pearl's ladder; None for questions about the graph.
        answer: one sentence.
        value, low, high: the number asked for and its 95 % posterior interval, where there is one.
        refused: why there is no answer; "" if there is.
        assumes: what the answer takes for granted.
        rests_on: which data.
        warnings: what may make it wrong.
        table: rows, for answers that are lists.
    """

    question: str
    rung: int | None
    answer: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    refused: str = ""
    assumes: tuple[str, ...] = ()
    rests_on: str = ""
    warnings: tuple[str, ...] = ()
    table: tuple[dict[str, Any], ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            **self.__dict__,
            "assumes": list(self.assumes),
            "warnings": list(self.warnings),
            "table": list(self.table),
        }


def answer(question: str | q.Query, posterior: CausalPosterior) -> Answer:
    """Answers one question.

    Raises:
        UserError: the question cannot be read, or names a row that is not there.
    """
    query = parse(question, posterior.table.variables) if isinstance(question, str) else question
    found = _HOW[type(query)](query, posterior)
    return replace(
        found,
        question=query.text(),
        rung=query.rung,
        assumes=found.assumes or _assumptions(posterior),
        rests_on=found.rests_on or data_in_words(posterior),
        warnings=(*found.warnings, *_far_off(query, posterior), *_general_warnings(posterior)),
    )


def data_in_words(posterior: CausalPosterior) -> str:
    """E.g. "220 rows: 200 observed, 20 interventional (do(X): 12, do(Z): 8)"."""
    table = posterior.table
    observed = int(table.observational.sum())
    names = [table.regimes[i].name for i in table.regime[~table.observational]]
    counts = {name: names.count(name) for name in dict.fromkeys(names)}
    text = f"{table.rows:,} rows: {observed:,} observed, {table.rows - observed:,} interventional"
    if counts:
        listed = [f"{name}: {count:,}" for name, count in list(counts.items())[:12]]
        more = len(counts) - len(listed)
        text += f" ({', '.join(listed)}{f', and {more} more' if more > 0 else ''})"
    return text


def number(x: float) -> str:
    """Three significant digits."""
    if x == 0 or not math.isfinite(x):
        return f"{x:g}"
    return f"{x:.3g}" if 1e-3 <= abs(x) < 1e6 else f"{x:.2e}"


def _assumptions(posterior: CausalPosterior) -> tuple[str, ...]:
    model = posterior.fusion.model
    noise = "unknown variance" if model.standardise else "known variance"
    limit = posterior.fusion.prior.max_parents
    prior = "uniform over graphs" if posterior.fusion.prior.edge_probability is None else (
        "your statements about edges")  # fmt: skip
    if limit is not None:
        prior += f" with at most {limit} parents a variable"
    found: tuple[str, ...] = (
        "every variable is a linear function of its causes plus normal noise of " + noise,
        "no hidden common causes, no cycles",
        "rows are independent; an intervention acts on its stated targets only",
        f"prior: {prior}",
    )
    if not posterior.fusion.scores.full:
        k = posterior.fusion.scores.k
        found = (*found, f"direct causes are sought among {k} candidates a variable")
    return found


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


def _rows_disagree(
    posterior: CausalPosterior, cause: int, outcome: int, value: float
) -> tuple[str, ...]:
    """A warning where the rows that set the cause alone tell another effect than `value`.

    `value` rests on these rows too: their standard error alone is the cautious yardstick (Hausman
    1978: of the difference, its square less that of the more efficient estimate).
    """
    for pair in posterior.conflicts.pairs:
        if (pair.cause, pair.effect) != (cause, outcome):
            continue
        off = abs(pair.measured - value)
        if off > float(stats.t.ppf(1 - MISFIT / 2, pair.freedom)) * pair.standard_error:
            names = posterior.table.variables
            return (
                f"the {pair.rows:,} rows that set {names[cause]} alone tell another effect of a "
                f"unit: {number(pair.measured)} {_interval(*pair.interval)}; a hidden common cause "
                "or a non-linear mechanism would explain it",
            )
    return ()


def _spread(values: NDArray[np.float64]) -> tuple[float, float, float]:
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(values.mean()), float(low), float(high)


def _interval(low: float, high: float) -> str:
    return f"[{number(low)}, {number(high)}]"


def _refuse(reason: str, **more: Any) -> Answer:
    return Answer("", None, f"Not answered: {reason}", refused=reason, **more)


# -- doing: is it decided at all? -----------------------------------------------------------------


def _open(posterior: CausalPosterior, causes: Sequence[int], outcomes: Sequence[int]) -> str:
    """Why the data leave effects of some variables on others open; "" if they do not."""
    names = posterior.table.variables
    for cause in causes:
        for outcome in outcomes:
            mass = posterior.unidentified(cause, outcome)
            if mass <= UNIDENTIFIED:
                continue
            beside = np.argsort(-posterior.open_edges[cause])
            neighbours = [names[k] for k in beside if posterior.open_edges[cause, k] > UNIDENTIFIED]
            edges = ", ".join(f"{names[cause]} - {k}" for k in neighbours[:3])
            return (
                f"the effect of {names[cause]} on {names[outcome]} is not identified from these "
                f"data: graphs with {mass:.0%} of the posterior probability leave open which way "
                f"{edges or names[cause]} points, and equally good graphs disagree about the "
                f"effect; an experiment that sets {names[cause]} would decide it"
            )
    return ""


def _conflict(posterior: CausalPosterior, cause: int, outcome: int) -> PairConflict | None:
    """The measured effect, if observations contradict it, or experiments as a whole."""
    conflicts = posterior.conflicts
    for pair in conflicts.pairs if conflicts.contradicted else ():
        if (pair.cause, pair.effect) == (cause, outcome) and (pair.contradicted or conflicts.whole):
            return pair
    return None


def _effect(query: q.Effect, posterior: CausalPosterior) -> Answer:
    table = posterior.table
    cause, outcome = table.index(query.cause), table.index(query.outcome)
    start = 0.0 if query.start is None else query.start
    end = 1.0 if query.end is None else query.end
    per = "a unit of " + query.cause if query.start is None else (
        f"moving {query.cause} from {number(start)} to {number(end)}")  # fmt: skip

    change = end - start
    if pair := _conflict(posterior, cause, outcome):
        # Other experiments leave a common cause of the two at work: they are no help here.
        low, high = sorted(change * x for x in pair.interval)
        passive, *ends = (change * x for x in (pair.predicted[1], *pair.predicted[::2]))
        data = f"{pair.rows:,} rows that set {query.cause} alone"
        if pair.contrast:
            data += ", and the means of the rows in which nothing was set"
        return Answer(
            "", None,
            f"{per} changes {query.outcome} by {number(change * pair.measured)} "
            f"{_interval(low, high)} on average, going by the {data}; the observations by "
            f"themselves would say {number(passive)} {_interval(*sorted(ends))}, and observations "
            "and experiments contradict each other",
            change * pair.measured, low, high,
            assumes=(
                f"{query.outcome} is a linear function of {query.cause} plus noise in these rows",
                "rows are independent; an intervention acts on its stated targets only",
            ),
            rests_on=data,
        )  # fmt: skip
    if reason := _open(posterior, [cause], [outcome]):
        return _refuse(reason, table=_possible(posterior, cause, outcome, change))
    value, low, high = _spread(change * posterior.draws.total_effects()[:, cause, outcome])
    return Answer(
        "", None,
        f"{per} changes {query.outcome} by {number(value)} {_interval(low, high)} on average; "
        f"P({query.cause} has any effect on {query.outcome}) = "
        f"{posterior.graph.ancestors[cause, outcome]:.3f}",
        value, low, high, warnings=_rows_disagree(posterior, cause, outcome, value / change),
    )  # fmt: skip


def _possible(
    posterior: CausalPosterior, cause: int, outcome: int, change: float
) -> tuple[dict[str, Any], ...]:
    """The effect if the cause points at the outcome's side, and if it does not."""
    effects = change * posterior.draws.total_effects()[:, cause, outcome]
    some = effects != 0
    found = []
    for label, mine in (("some effect", some), ("no effect", ~some)):
        if mine.any():
            value, low, high = _spread(effects[mine])
            found.append({"if": label, "share": float(mine.mean()), "effect": value,
                          "low": low, "high": high})  # fmt: skip
    return tuple(found)


def _does_cause(query: q.DoesCause, posterior: CausalPosterior) -> Answer:
    cause, outcome = posterior.table.index(query.cause), posterior.table.index(query.outcome)
    p = float(posterior.graph.ancestors[cause, outcome])
    if p > 1 - q.CERTAIN and (reason := _open(posterior, [cause], [outcome])):
        return _refuse(reason)
    verdict = "yes" if p >= q.CERTAIN else "no" if p <= 1 - q.CERTAIN else "undecided"
    return Answer("", None, f"{verdict}: P({query.cause} causes {query.outcome}) = {p:.3f}", p)


def _best(query: q.BestIntervention, posterior: CausalPosterior) -> Answer:
    table = posterior.table
    outcome = table.index(query.outcome)
    options = [o for o in default_options(posterior) if o[0] != outcome]
    sign = 1 if query.direction == "raise" else -1
    action = best_action(posterior.draws, Goal(outcome, sign), options)
    if reason := _open(posterior, [action.target], [outcome]):
        return _refuse(reason)
    name = table.variables[action.target]
    return Answer(
        "", None,
        f"do({name} = {number(action.value)}): {query.outcome} is then {number(action.mean)} "
        f"{_interval(action.low, action.high)} on average; values between the 5 and 95 % points "
        "of what was seen are considered, one variable at a time",
        action.mean, action.low, action.high,
    )  # fmt: skip


def default_options(posterior: CausalPosterior) -> list[tuple[int, float]]:
    """Every variable at the 5 and 95 % points of its values in the table."""
    found = []
    for j, column in enumerate(posterior.table.values.T):
        for value in np.unique(np.quantile(column, [0.05, 0.95])).tolist():
            found.append((j, float(value)))
    return found


# -- seeing and doing: probabilities and means ----------------------------------------------------


def _split(
    posterior: CausalPosterior, given: Sequence[q.Event], do: Sequence[q.Setting]
) -> tuple[dict[int, float], dict[int, float], list[tuple[int, q.Event]]]:
    table = posterior.table
    set_to = {table.index(s.variable): s.value for s in do}
    exact = {table.index(e.variable): e.value for e in given if e.value is not None}
    loose = [(table.index(e.variable), e) for e in given if e.value is None]
    return set_to, exact, loose


def _inside(event: q.Event, x: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether values lie in an event; its ends have probability 0."""
    found: NDArray[np.bool_] = (x >= event.low) & (x <= event.high)
    return found


def _distribution(
    query: q.Probability | q.Expectation,
    posterior: CausalPosterior,
    outcome: int,
    closed: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]],
    simulated: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> Answer | NDArray[np.float64]:
    """A figure of the outcome's distribution in every draw, or a refusal.

    Args:
        closed: from mean and standard deviation of a normal outcome.
        simulated: from simulated values of it, one weight each elsewhere.
    """
    set_to, exact, loose = _split(posterior, query.given, query.do)
    asked = [outcome, *exact, *(i for i, _ in loose)]
    if set_to and (reason := _open(posterior, list(set_to), asked)):
        return _refuse(reason)
    if any(_conflict(posterior, cause, effect) for cause in set_to for effect in asked):
        return _refuse(
            "observations and experiments contradict each other here, and are not averaged; ask "
            "for the effect, which the experiments alone can tell"
        )
    mean, covariance = posterior.draws.given(set_to, exact)
    if not loose:
        deviation = np.sqrt(np.maximum(covariance[:, outcome, outcome], 0.0))
        return closed(mean[:, outcome], deviation)
    # Inequalities in the condition: rows simulated from every draw, those that fit are kept.
    keep = [outcome, *(i for i, _ in loose)]
    rng = np.random.default_rng(posterior.seed)
    inner = covariance[:, keep][:, :, keep]
    jitter = 1e-9 * np.eye(len(keep)) * np.diagonal(inner, axis1=1, axis2=2)[:, None, :]
    root = np.linalg.cholesky(inner + jitter)
    found = []
    for m, c in zip(mean[:, keep], root, strict=True):
        x = m + rng.normal(size=(_SIMULATED, len(keep))) @ c.T
        fits = np.all([_inside(event, x[:, 1 + k]) for k, (_, event) in enumerate(loose)], axis=0)
        if fits.sum() >= _ACCEPTED:
            found.append(float(simulated(x[fits, 0]).mean()))
    if len(found) < len(mean) / 2:
        return _refuse(
            "what is given is too rare under the model: fewer than "
            f"{_ACCEPTED} of {_SIMULATED} simulated rows show it; widen the condition"
        )
    return np.array(found)


def _probability(query: q.Probability, posterior: CausalPosterior) -> Answer:
    event = query.event
    if event.value is not None:
        return _refuse(
            f"{event.variable} is continuous here, so that any single value has probability 0; "
            f"ask for an interval such as P({number(event.value - 0.5)} < {event.variable} < "
            f"{number(event.value + 0.5)})"
        )

    def closed(mean: NDArray[np.float64], deviation: NDArray[np.float64]) -> NDArray[np.float64]:
        safe = np.maximum(deviation, 1e-12)
        law = stats.norm(mean, safe)
        found: NDArray[np.float64] = law.cdf(event.high) - law.cdf(event.low)
        return found

    outcome = posterior.table.index(event.variable)
    p = _distribution(query, posterior, outcome, closed, lambda x: _inside(event, x).astype(float))
    return p if isinstance(p, Answer) else _stated(query, p)


def _expectation(query: q.Expectation, posterior: CausalPosterior) -> Answer:
    outcome = posterior.table.index(query.outcome)
    mean = _distribution(query, posterior, outcome, lambda mean, _: mean, lambda x: x)
    return mean if isinstance(mean, Answer) else _stated(query, mean)


def _stated(query: q.Probability | q.Expectation, values: NDArray[np.float64]) -> Answer:
    value, low, high = _spread(values)
    assumes: tuple[str, ...] = ()
    if query.rung == 1:
        assumes = (
            "variables are jointly normal",
            "rows are independent; the answer is about rows in which nothing is done",
        )
    text = f"{query.text()} = {number(value)} {_interval(low, high)}"
    return Answer("", None, text, value, low, high, assumes=assumes)


def _correlation(query: q.Correlation, posterior: CausalPosterior) -> Answer:
    i, j = posterior.table.index(query.first), posterior.table.index(query.second)
    _, covariance = posterior.draws.moments()
    deviation = np.sqrt(covariance[:, i, i] * covariance[:, j, j])
    value, low, high = _spread(covariance[:, i, j] / deviation)
    text = f"{query.text()} = {number(value)} {_interval(low, high)} where nothing is done"
    return Answer("", None, text, value, low, high, assumes=("variables are jointly normal",))


# -- imagining ------------------------------------------------------------------------------------


def row_asked_about(
    query: q.Counterfactual, table: Table, numbers: NDArray[np.int64] | None = None
) -> tuple[int, str]:
    """Position of the row asked about, and how to call it.

    Args:
        numbers: int64[R], what the user calls these rows, if some were left out.

    Raises:
        UserError: there is no such row.
    """
    rows = np.arange(table.rows)
    if query.episode is not None:
        rows = rows[table.episode == query.episode]
        if not len(rows):
            raise UserError("episode", query.episode, "no complete row of it among these data")
    if query.step is not None:
        rows = rows[table.step[rows] == query.step]
        if not len(rows):
            raise UserError(
                "step", query.step, f"episode {query.episode} has no such complete step"
            )
        return int(rows[0]), f"step {query.step} of episode {query.episode}"
    if query.row is not None and query.episode is None and numbers is not None:
        at = np.flatnonzero(numbers == query.row)
        if not len(at):
            last = numbers[-1]
            raise UserError(
                "row", query.row, f"no complete row, counted from 0; the last is {last}"
            )
        return int(at[0]), f"row {query.row}"
    if query.row is not None:
        if query.row >= len(rows):
            raise UserError("row", query.row, f"there are {len(rows)}, counted from 0")
        return int(rows[query.row]), f"row {query.row}"
    step = int(table.step[rows[-1]])
    where = f"episode {query.episode}"
    return int(rows[-1]), where if len(rows) == 1 else f"the last step ({step}) of {where}"


def _counterfactual(query: q.Counterfactual, posterior: CausalPosterior) -> Answer:
    table = posterior.table
    row, where = row_asked_about(query, table, posterior.rows)
    outcome = table.index(query.outcome)
    had = {table.index(s.variable): s.value for s in query.had}
    if reason := _open(posterior, list(had), [outcome]):
        return _refuse(reason)
    factual, was_set = table.values[row], table.hard[row]
    imagined = posterior.draws.counterfactual(factual, was_set, had)[:, outcome]
    value, low, high = _spread(imagined)
    seen = float(factual[outcome])
    would = (
        f"{query.outcome} was {number(seen)} in {where} and would have been {number(value)} "
        f"{_interval(low, high)}"
    )
    assumes = (
        *_assumptions(posterior),
        "the row's noise would have been the same",
    )
    kept = [table.variables[i] for i in np.flatnonzero(was_set) if int(i) not in had]
    if kept:
        assumes = (*assumes, f"what had been done to {', '.join(kept)} would have been done too")
    if query.claim == "value":
        return Answer("", None, would, value, low, high, assumes=assumes)
    margin = 1e-9 * max(1.0, abs(seen))
    claims: dict[str, Callable[[], NDArray[np.bool_]]] = {
        "higher": lambda: imagined > seen + margin,
        "lower": lambda: imagined < seen - margin,
        "different": lambda: abs(imagined - seen) > margin,
        "event": lambda: _inside(query.event, imagined),  # type: ignore[arg-type]
    }
    p = float(claims[query.claim]().mean())
    verdict = "yes" if p >= q.CERTAIN else "no" if p <= 1 - q.CERTAIN else "undecided"
    text = f"{verdict}, with probability {p:.3f}: {would}"
    return Answer("", None, text, p, assumes=assumes)


# -- the graph ------------------------------------------------------------------------------------


def _certain(query: q.CertainEdges, posterior: CausalPosterior) -> Answer:
    edges, names = posterior.graph.edges, posterior.table.variables
    rows: list[dict[str, Any]] = []
    for i, j in np.argwhere(edges >= query.threshold):
        rows.append({"edge": f"{names[i]} -> {names[j]}", "probability": float(edges[i, j])})
    rows.sort(key=lambda r: -r["probability"])
    both = edges + edges.T
    undecided: list[dict[str, Any]] = [
        {"edge": f"{names[i]} - {names[j]}", "probability": float(both[i, j]),
         f"{names[i]} -> {names[j]}": float(edges[i, j]),
         "why": _why_undirected(posterior, int(i), int(j))}
        for i, j in np.argwhere(np.triu(both >= query.threshold, 1))
        if max(edges[i, j], edges[j, i]) < query.threshold
    ]  # fmt: skip
    listed = ", ".join(r["edge"] for r in rows) or "none"
    text = f"with probability {query.threshold:g} or more: {listed}"
    if undecided:
        pairs = ", ".join(r["edge"] for r in undecided)
        text += f"; adjacent with that probability, direction open: {pairs}"
    return Answer("", None, text, float(len(rows)), table=(*rows, *undecided))


def _why_undirected(posterior: CausalPosterior, i: int, j: int) -> str:
    if posterior.open_edges[i, j] > 0.5:
        names = posterior.table.variables
        return f"no row tells which way: an experiment on {names[i]} or {names[j]} would"
    return "too few rows to tell which way"


def _edge(query: q.Edge, posterior: CausalPosterior) -> Answer:
    i, j = posterior.table.index(query.parent), posterior.table.index(query.child)
    p, back = float(posterior.graph.edges[i, j]), float(posterior.graph.edges[j, i])
    if posterior.open_edges[i, j] > UNIDENTIFIED and max(p, back) < q.CERTAIN:
        return _refuse(
            f"{query.parent} and {query.child} are adjacent with probability {p + back:.3f}, and "
            f"{_why_undirected(posterior, i, j)}"
        )
    text = f"P({query.parent} -> {query.child}) = {p:.3f}; the other way {back:.3f}"
    return Answer("", None, text, p)


def _ancestor(query: q.Ancestor, posterior: CausalPosterior) -> Answer:
    table = posterior.table
    p = float(posterior.graph.ancestors[table.index(query.ancestor), table.index(query.descendant)])
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


def _causes(query: q.Causes, posterior: CausalPosterior) -> Answer:
    at = posterior.table.index(query.outcome)
    return _listed(posterior, posterior.graph.ancestors[:, at], at, f"causes of {query.outcome}")


def _parents(query: q.Parents, posterior: CausalPosterior) -> Answer:
    at = posterior.table.index(query.child)
    return _listed(posterior, posterior.graph.edges[:, at], at, f"direct causes of {query.child}")


def _effects(query: q.Effects, posterior: CausalPosterior) -> Answer:
    at = posterior.table.index(query.cause)
    return _listed(posterior, posterior.graph.ancestors[at], at, f"effects of {query.cause}")


def _next(query: q.NextExperiment, posterior: CausalPosterior) -> Answer:
    plan = plan_experiments(
        posterior.fusion, posterior.draws, default_options(posterior), seed=posterior.seed
    )
    names = posterior.table.variables
    rows = tuple(
        {"experiment": f"do({names[c.target]} = {number(c.value)})", "bits": c.bits,
         "standard error": c.bits_error}
        for c in plan.candidates[:10]
    )  # fmt: skip
    if not plan.chosen:
        return Answer("", None, plan.stop, table=rows)
    best = plan.chosen[0]
    text = (
        f"{rows[0]['experiment']}: one such row is expected to tell {best.bits:.3f} bits "
        f"(+- {2 * best.bits_error:.3f}) about the graph"
    )
    return Answer("", None, text, best.bits, table=rows)


def _conflicts(query: q.Conflicts | q.HiddenConfounders, posterior: CausalPosterior) -> Answer:
    found = posterior.conflicts
    names = posterior.table.variables
    rows = tuple(
        {"effect of": names[p.cause], "on": names[p.effect], "measured": p.measured,
         "standard error": p.standard_error, "predicted low": p.predicted[0],
         "predicted": p.predicted[1], "predicted high": p.predicted[2], "p-value": p.p_value,
         "contradicted": p.contradicted}
        for p in found.pairs
    )  # fmt: skip
    if found.reason:
        return _refuse(found.reason)
    factor = ""
    if found.log_bayes_factor is not None:
        factor = (
            "; log Bayes factor of one system behind observations and experiments against one "
            f"each: {found.log_bayes_factor:.1f} nats"
        )
    worst = [r for r in rows if r["contradicted"]]
    if not found.contradicted:
        text = f"observations and experiments agree{factor}"
        if isinstance(query, q.HiddenConfounders):
            text += (
                "; so no sign of any, but weak ones go unnoticed with so few rows or experiments"
            )
    else:
        pairs = ", ".join(f"{r['effect of']} on {r['on']}" for r in worst)
        text = f"contradicted{f': the effect of {pairs}' if pairs else ''}{factor}"
        if isinstance(query, q.HiddenConfounders):
            text += "; a hidden common cause is one explanation, selection and curvature are others"
    return Answer("", None, text, found.log_bayes_factor, table=rows)


def _targets(query: q.Targets, posterior: CausalPosterior) -> Answer:
    found = posterior.target_probabilities()
    if not found:
        return _refuse("no row has an intervention with unknown targets")
    names = posterior.table.variables
    rows, said = [], []
    for regime, p in found.items():
        rows += [{"intervention": regime, "variable": names[j], "probability": float(p[j])}
                 for j in np.argsort(-p, kind="stable")]  # fmt: skip
        hit = [f"{names[j]} ({p[j]:.2f})" for j in np.argsort(-p, kind="stable") if p[j] >= 0.5]
        said.append(f"{regime}: {', '.join(hit) or 'nothing likely'}")
    return Answer("", None, "; ".join(said), table=tuple(rows))


_HOW: dict[type, Callable[[Any, CausalPosterior], Answer]] = {
    q.Probability: _probability,
    q.Expectation: _expectation,
    q.Correlation: _correlation,
    q.Effect: _effect,
    q.DoesCause: _does_cause,
    q.BestIntervention: _best,
    q.Counterfactual: _counterfactual,
    q.CertainEdges: _certain,
    q.Edge: _edge,
    q.Ancestor: _ancestor,
    q.Causes: _causes,
    q.Parents: _parents,
    q.Effects: _effects,
    q.NextExperiment: _next,
    q.Conflicts: _conflicts,
    q.HiddenConfounders: _conflicts,
    q.Targets: _targets,
}
