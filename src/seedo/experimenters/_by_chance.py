"""Any action at every step, in any world of variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from seedo.errors import UserError
from seedo.experimenters._choosers import any_of
from seedo.experimenters._protocol import Player
from seedo.worlds import EXPLOIT, OBSERVE, Action, Observation, Spec


@dataclass(frozen=True)
class ByChance(Player):
    """Sets any relevant variable, but not the goal when it exploits, to any value of the grid."""

    name: str = "random"

    def check(self, spec: Spec) -> None:
        if spec.space is not None:
            raise UserError("player", self.name, "it sets one variable at a time: use random")

    def begin(self, spec: Spec, key: PRNGKeyArray, privileged: Any) -> Any:
        return jnp.asarray(spec.do_values, jnp.float32)

    def act(self, memory: Any, observation: Observation, key: PRNGKeyArray) -> tuple[Action, Any]:
        if isinstance(key, np.random.Generator):
            key = jax.random.key(int(key.integers(2**32)))
        key_target, key_value = jax.random.split(key)
        n = observation.relevant.shape[0]
        exploiting = observation.phase == EXPLOIT
        legal = observation.relevant & ~(exploiting & (jnp.arange(n) == observation.goal))
        target = any_of(jnp.asarray(legal), key_target)
        value = memory[any_of(jnp.ones(len(memory), bool), key_value)]
        watching = observation.phase == OBSERVE
        target = jnp.where(watching, -1, target).astype(jnp.int32)
        return Action(target, jnp.where(watching, 0.0, value)), memory
