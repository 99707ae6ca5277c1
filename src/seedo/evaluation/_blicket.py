"""Playing with blicket machines, and what an exact reader makes of it."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray
from numpy.typing import NDArray

from seedo.episodes import EXPLOIT, EpisodeBatch, Origin
from seedo.errors import UserError
from seedo.evaluation._live import Live
from seedo.evaluation._parts import in_parts
from seedo.experimenters import (
    blicket_answers,
    blicket_beliefs,
    blicket_gains,
    blicket_update,
)
from seedo.worlds import stream_key
from seedo.worlds.blicket import (
    RULES,
    BlicketConfig,
    BlicketSeen,
    BlicketTask,
    BlicketWorld,
    blicket_prior,
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


@functools.partial(jax.jit, static_argnums=(0, 1))
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


@functools.partial(jax.jit, static_argnums=0)
def _begin(world: BlicketWorld, key: Any, index: Any) -> Any:
    task, init_key, act_key = _keys(world, jax.random.fold_in(key, index))
    return task, world.reset(task), init_key, act_key


@functools.partial(jax.jit, static_argnums=0)
def _advance(world: BlicketWorld, task: BlicketTask, state: Any, target: Any, value: Any) -> Any:
    return world.step(task, state, target, value)


def _seen(world: BlicketWorld, state: Any) -> BlicketSeen:
    return jax.tree.map(np.asarray, world.observe(state))


@functools.partial(jax.jit, static_argnums=(0, 1))
def _choose(world: BlicketWorld, player: Any, task: Any, memory: Any, seen: Any, key: Any) -> Any:
    return player.act(world, task, memory, seen, key)


# -- the exact reader -----------------------------------------------------------------------------


class BlicketReading(NamedTuple):
    """What experiments told, whoever chose them.

    Attributes:
        answers: bool[B, n], the Bayes-optimal answers after all experiments.
        entropy: float32[B, T + 1], bits of uncertainty about rule and blickets, from before the
            first experiment to after the last.
        expected: float32[B, T], bits that each experiment was expected to tell.
        greedy: float32[B, T], bits that the best experiment would have been expected to tell.
    """

    answers: Any
    entropy: Any
    expected: Any
    greedy: Any


def read_blicket(batch: EpisodeBatch) -> BlicketReading:
    """The exact posterior of every experiment of a log, from what players are told of the world.

    Raises:
        UserError: not a log of world `blicket`, or its experiments do not fit its settings.
    """
    if batch.origin.world != "blicket":
        raise UserError("world", batch.origin.world, "give a log of world blicket")
    config = BlicketConfig.from_dict(json.loads(batch.origin.world_config))
    toggles = config.toggles
    if batch.n != config.n + 1 or batch.steps != toggles + config.n:
        raise UserError("steps", batch.steps, f"the world's settings say {toggles + config.n}")
    shown = batch.outcome[:, :toggles]
    if not np.isin(shown, (0.0, 1.0)).all():
        raise UserError("outcome", None, "objects and light are 0 or 1 after every experiment")
    on, light = shown[..., :-1] == 1, shown[..., -1].astype(np.int32)
    size = min(_AT_ONCE, 1 << max(batch.rows - 1, 0).bit_length())
    parts = []
    for start in range(0, batch.rows, size):
        # The last part repeats its last episode, so that all have one shape.
        at = np.minimum(np.arange(start, start + size), batch.rows - 1)
        found = _read(config, on[at], light[at], batch.target[at, :toggles].astype(np.int32))
        keep = min(size, batch.rows - start)
        parts.append(jax.tree.map(lambda a, keep=keep: np.asarray(a)[:keep], found))
    return jax.tree.map(lambda *columns: np.concatenate(columns), *parts)


@functools.partial(jax.jit, static_argnums=0)
def _read(config: BlicketConfig, on: Any, light: Any, target: Any) -> BlicketReading:
    prior = blicket_beliefs(config)

    def step(carry, seen):
        beliefs, before = carry
        after, light, target = seen
        gains = blicket_gains(config, beliefs, before)
        chosen = jnp.where(target < 0, config.n, target)
        beliefs = blicket_update(config, beliefs, after, light)
        return (beliefs, after), (_bits(beliefs), gains[chosen], gains.max())

    def episode(on, light, target):
        start = jnp.full(config.n, config.start == "full")
        (beliefs, _), columns = jax.lax.scan(step, (prior, start), (on, light, target))
        entropy, expected, greedy = columns
        entropy = jnp.concatenate([_bits(prior)[None], entropy])
        return BlicketReading(blicket_answers(config, beliefs), entropy, expected, greedy)

    return jax.vmap(episode)(on, light, target)


def _bits(beliefs: Array) -> Array:
    return jax.scipy.special.entr(beliefs).sum() / math.log(2.0)


def blicket_bayes_returns(batch: EpisodeBatch) -> NDArray[np.float64] | str:
    """float64[B]: share of right answers of the Bayes-optimal reader of each episode's experiments;
    or why it is unknown."""
    if batch.system is None:
        return "the log has no systems"
    try:
        answers = read_blicket(batch).answers
        truth = np.array([json.loads(text)["blickets"] for text in batch.system]) == 1
    except UserError as error:
        return str(error)
    except (ValueError, TypeError, KeyError, RecursionError):
        return "column system: no usable 'blickets'"
    if truth.shape != answers.shape:
        return "column system: 'blickets' has other objects than the world"
    right: NDArray[np.float64] = (truth == answers).mean(1)
    return right


def best_information(config: BlicketConfig, steps: int) -> list[float]:
    """Bits about rule and blickets that the best policy is expected to have found out after 0, 1,
    ..., `steps` experiments (each number has a best policy of its own).

    Exact, by dynamic programming over what can still be true and what is on the machine; work grows
    fast with objects (n = 4: a second).

    Raises:
        UserError: lights with noise, for which beliefs are not sets, or more than 5 objects.
    """
    if config.flip:
        raise UserError("flip", config.flip, "exact only without noise: use 0")
    if config.n > 5:
        raise UserError("n", config.n, "exact only for 3 to 5 objects")
    prior = blicket_prior(config)
    machines = [
        (int(r), int(b), float(prior[r, b])) for r, b in zip(*np.nonzero(prior), strict=True)
    ]

    @functools.cache
    def bright(on: int) -> int:
        """The machines that light up, as bits."""
        lit = (b & ~on == 0 if rule else b & on != 0 for rule, b, _ in machines)
        return sum(1 << i for i, shines in enumerate(lit) if shines)

    @functools.cache
    def uncertain(possible: int) -> float:
        """Entropy times probability of a set of machines."""
        weights = [w for i, (_, _, w) in enumerate(machines) if possible >> i & 1]
        total = sum(weights)
        return sum(w * math.log2(total / w) for w in weights)

    @functools.cache
    def left(possible: int, on: int, more: int) -> float:
        """What uncertainty the best policy leaves."""
        if not more or not possible & (possible - 1):
            return uncertain(possible)
        contents = [on ^ (1 << i) for i in range(config.n)]
        return min(
            left(possible & bright(c), c, more - 1) + left(possible & ~bright(c), c, more - 1)
            for c in contents
        )

    every, start = (1 << len(machines)) - 1, (1 << config.n) - 1 if config.start == "full" else 0
    return [uncertain(every) - left(every, start, k) for k in range(steps + 1)]
