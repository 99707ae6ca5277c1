"""Episodes behind environments: many at once in a compiled program, or one in plain Python."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from seedo.play._live import Live
from seedo.play._loop import Setup, noise_at, set_up
from seedo.play.gym._views import View
from seedo.worlds import EXPLOIT, Action, References, episode_key

STREAM = "gym"


class Running(NamedTuple):
    """An episode in progress; batched over a leading axis by the programs below."""

    setup: Setup
    state: Any
    step: Int[Array, ""]
    over: Bool[Array, ""]
    returns: Float[Array, ""]  # sum so far of what counts
    references: References


class Shown(NamedTuple):
    """What an environment shows; with a leading axis of environments."""

    entries: Any
    told: Any


def _begin(view: View, seed: Int[Array, ""], episode: Int[Array, ""]) -> tuple[Running, Shown]:
    world = view.world
    setup = set_up(world, episode_key(seed, STREAM, episode))
    state = world.reset(setup.task, setup.noise_key)
    zero, over = jnp.float32(0.0), jnp.asarray(False)
    running = Running(setup, state, jnp.int32(0), over, zero, world.references(setup.task))
    return running, _show(view, running)


def _show(view: View, running: Running) -> Shown:
    seen = view.world.observe(running.setup.task, running.state)
    return Shown(view.shown(seen, running.step), view.told(seen))


def _advance(
    view: View, running: Running, code: Int[Array, ""]
) -> tuple[Running, Shown, Float[Array, ""]]:
    """One step; what the world does not allow only observes."""
    world, task, t = view.world, running.setup.task, running.step
    action = view.action(code)
    legal = world.legal(task, running.state, action)
    nothing = Action(jnp.int32(-1), jnp.float32(0.0))
    action = jax.tree.map(lambda own, none: jnp.where(legal, own, none), action, nothing)
    key = noise_at(world, running.setup, t)
    state, reward, done = world.step(task, running.state, action, key)
    before, after = world.observe(task, running.state), world.observe(task, state)
    exploiting = jnp.asarray(world.spec.phases)[t] == EXPLOIT
    running = running._replace(
        state=state,
        step=t + 1,
        over=done | (t + 1 >= world.spec.steps),
        returns=running.returns + jnp.where(exploiting, reward, 0.0),
    )
    shown = Shown(view.shown(after, t + 1), view.told(after))
    return running, shown, view.earned(before, after, reward)


@functools.lru_cache(maxsize=32)
def _programs(view: View, quickly: bool) -> Any:
    """The compiled functions of a view; shared by all its environments.

    Compiled `quickly`, they start in half the time and run slower: what fits one environment, for
    whom calling them takes longer than they do.
    """
    options = {"xla_backend_optimization_level": 0} if quickly else {}

    def start(seeds: Array, episodes: Array) -> Any:
        return jax.vmap(functools.partial(_begin, view))(seeds, episodes)

    def step(running: Running, codes: Array) -> Any:
        return jax.vmap(functools.partial(_advance, view))(running, codes)

    frames = jax.vmap(functools.partial(_frame, view))
    return tuple(jax.jit(function, compiler_options=options) for function in (start, step, frames))


def _frame(view: View, running: Running) -> Array:
    frame: Array = view.world.observe(running.setup.task, running.state).frame
    return frame


@jax.jit
def _where(mask: Bool[Array, " B"], own: Any, other: Any) -> Any:
    """Rows of one batch where the mask holds, else of the other."""

    def pick(a: Array, b: Array) -> Array:
        return jnp.where(mask.reshape(mask.shape + (1,) * (a.ndim - 1)), a, b)

    return jax.tree.map(pick, own, other)


class Compiled:
    """Episodes of a pure world, one for every seed; see `_programs` for `quickly`."""

    def __init__(self, view: View, quickly: bool = False) -> None:
        self._view = view
        self._start, self._step, self._frames = _programs(view, quickly)

    def start(self, seeds: np.ndarray, episodes: np.ndarray) -> Shown:
        """What is shown before the first step of episodes of these numbers."""
        self._running, shown = self._start(seeds, episodes)
        return shown

    def restart(
        self, over: np.ndarray, seeds: np.ndarray, episodes: np.ndarray, shown: Shown
    ) -> Shown:
        """Start those that are over; `shown` with what they show then."""
        fresh = self._start(seeds, episodes)
        found: tuple[Running, Shown] = _where(over, fresh, (self._running, shown))
        self._running = found[0]
        return found[1]

    def step(self, codes: np.ndarray) -> tuple[Shown, np.ndarray, np.ndarray]:
        """What is shown after these actions, what they earned, and which are over."""
        self._running, shown, rewards = self._step(self._running, codes)
        return shown, np.asarray(rewards, np.float64), np.array(self._running.over)

    def facts(self) -> dict[str, np.ndarray]:
        """Returns of the episodes, and what to compare them with."""
        running, phases = self._running, self._view.world.spec.phases
        exploits = max(1, sum(phase == EXPLOIT for phase in phases))
        return {
            "return": np.asarray(running.returns) / exploits,
            "oracle_return": np.asarray(running.references.oracle),
            "random_return": np.asarray(running.references.random),
        }

    def frames(self) -> np.ndarray:
        """uint8[B, H, W, 3], pictures of what is seen now."""
        return np.asarray(self._frames(self._running))


class Plain:
    """One episode of a world in plain Python."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._action, self._shown = jax.jit(view.action), jax.jit(view.shown)

    def start(self, seeds: np.ndarray, episodes: np.ndarray) -> Shown:
        self._live = Live(self._view.world, int(seeds[0]), STREAM, int(episodes[0]))
        return self._now()

    def step(self, codes: np.ndarray) -> tuple[Shown, np.ndarray, np.ndarray]:
        live, world = self._live, self._view.world
        chosen = self._action(codes[0])
        action = Action(int(chosen.target), float(chosen.value))
        if not world.legal(live.task, live.state, action):
            action = Action(-1, 0.0)  # type: ignore[arg-type]
        before = live.observation
        live.carry_out(action)
        reward = self._view.earned(before, live.observation, np.float32(live.rewards[-1]))
        return self._now(), np.array([float(reward)]), np.array([live.finished])

    def facts(self) -> dict[str, np.ndarray]:
        live = self._live
        entries = (live.returns, live.oracle_return, live.random_return)
        names = ("return", "oracle_return", "random_return")
        return {name: np.array([entry]) for name, entry in zip(names, entries, strict=True)}

    def _now(self) -> Shown:
        seen = self._live.observation
        shown = Shown(self._shown(seen, self._live.step), self._view.told(seen))
        return jax.tree.map(lambda a: np.asarray(a)[None], shown)
