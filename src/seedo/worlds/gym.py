"""World `dag` as a Gymnasium environment, single and natively batched.

`import seedo` registers `seedo/dag-v0`. `gymnasium.make("seedo/dag-v0", split=...)`
and `gymnasium.make_vec("seedo/dag-v0", num_envs=...)` take the options of `DagConfig` and
`reward="expected"` (exact expected goal value of an exploit action) or `"sampled"` (the value that
followed). After `reset(seed=s)` the episodes are those of `episode_key(s, "gym", 0)`, 1, 2, ...;
environment i of a batch is seeded with s + i.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from seedo.errors import UserError
from seedo.worlds._scm import System
from seedo.worlds._spec import EXPLOIT, PHASES, Spec, episode_key
from seedo.worlds.dag import DagConfig, DagWorld, configure, legal_returns

REWARDS = ("expected", "sampled")
_LARGEST = float(np.finfo(np.float32).max)


class _Running(NamedTuple):
    """An episode in progress; batched over a leading axis by the programs below."""

    system: System
    relevant: Bool[Array, " n"]
    goal: Int[Array, " S"]  # -1 at steps that show none
    expected: Float[Array, "n V n"]
    noise_key: PRNGKeyArray
    t: Int[Array, ""]
    rewards: Float[Array, ""]  # sum so far of the exact expected goal values
    oracle_return: Float[Array, ""]
    random_return: Float[Array, ""]


class _Seen(NamedTuple):
    """What the last step showed."""

    target: Int[Array, ""]  # -1: plain observation, or nothing yet
    value: Float[Array, ""]
    outcome: Float[Array, " n"]  # NaN before the first step


def _begin(world: DagWorld, seed: Int[Array, ""], episode: Int[Array, ""]) -> _Running:
    task_key, noise_key, _ = jax.random.split(episode_key(seed, "gym", episode), 3)
    task = world.draw(task_key)
    exploiting = jnp.asarray(world.spec.phases) == EXPLOIT
    goal = jnp.where(exploiting, task.goals[jnp.maximum(jnp.cumsum(exploiting) - 1, 0)], -1)
    expected = world.expected(task.system)

    def references(goal):
        worth = legal_returns(expected, goal, task.relevant)
        legal = jnp.isfinite(worth)
        return worth.max(), jnp.where(legal, worth, 0.0).sum() / legal.sum()

    best, average = jax.vmap(references)(task.goals)
    zero = jnp.zeros(())
    return _Running(
        system=task.system,
        relevant=task.relevant,
        goal=goal,
        expected=expected,
        noise_key=noise_key,
        t=jnp.asarray(0),
        rewards=zero,
        oracle_return=best.mean(),
        random_return=average.mean(),
    )


def _advance(
    world: DagWorld, reward: str, running: _Running, action: Int[Array, ""]
) -> tuple[_Running, _Seen, Float[Array, ""]]:
    """One step. At exploit steps only a relevant variable other than the goal may be set; anything
    else becomes an observation and earns 0, as in every other runner of the package."""
    spec = world.spec
    values = jnp.asarray(spec.do_values)
    goal = running.goal[running.t]
    exploiting = jnp.asarray(spec.phases)[running.t] == EXPLOIT
    target = jnp.where(action < spec.actions, action // len(values), -1)
    index = action % len(values)
    allowed = (target >= 0) & (target != goal) & running.relevant[target]
    target = jnp.where(exploiting & ~allowed, -1, target)
    value = jnp.where(target >= 0, values[index], 0.0)
    key = jax.random.fold_in(running.noise_key, running.t)
    outcome = world.outcome(running.system, target, value, key)
    earns = exploiting & (target >= 0)
    worth = jnp.where(earns, running.expected[target, index, goal], 0.0)
    given = worth if reward == "expected" else jnp.where(earns, outcome[goal], 0.0)
    running = running._replace(t=running.t + 1, rewards=running.rewards + worth)
    return running, _Seen(target, value, outcome), given


def _observe(spec: Spec, running: _Running, seen: _Seen) -> dict[str, Array]:
    following = jnp.minimum(running.t, spec.steps - 1)
    observed = jnp.isfinite(seen.outcome)
    entries = {
        "phase": jax.nn.one_hot(jnp.asarray(spec.phases)[following], len(PHASES)),
        "steps_left": ((spec.steps - running.t) / spec.steps)[None],
        "target": jax.nn.one_hot(seen.target, spec.n),
        "value": seen.value[None],
        "outcome": jnp.where(observed, seen.outcome, 0.0),
        "observed": observed,
        "relevant": running.relevant,
        "goal": jax.nn.one_hot(running.goal[following], spec.n),
    }
    return {name: entry.astype(jnp.float32) for name, entry in entries.items()}


class _Programs:
    """The compiled functions of one configuration; shared by all its environments."""

    def __init__(self, config: DagConfig, reward: str) -> None:
        self.world = world = DagWorld(config)
        spec = world.spec
        blank = _Seen(jnp.asarray(-1), jnp.zeros(()), jnp.full(spec.n, jnp.nan))
        begin = jax.vmap(functools.partial(_begin, world))
        observe = jax.vmap(functools.partial(_observe, spec))

        def started(seeds, episodes):
            running = begin(seeds, episodes)
            seen = jax.tree.map(
                lambda a: jnp.broadcast_to(a, (seeds.shape[0], *jnp.shape(a))), blank
            )
            return running, seen, observe(running, seen)

        def step(running, actions, seeds, episodes):
            over = running.t >= spec.steps
            going, seen, rewards = jax.vmap(functools.partial(_advance, world, reward))(
                running, actions
            )
            after = (going, seen, observe(going, seen))

            def restart():
                return jax.tree.map(
                    lambda new, old: jnp.where(
                        over.reshape(over.shape + (1,) * (new.ndim - 1)), new, old
                    ),
                    started(seeds, episodes + 1),
                    after,
                )

            running, _, shown = jax.lax.cond(over.any(), restart, lambda: after)
            ended = running.t >= spec.steps
            facts = (running.oracle_return, running.random_return, running.rewards)
            return running, shown, jnp.where(over, 0.0, rewards), ended, over, facts

        self.start = jax.jit(started)
        self.step = jax.jit(step)


@functools.lru_cache(maxsize=32)
def _programs(config: DagConfig, reward: str) -> _Programs:
    return _Programs(config, reward)


def _setup(reward: str, render_mode: str | None, options: dict[str, Any]) -> _Programs:
    if reward not in REWARDS:
        raise UserError("reward", reward, f"use one of {', '.join(REWARDS)}")
    if render_mode not in (None, "ansi"):
        raise UserError("render_mode", render_mode, "use ansi, or leave it out")
    if isinstance(options.get("do_values"), list):
        options = options | {"do_values": tuple(options["do_values"])}
    config = configure(**options)
    if config.drift:
        raise UserError("drift", config.drift, "environments keep their systems: leave it out")
    return _programs(config, reward)


def _spaces(spec: Spec) -> tuple[spaces.Dict, spaces.Discrete]:
    n, largest = spec.n, max(0.0, *spec.do_values)
    smallest = min(0.0, *spec.do_values)

    def box(low: float, high: float, size: int) -> spaces.Box:
        return spaces.Box(low, high, (size,), np.float32)

    observation = spaces.Dict(
        {
            "phase": box(0, 1, len(PHASES)),
            "steps_left": box(0, 1, 1),
            "target": box(0, 1, n),
            "value": box(smallest, largest, 1),
            "outcome": box(-_LARGEST, _LARGEST, n),
            "observed": box(0, 1, n),
            "relevant": box(0, 1, n),
            "goal": box(0, 1, n),
        }
    )
    return observation, spaces.Discrete(spec.actions + 1)


def _host(shown: dict[str, Array]) -> dict[str, np.ndarray]:
    return {name: np.array(entry) for name, entry in shown.items()}


class DagEnv(gymnasium.Env):
    """One experimenter in world `dag`.

    Actions: `target * V + value_index`, or n * V to observe only. Observations are float32 boxes:
    `phase` one-hot [3], `steps_left` as a fraction [1], `target` and `value` of the previous
    action (zeros if none), `outcome` [n] with zeros where `observed` [n] is 0, `relevant` [n] and
    `goal` one-hot [n] (zeros while hidden). Info at the end holds `return`, `oracle_return` and
    `random_return`, means over exploit steps of exact expected goal values.

    Raises:
        UserError: an option or action that cannot be used, or a step after the end.
    """

    metadata = {"render_modes": ["ansi"], "render_fps": 4}  # noqa: RUF012

    def __init__(
        self, reward: str = "expected", render_mode: str | None = None, **options: Any
    ) -> None:
        self._programs = _setup(reward, render_mode, options)
        self.world = self._programs.world
        self.render_mode = render_mode
        self.observation_space, self.action_space = _spaces(self.world.spec)
        self._seed: int | None = None
        self._episode = -1
        self._lines: list[str] = []

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        super().reset(seed=seed)
        if seed is not None or self._seed is None:
            drawn = int(self.np_random.integers(2**31)) if seed is None else seed
            self._seed, self._episode = drawn, -1
        self._episode += 1
        self._seeds = np.array([self._seed & 0xFFFFFFFF], np.uint32)
        self._running, _, shown = self._programs.start(self._seeds, np.array([self._episode]))
        self._over = False
        self._lines = []
        return self._first(shown), {}

    def step(self, action: Any) -> tuple[dict[str, np.ndarray], float, bool, bool, dict[str, Any]]:
        if not self.action_space.contains(action):
            raise UserError(
                "action", action, f"use a whole number below {self.world.spec.actions + 1}"
            )
        if self._over:
            raise UserError("step", None, "the episode is over; call reset")
        self._running, shown, rewards, ended, _, facts = self._programs.step(
            self._running, np.array([action], np.int32), self._seeds, np.array([self._episode])
        )
        observation, reward = self._first(shown), float(rewards[0])
        self._over = bool(ended[0])
        self._lines.append(self._describe(observation, reward))
        info = _final(facts, 0, self.world) if self._over else {}
        return observation, reward, self._over, False, info

    def render(self) -> str | None:
        if self.render_mode is None:
            return None
        return "\n".join(self._lines) or "nothing done yet"

    def _first(self, shown: dict[str, Array]) -> dict[str, np.ndarray]:
        return {name: np.array(entry[0]) for name, entry in shown.items()}

    def _describe(self, observation: dict[str, np.ndarray], reward: float) -> str:
        spec, step = self.world.spec, len(self._lines)
        done = "observe"
        if observation["target"].any():
            name = spec.variables[int(observation["target"].argmax())]
            done = f"do({name} = {observation['value'][0]:g})"
        values = zip(spec.variables, observation["outcome"], strict=True)
        outcome = ", ".join(f"{name} {value:.2f}" for name, value in values)
        phase = PHASES[spec.phases[step]]
        earned = f"; reward {reward:.2f}" if spec.phases[step] == EXPLOIT else ""
        return f"{step + 1}/{spec.steps} {phase}: {done} -> {outcome}{earned}"


def _final(facts: tuple[Array, Array, Array], row: Any, world: DagWorld) -> dict[str, Any]:
    oracle, random, rewards = (np.asarray(fact)[row] for fact in facts)
    exploits = world.settings.exploits * world.settings.rounds
    entries = {"return": rewards / exploits, "oracle_return": oracle, "random_return": random}
    return {k: float(v) if np.ndim(v) == 0 else np.asarray(v) for k, v in entries.items()}


class DagVectorEnv(VectorEnv):
    """Many experimenters at once: one compiled, vmapped call a step; spaces as in `DagEnv`.

    An environment that has ended starts its next episode at the following step, whose action is
    ignored and whose reward is 0 (Gymnasium's next-step autoreset).

    Raises:
        UserError: an option or action that cannot be used.
    """

    metadata = {"render_modes": ["ansi"], "autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012

    def __init__(
        self,
        num_envs: int = 1,
        reward: str = "expected",
        render_mode: str | None = None,
        **options: Any,
    ) -> None:
        if not isinstance(num_envs, int) or isinstance(num_envs, bool) or num_envs < 1:
            raise UserError("num_envs", num_envs, "use a whole number from 1")
        self._programs = _setup(reward, render_mode, options)
        self.world = self._programs.world
        self.num_envs = num_envs
        self.render_mode = render_mode
        self.single_observation_space, self.single_action_space = _spaces(self.world.spec)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._seeds: np.ndarray | None = None
        self._episodes = np.full(num_envs, -1)
        self._shown: dict[str, np.ndarray] = {}

    def reset(
        self,
        *,
        seed: int | list[int] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        if options and "reset_mask" in options:
            raise UserError("reset_mask", None, "environments are reset together; leave it out")
        if isinstance(seed, list | tuple) and len(seed) != self.num_envs:
            raise UserError("seed", seed, f"use one whole number, or {self.num_envs} of them")
        super().reset(seed=seed if isinstance(seed, int) else None)
        if seed is not None or self._seeds is None:
            if seed is None:
                seed = int(self.np_random.integers(2**31))
            own = [seed + i for i in range(self.num_envs)] if isinstance(seed, int) else seed
            self._seeds = (np.array(own, np.uint64) & np.uint64(0xFFFFFFFF)).astype(np.uint32)
            self._episodes = np.full(self.num_envs, -1)
        self._episodes = self._episodes + 1
        self._running, _, shown = self._programs.start(self._seeds, self._episodes)
        self._shown = _host(shown)
        return _host(shown), {}

    def step(
        self, actions: Any
    ) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        actions = np.asarray(actions)
        whole = actions.shape == (self.num_envs,) and np.issubdtype(actions.dtype, np.integer)
        most = self.world.spec.actions + 1
        if not whole or (actions < 0).any() or (actions >= most).any():
            raise UserError(
                "actions", actions.tolist(), f"use {self.num_envs} whole numbers below {most}"
            )
        self._running, shown, rewards, ended, restarted, facts = self._programs.step(
            self._running, actions.astype(np.int32), self._seeds, self._episodes
        )
        self._episodes = self._episodes + np.asarray(restarted)
        ended = np.array(ended)
        info: dict[str, Any] = {}
        if ended.any():
            for name, column in _final(facts, slice(None), self.world).items():
                info |= {name: np.where(ended, column, 0.0), f"_{name}": ended.copy()}
        self._shown = _host(shown)
        rewards = np.asarray(rewards, np.float64)
        return _host(shown), rewards, ended, np.zeros(self.num_envs, bool), info

    def render(self) -> tuple[str, ...] | None:
        if self.render_mode is None:
            return None
        return tuple(
            np.array2string(row, precision=2, suppress_small=True)
            for row in self._shown.get("outcome", np.zeros((self.num_envs, 0)))
        )
