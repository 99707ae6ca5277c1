"""What the next experiment is expected to teach, and what that is worth.

Model and prior are those of `SubsetPosterior`. An experiment do(x_i = v) gives one row Y. For a
graph G, p(Y | G, D) is a product of normal densities, one for each node j but i, which depends on
G through j's parents P alone (Bishop, Pattern Recognition and Machine Learning, 2006, eq. 3.58):

    r_j(P) = N(y_j; m_P . y_P, s^2 + y_P' C_P y_P),     m_P, C_P given the rows D,

where s^2 is `noise_variance`, or `root_variance` where P is empty and there is one.

So Y multiplies the score of family (j, P) by r_j(P), and the recursion over subsets gives the
density under all graphs at once, from the shares that its terms had before Y:

    g_j(U) = sum_P P(P | P within U, D) r_j(P)
    rho(S) = sum_T share(S, T) rho(S - T) prod_{j in T} g_j(S - T),     rho(V) = p(Y | D).

Raising every r_j(P) to a power t and differentiating log rho at t = 1 gives E[log p(Y | G) | D, Y],
hence the information in Y about the graph, exact in graphs and weights:

    KL(G | D, Y : G | D) = d/dt log rho - log rho.

Only the mean over Y is estimated (Lindley 1956; for causal graphs Tong & Koller, IJCAI 2001). It
does not depend on the sign of v: turning all signs around changes neither moments nor densities.
Outcomes are drawn from a mixture that is easy to sample at any size: an order of the variables,
then parents among each one's predecessors, both given D (Koller & Friedman, Probabilistic Graphical
Models, 2009, section 18.5.2). Graphs that fit many orders come up too often there, so a draw weighs
p(Y | D) / q(Y | D), where q has a recursion of its own, over the last variables of orders. Draws
come from a randomly shifted Sobol set that all experiments share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from math import log
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from seedo.errors import UserError
from seedo.inference.exact._subsets import SubsetPosterior, _Growth, _plan
from seedo.inference.scores._families import (
    Moments,
    Rows,
    add_row,
    as_moments,
    family_noise,
    weight_covariance,
)

INFORMATION_DRAWS = 256
"""Outcomes drawn for the information of each experiment unless told otherwise."""
VALUE_DRAWS = 64
"""Outcomes drawn for the value of each experiment unless told otherwise."""

_TINY = 1e-30
_BLOCK_FLOATS = 2**17  # working numbers of the draws handled at once: they stay in the cache


def expected_information_gain(
    posterior: SubsetPosterior,
    evidence: Rows | Moments,
    do_values: Sequence[float],
    key: PRNGKeyArray,
    draws: int = INFORMATION_DRAWS,
    targets: Sequence[int] | None = None,
) -> Float[Array, "n V"]:
    """Mutual information between the graph and the outcome of every experiment, in bits.

    Pure; may be jitted and vmapped over episodes (which are then worked off one by one, so that
    memory stays small and a number never depends on its neighbours).

    Args:
        posterior: the model; its `n` variables are all that exist.
        evidence: of one episode, outcome float[R, n] and target int[R], or moments.
        do_values: the V values an experiment may set.
        key: the same key gives the same numbers.
        draws: outcomes drawn for each experiment, a power of two from 8 on.
        targets: what may be set, -1 for nothing (an observation, whatever the value): the rows of
            the result; None: each variable in turn.

    Raises:
        UserError: `draws` is no such number.
    """

    def judge(sample: _Sample) -> jax.Array:
        return _information(posterior, sample)

    cells = _cells(posterior.n)
    nats = _average(posterior, evidence, do_values, key, draws, cells, judge, targets=targets)
    return nats / log(2)


def value_of_information(
    posterior: SubsetPosterior,
    evidence: Rows | Moments,
    do_values: Sequence[float],
    key: PRNGKeyArray,
    goal: Float[Array, " n"] | None = None,
    draws: int = VALUE_DRAWS,
) -> Float[Array, "n V"]:
    """By how much one more experiment raises the expected return of exploiting, in goal units.

    The return of exploiting is max over i != g and v of v E[effect of i on g | all rows], averaged
    over goals g (Raiffa & Schlaifer, Applied Statistical Decision Theory, 1961: the expected value
    of sample information). Pure; may be jitted and vmapped as `expected_information_gain` is.

    Args:
        posterior, evidence, do_values, key, draws: as in `expected_information_gain`.
        goal: probability of every variable to be the goal; one-hot for a known goal, None for
            `goal_probabilities`.
    """
    moments = as_moments(evidence)
    if goal is None:
        goal = goal_probabilities(posterior, moments)
    now = posterior.effect_matrix(moments)
    values = tuple(float(v) for v in do_values)
    best = _action_values(now, values).argmax(0)

    def judge(sample: _Sample, best: jax.Array, goal: jax.Array) -> jax.Array:
        later = _action_values(_updated_effects(posterior, sample), values)
        # What is best now is worth the same on average later: taking it off leaves the mean gain
        # and removes most of the variance.
        stay = jnp.take_along_axis(later, best[None, :, None], 0)[0]
        return goal @ (later.max(0) - stay)

    cells = _cells(posterior.n) * posterior.n
    return _average(posterior, moments, values, key, draws, cells, judge, best, goal)


def goal_probabilities(posterior: SubsetPosterior, evidence: Rows | Moments) -> Float[Array, " n"]:
    """Probability of every variable to be the goal, while hidden, up to dependence between them.

    Goals are drawn among variables that something can move: in proportion to P(has a parent).
    """
    growth = posterior._grow(posterior.family_scores(evidence))
    # The first family of every node is the empty one.
    orphan = posterior._expect(growth, lambda _, at: growth.local[at, :, 0][:, None])[0]
    movable = jnp.maximum(1 - orphan, 1e-6)
    return movable / movable.sum()


class ExperimentBatch(NamedTuple):
    """Experiments to be done together.

    Attributes:
        target: int[b], variables to set.
        value: float[b], to what.
        gain: float[b], bits that each is expected to add to those before it.
    """

    target: Int[Array, " b"]
    value: Float[Array, " b"]
    gain: Float[Array, " b"]


def batch_information_gain(
    posterior: SubsetPosterior,
    evidence: Rows | Moments,
    do_values: Sequence[float],
    key: PRNGKeyArray,
    size: int,
    draws: int = INFORMATION_DRAWS,
    fantasies: int = 32,
) -> ExperimentBatch:
    """Chooses `size` experiments whose outcomes will be seen together, one after the other.

    The next one has the largest information gain averaged over drawn outcomes of those already
    chosen, so that none repeats what another will tell: the greedy choice of I(G; Y_1 .. Y_b | D),
    by its chain rule. Arguments and errors as in `expected_information_gain`; `fantasies` is the
    number of drawn outcomes, a power of two from 8 on.
    """
    if not isinstance(size, int) or size < 1:
        raise UserError("size", size, "use a whole number of experiments above 0")
    _check_draws("fantasies", fantasies)
    values = jnp.asarray([float(v) for v in do_values])
    moments = as_moments(evidence)
    many = jax.tree.map(lambda a: jnp.broadcast_to(a, (fantasies, *a.shape)), moments)
    weight = jnp.ones(fantasies)
    chosen: list[tuple[jax.Array, jax.Array, jax.Array]] = []
    for number in range(size):
        key_gain, key_draw = jax.random.split(jax.random.fold_in(key, number))
        if number == 0:
            mean = expected_information_gain(posterior, moments, do_values, key_gain, draws)
        else:
            gain = jax.vmap(
                lambda m, k=key_gain: expected_information_gain(posterior, m, do_values, k, draws)
            )(many)
            mean = jnp.einsum("k,kiv->iv", weight, gain, precision="highest") / weight.sum()
        target, value = jnp.divmod(jnp.argmax(mean), len(values))
        chosen.append((target, values[value], mean.max()))
        points = _points(posterior.n, fantasies, key_draw)
        drawn, factor = jax.vmap(
            lambda m, p, t=target, v=values[value]: _draw_one(posterior, m, p, t, v)
        )(many, points)
        many = jax.vmap(add_row, in_axes=(0, 0, None))(many, drawn, target)
        weight = weight * factor
    return ExperimentBatch(*map(jnp.stack, zip(*chosen, strict=True)))


def best_experiment(
    worth: Float[Array, "n V"], cost: Float[Array, " n"] | None = None, least: float = 0.0
) -> Int[Array, ""]:
    """The experiment with the most worth for its cost, as target * V + value index; -1: stop.

    Args:
        worth: bits or goal units, from `expected_information_gain` or `value_of_information`.
        cost: of setting each variable, above 0; None for 1 each.
        least: stop unless worth / cost is above this: bits a unit of cost, or 1 where worth and
            cost are in the same unit.
    """
    rate = (worth if cost is None else worth / cost[:, None]).reshape(-1)
    best = jnp.argmax(rate)
    return jnp.where(rate[best] > least, best, -1)


# -- one episode: what the rows say, and drawn outcomes -------------------------------------------


class _Belief(NamedTuple):
    """Given the rows of one episode."""

    growth: _Growth
    weight: jax.Array  # [n, F, n], mean of every family's weights
    covariance: jax.Array  # [n, F, n, n]
    noise: jax.Array  # [n, F], variance of the child's own noise
    last: jax.Array  # [2^n, n], P(the last of the variables U in a random order)


class _Sample(NamedTuple):
    """A block of N drawn outcomes of one experiment."""

    belief: _Belief
    outcome: jax.Array  # [n, N]; draws are the last axis everywhere: that is what CPUs vectorise
    target: jax.Array  # []


_Judge = Callable[..., jax.Array]  # (sample, ...) -> [N]


def _average(
    posterior: SubsetPosterior,
    evidence: Rows | Moments,
    do_values: Sequence[float],
    key: PRNGKeyArray,
    draws: int,
    cells: int,
    judge: _Judge,
    *context: jax.Array,
    targets: Sequence[int] | None = None,
) -> jax.Array:
    """Mean over outcomes of what `judge(sample, *context)` makes of them, [n, V].

    `targets`: what is set, instead of each of the n variables in turn; -1: nothing.
    """
    _check_draws("draws", draws)
    sizes, back = np.unique(np.abs(np.asarray(do_values, float)), return_inverse=True)
    which = np.arange(posterior.n) if targets is None else np.asarray(targets)
    n, block = posterior.n, min(draws, max(8, 1 << (_BLOCK_FLOATS // cells).bit_length() - 1))

    @jax.custom_batching.sequential_vmap
    def mean(moments: Moments, points: jax.Array, *context: jax.Array) -> jax.Array:
        belief = _believe(posterior, moments)
        target = jnp.asarray(np.repeat(which, len(sizes)))
        value = jnp.asarray(np.tile(sizes, len(which)), points.dtype)
        outcome = _outcomes(posterior, belief, points, target, value)
        blocks = outcome.reshape(n, -1, block).swapaxes(0, 1)

        def part(one: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            sample = _Sample(belief, *one)
            return judge(sample, *context), _weight(posterior, sample)

        found, weight = jax.lax.map(part, (blocks, jnp.repeat(target, draws // block)))
        shape = (len(which), -1, draws)
        found, weight = found.reshape(shape), weight.reshape(shape)
        return (found * weight).sum(-1) / weight.sum(-1)

    return mean(as_moments(evidence), _points(n, draws, key), *context)[:, back]


def _check_draws(field: str, draws: int) -> None:
    whole = isinstance(draws, int) and not isinstance(draws, bool)
    if not whole or draws < 8 or draws & (draws - 1):
        raise UserError(field, draws, "use a power of two from 8 on")


def _cells(n: int) -> int:
    """Numbers held for one draw by the recursion."""
    return 3**n + n * 2**n


def _believe(posterior: SubsetPosterior, moments: Moments) -> _Belief:
    families = posterior.families(moments)
    growth = posterior._grow(families.score)
    covariance = weight_covariance(
        moments, posterior.table, posterior.noise_variance, posterior.weight_variance
    )
    noise = family_noise(posterior.table, posterior.noise_variance, posterior.root_variance)
    noise = jnp.broadcast_to(jnp.asarray(noise, growth.log_local.dtype), families.score.shape)
    return _Belief(growth, families.weight, covariance, noise, _last(posterior.n, growth.log_local))


@cache
def _sobol(n: int, draws: int) -> np.ndarray:
    from scipy.stats import qmc  # here, because it takes long to import

    return np.asarray(qmc.Sobol(3 * n, scramble=False).random(draws))


def _points(n: int, draws: int, key: PRNGKeyArray) -> jax.Array:
    """Evenly spread points [draws, 3n], each uniform on the unit cube."""
    moved = jnp.asarray(_sobol(n, draws), float) + jax.random.uniform(key, (3 * n,))
    return jnp.clip(moved % 1, 1e-6, 1 - 1e-6)


def _outcomes(
    posterior: SubsetPosterior,
    belief: _Belief,
    points: jax.Array,
    target: jax.Array,
    value: jax.Array,
) -> jax.Array:
    """Outcomes of A experiments at M points, [n, A, M]: same graphs and same noise for all."""
    n, without = posterior.n, jnp.asarray(_without(posterior.n))
    noise = jax.scipy.special.ndtri(points[:, :n]).T
    at = jnp.full(len(points), (1 << n) - 1)
    nodes = []
    for t in range(n):
        node = _pick(belief.last[at], points[:, n + t])
        at = without[at, node]
        nodes.append((node, _pick(belief.growth.local[at, node], points[:, 2 * n + t])))
    packed, (a, b) = _packed(belief.covariance)
    outcome = jnp.zeros((n, len(target), len(points)), points.dtype)
    for node, family in reversed(nodes):
        weight, spread = belief.weight[node, family].T, packed[node, family].T
        mean = (weight[:, None] * outcome).sum(0)
        own = belief.noise[node, family]
        variance = own + (spread[:, None] * outcome[a] * outcome[b]).sum(0)
        drawn = mean + jnp.sqrt(variance) * jnp.take_along_axis(noise, node[None], 0)
        drawn = jnp.where(node == target[:, None], value[:, None], drawn)
        outcome = jnp.where(np.arange(n)[:, None, None] == node, drawn, outcome)
    return outcome


def _draw_one(
    posterior: SubsetPosterior,
    moments: Moments,
    point: jax.Array,
    target: jax.Array,
    value: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    """One outcome [n] of one experiment, and its weight []."""
    belief = _believe(posterior, moments)
    outcome = _outcomes(posterior, belief, point[None], target[None], value[None])[:, 0]
    return outcome[:, 0], _weight(posterior, _Sample(belief, outcome, target))[0]


def _pick(probability: jax.Array, point: jax.Array) -> jax.Array:
    """The position in [..., K] at which the cumulative probability passes the point."""
    cumulative = jnp.cumsum(probability, -1)
    return (cumulative <= (point * cumulative[..., -1])[..., None]).sum(-1)


def _packed(covariance: jax.Array) -> tuple[jax.Array, tuple[np.ndarray, np.ndarray]]:
    """The coefficients of y' C y on y_a y_b, a <= b."""
    a, b = np.triu_indices(covariance.shape[-1])
    return covariance[..., a, b] * np.where(a == b, 1, 2), (a, b)


