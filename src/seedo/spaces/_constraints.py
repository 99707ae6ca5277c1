"""What settings have to keep: linear constraints, mixtures among them, forbidden combinations."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError, one_of
from seedo.spaces._knob import Knob

Array = NDArray[np.float64]

SIGNS = ("<=", ">=", "==")
_SUM_SIGNS = {"equals": "==", "at_most": "<=", "at_least": ">="}
_NUMBER = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_TERM = re.compile(
    rf"\s*(?P<sign>[+-]?)\s*(?:(?P<number>{_NUMBER})\s*\*?\s*)?"
    r"(?:`(?P<quoted>[^`]+)`|(?P<name>[^\W\d]\w*))\s*"
)
_WITHIN = re.compile(rf"\s*(-?{_NUMBER})\s*(?:to|\.\.)\s*(-?{_NUMBER})\s*")
_BEYOND = re.compile(rf"\s*(<=|>=|<|>)\s*(-?{_NUMBER})\s*")


@dataclass(frozen=True)
class Linear:
    """A weighted sum of knobs that is bounded, or fixed as in a mixture.

    Attributes:
        weights: by name of knob; at least one, none 0.
        sign: one of `SIGNS`.
        bound: what the sum is compared with.
    """

    weights: tuple[tuple[str, float], ...]
    sign: str
    bound: float

    def __post_init__(self) -> None:
        one_of("sign of a constraint", self.sign, SIGNS)
        if not self.weights or not all(math.isfinite(w) and w for _, w in self.weights):
            raise UserError("constraint", str(self), "give every knob a weight other than 0")
        if not math.isfinite(self.bound):
            raise UserError("constraint", self.bound, "give a finite bound")

    @property
    def names(self) -> tuple[str, ...]:
        """Of the knobs that it is about."""
        return tuple(name for name, _ in self.weights)

    def row(self, names: Sequence[str]) -> Array:
        """float64[K]: the weights of all knobs."""
        by_name = dict(self.weights)
        return np.array([by_name.get(name, 0.0) for name in names])

    def holds(self, total: Array, scale: float) -> NDArray[np.bool_]:
        """Whether weighted sums keep it; `scale` is how large its terms get, for rounding."""
        slack = 1e-7 * max(scale, abs(self.bound), 1e-12)
        if self.sign == "==":
            return np.abs(total - self.bound) <= slack
        return total <= self.bound + slack if self.sign == "<=" else total >= self.bound - slack

    def __str__(self) -> str:
        return self._written("g")

    def to_json(self) -> dict[str, Any]:
        """What `read_constraint` reads, to the last digit."""
        return {"linear": self._written(".17g")}

    def _written(self, digits: str) -> str:
        terms = [
            f"{'-' if w < 0 else '+'} {'' if abs(w) == 1 else f'{abs(w):{digits}} '}{_quoted(name)}"
            for name, w in self.weights
        ]
        return f"{' '.join(terms).removeprefix('+ ')} {self.sign} {self.bound:{digits}}"


@dataclass(frozen=True)
class Forbidden:
    """A combination that must not be set.

    Attributes:
        conditions: (name, low, high) for every knob of it, both ends forbidden; for levels low and
            high are one code, and a knob may stand there several times: any of its conditions.
        words: as it was written.
    """

    conditions: tuple[tuple[str, float, float], ...]
    words: str

    @property
    def names(self) -> tuple[str, ...]:
        """Of the knobs that it is about."""
        return tuple(dict.fromkeys(name for name, *_ in self.conditions))

    def holds(self, names: Sequence[str], x: Array) -> NDArray[np.bool_]:
        """bool[M]: settings float64[M, K] that keep clear of it."""
        inside = np.ones(len(x), np.bool_)
        for name in self.names:
            column = x[:, names.index(name)]
            inside &= np.any(
                [(column >= a) & (column <= b) for of, a, b in self.conditions if of == name],
                axis=0,
            )
        return ~inside

    def __str__(self) -> str:
        return self.words


def read_linear(text: str) -> Linear:
    """A constraint from words like "2 a + b <= 3"; names with other characters in backticks.

    Raises:
        UserError: it cannot be read.
    """
    remedy = 'write it like "2 a + b <= 3", names with spaces in backticks'
    left, sign, right = re.split("(<=|>=|==?)", str(text), maxsplit=1) + ["", ""] * (
        not re.search("<=|>=|=", str(text))
    )
    try:
        bound = float(right)
    except ValueError:
        raise UserError("constraint", text, remedy) from None
    weights: dict[str, float] = {}
    at = 0
    while at < len(left):
        found = _TERM.match(left, at)
        if found is None or (at > 0 and not found["sign"]):
            raise UserError("constraint", text, remedy)
        name = found["quoted"] or found["name"]
        weight = float(found["number"] or 1) * (-1 if found["sign"] == "-" else 1)
        weights[name] = weights.get(name, 0.0) + weight
        at = found.end()
    if not weights or not math.isfinite(bound):
        raise UserError("constraint", text, remedy)
    return Linear(tuple(weights.items()), "==" if sign == "=" else sign, bound)


def read_constraint(fields: Any, knobs: Sequence[Knob]) -> Linear | Forbidden:
    """A constraint from its fields, as in a campaign's file: {linear = "a + 2 b <= 3"},
    {sum = ["a", "b"], equals = 1} (or at_most, at_least), {forbid = {a = "L1", b = "> 80"}}.

    Raises:
        UserError: it cannot be read, or names a knob that is not there.
    """
    if not isinstance(fields, Mapping):
        raise UserError("constraints", fields, "give a table with linear, sum or forbid")
    for field in fields:
        one_of("constraints", field, ("linear", "sum", *_SUM_SIGNS, "forbid"))
    if "forbid" in fields:
        return _read_forbidden(fields["forbid"], {knob.name: knob for knob in knobs})
    if "linear" in fields:
        found = read_linear(fields["linear"])
    elif "sum" in fields:
        found = _read_sum(fields)
    else:
        raise UserError("constraints", dict(fields), "give linear, sum or forbid")
    _check_numbers(found, knobs)
    return found


def _read_sum(fields: Mapping[str, Any]) -> Linear:
    signs = [field for field in _SUM_SIGNS if field in fields]
    names = fields["sum"]
    if len(signs) != 1:
        raise UserError("constraints.sum", names, "give one of equals, at_most, at_least")
    named = isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)
    if not named or len(set(names)) < 2:
        raise UserError("constraints.sum", names, "give the names of two knobs or more")
    bound = fields[signs[0]]
    if not isinstance(bound, int | float) or isinstance(bound, bool):
        raise UserError(f"constraints.{signs[0]}", bound, "give a number")
    weights = tuple((str(name), 1.0) for name in dict.fromkeys(names))
    return Linear(weights, _SUM_SIGNS[signs[0]], float(bound))


def _check_numbers(linear: Linear, knobs: Sequence[Knob]) -> None:
    by_name = {knob.name: knob for knob in knobs}
    for name, _ in linear.weights:
        if name not in by_name:
            raise UserError(f"constraint {linear}", name, f"use knobs among {', '.join(by_name)}")
        if by_name[name].named:
            raise UserError(f"constraint {linear}", name, "it has levels: forbid combinations")


def _read_forbidden(fields: Any, knobs: Mapping[str, Knob]) -> Forbidden:
    if not isinstance(fields, Mapping) or not fields:
        raise UserError("constraints.forbid", fields, 'give a table, e.g. {a = "L1", b = "> 80"}')
    conditions: list[tuple[str, float, float]] = []
    for name, given in fields.items():
        if name not in knobs:
            raise UserError("constraints.forbid", name, f"use knobs among {', '.join(knobs)}")
        for each in given if isinstance(given, list | tuple) else [given]:
            conditions.append((name, *_ends(knobs[name], each)))
    words = ", ".join(f"{name} {_condition(given)}" for name, given in fields.items())
    return Forbidden(tuple(conditions), words)


def _ends(knob: Knob, given: Any) -> tuple[float, float]:
    """The closed range of values that one condition names."""
    if not knob.named and isinstance(given, str):
        if found := _BEYOND.fullmatch(given):
            end = float(found[2])
            # An open end stops just short of it, so that the end itself stays possible.
            return {
                "<": (-math.inf, math.nextafter(end, -math.inf)),
                "<=": (-math.inf, end),
                ">": (math.nextafter(end, math.inf), math.inf),
                ">=": (end, math.inf),
            }[found[1]]
        if found := _WITHIN.fullmatch(given):
            return float(found[1]), float(found[2])
        raise UserError(f"constraints.forbid.{knob.name}", given, 'write "> 80" or "20 to 30"')
    value = knob.read(given)
    slack = 0.0 if knob.named else 1e-9 * max(abs(value), 1.0)
    return value - slack, value + slack


def _condition(given: Any) -> str:
    if isinstance(given, str) and (_BEYOND.fullmatch(given) or _WITHIN.fullmatch(given)):
        return given
    return "= " + (" or ".join(map(str, given)) if isinstance(given, list | tuple) else str(given))


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[^\W\d]\w*", name) else f"`{name}`"
