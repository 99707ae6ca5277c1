"""One thing that can be set."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError, is_number, one_of

Array = NDArray[np.float64]

KNOB_TYPES = ("real", "whole", "ordered", "categorical")
"""Types of knobs: `whole` steps by 1 unless it says; the values of the last two are levels."""

_DIGITS = 4
"""Decimal places of a range that a real knob without a step is set to."""


@dataclass(frozen=True)
class Knob:
    """A knob with its type and range.

    Attributes:
        name: as in tables and logs.
        type: one of `KNOB_TYPES`.
        low, high: ends of the range, both possible; for levels 0 and their number less one.
        step: distance of possible values, counted from `low`; 0: any value between.
        levels: names of the values, in their order where there is one; () for numbers.
        choices: the only numbers that are possible, within the range; () for all.
        unit: for people, e.g. "°C".
        cost: of moving it from one run to the next, in the campaign's unit of cost.

    Raises:
        UserError: names the field that cannot be used.
    """

    name: str
    type: str = "real"
    low: float = 0.0
    high: float = 1.0
    step: float = 0.0
    levels: tuple[str, ...] = ()
    choices: tuple[float, ...] = ()
    unit: str = ""
    cost: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise UserError("knob", self.name, "give it a name")
        one_of(f"type of knob {self.name}", self.type, KNOB_TYPES)
        if self.named:
            self._check_levels()
            object.__setattr__(self, "low", 0.0)
            object.__setattr__(self, "high", float(len(self.levels) - 1))
            object.__setattr__(self, "step", 1.0)
        else:
            self._check_range()
        if not _is_number(self.cost) or self.cost < 0:
            raise UserError(f"cost of knob {self.name}", self.cost, "give a number from 0")

    @property
    def named(self) -> bool:
        """Whether its values are levels."""
        return self.type in ("ordered", "categorical")

    @property
    def discrete(self) -> bool:
        """Whether only some values of the range are possible."""
        return self.step > 0 or bool(self.choices)

    @property
    def range(self) -> float:
        return self.high - self.low

    @property
    def values(self) -> Array:
        """All values of a discrete knob, float64[V], ascending.

        Raises:
            ValueError: any value within a range is possible.
        """
        if self.choices:
            return np.array(self.choices)
        if not self.discrete:
            raise ValueError(f"knob {self.name} has no step")
        count = math.floor(self.range / self.step + 1e-9) + 1
        return np.round(self.low + self.step * np.arange(count), 12)

    def snap(self, x: Array) -> Array:
        """The nearest possible values, of the same shape."""
        x = np.clip(x, self.low, self.high)
        if self.choices:
            at = np.abs(x[..., None] - np.array(self.choices)).argmin(axis=-1)
            return np.array(self.choices)[at]
        if self.step:
            most = math.floor(self.range / self.step + 1e-9)
            steps = np.clip(np.rint((x - self.low) / self.step), 0, most)
            return np.round(self.low + self.step * steps, 12)
        decimals = _DIGITS - math.floor(math.log10(self.range))
        return np.clip(np.round(x, decimals) + 0.0, self.low, self.high)

    def allows(self, x: Array) -> NDArray[np.bool_]:
        """Whether values are possible, of the same shape; NaN never is."""
        slack = 1e-9 * max(abs(self.low), abs(self.high), self.range)
        inside = (x >= self.low - slack) & (x <= self.high + slack)
        if self.choices:
            nearest = np.abs(x[..., None] - np.array(self.choices)).min(axis=-1)
            return inside & (nearest <= slack)
        if not self.step:
            return inside
        steps = (x - self.low) / self.step
        return inside & (np.abs(steps - np.rint(steps)) <= 1e-6)

    def read(self, value: Any) -> float:
        """A value as users write it: a number, or the name of a level.

        Raises:
            UserError: it is none of the knob's.
        """
        if self.named:
            text = str(value)
            if text not in self.levels:
                raise UserError(self.name, value, f"use one of {', '.join(self.levels)}")
            return float(self.levels.index(text))
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                raise UserError(self.name, value, f"give a number {self.words_of_range}") from None
        if not _is_number(value) or not self.allows(np.array(value, np.float64)):
            raise UserError(self.name, value, f"give a number {self.words_of_range}")
        return float(value)

    def write(self, x: float) -> Any:
        """The inverse of `read`: a level's name, a whole number or a number."""
        if self.named:
            return self.levels[int(x)]
        return int(x) if self.type == "whole" and float(x).is_integer() else float(x)

    @property
    def words_of_range(self) -> str:
        """E.g. "from 20 to 90 in steps of 0.5"."""
        if self.choices:
            return "among " + ", ".join(f"{value:g}" for value in self.choices)
        step = f" in steps of {self.step:g}" if self.step else ""
        return f"from {self.low:g} to {self.high:g}{step}"

    def to_json(self) -> dict[str, Any]:
        """The fields that `from_json` reads, as plain JSON."""
        fields: dict[str, Any] = {"type": self.type}
        if self.named:
            fields["levels"] = list(self.levels)
        else:
            fields |= {"low": self.low, "high": self.high}
            if self.step:
                fields["step"] = self.step
            if self.choices:
                fields["choices"] = list(self.choices)
        if self.unit:
            fields["unit"] = self.unit
        if self.cost:
            fields["cost"] = self.cost
        return fields

    @classmethod
    def from_json(cls, name: str, fields: Any) -> Knob:
        """A knob from its fields, as in a campaign's file.

        Raises:
            UserError: names the field that is missing, unknown or cannot be used.
        """
        where = f"knobs.{name}"
        if not isinstance(fields, Mapping):
            raise UserError(where, fields, 'give a table, e.g. {type = "real", low = 0, high = 1}')
        known = ("type", "low", "high", "step", "levels", "choices", "unit", "cost")
        for field in fields:
            one_of(where, field, known)
        fields = dict(fields)
        kind = fields.setdefault("type", "categorical" if "levels" in fields else "real")
        one_of(f"{where}.type", kind, KNOB_TYPES)
        named = kind in ("ordered", "categorical")
        wrong = ("low", "high", "step", "choices") if named else ("levels",)
        for field in wrong:
            if field in fields:
                raise UserError(f"{where}.{field}", fields[field], f"a {kind} knob has none")
        choices = fields.get("choices", [])
        if not isinstance(choices, list | tuple) or not all(map(_is_number, choices)):
            raise UserError(f"{where}.choices", choices, "give a list of finite numbers")
        if choices:  # they may say the range
            fields["choices"] = tuple(choices)
            fields = {"low": min(choices), "high": max(choices)} | fields
        for field in ("levels",) if named else ("low", "high"):
            if field not in fields:
                raise UserError(f"{where}.{field}", None, f"missing: a {kind} knob needs it")
        if named:
            levels = fields["levels"]
            if not isinstance(levels, list | tuple):
                raise UserError(f"{where}.levels", levels, "give a list of names")
            fields["levels"] = tuple(str(level) for level in levels)
        if not isinstance(fields.get("unit", ""), str):
            raise UserError(f"{where}.unit", fields["unit"], "give a text")
        return cls(name, **fields)

    def _check_levels(self) -> None:
        field = f"levels of knob {self.name}"
        if len(self.levels) < 2 or not all(isinstance(v, str) and v for v in self.levels):
            raise UserError(field, list(self.levels), "give two names or more")
        if len(set(self.levels)) < len(self.levels):
            raise UserError(field, list(self.levels), "name every level once")

    def _check_range(self) -> None:
        where = f"of knob {self.name}"
        if self.levels:
            raise UserError(f"levels {where}", list(self.levels), f"a {self.type} knob has none")
        for field in ("low", "high", "step"):
            if not _is_number(getattr(self, field)):
                raise UserError(f"{field} {where}", getattr(self, field), "give a finite number")
        if not self.low < self.high:
            raise UserError(f"low {where}", self.low, f"it must lie below high, {self.high:g}")
        if self.type == "whole":
            if self.step == 0:
                object.__setattr__(self, "step", 1.0)
            for field in ("low", "step"):
                if not float(getattr(self, field)).is_integer():
                    raise UserError(f"{field} {where}", getattr(self, field), "give a whole number")
        if self.step < 0 or self.step > self.range:
            remedy = f"give a number from 0 to the range, {self.range:g}"
            raise UserError(f"step {where}", self.step, remedy)
        if self.step and self.range / self.step > 1e6:
            raise UserError(f"step {where}", self.step, "too fine: give 0 for any value between")
        if self.choices:
            self._check_choices()
        for field in ("low", "high", "step", "cost"):
            object.__setattr__(self, field, float(getattr(self, field)))

    def _check_choices(self) -> None:
        where = f"choices of knob {self.name}"
        if self.type != "real" or self.step:
            raise UserError(where, list(self.choices), "give them for a real knob without a step")
        for value in self.choices:
            if not self.low <= value <= self.high:
                raise UserError(where, value, f"give numbers from {self.low:g} to {self.high:g}")
        if len(set(self.choices)) < len(self.choices):
            raise UserError(where, list(self.choices), "give every number once")
        object.__setattr__(self, "choices", tuple(sorted(map(float, self.choices))))


def _is_number(value: Any) -> bool:
    return is_number(value.item() if isinstance(value, np.generic) else value)
