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
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp

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


class _Families(NamedTuple):
    """Student's t (or normal) predictives of a node given several sets of parents, standard units.

    Padded over all candidate parents and the intercept, k in all, with 0 where one is no parent.
    """

    places: NDArray[np.int64]  # [k], of these among the variables, the intercept the last
    mean: NDArray[np.float64]  # [F, k]
    inverse: NDArray[np.float64]  # [F, k * k], (Z'Z + L)^-1
    freedom: NDArray[np.float64]  # [F]
    spread: NDArray[np.float64]  # [F], of the predictive: s^2, or b/a

    def log_density(self, rows: NDArray[np.float64], child: int) -> NDArray[np.float64]:
        """float64[F, M] of a child in rows [M, n + 1], whose last column is 1."""
        y, rows = rows[:, child], rows[:, self.places]
        scale = self.spread[:, None] * (1 + self.inverse @ _squares(rows).T)
        off = (y - self.mean @ rows.T) ** 2 / scale
        free = self.freedom[:, None]
        if np.isinf(free).any():
            return -0.5 * (off + np.log(2 * np.pi * scale))
        constant = gammaln((free + 1) / 2) - gammaln(free / 2) - 0.5 * np.log(np.pi * free)
        return constant - 0.5 * np.log(scale) - (free + 1) / 2 * np.log1p(off / free)


