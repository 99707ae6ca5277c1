"""What the exact posterior says after every experiment of a logged episode, and how right it is."""

from __future__ import annotations

import json
from functools import partial

import jax
import numpy as np
from numpy.typing import NDArray

from seedo.episodes import EXPLOIT, EXPLORE, OBSERVE, Dataset, EpisodeBatch, concatenate
from seedo.errors import UserError
from seedo.inference import GraphPrior, UnknownNoise
from seedo.inference.exact import (
    SubsetPosterior,
    bayes_posterior,
    bayes_supported,
    graph_posterior,
)
from seedo.inference.scores import Moments, fuse
from seedo.studies._histories import in_equal_parts
from seedo.tables import Table
from seedo.worlds import DagConfig

SCORES = ("return", "f1", "shd", "bits")
_AT_ONCE = 256  # posteriors in one compiled call
_TIE = 1e-9


def scores_by_experiment(dataset: Dataset) -> dict[str, NDArray[np.float64]]:
    """How well a Bayes-optimal reader would do if it stopped after 0, 1, ..., T experiments.

    Reads the log alone. As nothing that is chosen while exploring depends on how many steps are
    left, the reader after t experiments is the very player of a world with t experiments.

    Args:
        dataset: episodes of a world `dag` with an exact posterior and one goal each, with systems.

    Returns:
        float64[B, T + 1] each: `return`, exact expected goal value of the action with the highest
        posterior mean; `f1` of the directed edges with probability above 1/2; `shd`, posterior
        expectation of the structural Hamming distance (a reversed edge counts once); `bits`,
        entropy of the posterior over graphs. float64[B] each: `oracle`, `random`.

    Raises:
        UserError: no exact posterior for that world, or a log without systems.
    """
    parts = []
    for shard in range(len(dataset.shards)):
        without = [name for name in dataset.optional if name != "system"]
        parts.append(_scores(dataset.read_shard(shard, without=without)))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _scores(batch: EpisodeBatch) -> dict[str, NDArray[np.float64]]:
    config = DagConfig.from_dict(json.loads(batch.origin.world_config))
    reason = bayes_supported(config.to_dict())
    if reason is not None:
        raise UserError("world", batch.origin.world, reason)
    if batch.system is None:
        raise UserError("system", None, "the log has no systems: play it with `perform`")
    n = batch.n
    systems = [json.loads(text) for text in batch.system]
    truth = np.array([s["weights"] for s in systems])[:, :n, :n] != 0
    expected = np.array([s["expected"] for s in systems])  # [B, n, V, n]

    gram, rows = moments_by_experiment(batch)
    posterior = bayes_posterior(config.to_dict(), n)
    edges, effects, bits = _beliefs(posterior, gram, rows)
    goal = batch.goal[:, -1].astype(np.int64)
    worth = _worth(effects, expected, goal, np.asarray(config.do_values))
    f1, shd = structure_scores(edges, truth[:, None])
    return {
        "return": worth,
        "f1": f1,
        "shd": shd,
        "bits": bits,
        "oracle": batch.oracle_return.astype(np.float64),
        "random": batch.random_return.astype(np.float64),
    }


def scores_with_unknown_noise(dataset: Dataset, episodes: int) -> dict[str, NDArray[np.float64]]:
    """Structure scores of who reads the same rows without knowing the noise variance.

    Then observations leave equivalent graphs open (see `seedo.inference.UnknownNoise`), which
    only experiments tell apart. Of the first `episodes` episodes, `f1`, `shd` and `bits` as in
    `scores_by_experiment`.
    """
    without = [name for name in dataset.optional if name != "system"]
    batch = dataset.read_shard(0, without=without)
    for shard in range(1, len(dataset.shards)):
        if batch.rows >= episodes:
            break
        batch = concatenate([batch, dataset.read_shard(shard, without=without)])
    batch = batch.take(slice(0, episodes))
    config = DagConfig.from_dict(json.loads(batch.origin.world_config))
    prior = GraphPrior(batch.n, min(config.max_parents, batch.n - 1))
    last = int((batch.phase[0] == EXPLORE).sum()) + 1
    first = int((batch.phase[0] == OBSERVE).sum())
    edges = np.empty((batch.rows, last, batch.n, batch.n))
    bits = np.empty((batch.rows, last))
    for episode, experiments in np.ndindex(bits.shape):
        seen = first + experiments
        if seen == 0:
            nothing = np.zeros((1, 1, batch.n))
            flat = SubsetPosterior(batch.n, prior.max_parents or 0)
            gram = np.zeros((1, 1, batch.n, batch.n, batch.n))
            found, _, entropy = _beliefs(flat, gram, nothing)
            edges[episode, 0], bits[episode, 0] = found[0, 0], entropy[0, 0]
            continue
        table = Table.from_rows(
            batch.origin.variables, batch.outcome[episode, :seen], batch.target[episode, :seen]
        )
        posterior = graph_posterior(fuse(table, UnknownNoise(), prior).scores, draws=1)
        edges[episode, experiments] = posterior.edges
        bits[episode, experiments] = posterior.entropy_bits
    assert batch.system is not None
    weights = np.array([json.loads(text)["weights"] for text in batch.system])
    f1, shd = structure_scores(edges, weights[:, None, : batch.n, : batch.n] != 0)
    return {"f1": f1, "shd": shd, "bits": bits}


