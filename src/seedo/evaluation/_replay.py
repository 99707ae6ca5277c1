"""Any player as a reader: what it would do at the exploit steps of somebody else's episodes."""

from __future__ import annotations

import json
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from seedo.episodes import EpisodeBatch
from seedo.errors import UserError
from seedo.experimenters import Experimenter, Observation
from seedo.worlds import Spec, World, from_config, stream_key

_AT_ONCE = 512


def world_of(batch: EpisodeBatch) -> World:
    """The simulated world that a log was played in.

    Raises:
        UserError: it is none of ours.
    """
    return from_config(batch.origin.world, json.loads(batch.origin.world_config))


def reread(
    batch: EpisodeBatch, reader: Experimenter, spec: Spec, seed: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """A player's actions at every step, had it seen what the log shows up to there.

    Args:
        batch: the episodes; their steps must be those of the spec.
        reader: who reads; it never gets to know the system.
        spec: of the world of the log.
        seed: of the reader's own randomness.

    Returns:
        target int64[B, S] (-1: none) and value float64[B, S].

    Raises:
        UserError: the reader knows systems, or the log has other steps than the spec.
    """
    if reader.knows_system:
        raise UserError("reader", reader.name, "it knows the system: choose one that has to read")
    if batch.steps != spec.steps or batch.n != spec.n:
        raise UserError("reader", reader.name, "the log has other steps than its world")
    keys = stream_key(seed, "reread")
    targets, values = [], []
    for start in range(0, batch.rows, _AT_ONCE):
        # The last part repeats its last episode, so that all have one shape.
        at = np.minimum(np.arange(start, start + _AT_ONCE), batch.rows - 1)
        target, value = actions_on(reader, spec, keys, jnp.asarray(at), seen_before(batch, at))
        size = min(_AT_ONCE, batch.rows - start)
        targets.append(np.asarray(target)[:size])
        values.append(np.asarray(value)[:size])
    return np.concatenate(targets).astype(np.int64), np.concatenate(values).astype(np.float64)


Seen = tuple[jax.Array, jax.Array, jax.Array, jax.Array, jax.Array]
"""Target, value and outcome of every step, what is relevant, the goals; of B episodes."""


def seen_before(batch: EpisodeBatch, at: NDArray[np.int64]) -> Seen:
    """The columns of episodes `at` that `actions_on` takes."""
    return (
        jnp.asarray(batch.target[at], jnp.int32),
        jnp.asarray(np.nan_to_num(batch.value[at])),
        jnp.asarray(batch.outcome[at]),
        jnp.asarray(batch.mask[at]),
        jnp.asarray(batch.goal[at], jnp.int32),
    )


def left_before(spec: Spec, target: Any, value: Any, outcome: Any) -> tuple[Any, Any, Any]:
    """Target, value and outcome as seen before each step of one episode: what the last one left."""
    return (
        jnp.concatenate([jnp.array([-1]), target[:-1]]),
        jnp.concatenate([jnp.zeros(1), value[:-1]]),
        jnp.concatenate([jnp.full((1, spec.n), jnp.nan), outcome[:-1]]),
    )


@eqx.filter_jit
def actions_on(
    reader: Experimenter,
    spec: Spec,
    key: Any,
    index: Any,
    seen: Seen,
    expected: Any = None,
):
    """Target and value, [B, S] each, of a player at every step of episodes that others acted in.

    `expected` is what a player who knows systems is told, of all episodes alike.
    """

    def episode(i, target, value, outcome, relevant, goal):
        init_key, act_key = jax.random.split(jax.random.fold_in(key, i))
        state = reader.begin(spec, init_key, expected)
        phases = jnp.asarray(spec.phases)
        before = left_before(spec, target, value, outcome)

        def step(state, now):
            t, phase, goal, (target, value, outcome) = now
            observation = Observation(
                phase=phase, steps_left=spec.steps - t, target=target, value=value,
                outcome=outcome, relevant=relevant, goal=goal,
            )  # fmt: skip
            action, state = reader.act(state, observation, jax.random.fold_in(act_key, t))
            return state, (action.target, action.value)

        _, actions = jax.lax.scan(step, state, (jnp.arange(spec.steps), phases, goal, before))
        return actions

    return jax.vmap(episode)(index, *seen)
