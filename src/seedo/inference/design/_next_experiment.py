"""What to try next, given a table: information about the graph and value for a goal.

Information (Lindley 1956): bits that the outcome y of one more row under do(x_i = v) is expected
to tell about the graph,

    E_y sum_G P(G | y, rows) log2 (P(G | y, rows) / P(G | rows)),

with the exact predictive of every family (weights and noise integrated out) over the distinct
graphs among the posterior's draws, and y drawn from the posterior predictive. Value: what knowing y
is expected to add to the mean of the goal under the action that is then best (Raiffa & Schlaifer
1961), with the draws of the parameters reweighted by p(y | parameters).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from seedo.errors import UserError
from seedo.inference.exact._draws import Draws
from seedo.inference.scores._score_table import distinct_graphs
from seedo.inference.scores._scores import Fusion, regress

if TYPE_CHECKING:
    from seedo.inference.exact._causal_posterior import CausalPosterior

OUTCOMES = 256
"""Outcomes drawn for every candidate experiment."""
FANTASIES = 8
"""Outcomes of experiments already planned that the next one is averaged over."""


@dataclass(frozen=True)
class Goal:
    """Raise (sign 1) or lower (sign -1) the mean of a variable."""

    variable: int
    sign: int


@dataclass(frozen=True)
class Action:
    """do(target = value) and the goal's mean under it: posterior mean and 95 % interval."""

    target: int
    value: float
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Candidate:
    """One experiment that could be made.

    Attributes:
        target, value: do(target = value), one row.
        bits: expected information about the graph, with its Monte Carlo standard error.
        gain: expected improvement of the goal's mean under the best action (units of the goal,
            never negative but for Monte Carlo error), with its standard error; 0 without a goal.
        cost: in the user's units.
    """

    target: int
    value: float
    bits: float
    bits_error: float
    gain: float
    gain_error: float
    cost: float


@dataclass(frozen=True)
class Plan:
    """Experiments in the order in which to make them.

    Attributes:
        chosen: each judged after the ones before it, over their possible outcomes.
        candidates: all experiments as judged before the first, best first.
        action: best action for the goal as things stand; None without a goal.
        stop: why no experiment, or no further one, is worth making; "" if the budget ended first.
    """

    chosen: tuple[Candidate, ...]
    candidates: tuple[Candidate, ...]
    action: Action | None
    stop: str


class _Family(NamedTuple):
    """Student's t (or normal) predictive of a node given its parents, in standard units."""

    parents: NDArray[np.int64]
    mean: NDArray[np.float64]  # of the parents, then of the intercept
    inverse: NDArray[np.float64]  # (Z'Z + L)^-1
    freedom: float
    spread: float  # of the predictive: s^2, or b/a


