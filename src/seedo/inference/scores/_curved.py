"""Families of numbers whose mechanisms may bend: several shapes of one family, averaged over.

A shape says how the child is measured (as it is, its logarithm, its normal score), which columns of
`_basis` its parents bring, whether products of pairs of parents are among them, and how loose the
prior is. Each has the closed-form evidence of `_scores` with these columns; the density of a
transformed child takes its Jacobian, so that all shapes are evidences of the same values:

    log p(y | parents) = log mean over shapes of p(h(y) | columns) |h'(y)|.

The normal score (Liu, Lafferty & Wasserman 2009, JMLR 10:2295) pays for its
freedom by a leave-one-out density of the values. Shapes that explain a child worse by far, given
whichever parents explain it best, are dropped beforehand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp, ndtri

from seedo.inference.scores._basis import BENT, LINEAR, WAVY, Basis
from seedo.inference.scores._kernel_density import leave_one_out

Measure = Literal["plain", "log", "score"]

FAR = 10.0
"""Nats by which a shape may fall behind the best before it is dropped."""
SHAPES = 4
"""Most shapes averaged over."""
PAIRS = 12
"""Most products offered to one child."""
PAIR_DOUBT = 5.0
"""Nats that a product must add to the two parents alone."""
_MOST_PARENTS = 8
"""Parents that the search for shapes tries."""
FLOOR = 1e-3
"""Of a child's variance, what is taken to be noise beyond what the fit leaves: where a mechanism is
all but exact, effects of a thousandth are drifts of an instrument rather than causes."""
_CHUNK = 1 << 22
"""Matrix entries handled at once."""


class Shape(NamedTuple):
    measure: Measure = "plain"
    form: int = LINEAR
    pairs: bool = False

    @property
    def bent(self) -> bool:
        """Whether a change of a parent has an effect that depends on where it starts."""
        return self.form != LINEAR or self.pairs or self.measure != "plain"


PLAIN = Shape()


@dataclass(frozen=True, eq=False)
class ChildRows:
    """Rows of one child that share a mechanism.

    Attributes:
        child: its position.
        basis: of all variables.
        rows: bool[R], which of the table's rows.
        value: float64[N], the child in standard units in those rows.
        always: float64[N, c], columns that are always in: intercept, offsets.
        always_precision: float64[c], prior precision of their coefficients.
        precision: of a linear coefficient.
        shape: of the prior of the noise variance, without parents; half a parent is added to it.
        spent: rows that the constants of units use up.
    """

    child: int
    basis: Basis
    rows: NDArray[np.bool_]
    value: NDArray[np.float64]
    always: NDArray[np.float64]
    always_precision: NDArray[np.float64]
    precision: float
    shape: float
    spent: int = 0


class _Moments(NamedTuple):
    """Second moments of basis columns, products, a column of zeros and the child, which is last."""

    gram: NDArray[np.float64]
    penalty: NDArray[np.float64]
    log_jacobian: float
    log_always: float
    rows: int


class CurvedFamily:
    """All parent sets of one child, under several shapes.

    Args:
        rows: groups of rows with a mechanism each, the child's own first.
        positive: the child's values in the table's units, float64[N] in the own rows, if all of
            them are above zero: then its logarithm is tried.
        pairs: products offered, as positions of variables.
        allowed: variables that may be parents.
    """

    def __init__(
        self,
        rows: Sequence[ChildRows],
        positive: Sequence[NDArray[np.float64] | None],
        pairs: Sequence[tuple[int, int]] = (),
        allowed: Sequence[int] = (),
    ) -> None:
        self.rows = rows
        self.allowed = list(allowed)
        self.positive = positive
        self.pairs = tuple(pairs)
        self._basis = rows[0].basis
        self._place = {}
        at = self._basis.columns.shape[1]
        for i, j in self.pairs:
            width = int(self._basis.width[LINEAR, i] * self._basis.width[LINEAR, j])
            self._place[i, j] = np.arange(at, at + width)
            at += width
        self._zero = at
        self._moments: dict[Measure, list[_Moments]] = {}

    def measures(self) -> tuple[Measure, ...]:
        logs: tuple[Measure, ...] = ("log",) if all(p is not None for p in self.positive) else ()
        few = any(len(np.unique(group.value)) < max(10, len(group.value) / 4)
                  for group in self.rows)  # fmt: skip
        return ("plain", *logs) if few else ("plain", *logs, "score")

    def evidence(self, shape: Shape, parents: NDArray[np.int64]) -> NDArray[np.float64]:
        """Log marginal likelihood of parent sets of one size, int64[M, p]; float64[M]."""
        found = np.zeros(len(parents))
        columns = self._columns(shape, parents)
        for group, moments in zip(self.rows, self._all_moments(shape), strict=True):
            found += _evidence(moments, group, parents.shape[1], columns)
        return found

    def average(
        self, shapes: Sequence[Shape], parents: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Log evidence averaged over shapes, float64[M]; the share of the bent ones, float64[M]."""
        each = np.stack([self.evidence(shape, parents) for shape in shapes])
        total = logsumexp(each, axis=0)
        bent = np.array([shape.bent for shape in shapes])
        return total - np.log(len(shapes)), np.exp(each[bent] - total).sum(0)

    def remainder(
        self, shapes: Sequence[Shape], parents: Sequence[int]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What one family leaves of the child in its own rows, under the shape that fits it best.

        Returns:
            float64[N], of unit variance, and the columns that it was fitted by, float64[N, c].
        """
        chosen = np.array([list(parents)], np.int64).reshape(1, -1)
        shape = max(shapes, key=lambda each: float(self.evidence(each, chosen)[0]))
        group = self.rows[0]
        columns = self._columns(shape, chosen)[0]
        z = np.concatenate(
            [group.always, self._design(group)[:, columns[columns < self._zero]]], axis=1
        )
        y = _measured(shape.measure, group.value, self.positive[0])[0]
        left = y - z @ np.linalg.lstsq(z, y, rcond=None)[0]
        return left / max(float(left.std()), 1e-12), z

    def search(self, shape: Shape, among: Sequence[int] | None = None) -> tuple[list[int], float]:
        """Parents found by forward selection (of all that are allowed, or some), their evidence."""
        found: list[int] = []
        best = float(self.evidence(shape, np.zeros((1, 0), np.int64))[0])
        left = list(self.allowed if among is None else among)
        while left and len(found) < _MOST_PARENTS:
            scores = self.evidence(shape, np.array([[*found, i] for i in left], np.int64))
            at = int(np.argmax(scores))
            if scores[at] <= best:
                break
            best = float(scores[at])
            found.append(left.pop(at))
        return sorted(found), best

    def _columns(self, shape: Shape, parents: NDArray[np.int64]) -> NDArray[np.int64]:
        """int64[M, C]: columns of every set, filled up with the column of zeros."""
        widths = self._basis.width[shape.form]
        of = np.full((len(widths), widths.max()), self._zero, np.int64)
        for i, width in enumerate(widths):
            of[i, :width] = self._basis.of(i, shape.form)
        found = of[parents].reshape(len(parents), -1)
        if shape.pairs and parents.shape[1] > 1:
            inside = (parents[:, :, None] == np.arange(len(widths))).any(1)
            products = [
                np.where((inside[:, i] & inside[:, j])[:, None], place, self._zero)
                for (i, j), place in self._place.items()
            ]
            found = np.sort(np.concatenate([found, *products], axis=1), axis=1)
            found = found[:, : max(1, int((found < self._zero).sum(1).max()))]
        return found

    def _design(self, group: ChildRows) -> NDArray[np.float64]:
        """Columns of all variables and products, in the rows of a group."""
        x = self._basis.columns[group.rows]
        columns = [x]
        for i, j in self.pairs:
            left, right = x[:, self._basis.of(i, LINEAR)], x[:, self._basis.of(j, LINEAR)]
            columns.append((left[:, :, None] * right[:, None, :]).reshape(len(x), -1))
        return np.concatenate(columns, axis=1)

    def _all_moments(self, shape: Shape) -> list[_Moments]:
        if shape.measure not in self._moments:
            self._moments[shape.measure] = [
                self._sum_up(group, positive, shape)
                for group, positive in zip(self.rows, self.positive, strict=True)
            ]
        return self._moments[shape.measure]

    def _sum_up(
        self, group: ChildRows, positive: NDArray[np.float64] | None, shape: Shape
    ) -> _Moments:
        value, log_jacobian = _measured(shape.measure, group.value, positive)
        nothing = np.zeros((len(value), 1))
        z = np.concatenate([self._design(group), nothing, value[:, None]], axis=1)
        always = group.always
        gram = z.T @ z
        log_always = 0.0
        if always.shape[1]:
            precision = group.always_precision
            inner = always.T @ always + np.diag(precision)
            cross = z.T @ always
            gram -= cross @ np.linalg.solve(inner, cross.T)
            log_always = float(np.linalg.slogdet(inner)[1] - np.log(precision).sum())
        penalty = np.ones(self._zero + 1)
        penalty[: len(self._basis.penalty)] = self._basis.penalty
        penalty *= group.precision
        return _Moments(gram, penalty, log_jacobian, log_always, len(value) - group.spent)


def _evidence(
    moments: _Moments, group: ChildRows, parents: int, columns: NDArray[np.int64]
) -> NDArray[np.float64]:
    log_det, residual = _terms(moments.gram, columns, moments.penalty)
    residual = residual + FLOOR * moments.rows
    a, b, n = group.shape + parents / 2, group.precision / 2, moments.rows
    found: NDArray[np.float64] = (
        moments.log_jacobian
        - 0.5 * (n * np.log(2 * np.pi) + log_det + moments.log_always)
        + a * np.log(b)
        - (a + n / 2) * np.log(b + np.maximum(residual, 0) / 2)
        + gammaln(a + n / 2)
        - gammaln(a)
    )
    return found


def choose_shapes(family: CurvedFamily) -> tuple[tuple[Shape, ...], float]:
    """The shapes that a child is averaged over, and how much better the best bent one is.

    Returns:
        At least one shape; nats by which the best shape that bends beats the best that does not,
        each with the parents that suit it best.
    """
    tried: dict[Shape, float] = {}
    alone: dict[Shape, float] = {}
    nothing = np.zeros((1, 0), np.int64)

    def attempt(shape: Shape) -> None:
        tried[shape] = family.search(shape)[1]
        alone[shape] = float(family.evidence(shape, nothing)[0])

    forms = (LINEAR, BENT, WAVY) if family.rows[0].basis.bends else (LINEAR,)
    for measure in family.measures():
        for form in forms:
            attempt(Shape(measure, form))
        if family.pairs:
            own = [shape for shape in tried if shape.measure == measure]
            attempt(max(own, key=tried.__getitem__)._replace(pairs=True))
    bent = max((tried[s] for s in tried if s.form != LINEAR or s.pairs), default=-np.inf)
    straight = max(tried[s] for s in tried if s.form == LINEAR and not s.pairs)
    ranked = sorted(tried, key=tried.__getitem__, reverse=True)
    kept = [shape for shape in ranked if tried[shape] > tried[ranked[0]] - FAR][: SHAPES - 1]
    lonely = max(alone, key=alone.__getitem__)
    if alone[lonely] > max(alone[shape] for shape in kept) + 1:
        kept.append(lonely)
    return tuple(kept), float(bent - straight)


def find_pairs(family: CurvedFamily, among: Sequence[int]) -> list[tuple[int, int]]:
    """Products of two variables that tell something about the child beside what either tells.

    `family` offers no products itself. Those that go best with the child, or with what the
    variables that predict it best leave of it, are tried with the two parents alone.

    Args:
        family: of the child.
        among: variables that may act together.
    """
    every = np.array(list(combinations(among, 2)), np.int64).reshape(-1, 2)
    if not len(every):
        return []
    group = family.rows[0]
    first = group.basis.columns[group.rows][:, group.basis.start]
    products = first[:, every[:, 0]] * first[:, every[:, 1]]
    spread = products.std(0)
    products = (products - products.mean(0)) / np.where(spread > 0, spread, 1.0)
    likely: set[tuple[int, int]] = set()
    for target in (group.value, _remainder(family, among)):
        score = target - target.mean()
        strength = np.abs(score @ products) / (np.linalg.norm(score) * np.sqrt(len(score)) + 1e-12)
        order = np.argsort(-strength, kind="stable")[:PAIRS]
        likely |= {(int(i), int(j)) for i, j in every[order[strength[order] ** 2 * len(score) > 6]]}
    offered = CurvedFamily(family.rows, family.positive, sorted(likely))
    gains = {}
    for pair in sorted(likely):
        sets = np.array([pair], np.int64)
        without = offered.evidence(Shape("plain", BENT), sets)[0]
        gains[pair] = float(offered.evidence(Shape("plain", BENT, True), sets)[0] - without)
    ranked = sorted(gains, key=gains.__getitem__, reverse=True)[:PAIRS]
    return [pair for pair in ranked if gains[pair] > PAIR_DOUBT]


def _remainder(family: CurvedFamily, among: Sequence[int]) -> NDArray[np.float64]:
    """What the variables that predict the child best, as sums of bent effects, leave of it."""
    group = family.rows[0]
    parents, _ = family.search(Shape("plain", WAVY), among)
    columns = [group.basis.of(i, WAVY) for i in parents]
    z = group.basis.columns[group.rows]
    z = np.column_stack([np.ones(len(z)), *(z[:, own] for own in columns)])
    found: NDArray[np.float64] = group.value - z @ np.linalg.lstsq(z, group.value, rcond=None)[0]
    return found


def _measured(
    measure: Measure, value: NDArray[np.float64], positive: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], float]:
    """A child's values as a shape measures them, and log |h'| summed over the rows."""
    if measure == "plain" or not len(value):
        return value, 0.0
    if measure == "log":
        assert positive is not None
        logs = np.log(positive)
        spread = logs.std() or 1.0
        unit = positive.std() or 1.0  # of the standard units: d value = d positive / unit
        if value.std() > 0:
            unit = positive.std() / value.std()
        return (logs - logs.mean()) / spread, float(np.log(unit / (spread * positive)).sum())
    order = np.argsort(np.argsort(value, kind="stable"), kind="stable")
    score = ndtri((order + 0.5) / len(value))
    normal = -0.5 * (score**2 + np.log(2 * np.pi))
    return score, float((leave_one_out(value) - normal).sum())


def _terms(
    gram: NDArray[np.float64],
    columns: NDArray[np.int64],
    penalty: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """log|I + Z'Z / penalty| and the penalised residual sum of squares, float64[M] each."""
    count, size = columns.shape
    power = gram[-1, -1]
    log_det, residual = np.zeros(count), np.full(count, power)
    if size == 0:
        return log_det, residual
    step = max(1, _CHUNK // size**2)
    # Scaled so that the prior is the identity: columns of zeros then change nothing.
    root = 1 / np.sqrt(penalty)
    length = len(penalty)
    scaled = gram[:length, :length] * root[:, None] * root[None, :]
    moment = gram[:length, -1] * root
    for start in range(0, count, step):
        part = columns[start : start + step]
        # The child stands last: its pivot is what the columns leave of it.
        inner = np.empty((len(part), size + 1, size + 1))
        inner[:, :size, :size] = scaled[part[:, :, None], part[:, None, :]]
        inner[:, np.arange(size), np.arange(size)] += 1.0
        inner[:, size, :size] = inner[:, :size, size] = moment[part]
        inner[:, size, size] = power * (1 + 1e-11) + 1e-100
        diagonal = np.diagonal(np.linalg.cholesky(inner), axis1=1, axis2=2)
        log_det[start : start + step] = 2 * np.log(diagonal[:, :size]).sum(1)
        residual[start : start + step] = diagonal[:, size] ** 2
    return log_det, residual