# -- recursions over subsets, for a block of draws ------------------------------------------------


class _Step(NamedTuple):
    """Subsets U of one size, and those one larger, S."""

    free: np.ndarray  # int[C, n - |U|], nodes outside U
    at: np.ndarray  # int[C, n - |U|], position of (node, U) in [n * 2^n]
    source: np.ndarray  # int[C', M], place of each of S's terms among all terms (U, T)


@cache
def _steps(n: int) -> tuple[_Step, ...]:
    plan = _plan(n)
    size = plan.inside.sum(1)
    # All terms in the order of U: one for each T outside it, the empty one first.
    first = np.concatenate([[0], np.cumsum(2 ** (n - size))])
    steps = []
    for number, level in enumerate(plan.levels):
        own = np.flatnonzero(size == number)
        free = np.stack([np.flatnonzero(~plan.inside[u]) for u in own])
        outside = ~plan.inside[level.rest]  # [C', M, n]
        bit = 2 ** np.cumsum(outside, -1) // 2  # of T's number among the subsets outside U
        source = first[level.rest] + (bit * level.sinks).sum(-1)
        steps.append(_Step(free, free * 2**n + own[:, None], source))
    return tuple(steps)


@cache
def _without(n: int) -> np.ndarray:
    """int[2^n, n]: position of U less one of its members; 0 where it is none."""
    plan = _plan(n)
    position = np.empty_like(plan.order)
    position[plan.order] = np.arange(1 << n)
    smaller = position[plan.order[:, None] & ~(1 << np.arange(n))]
    return np.where(plan.inside, smaller, 0).astype(np.int32)


