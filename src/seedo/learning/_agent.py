"""A trained network as a player."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Generic, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray

from seedo.errors import UserError
from seedo.experimenters import Action, Observation, Player
from seedo.learning._inputs import Decision, observation_row
from seedo.learning._networks import Architecture, Network
from seedo.worlds import Spec

N = TypeVar("N")
A = TypeVar("A")


class Provenance:
    """Where a player comes from: its name, training record and history.

    All are equal, so that players that differ in nothing else share their compiled programs.
    """

    def __init__(
        self,
        name: str,
        training: dict[str, Any] | None = None,
        history: list[dict[str, Any]] | None = None,
    ) -> None:
        self.name, self.training, self.history = name, training or {}, history or []

    def record(self, architecture: Any, greedy: bool) -> dict[str, Any]:
        """What a run's manifest keeps of a player with this past."""
        return {
            "mode": "greedy" if greedy else "sample",
            "agent_record": {"architecture": architecture.to_json(), **self.training},
            "metrics_history": self.history,
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Provenance)

    def __hash__(self) -> int:
        return 0


class Trained(eqx.Module, Player, Generic[N, A]):
    """What every player of a trained network has.

    Args:
        network: its weights.
        architecture: the network's; anything with `to_json`.
        provenance: its name in logs and reports, the training record of its agent.json, and the
            rows of its metrics.jsonl.
        greedy: play the most probable action rather than draw from the distribution.
    """

    network: N
    architecture: A = eqx.field(static=True)
    provenance: Provenance = eqx.field(static=True)
    greedy: bool = eqx.field(static=True, default=True)

    @property
    def name(self) -> str:
        return self.provenance.name

    @property
    def training(self) -> dict[str, Any]:
        return self.provenance.training

    @property
    def history(self) -> list[dict[str, Any]]:
        return self.provenance.history

    @property
    def program(self) -> Hashable:
        return self.architecture

    @property
    def record(self) -> dict[str, Any]:
        """What a run's manifest keeps of the agent."""
        return self.provenance.record(self.architecture, self.greedy)


class Agent(Trained[Network, Architecture]):
    """An experimenter that plays a trained network; see `Trained`, `learning.build`."""

    def check(self, spec: Spec) -> None:
        """Raises UserError when the network cannot play in a world."""
        own = self.architecture
        if tuple(spec.do_values) != tuple(own.do_values):
            raise UserError(
                "do_values", spec.do_values, f"agent {self.name} was trained on {own.do_values}: "
                "play a world of these values, or learn from logs in which all are set"
            )  # fmt: skip
        if own.n is not None and spec.n != own.n:
            raise UserError(
                "n", spec.n, f"agent {self.name} (network {own.kind}) plays {own.n} variables "
                "only; use an equivariant agent for another number"
            )  # fmt: skip
        if own.most_steps is not None and spec.steps > own.most_steps:
            raise UserError(
                "steps", spec.steps, f"agent {self.name} (network {own.kind}) plays at most "
                f"{own.most_steps} steps; use an equivariant agent or fewer experiments"
            )  # fmt: skip

    def begin(self, spec: Spec, key: PRNGKeyArray, privileged: Array | None) -> Any:
        self.check(spec)
        return self.network.start(spec.n, spec.steps), jnp.asarray(True)

    def remember(self, state: Any, observation: Observation) -> Any:
        """The state once the latest step has been taken in and its decision has passed."""
        if self.network.remembers_decisions:
            return self._decide(state, observation)[1]
        memory: Any
        memory, first = state
        row, _ = observation_row(observation, first, self.network.reads)
        return self.network.remember(memory, row), jnp.asarray(False)

    def _decide(self, state: Any, observation: Observation) -> tuple[Decision, Any]:
        memory: Any
        memory, first = state
        row, cue = observation_row(observation, first, self.network.reads)
        memory = self.network.remember(memory, row)
        decision, memory = self.network.decide(memory, cue)
        return decision, (memory, jnp.asarray(False))

    def act(self, state: Any, observation: Observation, key: PRNGKeyArray) -> tuple[Action, Any]:
        decision, state = self._decide(state, observation)
        log_probs = decision.log_probs
        choice = jnp.argmax(log_probs) if self.greedy else jax.random.categorical(key, log_probs)
        values = jnp.asarray(self.architecture.do_values)
        target, value = choice // len(values), values[choice % len(values)]
        return Action(target.astype(jnp.int32), value, log_probs), state
