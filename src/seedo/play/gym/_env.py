"""The environments: Gymnasium's rules around episodes."""

from __future__ import annotations

from typing import Any

import gymnasium
import jax
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from seedo.errors import UserError
from seedo.play.gym._episodes import Compiled, Plain, Shown
from seedo.play.gym._views import View

_LOWEST_32 = 0xFFFFFFFF


class Numbered(gymnasium.Env[Any, Any]):
    """An environment whose episodes are numbered within a seed."""

    _seed: int | None = None
    _episode: int = -1

    def _next(self, seed: int | None) -> tuple[int, int]:
        """Seed and number of the next episode; of a new seed, its first."""
        super().reset(seed=seed)
        if seed is not None or self._seed is None:
            drawn = int(self.np_random.integers(2**31)) if seed is None else seed
            self._seed, self._episode = drawn & _LOWEST_32, -1
        self._episode += 1
        return self._seed, self._episode


class Environment(Numbered):
    """One experimenter in a world; see the package for what it sees and does.

    It ends with the world's episode and is never truncated.

    Raises:
        UserError: an option or action that cannot be used, or a step after the end.
    """

    def __init__(self, view: View, render_mode: str | None = None) -> None:
        _check_mode(view, render_mode)
        self.world, self.render_mode = view.world, render_mode
        self.metadata = {"render_modes": list(view.renders), "render_fps": 4}
        self.observation_space = view.space
        self.action_space = spaces.Discrete(view.codes)
        self._view = view
        self._episodes: Any = Plain(view) if view.world.host else Compiled(view, quickly=True)
        self._step, self._over = 0, True
        self._lines: list[str] = []

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """The next episode; of a new seed, its first."""
        first, number = self._next(seed)
        shown = self._episodes.start(np.array([first], np.uint32), np.array([number]))
        self._step, self._over, self._lines = 0, False, []
        return self._first(shown)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if not self.action_space.contains(action):
            raise UserError("action", action, f"use a whole number below {self._view.codes}")
        if self._over:
            raise UserError("step", None, "the episode is over; call reset")
        shown, rewards, over = self._episodes.step(np.array([action], np.int32))
        (observation, info), reward = self._first(shown), float(rewards[0])
        self._lines.append(self._view.described(observation, self._step, reward))
        self._step, self._over = self._step + 1, bool(over[0])
        if self._over:
            info |= {name: float(entry[0]) for name, entry in self._episodes.facts().items()}
        return observation, reward, self._over, False, info

    def render(self) -> Any:
        if self.render_mode == "rgb_array":
            return self._episodes.frames()[0]
        return None if self.render_mode is None else "\n".join(self._lines) or "nothing done yet"

    def _first(self, shown: Shown) -> tuple[Any, dict[str, Any]]:
        entries, told = jax.tree.map(lambda entry: np.array(entry[0]), shown)
        return entries, self._view.info(told)


class Batch(VectorEnv):
    """Many experimenters at once: one compiled call a step; spaces as in `Environment`.

    An environment that has ended starts its next episode at the following step, whose action is
    ignored and whose reward is 0 (Gymnasium's next-step autoreset).

    Raises:
        UserError: an option or action that cannot be used.
    """

    def __init__(self, view: View, num_envs: int, render_mode: str | None = None) -> None:
        _check_mode(view, render_mode)
        self.world, self.num_envs, self.render_mode = view.world, num_envs, render_mode
        self.metadata = {
            "render_modes": list(view.renders),
            "autoreset_mode": AutoresetMode.NEXT_STEP,
        }
        self.single_observation_space = view.space
        self.single_action_space = spaces.Discrete(view.codes)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._view, self._running = view, Compiled(view)
        self._seeds: np.ndarray | None = None
        self._episodes = np.full(num_envs, -1)
        self._over = np.zeros(num_envs, bool)
        self._shown: Any = {}

    def reset(
        self,
        *,
        seed: int | list[int] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        if options and "reset_mask" in options:
            raise UserError("reset_mask", None, "environments are reset together; leave it out")
        if isinstance(seed, list | tuple) and len(seed) != self.num_envs:
            raise UserError("seed", seed, f"use one whole number, or {self.num_envs} of them")
        super().reset(seed=seed if isinstance(seed, int) else None)
        if seed is not None or self._seeds is None:
            if seed is None:
                seed = int(self.np_random.integers(2**31))
            own = [seed + i for i in range(self.num_envs)] if isinstance(seed, int) else seed
            self._seeds = (np.array(own, np.uint64) & np.uint64(_LOWEST_32)).astype(np.uint32)
            self._episodes = np.full(self.num_envs, -1)
        self._episodes = self._episodes + 1
        self._over = np.zeros(self.num_envs, bool)
        return self._host(self._running.start(self._seeds, self._episodes))

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        actions = np.asarray(actions)
        whole = actions.shape == (self.num_envs,) and np.issubdtype(actions.dtype, np.integer)
        most = self._view.codes
        if not whole or (actions < 0).any() or (actions >= most).any():
            raise UserError(
                "actions", actions.tolist(), f"use {self.num_envs} whole numbers below {most}"
            )
        if self._seeds is None:
            raise UserError("step", None, "call reset first")
        restarted = self._over
        shown, rewards, over = self._running.step(actions.astype(np.int32))
        if restarted.any():
            self._episodes = self._episodes + restarted
            shown = self._running.restart(restarted, self._seeds, self._episodes, shown)
            rewards, over = np.where(restarted, 0.0, rewards), over & ~restarted
        self._over = over
        observation, info = self._host(shown)
        if over.any():
            for name, column in self._running.facts().items():
                info |= {name: np.where(over, column, 0.0), f"_{name}": over.copy()}
        return observation, rewards, over, np.zeros(self.num_envs, bool), info

    def render(self) -> tuple[Any, ...] | None:
        if self.render_mode is None:
            return None
        if self.render_mode == "rgb_array":
            return tuple(self._running.frames())
        return tuple(
            np.array2string(row, precision=2, suppress_small=True)
            for row in self._shown.get("outcome", np.zeros((self.num_envs, 0)))
        )

    def _host(self, shown: Shown) -> tuple[Any, dict[str, Any]]:
        entries, told = jax.tree.map(np.array, shown)
        self._shown = jax.tree.map(np.copy, entries)
        info: dict[str, Any] = {}
        for i in range(self.num_envs if told is not None else 0):
            info = self._add_info(info, self._view.info(told[i]), i)
        return entries, info


def _check_mode(view: View, mode: str | None) -> None:
    if mode is not None and mode not in view.renders:
        raise UserError("render_mode", mode, f"use {', '.join(view.renders)}, or leave it out")
