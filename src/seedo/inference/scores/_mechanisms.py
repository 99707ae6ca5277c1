"""Which family each variable of a table has: chosen by what the columns hold and the rows ask for.

    numbers       linear-normal (`_scores`), or shapes that bend (`_curved`)
    levels        a table of shares, where the parents are levels too (`_levels`); else logistic
    counts        Poisson or negative binomial (`_counted`)

A table of plain numbers keeps the linear-normal family for all variables unless some variable bends
beyond doubt: then all of them are averaged over shapes, the straight one among them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from math import comb
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seedo.inference.graphs._prior import GraphPrior
from seedo.inference.scores._basis import Basis, make_basis
from seedo.inference.scores._counted import CountedFamily
from seedo.inference.scores._curved import (
    ChildRows,
    CurvedFamily,
    Shape,
    choose_shapes,
    find_pairs,
)
from seedo.inference.scores._levels import EQUIVALENT_ROWS, LevelFamily
from seedo.inference.scores._noise import NoiseModel, UnknownNoise
from seedo.inference.scores._row_groups import RowGroup, row_groups
from seedo.tables import Table

Form = Literal["auto", "linear", "nonlinear"]
Kind = Literal["number", "levels", "count"]

DOUBT = 5.0
"""Nats, plus log n, by which a bent shape must beat every straight one."""
MANY = 15
"""Variables of named levels beyond which pairs of parents are not tried for the prior's worth."""
ENOUGH = 3000
"""Rows from which shapes are chosen."""
FAMILIES = 1 << 16
"""Families of numbers scored at most, of all children together."""
COUNTED = 7
"""Candidate parents of which every subset is scored by Laplace's method."""


