"""Playing with blicket machines, and what an exact reader makes of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray
from numpy.typing import NDArray

from seedo.episodes import EXPLOIT, EpisodeBatch, Origin
from seedo.play._live_old import LiveOld as Live
from seedo.play._parts import in_parts
from seedo.worlds import stream_key
from seedo.worlds.blicket import (
    RULES,
    BlicketSeen,
    BlicketTask,
    BlicketWorld,
)

_AT_ONCE = 1024
RANDOM_RETURN = 0.5
"""Expected share of right answers of whoever answers at random."""


class BlicketRollout(NamedTuple):
    """Finished episodes; every field has a leading episode axis B."""

    target: Any  # int32[B, S], object moved or answered about, -1 if none
    value: Any  # int32[B, S], 1 put on or yes, 0 removed or no
    on: Any  # bool[B, S, n], objects on the machine after the step
    light: Any  # int32[B, S], what the step showed; -1: nothing
    reward: Any  # float32[B, S]
    blickets: Any  # bool[B, n]
    conjunctive: Any  # bool[B]


# -- playing --------------------------------------------------------------------------------------


def play_blicket(world: BlicketWorld, player: Any, key: PRNGKeyArray) -> BlicketRollout:
    """One episode; pure. The world draws from its half of the key alone, whoever plays."""
    task, init_key, act_key = _keys(world, key)
    known = task if player.knows_system else None

    def step(carry, t):
        state, memory = carry
        own = jax.random.fold_in(act_key, t)
        (target, value), memory = player.act(world, known, memory, world.observe(state), own)
        after, reward = world.step(task, state, target, value)
        done = (after.target, value, after.on, after.light, reward)
        return (after, memory), done

    start = (world.reset(task), player.init(world, init_key))
    _, (target, value, on, light, reward) = jax.lax.scan(step, start, jnp.arange(world.spec.steps))
    return BlicketRollout(target, value, on, light, reward, task.blickets, task.conjunctive)


def _keys(world: BlicketWorld, key: PRNGKeyArray) -> tuple[BlicketTask, PRNGKeyArray, PRNGKeyArray]:
    """The machine, and the player's keys for its start and for its actions."""
    task_key, player_key = jax.random.split(key)
    init_key, act_key = jax.random.split(player_key)
    return world.sample(task_key), init_key, act_key


@eqx.filter_jit
def _rollout(world: BlicketWorld, player: Any, key: PRNGKeyArray, index: Array) -> BlicketRollout:
    return jax.vmap(lambda i: play_blicket(world, player, jax.random.fold_in(key, i)))(index)


def simulate_blicket(
    world: BlicketWorld, player: Any, seed: int, stream: str, start: int, count: int
) -> BlicketRollout:
    """Episodes start..start+count-1 of a stream, as NumPy arrays; on all processor cores."""
    key = stream_key(seed, stream)
    return in_parts(lambda index: _rollout(world, player, key, index), start, count, _AT_ONCE)


def blicket_episodes(
    world: BlicketWorld,
    player: Any,
    origin: Origin,
    stream: str,
    start: int,
    count: int,
    systems: bool,
) -> EpisodeBatch:
    """Episodes of a stream in log form; with each machine as JSON where `systems`."""
    played = simulate_blicket(world, player, origin.seed, stream, start, count)
    return _batch(origin, world, np.arange(start, start + count), played, systems)


def _batch(
    origin: Origin,
    world: BlicketWorld,
    episode_id: NDArray[Any],
    played: BlicketRollout,
    systems: bool,
) -> EpisodeBatch:
    """Logs: an outcome is the objects on the machine and its light; nothing after a question."""
    rows, n = played.blickets.shape
    phase = np.broadcast_to(np.asarray(world.spec.phases, np.int8), played.target.shape)
    asking = phase == EXPLOIT
    outcome = np.concatenate([played.on, played.light[..., None]], axis=2).astype(np.float32)
    outcome[asking] = np.nan
    goal = np.where(asking, np.arange(world.spec.steps) - world.settings.toggles, -1)
    return EpisodeBatch(
        origin=origin,
        episode_id=episode_id,
        phase=phase,
        target=played.target,
        value=np.where(played.target < 0, np.nan, played.value),
        outcome=outcome,
        mask=np.broadcast_to(np.arange(n + 1) < n, (rows, n + 1)),
        goal=goal,
        returns=played.reward.sum(1) / n,
        oracle_return=np.ones(rows),
        random_return=np.full(rows, RANDOM_RETURN),
        system=_systems(played) if systems else None,
    )


