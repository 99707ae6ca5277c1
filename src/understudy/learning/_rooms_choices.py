"""What a rooms agent chooses when it acts by itself."""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from numpy.typing import NDArray

from understudy.learning._rooms_agent import RoomsAgent
from understudy.worlds import stream_key
from understudy.worlds.rooms import RoomsWorld

AT_ONCE = 512
"""Episodes played at once."""


class Choices(NamedTuple):
    """What was chosen in the last trial of each of E episodes."""

    correct: NDArray[np.bool_]  # [E]: the odd one out along the concept
    odd: NDArray[np.bool_]  # [E, D]: the dimensions along which it was; none if nothing was chosen
    taken: NDArray[np.bool_]  # [E]: something was chosen


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
        found = _play(agent.network, agent.greedy, agent, world, explained, key, index)
        parts.append(jax.tree.map(np.asarray, found))
    return Choices(*(np.concatenate(column)[:episodes] for column in zip(*parts, strict=True)))


def exploit_correct(
    agent: RoomsAgent, world: RoomsWorld, seed: int, episodes: int, stream: str = "perform"
) -> NDArray[np.bool_]:
    """Whether each episode's last trial (the exploit trial of a meta-episode) ended with the right
    choice."""
    return last_choices(agent, world, seed, episodes, stream).correct
