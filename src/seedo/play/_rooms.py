"""Playing in rooms, and what is logged of it.

A log keeps actions, rewards and words; what was seen is played again from seed, stream, episode and
actions, pixels included.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray
from numpy.typing import NDArray

from seedo.episodes import EpisodeBatch, Origin, rooms_batch
from seedo.play._parts import in_parts
from seedo.worlds import stream_key
from seedo.worlds.rooms import RoomState, RoomsWorld, RoomTask, words

_AT_ONCE = 256


class RoomsRollout(NamedTuple):
    """Finished episodes; every field has a leading episode axis B."""

    action: Any  # int32[B, S]
    reward: Any  # float32[B, S]
    trial: Any  # int32[B, S], before the action
    exploiting: Any  # bool[B, S]
    chosen: Any  # int32[B, S], object chosen by this action, -1 if none
    finished: Any  # bool[B, S], before the action
    tokens: Any  # int32[B, S, L], said before the action
    predicted: Any  # int32[B, S, L], what the player expected to be said; None if it never does


def play_rooms(world: RoomsWorld, player: Any, key: PRNGKeyArray) -> RoomsRollout:
    """One episode; pure. The world draws from its half of the key alone, whoever plays."""
    task_key, player_key = jax.random.split(key)
    task = world.sample(task_key)
    init_key, act_key = jax.random.split(player_key)

    def step(carry, t):
        state, memory = carry
        return play_step(world, player, task, state, memory, t, act_key)

    start = (world.reset(task), player.init(init_key))
    return jax.lax.scan(step, start, jnp.arange(world.horizon))[1]


def play_step(
    world: RoomsWorld,
    player: Any,
    task: RoomTask,
    state: RoomState,
    memory: Any,
    t: Array | int,
    act_key: PRNGKeyArray,
) -> tuple[tuple[RoomState, Any], RoomsRollout]:
    """Step `t` of an episode: the state and the player's memory after it, and what is logged."""
    known = task if player.knows_system else None
    listens = getattr(getattr(player, "architecture", None), "listens", False)
    before = world.observe(task, state)
    seen: Any = before
    if getattr(player, "pixels", False):
        seen = (before, world.pixels(task, state))
    tokens = world.explain(task, state)
    own = jax.random.fold_in(act_key, t)
    heard = {"heard": tokens} if listens else {}
    action, memory = player.act(world, known, memory, seen, own, **heard)
    predicted = player.says(memory) if hasattr(player, "says") else None
    after, reward = world.step(task, state, action)
    later = world.observe(task, after)
    fresh = (before.chosen < 0) & (later.trial == before.trial) & (later.chosen >= 0)
    now = RoomsRollout(
        jnp.where(before.finished, -1, action), reward, before.trial, before.exploit,
        jnp.where(fresh, later.chosen, -1), before.finished, tokens, predicted,
    )  # fmt: skip
    return (after, memory), now


@eqx.filter_jit
def _rollout(world: RoomsWorld, player: Any, key: PRNGKeyArray, index: Array) -> RoomsRollout:
    return jax.vmap(lambda i: play_rooms(world, player, jax.random.fold_in(key, i)))(index)


def simulate_rooms(
    world: RoomsWorld, player: Any, seed: int, stream: str, start: int, count: int
) -> RoomsRollout:
    """Episodes start..start+count-1 of a stream, as NumPy arrays; on all processor cores."""
    key = stream_key(seed, stream)
    return in_parts(lambda index: _rollout(world, player, key, index), start, count, _AT_ONCE)


def room_episodes(
    world: RoomsWorld,
    player: Any,
    origin: Origin,
    stream: str,
    start: int,
    count: int,
    explained: bool,
) -> EpisodeBatch:
    """Episodes of a stream in log form; with what was said where `explained`."""
    played = simulate_rooms(world, player, origin.seed, stream, start, count)
    return rollout_batch(world, origin, np.arange(start, start + count), played, explained)


def rollout_batch(
    world: RoomsWorld,
    origin: Origin,
    episode_id: NDArray[np.int64],
    played: RoomsRollout,
    explained: bool,
) -> EpisodeBatch:
    """Finished episodes in log form; with what was said where `explained`."""
    return rooms_batch(
        origin,
        episode_id,
        played.action,
        played.reward,
        played.trial,
        played.chosen,
        played.exploiting | (world.settings.trials == 1),
        _texts(played.tokens) if explained else None,
    )


def _texts(tokens: NDArray[np.int32]) -> list[list[str]]:
    """The words of int32[B, S, L]."""
    kinds, which = np.unique(tokens.reshape(-1, tokens.shape[-1]), axis=0, return_inverse=True)
    said = np.array([words(kind) for kind in kinds], object)
    found: list[list[str]] = said[which.reshape(tokens.shape[:2])].tolist()
    return found
