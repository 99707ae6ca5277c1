"""Settings that can be made: ranges and levels that were tried, shares that add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

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
_PARTS = 8
"""Factors among which faulty mixtures are looked for."""
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
        held: positions among the F of shares that cannot be set, and so have one value only.
    """

    places: tuple[int, ...]
    factors: tuple[Factor, ...]
    choices: tuple[Array | None, ...]
    decimals: tuple[int, ...]
    shares: tuple[Mixture, ...]
    held: tuple[int, ...] = ()

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
            off = 0.51 * 10.0**-d
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
        can_set: factors that may be set anew; all if None. Of the others shares of a mixture stay
            at the value in the middle of those tried, and all else is not part of the region.
        values: the only values that a factor may be set to.

    Raises:
        UserError: no factor varies, one of `can_set` or `values` is no factor, or has a value that
            no share can have.
    """
    names, values = table.variables, values or {}
    for field, wanted in (("can-set", can_set or ()), ("values", values)):
        for i in wanted:
            if not table.factors[i]:
                listed = ", ".join(n for n, f in zip(names, table.factors, strict=True) if f)
                raise UserError(field, names[i], f"it was not set in every run: use {listed}")
    varying = varied_factors(table)
    if not varying:
        raise UserError("experiments", None, "no factor had two values: nothing to go by")
    found = mixtures(table)
    mixed = {i: m for m in found for i in m.parts}
    free = set(varying) if can_set is None else set(can_set)
    # A share that stays takes part in the sum; no other factor that stays concerns the rest.
    kept = {i for m in found if free & set(m.parts) for i in m.parts}
    places = [i for i in varying if i in free or i in kept]
    if not places:
        listed = ", ".join(names[i] for i in varying)
        raise UserError("can-set", [names[i] for i in can_set or ()],
                        f"it had one value in all runs: use {listed}")  # fmt: skip
    for mixture in found:
        alone = free & set(mixture.parts)
        if len(alone) == 1:
            rest = " or ".join(names[i] for i in mixture.parts if i not in alone)
            added = " + ".join(names[i] for i in mixture.parts)
            remedy = (
                f"{added} is {mixture.total:g} in every row, so that it cannot be changed alone: "
                f"add {rest}"
            )
            raise UserError("can-set", names[min(alone)], remedy)
    for i, own in values.items():
        if i in mixed:
            _check_shares(table, mixed[i], i, own)
        if can_set is not None and i not in free:
            raise UserError("values", names[i], "it cannot be set: add it to can-set")
    choices = []
    for i in places:
        x = table.values[np.isfinite(table.values[:, i]), i]
        different = np.unique(x)
        # Between two values nothing is known of a bend: the better of the two is the best.
        few = len(different) == 2 and i not in mixed
        choice = different if table.columns[i].named or few else None
        if i not in free:
            choice = np.quantile(x, [0.5], method="nearest")
        elif i in values:
            choice = np.unique(np.array(values[i], np.float64))
        choices.append(choice)
    axes = axes_of(table, places)
    digits = [min(decimals(table.values[:, i]),
                  _DECIMALS - int(np.floor(np.log10(f.high - f.low))))
              for i, f in zip(places, axes, strict=True)]  # fmt: skip
    # Shares set to given values leave rests with as many decimals.
    digits = [max(d, decimals(np.array(values[i], np.float64))) if i in values and i in mixed else d
              for i, d in zip(places, digits, strict=True)]  # fmt: skip
    shares = tuple(Mixture(tuple(places.index(i) for i in m.parts), m.total)
                   for m in found if set(m.parts) <= set(places))  # fmt: skip
    held = tuple(k for k, i in enumerate(places) if i not in free)
    return Region(tuple(places), axes, tuple(choices), tuple(digits), shares, held)


_MOSTLY = 2 / 3
"""Share of runs that add up from which on the others are taken for faulty."""


def faulty_mixture(table: Table) -> tuple[Mixture, NDArray[np.bool_]] | None:
    """Shares that add up in most runs only, and bool[R], the runs in which they do.

    None where there are no such shares: shares that add up in all runs are `mixtures`.
    """
    values = table.values
    able = [i for i in varied_factors(table)
            if not table.columns[i].named and len(np.unique(values[:, i])) > 2
            and np.nanmin(values[:, i]) >= 0][:_PARTS]  # fmt: skip
    able = [i for i in able if all(i not in m.parts for m in mixtures(table))]
    for size in range(2, len(able) + 1):
        for parts in combinations(able, size):
            sums = values[:, list(parts)].sum(axis=1)
            # As far apart as shares that are rounded may be.
            rounding = 0.51 * size * 10.0 ** -decimals(values[:, list(parts)])
            near = min(rounding, 0.02 * float(np.nanmin(np.ptp(values[:, list(parts)], axis=0))))
            whole = np.abs(sums - np.nanmedian(sums)) <= near
            if not _MOSTLY <= whole.mean() < 1:
                continue
            found = [m for m in mixtures(table.take(whole)) if m.parts == parts]
            if found:
                return found[0], whole
    return None


def varied_factors(table: Table) -> list[int]:
    """Positions of factors that had more than one value."""
    return [i for i in np.flatnonzero(table.factors).tolist() if _varies(table, i)]


def axes_of(table: Table, places: Sequence[int]) -> tuple[Factor, ...]:
    """What was tried of these factors; the last share of a mixture says nothing new."""
    rest = {m.parts[-1] for m in mixtures(table)}
    found = []
    for i in places:
        x = table.values[np.isfinite(table.values[:, i]), i]
        different = np.unique(x)
        levels = tuple(different.tolist()) if table.columns[i].named else ()
        found.append(Factor(table.variables[i], float(x.min()), float(x.max()), levels,
                            len(different) > 2, i in rest))  # fmt: skip
    return tuple(found)


def _check_shares(table: Table, mixture: Mixture, share: int, values: Sequence[float]) -> None:
    for value in values:
        if not 0 <= value <= mixture.total:
            added = " + ".join(table.variables[i] for i in mixture.parts)
            remedy = f"{added} is {mixture.total:g} in every row: give parts from 0 to that"
            raise UserError(f"values {table.variables[share]}", value, remedy)


def _varies(table: Table, variable: int) -> bool:
    x = table.values[np.isfinite(table.values[:, variable]), variable]
    return len(x) > 1 and bool(np.ptp(x) > 0)
