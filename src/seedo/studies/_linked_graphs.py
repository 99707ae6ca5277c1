"""Draws of graphs by whether, and how, one variable acts on another; with exact weights.

Graphs fall into three kinds (`KINDS`) by the link from a cause to an effect, and count by the
marginal likelihood of their families times the probability that the effect becomes the goal: the
world draws goals among what has a cause, so that a goal tells of the graph.

Up to `LISTED` variables all graphs are listed: the mass of each kind is exact, and graphs are drawn
by systematic sampling. Up to `SUMMED` they are drawn with an order of the variables, exactly, by
sums over subsets (Koivisto & Sood 2004, JMLR 5:549). A graph comes with each of its linear
extensions, so that a draw counts one over their number, which is counted, too (Ellis & Wong 2008,
JASA 103:778). A graph is without a path from cause to effect if and only if some order has the
effect first: orders with the effect first give the unlinked graphs, those with the cause first the
others.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.nn import logsumexp
from numpy.typing import NDArray

from seedo.inference.scores import family_table
from seedo.worlds import enumerate_dags

KINDS = ("unlinked", "indirect", "arrow")
"""No path from cause to effect; paths but no arrow; the arrow."""

LISTED, SUMMED = 5, 10
"""Most variables for which graphs are listed, and for which they are drawn with an order."""

_Floats = NDArray[np.float64]


class Drawn(NamedTuple):
    """S draws of graphs of each kind for B histories; the even and the odd ones are halves.

    Attributes:
        log_mass: float64[2, B, 3], log of the sum over the graphs of a kind of what they count,
            estimated from either half (nats, up to a constant of the history); -inf for none.
        family: int[B, 3, S, n], the variables' families, as places in `family_table`.
        weight: float64[B, 3, S], what each draw counts among its kind, up to a factor.
    """

    log_mass: _Floats
    family: NDArray[np.int64]
    weight: _Floats


def draw_graphs(
    score: _Floats,
    max_parents: int,
    link: tuple[int, int],
    draws: int,
    seed: int,
    numbers: NDArray[np.int64],
) -> Drawn:
    """Graphs of every kind for B histories.

    Args:
        score: of the families, float64[B, n, F], nats.
        max_parents: largest in-degree, as in `family_table`.
        link: cause and effect.
        draws: S, even.
        seed, numbers: of the draws; numbers of the histories, int64[B].
    """
    if score.shape[1] <= LISTED:
        return _listed(score, max_parents, link, draws, seed, numbers)
    keys = jax.vmap(lambda i: jax.random.fold_in(jax.random.key(seed), i))(jnp.asarray(numbers))
    with jax.enable_x64(True):
        found = _ordered(jnp.asarray(score), keys, max_parents, link, draws)
    return Drawn(*(np.asarray(column) for column in found))


class _Listing(NamedTuple):
    """The K graphs in which the effect may become the goal, sorted by kind."""

    family: NDArray[np.int64]  # [K, n]
    log_goal: _Floats  # [K], of the probability that the effect becomes the goal
    starts: NDArray[np.int64]  # [4], where each kind begins, and the end


@cache
def _listing(n: int, max_parents: int, link: tuple[int, int]) -> _Listing:
    cause, effect = link
    dags = enumerate_dags(n, max_parents).astype(np.int64)
    reach = dags
    for _ in range(n - 1):
        reach = np.minimum(dags + reach @ dags, 1)
    kind = reach[:, cause, effect] + dags[:, cause, effect]
    # As the world draws goals: among what has a cause, or among all where nothing has.
    movable = dags.sum(1) > 0
    movable |= dags.sum((1, 2))[:, None] == 0
    order = np.argsort(kind, kind="stable")
    order = order[movable[order, effect]]
    code = np.einsum("kij,i->kj", dags[order], 1 << np.arange(n))
    table = family_table(n, max_parents).code
    family = np.stack([np.argsort(t)[np.searchsorted(np.sort(t), c)]
                       for t, c in zip(table, code.T, strict=True)], axis=1)  # fmt: skip
    starts = np.searchsorted(kind[order], np.arange(len(KINDS) + 1))
    return _Listing(family, -np.log(movable[order].sum(1)), starts)


def _listed(
    score: _Floats,
    max_parents: int,
    link: tuple[int, int],
    draws: int,
    seed: int,
    numbers: NDArray[np.int64],
) -> Drawn:
    graphs = _listing(score.shape[1], max_parents, link)
    log_p = graphs.log_goal + sum(
        score[:, child, graphs.family[:, child]] for child in range(score.shape[1])
    )
    log_mass = np.empty((len(score), len(KINDS)))
    picked = np.empty((*log_mass.shape, draws), np.int64)
    for row, number in enumerate(numbers):
        shift = np.random.default_rng([seed, int(number)]).random(len(KINDS))
        for kind, (start, stop) in enumerate(zip(graphs.starts, graphs.starts[1:], strict=False)):
            # Each kind by itself: beside the others an unlikely one would vanish.
            top = log_p[row, start:stop].max()
            summed = np.exp(log_p[row, start:stop] - top).cumsum()
            log_mass[row, kind] = top + np.log(summed[-1])
            at = (np.arange(draws) + shift[kind]) / draws * summed[-1]
            picked[row, kind] = start + np.searchsorted(summed[:-1], at, side="right")
    both = np.broadcast_to(log_mass, (2, *log_mass.shape))
    return Drawn(both, graphs.family[picked], np.ones(picked.shape))


class _Sets(NamedTuple):
    """The subsets of n variables, as bit masks, by size."""

    members: tuple[NDArray[np.int64], ...]  # of each size 1..n: its sets, [C]
    has: NDArray[np.bool_]  # [2^n, n]
    without: NDArray[np.int64]  # [2^n, n], the set less one variable


@cache
def _sets(n: int) -> _Sets:
    codes = np.arange(1 << n)
    has = (codes[:, None] >> np.arange(n) & 1).astype(bool)
    size = has.sum(1)
    members = tuple(codes[size == k] for k in range(1, n + 1))
    return _Sets(members, has, codes[:, None] & ~(1 << np.arange(n)))


@partial(jax.jit, static_argnames=("max_parents", "link", "draws"))
def _ordered(score: Any, keys: Any, max_parents: int, link: tuple[int, int], draws: int) -> Any:
    """The fields of `Drawn`."""
    cause, effect = link

    def one(episode: Any) -> Any:
        score, key = episode
        first, second = jax.random.split(key)
        unlinked = _with_orders(score, first, max_parents, (effect, cause), draws)
        others = _with_orders(score, second, max_parents, (cause, effect), draws)
        kind = _kinds(others[1], max_parents, link)
        family = jnp.stack([unlinked[1], others[1], others[1]])
        log_weight = jnp.stack([unlinked[2], *(jnp.where(kind == k, others[2], -jnp.inf)
                                               for k in (1, 2))])  # fmt: skip
        log_weight += jax.vmap(lambda f: _log_goal(f, max_parents, effect))(family)
        halves = log_weight.reshape(len(KINDS), -1, 2)
        scale = jnp.stack([unlinked[0], others[0], others[0]])[:, None]
        return scale + logsumexp(halves, 1), family, jnp.exp(log_weight)

    log_mass, family, weight = jax.lax.map(one, (score, keys))
    return jnp.moveaxis(log_mass, 2, 0), family, weight


def _with_orders(
    score: Any, key: Any, max_parents: int, order: tuple[int, int], draws: int
) -> tuple[Any, Any, Any]:
    """Graphs drawn with an order in which `order[0]` comes before `order[1]`.

    Returns:
        log of the sum over such pairs of order and graph; families int[S, n]; float64[S], minus
        the log of the number of such orders of each graph.
    """
    n, sets = len(score), _sets(len(score))
    code = jnp.asarray(family_table(n, max_parents).code)
    ahead, behind = order
    allowed = jnp.asarray(sets.has[:, ahead] | ~sets.has[:, behind])
    has, without = jnp.asarray(sets.has), jnp.asarray(sets.without)

    within = (code & ~jnp.arange(1 << n)[:, None, None]) == 0
    local = logsumexp(jnp.where(within, score, -jnp.inf), axis=-1)  # [2^n, n]
    total = jnp.full(1 << n, -jnp.inf).at[0].set(0.0)
    for own in sets.members:
        term = total[without[own]] + local[without[own], jnp.arange(n)]
        term = jnp.where(has[own] & allowed[own][:, None], term, -jnp.inf)
        total = total.at[own].set(logsumexp(term, axis=1))

    left = jnp.full(draws, (1 << n) - 1)
    family = jnp.zeros((draws, n), int)
    for step in range(n):
        uniform = jax.random.uniform(jax.random.fold_in(key, step), (2, draws, 1))
        before = without[left]
        term = total[before] + local[before, jnp.arange(n)]
        last = _pick(jnp.where(has[left], term, -jnp.inf), uniform[0])
        left = before[jnp.arange(draws), last]
        fits = (code[last] & ~left[:, None]) == 0
        chosen = _pick(jnp.where(fits, score[last], -jnp.inf), uniform[1])
        family = family.at[jnp.arange(draws), last].set(chosen)

    parents = code[jnp.arange(n), family]  # [S, n]
    orders = jnp.zeros((1 << n, draws)).at[0].set(1.0)
    for own in sets.members:
        previous = without[own]
        legal = (parents.T & ~previous[..., None]) == 0  # [C, n, S]
        legal &= (has[own] & allowed[own][:, None])[..., None]
        orders = orders.at[own].set((legal * orders[previous]).sum(1))
    return total[-1], family, -jnp.log(orders[-1])


def _pick(log_weight: Any, uniform: Any) -> Any:
    """A place in each row, with these log weights, by a uniform number."""
    top = log_weight.max(-1, keepdims=True)
    summed = jnp.exp(log_weight - top).cumsum(-1)
    return (summed[:, :-1] <= uniform * summed[:, -1:]).sum(-1)


def _kinds(family: Any, max_parents: int, link: tuple[int, int]) -> Any:
    """Place in `KINDS` of S graphs, int[S, n]."""
    n = family.shape[-1]
    parents = jnp.asarray(family_table(n, max_parents).code)[jnp.arange(n), family]
    cause, effect = link
    above = parents[:, effect]
    for _ in range(n - 1):
        inside = (above[:, None] >> jnp.arange(n)) & 1
        for child in range(n):
            above = above | inside[:, child] * parents[:, child]
    return (above >> cause & 1) + (parents[:, effect] >> cause & 1)


def _log_goal(family: Any, max_parents: int, goal: int) -> Any:
    """Log of the probability that a variable becomes the goal, in S graphs, int[S, n]."""
    n = family.shape[-1]
    parents = jnp.asarray(family_table(n, max_parents).code)[jnp.arange(n), family]
    movable = parents > 0
    movable = movable | ~movable.any(-1, keepdims=True)
    return jnp.where(movable[:, goal], -jnp.log(movable.sum(-1)), -jnp.inf)
