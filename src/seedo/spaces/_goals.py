"""What runs are for: readings to raise, to lower, or to bring to a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError, is_number, one_of

Array = NDArray[np.float64]

AIMS = ("maximize", "minimize", "target")
"""What can be wanted of a reading."""


@dataclass(frozen=True)
class Goal:
    """A reading and what is wanted of it.

    Attributes:
        reading: its name.
        aim: one of `AIMS`.
        target: what to bring it to; None unless that is the aim.
        weight: of this goal among several, in units of its scale.
        scale: by which its values are divided before goals are added up; None: the spread of what
            was measured.

    Raises:
        UserError: names the field that cannot be used.
    """

    reading: str
    aim: str = "maximize"
    target: float | None = None
    weight: float = 1.0
    scale: float | None = None

    def __post_init__(self) -> None:
        where = f"goals.{self.reading}"
        one_of(f"{where}.aim", self.aim, AIMS)
        if (self.aim == "target") != (self.target is not None):
            raise UserError(f"{where}.target", self.target, 'give a number with aim = "target"')
        for field in ("target", "weight", "scale"):
            value = getattr(self, field)
            if value is not None and not is_number(value):
                raise UserError(f"{where}.{field}", value, "give a finite number")
        if self.weight <= 0:
            raise UserError(f"{where}.weight", self.weight, "give a number above 0")
        if self.scale is not None and self.scale <= 0:
            raise UserError(f"{where}.scale", self.scale, "give a number above 0")

    def worth(self, y: Array) -> Array:
        """Readings of any shape as what is to be raised: themselves, their negative, or minus the
        distance from the target."""
        if self.target is not None:
            return -np.abs(y - self.target)
        return -y if self.aim == "minimize" else y

    def to_json(self) -> dict[str, Any]:
        fields: dict[str, Any] = {"aim": self.aim}
        if self.target is not None:
            fields["target"] = self.target
        if self.weight != 1:
            fields["weight"] = self.weight
        if self.scale is not None:
            fields["scale"] = self.scale
        return fields

    @classmethod
    def from_json(cls, reading: str, fields: Any) -> Goal:
        """A goal from its fields, as in a campaign's file; a bare text is the aim.

        Raises:
            UserError: names the field that is unknown or cannot be used.
        """
        if isinstance(fields, str):
            fields = {"aim": fields}
        if not isinstance(fields, Mapping):
            raise UserError(f"goals.{reading}", fields, 'give a table, e.g. {aim = "maximize"}')
        for field in fields:
            if field in ("unit", "low", "high"):
                remedy = f"{field} belongs to what is read: write it under [readings.{reading}]"
                raise UserError(f"goals.{reading}", field, remedy)
            one_of(f"goals.{reading}", field, ("aim", "target", "weight", "scale"))
        fields = dict(fields)
        if "target" in fields:
            fields.setdefault("aim", "target")
        return cls(reading, **fields)


@dataclass(frozen=True)
class Goals:
    """One goal or several.

    Attributes:
        each: at least one, of different readings.
        pareto: whether all that no other run beats in every goal is wanted, rather than the best
            weighted sum.

    Raises:
        UserError: there is none, or two are of one reading.
    """

    each: tuple[Goal, ...]
    pareto: bool = False

    def __post_init__(self) -> None:
        if not self.each:
            raise UserError("goals", None, "give one at least")
        if len({goal.reading for goal in self.each}) < len(self.each):
            raise UserError("goals", [g.reading for g in self.each], "give every reading one goal")

    @property
    def readings(self) -> tuple[str, ...]:
        return tuple(goal.reading for goal in self.each)

    def read(self, readings: Array, names: Sequence[str]) -> Array:
        """float64[R, G]: the columns of the goals among readings float64[R, M] of these names."""
        return readings[:, [names.index(name) for name in self.readings]]

    def to_json(self) -> dict[str, Any]:
        """By reading, what `Goal.from_json` reads."""
        return {goal.reading: goal.to_json() for goal in self.each}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any], pareto: bool = False) -> Goals:
        """The inverse of `to_json`, which does not say whether a front is wanted.

        Raises:
            UserError: names the field that cannot be used.
        """
        return cls(tuple(Goal.from_json(name, each) for name, each in fields.items()), pareto)

    def worths(self, y: Array) -> Array:
        """float64[R, G] readings of the goals -> what is to be raised, goal by goal."""
        return np.stack([g.worth(y[:, i]) for i, g in enumerate(self.each)], axis=1)

    def value(self, y: Array, weights: Array | None = None) -> Array:
        """One number a run to raise: a goal's worth, or the weighted sum of several, each divided
        by its scale.

        Args:
            y: float64[R, G], readings of the goals; NaN where a run failed.
            weights: float64[G] in place of the goals' own.

        Returns:
            float64[R]; NaN where a reading is.
        """
        worth = self.worths(y)
        if len(self.each) == 1:
            return worth[:, 0]
        scales = np.array([g.scale or _spread(worth[:, i]) for i, g in enumerate(self.each)])
        given = np.array([g.weight for g in self.each]) if weights is None else weights
        total: Array = (worth / scales) @ (given / given.sum())
        return total

    def scaled(self, y: Array) -> Goals:
        """The same with the scales that `value` takes for readings float64[R, G], so that others'
        values can be compared with theirs."""
        worth = self.worths(y)
        each = (replace(g, scale=g.scale or _spread(worth[:, i])) for i, g in enumerate(self.each))
        return replace(self, each=tuple(each))

    def front(self, y: Array) -> NDArray[np.bool_]:
        """bool[R]: runs that no other one beats (as good in all goals, better in one)."""
        worth = self.worths(y)
        keep: NDArray[np.bool_] = np.array(np.isfinite(worth).all(axis=1))
        for i in np.flatnonzero(keep):
            better = (worth >= worth[i]).all(axis=1) & (worth > worth[i]).any(axis=1)
            keep[i] = not better.any()
        return keep


def _spread(worth: Array) -> float:
    known = worth[np.isfinite(worth)]
    spread = float(known.std()) if len(known) > 1 else 0.0
    return spread if spread > 0 else 1.0