@dataclass(frozen=True, eq=False)
class Mechanisms:
    """The families of all variables of one table.

    Attributes:
        table: complete rows.
        standard: float64[R, n], in standard units.
        model: of noise.
        prior: over graphs.
        shapes: of each variable that is a number.
        pairs: products of parents that each number is offered.
        alpha: rows that the prior of a table of shares is worth.
        bends: bool[n], a bent shape beats every straight one beyond doubt, given the variables
            that predict it best, effects among them.
        optional: every variable could as well be linear-normal.
    """

    table: Table
    standard: NDArray[np.float64]
    model: UnknownNoise
    prior: GraphPrior
    shapes: tuple[tuple[Shape, ...], ...]
    pairs: tuple[tuple[tuple[int, int], ...], ...]
    bends: NDArray[np.bool_]
    alpha: float = 1.0
    optional: bool = False

    @cached_property
    def basis(self) -> Basis:
        return make_basis(self.table, self.standard)

    @cached_property
    def kinds(self) -> tuple[Kind, ...]:
        return kinds(self.table)

    def score(
        self,
        child: int,
        candidates: NDArray[np.int64],
        wanted: NDArray[np.bool_],
        shifted_by: Sequence[int] = (),
    ) -> NDArray[np.float64]:
        """Log marginal likelihood of every wanted family, float64[2^K]; -inf for the others."""
        found = np.full(len(wanted), -np.inf)
        named = np.array([kind == "levels" for kind in self.kinds])
        if self.kinds[child] == "number":
            family = self.curved(child, shifted_by, self.pairs[child])
            for codes, parents in sets_by_size(candidates, wanted):
                found[codes] = family.average(self.shapes[child], parents)[0]
            return found
        levels = self._levels(child, shifted_by)
        counted: CountedFamily | None = None
        for codes, parents in sets_by_size(candidates, wanted):
            shares = named[parents].all(1) if levels is not None else np.zeros(len(codes), np.bool_)
            if levels is not None and shares.any():
                found[codes[shares]] = sum(each.evidence(parents[shares]) for each in levels)
            if not shares.all():
                if counted is None:
                    counted = self.counted(child, shifted_by)
                    counted.choose([int(i) for i in candidates])
                found[codes[~shares]] = counted.evidence(parents[~shares])
        return found

    def considered(self, child: int) -> int:
        """Candidate parents of which every subset can be scored in good time; levels among levels
        take as many as there are."""
        if self.kinds[child] != "number":
            return COUNTED
        children = max(1, int((~self.table.factors).sum()))
        return int(np.clip(np.log2(FAMILIES / children), 8, 12))

    def row_groups(self, child: int) -> list[RowGroup]:
        """The rows of a child, its own mechanism first."""
        return row_groups(self.table, child)

    def may_bend(self, child: int) -> bool:
        """Whether any shape that a number is averaged over bends."""
        return any(shape.bent for shape in self.shapes[child])

    def bent_share(self, child: int, parents: NDArray[np.int64]) -> float:
        """Posterior share of shapes that bend in one family, int64[p]; 0 without parents."""
        if self.kinds[child] != "number":
            return 1.0 if len(parents) else 0.0
        if not len(parents):
            return 0.0
        family = self.curved(child, (), self.pairs[child])
        return float(family.average(self.shapes[child], parents[None])[1][0])

    def ranking(self, child: int, allowed: Sequence[int], most: int) -> list[int]:
        """The variables that explain a child best, one after the other."""
        found: list[int] = []
        left = list(allowed)
        evidence = self._quick(child)
        while left and len(found) < most:
            scores = evidence(np.array([[*found, i] for i in left], np.int64))
            found.append(left.pop(int(np.argmax(scores))))
        return found

    def _quick(self, child: int):  # type: ignore[no-untyped-def]
        if self.kinds[child] == "number":
            family = self.curved(child, (), self.pairs[child])
            return lambda sets: family.evidence(self.shapes[child][0], sets)
        return self.counted(child, ()).evidence

    def curved(
        self, child: int, shifted_by: Sequence[int], pairs: Sequence[tuple[int, int]]
    ) -> CurvedFamily:
        model = self.model
        rows, positive = [], []
        for group in row_groups(self.table, child, shifted_by):
            values = self.table.values[group.rows, child]
            columns = [np.ones((len(values), 1))] if model.intercept else []
            always = np.concatenate([*columns, group.offsets], axis=1)
            rows.append(ChildRows(
                child, self.basis, group.rows, self.standard[group.rows, child], always,
                model.always_precisions(always.shape[1]), model.weight_precision(self.table.n),
                model.shape(self.table.n, 0), group.spent,
            ))  # fmt: skip
            positive.append(values if len(values) and values.min() > 0 else None)
        allowed = self.allowed(child)
        return CurvedFamily(rows, positive, pairs, allowed)

    def allowed(self, child: int) -> list[int]:
        """Variables that the prior lets cause a child."""
        found = [i for i in range(self.table.n) if i != child]
        p = self.prior.edge_probability
        return found if p is None else [i for i in found if p[i, child] > 0]

    def counted(self, child: int, shifted_by: Sequence[int]) -> CountedFamily:
        levels = len(self.table.columns[child].levels) if self.kinds[child] == "levels" else 0
        groups = row_groups(self.table, child, shifted_by)
        return CountedFamily(self.basis, self.table.values[:, child], levels, groups)

    def _levels(self, child: int, shifted_by: Sequence[int]) -> list[LevelFamily] | None:
        """None where an offset, or a child that is no level, asks for a regression."""
        groups = row_groups(self.table, child, shifted_by)
        if self.kinds[child] != "levels" or any(group.offsets.shape[1] for group in groups):
            return None
        counts = np.array([max(1, len(column.levels)) for column in self.table.columns])
        codes = np.where(np.array([k == "levels" for k in self.kinds]), self.table.values, 0)
        codes = codes.astype(np.int64)
        return [LevelFamily(codes[group.rows], counts, child, self.alpha) for group in groups]


def kinds(table: Table) -> tuple[Kind, ...]:
    """What is modelled of each column."""
    found: list[Kind] = []
    for j, column in enumerate(table.columns):
        if column.named and len(column.levels) >= 2:
            found.append("levels")
        elif column.type == "count" and (table.values[:, j] >= 0).all():
            found.append("count")
        else:
            found.append("number")
    return tuple(found)


