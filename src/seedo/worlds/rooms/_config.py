"""Settings of world `rooms`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from seedo.errors import UserError, one_of, whole
from seedo.worlds.rooms._attributes import DIMENSIONS

LEVELS = ("basic", "confounded", "deconfounded", "meta")
"""Levels of the task."""
DIFFICULTIES = ("easy", "hard1", "hard2", "hard3")
"""Of experiment trials: in how many properties more than the one in question objects differ."""
EXPLAIN = ("none", "properties", "verdict", "full")
"""How much the explanations of an episode say."""
SPLITS = ("train", "heldout-values", "heldout-dimension")
PRESETS: dict[str, dict[str, Any]] = {"default": {}, "reference": {"limit": 128, "linger": 16}}
HELD_DIMENSION = "texture"
"""What split `heldout-dimension` is about unless `without` names another dimension."""


@dataclass(frozen=True)
class RoomsConfig:
    """Settings of world `rooms`; see `docs/rooms.md`.

    Attributes:
        level: `basic`, `confounded`, `deconfounded` or `meta`.
        dimension: the concept, along which the odd one out is rewarded; `any`: drawn for each
            episode. `position` exists in `basic` only.
        difficulty: of experiment trials: `easy` (identical objects), `hard1..3` (that many
            dimensions come in pairs), or `mixed` (drawn for each trial).
        experiments: experiment trials before the exploit trial of a meta-episode.
        exploit_reward: what the odd one is worth in the exploit trial.
        limit: steps of a trial before it ends without a choice.
        linger: steps after a choice during which its verdict is perceived.
        explain: what explanations are about: nothing, `properties` (and what a transformation did),
            the `verdict`, or both.
        cue: whether observations name the dimension that explanations and the verdict are about.
        split: `train`; `heldout-values` (colours, shapes and textures that `train` never shows);
            `heldout-dimension` (the concept is always `without`, or texture where that is empty).
        without: a dimension that is never the concept of split `train`: what to train on for a test
            on `heldout-dimension`.
        preset: `default`, or `reference` (limit 128, linger 16).
    """

    level: str = "meta"
    dimension: str = "any"
    difficulty: str = "mixed"
    experiments: int = 3
    exploit_reward: float = 10.0
    limit: int = 20
    linger: int = 2
    explain: str = "full"
    cue: bool = False
    split: str = "train"
    without: str = ""
    preset: str = "default"

    def __post_init__(self) -> None:
        for field, options in (
            ("level", LEVELS),
            ("dimension", (*DIMENSIONS, "any")),
            ("difficulty", (*DIFFICULTIES, "mixed")),
            ("explain", EXPLAIN),
            ("split", SPLITS),
            ("without", ("", *DIMENSIONS)),
            ("preset", tuple(PRESETS)),
        ):
            one_of(field, getattr(self, field), options)
        for field, lowest, highest in (
            ("experiments", 1, 100),
            ("limit", 1, 10_000),
            ("linger", 1, 10_000),
        ):
            whole(field, getattr(self, field), lowest, highest)
        reward = self.exploit_reward
        number = isinstance(reward, int | float) and not isinstance(reward, bool)
        if not number or not 0 < reward <= 1e6:
            raise UserError("exploit_reward", reward, "use a number above 0 and up to 1000000")
        if not isinstance(self.cue, bool):
            raise UserError("cue", self.cue, "use true or false")
        if self.level != "basic" and "position" in (self.dimension, self.without):
            raise UserError("dimension", "position", "only level 'basic' has it")
        if self.dimension != "any" and (self.without or self.split == "heldout-dimension"):
            raise UserError(
                "dimension", self.dimension, "use 'any' with `without` or split 'heldout-dimension'"
            )

    @property
    def trials(self) -> int:
        return self.experiments + 1 if self.level == "meta" else 1

    @property
    def horizon(self) -> int:
        """Steps within which every episode ends."""
        return self.trials * (self.limit + self.linger)

    @property
    def concepts(self) -> tuple[int, ...]:
        """The dimensions that the concept is drawn from."""
        if self.dimension != "any":
            return (DIMENSIONS.index(self.dimension),)
        if self.split == "heldout-dimension":
            return (DIMENSIONS.index(self.without or HELD_DIMENSION),)
        known = DIMENSIONS if self.level == "basic" else DIMENSIONS[:3]
        return tuple(i for i, name in enumerate(known) if name != self.without)

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @staticmethod
    def from_dict(config: dict[str, Any]) -> RoomsConfig:
        known = sorted(field.name for field in dataclasses.fields(RoomsConfig))
        for field, value in config.items():
            if field not in known:
                raise UserError(field, value, f"not an option of world 'rooms': {known}")
        return RoomsConfig(**config)


def configure(preset: str = "default", split: str = "train", **options: Any) -> RoomsConfig:
    """Settings from a preset, a split and the user's own options, which win over the preset."""
    one_of("preset", preset, tuple(PRESETS))
    own = {field: value for field, value in options.items() if value is not None}
    return RoomsConfig.from_dict(PRESETS[preset] | {"preset": preset, "split": split} | own)