def _last(n: int, log_local: jax.Array) -> jax.Array:
    """P(j comes last of U) over orders of U with parents among predecessors, [2^n, n]."""
    plan, without = _plan(n), _without(n)
    total, last = jnp.zeros(1, log_local.dtype), [jnp.zeros((1, n), log_local.dtype)]
    for number in range(1, n + 1):
        own = plan.inside.sum(1) == number
        term = total[without[own]] + log_local[without[own], np.arange(n)]
        term = jnp.where(plan.inside[own], term, -jnp.inf)
        level = jax.nn.logsumexp(term, -1)
        last.append(jnp.exp(term - level[:, None]))
        total = jnp.concatenate([total, level])
    return jnp.concatenate(last)


class _Ratios(NamedTuple):
    """What outcomes do to families."""

    log_ratio: jax.Array  # [n, F, N], log r_j(P) less its largest over P
    surprise: jax.Array  # [n, F, N], (y_j - mean) / variance; 0 for a node that was set


def _ratios(posterior: SubsetPosterior, sample: _Sample) -> _Ratios:
    belief, outcome, _ = sample
    packed, (a, b) = _packed(belief.covariance)
    square = jnp.einsum("jfp,pN->jfN", packed, outcome[a] * outcome[b], precision="highest")
    mean = jnp.einsum("jfi,iN->jfN", belief.weight, outcome, precision="highest")
    variance, error = belief.noise[..., None] + square, outcome[:, None] - mean
    was_set = (sample.target == np.arange(posterior.n))[:, None, None]
    log_ratio = -0.5 * (jnp.log(variance) + error**2 / variance)
    log_ratio = jnp.where(was_set, 0.0, log_ratio - log_ratio.max(1, keepdims=True))
    return _Ratios(log_ratio, jnp.where(was_set, 0.0, error / variance))