def _systems(played: BlicketRollout) -> list[str]:
    return [
        json.dumps(
            {"blickets": blickets.astype(int).tolist(), "rule": RULES[int(conjunctive)]},
            separators=(",", ":"),
        )
        for blickets, conjunctive in zip(played.blickets, played.conjunctive, strict=True)
    ]


# -- one episode, step by step --------------------------------------------------------------------


class LiveBlicket(Live):
    """An episode in progress, played from Python: for language models, people, tools.

    The same seed, stream and number give the machine and the noise that `simulate_blicket` plays.
    """

    def __init__(self, world: BlicketWorld, seed: int, stream: str, index: int) -> None:
        self.task, self._state, *self._keys = _begin(world, stream_key(seed, stream), index)
        super().__init__(world, index, _seen(world, self._state))

    @property
    def returns(self) -> float:
        """Share of the questions so far that were answered rightly; 0 before the first."""
        asked = self.step - self.world.settings.toggles
        return sum(float(done[-1]) for done in self._done) / max(asked, 1)

    oracle_return = 1.0
    random_return = RANDOM_RETURN

    def act(self, target: int, value: int = 0) -> None:
        """Move an object or answer, see `BlicketWorld`; `observation` then says what followed.

        Raises:
            RuntimeError: the episode is over.
        """
        self._refuse_at_end()
        after, reward = _advance(self.world, self.task, self._state, target, value)
        self._state = after
        done = (after.target, value, after.on, after.light, reward)
        self._add(done, _seen(self.world, after))

    def actor(self, player: Any) -> Any:
        """A function that says what a player does next, as it would inside `simulate_blicket`:
        (target, value)."""
        known = self.task if player.knows_system else None
        memory = player.init(self.world, self._keys[0])
        read, chosen = 0, (-1, 0)

        def action() -> tuple[int, int]:
            nonlocal memory, read, chosen
            while read <= self.step:
                own = jax.random.fold_in(self._keys[1], read)
                move, memory = _choose(self.world, player, known, memory, self.seen[read], own)
                chosen = (int(move[0]), int(move[1]))
                read += 1
            return chosen

        return action


def live_blicket_batch(
    origin: Origin,
    lived: Sequence[LiveBlicket],
    systems: bool = False,
) -> EpisodeBatch:
    """Finished episodes of one world in log form; with each machine as JSON where `systems`."""
    steps = [[np.stack(column) for column in zip(*live._done, strict=True)] for live in lived]
    target, value, on, light, reward = (np.stack(column) for column in zip(*steps, strict=True))
    blickets = np.stack([np.asarray(live.task.blickets) for live in lived])
    conjunctive = np.stack([np.asarray(live.task.conjunctive) for live in lived])
    played = BlicketRollout(target, value, on, light, reward, blickets, conjunctive)
    index = np.array([live.index for live in lived])
    return _batch(origin, lived[0].world, index, played, systems)


@eqx.filter_jit
def _begin(world: BlicketWorld, key: Any, index: Any) -> Any:
    task, init_key, act_key = _keys(world, jax.random.fold_in(key, index))
    return task, world.reset(task), init_key, act_key


@eqx.filter_jit
def _advance(world: BlicketWorld, task: BlicketTask, state: Any, target: Any, value: Any) -> Any:
    return world.step(task, state, target, value)


def _seen(world: BlicketWorld, state: Any) -> BlicketSeen:
    return jax.tree.map(np.asarray, world.observe(state))


@eqx.filter_jit
def _choose(world: BlicketWorld, player: Any, task: Any, memory: Any, seen: Any, key: Any) -> Any:
    return player.act(world, task, memory, seen, key)
