"""A player with a short memory: it sees only what followed the last K steps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple, Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray

from seedo.errors import UserError, whole
from seedo.experimenters._protocol import Player
from seedo.worlds import Action, Observation, Spec

LONGEST_MEMORY = 10_000
"""Most steps that `last-N:` may remember."""


@runtime_checkable
class Remembers(Protocol):
    """A player that can take in a step without deciding anything."""

    def remember(self, state: Any, observation: Observation) -> Any: ...


class _State(NamedTuple):
    blank: Any  # the player's state before its first step
    seen: Observation | None  # the K - 1 observations before the latest, oldest first
    steps: Int[Array, ""]  # seen so far


class LastSteps(eqx.Module, Player):
    """`player`, before every decision, starts afresh and reads the last `steps` steps.

    At each step t it is in the state that it would be in had the episode begun at step t - steps:
    not only what followed is forgotten, but also which variables were tried and how many steps
    there were. What it needs beside (phase, steps left, goal) is that of the whole episode.

    Args:
        player: a trained network, or a scripted or Bayesian player that has to read.
        steps: K, 1 to `LONGEST_MEMORY`. Reading takes time proportional to it.

    Raises:
        UserError: a player that knows the system, or that cannot start afresh.
    """

    player: Any
    steps: int = eqx.field(static=True)

    def __check_init__(self) -> None:
        whole("last", self.steps, 1, LONGEST_MEMORY)
        name = self.player.name
        if self.player.knows_system:
            raise UserError("last", name, "it knows the system: a memory makes no difference")
        if not isinstance(self.player, Remembers):
            raise UserError("last", name, "this kind of player has no memory to be limited")

    @property
    def name(self) -> str:
        return f"last-{self.steps}:{self.player.name}"

    @property
    def episodes_at_once(self) -> int | None:
        return self.player.episodes_at_once

    @property
    def record(self) -> dict[str, Any]:
        return {**self.player.record, "memory_steps": self.steps}

    def check(self, spec: Spec) -> None:
        """Raises UserError when the player cannot play in a world."""
        self.player.check(self._short(spec))

    def _short(self, spec: Spec) -> Spec:
        """Of an episode as long as the memory, and the step that is decided on."""
        return replace(spec, phases=spec.phases[-1:] * (self.steps + 1), rounds=())

    def begin(self, spec: Spec, key: PRNGKeyArray, privileged: Array | None) -> _State:
        blank = self.player.begin(self._short(spec), key, None)
        size, n = self.steps - 1, spec.n
        seen = None
        if size:
            seen = Observation(
                phase=jnp.zeros(size, int),
                steps_left=jnp.zeros(size, int),
                target=jnp.full(size, -1),
                value=jnp.zeros(size),
                outcome=jnp.full((size, n), jnp.nan),
                relevant=jnp.ones((size, n), bool),
                goal=jnp.full(size, -1),
            )
        return _State(blank, seen, jnp.asarray(0))

    def act(
        self, state: _State, observation: Observation, key: PRNGKeyArray
    ) -> tuple[Action, _State]:
        # The observation before the first step has no past; those after it each bring a row.
        started = self.player.remember(state.blank, _without_past(observation))
        first = state.steps == 0
        if state.seen is None:
            now = started
        else:
            rows = state.steps - 1  # kept, of which the ring holds the last
            size = self.steps - 1

            def take_in(i: Array, now: Any) -> Any:
                one = jax.tree.map(lambda column: column[i], state.seen)
                after = self.player.remember(now, one)
                there = i >= size - rows
                return jax.tree.map(lambda a, b: jnp.where(there, a, b), after, now)

            now = jax.lax.fori_loop(0, size, take_in, started)
        now = jax.tree.map(lambda a, b: jnp.where(first, a, b), state.blank, now)
        action, _ = self.player.act(now, observation, key)
        return action, _State(state.blank, self._moved(state, observation), state.steps + 1)

    def _moved(self, state: _State, observation: Observation) -> Observation | None:
        """The ring with the latest observation in place of the oldest."""
        if state.seen is None:
            return None
        return jax.tree.map(
            lambda column, new: jnp.concatenate([column[1:], jnp.asarray(new, column.dtype)[None]]),
            state.seen,
            observation,
        )


def _without_past(observation: Observation) -> Observation:
    """What is seen before the first step of an episode."""
    return observation._replace(
        target=jnp.asarray(-1, observation.target.dtype),
        value=jnp.zeros_like(observation.value),
        outcome=jnp.full_like(observation.outcome, jnp.nan),
    )
