"""The columns of a regression: of the cause, of covariates, of both together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seedo.inference.effects._sample import Sample

Array = NDArray[np.float64]
Form = Literal["line", "square", "levels", "spline"]

KNOTS = (2, 3, 8)
"""Numbers of inner knots that are tried, at equal steps of the values' ranks."""


@dataclass(frozen=True, eq=False)
class Curve:
    """How one variable enters.

    Attributes:
        form: a line; one mean a level; a cubic spline, which holds every cubic polynomial.
        points: levels, or knots; empty for a line.
        middle, scale: of the variable, so that columns are of one size.
    """

    form: Form
    points: Array
    middle: float
    scale: float

    def columns(self, x: Array) -> Array:
        """float64[R, k]; no intercept: the first level has no column."""
        if self.form == "levels":
            return (x[:, None] == self.points[None, 1:]).astype(np.float64)
        z = (x - self.middle) / self.scale
        if self.form == "line":
            return z[:, None]
        if self.form == "square":
            return np.stack([z, z**2], axis=1)
        knots = (self.points - self.middle) / self.scale
        pieces = [np.maximum(z - k, 0.0) ** 3 for k in knots]
        return np.stack([z, z**2, z**3, *pieces], axis=1)


def curve(x: Array, form: Form, knots: int = KNOTS[0]) -> Curve:
    """A curve for these values; of three or fewer different ones each gets a level of its own."""
    middle, scale = float(x.mean()), float(x.std()) or 1.0
    points = np.zeros(0)
    if form == "levels":
        points = np.unique(x)
    elif form == "spline":
        different = np.unique(x)
        if len(different) <= 3:
            return curve(x, "levels" if len(different) == 3 else "line")
        inner = different[1:-1] if len(different) <= knots + 4 else x
        points = np.unique(np.quantile(inner, np.linspace(0, 1, knots + 2)[1:-1]))
        if len(different) < len(points) + 4:
            points = points[: max(len(different) - 4, 0)]
    return Curve(form, points, middle, scale)


@dataclass(frozen=True, eq=False)
class Terms:
    """The columns of a regression.

    Attributes:
        cause: how the cause enters.
        covariates: how each covariate enters, in the order of the sample's.
        crossed: whether the cause's columns are multiplied with the covariates' as well.
        squares: products of pairs of covariates enter, too.
    """

    cause: Curve
    covariates: tuple[Curve, ...] = ()
    crossed: bool = False
    squares: bool = False

    def held(self, sample: Sample) -> Array:
        """float64[R, k], the covariates' columns; centred if they are multiplied."""
        if not self.covariates:
            return np.zeros((sample.rows, 0))
        pairs = zip(self.covariates, sample.covariates, strict=True)
        blocks = [c.columns(held.values) for c, held in pairs]
        if self.squares:
            blocks += [
                products(a, b) for i, a in enumerate(blocks) for b in blocks[i + 1 :]
            ]  # fmt: skip
        return np.concatenate(blocks, axis=1)

    def matrix(self, sample: Sample, cause: Array | float | None = None) -> Array:
        """float64[R, k] with an intercept first, the cause's columns next.

        Args:
            sample: rows.
            cause: values instead of the sample's own.
        """
        if cause is None:
            cause = sample.cause
        values = np.broadcast_to(np.asarray(cause, np.float64), (sample.rows,))
        mine, held = self.cause.columns(values), self.held(sample)
        parts = [np.ones((sample.rows, 1)), mine, held]
        if self.crossed and held.shape[1]:
            parts.append(products(mine, held))
        return np.concatenate(parts, axis=1)

    @property
    def rich(self) -> bool:
        """Whether there is more than a line or arms."""
        return bool(self.covariates) or self.cause.form == "spline"

    @property
    def own(self) -> int:
        """How many columns the cause has by itself."""
        return self.cause.columns(np.zeros(1)).shape[1]

    def with_cause(self, cause: Curve) -> Terms:
        return replace(self, cause=cause)


def products(one: Array, other: Array) -> Array:
    """float64[R, a b], every column times every other."""
    return (one[:, :, None] * other[:, None, :]).reshape(len(one), -1)
