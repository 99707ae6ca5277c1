"""The states of a network at every step and layer, and what it does once one is replaced."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from seedo.learning import Cue, Decision, Edit, Inputs, Row, rows_and_cues

_AT_ONCE = 256


class Looked(Protocol):
    """A network that can be looked into: those of `learning`, or one's own for `dag`."""

    def start(self, n: int, steps: int) -> Any:
        """Its memory before the first step."""
        ...

    def remember(self, memory: Any, row: Row) -> Any:
        """Its memory once the latest step is known."""
        ...

    def decide(
        self, memory: Any, cue: Cue, dtype: Any = jnp.float32, edit: Edit = ...
    ) -> tuple[Decision, Any]:
        """What it would do, and its memory after it; it hands its states to `edit`."""
        ...


class States(NamedTuple):
    """What goes on in a network while it reads B episodes of S steps.

    Attributes:
        layers: float32[B, S, ...] before the first layer and after each; behind episode and step
            an axis for every variable, two for ordered pairs of them, or none, then the features.
        log_probs: float32[B, S, A] of actions, A = n V, variable by variable.
    """

    layers: tuple[NDArray[np.float32], ...]
    log_probs: NDArray[np.float32]


def states(network: Looked, inputs: Inputs) -> States:
    """The states of a network at every step of episodes (a leading axis B in all of `inputs`)."""
    parts = [_states(network, part) for part in _parts(inputs)]
    layers, log_probs = jax.tree.map(
        lambda *found: np.concatenate([np.asarray(f) for f in found])[: len(inputs.target)], *parts
    )
    return States(tuple(layers), log_probs)


class Ready(NamedTuple):
    """What a network decides by at one step of B episodes, all leaves with a leading axis B.

    Attributes:
        memory: the network's own, the latest step known.
        cue: of the step.
    """

    memory: Any
    cue: Cue


def ready(network: Looked, inputs: Inputs, step: int) -> Ready:
    """What a network decides by at a step; earlier ones are as they were."""
    found = [_ready(network, part, step) for part in _parts(inputs)]
    count = len(inputs.target)
    return Ready(*jax.tree.map(lambda *own: np.concatenate(own)[:count], *found))


def actions_with(
    network: Looked, at: Ready, layer: int, state: NDArray[np.float32]
) -> NDArray[np.int64]:
    """The likeliest action, int64[B] (variable times V plus value), after one state is replaced.

    Args:
        network: as above.
        at: of `ready`.
        layer: number of the state in `States.layers`.
        state: what takes its place, float32[B, ...].
    """
    parts = _parts((at, state))
    found = [np.asarray(_acted(network, one, new, layer)) for one, new in parts]
    return np.concatenate(found)[: len(state)].astype(np.int64)


def log_probs_with(network: Looked, at: Ready, layer: int, state: Any) -> Any:
    """As `actions_with`, log-probabilities of all actions, f32[B, A], within compiled code."""

    def episode(memory: Any, cue: Cue, new: Any) -> Any:
        def put(passed: int, old: Any) -> Any:
            return new.astype(old.dtype) if passed == layer else old

        return network.decide(memory, cue, edit=put)[0].log_probs

    return jax.vmap(episode)(at.memory, at.cue, state)


def _parts(tree: Any) -> list[Any]:
    """Parts of one size, so that one program does for all; the last repeats its last episode."""
    count = len(jax.tree.leaves(tree)[0])
    starts = range(0, count, _AT_ONCE)
    at = [np.minimum(np.arange(start, start + _AT_ONCE), count - 1) for start in starts]
    return [jax.tree.map(lambda column, own=own: np.asarray(column)[own], tree) for own in at]


def _read(network: Looked, own: Inputs, steps: int, edit: Edit, taken: list[Any]) -> Any:
    """Memory and outputs over the first steps of an episode."""
    rows, cues = rows_and_cues(own)

    def step(memory: Any, now: tuple[Row, Cue]) -> Any:
        taken.clear()
        memory = network.remember(memory, now[0])
        decision, memory = network.decide(memory, now[1], edit=edit)
        return memory, (tuple(taken), decision.log_probs)

    start = network.start(own.outcome.shape[-1], own.outcome.shape[0])
    return jax.lax.scan(step, start, jax.tree.map(lambda c: c[:steps], (rows, cues)))


@eqx.filter_jit
def _states(network: Looked, inputs: Inputs) -> Any:
    def episode(own: Inputs) -> Any:
        taken: list[Any] = []

        def take(_: int, state: Any) -> Any:
            taken.append(state)
            return state

        return _read(network, own, len(own.target), take, taken)[1]

    return jax.vmap(episode)(jax.tree.map(jnp.asarray, inputs))


@eqx.filter_jit
def _ready(network: Looked, inputs: Inputs, step: int) -> Ready:
    def episode(own: Inputs) -> Ready:
        memory, _ = _read(network, own, step, lambda _, old: old, [])
        row, cue = jax.tree.map(lambda c: c[step], rows_and_cues(own))
        return Ready(network.remember(memory, row), cue)

    return jax.vmap(episode)(jax.tree.map(jnp.asarray, inputs))


@eqx.filter_jit
def _acted(network: Looked, at: Ready, state: Any, layer: int) -> Any:
    at, state = jax.tree.map(jnp.asarray, (at, state))
    return jnp.argmax(log_probs_with(network, at, layer, state), -1)
