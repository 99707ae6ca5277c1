"""What a rooms agent chooses when it acts by itself."""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from numpy.typing import NDArray

from seedo.learning._rooms_agent import RoomsAgent, choose
from seedo.worlds import stream_key
from seedo.worlds.rooms import RoomsWorld

AT_ONCE = 512
"""Episodes played at once."""


class Choices(NamedTuple):
    """What was chosen in the last trial of each of E episodes."""

    correct: Any  # bool[E]: the odd one out along the concept
    odd: Any  # bool[E, D]: the dimensions along which it was; none where nothing was chosen
    taken: Any  # bool[E]: something was chosen


def last_choices(
    agent: RoomsAgent,
    world: RoomsWorld,
    seed: int,
    episodes: int,
    stream: str = "perform",
    explained: bool = False,
) -> Choices:
    """Let an agent play episodes 0.. of a stream; `explained`: it hears what is said."""
    key = stream_key(seed, stream)
    parts = []
    for first in range(0, episodes, AT_ONCE):
        index = first + jnp.arange(AT_ONCE)
        found = _play(agent.network, agent.greedy, world, explained, key, index)
        parts.append(jax.tree.map(np.asarray, found))
    return Choices(*(np.concatenate(column)[:episodes] for column in zip(*parts, strict=True)))


def exploit_correct(
    agent: RoomsAgent, world: RoomsWorld, seed: int, episodes: int, stream: str = "perform"
) -> NDArray[np.bool_]:
    """Whether each episode's last trial (the exploit trial of a meta-episode) ended with the right
    choice."""
    correct: NDArray[np.bool_] = last_choices(agent, world, seed, episodes, stream).correct
    return correct


@eqx.filter_jit
def _play(
    network: Any, greedy: bool, world: RoomsWorld, explained: bool, key: Any, index: Array
) -> Choices:
    def episode(i: Array) -> Choices:
        task_key, player_key = jax.random.split(jax.random.fold_in(key, i))
        _, act_key = jax.random.split(player_key)
        task = world.sample(task_key)

        def step(carry: Any, t: Array) -> tuple[Any, Choices]:
            state, memory = carry
            seen = world.observe(task, state)
            heard = world.explain(task, state) if explained else None
            own = jax.random.fold_in(act_key, t)
            shown = seen if network.eye is None else (seen, world.pixels(task, state))
            action, memory, _ = choose(network, greedy, memory, shown, own, heard)
            after, reward = world.step(task, state, action)
            later = world.observe(task, after)
            taken = (seen.chosen < 0) & (later.chosen >= 0)
            taken &= seen.trial == world.settings.trials - 1
            thing = later.objects[jnp.maximum(later.chosen, 0)]
            odd = (later.objects == thing).sum(0) == 1
            return (after, memory), Choices(taken & (reward > 0), taken & odd, taken)

        start = (world.reset(task), network.start())
        steps = jax.lax.scan(step, start, jnp.arange(world.horizon))[1]
        return jax.tree.map(lambda found: found.any(0), steps)

    return jax.vmap(episode)(index)
