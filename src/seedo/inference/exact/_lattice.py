"""Exact posterior over all DAGs by dynamic programming over the lattice of node sets.

Let g_j(U) be the sum of exp(score) over the parent sets of j within U, A(S) the total weight of
the DAGs on S, and H(R) that of the DAGs on the nodes V - R outside R when each of them may also
have parents in R. Inclusion and exclusion over sinks (first line) or over nodes whose parents all
lie in R (the others) give, with sums over T and R + T short for a union of disjoint sets,

    A(S)              = sum_{T != {}} (-1)^(|T|+1) A(S - T) prod_{k in T} g_k(S - T)
    H(R)              = sum_{T != {}} (-1)^(|T|+1) H(R + T) prod_{k in T} g_k(R)
    P(N_j = R) A(V)   = A(R) sum_{T with j} (-1)^(|T|+1) H(R + T) prod_{k in T} g_k(R)
    P(parents_j = P)  = exp(score_j(P)) sum_{R contains P} P(N_j = R) / g_j(R)

where N_j is the set of non-descendants of j: j draws its parents from R, and no other node outside
R may do without a parent outside R, which makes all of them descendants of j. Source: Robinson,
"Counting labeled acyclic digraphs", 1973, for A; Tian & He, "Computing posterior probabilities of
structural features in Bayesian networks", UAI 2009, for such sums with scores and for edges. That
the third line is P(N_j = R), so that ancestors come with the edges, is derived as just said.

Why signs do no harm: a term of A(S) or H(R) weighs DAGs that are all among those of the total, so
no term is larger than what it adds up to, and a relative error of A(R) reaches A(V) times the
probability that no edge leads into R, at most 1. Most is lost where every set is likely to be such
an R, hence where the empty graph is likely; `LatticePosterior.deviation` measures the loss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.inference.scores._score_table import ScoreTable

LARGEST_LATTICE = 20
"""The most variables `LatticePosterior` takes."""

TOLERANCE = 1e-7
"""The largest `LatticePosterior.deviation` that is accepted."""

_CHUNK = 1 << 17  # pairs (R, T) at a time: what the cache holds

_SPREAD = 3e7  # nats; what exponents of products over all nodes hold in 32 bits
_ROUNDER = 1.5 * 2.0**30  # adding it leaves no bits below 2^-22: 52 - 30

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]
_Advance = Callable[[int], None]


@dataclass(frozen=True, eq=False)
class LatticePosterior:
    """Exact posterior over all DAGs, every one with the weight exp(sum of its families' scores).

    Nothing is added to the scores: a prior uniform over families is uniform over DAGs. Made by
    `from_scores`; the methods then take O(n^2 2^n).

    Attributes:
        table: the scores.
        log_evidence: log of the sum over DAGs of exp(score), nats.
        log_local: float64[n, 2^(n-1)], log of the sum of exp(score) over the parent sets within a
            set, less the node's best score, in the bit order of `table.score`; nats.
        non_descendants: float64[n, 2^(n-1)], probability that a set is the set of non-descendants
            of the node (itself not counted), in the same order; each row sums to 1.
        deviation: largest distance from 1 of a row sum of `non_descendants`, which nothing but
            rounding takes away from 1: the precision of what was computed.
    """

    table: ScoreTable
    log_evidence: float
    log_local: _Floats
    non_descendants: _Floats
    deviation: float

    @staticmethod
    def from_scores(
        table: ScoreTable, progress: Callable[[int, int], None] | None = None
    ) -> LatticePosterior:
        """Sums over all DAGs in O(3^n) time and O(n 2^n) memory.

        Measured on two busy cores (`benchmarks/exact_scale.py`), edges and ancestors included, the
        scores' own 8 n 2^(n-1) bytes not: 0.5 s at n = 15, 3 s and 40 MiB at 17, 8 s and 90 MiB at
        18, 85 s and 330 MiB at 20.

        Args:
            table: scores of every parent set (K = n - 1), -inf where one is forbidden.
            progress: called with (pairs of disjoint sets done, 2 * 3^n) again and again.

        Raises:
            UserError: parents are excluded beforehand (not `table.full`), there are more than
                `LARGEST_LATTICE` variables, a score is NaN or +inf, a node's scores spread over
                more than 3e7 nats, the scores forbid every DAG, or `deviation` exceeds `TOLERANCE`.
        """
        _check(table)
        n = table.n
        log_local = _relative(table)
        _add_subsets(log_local)

        done, total = 0, 2 * 3**n

        def advance(pairs: int) -> None:
            nonlocal done
            done += pairs
            if progress:
                progress(done, total)

        local = _split(log_local)
        within = _sums_within(local, advance)
        if not within.value[-1] > 0:
            raise UserError("scores", None, "they forbid every graph; allow more parent sets")
        non_descendants = _non_descendants(local, within, advance)
        deviation = float(abs(non_descendants.sum(axis=1) - 1).max())
        if not deviation <= TOLERANCE:
            raise UserError(
                "scores",
                None,
                f"exact sums over graphs lost precision (probabilities sum to 1 within"
                f" {deviation:.0e}, not {TOLERANCE:.0e}); sample graphs instead",
            )
        evidence = (
            log(within.value[-1]) + float(within.scale[-1]) * log(2) + table.score.max(axis=1).sum()
        )
        return LatticePosterior(table, float(evidence), log_local, non_descendants, deviation)

    @property
    def n(self) -> int:
        return self.table.n

    @cached_property
    def _parent_sets(self) -> _Floats:
        log_ratio = np.full_like(self.log_local, -np.inf)
        np.log(self.non_descendants, out=log_ratio, where=self.non_descendants > 0)
        np.subtract(log_ratio, self.log_local, out=log_ratio, where=self.non_descendants > 0)
        _add_supersets(log_ratio)
        log_ratio += _relative(self.table)
        probability: _Floats = np.exp(log_ratio, out=log_ratio)
        probability.setflags(write=False)
        return probability

    def parent_set_marginals(self) -> _Floats:
        """P(a set is the parent set of the node), float64[n, 2^(n-1)], ordered as `table.score`.

        Read-only; computed once.
        """
        return self._parent_sets

    def edge_marginals(self) -> _Floats:
        """P(i -> j), float64[n, n] (parent, child)."""
        return self._by_variable(self._parent_sets, 1)

    def ancestor_marginals(self) -> _Floats:
        """P(a directed path leads from i to j), float64[n, n]; 0 on the diagonal."""
        return self._by_variable(self.non_descendants, 0).T

    def entropy_bits(self) -> float:
        """Entropy of the posterior over DAGs, bits: (log evidence - E[score]) / log 2."""
        relative = np.where(self._parent_sets > 0, _relative(self.table), 0)  # 0 log 0 = 0
        expected = (self._parent_sets * relative).sum(axis=1)
        # Where scores lie thousands of nats apart, what rounding took from a sum of 1 matters.
        expected /= self._parent_sets.sum(axis=1)
        best = self.table.score.max(axis=1).sum()
        return max(float(self.log_evidence - best - expected.sum()), 0.0) / log(2)

    def _by_variable(self, probability: _Floats, inside: int) -> _Floats:
        """P(the node's set holds the variable), or (inside = 0) does not, [variable, node].

        0 for a node itself.
        """
        found = np.zeros((self.n, self.n))
        node = np.arange(self.n)
        for k in range(self.n - 1):
            chosen = probability.reshape(self.n, -1, 2, 1 << k)[:, :, inside]
            found[self.table.candidates[:, k], node] = chosen.sum(axis=(1, 2))
        return found


def _check(table: ScoreTable) -> None:
    if not table.full:
        raise UserError("candidates", table.k, f"exact sums need all {table.n - 1} for each node")
    if table.n > LARGEST_LATTICE:
        raise UserError(
            "variables", table.n, f"exact sums take at most {LARGEST_LATTICE}; sample graphs"
        )
    if np.isnan(table.score).any() or np.isposinf(table.score).any():
        raise UserError("scores", None, "NaN or +inf; give numbers, or -inf to forbid a parent set")
    finite = np.isfinite(table.score)
    lowest = table.score.min(axis=1, where=finite, initial=np.inf)
    spread = (table.score.max(axis=1) - lowest).max()
    if spread > _SPREAD:
        raise UserError("scores", f"spread over {spread:.1e} nats", f"at most {_SPREAD:.0e}")
    barren = np.flatnonzero(np.isneginf(table.score).all(axis=1))
    if len(barren):
        raise UserError("scores", None, f"every parent set of variable {barren[0]} is forbidden")


def _relative(table: ScoreTable) -> _Floats:
    """Scores less the best of the node: what all have in common would cost digits."""
    return table.score - table.score.max(axis=1, keepdims=True)


def _add_subsets(log_values: _Floats) -> None:
    """In place, f(U) := sum of f(P) over P within U, of logs, along the last axis [rows, 2^K]."""
    for lower, upper in _halves(log_values):
        np.logaddexp(lower, upper, out=upper)


def _add_supersets(log_values: _Floats) -> None:
    """In place, f(P) := sum of f(R) over R that contain P, of logs, along the last axis."""
    for lower, upper in _halves(log_values):
        np.logaddexp(lower, upper, out=lower)


def _halves(values: _Floats) -> Iterator[tuple[_Floats, _Floats]]:
    """For every bit of the last index: views of the entries without and with it."""
    rows, size = values.shape
    for k in range(size.bit_length() - 1):
        pairs = values.reshape(rows, -1, 2, 1 << k)
        yield pairs[:, :, 0], pairs[:, :, 1]


def _without(sets: _Ints, node: _Ints) -> _Ints:
    """Position of a set in the order of the node's candidates: its bit mask less the node's bit."""
    above: _Ints = sets >> (node + 1) << node
    return above | (sets & ((1 << node) - 1))


class _Local(NamedTuple):
    """g_j(U) = mantissa 2^exponent, each [n, 2^(n-1)]; 0 where every parent set is forbidden.

    Logs would do but for their rounding, which grows with their size and differs between the terms
    of one sum, so that it does not cancel where the terms do; products of mantissas and sums of
    exponents cost nothing like it.
    """

    log: _Floats
    mantissa: _Floats
    exponent: NDArray[np.int32]


def _split(log_local: _Floats) -> _Local:
    exponent = np.floor(_zero_where_forbidden(log_local) / log(2))
    mantissa = np.exp(log_local - exponent * log(2))
    return _Local(log_local, mantissa, exponent.astype(np.int32))


class _Pairs(NamedTuple):
    """B sets R of one size with the subsets T of their complements, m = n - |R| nodes."""

    sets: _Ints  # [B] bit masks
    outside: _Ints  # [B, m], nodes not in R, ascending
    place: _Ints  # [B, m], R in the order of the candidates of each of those
    union: _Ints  # [B, 2^m] bit masks of R + T; bit p of T is node outside[:, p]
    mantissa: _Floats  # [B, 2^m], of (-1)^(|T|+1) times the product of g_k(R) over k in T
    exponent: NDArray[np.int32]  # [B, 2^m], of the same


def _pairs(local: _Local, size: int) -> Iterator[_Pairs]:
    """All pairs of disjoint sets R, T with |R| = size, chunk by chunk."""
    n = len(local.log)
    m = n - size
    level = _level(n, size)
    step = max(1, _CHUNK >> m)
    for start in range(0, len(level), step):
        sets = level[start : start + step]
        outside = _nodes(~sets, n)
        place = _without(sets[:, None], outside)
        factor = -local.mantissa[outside, place]
        power = local.exponent[outside, place]
        union = np.empty((len(sets), 1 << m), np.int64)
        mantissa = np.empty(union.shape)
        exponent = np.empty(union.shape, np.int32)
        union[:, 0], mantissa[:, 0], exponent[:, 0] = sets, -1, 0
        for p in range(m):
            old, new = slice(0, 1 << p), slice(1 << p, 2 << p)
            np.add(union[:, old], 1 << outside[:, p, None], out=union[:, new])
            np.multiply(mantissa[:, old], factor[:, p, None], out=mantissa[:, new])
            np.add(exponent[:, old], power[:, p, None], out=exponent[:, new])
        yield _Pairs(sets, outside, place, union, mantissa, exponent)


def _level(n: int, size: int) -> _Ints:
    """Bit masks of the sets of this size, ascending."""
    codes = np.arange(1 << n, dtype=np.int64)
    return codes[np.bitwise_count(codes) == size]


def _nodes(sets: _Ints, n: int) -> _Ints:
    """Members of sets [B] of one size, [B, size], ascending."""
    held = (sets[:, None] >> np.arange(n) & 1).astype(bool)
    return np.nonzero(held)[1].reshape(len(sets), -1)


def _zero_where_forbidden(logs: _Floats) -> _Floats:
    """For a scale: what is -inf is 0 in any finite scale, and -inf - -inf would be NaN."""
    return np.where(np.isneginf(logs), 0, logs)


def _scale(log_local: _Floats, grown: bool) -> NDArray[np.int32]:
    """Exponents of powers of 2 that A(S) (`grown`) or H(R) is between 1 and 2 n! times, [2^n].

    The largest product of g_j(predecessors) over the orders of S (of V - R after R) is the weight
    of the DAGs that agree with the best order; all orders together weigh no less than all DAGs.
    """
    n = len(log_local)
    best = np.zeros(1 << n)
    for size in range(1, n + 1) if grown else reversed(range(n)):
        sets = _level(n, size)
        last = _nodes(sets if grown else ~sets, n)
        before = best[sets[:, None] ^ 1 << last]
        best[sets] = (before + log_local[last, _without(sets[:, None], last)]).max(axis=1)
    return np.floor(_zero_where_forbidden(best) / log(2)).astype(np.int32)


class _Sums(NamedTuple):
    """value 2^scale, each [2^n]."""

    value: _Floats
    scale: NDArray[np.int32]


def _sums_within(local: _Local, advance: _Advance) -> _Sums:
    """A(S) for every set S."""
    n = len(local.log)
    scale = _scale(local.log, grown=True)
    # Up to C(n, n/2) times larger than A(S), the sums on the way would lose as many units in the
    # last place. Multiples of 2^-22 below 2^31 add up without error, and what is left is small.
    coarse, fine = np.zeros(1 << n), np.zeros(1 << n)
    coarse[0] = 1
    for size in range(n):
        for sets, _, _, union, term, exponent in _pairs(local, size):
            term *= (coarse[sets] + fine[sets])[:, None]
            exponent += scale[sets, None]
            exponent -= np.take(scale, union)
            np.ldexp(term, exponent, out=term)
            term[:, 0] = 0  # T = {} is no term
            rounded = term + _ROUNDER
            rounded -= _ROUNDER
            term -= rounded
            # Not `coarse[union] +=`: several R of one size reach the same set.
            np.add.at(coarse, union.ravel(), rounded.ravel())
            np.add.at(fine, union.ravel(), term.ravel())
            advance(union.size)
    advance(1)
    return _Sums(coarse + fine, scale)


def _non_descendants(local: _Local, within: _Sums, advance: _Advance) -> _Floats:
    """P(the non-descendants of j are exactly R), [n, 2^(n-1)]; sums H(R) on the way."""
    n = len(local.log)
    probability = np.empty_like(local.log)
    scale = _scale(local.log, grown=False)
    value = np.zeros(1 << n)
    value[-1] = 1
    advance(1)
    for size in reversed(range(n)):
        for sets, outside, place, union, term, exponent in _pairs(local, size):
            term *= np.take(value, union)
            exponent += np.take(scale, union)
            exponent -= scale[sets, None]
            np.ldexp(term, exponent, out=term)
            term[:, 0] = 0  # T = {} is no term
            prefix = np.ldexp(
                within.value[sets] / within.value[-1],
                within.scale[sets] + scale[sets] - within.scale[-1],
            )
            for p in reversed(range(n - size)):
                without, having = term[:, : 1 << p], term[:, 1 << p :]
                # Rounding may leave a little less than nothing.
                found = np.maximum(having.sum(axis=1), 0)
                probability[outside[:, p], place[:, p]] = prefix * found
                term = without + having
            value[sets] = term[:, 0]
            advance(union.size)
    return probability
