"""A rooms network that acts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, PRNGKeyArray
from numpy.typing import NDArray

from understudy.learning._rooms_network import RoomsNetwork
from understudy.worlds import stream_key
from understudy.worlds.rooms import NOTHING, RoomsWorld, Symbolic

AT_ONCE = 512


@dataclass(frozen=True, eq=False)
class RoomsPlayer:
    """Plays a network; an experimenter of world `rooms`.

    Attributes:
        greedy: play the most probable action rather than draw from the distribution.
    """

    network: RoomsNetwork
    name: str = "network"
    greedy: bool = True

    knows_system = False

    def init(self, key: PRNGKeyArray) -> Any:
        words = self.network.word_bias.shape[0]
        return self.network.start(), jnp.zeros(words, jnp.int32)

    def act(
        self,
        world: RoomsWorld,
        task: None,
        state: Any,
        seen: Symbolic,
        key: PRNGKeyArray,
        heard: Int[Array, " L"] | None = None,
    ) -> tuple[Int[Array, ""], Any]:
        memory, verdict = self.network.step(state[0], seen, heard)
        if self.greedy:
            action = jnp.argmax(verdict.logits)
        else:
            action = jax.random.categorical(key, verdict.logits)
        # There is nothing to do while a verdict is dwelt on; nor did those it learnt from.
        idle = (seen.chosen >= 0) | seen.finished
        action = jnp.where(idle, NOTHING, action).astype(jnp.int32)
        return action, (memory, jnp.argmax(verdict.words, -1).astype(jnp.int32))

    def says(self, state: Any) -> Int[Array, " L"]:
        """The explanation it expected at the step just acted on."""
        return state[1]


class Choices(NamedTuple):
    """What was chosen in the last trial of E episodes."""

    correct: NDArray[np.bool_]  # [E]: it was the odd one out along the concept
    odd: NDArray[np.bool_]  # [E, D]: the dimensions along which it was; none if nothing was chosen
    taken: NDArray[np.bool_]  # [E]: something was chosen


def last_choices(
    player: RoomsPlayer,
    world: RoomsWorld,
    seed: int,
    episodes: int,
    stream: str = "evaluation",
    explained: bool = False,
) -> Choices:
    """Let a network play episodes 0.. of a stream. `explained`: it hears what is said."""
    key = stream_key(seed, stream)
    parts = []
    for first in range(0, episodes, AT_ONCE):
        index = first + np.arange(AT_ONCE)
        found = _last_choices(player.network, player.greedy, world, explained, key, index)
        parts.append(jax.tree.map(np.asarray, found))
    return jax.tree.map(lambda *part: np.concatenate(part)[:episodes], *parts)


def exploit_correct(
    player: RoomsPlayer, world: RoomsWorld, seed: int, episodes: int, stream: str = "evaluation"
) -> NDArray[np.bool_]:
    """Whether each episode's last trial ended with the right choice."""
    return last_choices(player, world, seed, episodes, stream).correct


@eqx.filter_jit
def _last_choices(
    network: RoomsNetwork, greedy: bool, world: RoomsWorld, explained: bool, key: Any, index: Array
) -> Choices:
    player = RoomsPlayer(network, greedy=greedy)

    def play(i: Array) -> Choices:
        task_key, player_key = jax.random.split(jax.random.fold_in(key, i))
        init_key, act_key = jax.random.split(player_key)
        task = world.sample(task_key)

        def step(carry: Any, t: Array) -> tuple[Any, Choices]:
            state, memory = carry
            seen = world.observe(task, state)
            heard = world.explain(task, state) if explained else None
            own = jax.random.fold_in(act_key, t)
            action, memory = player.act(world, None, memory, seen, own, heard)
            after, reward = world.step(task, state, action)
            later = world.observe(task, after)
            taken = (seen.chosen < 0) & (later.chosen >= 0)
            taken &= seen.trial == world.settings.trials - 1
            thing = later.objects[jnp.maximum(later.chosen, 0)]
            odd = (later.objects == thing).sum(0) == 1
            return (after, memory), Choices(taken & (reward > 0), taken & odd, taken)

        start = (world.reset(task), player.init(init_key))
        steps = jax.lax.scan(step, start, jnp.arange(world.horizon))[1]
        return jax.tree.map(lambda found: found.any(0), steps)

    return jax.vmap(play)(index)