def _local_ratios(belief: _Belief, ratio: jax.Array) -> jax.Array:
    """g_j(U), [n, 2^n, N]."""
    return jnp.einsum("ujf,jfN->juN", belief.growth.local, ratio, precision="highest")


def _graph_terms(belief: _Belief, local: jax.Array) -> tuple[jax.Array, jax.Array]:
    """rho(U) prod_{j in T} g_j(U) of all pairs (U, T) but U = V, [3^n - 1, N]; rho, [2^n, N]."""
    flat = local.reshape(-1, local.shape[-1])
    level = jnp.ones_like(flat[:1])
    density, terms = [level], jnp.zeros_like(flat[:0])
    for step, share in zip(_steps(len(local)), belief.growth.shares, strict=True):
        factor, term = flat[step.at], level[:, None]
        for k in range(step.free.shape[1]):
            term = jnp.concatenate([term, term * factor[:, k, None]], 1)
        terms = jnp.concatenate([terms, term.reshape(-1, term.shape[-1])])
        level = jnp.einsum("cm,cmN->cN", share, terms[step.source], precision="highest")
        density.append(level)
    return terms, jnp.concatenate(density)


def _order_density(belief: _Belief, local: jax.Array) -> jax.Array:
    """q(Y | D), [N], in the unit of rho."""
    n = len(local)
    plan, without, flat = _plan(n), _without(n), local.reshape(-1, local.shape[-1])
    density = jnp.ones_like(flat[:1])
    for number in range(1, n + 1):
        own = np.flatnonzero(plan.inside.sum(1) == number)[:, None]
        member = np.stack([np.flatnonzero(plan.inside[u]) for u in own[:, 0]])
        before = without[own, member]
        term = belief.last[own, member][..., None] * density[before]
        density = jnp.concatenate([density, (term * flat[member * 2**n + before]).sum(1)])
    return density[-1]


