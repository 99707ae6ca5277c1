"""Settings that can be made: ranges and levels that were tried, shares that add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.inference.design._response import Factor
from seedo.spaces import Forbidden, Knob, Linear, Space
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
_CORNERS = 64
"""Of them at corners."""
_GRID = 4096
"""Settings up to which all combinations of listed values are looked at."""


@dataclass(frozen=True, eq=False)
class Region:
    """Where an experiment may be made, over F factors.

    Attributes:
        places: int[F], positions of the factors in the table.
        factors: F axes.
        space: the settings that are possible; levels are numbers among which to choose.
        shares: groups of factors, as positions among the F, that add up to a total.
        held: positions among the F of shares that cannot be set, and so have one value only.
    """

    places: tuple[int, ...]
    factors: tuple[Factor, ...]
    space: Space
    shares: tuple[Mixture, ...]
    held: tuple[int, ...] = ()

    def settings(self, tried: Array, rng: np.random.Generator) -> Array:
        """Settings float64[M, F] spread over the region, with those tried that lie in it."""
        space = self.space
        every = None if self.shares else space.all()
        if every is not None and len(every) <= _GRID:
            return every
        inside = tried[space.allows(tried)] if len(tried) else tried
        found = [space.sample(_SPREAD, rng), space.corners(_CORNERS, rng), inside]
        if not space.coupled:
            low = np.array([knob.low for knob in space.knobs])
            wide = np.array([knob.range for knob in space.knobs])
            # Beyond an end, and brought to it: optima lie on faces often.
            out = np.clip((1.3 * (space.sobol(_SPREAD, rng) - low) / wide) - 0.15, 0, 1)
            found.append(space.made(low + out * wide))
        return np.unique(np.concatenate(found), axis=0)

    def near(self, x: Array, width: float, count: int, rng: np.random.Generator) -> Array:
        """Settings float64[M, F] around some, at most `count` times as many, within the region."""
        return self.space.near(x, width, count, rng)

    def along(self, x: Array, factor: int) -> Array:
        """Settings float64[M, F] that differ from one, float64[F], in one factor; in the others of
        its mixture too."""
        knob = self.space.knobs[factor]
        few = knob.discrete and len(knob.values) <= _ALONG
        values = knob.values if few else np.linspace(knob.low, knob.high, _ALONG)
        by = np.zeros((len(values), len(x)))
        by[:, factor] = values - x[factor]
        return self.space.moved(np.tile(x, (len(values), 1)), by)


def region_of(
    table: Table,
    can_set: Sequence[int] | None = None,
    values: Mapping[int, Sequence[float]] | None = None,
    ranges: Mapping[int, tuple[float, float]] | None = None,
    constraints: Sequence[Linear | Forbidden] = (),
) -> Region:
    """The region spanned by what was tried, or by given ranges.

    Args:
        table: runs, in which some variables are factors.
        can_set: factors that may be set anew; all if None. Of the others shares of a mixture stay
            at the value in the middle of those tried, and all else is not part of the region.
        values: the only values that a factor may be set to.
        ranges: ends of what a factor may be set to, in place of those tried.
        constraints: what settings have to keep; levels by their codes in the table.

    Raises:
        UserError: no factor varies, one that is named is no factor or cannot be set, a value that
            no share can have, or no setting keeps everything.
    """
    names, values, ranges = table.variables, values or {}, ranges or {}
    for field, wanted in (("can-set", can_set or ()), ("values", values), ("range", ranges)):
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
    axes = axes_of(table, places)
    knobs = tuple(
        _knob(table, i, axis, i in mixed, values.get(i), i not in free, ranges.get(i))
        for i, axis in zip(places, axes, strict=True)
    )
    shares = tuple(Mixture(tuple(places.index(i) for i in m.parts), m.total)
                   for m in found if set(m.parts) <= set(places))  # fmt: skip
    sums = [Linear(tuple((knobs[k].name, 1.0) for k in m.parts), "==", m.total) for m in shares]
    held = tuple(k for k, i in enumerate(places) if i not in free)
    for constraint in constraints:
        for name in constraint.names:
            if name not in {knob.name for knob in knobs}:
                raise UserError(f"constraint {constraint}", name, "it cannot be set")
    try:
        space = Space(knobs, (*sums, *constraints))
        space.sample(1, np.random.default_rng(0))
    except UserError as error:
        if constraints:
            raise
        remedy = f"no mixture has these values: {_sums(axes, shares)}"
        raise UserError("values", None, remedy) from error
    return Region(tuple(places), axes, space, shares, held)


def _sums(axes: Sequence[Factor], shares: Sequence[Mixture]) -> str:
    """E.g. "a + b is 1, with a from 0.3 to 0.8, b from 0.2 to 0.7"."""
    parts = []
    for mixture in shares:
        own = [axes[i] for i in mixture.parts]
        ends = ", ".join(f"{f.name} from {f.low:g} to {f.high:g}" for f in own)
        parts.append(f"{' + '.join(f.name for f in own)} is {mixture.total:g}, with {ends}")
    return "; ".join(parts)


def _knob(
    table: Table,
    place: int,
    axis: Factor,
    mixed: bool,
    values: Sequence[float] | None,
    stays: bool,
    ends: tuple[float, float] | None,
) -> Knob:
    """A factor as it may be set: to what was tried, to given values, or to anything in between."""
    x = table.values[np.isfinite(table.values[:, place]), place]
    different = np.unique(x)
    # Between two values nothing is known of a bend: the better of the two is the best.
    few = len(different) == 2 and not mixed and ends is None
    choices = different if table.columns[place].named or few else None
    if stays:
        choices = np.quantile(x, [0.5], method="nearest")
    elif values is not None:
        choices = np.unique(np.array(values, np.float64))
    if choices is not None:
        low, high = min(axis.low, choices.min()), max(axis.high, choices.max())
        return Knob(axis.name, low=low, high=high, choices=tuple(choices.tolist()))
    low, high = (axis.low, axis.high) if ends is None else ends
    fine = _DECIMALS - int(np.floor(np.log10(high - low)))
    coarse = decimals(np.concatenate([x, [low, high]]))
    # Numbers of many digits lie on no grid that they could all be set to.
    step = 10.0**-coarse if coarse <= fine else 0.0
    return Knob(axis.name, low=low, high=high, step=step)


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
