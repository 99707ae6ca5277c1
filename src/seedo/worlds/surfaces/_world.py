"""World `surfaces`: a new response surface for every task, over the same knobs."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError, whole
from seedo.spaces import Goal, Goals, Knob, Linear, Space, climbed
from seedo.worlds._bench import Bench
from seedo.worlds._world import References
from seedo.worlds.surfaces._knobs import CATEGORICAL, MOST_KNOBS, NUMERIC, STEPPED, Knobs
from seedo.worlds.surfaces._surface import Surface, draw_surface, outcomes

Array = NDArray[np.float64]

_SOUGHT = 2048
"""Settings among which the best is looked for, before steps around it."""
_STEPS = 6
"""Values of a stepped knob; levels of a categorical one are fewer by two."""


class SurfaceTask(NamedTuple):
    """A plant: surfaces of the readings between, and of the goal over knobs and these.

    Attributes:
        between: surfaces over the knobs.
        goal: over the knobs and the readings between, these squeezed to 0 to 1.
        best: f64[K], the setting of the highest goal; highest: the goal there.
        middle: mean goal of random settings.
        spread: standard deviation of the goal among random settings.
    """

    between: tuple[Surface, ...]
    goal: Surface
    best: Array
    highest: float
    middle: float
    spread: float


class SurfacesWorld(Bench):
    """Response surfaces as in `draw_surface`: smooth or rugged, with hills, interactions, failing
    regions, skewed outcomes, knobs that do nothing.

    Args:
        runs: how many, before the setting to keep.
        knobs: how many in all, 1 to 12.
        stepped: how many of them have `_STEPS` values.
        categorical: how many of them have levels without an order.
        mixture: whether they are shares that sum to one.
        between: readings between knobs and goal.
        noise: of what is read, in standard deviations of the goal among settings.

    Raises:
        UserError: names what cannot be used.
    """

    name = "surfaces"
    splits: ClassVar[tuple[str, ...]] = ("train",)

    def __init__(
        self,
        runs: int = 20,
        knobs: int = 4,
        stepped: int = 0,
        categorical: int = 0,
        mixture: bool = False,
        between: int = 0,
        noise: float = 0.05,
    ) -> None:
        whole("runs", runs, 1, 1000)
        whole("knobs", knobs, 1, MOST_KNOBS)
        whole("stepped", stepped, 0, knobs)
        whole("categorical", categorical, 0, knobs - stepped)
        whole("between", between, 0, MOST_KNOBS)
        if not isinstance(mixture, bool):
            raise UserError("mixture", mixture, "use true or false")
        if mixture and (knobs < 2 or stepped or categorical):
            raise UserError(
                "mixture", mixture, "use two knobs at least, none stepped or with levels"
            )
        if isinstance(noise, bool) or not isinstance(noise, int | float) or not 0 <= noise <= 10:
            raise UserError("noise", noise, "use a number from 0 to 10")
        self.runs, self.stepped, self.categorical = runs, stepped, categorical
        self.mixture, self.between, self.noise = mixture, between, float(noise)
        kinds = [NUMERIC] * (knobs - stepped - categorical)
        kinds += [STEPPED] * stepped + [CATEGORICAL] * categorical
        levels = [_STEPS - 2 if kind == CATEGORICAL else _STEPS for kind in kinds]
        self.knobs = Knobs(np.array(kinds), np.array(levels), mixture)
        axes = tuple(_axis(i, kind, levels[i]) for i, kind in enumerate(kinds))
        total = (Linear(tuple((knob.name, 1.0) for knob in axes), "==", 1.0),) if mixture else ()
        readings = (*(f"r{i + 1}" for i in range(between)), "goal")
        super().__init__(Space(axes, total), readings, Goals((Goal("goal"),)), runs)

    def config(self) -> dict[str, Any]:
        return {
            "runs": self.runs,
            "knobs": self.space.size,
            "stepped": self.stepped,
            "categorical": self.categorical,
            "mixture": self.mixture,
            "between": self.between,
            "noise": self.noise,
        }

    def sample(self, key: Any) -> SurfaceTask:
        between = tuple(draw_surface(self.knobs, key) for _ in range(self.between))
        more = np.zeros(self.between, np.int64)
        wide = Knobs(
            np.concatenate([self.knobs.kinds, more + NUMERIC]),
            np.concatenate([self.knobs.levels, more + _STEPS]),
            False,
        )
        goal = draw_surface(wide if self.between else self.knobs, key)
        some = self.space.sample(_SOUGHT, key)
        task = SurfaceTask(between, goal, some[0], 0.0, 0.0, 1.0)
        at, worth = climbed(
            self.space, some, lambda x: self.expected(task, x), key, best=8, count=32
        )
        top, chance = int(np.argmax(worth)), worth[: len(some)]
        return task._replace(
            best=at[top], highest=float(worth[top]),
            middle=float(chance.mean()), spread=float(chance.std()),
        )  # fmt: skip

    def expected(self, task: SurfaceTask, settings: Array) -> Array:
        """The goal without noise, float64[M], at settings float64[M, K]."""
        return self._read(task, settings)[:, -1]

    def measured(self, task: SurfaceTask, setting: Array, rng: np.random.Generator) -> Array:
        noise = self.noise * rng.normal(size=self.between + 1)
        noise[-1] *= task.spread
        read: Array = self._read(task, setting[None])[0] + noise
        return read

    def worth(self, task: SurfaceTask, setting: Array, readings: Array) -> float:
        """The goal without noise."""
        return float(self.expected(task, setting[None])[0])

    def references(self, task: SurfaceTask) -> References:
        oracle: Any = np.float32(task.highest)
        random: Any = np.float32(task.middle)
        return References(oracle, random)

    def _read(self, task: SurfaceTask, settings: Array) -> Array:
        """Readings float64[M, R] without noise."""
        low = np.array([knob.low for knob in self.space.knobs])
        span = np.array([knob.range for knob in self.space.knobs])
        unit = (settings - low) / span
        seen = [outcomes(surface, unit) for surface in task.between]
        squeezed = [1 / (1 + np.exp(-r)) for r in seen]
        goal = outcomes(task.goal, np.column_stack([unit, *squeezed]))
        return np.column_stack([*seen, goal])


def _axis(i: int, kind: int, levels: int) -> Knob:
    name = f"k{i + 1}"
    if kind == CATEGORICAL:
        return Knob(name, "categorical", levels=tuple(f"L{j + 1}" for j in range(levels)))
    return Knob(name, step=1 / (levels - 1) if kind == STEPPED else 0.0)