class _Predictor:
    """log p(y | graph, rows) for new rows, over the distinct graphs of a posterior.

    `counts` int64[graphs] says how often each was drawn.
    """

    def __init__(
        self, fusion: Fusion, graphs: NDArray[np.bool_], counts: NDArray[np.int64]
    ) -> None:
        self.fusion = fusion
        n = fusion.table.n
        self.codes = fusion.scores.codes(graphs)
        self.grams = [
            fusion.groups(child, fusion.likely_shifts(child, drawn))[0]
            for child, drawn in enumerate(np.repeat(self.codes, counts, axis=0).T)
        ]
        self.families: list[dict[int, _Family]] = [{} for _ in range(n)]
        for child in range(n):
            self._fit(child)

    def _fit(self, child: int) -> None:
        fusion, n = self.fusion, self.fusion.table.n
        model, group = fusion.model, self.grams[child]
        always = 1 if model.intercept else 0
        for code in np.unique(self.codes[:, child]).tolist():
            bits = (code >> np.arange(fusion.scores.k)) & 1
            parents = fusion.scores.candidates[child][bits.astype(bool)]
            fit = regress(group, model, n, child, parents)
            inverse: NDArray[Any] = np.linalg.inv(fit.precision)
            keep = len(parents) + always  # offsets are 0 in a new row of the average source
            freedom, spread = model.predictive(n, len(parents), group.rows, fit.residual)
            self.families[child][code] = _Family(
                parents, fit.mean[:keep], inverse[:keep, :keep], freedom, spread
            )

    def log_density(self, y: NDArray[np.float64], target: NDArray[np.int64]) -> NDArray[np.float64]:
        """float64[graphs, M] of rows y [M, n], standard units, in which `target` was set."""
        total = np.zeros((len(self.codes), len(y)))
        for child, families in enumerate(self.families):
            known = sorted(families)
            by_family = np.stack([self._density(families[c], y, child) for c in known])
            by_family[:, target == child] = 0.0
            total += by_family[np.searchsorted(known, self.codes[:, child])]
        return total

    def _density(self, family: _Family, y: NDArray[np.float64], child: int) -> NDArray[np.float64]:
        z = y[:, family.parents]
        if self.fusion.model.intercept:
            z = np.column_stack([z, np.ones(len(y))])
        scale = np.sqrt(family.spread * (1 + np.einsum("mi,ij,mj->m", z, family.inverse, z)))
        off = (y[:, child] - z @ family.mean) / scale
        from scipy import stats  # here, because it takes long to import

        if np.isinf(family.freedom):
            return stats.norm.logpdf(off) - np.log(scale)
        return stats.t.logpdf(off, family.freedom) - np.log(scale)

    def after(self, y: NDArray[np.float64], target: int) -> _Predictor:
        """The same, had one more row been seen."""
        new = object.__new__(_Predictor)
        new.fusion, new.codes = self.fusion, self.codes
        new.grams, new.families = list(self.grams), [dict(f) for f in self.families]
        n = len(y)
        for child in range(n):
            if child == target:
                continue
            group = self.grams[child]
            extra = np.zeros(len(group.gram))
            extra[:n] = y
            if self.fusion.model.intercept:
                extra[n] = 1.0
            new.grams[child] = type(group)(group.gram + np.outer(extra, extra), group.rows + 1)
            new._fit(child)
        return new


def best_action(draws: Draws, goal: Goal, options: Sequence[tuple[int, float]]) -> Action:
    """The action with the best posterior mean of the goal."""
    means = _goal_means(draws, goal, options)
    best = int((goal.sign * means).mean(0).argmax())
    low, high = np.quantile(means[:, best], [0.025, 0.975])
    target, value = options[best]
    return Action(target, value, float(means[:, best].mean()), float(low), float(high))


