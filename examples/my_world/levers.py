"""World `levers`: some levers move one needle, each by an amount that is hidden.

First every lever may be tried, then one is set for good; the return is where the needle stands on
average under that setting.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from seedo.worlds import EXPLOIT, EXPLORE, Observation, References, Spec, World


class Task(NamedTuple):
    """What is hidden: how far each lever moves the needle, and the noise of every step."""

    pull: jax.Array  # [levers]
    noise: jax.Array  # [steps, levers + 1]


class State(NamedTuple):
    """The number of the next step, and what the last one did and showed."""

    step: jax.Array
    target: jax.Array
    value: jax.Array
    outcome: jax.Array


class Levers(World):
    name = "levers"
    noisy = False  # all chance lies in `sample`

    def __init__(self, levers: int = 4, spread: float = 0.5) -> None:
        self.settings = {"levers": levers, "spread": spread}
        variables = (*(f"lever{i + 1}" for i in range(levers)), "needle")
        self.spec = Spec(variables, (-1.0, 1.0), (EXPLORE,) * levers + (EXPLOIT,))

    def config(self):
        return self.settings

    def sample(self, key):
        pull_key, noise_key = jax.random.split(key)
        n, steps = self.spec.n, self.spec.steps
        noise = self.settings["spread"] * jax.random.normal(noise_key, (steps, n))
        return Task(jax.random.normal(pull_key, (n - 1,)), noise)

    def reset(self, task, key):
        unseen = jnp.full(self.spec.n, jnp.nan)
        return State(jnp.int32(0), jnp.int32(-1), jnp.float32(0), unseen)

    def observe(self, task, state):
        step = jnp.minimum(state.step, self.spec.steps - 1)
        phase = jnp.asarray(self.spec.phases)[step]
        goal = jnp.where(phase == EXPLOIT, self.spec.n - 1, -1)
        left = self.spec.steps - step
        return Observation(
            phase, left, state.target, state.value, state.outcome, self.relevant(task), goal
        )

    def step(self, task, state, action, key):
        set_here = jnp.arange(self.spec.n - 1) == action.target
        levers = jnp.where(set_here, action.value, task.noise[state.step, :-1])
        needle = levers @ task.pull + task.noise[state.step, -1]
        exploiting = jnp.asarray(self.spec.phases)[state.step] == EXPLOIT
        worth = jnp.where(set_here, task.pull * action.value, 0.0).sum()
        after = State(state.step + 1, action.target, action.value, jnp.append(levers, needle))
        return after, jnp.where(exploiting, worth, 0.0), after.step >= self.spec.steps

    def legal(self, task, state, action):
        return super().legal(task, state, action) & (action.target < self.spec.n - 1)

    def relevant(self, task):
        return jnp.arange(self.spec.n) < self.spec.n - 1  # the needle cannot be set

    def references(self, task):
        return References(jnp.abs(task.pull).max(), jnp.float32(0))
