"""What players would do had they seen the histories that a log holds, and what that is worth."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from seedo.episodes import EXPLOIT, EXPLORE, EpisodeBatch
from seedo.errors import UserError
from seedo.learning import Agent, batch_inputs

_FLOATS_AT_ONCE = 2**24


def check_experiments(batch: EpisodeBatch, experiments: int) -> None:
    """Refuses logs that are not of so many experiments, or more, and then one exploit step.

    Raises:
        UserError: other phases, or fewer experiments.
    """
    if (batch.phase[:, :-1] != EXPLORE).any() or (batch.phase[:, -1] != EXPLOIT).any():
        raise UserError("log", None, "use one of experiments and then one exploit step")
    if batch.steps <= experiments:
        raise UserError("experiments", experiments, f"the log has {batch.steps - 1}")


def shortened(batch: EpisodeBatch, experiments: int) -> EpisodeBatch:
    """The same episodes with their first `experiments` experiments and their last step only.

    Unlike `_cut_logs.cut` no blank steps are left, for networks count steps.

    Raises:
        UserError: the log is not one of experiments and then one exploit step, or has fewer.
    """
    check_experiments(batch, experiments)
    kept = np.r_[0:experiments, batch.steps - 1]
    return replace(
        batch,
        phase=batch.phase[:, kept],
        setting=batch.setting[:, kept],
        outcome=batch.outcome[:, kept],
        goal=batch.goal[:, kept],
        action_logits=None,
        explanation=None,
    )


def network_actions(agent: Agent, batch: EpisodeBatch) -> NDArray[np.int64]:
    """int64[B], the action (target * V + value index) that a network takes at the last step.

    Agents with networks of one shape share a compiled program.
    """
    inputs = batch_inputs(batch)
    fits = _FLOATS_AT_ONCE // (batch.steps * batch.n * batch.n * 32)
    size = min(1 << max(4, fits.bit_length() - 1), 512)
    chosen = []
    for start in range(0, batch.rows, size):
        # The last part repeats its last episode, so that all have one shape.
        rows = np.minimum(np.arange(start, start + size), batch.rows - 1)
        part = jax.tree.map(lambda column, rows=rows: jnp.asarray(column[rows]), inputs)
        chosen.append(np.asarray(_last(agent.network, part))[: min(size, batch.rows - start)])
    return np.concatenate(chosen).astype(np.int64)


@eqx.filter_jit
def _last(network: Any, inputs: Any) -> jax.Array:
    step = jnp.asarray([inputs.target.shape[1] - 1])
    read = jax.vmap(lambda one: network.read(one, step))(inputs)
    return jnp.argmax(read.log_probs[:, 0], -1)


def acted(batch: EpisodeBatch, action: NDArray[np.int64]) -> EpisodeBatch:
    """The log had these actions been taken at its last step."""
    values = np.asarray(json.loads(batch.origin.world_config)["do_values"])
    target, value = batch.target.copy(), batch.value.copy()
    target[:, -1], value[:, -1] = np.divmod(action, len(values))[0], values[action % len(values)]
    return batch.replace(target=target, value=value, action_logits=None)


def worths(batch: EpisodeBatch) -> NDArray[np.float64]:
    """float64[B, A], exact expected goal value of every action at the last step.

    -inf for the goal itself.

    Raises:
        UserError: the log has no systems.
    """
    if batch.system is None:
        raise UserError("log", None, "it has no systems")
    expected = np.asarray([json.loads(text)["expected"] for text in batch.system], np.float64)
    rows, goal = np.arange(batch.rows), batch.goal[:, -1].astype(np.int64)
    worth: NDArray[np.float64] = expected[rows, :, :, goal]
    worth[rows, goal] = -np.inf
    return worth.reshape(batch.rows, -1)
