"""Worlds whose knobs are set all at once, through Gymnasium: a setting is an action."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from seedo.errors import UserError, one_of
from seedo.play._live import Live
from seedo.play.gym._env import Numbered
from seedo.play.gym._episodes import STREAM
from seedo.spaces import Knob
from seedo.worlds import EXPLOIT, OBSERVE, PHASES, World, set_to

Array = NDArray[np.float64]

REWARDS = ("kept", "measured")
_LARGEST = float(np.finfo(np.float32).max)


class SettingEnvironment(Numbered):
    """One experimenter in a world with a space of settings.

    An action is a dictionary with an entry for each knob: a box of one number, from 0 at the low
    end of its range to 1 at the high one, or, where values have names, the position of the name.
    What the knobs do not allow is made what they do (values
    within ends and steps, parts that add up to their total); where that still breaks a constraint,
    or only recorded settings are possible, the nearest possible setting is taken. `info["setting"]`
    says which it was. A step that only watches leaves all knobs alone.

    Entries of an observation are float32 boxes: `phase` one-hot [3], `steps_left` as a fraction
    [1], `setting` [K] and `readings` [M] of the last step, zeros where `observed` [K + M] is 0.

    Args:
        world: any with a space.
        reward: `kept`: at the end, what the setting that is kept is worth, and nothing before;
            `measured`: after every run what its readings are worth, too. A run that failed earns 0.
        render_mode: None or `ansi`.

    Raises:
        UserError: an option or action that cannot be used, or a step after the end.
    """

    def __init__(self, world: World, reward: str = "kept", render_mode: str | None = None) -> None:
        one_of("reward", reward, REWARDS)
        if render_mode not in (None, "ansi"):
            raise UserError("render_mode", render_mode, "use ansi, or leave it out")
        spec = world.spec
        assert spec.space is not None
        self.world, self.render_mode = world, render_mode
        self.metadata = {"render_modes": ["ansi"], "render_fps": 4}
        self.action_space = spaces.Dict({knob.name: _box(knob) for knob in spec.space.knobs})
        others = len(spec.readings)

        def box(low: float, high: float, size: int) -> spaces.Box:
            return spaces.Box(low, high, (size,), np.float32)

        self.observation_space = spaces.Dict({
            "phase": box(0, 1, len(PHASES)),
            "steps_left": box(0, 1, 1),
            "setting": box(-_LARGEST, _LARGEST, spec.space.size),
            "readings": box(-_LARGEST, _LARGEST, others),
            "observed": box(0, 1, spec.n),
        })  # fmt: skip
        self._reward, self._space = reward, spec.space
        self._live: Live | None = None
        self._lines: list[str] = []

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """The next episode; of a new seed, its first."""
        first, number = self._next(seed)
        self._live = Live(self.world, first, STREAM, number)
        self._lines = []
        return self._shown(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        live = self._live
        if live is None or live.finished:
            raise UserError("step", None, "the episode is over; call reset")
        if not self.action_space.contains(action):
            raise UserError("action", action, "give an entry for each knob, see action_space")
        wanted = np.array([_value(knob, action[knob.name]) for knob in self._space.knobs])
        setting = self._space.nearest(wanted)
        exploits, watches = live.phase == EXPLOIT, live.phase == OBSERVE
        if watches:
            setting = np.full(self._space.size, np.nan)
            live.act(-1)
        else:
            live.carry_out(set_to(setting, self.world.spec.n))
        value = self._value()
        earned = live.rewards[-1] if exploits or self._reward == "kept" else value
        info: dict[str, Any] = {"setting": self._space.named(setting), "failed": math.isnan(value)}
        reward = 0.0 if math.isnan(earned) else float(earned)
        self._lines.append(self._said(setting, exploits, reward))
        if live.finished:
            info |= {
                "return": live.returns,
                "oracle_return": live.oracle_return,
                "random_return": live.random_return,
            }
        return self._shown(), reward, live.finished, False, info

    def render(self) -> Any:
        return "\n".join(self._lines) or "nothing done yet" if self.render_mode else None

    def _value(self) -> float:
        """What the readings of the last step are worth; NaN where the run failed."""
        assert self._live is not None
        goals, spec = self.world.spec.goals, self.world.spec
        if goals is None:
            return math.nan
        outcome = np.asarray(self._live.observation.outcome, np.float64)
        return float(goals.value(goals.read(outcome[None], spec.variables))[0])

    def _shown(self) -> dict[str, NDArray[np.float32]]:
        assert self._live is not None
        seen, spec = self._live.observation, self.world.spec
        outcome = np.asarray(seen.outcome, np.float64)
        observed = np.isfinite(outcome)
        known = np.clip(np.where(observed, outcome, 0.0), -_LARGEST, _LARGEST)
        phase = np.zeros(len(PHASES))
        phase[int(seen.phase)] = 1.0
        entries = {
            "phase": phase,
            "steps_left": np.array([(spec.steps - self._live.step) / spec.steps]),
            "setting": known[: self._space.size],
            "readings": known[self._space.size :],
            "observed": observed,
        }
        return {name: entry.astype(np.float32) for name, entry in entries.items()}

    def _said(self, setting: Array, exploits: bool, reward: float) -> str:
        assert self._live is not None
        outcome = np.asarray(self._live.observation.outcome)[self._space.size :]
        pairs = zip(self.world.spec.readings, outcome, strict=True)
        read = ", ".join(f"{name} {value:.4g}" for name, value in pairs if np.isfinite(value))
        kept = f"; kept, reward {reward:.4g}" if exploits else ""
        head = f"{self._live.step}/{self.world.spec.steps} {self._space.words(setting)}"
        return f"{head} -> {read or 'nothing read'}{kept}"


def _box(knob: Knob) -> spaces.Space[Any]:
    if knob.named:
        return spaces.Discrete(len(knob.levels))
    return spaces.Box(0.0, 1.0, (1,), np.float64)


def _value(knob: Knob, entry: Any) -> float:
    number = float(np.ravel(entry)[0])
    return number if knob.named else knob.low + number * knob.range
