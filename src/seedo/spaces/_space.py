"""The settings that are possible: knobs, what they have to keep, and ways to look for settings."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.spaces._constraints import Forbidden, Linear, read_constraint
from seedo.spaces._knob import Knob
from seedo.spaces._polytope import Polytope
from seedo.spaces._runs import same_setting

Array = NDArray[np.float64]

_TRIES = 12
"""Rounds of drawing before settings that are hard to find are looked for one by one."""
_GRID = 100_000
"""Most settings that `all` lists."""


@dataclass(frozen=True, eq=False)
class Space:
    """K knobs, and the settings of them that are possible.

    Attributes:
        knobs: at least one.
        constraints: all of which a setting keeps.
        listed: float64[M, K], the only settings there are, as in a recorded campaign; None: all
            that the knobs allow.

    Raises:
        UserError: two knobs of one name, a constraint on none of them, or no setting is possible.
    """

    knobs: tuple[Knob, ...]
    constraints: tuple[Linear | Forbidden, ...] = ()
    listed: Array | None = None

    def __post_init__(self) -> None:
        if not self.knobs:
            raise UserError("knobs", None, "give one at least")
        for name in self.names:
            if self.names.count(name) > 1:
                raise UserError("knobs", name, "give every knob a name of its own")
        if self.listed is not None:
            if self.listed.ndim != 2 or self.listed.shape[1] != len(self.knobs):
                remedy = f"give rows of {len(self.knobs)} values, one a knob"
                raise UserError("listed settings", self.listed.shape, remedy)
            if not len(self.listed):
                raise UserError("listed settings", 0, "give one at least")
        elif self._linear and self._polytope.vertex(np.zeros(len(self.knobs))) is None:
            said = "; ".join(str(c) for c in self._linear)
            raise UserError("constraints", said, "no setting within the ranges keeps them all")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Space):
            return NotImplemented
        return self is other or self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash((self.knobs, self.constraints))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(knob.name for knob in self.knobs)

    @property
    def size(self) -> int:
        """K, the number of knobs."""
        return len(self.knobs)

    @property
    def finite(self) -> bool:
        """Whether there are finitely many settings."""
        return self.listed is not None or all(knob.discrete for knob in self.knobs)

    @property
    def coupled(self) -> bool:
        """Whether linear constraints tie knobs to one another."""
        return bool(self._linear)

    # -- which settings are possible --------------------------------------------------------------

    def allows(self, x: Array) -> NDArray[np.bool_]:
        """bool[M]: which settings float64[M, K] are possible."""
        if self.listed is not None:
            return np.array([bool(same_setting(self.listed, row).any()) for row in x], np.bool_)
        kept = np.ones(len(x), np.bool_)
        for i, knob in enumerate(self.knobs):
            kept &= knob.allows(x[:, i])
        for constraint in self.constraints:
            kept &= self._keeps(constraint, x)
        return kept

    def check(self, x: Array) -> None:
        """Raises UserError unless a setting, float64[K], is possible; says what it breaks."""
        for knob, value in zip(self.knobs, x, strict=True):
            if not knob.allows(value):
                raise UserError(knob.name, float(value), f"give a value {knob.words_of_range}")
        if self.listed is not None:
            if not same_setting(self.listed, x).any():
                remedy = f"not among the {len(self.listed):,} recorded settings"
                raise UserError("setting", self.words(x), remedy)
            return
        for constraint in self.constraints:
            if not self._keeps(constraint, x[None])[0]:
                told = "is forbidden" if isinstance(constraint, Forbidden) else "has to hold"
                raise UserError("setting", self.words(x), f"{constraint} {told}")

    def _keeps(self, constraint: Linear | Forbidden, x: Array) -> NDArray[np.bool_]:
        if isinstance(constraint, Forbidden):
            return constraint.holds(self.names, x)
        row = constraint.row(self.names)
        ends = [max(abs(knob.low), abs(knob.high)) for knob in self.knobs]
        return constraint.holds(x @ row, float(np.abs(row) @ ends))

    # -- looking for settings ---------------------------------------------------------------------

    def sample(self, count: int, rng: np.random.Generator) -> Array:
        """Possible settings float64[count, K], evenly spread.

        Raises:
            UserError: none is found that keeps all constraints.
        """
        if self.listed is not None:
            return self.listed[rng.integers(len(self.listed), size=count)]
        found: list[Array] = []
        have = 0
        for _ in range(_TRIES):
            fresh = self.made(self._drawn(max(2 * (count - have), 64), rng))
            found.append(fresh)
            have += len(fresh)
            if have >= count:
                return np.concatenate(found)[:count]
        return self._searched(np.concatenate(found), count, rng)

    def sobol(self, count: int, rng: np.random.Generator) -> Array:
        """Possible settings float64[count, K] that fill the space (scrambled Sobol' points); under
        linear constraints, an even sample thinned to settings far apart."""
        if self.listed is None and not self._linear:
            from scipy.stats import qmc  # here, because it takes long to import

            points = qmc.Sobol(self.size, seed=rng)
            found = np.empty((0, self.size))
            for _ in range(_TRIES):
                more = 1 << max(int(count - len(found)) - 1, 1).bit_length()
                found = np.concatenate([found, self.made(self._of_unit(points.random(more)))])
                if len(found) >= count:
                    return found[:count]
        return self._apart(self.sample(max(32 * count, 256), rng), count, rng)

    def corners(self, count: int, rng: np.random.Generator) -> Array:
        """At most `count` possible settings at ends of ranges and constraints, float64[M, K]."""
        if self.listed is not None:
            return self.listed[:0]
        if self._linear:
            return self._found_corners(count, rng)
        ends = np.array([[k.low, k.high] for k in self.knobs])
        side = rng.integers(2, size=(count, self.size))
        return np.unique(self.made(ends[np.arange(self.size), side]), axis=0)

    def _found_corners(self, count: int, rng: np.random.Generator) -> Array:
        found, free = [], ~self._bound
        for direction in rng.normal(size=(count, self.size)):
            corner = self._polytope.vertex(direction)
            if corner is not None:
                corner[free] = self._of_unit(rng.random((1, self.size)))[0, free]
                found.append(corner)
        return self.made(np.array(found).reshape(-1, self.size))

    def near(self, x: Array, width: float, count: int, rng: np.random.Generator) -> Array:
        """Possible settings around some, float64[M, K]: at most `count` for each.

        Args:
            x: float64[M, K], possible settings.
            width: standard deviation of a numeric knob's move, in ranges.
        """
        if self.listed is not None:
            return self._listed_near(x, count)
        at = np.repeat(x, count, axis=0)
        moves = rng.random(at.shape) < max(1 / self.size, 0.5)
        by = np.zeros_like(at)
        for i, knob in enumerate(self.knobs):
            if knob.type == "categorical":
                other = rng.integers(len(knob.levels), size=len(at))
                swap = moves[:, i] & (rng.random(len(at)) < max(width, 0.2))
                at[:, i] = np.where(swap, other, at[:, i])
            else:
                step = np.maximum(width * knob.range, knob.step)
                by[:, i] = np.where(moves[:, i], step * rng.normal(size=len(at)), 0.0)
        return self.moved(at, by)

    def moved(self, x: Array, by: Array) -> Array:
        """Settings, float64[M, K], moved by as much of displacements, float64[M, K], as linear
        constraints allow, and made as in `made`; levels move from one to the next."""
        if self._linear:
            bound = self._bound
            kept = self._polytope.move(x, np.where(bound, by, 0.0))
            return self.made(np.where(bound, kept, x + by))
        return self.made(x + by)

    def nearest(self, x: Array) -> Array:
        """The possible setting, float64[K], that is nearest to any, float64[K], among those
        recorded, or those that constraints leave near it."""
        if self.listed is not None:
            return self._listed_near(x[None], 1)[0]
        made = self.made(x[None])
        if len(made):
            return made[0]
        rng = np.random.default_rng(0)
        found = self.sample(2048, rng)
        far = ((self.coordinates(found) - self.coordinates(x[None])) ** 2).sum(axis=1)
        best: Array = found[int(np.argmin(far))]
        return best

    def made(self, x: Array) -> Array:
        """The settings float64[M', K] that come out when settings are made as knobs allow: values
        within ends and steps, totals kept by the parts with the most room. Those that still break
        a constraint are left out."""
        made = np.empty_like(x)
        for i, knob in enumerate(self.knobs):
            made[:, i] = knob.snap(x[:, i])
        for constraint in self.constraints:
            if isinstance(constraint, Linear) and constraint.sign == "==":
                self._settle(made, constraint)
        return made[self.allows(made)]

    def all(self) -> Array | None:
        """Every setting, float64[M, K]; None where there are too many, or infinitely many."""
        return self.listed if self.listed is not None else self._grid

    @functools.cached_property
    def _grid(self) -> Array | None:
        if not self.finite:
            return None
        values = [knob.values for knob in self.knobs]
        if math.prod(map(len, values)) > _GRID:
            return None
        mesh = np.meshgrid(*values, indexing="ij")
        grid = np.stack([m.ravel() for m in mesh], axis=1)
        return grid[self.allows(grid)]

    def _drawn(self, count: int, rng: np.random.Generator) -> Array:
        """Settings float64[count, K] before they are made as knobs allow."""
        x = self._of_unit(rng.random((count, self.size)))
        if self._linear:
            bound = self._bound
            x[:, bound] = self._polytope.sample(count, rng)[rng.permutation(count)][:, bound]
        return x

    def _of_unit(self, u: Array) -> Array:
        x = np.empty_like(u)
        for i, knob in enumerate(self.knobs):
            if knob.discrete:
                values = knob.values
                x[:, i] = values[np.minimum((u[:, i] * len(values)).astype(int), len(values) - 1)]
            else:
                x[:, i] = knob.low + u[:, i] * knob.range
        return x

    def _searched(self, found: Array, count: int, rng: np.random.Generator) -> Array:
        """`count` settings where drawing seldom finds one: corners of the constraints, and those
        found, some of them repeatedly."""
        if self._linear:
            found = np.concatenate([found, self._found_corners(min(count, 64), rng)])
        elif not len(found) and (grid := self.all()) is not None:
            found = grid
        if not len(found):
            said = "; ".join(str(c) for c in self.constraints)
            raise UserError("constraints", said, "no setting that keeps them all was found")
        return found[np.arange(count) % len(found)]

    def _listed_near(self, x: Array, count: int) -> Array:
        assert self.listed is not None
        found = []
        for centre in self.coordinates(x):
            far = ((self._listed_coordinates - centre) ** 2).sum(axis=1)
            order = np.argsort(far, kind="stable")
            found.append(self.listed[order[:count]])
        return np.concatenate(found) if found else self.listed[:0]

    @functools.cached_property
    def _listed_coordinates(self) -> Array:
        assert self.listed is not None
        return self.coordinates(self.listed)

    def _apart(self, x: Array, count: int, rng: np.random.Generator) -> Array:
        """`count` of some settings, each as far as possible from those before (maximin)."""
        different = np.unique(x, axis=0)
        at = self.coordinates(different)
        chosen = [int(rng.integers(len(different)))]
        nearest = ((at - at[chosen[0]]) ** 2).sum(axis=1)
        while len(chosen) < min(count, len(different)):
            chosen.append(int(np.argmax(nearest)))
            nearest = np.minimum(nearest, ((at - at[chosen[-1]]) ** 2).sum(axis=1))
        return different[np.array(chosen)[np.arange(count) % len(chosen)]]

    def _settle(self, x: Array, constraint: Linear) -> None:
        """Bring weighted sums to what they have to be, in place: what rounding took is given to
        the knobs that have room for it, finest steps last."""
        row = constraint.row(self.names)
        parts = [i for i in np.flatnonzero(row) if not self.knobs[i].choices]
        parts.sort(key=lambda i: -self.knobs[i].step)
        for _ in range(2):
            for i in parts:
                knob = self.knobs[i]
                off = (constraint.bound - x @ row) / row[i]
                x[:, i] = _moved(knob, x[:, i], off)

    # -- as numbers for models --------------------------------------------------------------------

    def coordinates(self, x: Array) -> Array:
        """float64[M, K'] in which distances make sense: numbers from 0 to 1 along their range,
        ordered levels by rank, categorical ones as indicators times sqrt(1/2), so that two
        different levels are 1 apart."""
        columns = []
        for i, knob in enumerate(self.knobs):
            if knob.type == "categorical":
                codes = np.arange(len(knob.levels))
                columns.append((x[:, [i]] == codes) * math.sqrt(0.5))
            else:
                columns.append((x[:, [i]] - knob.low) / knob.range)
        return np.concatenate(columns, axis=1)

    # -- in words ---------------------------------------------------------------------------------

    def named(self, x: Array) -> dict[str, Any]:
        """A setting, float64[K], by name, values as users write them; those left alone (NaN) are
        left out."""
        return {
            knob.name: knob.write(float(value))
            for knob, value in zip(self.knobs, x, strict=True)
            if not math.isnan(value)
        }

    def read(self, setting: Mapping[str, Any]) -> Array:
        """The inverse of `named`, float64[K].

        Raises:
            UserError: a knob is missing or unknown, or a value is none of its own.
        """
        for name in setting:
            if name not in self.names:
                raise UserError("knob", name, f"use {', '.join(self.names)}")
        for name in self.names:
            if name not in setting:
                raise UserError("setting", dict(setting), f"{name} is missing")
        return np.array([knob.read(setting[knob.name]) for knob in self.knobs])

    def words(self, x: Array) -> str:
        """E.g. "temperature = 67 °C, ligand = L2"."""
        units = {knob.name: f" {knob.unit}" if knob.unit else "" for knob in self.knobs}
        return ", ".join(
            f"{name} = {value if isinstance(value, str) else format(value, '.6g')}{units[name]}"
            for name, value in self.named(x).items()
        )

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        fields: dict[str, Any] = {"knobs": {knob.name: knob.to_json() for knob in self.knobs}}
        if self.constraints:
            fields["constraints"] = [
                c.to_json() if isinstance(c, Linear) else {"forbid": self._forbidden(c)}
                for c in self.constraints
            ]
        if self.listed is not None:
            fields["listed"] = self.listed.tolist()
        return fields

    def _forbidden(self, constraint: Forbidden) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        by_name = {knob.name: knob for knob in self.knobs}
        for name, low, high in constraint.conditions:
            found.setdefault(name, []).append(_between(by_name[name], low, high))
        return found

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Space:
        """A space from `knobs` (a table each), `constraints` and `listed`.

        Raises:
            UserError: names the field that cannot be used.
        """
        knobs = fields.get("knobs")
        if not isinstance(knobs, Mapping) or not knobs:
            raise UserError("knobs", knobs, "give a table for every knob, e.g. [knobs.temperature]")
        found = tuple(Knob.from_json(name, each) for name, each in knobs.items())
        given = fields.get("constraints", [])
        if not isinstance(given, Sequence) or isinstance(given, str):
            raise UserError("constraints", given, "give a list of tables: [[constraints]]")
        listed = fields.get("listed")
        return cls(
            found,
            tuple(read_constraint(each, found) for each in given),
            None if listed is None else np.array(listed, np.float64),
        )

    # -- the linear part --------------------------------------------------------------------------

    @functools.cached_property
    def _linear(self) -> tuple[Linear, ...]:
        return tuple(c for c in self.constraints if isinstance(c, Linear))

    @functools.cached_property
    def _bound(self) -> NDArray[np.bool_]:
        """bool[K]: knobs that linear constraints are about."""
        rows = [c.row(self.names) for c in self._linear]
        return np.any(np.array(rows) != 0, axis=0) if rows else np.zeros(self.size, np.bool_)

    @functools.cached_property
    def _polytope(self) -> Polytope:
        above: list[tuple[Array, float]] = []
        equal: list[tuple[Array, float]] = []
        for constraint in self._linear:
            row = constraint.row(self.names)
            if constraint.sign == "==":
                equal.append((row, constraint.bound))
            else:
                sign = 1.0 if constraint.sign == "<=" else -1.0
                above.append((sign * row, sign * constraint.bound))
        return Polytope(
            np.array([min(knob.choices, default=knob.low) for knob in self.knobs]),
            np.array([max(knob.choices, default=knob.high) for knob in self.knobs]),
            _stacked(above, self.size),
            _stacked(equal, self.size),
            np.array([knob.step for knob in self.knobs]),
        )


def _moved(knob: Knob, x: Array, off: Array) -> Array:
    """Values moved by what is missing, in whole steps and within ends: never beyond it."""
    most = knob.high
    if knob.step:
        off = np.trunc(off / knob.step + np.sign(off) * 1e-6) * knob.step
        most = float(knob.values[-1])
    return np.clip(x + off, knob.low, most)


def _between(knob: Knob, low: float, high: float) -> Any:
    """One condition of a forbidden combination as users write it."""
    if knob.named:
        return knob.levels[int(low)]
    if math.isinf(low):
        exact = f"{high!r}"
        after = math.nextafter(high, math.inf)
        return f"< {after!r}" if len(repr(after)) < len(exact) else f"<= {exact}"
    if math.isinf(high):
        before = math.nextafter(low, -math.inf)
        return f"> {before!r}" if len(repr(before)) < len(repr(low)) else f">= {low!r}"
    return f"{low!r} to {high!r}"


def _stacked(rows: list[tuple[Array, float]], size: int) -> tuple[Array, Array]:
    if not rows:
        return np.empty((0, size)), np.empty(0)
    return np.array([row for row, _ in rows]), np.array([bound for _, bound in rows])