def _weight(posterior: SubsetPosterior, sample: _Sample) -> jax.Array:
    """p(Y | D) / q(Y | D), [N]."""
    local = _local_ratios(sample.belief, jnp.exp(_ratios(posterior, sample).log_ratio))
    _, density = _graph_terms(sample.belief, local)
    return density[-1] / _order_density(sample.belief, local)


def _information(posterior: SubsetPosterior, sample: _Sample) -> jax.Array:
    """KL(G | D, Y : G | D) in nats, [N]."""
    log_ratio = _ratios(posterior, sample).log_ratio

    def log_density(power: jax.Array) -> jax.Array:
        local = _local_ratios(sample.belief, jnp.exp(power * log_ratio))
        return jnp.log(_graph_terms(sample.belief, local)[1][-1])

    one = jnp.ones((), log_ratio.dtype)
    density, expected = jax.jvp(log_density, (one,), (one,))
    return jnp.maximum(expected - density, 0)


def _updated_effects(posterior: SubsetPosterior, sample: _Sample) -> jax.Array:
    """E[total effect of i on j | D, Y], [n, n, N], as `SubsetPosterior.effect_matrix`."""
    belief, n = sample.belief, posterior.n
    found = _ratios(posterior, sample)
    ratio = jnp.exp(found.log_ratio)
    local = _local_ratios(belief, ratio)
    terms, density = _graph_terms(belief, local)
    lean = jnp.einsum("jfab,bN->jfaN", belief.covariance, sample.outcome, precision="highest")
    weight = belief.weight[..., None] + lean * found.surprise[:, :, None]
    weight = ratio[:, :, None] * weight
    weight = jnp.einsum("ujf,jfkN->ujkN", belief.growth.local, weight, precision="highest")
    # Where all families within U have become impossible, what they say no longer matters.
    weight = weight / jnp.maximum(local, _TINY).swapaxes(0, 1)[:, :, None]

    plan, itself = _plan(n), np.eye(n)[..., None]
    state, grown, start = jnp.zeros((1, n, n, ratio.shape[-1]), ratio.dtype), [], 0
    for level, step, share in zip(plan.levels, _steps(n), belief.growth.shares, strict=True):
        at = slice(start, start + len(state))
        added = (state[:, :, None] * weight[at, None]).sum(3) + itself
        grown.append(jnp.where(plan.inside[at][:, None, :, None], state, added))
        start += len(state)
        term = share[..., None] * terms[step.source]
        source = jnp.concatenate(grown)[level.rest]
        mixed = (term[:, :, None, None] * source).sum(1)
        mixed = mixed / jnp.maximum(density[start : start + len(mixed)], _TINY)[:, None, None]
        state = jnp.where(level.members[:, None, :, None], mixed, 0)
    return state[0]


def _action_values(effects: jax.Array, do_values: Sequence[float]) -> jax.Array:
    """Worth of action (i, v) for goal g, [n V, n, ...] from [n, n, ...]; -inf for the goal."""
    n = len(effects)
    values = np.asarray(do_values, np.float32).reshape(-1, *(1,) * (effects.ndim - 1))
    worth = effects[:, None] * values.astype(effects.dtype)
    own = np.eye(n, dtype=bool).reshape(n, 1, n, *(1,) * (effects.ndim - 2))
    return jnp.where(own, -jnp.inf, worth).reshape(-1, *effects.shape[1:])
