"""Settings that can be made: ranges and levels that were tried, shares that add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.inference.design._response import Factor
from seedo.tables import Mixture, Table, decimals, mixtures

Array = NDArray[np.float64]

_SPREAD = 2048
"""Settings looked at, spread over the region."""
_ALONG = 21
"""Settings along one factor."""
_DECIMALS = 3
"""Digits of a setting, counted from the first of the factor's range, that are worth setting."""
_GRID = 4096
"""Settings up to which all combinations of listed values are looked at."""


@dataclass(frozen=True, eq=False)
class Region:
    """Where an experiment may be made, over F factors.

    Attributes:
        places: int[F], positions of the factors in the table.
        factors: F axes.
        choices: for every factor the only values it may have, or None for all within its range.
        decimals: int[F], to which settings are rounded.
        shares: groups of factors, as positions among the F, that add up to a total.
    """

    places: tuple[int, ...]
    factors: tuple[Factor, ...]
    choices: tuple[Array | None, ...]
    decimals: tuple[int, ...]
    shares: tuple[Mixture, ...]

    def settings(self, tried: Array, rng: np.random.Generator) -> Array:
        """Settings float64[M, F] spread over the region, with those tried that lie in it."""
        sizes = [0 if c is None else len(c) for c in self.choices]
        if not self.shares and all(sizes) and np.prod(np.array(sizes, float)) <= _GRID:
            mesh = np.meshgrid(*(c for c in self.choices if c is not None), indexing="ij")
            return np.stack([m.ravel() for m in mesh], axis=1)
        from scipy.stats import qmc  # here, because it takes long to import

        sobol = qmc.Sobol(len(self.factors), seed=rng).random(_SPREAD)
        # A third of the points lie beyond an end, and are brought to it: optima lie there often.
        wide = np.clip(1.3 * sobol - 0.15, 0, 1)
        found = np.empty_like(wide)
        for i, (factor, choice) in enumerate(zip(self.factors, self.choices, strict=True)):
            if choice is not None:
                at = np.minimum((sobol[:, i] * len(choice)).astype(int), len(choice) - 1)
                found[:, i] = choice[at]
            else:
                found[:, i] = factor.low + wide[:, i] * (factor.high - factor.low)
        for mixture in self.shares:
            parts = list(mixture.parts)
            found[:, parts] = rng.dirichlet(np.ones(len(parts)), size=len(found)) * mixture.total
        return np.unique(self._made(np.concatenate([found, tried])), axis=0)

    def near(self, x: Array, width: float, count: int, rng: np.random.Generator) -> Array:
        """Settings float64[M, F] around some, M = count times as many, within the region."""
        moved = np.repeat(x, count, axis=0)
        for i, (factor, choice) in enumerate(zip(self.factors, self.choices, strict=True)):
            if choice is None:
                step = width * (factor.high - factor.low)
                moved[:, i] += step * rng.normal(size=len(moved))
        return self._made(moved)

    def along(self, x: Array, factor: int) -> Array:
        """Settings float64[M, F] that differ from one, float64[F], in one factor; in the others of
        its mixture too."""
        choice, axis = self.choices[factor], self.factors[factor]
        values = np.linspace(axis.low, axis.high, _ALONG) if choice is None else choice
        moved = np.tile(x, (len(values), 1))
        moved[:, factor] = values
        for mixture in self.shares:
            rest = [i for i in mixture.parts if i != factor]
            if factor in mixture.parts:
                left = (mixture.total - values) / max(float(x[rest].sum()), 1e-12)
                moved[:, rest] = x[rest] * left[:, None]
        return self._made(moved)

    def _made(self, x: Array) -> Array:
        """The same as they can be made: within ends, whole decimals, adding up."""
        x = x.copy()
        mixed = {i for mixture in self.shares for i in mixture.parts}
        for i, (factor, choice) in enumerate(zip(self.factors, self.choices, strict=True)):
            if choice is not None and i not in mixed:
                x[:, i] = choice[np.abs(x[:, [i]] - choice).argmin(axis=1)]
            elif i not in mixed:
                x[:, i] = (
                    np.round(np.clip(x[:, i], factor.low, factor.high), self.decimals[i]) + 0.0
                )
        keep = np.ones(len(x), np.bool_)
        for mixture in self.shares:
            parts = list(mixture.parts)
            low = np.tile([self.factors[i].low for i in parts], (len(x), 1))
            high = np.tile([self.factors[i].high for i in parts], (len(x), 1))
            for k, i in enumerate(parts):
                if (choice := self.choices[i]) is not None:
                    low[:, k] = high[:, k] = choice[np.abs(x[:, [i]] - choice).argmin(axis=1)]
            d = max(self.decimals[i] for i in parts)
            x[:, parts] = np.round(_adding_up(x[:, parts], low, high, mixture.total), d)
            # What rounding took goes where there is most room.
            room = np.where(high > low, np.minimum(x[:, parts] - low, high - x[:, parts]), -1)
            at = np.array(parts)[np.argmax(room, axis=1)]
            x[np.arange(len(x)), at] += mixture.total - x[:, parts].sum(axis=1)
            off = len(parts) * 10.0**-d
            keep &= ((x[:, parts] >= low - off) & (x[:, parts] <= high + off)).all(axis=1)
        return x[keep]


