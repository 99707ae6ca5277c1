"""Logs read as if they were shorter: what players would have done then, and what that is worth.

Two ways to shorten: `shortened` leaves out the steps, which networks that count steps need; `cut`
blanks them, so that logs of every length take one compiled program.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from seedo.episodes import EXPLOIT, EXPLORE, OBSERVE, Dataset, EpisodeBatch
from seedo.errors import UserError
from seedo.learning import Agent, batch_inputs

_FLOATS_AT_ONCE = 2**24


def with_systems(dataset: Dataset) -> EpisodeBatch:
    """The whole log, of its optional columns the systems alone."""
    return dataset.read(without=[name for name in dataset.optional if name != "system"])


def in_equal_parts(count: int, size: int, compute: Callable[[NDArray[np.int64]], Any]) -> Any:
    """What `compute` makes of rows 0..count-1, given int64[size] of them at a time.

    The last part repeats its last row, so that all have one shape and one compiled program.

    Returns:
        what `compute` returns, its arrays joined and in NumPy.
    """
    parts = []
    for start in range(0, count, size):
        found = compute(np.minimum(np.arange(start, start + size), count - 1))
        keep = min(size, count - start)
        parts.append(jax.tree.map(lambda column, keep=keep: np.asarray(column)[:keep], found))
    return jax.tree.map(lambda *columns: np.concatenate(columns), *parts)


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

    Raises:
        UserError: the log is not one of experiments and then one exploit step, or has fewer.
    """
    check_experiments(batch, experiments)
    kept = np.r_[0:experiments, batch.steps - 1]
    columns = ("phase", "setting", "outcome", "goal")
    short: dict[str, Any] = {name: getattr(batch, name)[:, kept] for name in columns}
    return replace(batch, action_logits=None, explanation=None, **short)


def cut(batch: EpisodeBatch, experiments: int, steps: int) -> EpisodeBatch:
    """The first `experiments` experiments, then the last step, as logs of `steps` steps.

    What is cut out, and what is missing up to `steps`, becomes steps in which nothing was done and
    nothing was seen: readers pass over them. The returns stay those of what was done in the end,
    after all experiments.

    Raises:
        UserError: the log has more steps than `steps`, or fewer experiments.
    """
    exploring = batch.phase == EXPLORE
    if (exploring.sum(1) < experiments).any():
        raise UserError("experiments", experiments, "more than the log has")
    if batch.steps > steps:
        raise UserError("steps", steps, f"the log has {batch.steps}")
    gone = exploring & (exploring.cumsum(1) > experiments)

    def padded(name: str, blank: float) -> NDArray[Any]:
        values = getattr(batch, name)
        mask = gone if values.ndim == 2 else gone[:, :, None]
        shape = (batch.rows, steps - batch.steps, *values.shape[2:])
        middle = np.full(shape, blank, values.dtype)
        values = np.where(mask, np.asarray(blank, values.dtype), values)
        return np.concatenate([values[:, :-1], middle, values[:, -1:]], 1)

    blanks = {"phase": OBSERVE, "setting": np.nan, "outcome": np.nan, "goal": -1}
    short: dict[str, Any] = {name: padded(name, blank) for name, blank in blanks.items()}
    return replace(batch, action_logits=None, explanation=None, **short)


def network_actions(agent: Agent, batch: EpisodeBatch) -> NDArray[np.int64]:
    """int64[B], the action (target * V + value index) that a network takes at the last step.

    Agents with networks of one shape share a compiled program.
    """
    fits = _FLOATS_AT_ONCE // (batch.steps * batch.n * batch.n * 32)
    size = min(1 << max(4, fits.bit_length() - 1), 512)
    return _chosen(agent, batch_inputs(batch), [batch.steps - 1], size)[:, 0]


def actions_after(agent: Agent, batch: EpisodeBatch, after: Sequence[int]) -> NDArray[np.int64]:
    """int64[B, K], likewise after each of K numbers of experiments, in one pass.

    That holds for networks that do not look at the steps left.

    Raises:
        UserError: the agent's network does, or the log is another.
    """
    if agent.architecture.kind != "equivariant":
        raise UserError("agent", agent.name, "its network looks at where an episode ends")
    check_experiments(batch, max(after))
    inputs, steps = batch_inputs(batch), np.asarray(after)
    phase, goal = inputs.phase.copy(), inputs.goal.copy()
    phase[:, steps], goal[:, steps] = EXPLOIT, inputs.goal[:, -1:]
    return _chosen(agent, inputs._replace(phase=phase, goal=goal), steps, 256)


def _chosen(agent: Agent, inputs: Any, steps: Any, size: int) -> NDArray[np.int64]:
    """int64[B, K], the most probable actions at these steps."""

    def part(rows: NDArray[np.int64]) -> jax.Array:
        own = jax.tree.map(lambda column: jnp.asarray(column[rows]), inputs)
        return _most_probable(agent.network, own, jnp.asarray(steps))

    chosen: NDArray[Any] = in_equal_parts(len(inputs.target), size, part)
    return chosen.astype(np.int64)


@eqx.filter_jit
def _most_probable(network: Any, inputs: Any, steps: jax.Array) -> jax.Array:
    read = jax.vmap(lambda one: network.read(one, steps))(inputs)
    return jnp.argmax(read.log_probs, -1)


def acted(batch: EpisodeBatch, action: NDArray[np.int64]) -> EpisodeBatch:
    """The log had these actions, int64[B], been taken at its last step."""
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


def ends_of(worth: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """float64[B] each: "oracle", the best of the legal actions, and "random", their mean."""
    legal = np.isfinite(worth)
    return {"oracle": worth.max(1), "random": np.where(legal, worth, 0.0).sum(1) / legal.sum(1)}