def choose_mechanisms(
    table: Table,
    standard: NDArray[np.float64],
    model: NoiseModel,
    prior: GraphPrior,
    form: Form = "auto",
) -> Mechanisms | None:
    """The families that a table asks for; None where all are linear-normal.

    Args:
        table: complete rows.
        standard: float64[R, n], its values in standard units.
        model: of noise.
        prior: over graphs: families that it forbids are not looked at.
        form: `linear` takes straight lines for everything, levels included; `nonlinear` shapes that
            bend wherever there are any.
    """
    n = table.n
    have = kinds(table)
    plain = all(kind == "number" for kind in have)
    if not isinstance(model, UnknownNoise) or n < 2 or form == "linear":
        return None
    chosen = np.arange(table.rows)
    if table.rows > ENOUGH:
        chosen = np.sort(np.random.default_rng(0).choice(table.rows, ENOUGH, replace=False))
    some = Mechanisms(
        table.take(chosen), standard[chosen], model, prior, (), (), np.zeros(n, np.bool_)
    )
    shapes: list[tuple[Shape, ...]] = []
    pairs: list[tuple[tuple[int, int], ...]] = []
    bends = np.zeros(n, np.bool_)
    for child in range(n):
        own: tuple[Shape, ...] = (Shape(),)
        offered: tuple[tuple[int, int], ...] = ()
        gain = 0.0
        if have[child] == "number" and not table.factors[child]:
            own, offered, gain = _shapes(some, child)
        shapes.append(own)
        pairs.append(offered)
        bends[child] = gain > DOUBT + np.log(n)
    if form == "auto" and not bends.any():
        if plain:
            return None
        shapes = [(Shape(),)] * n
    found = Mechanisms(table, standard, model, prior, tuple(shapes), tuple(pairs), bends,
                       optional=plain and form == "auto")  # fmt: skip
    return replace(found, alpha=_equivalent_rows(replace(some, shapes=tuple(shapes))))


def _equivalent_rows(some: Mechanisms) -> float:
    """The prior's worth in rows under which levels are explained best, by one or two others."""
    named = [j for j, kind in enumerate(some.kinds) if kind == "levels"]

    def explained(alpha: float) -> float:
        total, trial = 0.0, replace(some, alpha=alpha)
        for child in named:
            families = trial._levels(child, ())
            others = np.array([i for i in some.allowed(child) if i in named], np.int64)
            if families is None or not len(others):
                continue
            most = min(2 if len(named) <= MANY else 1, len(others))
            by_size = [np.array(list(combinations(others, size)), np.int64)
                       for size in range(1, most + 1)]  # fmt: skip
            by_size.append(np.zeros((1, 0), np.int64))
            total += max(float(np.sum([f.evidence(sets) for f in families], axis=0).max())
                         for sets in by_size)  # fmt: skip
        return total

    return max(EQUIVALENT_ROWS, key=explained) if named else EQUIVALENT_ROWS[0]


def _shapes(
    some: Mechanisms, child: int
) -> tuple[tuple[Shape, ...], tuple[tuple[int, int], ...], float]:
    family = some.curved(child, (), ())
    if not len(family.rows[0].value) or not family.allowed:
        return (Shape(),), (), 0.0
    pairs = tuple(_pairs(some.table, family))
    if pairs:
        family = some.curved(child, (), pairs)
    shapes, gain = choose_shapes(family)
    return shapes, pairs, gain


def _pairs(table: Table, family: CurvedFamily) -> list[tuple[int, int]]:
    """Products offered to a child: of variables that were set, where any were, which nothing but
    an effect of theirs can explain; of all others only if those do not tell enough."""
    ever = np.flatnonzero(table.hard.any(axis=0))
    settable = [i for i in family.allowed if i in ever]
    found = find_pairs(family, settable) if len(settable) > 1 else []
    return found or find_pairs(family, family.allowed)


def sets_by_size(
    candidates: NDArray[np.int64], wanted: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Codes int64[M] and parents int64[M, p] of the wanted sets, one size p after the other."""
    k = len(candidates)
    for size in range(k + 1):
        sets = np.array(list(combinations(range(k), size)), np.int64).reshape(comb(k, size), size)
        codes = (1 << sets).sum(1)
        keep = wanted[codes]
        # Some 10^5 matrices at once, so that memory stays small.
        for start in range(0, int(keep.sum()), 1 << 16):
            part = slice(start, start + (1 << 16))
            yield codes[keep][part], candidates[sets[keep][part]]
