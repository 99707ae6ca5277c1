"""A Gymnasium environment as a thing with knobs: its action is the setting.

Runs in the process of `_child`. A run is an episode in which one action is held from the first step
to the last: the environment's own end, or `steps` steps. Read are the sum of rewards, `reward`, and
the mean of each number that was observed after the steps.
"""

from __future__ import annotations

from typing import Any

STEPS = 200
"""Most steps of an episode, unless the name says, as in `ID?steps=50`."""
_MOST_READ = 32
"""Most numbers of an observation that are read; of larger ones, as pictures, none is."""


class GymRig:
    """An environment by its name, `ID` or `ID?steps=50`; `spec` and `run` as `_child` wants them.

    Raises:
        ValueError: its actions are no knobs, and why.
    """

    def __init__(self, name: str) -> None:
        import gymnasium

        identity, _, option = name.partition("?")
        self._steps = _steps(option)
        self._env = gymnasium.make(identity)
        self._parts = _parts("action", self._env.action_space)
        self._numbers = _numbers(self._env.observation_space)
        self.spec = {
            "name": identity,
            "knobs": {knob: fields for part in self._parts for knob, fields in part[2]},
            "readings": ["reward", *self._numbers],
            "goals": {"reward": {"aim": "maximize"}},
        }

    def run(self, setting: dict[str, Any], seed: int | None = None) -> dict[str, float]:
        import numpy as np

        action = _built(self._env.action_space, iter(self._parts), setting)
        seen, _ = self._env.reset(seed=seed)
        total, sums, steps = 0.0, np.zeros(len(self._numbers)), 0
        over = False
        while not over and steps < self._steps:
            seen, reward, terminated, truncated, _ = self._env.step(action)
            total += float(reward)
            if self._numbers:
                sums += _flat(self._env.observation_space, seen)
            steps += 1
            over = terminated or truncated
        means = (sums / steps).tolist()
        return {"reward": total} | dict(zip(self._numbers, means, strict=True))


def _steps(option: str) -> int:
    field, _, value = option.partition("=")
    if not option:
        return STEPS
    if field != "steps" or not value.isdecimal() or not 1 <= int(value) <= 100_000:
        raise ValueError(f"after ? only steps=1 to steps=100000 may stand, not {option}")
    return int(value)


Part = tuple[str, Any, list[tuple[str, dict[str, Any]]]]
"""Name, Gymnasium space, and its knobs: names and fields."""


def _parts(name: str, space: Any) -> list[Part]:
    """The simple spaces that an action consists of, in the order of `_built`."""
    from gymnasium import spaces

    if isinstance(space, spaces.Dict):
        return [p for key, inner in space.spaces.items() for p in _parts(_under(name, key), inner)]
    if isinstance(space, spaces.Tuple):
        inners = enumerate(space.spaces, 1)
        return [p for i, inner in inners for p in _parts(f"{name}_{i}", inner)]
    return [(name, space, _knobs(name, space))]


def _under(name: str, key: object) -> str:
    return str(key) if name == "action" else f"{name}_{key}"


def _knobs(name: str, space: Any) -> list[tuple[str, dict[str, Any]]]:
    import numpy as np
    from gymnasium import spaces

    if isinstance(space, spaces.Discrete):
        levels = [str(int(space.start) + i) for i in range(int(space.n))]
        return [(name, {"type": "categorical", "levels": levels})]
    if isinstance(space, spaces.MultiDiscrete):
        starts = np.broadcast_to(getattr(space, "start", 0), space.nvec.shape).ravel()
        pairs = zip(starts.tolist(), space.nvec.ravel().tolist(), strict=True)
        return [
            (_numbered(name, i, space.nvec.size), {"levels": [str(s + j) for j in range(n)]})
            for i, (s, n) in enumerate(pairs)
        ]
    if isinstance(space, spaces.MultiBinary):
        count = int(np.prod(space.shape))
        return [(_numbered(name, i, count), {"levels": ["0", "1"]}) for i in range(count)]
    if isinstance(space, spaces.Box):
        if not (np.isfinite(space.low).all() and np.isfinite(space.high).all()):
            raise ValueError(f"{name} has no ends: only bounded boxes are knobs")
        kind = "whole" if np.issubdtype(space.dtype, np.integer) else "real"
        pairs = zip(space.low.ravel().tolist(), space.high.ravel().tolist(), strict=True)
        return [
            (_numbered(name, i, space.low.size), {"type": kind, "low": low, "high": high})
            for i, (low, high) in enumerate(pairs)
        ]
    raise ValueError(f"{name} is a {type(space).__name__}, which is no knob")


def _numbered(name: str, i: int, count: int) -> str:
    return name if count == 1 else f"{name}_{i + 1}"


def _built(space: Any, parts: Any, setting: dict[str, Any]) -> Any:
    """The action that a setting is."""
    import numpy as np
    from gymnasium import spaces

    if isinstance(space, spaces.Dict):
        return {key: _built(inner, parts, setting) for key, inner in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(_built(inner, parts, setting) for inner in space.spaces)
    _, _, knobs = next(parts)
    values = np.array([float(setting[knob]) for knob, _ in knobs])
    if isinstance(space, spaces.Discrete):
        return np.int64(values[0])
    built = values.reshape(space.shape).astype(space.dtype)
    return np.clip(built, space.low, space.high) if isinstance(space, spaces.Box) else built


def _numbers(space: Any) -> list[str]:
    """Names of the numbers that an observation consists of; () where they are too many."""
    from gymnasium import spaces

    if not isinstance(space, spaces.Box | spaces.Dict | spaces.MultiDiscrete | spaces.Discrete):
        return []
    if isinstance(space, spaces.Discrete):
        return ["observation"]
    if isinstance(space, spaces.Dict):
        inner = [_numbers(each) for each in space.spaces.values()]
        if not all(inner):
            return []
        keys = zip(space.spaces, inner, strict=True)
        names = [name.replace("observation", str(key), 1) for key, each in keys for name in each]
        return names if len(names) <= _MOST_READ else []
    import math

    count = math.prod(space.shape)
    names = [_numbered("observation", i, count) for i in range(count)]
    return names if count <= _MOST_READ else []


def _flat(space: Any, seen: Any) -> Any:
    """float64[M], the numbers of an observation in the order of `_numbers`."""
    import numpy as np
    from gymnasium import spaces

    if isinstance(space, spaces.Dict):
        return np.concatenate([_flat(inner, seen[key]) for key, inner in space.spaces.items()])
    return np.asarray(seen, np.float64).ravel()
