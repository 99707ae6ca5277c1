"""Distributed alignment search: subspaces of a state, learnt so that interchange succeeds.

Geiger, Wu, Potts, Icard & Goodman (2024): where a state has no part for a lever, an orthogonal map
is learnt by gradient through the layers that follow, so that with one block of it taken from
another episode the network does what an algorithm does with that lever's score taken from there. A
search this free can make a network do what it never does (Makelov, Lange & Nanda 2024), so its
figures are read beside the same search in a network that has learnt nothing, for other algorithms,
and for scores dealt out at random.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float, Int
from numpy.typing import NDArray

from seedo.abstraction._algorithms import Table, taken
from seedo.abstraction._drawn import levers_of, partners
from seedo.abstraction._states import Looked, Ready, log_probs_with

MOST_WIDE = 4
"""Dimensions of a lever's subspace."""
_STEPS, _BATCH = 150, 64
_RATE = 0.03


class Subspaces(NamedTuple):
    """Where a state holds the score of each lever of the goal.

    Attributes:
        basis: float32[n, d, k], orthonormal within and between levers.
    """

    basis: NDArray[np.float32]


def find_subspaces(
    network: Looked,
    ready: Ready,
    layer: int,
    state: NDArray[np.float32],
    goal: NDArray[np.int64],
    table: Table,
    seed: int,
) -> Subspaces:
    """Learn them on B episodes, from pairs with the same goal and random sets of levers.

    Args:
        network: that decides.
        ready: its memory and cues at the step.
        layer: number of the state.
        state: float32[B, d] at that step and layer.
        goal: int64[B].
        table: scores by the algorithm, of `tables`.
        seed: of pairs, levers and where the search starts.
    """
    drawn = np.random.default_rng([seed, layer])
    n, size = table.shape[1], state.shape[1]
    wide = min(MOST_WIDE, size // n)
    own = jax.tree.map(jnp.asarray, (ready, state, table))
    start = jnp.asarray(drawn.normal(size=(size, n * wide)) / np.sqrt(size), jnp.float32)
    turned, memory = start, _optimiser().init(start)
    for _ in range(_STEPS):
        rows = drawn.integers(len(goal), size=_BATCH)
        source = partners(goal, drawn)[0][rows]
        levers = levers_of(goal[rows], n, drawn)
        done = taken(np.where(levers[..., None], table[source], table[rows]))
        turned, memory = _learnt(
            network, own[0], layer, own[1], turned, memory,
            (jnp.asarray(rows), jnp.asarray(source), jnp.asarray(levers), jnp.asarray(done)),
        )  # fmt: skip
    return Subspaces(np.asarray(_blocks(turned, n)))


def moved(
    state: NDArray[np.float32],
    source: NDArray[np.float32],
    levers: NDArray[np.bool_],
    subspaces: Subspaces,
) -> NDArray[np.float32]:
    """The states, float32[B, d], with the blocks of these levers, bool[B, n], from the source."""
    return np.asarray(_moved(*map(jnp.asarray, (state, source, levers, subspaces.basis))))


def _moved(
    state: Float[Array, "B d"],
    source: Float[Array, "B d"],
    levers: Bool[Array, "B n"],
    basis: Float[Array, "n d k"],
) -> Float[Array, "B d"]:
    apart = jnp.einsum("bd,ndk->bnk", source - state, basis) * levers[..., None]
    return state + jnp.einsum("bnk,ndk->bd", apart, basis)


def _blocks(turned: Float[Array, "d m"], n: int) -> Float[Array, "n d k"]:
    basis = jnp.linalg.qr(turned)[0]
    return jnp.moveaxis(basis.reshape(len(basis), n, -1), 0, 1)


def _optimiser() -> optax.GradientTransformation:
    return optax.adam(optax.cosine_decay_schedule(_RATE, _STEPS))


@eqx.filter_jit
def _learnt(
    network: Looked,
    ready: Ready,
    layer: int,
    state: Float[Array, "B d"],
    turned: Float[Array, "d m"],
    memory: Any,
    lesson: tuple[Int[Array, " K"], Int[Array, " K"], Bool[Array, "K n"], Int[Array, " K"]],
) -> tuple[Array, Any]:
    rows, source, levers, done = lesson

    def loss(turned: Array) -> Array:
        new = _moved(state[rows], state[source], levers, _blocks(turned, levers.shape[1]))
        own = jax.tree.map(lambda column: column[rows], ready)
        said = log_probs_with(network, own, layer, new)
        return -jnp.take_along_axis(said, done[:, None], 1).mean()

    change, memory = _optimiser().update(jax.grad(loss)(turned), memory)
    return optax.apply_updates(turned, change), memory