def _squares(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Products of all pairs of columns, float64[M, k * k]."""
    return (rows[:, :, None] * rows[:, None, :]).reshape(len(rows), -1)


def _with_ones(y: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([y, np.ones(len(y))])


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
        # Of every child, the sets of parents there are, and which each graph has.
        self.known = [np.unique(own, return_inverse=True) for own in self.codes.T]
        self.families = [self._fit(child) for child in range(n)]

    def _fit(self, child: int) -> _Families:
        fusion, n = self.fusion, self.fusion.table.n
        model, group = fusion.model, self.grams[child]
        always = 1 if model.intercept else 0
        codes = self.known[child][0]
        places = np.append(fusion.scores.candidates[child], n)
        count, k = len(codes), len(places)
        mean, inverse = np.zeros((count, k)), np.zeros((count, k, k))
        freedom, spread = np.zeros(count), np.zeros(count)
        for own, code in enumerate(codes.tolist()):
            chosen = np.flatnonzero((code >> np.arange(fusion.scores.k)) & 1)
            parents = fusion.scores.candidates[child][chosen]
            fit = regress(group, model, n, child, parents)
            # Offsets are 0 in a new row of the average source.
            keep = len(parents) + always
            at = np.append(chosen, k - 1)[:keep]
            mean[own, at] = fit.mean[:keep]
            inverse[own][np.ix_(at, at)] = np.linalg.inv(fit.precision)[:keep, :keep]
            freedom[own], spread[own] = model.predictive(n, len(parents), group.rows, fit.residual)
        return _Families(places, mean, inverse.reshape(count, -1), freedom, spread)

    def log_density(self, y: NDArray[np.float64], target: int) -> NDArray[np.float64]:
        """float64[graphs, M] of rows y [M, n], standard units, in which `target` was set."""
        total, rows = np.zeros((len(self.codes), len(y))), _with_ones(y)
        for child, families in enumerate(self.families):
            if child != target:
                total += families.log_density(rows, child)[self.known[child][1]]
        return total

    def after(self, y: NDArray[np.float64], target: int) -> _Predictor:
        """The same, had one more row been seen."""
        new = object.__new__(_Predictor)
        new.fusion, new.codes, new.known = self.fusion, self.codes, self.known
        new.grams, new.families = list(self.grams), list(self.families)
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
            new.families[child] = new._fit(child)
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

    start = [judge.start()]
    first = judge.candidates(start, advance)
    ranked = sorted(first, key=lambda c: _worth(c, prefer, first), reverse=True)
    chosen: list[Candidate] = []
    worlds, found = start, first
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
        # In standard units, in which squares lose no digits.
        self.standard = _in_units(draws, fusion.centre, fusion.scale)
        self.likelihood = _Likelihood(self.standard)

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
            found.append(Candidate(target, value, *_mean(b), *_mean(g), cost))
        return found

    def fantasise(self, worlds: Sequence[_World], chosen: Candidate) -> list[_World]:
        """Futures in which the chosen experiment has been made."""
        found = []
        for number in range(FANTASIES):
            world = worlds[number % len(worlds)]
            y = self._outcomes(world, chosen.target, chosen.value, 1, self.rng)
            graph = world.graph_weight + world.predictor.log_density(y, chosen.target)[:, 0]
            draw = world.draw_weight + self.likelihood(y, chosen.target)[:, 0]
            predictor = world.predictor.after(y[0], chosen.target)
            found.append(_World(predictor, graph - logsumexp(graph), draw - logsumexp(draw)))
        return found

    def _outcomes(
        self, world: _World, target: int, value: float, count: int, rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """Outcomes from the posterior predictive, float64[M, n], standard units."""
        weight = np.exp(world.draw_weight)
        at = (rng.random() + np.arange(count)) / count * weight.sum()
        which = np.minimum(np.searchsorted(np.cumsum(weight), at), len(weight) - 1)
        draws = self.standard
        noise = rng.normal(size=(count, draws.n))
        free = draws.intercept[which] + np.sqrt(draws.variance[which]) * noise
        weights = draws.weight[which]
        weights[:, :, target] = 0.0
        free[:, target] = (value - self.fusion.centre[target]) / self.fusion.scale[target]
        return np.einsum("mi,mij->mj", free, np.linalg.inv(np.eye(draws.n) - weights))

    def _bits(self, world: _World, target: int, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Divergence of the posterior after each outcome from that before, float64[M].

        Its mean is that of log p(y | G) / p(y), with less noise and never below zero.
        """
        ratio = world.predictor.log_density(y, target)
        ratio -= (ratio + world.graph_weight[:, None]).max(0)
        posterior = np.exp(ratio + world.graph_weight[:, None])
        whole = posterior.sum(0)
        found: NDArray[np.float64] = (posterior * ratio).sum(0) / whole - np.log(whole)
        return found / np.log(2)

    def _gains(self, world: _World, target: int, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the goal gains by outcomes float64[M, n], float64[M]."""
        if self.returns is None:
            return np.zeros(len(y))
        before = np.exp(world.draw_weight)
        weight = world.draw_weight[:, None] + self.likelihood(y, target)
        weight = np.exp(weight - weight.max(0))
        posterior = (weight.T @ self.returns) / weight.sum(0)[:, None]
        # Held against the action that is best now, in the same outcome: unbiased, less noisy.
        gains: NDArray[np.float64] = (
            posterior.max(1) - posterior[:, (before @ self.returns).argmax()]
        )
        return gains


def _mean(x: NDArray[np.float64]) -> tuple[float, float]:
    """And its standard error."""
    return float(x.mean()), float(x.std() / np.sqrt(len(x)))


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


class _Likelihood:
    """log p(y | parameters, do(target)) of draws, as quadratic forms in y and 1."""

    def __init__(self, draws: Draws) -> None:
        self.draws = draws
        self.whole, self.free = np.zeros((len(draws), (draws.n + 1) ** 2)), np.zeros(len(draws))
        for child in range(draws.n):
            form, free = self._part(child)
            self.whole += form
            self.free += free

    def _part(self, child: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of one child: the form float64[S, (n + 1)^2], and what does not depend on y."""
        draws = self.draws
        off = -np.concatenate([draws.weight[:, :, child], draws.intercept[:, [child]]], axis=1)
        off[:, child] += 1.0
        variance = draws.variance[:, child]
        off /= np.sqrt(2 * variance)[:, None]
        return -_squares(off), -0.5 * np.log(2 * np.pi * variance)

    def __call__(self, y: NDArray[np.float64], target: int) -> NDArray[np.float64]:
        """float64[S, M] of rows y [M, n]."""
        form, free = self._part(target)
        return (self.whole - form) @ _squares(_with_ones(y)).T + (self.free - free)[:, None]


def _in_units(draws: Draws, centre: NDArray[np.float64], scale: NDArray[np.float64]) -> Draws:
    """Draws of (x - centre) / scale."""
    weight = draws.weight * scale[:, None] / scale
    off = draws.intercept - centre + np.einsum("i,sij->sj", centre, draws.weight)
    return Draws(draws.graph, weight, off / scale, draws.variance / scale**2)