def moments_by_experiment(
    batch: EpisodeBatch,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`Moments` of all observations and the first 0, 1, ..., T experiments.

    Returns:
        gram float64[B, T + 1, n, n, n] and rows float64[B, T + 1, n].
    """
    phase = batch.phase[0]
    if (batch.phase != phase).any() or phase[-1] != EXPLOIT:
        raise UserError("phase", None, "all episodes must have the same phases, exploiting last")
    variables = np.arange(batch.n)

    def of(steps: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of every step by itself: [B, steps, n, n, n], [B, steps, n]."""
        x = batch.outcome[:, steps].astype(np.float64)
        free = (batch.target[:, steps, None] != variables).astype(np.float64)
        return np.einsum("etj,eta,etb->etjab", free, x, x), free

    seen = batch.outcome[:, phase == OBSERVE].astype(np.float64)
    passive = np.matmul(seen.transpose(0, 2, 1), seen)[:, None, None]  # the same for every node
    gram, rows = of(np.flatnonzero(phase == EXPLORE))
    gram = np.concatenate([np.zeros_like(gram[:, :0].sum(1, keepdims=True)), gram], 1).cumsum(1)
    rows = np.concatenate([np.zeros((batch.rows, 1, batch.n)), rows], 1).cumsum(1)
    return gram + passive, rows + seen.shape[1]


def structure_scores(
    edges: NDArray[np.float64], truth: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """F1 of the edges with probability above 1/2, and the expected structural Hamming distance.

    Args:
        edges: P(i -> j), float64[..., n, n].
        truth: bool[..., n, n], broadcast against it.

    Returns:
        float64[...] each. F1 is 1 where there is no edge and none is claimed.
    """
    claimed = edges > 0.5
    right = (claimed & truth).sum((-1, -2))
    total = claimed.sum((-1, -2)) + truth.sum((-1, -2))
    f1 = np.where(total == 0, 1.0, 2 * right / np.maximum(total, 1))
    # A pair of variables is unlinked, linked one way, or the other; SHD counts the wrong pairs.
    backwards, reverse = np.swapaxes(edges, -1, -2), np.swapaxes(truth, -1, -2)
    correct = np.where(truth, edges, np.where(reverse, backwards, 1 - edges - backwards))
    above = np.triu(np.ones(edges.shape[-2:], bool), 1)
    return f1, ((1 - correct) * above).sum((-1, -2))


def _beliefs(
    posterior: SubsetPosterior, gram: NDArray[np.float64], rows: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Edge probabilities and expected effects [B, T + 1, n, n], entropy [B, T + 1] (bits)."""
    shape, n = rows.shape[:2], posterior.n
    gram, rows = gram.reshape(-1, n, n, n), rows.reshape(-1, n)

    def part(at: NDArray[np.int64]) -> tuple[jax.Array, jax.Array, jax.Array]:
        return _posterior(posterior, gram[at], rows[at])

    # 2,000 rows leave differences of fractions of a nat between scores of thousands.
    with jax.enable_x64(True):
        edges, effects, bits = in_equal_parts(len(rows), _AT_ONCE, part)
    return edges.reshape(*shape, n, n), effects.reshape(*shape, n, n), bits.reshape(shape)


@partial(jax.jit, static_argnames="posterior")
def _posterior(posterior: SubsetPosterior, gram: jax.Array, rows: jax.Array):
    def one(gram, rows):
        moments = Moments(gram, rows)
        edges, effects = posterior.edge_marginals(moments), posterior.effect_matrix(moments)
        return edges, effects, posterior.entropy(moments)

    return jax.vmap(one)(gram, rows)


def _worth(
    effects: NDArray[np.float64],
    expected: NDArray[np.float64],
    goal: NDArray[np.int64],
    do_values: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Exact expected goal value of the best-looking action, float64[B, T + 1]; equals are drawn."""
    episodes = np.arange(len(goal))
    on_goal = effects[episodes, :, :, goal]  # [B, T + 1, n]
    looks = on_goal[..., None] * do_values  # [B, T + 1, n, V]
    legal = (np.arange(looks.shape[2]) != goal[:, None])[:, None, :, None]
    looks = np.where(legal, looks, -np.inf)
    top = looks.max((-1, -2), keepdims=True)
    best = looks >= top - _TIE * np.maximum(np.abs(top), 1e-2)
    true = expected[episodes, :, :, goal][:, None]  # [B, 1, n, V]
    return np.where(best, true, 0.0).sum((-1, -2)) / best.sum((-1, -2))
