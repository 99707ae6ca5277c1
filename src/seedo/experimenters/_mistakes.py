"""Players that go wrong: once, at a given step, or now and then."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from seedo.errors import UserError, one_of, whole
from seedo.experimenters._choosers import any_of
from seedo.experimenters._protocol import Experimenter, Player
from seedo.worlds import EXPLOIT, OBSERVE, Action, Observation, Spec

MISTAKES = ("slip", "misread")
"""Kinds of `Mistaken`."""


class Mistaken(eqx.Module, Player):
    """`player`, but for one mistake.

    Attributes:
        player: who plays.
        step: number of the step that goes wrong, from 0.
        kind: `slip`: at that step it sets the variable that it would have set to the value most
            distant from the one that it meant; it then sees what really followed. `misread`: what
            followed that step enters its memory with all signs reversed, but for the variable that
            was set; the log holds what really followed.

    Raises:
        UserError: an unknown kind, or a step that no episode has.
    """

    player: Any
    step: int = eqx.field(static=True)
    kind: str = eqx.field(static=True, default="misread")

    def __check_init__(self) -> None:
        one_of("mistake", self.kind, MISTAKES)
        whole("mistake", self.step, 0, 9_999)

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.step}:{self.player.name}"

    @property
    def knows_system(self) -> bool:
        return bool(self.player.knows_system)

    @property
    def episodes_at_once(self) -> int | None:
        return self.player.episodes_at_once

    @property
    def record(self) -> dict[str, Any]:
        return {**self.player.record, "mistake": {"kind": self.kind, "step": self.step}}

    def check(self, spec: Spec) -> None:
        """Raises UserError when the player cannot play in a world, or nothing would go wrong."""
        if self.step >= spec.steps:
            raise UserError("mistake", self.step, f"an episode has {spec.steps} steps")
        self.player.check(spec)

    def begin(self, spec: Spec, key: PRNGKeyArray, privileged: Array | None) -> Any:
        values = jnp.asarray(spec.do_values, jnp.float32)
        return self.player.begin(spec, key, privileged), jnp.asarray(0), values

    def act(self, state: Any, observation: Observation, key: PRNGKeyArray) -> tuple[Action, Any]:
        own, t, values = state
        if self.kind == "misread":
            set_ = jnp.arange(observation.outcome.shape[0]) == observation.target
            reversed_ = jnp.where(set_, observation.outcome, -observation.outcome)
            seen = jnp.where(t == self.step + 1, reversed_, observation.outcome)
            action, own = self.player.act(own, observation._replace(outcome=seen), key)
        else:
            action, own = self.player.act(own, observation, key)
            farthest = values[jnp.argmax(jnp.abs(values - action.value))]
            wrong = (t == self.step) & (action.target >= 0)
            action = action._replace(value=jnp.where(wrong, farthest, action.value))
        return action, (own, t + 1, values)


class Slipping(eqx.Module, Player):
    """`player`, but with probability `rate` a step is a random legal intervention instead.

    The logged action probabilities are those of what it meant: 1 for that action. Who imitates the
    log can tell slips by them, and leave them out (`slipped`).
    """

    player: Experimenter
    rate: float = eqx.field(static=True)

    def __check_init__(self) -> None:
        if not 0 <= self.rate <= 1:
            raise UserError("rate", self.rate, "use a probability")

    @property
    def name(self) -> str:
        return f"slipping-{self.rate:g}:{self.player.name}"

    @property
    def knows_system(self) -> bool:
        return bool(self.player.knows_system)

    def begin(self, spec: Spec, key: PRNGKeyArray, privileged: Array | None) -> Any:
        return self.player.begin(spec, key, privileged), jnp.asarray(spec.do_values, jnp.float32)

    def act(self, state: Any, observation: Observation, key: PRNGKeyArray) -> tuple[Action, Any]:
        own, values = state
        key_own, key_slip, key_target, key_value = jax.random.split(key, 4)
        meant, own = self.player.act(own, observation, key_own)
        n = observation.relevant.shape[0]
        not_goal = (observation.phase != EXPLOIT) | (jnp.arange(n) != observation.goal)
        slips = (jax.random.uniform(key_slip) < self.rate) & (observation.phase != OBSERVE)
        target = any_of(observation.relevant & not_goal, key_target)
        value = values[any_of(jnp.ones(len(values), bool), key_value)]
        action = Action(
            jnp.where(slips, target, meant.target).astype(jnp.int32),
            jnp.where(slips, value, meant.value),
            _certain(meant, values, n),
        )
        return action, (own, values)


def _certain(meant: Action, values: Float[Array, " V"], n: int) -> Float[Array, " A"]:
    """Log probabilities that are 0 for the action and -inf for all others."""
    index = meant.target * len(values) + jnp.argmin(jnp.abs(values - meant.value))
    return jnp.where(jnp.arange(n * len(values)) == index, 0.0, -jnp.inf)
