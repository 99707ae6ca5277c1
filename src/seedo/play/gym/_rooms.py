"""Rooms through Gymnasium: actions by number, symbols or pixels, and what is said in `info`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from jaxtyping import Array, Int

from seedo.errors import UserError
from seedo.play.gym._views import View
from seedo.worlds import Action
from seedo.worlds.rooms import ACTIONS, DIMENSIONS, VALUES, RoomsConfig, action_setting, words

OBSERVATIONS = ("symbolic", "pixels")


@dataclass(frozen=True)
class RoomsView(View):
    """Observation: `pixels` uint8[99, 99, 3], egocentric; `symbolic` a dictionary of the fields of
    `Symbolic`. What is said is in `info["explanation"]`, never in what is seen."""

    obs: str = "symbolic"
    options: ClassVar[tuple[str, ...]] = ("obs",)
    renders: ClassVar[tuple[str, ...]] = ("rgb_array",)

    def __post_init__(self) -> None:
        if self.obs not in OBSERVATIONS:
            raise UserError("obs", self.obs, f"use one of {', '.join(OBSERVATIONS)}")

    @property
    def space(self) -> spaces.Space[Any]:
        if self.obs == "pixels":
            return spaces.Box(0, 255, (99, 99, 3), np.uint8)
        return _symbolic(self.world.settings)

    @property
    def codes(self) -> int:
        return len(ACTIONS)

    def action(self, code: Int[Array, ""]) -> Action:
        return Action(*action_setting(code))

    def shown(self, seen: Any, step: Int[Array, ""]) -> Any:
        if self.obs == "pixels":
            return seen.frame
        fields, space = seen.symbolic._asdict(), _symbolic(self.world.settings)
        return {
            name: fields[name].astype(box.dtype).reshape(box.shape)
            for name, box in space.spaces.items()
        }

    def told(self, seen: Any) -> Int[Array, " L"]:
        return seen.words

    def info(self, told: Int[Array, " L"]) -> dict[str, Any]:
        return {"explanation": words(np.asarray(told))}


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
