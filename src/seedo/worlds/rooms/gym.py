"""World `rooms` as a Gymnasium environment.

`gymnasium.make("seedo/rooms-v0", obs="pixels"|"symbolic")` takes the options of `RoomsConfig`;
`gymnasium.make_vec` batches it. After `reset(seed=s)` the episodes are those of
`episode_key(s, "gym", 0)`, 1, 2, ... What is said is in `info["explanation"]`, never in what is
seen.
"""

from __future__ import annotations

import functools
from typing import Any

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.worlds._spec import episode_key
from seedo.worlds.rooms._attributes import DIMENSIONS, VALUES
from seedo.worlds.rooms._config import RoomsConfig, configure
from seedo.worlds.rooms._explain import words
from seedo.worlds.rooms._rules import ACTIONS
from seedo.worlds.rooms._world import RoomsWorld

OBSERVATIONS = ("symbolic", "pixels")


class _Programs:
    """The compiled functions of one configuration; shared by all its environments."""

    def __init__(self, config: RoomsConfig, obs: str) -> None:
        world = RoomsWorld(config)

        def shown(task: Any, state: Any) -> Any:
            return world.pixels(task, state) if obs == "pixels" else world.symbolic(task, state)

        def start(seed: Any, episode: Any) -> Any:
            task_key, _ = jax.random.split(episode_key(seed, "gym", episode))
            task = world.sample(task_key)
            state = world.reset(task)
            return task, state, shown(task, state), world.explain(task, state)

        def step(task: Any, state: Any, action: Any) -> Any:
            after, reward = world.advance(task, state, action)
            return after, shown(task, after), world.explain(task, after), reward, after.finished

        self.start, self.step = jax.jit(start), jax.jit(step)
        self.pixels = jax.jit(world.pixels)


@functools.lru_cache(maxsize=32)
def _programs(config: RoomsConfig, obs: str) -> _Programs:
    return _Programs(config, obs)


class RoomsEnv(gymnasium.Env[Any, Any]):
    """One room, or one meta-episode of several, at a time.

    Observation: `pixels` uint8[99, 99, 3], egocentric; `symbolic` a dictionary of the fields of
    `Symbolic`. Action: 0 to 10, see `ACTIONS`. Reward: as the world gives it. An episode ends when
    its last verdict has been dwelt on; time limits are those of the world, so it is never
    truncated.

    Args:
        obs: `symbolic` or `pixels`.
        render_mode: None or `rgb_array`.
        options: of `RoomsConfig`, e.g. level="meta".

    Raises:
        UserError: an unknown option or value.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 4}  # noqa: RUF012  Gymnasium's own

    def __init__(
        self, obs: str = "symbolic", render_mode: str | None = None, **options: Any
    ) -> None:
        if obs not in OBSERVATIONS:
            raise UserError("obs", obs, f"use one of {', '.join(OBSERVATIONS)}")
        if render_mode not in (None, "rgb_array"):
            raise UserError("render_mode", render_mode, "use rgb_array, or leave it out")
        config = configure(**options)
        self.obs, self.render_mode = obs, render_mode
        self._programs = _programs(config, obs)
        self._seed, self._episode = 0, -1
        self._task: Any = None
        self._state: Any = None
        self.action_space = spaces.Discrete(len(ACTIONS))
        self.observation_space = (
            spaces.Box(0, 255, (99, 99, 3), np.uint8) if obs == "pixels" else _symbolic(config)
        )

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """The next episode; of a new seed, its first."""
        super().reset(seed=seed)
        if seed is not None:
            self._seed, self._episode = seed % 2**32, -1
        self._episode += 1
        found = self._programs.start(jnp.uint32(self._seed), self._episode)
        self._task, self._state, shown, said = found
        return self._host(shown), {"explanation": words(np.asarray(said))}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Act; see the class for what comes back."""
        if self._task is None:
            raise gymnasium.error.ResetNeeded("call reset before step")
        if not self.action_space.contains(action):
            raise UserError("action", action, f"use a whole number from 0 to {len(ACTIONS) - 1}")
        found = self._programs.step(self._task, self._state, jnp.int32(action))
        self._state, shown, said, reward, finished = found
        info = {"explanation": words(np.asarray(said))}
        return self._host(shown), float(reward), bool(finished), False, info

    def render(self) -> NDArray[np.uint8] | None:  # type: ignore[override]
        """What is seen, as pixels."""
        if self.render_mode is None or self._task is None:
            return None
        return np.asarray(self._programs.pixels(self._task, self._state))

    def _host(self, shown: Any) -> Any:
        if self.obs == "pixels":
            return np.asarray(shown)
        fields = shown._asdict()
        space = self.observation_space
        assert isinstance(space, spaces.Dict)
        return {
            name: np.asarray(fields[name]).astype(space[name].dtype).reshape(space[name].shape)
            for name in fields
        }


def _symbolic(config: RoomsConfig) -> spaces.Dict:
    most = max(config.limit, config.linger)
    kinds = np.array([[len(values) - 1 for values in VALUES[: len(DIMENSIONS)]]] * 4, np.int32)

    def whole(low: int, high: int, *shape: int) -> spaces.Box:
        return spaces.Box(low, high, shape or (1,), np.int32)

    return spaces.Dict(
        {
            "objects": spaces.Box(np.zeros_like(kinds), kinds, dtype=np.int32),
            "place": whole(-8, 8, 4, 2),
            "agent": whole(1, 9, 2),
            "trial": whole(0, config.trials - 1),
            "exploit": whole(0, 1),
            "transforms": whole(0, 1),
            "previous": whole(-1, len(ACTIONS) - 1),
            "reward": spaces.Box(0, 1, (1,), np.float32),
            "chosen": whole(-1, 3),
            "left": whole(0, most),
            "cue": whole(0, len(DIMENSIONS)),
            "finished": whole(0, 1),
        }
    )
