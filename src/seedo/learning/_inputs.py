"""What a network reads: one episode as arrays, and the same one row at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from seedo.episodes import EpisodeBatch
from seedo.experimenters import Observation
from seedo.worlds import EXPLOIT


class Inputs(NamedTuple):
    """Columns of one episode (or a batch, with a leading axis). A decision at step t may use rows
    before t and the cues of step t itself (`phase`, `goal`), never its own target or outcome."""

    phase: Int[Array, " S"]
    goal: Int[Array, " S"]
    target: Int[Array, " S"]
    value: Float[Array, " S"]  # 0 where nothing was set
    outcome: Float[Array, "S n"]  # NaN where unobserved; in raw worlds [S, D], what was shown
    relevant: Bool[Array, " n"]


class Cue(NamedTuple):
    """What step t says before its decision."""

    phase: Int[Array, ""]
    goal: Int[Array, ""]
    relevant: Bool[Array, " n"]


class Decision(NamedTuple):
    """What a network says at a step."""

    log_probs: Float[Array, " A"]  # of every action; -inf where forbidden
    edges: Float[Array, "n n"]  # logit that i is a parent of j: the explanation it would give


class Row(NamedTuple):
    """One finished step; `seen` is False for the empty row before the first."""

    target: Int[Array, ""]
    value: Float[Array, ""]
    outcome: Float[Array, " n"]
    seen: Bool[Array, ""]


Edit = Callable[[int, Array], Array]
"""(number of layers passed, the network's state at a step) -> what takes its place; a state has an
axis for every variable, two for pairs of them, or none, and that of its features."""


def unedited(passed: int, state: Array) -> Array:
    """The state as it is."""
    return state


def batch_inputs(batch: EpisodeBatch) -> Inputs:
    """A log batch as network inputs; NumPy arrays with a leading episode axis."""
    log: Any = batch  # NumPy stands in for JAX arrays until the loss is compiled
    return Inputs(
        phase=log.phase.astype(np.int32),
        goal=log.goal.astype(np.int32),
        target=log.target.astype(np.int32),
        value=np.nan_to_num(log.value),
        outcome=log.outcome,
        relevant=log.mask,
    )


def observation_row(
    observation: Observation, first: Array, reads: str = "outcome"
) -> tuple[Row, Cue]:
    """The same information as it arrives live; `first` marks the step without a past, and `reads`
    is the field of the observation that says what followed."""
    followed = getattr(observation, reads).reshape(-1)
    row = Row(observation.target, observation.value, followed, ~first)
    return row, Cue(observation.phase, observation.goal, observation.relevant)


def rows_and_cues(inputs: Inputs) -> tuple[Row, Cue]:
    """What the decision at every step of an episode goes by: the row before it, and its cues."""
    length, n = len(inputs.target), len(inputs.relevant)

    def previous(column: Array, fill: float) -> Array:
        return jnp.concatenate([jnp.full_like(column[:1], fill), column[:-1]])

    rows = Row(
        previous(inputs.target, -1),
        previous(inputs.value, 0),
        previous(inputs.outcome, jnp.nan),
        jnp.arange(length) > 0,
    )
    relevant = jnp.broadcast_to(inputs.relevant, (length, n))
    return rows, Cue(inputs.phase, inputs.goal, relevant)


def open_targets(cue: Cue) -> Bool[Array, " n"]:
    """Variables that a network may choose: all but the goal when exploiting. That irrelevant ones
    are not worth choosing is for it to learn."""
    n = cue.relevant.shape[0]
    return (cue.phase != EXPLOIT) | (jnp.arange(n) != cue.goal)