def plan_experiments(
    posterior: CausalPosterior,
    options: Sequence[tuple[int, float]],
    *,
    budget: int = 1,
    goal: Goal | None = None,
    actions: Sequence[tuple[int, float]] | None = None,
    costs: Sequence[float] | None = None,
    prefer: str | None = None,
    least_bits: float = 0.05,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Plan:
    """Chooses `budget` experiments greedily, each after the possible outcomes of those before.

    Args:
        posterior: the data and S joint posterior draws.
        options: experiments that can be made, (target, value in the user's units).
        budget: how many to choose.
        goal: what the data are for; None if only the graph matters.
        actions: what could be done for the goal in the end; the options on other variables than
            the goal if None.
        costs: of each option; equal if None. Experiments are compared by what they give for
            their cost.
        prefer: "bits" or "gain"; "gain" if there is a goal, else "bits", if None. Where no gain is
            left within its error, bits decide.
        least_bits: stop where no experiment is expected to tell more than this.
        seed: of the outcomes drawn.
        progress: called with (candidate evaluations done, in all).

    Raises:
        UserError: no option, or costs that are not positive numbers.
    """
    if not options:
        raise UserError("experiments", None, "nothing can be set: allow at least one variable")
    costs = [1.0] * len(options) if costs is None else list(costs)
    if len(costs) != len(options) or not all(np.isfinite(c) and c > 0 for c in costs):
        raise UserError("costs", costs, "give a positive number for every experiment")
    prefer = prefer or ("gain" if goal is not None else "bits")
    if prefer not in ("bits", "gain"):
        raise UserError("prefer", prefer, "use bits or gain")
    if actions is None:
        actions = [o for o in options if goal is None or o[0] != goal.variable]
    if goal is not None and not actions:
        raise UserError("goal", None, "no action could move it: allow another variable to be set")
    draws = posterior.draws
    judge = _Judge(posterior.fusion, draws, options, costs, goal, actions, seed)
    total = len(options) * (1 + FANTASIES * (budget - 1))
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(min(done, total), total)

    first = judge.candidates([judge.start()], advance)
    ranked = sorted(first, key=lambda c: _worth(c, prefer, first), reverse=True)
    chosen: list[Candidate] = []
    worlds, found = [judge.start()], first
    stop = ""
    while len(chosen) < budget:
        best = max(found, key=lambda c: _worth(c, prefer, found))
        if (stop := _reason_to_stop(found, goal, least_bits)) != "":
            break
        chosen.append(best)
        if len(chosen) == budget:
            break
        worlds = judge.fantasise(worlds, best)
        found = judge.candidates(worlds, advance)
    action = best_action(draws, goal, actions) if goal is not None else None
    return Plan(tuple(chosen), tuple(ranked), action, stop)


def _worth(candidate: Candidate, prefer: str, among: Sequence[Candidate]) -> tuple[float, float]:
    """What candidates are compared by: first what is preferred if any offers it, then the rest."""
    bits, gain = candidate.bits / candidate.cost, candidate.gain / candidate.cost
    if prefer == "gain" and any(c.gain > 2 * c.gain_error for c in among):
        return (gain, bits)
    return (bits, gain)


def _reason_to_stop(found: Sequence[Candidate], goal: Goal | None, least_bits: float) -> str:
    most = max(c.bits for c in found)
    if most > least_bits:
        return ""
    if goal is not None and any(c.gain > 2 * c.gain_error for c in found):
        return ""
    what = "about the graph" if goal is None else "about the graph, nor to improve the goal"
    return f"no experiment is expected to tell more than {max(most, 0):.3f} bits {what}"


class _World(NamedTuple):
    """One possible future: its predictor and the weights of graphs and draws in it."""

    predictor: _Predictor
    graph_weight: NDArray[np.float64]  # log, over distinct graphs
    draw_weight: NDArray[np.float64]  # log, over draws


class _Judge:
    """Evaluates candidate experiments in one or several possible futures."""

    def __init__(
        self,
        fusion: Fusion,
        draws: Draws,
        options: Sequence[tuple[int, float]],
        costs: Sequence[float],
        goal: Goal | None,
        actions: Sequence[tuple[int, float]],
        seed: int,
    ) -> None:
        self.fusion, self.draws, self.options, self.costs = fusion, draws, options, costs
        self.goal, self.seed = goal, seed
        self.distinct, self.counts = distinct_graphs(draws.graph)
        self.returns = goal.sign * _goal_means(draws, goal, actions) if goal else None
        self.rng = np.random.default_rng(seed)

    def start(self) -> _World:
        even = np.full(len(self.draws), -np.log(len(self.draws)))
        predictor = _Predictor(self.fusion, self.distinct, self.counts)
        return _World(predictor, np.log(self.counts / self.counts.sum()), even)

    def candidates(self, worlds: Sequence[_World], advance: Callable[[], None]) -> list[Candidate]:
        found = []
        for (target, value), cost in zip(self.options, self.costs, strict=True):
            bits, gains = [], []
            for number, world in enumerate(worlds):
                # The same randomness for every option: differences between them are clearer.
                rng = np.random.default_rng([self.seed, number])
                y = self._outcomes(world, target, value, OUTCOMES // len(worlds), rng)
                bits.append(self._bits(world, target, y))
                gains.append(self._gains(world, target, y))
                advance()
            b, g = np.concatenate(bits), np.concatenate(gains)
            error = np.sqrt(len(b))
            found.append(Candidate(target, value, float(b.mean()), float(b.std() / error),
                                   float(g.mean()), float(g.std() / error), cost))  # fmt: skip
        return found

    def fantasise(self, worlds: Sequence[_World], chosen: Candidate) -> list[_World]:
        """Futures in which the chosen experiment has been made."""
        found = []
        for number in range(FANTASIES):
            world = worlds[number % len(worlds)]
            y = self._outcomes(world, chosen.target, chosen.value, 1, self.rng)
            at = np.array([chosen.target])
            standard = (y - self.fusion.centre) / self.fusion.scale
            graph = world.graph_weight + world.predictor.log_density(standard, at)[:, 0]
            draw = world.draw_weight + _log_density(self.draws, y, chosen.target)[:, 0]
            predictor = world.predictor.after(standard[0], chosen.target)
            found.append(_World(predictor, graph - logsumexp(graph), draw - logsumexp(draw)))
        return found

    def _outcomes(
        self, world: _World, target: int, value: float, count: int, rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """Outcomes from the posterior predictive, float64[M, n], user's units."""
        weight = np.exp(world.draw_weight)
        at = (rng.random() + np.arange(count)) / count * weight.sum()
        which = np.minimum(np.searchsorted(np.cumsum(weight), at), len(weight) - 1)
        noise = rng.normal(size=(count, self.draws.n))
        spread = np.sqrt(self.draws.variance[which]) * noise
        free = self.draws.intercept[which] + spread
        weights = self.draws.weight[which].copy()
        weights[:, :, target] = 0.0
        free[:, target] = value
        y = np.linalg.solve(np.eye(self.draws.n) - weights.transpose(0, 2, 1), free[..., None])
        return y[..., 0]

    def _bits(self, world: _World, target: int, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Divergence of the posterior after each outcome from that before, float64[M].

        Its mean is that of log p(y | G) / p(y), with less noise and never below zero.
        """
        standard = (y - self.fusion.centre) / self.fusion.scale
        log_density = world.predictor.log_density(standard, np.full(len(y), target))
        ratio = log_density - logsumexp(log_density + world.graph_weight[:, None], axis=0)
        posterior = np.exp(ratio + world.graph_weight[:, None])
        found: NDArray[np.float64] = (posterior * ratio).sum(0) / np.log(2)
        return found

    def _gains(self, world: _World, target: int, y: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.returns is None:
            return np.zeros(len(y))
        prior = np.exp(world.draw_weight) @ self.returns
        log_weight = world.draw_weight[:, None] + _log_density(self.draws, y, target)
        weight = np.exp(log_weight - logsumexp(log_weight, axis=0))
        posterior = weight.T @ self.returns
        # Held against the action that is best now, in the same outcome: unbiased, less noisy.
        gains: NDArray[np.float64] = posterior.max(1) - posterior[:, prior.argmax()]
        return gains


def _goal_means(
    draws: Draws, goal: Goal, actions: Sequence[tuple[int, float]]
) -> NDArray[np.float64]:
    """E[goal | do(action)] in every draw, float64[S, A]."""
    effects = draws.total_effects()
    mean, _ = draws.moments()
    targets = np.array([t for t, _ in actions])
    values = np.array([v for _, v in actions])
    # Linear: setting x_i moves it from its mean, and the goal by the total effect times that.
    moved = values[None, :] - mean[:, targets]
    return mean[:, [goal.variable]] + effects[:, targets, goal.variable] * moved


def _log_density(draws: Draws, y: NDArray[np.float64], target: int) -> NDArray[np.float64]:
    """log p(y | parameters, do(target)), float64[S, M]."""
    total = np.zeros((len(draws), len(y)))
    for child in range(draws.n):
        if child == target:
            continue
        mean = draws.weight[:, :, child] @ y.T + draws.intercept[:, [child]]
        variance = draws.variance[:, [child]]
        total -= 0.5 * ((y[:, child] - mean) ** 2 / variance + np.log(2 * np.pi * variance))
    return total