def _adding_up(x: Array, low: Array, high: Array, total: float) -> Array:
    """The nearest shares within their ends that add up: all moved alike, as far as they go."""
    below, above = (low - x).min(axis=1) - 1, (high - x).max(axis=1) + 1
    for _ in range(60):
        middle = (below + above) / 2
        short = np.clip(x + middle[:, None], low, high).sum(axis=1) < total
        below, above = np.where(short, middle, below), np.where(short, above, middle)
    return np.clip(x + above[:, None], low, high)


def region_of(
    table: Table,
    can_set: Sequence[int] | None = None,
    values: Mapping[int, Sequence[float]] | None = None,
) -> Region:
    """The region spanned by what was tried.

    Args:
        table: runs, in which some variables are factors.
        can_set: factors that may be set anew; all if None. The others stay at their most frequent
            value.
        values: the only values that a factor may be set to.

    Raises:
        UserError: no factor varies, or one of `can_set` or `values` is no factor.
    """
    names, values = table.variables, values or {}
    for field, wanted in (("can-set", can_set or ()), ("values", values)):
        for i in wanted:
            if not table.factors[i]:
                listed = ", ".join(n for n, f in zip(names, table.factors, strict=True) if f)
                raise UserError(field, names[i], f"it was not set in every run: use {listed}")
    places = [i for i in np.flatnonzero(table.factors).tolist() if _varies(table, i)]
    if not places:
        raise UserError("experiments", None, "no factor had two values: nothing to go by")
    found = mixtures(table)
    shares = tuple(Mixture(tuple(places.index(i) for i in m.parts), m.total) for m in found)
    rest, mixed = {m.parts[-1] for m in shares}, {i for m in found for i in m.parts}
    factors, choices, digits = [], [], []
    for at, i in enumerate(places):
        x = table.values[np.isfinite(table.values[:, i]), i]
        different = np.unique(x)
        named = table.columns[i].named
        low, high = float(x.min()), float(x.max())
        # Between two values nothing is known of a bend: the better of the two is the best.
        choice = different if named or (len(different) == 2 and i not in mixed) else None
        if i in values:
            choice = np.unique(np.array(values[i], np.float64))
        elif can_set is not None and i not in can_set:
            counts = [(x == v).sum() for v in different]
            choice = different[[int(np.argmax(counts))]]
        factors.append(Factor(names[i], low, high, tuple(different.tolist()) if named else (),
                              len(different) > 2, at in rest))  # fmt: skip
        choices.append(choice)
        digits.append(min(decimals(x), _DECIMALS - int(np.floor(np.log10(high - low)))))
    return Region(tuple(places), tuple(factors), tuple(choices), tuple(digits), shares)


def _varies(table: Table, variable: int) -> bool:
    x = table.values[np.isfinite(table.values[:, variable]), variable]
    return len(x) > 1 and bool(np.ptp(x) > 0)
