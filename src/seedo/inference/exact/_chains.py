"""Markov chains over DAGs whose every step leaves the posterior of a `ScoreTable` unchanged.

A DAG belongs to exactly one ordered partition: block 0 holds its sources, block b the sources left
when blocks 0..b-1 are removed. Partition MCMC (Kuipers & Moffa 2017, JASA 112:282) moves between
partitions with the graphs summed out; unlike order MCMC it counts every graph once, so it has no
bias. Where the posterior is peaked, partitions alone mix badly, because moving a node drags its
descendants from block to block. A sweep therefore goes on to draw a graph given the partition and
to move in the space of graphs: edge reversals that redraw both families (Grzegorczyk & Husmeier
2008, Mach. Learn. 71:265) and Gibbs draws of one node's family among all its non-descendants.

A family's candidates are split into two halves of h bits, so that a parent set is drawn exactly by
two choices among 2^h rather than one among 2^K.

Everything is float64 (`jax.enable_x64`): families differ by thousands of nats, graphs by fractions.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.nn import logsumexp
from numpy.typing import NDArray

from seedo.inference.scores._score_table import ScoreTable

MOVES = ("relocate", "swap nodes", "split or join", "swap blocks", "reverse edge", "exchange")
# How often each of the four partition moves is proposed, cumulated.
_SHARES = (0.5, 0.7, 0.9)


class Tables(NamedTuple):
    """Sums over a node's parent sets, in nats; K is even (padded with the node itself), h = K/2.

    Attributes:
        candidates: int32[n, K].
        place: int32[n, n]; place[i, j] is j's bit among the candidates of i, or -1.
        member: uint64[n], node i as a set of nodes: 2^i.
        empty: float64[n], score of no parents.
        holding: float64[n, K, 2^(K-1)]; [i, k, s] sums the sets of bit k and any subset of s, where
            bit k is left out of the numbering of s.
        first: float64[n, 2, 2^h, 2^h]; [i, side, s, a] sums the sets whose one half is a and whose
            other half is a subset of s. On side 0 the high bits are a, on side 1 the low ones.
        second: float64[n, 2, 2^h, 2^h]; [i, side, a, b], the set of halves a and b.
    """

    candidates: Array
    place: Array
    member: Array
    empty: Array
    holding: Array
    first: Array
    second: Array


class State(NamedTuple):
    """One replica: int32[n] parent sets as bits of `Tables.candidates`; counts by `MOVES`."""

    parents: Array
    tried: Array
    moved: Array


def _sum_subsets(values: NDArray[np.float64], bits: int) -> NDArray[np.float64]:
    """Log-space zeta transform of the last axis, of length 2^bits."""
    total = values.copy()
    for k in range(bits):
        pairs = total.reshape(*values.shape[:-1], -1, 2, 1 << k)
        pairs[..., 1, :] = np.logaddexp(pairs[..., 0, :], pairs[..., 1, :])
    return total


def tabulate(table: ScoreTable, power: float = 1.0) -> Tables:
    """The sums for the posterior raised to a power (a replica's inverse temperature)."""
    n, k = table.n, max(table.k + table.k % 2, 2)
    half = k // 2
    own = np.arange(n)[:, None]
    candidates = np.concatenate([table.candidates, np.repeat(own, k - table.k, axis=1)], axis=1)
    score = np.full((n, 1 << k), -np.inf)
    score[:, : 1 << table.k] = power * table.score
    place = np.full((n, n), -1)
    np.put_along_axis(place, table.candidates, np.arange(table.k)[None], axis=1)

    with_bit = [score.reshape(n, -1, 2, 1 << bit)[:, :, 1].reshape(n, -1) for bit in range(k)]
    holding = np.stack([_sum_subsets(part, k - 1) for part in with_bit], axis=1)
    high_low = score.reshape(n, 1 << half, 1 << half)
    second = np.stack([high_low, high_low.swapaxes(1, 2)], axis=1)
    first = _sum_subsets(second, half).swapaxes(2, 3)
    member = np.uint64(1) << np.arange(n, dtype=np.uint64)
    integers = (jnp.asarray(candidates, jnp.int32), jnp.asarray(place, jnp.int32))
    return Tables(*integers, jnp.asarray(member), jnp.asarray(score[:, 0]), jnp.asarray(holding),
                  jnp.asarray(first), jnp.asarray(second))  # fmt: skip


def _bits(flags: Array) -> Array:
    """int32[...] from bool[..., K], bit k for place k."""
    return (flags * (1 << jnp.arange(flags.shape[-1], dtype=jnp.int32))).sum(-1, dtype=jnp.int32)


def _flags(sets: Array, bits: int) -> Array:
    return (sets[..., None] >> jnp.arange(bits, dtype=jnp.int32) & 1).astype(bool)


def _below(uniform: Array, count: Array | int) -> Array:
    """A whole number in 0..count-1 (0 if count is 0)."""
    return jnp.maximum(jnp.minimum(uniform * count, count - 1), 0).astype(jnp.int32)


def _choose(log_weight: Array, uniform: Array) -> Array:
    """Place in the last axis, drawn in proportion to the weights; arbitrary if all are 0."""
    top = log_weight.max(-1, keepdims=True)
    mass = jnp.exp(log_weight - jnp.where(jnp.isfinite(top), top, 0.0)).cumsum(-1)
    at = (mass <= uniform[..., None] * mass[..., -1:]).sum(-1, dtype=jnp.int32)
    return jnp.minimum(at, log_weight.shape[-1] - 1)


# ------------------------------------------------------------------------------------- families


_Halves = tuple[Array, Array, Array]


def _first_half(tables: Tables, node: Array, allowed: Array, must: Array) -> _Halves:
    """Weights of the first half of a parent set that lies in `allowed` and, if must >= 0, has it.

    The half that holds `must` comes first, so that no subtraction is needed.

    Returns:
        float64[2^h] log weights; the side (see `Tables.first`); what the other half may use.
    """
    size = tables.first.shape[-1]
    half = size.bit_length() - 1
    side = ((must >= 0) & (must < half)).astype(jnp.int32)
    low, high = allowed & (size - 1), allowed >> half
    outer, inner = jnp.where(side == 0, high, low), jnp.where(side == 0, low, high)
    needed = jnp.where(must < 0, 0, 1 << jnp.where(side == 0, must - half, must))
    options = jnp.arange(size, dtype=jnp.int32)
    fits = (options & ~outer == 0) & (options & needed == needed)
    return jnp.where(fits, tables.first[node, side, inner], -jnp.inf), side, inner


def _finish(
    tables: Tables, node: Array, weight: Array, side: Array, inner: Array, uniform: Array
) -> Array:
    """A parent set drawn in proportion to its score, from `_first_half`; uniform float64[2]."""
    size = len(weight)
    a = _choose(weight, uniform[0])
    fits = jnp.arange(size, dtype=jnp.int32) & ~inner == 0
    b = _choose(jnp.where(fits, tables.second[node, side, a], -jnp.inf), uniform[1])
    return jnp.where(side == 0, a * size + b, b * size + a)


def _draw(tables: Tables, node: Array, allowed: Array, must: Array, uniform: Array) -> Array:
    return _finish(tables, node, *_first_half(tables, node, allowed, must), uniform)


def graph_score(tables: Tables, parents: Array) -> Array:
    size = tables.first.shape[-1]
    n = len(parents)
    return tables.second[jnp.arange(n), 0, parents // size, parents % size].sum()


# ----------------------------------------------------------------------------------- partitions


def _blocks(tables: Tables, parents: Array) -> Array:
    """int32[n], the block of every node: the length of the longest path that ends there."""
    above = _above(tables, parents)

    def peel(carry):
        block, left = carry
        stays = (above & left != 0) & (left & tables.member != 0)
        return block + stays, jnp.where(stays, tables.member, 0).sum(dtype=jnp.uint64)

    start = jnp.zeros(len(parents), jnp.int32), tables.member.sum(dtype=jnp.uint64)
    return lax.while_loop(lambda carry: carry[1] != 0, peel, start)[0]


def _by_first_adjacent(tables: Tables, block: Array) -> tuple[Array, Array]:
    """Log sums over a node's allowed parent sets, split by the first parent one block before it.

    Split that way they add up; "all allowed minus those without an adjacent parent" would cancel.

    Returns:
        float64[n, K] the sums and int32[n, K] the candidates each of them may use.
    """
    n, k = tables.candidates.shape
    theirs = block[tables.candidates]
    adjacent = theirs == block[:, None] - 1
    lower = (1 << jnp.arange(k, dtype=jnp.int32)) - 1
    usable = _bits(theirs < block[:, None])[:, None] & ~(_bits(adjacent)[:, None] & lower)
    others = (usable & lower) | (usable >> 1 & ~lower)
    terms = tables.holding[jnp.arange(n)[:, None], jnp.arange(k), others]
    return jnp.where(adjacent, terms, -jnp.inf), usable


def partition_score(tables: Tables, block: Array) -> Array:
    """Log sum over all graphs of a partition, block int32[n]; -inf if there are none."""
    terms, _ = _by_first_adjacent(tables, block)
    return jnp.where(block == 0, tables.empty, logsumexp(terms, axis=-1)).sum()


def _draw_graph(tables: Tables, block: Array, uniform: Array) -> Array:
    """A graph given its partition, int32[n] parent sets; uniform float64[n, 3]."""
    terms, usable = _by_first_adjacent(tables, block)
    must = _choose(terms, uniform[:, 0])
    nodes = jnp.arange(len(block))
    allowed = jnp.take_along_axis(usable, must[:, None], axis=1)[:, 0]
    sets = jax.vmap(partial(_draw, tables))(nodes, allowed, must, uniform[:, 1:])
    return jnp.where(block == 0, 0, sets)


def _renumber(label: Array, values: int) -> Array:
    """Labels below `values` as 0, 1, ... without gaps, in the same order."""
    present = (label[:, None] == jnp.arange(values)).any(0).astype(jnp.int32)
    return (present.cumsum(dtype=jnp.int32) - present)[label]


def _propose(block: Array, uniform: Array) -> tuple[Array, Array, Array]:
    """Another partition, the log Hastings ratio of the proposal, and its place in `MOVES`."""
    n = len(block)
    nodes = jnp.arange(n)
    count = block.max() + 1
    u, coin = uniform[:3], uniform[3:] < 0.5

    # Relocate: take a node out and put it into a random block or gap (odd and even places) of
    # what is left; the way back is the same choice.
    node = _below(u[1], n)
    rest = jnp.where(nodes == node, n, block)
    rest = jnp.where(nodes == node, 0, _renumber(rest, n + 1))
    left = jnp.where(nodes == node, -1, rest).max() + 1
    relocated = _renumber(
        jnp.where(nodes == node, _below(u[2], 2 * left + 1), 2 * rest + 1), 2 * n + 1
    )

    other = _below(u[2], n)
    swapped = jnp.where(nodes == node, block[other], jnp.where(nodes == other, block[node], block))

    # Split a block of s nodes by s coins, or join two neighbours: chosen among as many blocks as
    # there are pairs of neighbours afterwards, so that only the coins remain in the ratio.
    split = u[1] < 0.5
    chosen = _below(u[2], count)
    divided = _renumber(2 * block + ((block == chosen) & coin), 2 * n)
    possible = divided.max() == count
    divide_ratio = jnp.where(possible, (block == chosen).sum() * jnp.log(2.0), -jnp.inf)
    pair = _below(u[2], count - 1)
    joined = block - (block > pair)
    join_ratio = jnp.where(count > 1, -(joined == pair).sum() * jnp.log(2.0), -jnp.inf)

    exchanged = block + (block == pair) - (block == pair + 1)

    kind = (u[0] >= jnp.asarray(_SHARES)).sum()
    new = jnp.stack([relocated, swapped, jnp.where(split, divided, joined), exchanged])[kind]
    ratio = jnp.where(kind == 2, jnp.where(split, divide_ratio, join_ratio), 0.0)
    return new, ratio, kind


def _move_partition(tables: Tables, carry, uniform: Array):
    block, score, tried, moved = carry
    new, ratio, kind = _propose(block, uniform[1:])
    new_score = partition_score(tables, new)
    accept = jnp.log(uniform[0]) < new_score - score + ratio
    tried = tried.at[kind].add(1)
    moved = moved.at[kind].add(accept & (new != block).any())
    return (jnp.where(accept, new, block), jnp.where(accept, new_score, score), tried, moved), None


# --------------------------------------------------------------------------------------- graphs


def _above(tables: Tables, parents: Array) -> Array:
    """uint64[n]: each node's parents as a set of nodes."""
    flags = _flags(parents, tables.candidates.shape[1])
    return jnp.where(flags, tables.member[tables.candidates], 0).sum(-1, dtype=jnp.uint64)


def _reached(tables: Tables, above: Array, start: Array) -> Array:
    """The nodes at `start` and all their descendants, as sets of nodes: uint64[...]."""

    def grow(carry):
        seen, _ = carry
        below = jnp.where(above & seen[..., None] != 0, tables.member, 0).sum(-1, dtype=jnp.uint64)
        return seen | below, (below & ~seen != 0).any()

    return lax.while_loop(lambda carry: carry[1], grow, (start, jnp.asarray(True)))[0]


def _outside(tables: Tables, node: Array, region: Array) -> Array:
    """The candidates of a node that are not in a set of nodes."""
    return _bits(tables.member[tables.candidates[node]] & region == 0)


def _redraw_family(tables: Tables, parents: Array, uniform: Array) -> Array:
    """Gibbs: a node's parents anew, among all sets that close no cycle; uniform float64[3]."""
    node = _below(uniform[0], len(parents))
    below = _reached(tables, _above(tables, parents), tables.member[node])
    new = _draw(tables, node, _outside(tables, node, below), jnp.asarray(-1), uniform[1:])
    return parents.at[node].set(new)


def _reverse_edge(tables: Tables, parents: Array, uniform: Array) -> tuple[Array, Array]:
    """Turns a random edge round, drawing both ends' families anew; uniform float64[6].

    Grzegorczyk & Husmeier 2008: with i -> j the edge and both ends made orphans, i gets
    parents that include j, then j gets parents; the ratio is that of the four sums drawn from.
    """
    n, k = tables.candidates.shape
    sizes = lax.population_count(parents)
    edges = sizes.sum()
    rank = _below(uniform[0], edges)
    j = jnp.minimum((sizes.cumsum() <= rank).sum(), n - 1)
    rank -= sizes.cumsum()[j] - sizes[j]
    i = tables.candidates[j, jnp.minimum((_flags(parents[j], k).cumsum() <= rank).sum(), k - 1)]

    nodes = jnp.arange(n)
    orphaned = jnp.where((nodes == i) | (nodes == j), 0, _above(tables, parents))
    below = _reached(tables, orphaned, tables.member[jnp.stack([i, j])])
    # Once either end is the other's parent, what lies below the one lies below both.
    either = below[0] | below[1]
    i_in_j, j_in_i = tables.place[j, i], tables.place[i, j]
    # There: i with j, then j. Back: j with i, then i.
    ends = jnp.stack([i, j, j, i])
    allowed = jax.vmap(partial(_outside, tables))(
        ends, jnp.stack([below[0], either, below[1], either])
    )
    must = jnp.stack([j_in_i, jnp.full_like(i_in_j, -1), i_in_j, jnp.full_like(i_in_j, -1)])
    weight, side, inner = jax.vmap(partial(_first_half, tables))(ends, allowed, must)
    sums = logsumexp(weight, axis=-1)
    drawn = jax.vmap(partial(_finish, tables))(
        ends[:2], weight[:2], side[:2], inner[:2], uniform[1:5].reshape(2, 2)
    )
    new = parents.at[ends[:2]].set(drawn)
    possible = (edges > 0) & (j_in_i >= 0) & jnp.isfinite(sums[:2]).all()
    ratio = jnp.log(edges / lax.population_count(new).sum()) + sums[:2].sum() - sums[2:].sum()
    accept = possible & (jnp.log(uniform[5]) < ratio)
    return jnp.where(accept, new, parents), accept


# --------------------------------------------------------------------------------------- sweeps


def _sweep(tables: Tables, state: State, by_partition: Array, draw: Array, by_graph: Array):
    """Moves of a partition, a graph drawn from it, moves of the graph."""
    parents, tried, moved = state
    if by_partition.shape[0]:
        block = _blocks(tables, parents)
        carry = block, partition_score(tables, block), tried, moved
        (block, _, tried, moved), _ = lax.scan(
            partial(_move_partition, tables), carry, by_partition
        )
        parents = _draw_graph(tables, block, draw)

    def move(carry, uniform):
        parents, moved = carry
        parents, accepted = _reverse_edge(tables, parents, uniform[:6])
        return (_redraw_family(tables, parents, uniform[6:]), moved + accepted), None

    (parents, reversed_), _ = lax.scan(move, (parents, jnp.zeros((), jnp.int32)), by_graph)
    reverse = MOVES.index("reverse edge")
    return State(parents, tried.at[reverse].add(by_graph.shape[0]),
                 moved.at[reverse].add(reversed_))  # fmt: skip


def _exchange(powers: Array, score: Array, odd: Array, uniform: Array, state: State) -> State:
    """Neighbouring replicas trade graphs; score float64[T] of each, not raised to its power."""
    count = len(powers)
    replica = jnp.arange(count)
    lower = jnp.where((replica - odd) % 2 == 0, replica, replica - 1)
    inside = (lower >= 0) & (lower + 1 < count)
    lower = jnp.where(inside, lower, 0)
    upper = jnp.minimum(lower + 1, count - 1)
    ratio = (powers[lower] - powers[upper]) * (score[upper] - score[lower])
    accept = inside & (jnp.log(uniform[lower]) < ratio)
    source = jnp.where(accept, lower + upper - replica, replica)
    place = MOVES.index("exchange")
    return State(state.parents[source], state.tried.at[:, place].add(inside),
                 state.moved.at[:, place].add(accept))  # fmt: skip


# The kernels are too small for LLVM's dearer passes to pay: they only make compiling slower.
@partial(
    jax.jit,
    static_argnames=("partition_moves", "graph_moves"),
    compiler_options={"xla_backend_optimization_level": 1},
)
def advance(
    tables: Tables,
    powers: Array,
    state: State,
    key: Array,
    begin: Array,
    sweeps: Array,
    partition_moves: int,
    graph_moves: int,
) -> tuple[State, Array]:
    """Some sweeps of all chains.

    Args:
        tables: one for every replica, stacked: leading axis T.
        powers: float64[T], the power of the posterior that each replica samples, the first 1.
        state: leading axes [chains, T].
        key: of the whole run; sweep s draws from `fold_in(key, s)`.
        begin: number of the first sweep.
        sweeps: how many.
        partition_moves: moves of the partition in a sweep; with 0 only graphs are moved.
        graph_moves: in a sweep, edge reversals and as many family draws.

    Returns:
        The state and float64[chains], the log score of each chain's graph at power 1.
    """
    chains, replicas, n = state.parents.shape
    sizes = partition_moves * (4 + n), 3 * n, 9 * graph_moves, 1
    every = jax.vmap(jax.vmap(_sweep), in_axes=(None, 0, 0, 0, 0))
    scores = jax.vmap(jax.vmap(graph_score), in_axes=(None, 0))

    def sweep(number, state):
        uniform = jax.random.uniform(jax.random.fold_in(key, number),
                                     (chains, replicas, sum(sizes)), jnp.float64)  # fmt: skip
        parts = jnp.split(uniform, np.cumsum(sizes)[:-1], axis=-1)
        by_partition = parts[0].reshape(chains, replicas, partition_moves, 4 + n)
        draw = parts[1].reshape(chains, replicas, n, 3)
        by_graph = parts[2].reshape(chains, replicas, graph_moves, 9)
        state = every(tables, state, by_partition, draw, by_graph)
        if replicas == 1:
            return state
        plain = scores(tables, state.parents) / powers
        return jax.vmap(_exchange, in_axes=(None, 0, None, 0, 0))(
            powers, plain, number % 2, parts[3][..., 0], state
        )

    state = lax.fori_loop(begin, begin + sweeps, sweep, state)
    return state, scores(tables, state.parents)[:, 0]
