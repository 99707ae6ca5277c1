"""The posterior over DAGs, sampled: for more variables than can be summed over."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.inference.exact import _chains
from seedo.inference.scores._score_table import ScoreTable

MAX_VARIABLES = 64
"""Sets of nodes are the bits of one word."""

MAX_CANDIDATES = 16
"""Most candidate parents of a node: tables grow as K 2^K."""

NEGLIGIBLE = 0.02
"""An edge is held to be constant if no chain can have it more (or less) often than this."""

HOTTEST = 0.15
"""Power of the posterior that the hottest replica samples."""

ROUGH = 100.0
"""Nats by which the best family of any variable beats no parents, at the power of the posterior
where chains begin: there they move freely."""

STAGE = 25
"""Sweeps at each power on the way up."""

WORK = 7.5e7
"""Most sweeps of all replicas, times the square of the variables: about a minute on one core."""

# A sweep's moves: where the posterior is peaked it is the graph moves that mix, and where it is
# not, either kind does.
PARTITION_MOVES, GRAPH_MOVES = 10, 20

Progress = Callable[[int, int], None]
"""Is called with (steps done, steps in all)."""


@dataclass(frozen=True, eq=False)
class SampledPosterior:
    """Draws of C chains with their convergence (Vehtari et al. 2021, Bayesian Anal. 16:667).

    R-hat and effective sample size (ESS) are those of split chains, rank-normalised for the log
    score and plain for the edges' indicators. An edge that is present in less than
    NEGLIGIBLE / C of all draws, or absent in less, is held to be constant and left out: then it
    is so in less than NEGLIGIBLE of any one chain's draws.

    Attributes:
        graphs: bool[C, draws, n, n] (parent, child).
        log_score: float64[C, draws], of each graph (nats, up to the table's constant).
        score_rhat, score_ess: of the log score.
        edge_rhat, edge_ess: float64[n, n]; NaN for constant edges. R-hat is infinite where chains
            never change but differ.
        acceptance: share of proposals that changed something, by kind of move, in the last round,
            over the replicas that sample the posterior itself; for "exchange" the smallest share
            of any pair of neighbouring replicas.
        sweeps: that each chain made in all.
        target_rhat: what `converged` asks for.
    """

    graphs: NDArray[np.bool_]
    log_score: NDArray[np.float64]
    score_rhat: float
    score_ess: float
    edge_rhat: NDArray[np.float64]
    edge_ess: NDArray[np.float64]
    acceptance: dict[str, float]
    sweeps: int
    target_rhat: float

    @property
    def max_rhat(self) -> float:
        """Of the log score and every edge that varies."""
        return float(np.nanmax([self.score_rhat, *self.edge_rhat.ravel()]))

    @property
    def min_ess(self) -> float:
        """Of the log score and every edge that varies."""
        return float(np.nanmin([self.score_ess, *self.edge_ess.ravel()]))

    @property
    def converged(self) -> bool:
        return self.max_rhat < self.target_rhat

    def edge_marginals(self) -> NDArray[np.float64]:
        """float64[n, n]: share of graphs in which i is a parent of j."""
        return self.graphs.mean((0, 1))

    def ancestor_marginals(self) -> NDArray[np.float64]:
        """float64[n, n]: share of graphs in which a directed path leads from i to j."""
        n = self.graphs.shape[-1]
        total = np.zeros((n, n))
        for chain in self.graphs:
            reach = chain
            for _ in range(max(n - 1, 1).bit_length()):  # doubles the length of path followed
                step = reach.astype(np.float32)
                reach = reach | (step @ step > 0)
            total += reach.mean(0)
        return total / len(self.graphs)


def sample_posterior(
    table: ScoreTable,
    *,
    draws: int = 1000,
    chains: int = 4,
    seed: int = 0,
    target_rhat: float = 1.01,
    max_sweeps: int | None = None,
    replicas: int | None = None,
    progress: Progress | None = None,
) -> SampledPosterior:
    """Partition MCMC with parallel tempering (`_chains`), in rounds until the chains agree.

    Each chain starts from graphs of its own: drawn from the posterior given a random order. Where
    the posterior is so peaked that it would stay there, it comes up through rising powers of it
    (annealing; Kirkpatrick et al. 1983, Science 220:671). After `draws` / 2 sweeps to warm up,
    round r keeps every 2^r-th sweep's graph, `draws` in all; if R-hat is not small enough by then,
    they are thrown away and round r + 1 goes on from where it ended. So at least a third of all
    sweeps are discarded. The budget is in sweeps, not in seconds: the same arguments give the same
    bytes.

    Args:
        table: scores; -inf forbids a parent set.
        draws: graphs kept of each chain.
        chains: C, at least 2.
        seed: of everything random.
        target_rhat: rounds end when the largest R-hat is below.
        max_sweeps: of each chain; a round that would exceed it is not begun. If not given, 32
            draws, or fewer (but one round) where they would be more work than WORK.
        replicas: tempered copies of each chain, their powers falling geometrically from 1 to
            HOTTEST. If not given, as many as keep the exchange rate up as n grows.
        progress: called with (sweeps done, sweeps until the current round ends).

    Raises:
        UserError: scores that are NaN or +inf, no possible graph, too many candidates, or a
            number out of its range.
    """
    replicas = max(4, 1 + math.ceil(0.6 * math.sqrt(table.n))) if replicas is None else replicas
    if max_sweeps is None:
        affordable = int(WORK / (max(chains, 1) * max(replicas, 1) * table.n**2))
        max_sweeps = max(2 * draws, min(32 * draws, affordable))
    _check(table, draws, chains, max_sweeps, replicas)
    powers = HOTTEST ** (np.arange(replicas) / max(replicas - 1, 1))
    rng = np.random.default_rng(seed)
    starts = np.stack([_random_graph(table, rng) for _ in range(chains * replicas)])
    with jax.enable_x64(True):
        tables = _stacked([_chains.tabulate(table, power) for power in powers])
        heat, key = jnp.asarray(powers), jax.random.key(seed)
        counts = jnp.zeros((chains, replicas, len(_chains.MOVES)), jnp.int32)
        state = _chains.State(
            jnp.asarray(starts.reshape(chains, replicas, -1), jnp.int32), counts, counts
        )
        state, done = _anneal(table, state, key, draws // 2, progress)
        warm_up, thin = draws // 2, 1
        while True:
            step = 1 if warm_up else thin
            end = done + (warm_up or draws * thin)
            state = state._replace(tried=counts, moved=counts)
            kept, scores = [], []
            for _ in range(warm_up or draws):
                state, score = _chains.advance(
                    tables, heat, state, key, done, step, PARTITION_MOVES, GRAPH_MOVES
                )
                kept.append(np.asarray(state.parents[:, 0]))
                scores.append(np.asarray(score))
                done += step
                if progress is not None:
                    progress(done, end)
            if warm_up:
                warm_up = 0
                continue
            result = _summarise(table, np.stack(kept, 1), np.stack(scores, 1),
                                _acceptance(state), done, target_rhat)  # fmt: skip
            thin *= 2
            if result.converged or done + draws * thin > max_sweeps:
                return result


def _anneal(
    table: ScoreTable,
    state: _chains.State,
    key: jax.Array,
    most: int,
    progress: Progress | None,
) -> tuple[_chains.State, int]:
    """All replicas at powers of the posterior that rise to 1, doubling; and how many sweeps it
    took: none where the posterior is not peaked."""
    best = np.where(np.isfinite(table.score[:, 0]), table.score.max(1) - table.score[:, 0], 0.0)
    stages = min(int(np.ceil(np.log2(max(best.max() / ROUGH, 1.0)))), most // 4)
    sweeps = min(most, STAGE * stages)
    done, replicas = 0, state.parents.shape[1]
    for stage in range(stages):
        power = 2.0 ** (stage - stages)
        tables = _stacked([_chains.tabulate(table, power)] * replicas)
        heat = jnp.asarray(np.full(replicas, power))
        until = sweeps * (stage + 1) // stages
        while done < until:
            state, _ = _chains.advance(
                tables, heat, state, key, done, 1, PARTITION_MOVES, GRAPH_MOVES
            )
            done += 1
            if progress is not None and done % 16 == 0:
                progress(done, sweeps)
    if stages:
        # They were all alike so far, and each on its own: the most probable go on as the coldest
        # of every chain.
        parents = np.asarray(state.parents)
        score = table.score[np.arange(table.n), parents].sum(-1)
        order = np.argsort(-score, axis=None, kind="stable").reshape(replicas, -1).T
        best_first = parents.reshape(-1, table.n)[order]
        state = state._replace(parents=jnp.asarray(best_first))
    return state, done


def _stacked(tables: list[_chains.Tables]) -> _chains.Tables:
    stacked: _chains.Tables = jax.tree.map(lambda *parts: jnp.stack(parts), *tables)
    return stacked


def _check(table: ScoreTable, draws: int, chains: int, max_sweeps: int, replicas: int) -> None:
    if np.isnan(table.score).any() or np.isposinf(table.score).any():
        raise UserError("scores", None, "each must be a finite number, or -inf to forbid a family")
    if table.n > MAX_VARIABLES:
        raise UserError("variables", table.n, f"give at most {MAX_VARIABLES}")
    if table.k > MAX_CANDIDATES:
        raise UserError("candidate parents", table.k, f"give at most {MAX_CANDIDATES} a variable")
    if draws < 4:
        raise UserError("draws", draws, "give at least 4 a chain")
    if chains < 2:
        raise UserError("chains", chains, "give at least 2, to compare them")
    if max_sweeps < 2 * draws:
        raise UserError("max_sweeps", max_sweeps, f"give at least {2 * draws}, twice the draws")
    if replicas < 1:
        raise UserError("replicas", replicas, "give at least 1")


def _random_graph(table: ScoreTable, rng: np.random.Generator) -> NDArray[np.int64]:
    """int64[n] parent sets drawn given a random order, one of those in which all are possible."""
    n, sets = table.n, np.arange(1 << table.k)
    placed = np.zeros(n, np.bool_)
    chosen = np.zeros(n, np.int64)
    for _ in range(n):
        # Sets never become impossible as more variables are placed: greed misses no order.
        for node in rng.permutation(np.flatnonzero(~placed)):
            absent = (~placed[table.candidates[node]] << np.arange(table.k)).sum()
            score = np.where(sets & absent, -np.inf, table.score[node])
            if np.isfinite(score.max()):
                break
        else:
            raise UserError("scores", None, "they forbid every acyclic graph; allow more families")
        chosen[node] = np.argmax(score + rng.gumbel(size=len(sets)))
        placed[node] = True
    return chosen


def _acceptance(state: _chains.State) -> dict[str, float]:
    tried = np.asarray(state.tried.sum(0), np.float64)
    moved = np.asarray(state.moved.sum(0), np.float64)
    exchange = _chains.MOVES.index("exchange")
    rates = {name: float(moved[0, i] / tried[0, i]) for i, name in enumerate(_chains.MOVES)
             if tried[0, i] and i != exchange}  # fmt: skip
    if len(tried) > 1:
        rates["exchange"] = float((moved[:, exchange] / tried[:, exchange]).min())
    return rates


def _summarise(
    table: ScoreTable,
    parents: NDArray[np.int32],
    log_score: NDArray[np.float64],
    acceptance: dict[str, float],
    sweeps: int,
    target_rhat: float,
) -> SampledPosterior:
    chains, _, n = parents.shape
    graphs = np.zeros((*parents.shape, n), np.bool_)
    for child, candidates in enumerate(table.candidates):
        bits = parents[:, :, child, None] >> np.arange(table.k) & 1
        graphs[:, :, candidates, child] = bits.astype(np.bool_)
    share = graphs.mean((0, 1))
    edge_rhat, edge_ess = np.full((2, n, n), np.nan)
    for i, j in np.argwhere(np.minimum(share, 1 - share) >= NEGLIGIBLE / chains):
        edge = graphs[:, :, i, j].astype(np.float64)
        edge_rhat[i, j], edge_ess[i, j] = _convergence(edge, "split", "mean")
    score_rhat, score_ess = _convergence(log_score, "rank", "bulk")
    return SampledPosterior(graphs, log_score, score_rhat, score_ess, edge_rhat, edge_ess,
                            acceptance, sweeps, target_rhat)  # fmt: skip


def _convergence(values: NDArray[np.float64], rhat: str, ess: str) -> tuple[float, float]:
    """R-hat and ESS of float64[C, draws]; 1 and the number of draws if nothing ever changes."""
    if np.ptp(values) == 0:
        return 1.0, float(values.size)
    from arviz_stats.base.array import array_stats  # here, because it takes long to import

    with np.errstate(divide="ignore", invalid="ignore"):  # no variance within chains
        found = float(array_stats.rhat(values, method=rhat))
        size = float(array_stats.ess(values, method=ess))
    return (math.inf if math.isnan(found) else found), size
