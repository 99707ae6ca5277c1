"""What the results of an episode of `dag` say about its arrows, by the world's exact posterior."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import networkx as nx
import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.inference.exact._reader import bayes_posterior, bayes_supported
from seedo.inference.exact._subsets import SubsetPosterior
from seedo.inference.scores._families import Rows

Arrows = frozenset[tuple[int, int]]
"""Pairs (cause, effect) of variables; never a cycle."""

_AT_ONCE = 64


def posterior_of(config: Mapping[str, Any], size: int) -> SubsetPosterior:
    """The exact posterior over `size` relevant variables of a world `dag` of this configuration.

    Raises:
        UserError: it is not exact for this world.
    """
    if (reason := bayes_supported({**config, "relevant": size})) is not None:
        raise UserError("world", config.get("preset", "dag"), reason)
    return bayes_posterior(config, size)


def edge_probabilities(
    config: Mapping[str, Any],
    outcome: NDArray[Any],
    target: NDArray[Any],
    relevant: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """P(i -> j | rows) of every episode under the world's exact posterior, float[B, n, n].

    Args:
        config: fields of `seedo.worlds.DagConfig`.
        outcome: float[B, R, n], rows with a NaN do not count.
        target: int[B, R].
        relevant: bool[B, n], equally many in each; the others get 0.

    Raises:
        UserError: the posterior is not exact for this world.
    """
    chosen, rows = relevant_rows(outcome, target, relevant)
    posterior = posterior_of(config, chosen.shape[1])
    found = np.zeros((len(target), outcome.shape[-1], outcome.shape[-1]))
    for start in range(0, len(target), _AT_ONCE):
        # One episode alone, as in a live game, has a shape of its own; else the last part repeats.
        size = min(_AT_ONCE, len(target) - start)
        at = np.minimum(np.arange(start, start + (_AT_ONCE if len(target) > 1 else 1)),
                        len(target) - 1)  # fmt: skip
        edges = np.asarray(_edges(posterior, Rows(rows.outcome[at], rows.target[at])))
        for row in range(size):
            own = chosen[start + row]
            found[start + row][np.ix_(own, own)] = edges[row]
    return found


@functools.partial(jax.jit, static_argnums=0)
def _edges(posterior: SubsetPosterior, rows: Rows) -> jax.Array:
    return jax.vmap(posterior.edge_marginals)(jax.tree.map(jnp.asarray, rows))


def relevant_rows(
    outcome: NDArray[Any], target: NDArray[Any], relevant: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], Rows]:
    """Indices int64[B, k] of the relevant variables, and the rows about these alone.

    Setting one of the others tells nothing about them, so it counts as an observation.

    Raises:
        UserError: episodes differ in the number of relevant variables.
    """
    sizes = relevant.sum(1)
    if len(set(sizes.tolist())) != 1:
        raise UserError("relevant variables", None, "give episodes that have equally many")
    chosen = np.argsort(~relevant, axis=1, kind="stable")[:, : int(sizes[0])]
    rank = np.where(relevant, np.cumsum(relevant, 1) - 1, -1)
    own = np.where(target < 0, -1, np.take_along_axis(rank, np.maximum(target, 0).astype(int), 1))
    seen = np.take_along_axis(outcome, chosen[:, None, :], 2)
    return chosen, Rows(seen.astype(np.float32), own.astype(np.int32))


def likely_arrows(probability: NDArray[np.float64]) -> Arrows:
    """Arrows more likely than not, the likeliest first; one that would close a circle is left out.

    Expected wrong arrows are fewest so, circles aside (expected F1 may be higher for others).
    """
    found = nx.DiGraph()
    found.add_nodes_from(range(len(probability)))
    pairs = [(int(i), int(j)) for i, j in np.argwhere(probability > 0.5)]
    for cause, effect in sorted(pairs, key=lambda pair: -probability[pair]):
        if not nx.has_path(found, effect, cause):
            found.add_edge(cause, effect)
    return frozenset(found.edges)
