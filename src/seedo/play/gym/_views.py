"""How a world looks through Gymnasium: spaces, codes of actions, entries of an observation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from gymnasium import spaces
from jaxtyping import Array, Int

from seedo.errors import UserError
from seedo.worlds import EXPLOIT, PHASES, Action, Observation, World

REWARDS = ("expected", "sampled")
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class View:
    """A world with actions and spaces of its own. `shown`, `told`, `action` and `earned` are pure.

    Attributes:
        options: further arguments of such an environment.
        renders: its render modes.
    """

    world: Any
    options: ClassVar[tuple[str, ...]] = ()
    renders: ClassVar[tuple[str, ...]] = ()

    @property
    def space(self) -> spaces.Space[Any]:
        raise NotImplementedError

    @property
    def codes(self) -> int:
        """Number of actions."""
        raise NotImplementedError

    def action(self, code: Int[Array, ""]) -> Action:
        raise NotImplementedError

    def shown(self, seen: Any, step: Int[Array, ""]) -> Any:
        """What an environment shows of what is seen before a step."""
        raise NotImplementedError

    def told(self, seen: Any) -> Any:
        """What `info` says at every step is made of this."""
        return None

    def info(self, told: Any) -> dict[str, Any]:
        """`info` at every step, from one episode's `told`, on the host."""
        return {}

    def earned(self, before: Any, after: Any, reward: Any) -> Any:
        """The reward that the environment gives for a step, from what was seen around it."""
        return reward

    def described(self, shown: Any, step: int, reward: float) -> str:
        """A finished step in words."""
        return ""


@dataclass(frozen=True)
class CommonView(View):
    """A world whose observations are `Observation`s.

    Entries are float32 boxes: `phase` one-hot [3], `steps_left` as a fraction [1], `target` and
    `value` of the previous action (zeros if none), `outcome` [n] with zeros where `observed` [n] is
    0, `relevant` [n] and `goal` one-hot [n] (zeros while hidden).
    """

    world: World
    reward: str = "expected"
    options: ClassVar[tuple[str, ...]] = ("reward",)
    renders: ClassVar[tuple[str, ...]] = ("ansi",)

    def __post_init__(self) -> None:
        if self.reward not in REWARDS:
            raise UserError("reward", self.reward, f"use one of {', '.join(REWARDS)}")

    @property
    def space(self) -> spaces.Dict:
        spec = self.world.spec

        def box(low: float, high: float, size: int) -> spaces.Box:
            return spaces.Box(low, high, (size,), np.float32)

        return spaces.Dict(
            {
                "phase": box(0, 1, len(PHASES)),
                "steps_left": box(0, 1, 1),
                "target": box(0, 1, spec.n),
                "value": box(min(0.0, *spec.do_values), max(0.0, *spec.do_values), 1),
                "outcome": box(-_LARGEST, _LARGEST, spec.n),
                "observed": box(0, 1, spec.n),
                "relevant": box(0, 1, spec.n),
                "goal": box(0, 1, spec.n),
            }
        )

    @property
    def codes(self) -> int:
        return self.world.spec.actions + 1

    def action(self, code: Int[Array, ""]) -> Action:
        values = jnp.asarray(self.world.spec.do_values, jnp.float32)
        sets = code < self.world.spec.actions
        target = jnp.where(sets, code // len(values), -1).astype(jnp.int32)
        return Action(target, jnp.where(sets, values[code % len(values)], 0.0))

    def shown(self, seen: Observation, step: Int[Array, ""]) -> dict[str, Array]:
        spec = self.world.spec
        observed = jnp.isfinite(seen.outcome)
        entries = {
            "phase": jax.nn.one_hot(seen.phase, len(PHASES)),
            "steps_left": jnp.reshape((spec.steps - step) / spec.steps, 1),
            "target": jax.nn.one_hot(seen.target, spec.n),
            "value": jnp.reshape(seen.value, 1),
            "outcome": jnp.where(observed, seen.outcome, 0.0),
            "observed": observed,
            "relevant": jnp.asarray(seen.relevant),
            "goal": jax.nn.one_hot(seen.goal, spec.n),
        }
        return {name: entry.astype(jnp.float32) for name, entry in entries.items()}

    def earned(self, before: Observation, after: Observation, reward: Any) -> Any:
        if self.reward == "expected":
            return reward
        value = after.outcome[before.goal]
        earns = (before.phase == EXPLOIT) & (after.target >= 0) & jnp.isfinite(value)
        return jnp.where(earns, value, 0.0)

    def described(self, shown: dict[str, np.ndarray], step: int, reward: float) -> str:
        spec = self.world.spec
        done = "observe"
        if shown["target"].any():
            name = spec.variables[int(shown["target"].argmax())]
            done = f"do({name} = {shown['value'][0]:g})"
        columns = zip(spec.variables, shown["outcome"], shown["observed"], strict=True)
        outcome = ", ".join(f"{name} {value:.2f}" for name, value, seen in columns if seen)
        phase = PHASES[spec.phases[step]]
        earned = f"; reward {reward:.2f}" if spec.phases[step] == EXPLOIT else ""
        return f"{step + 1}/{spec.steps} {phase}: {done} -> {outcome}{earned}"
