"""The rows an estimator works on: outcome, cause, what is held, what rows belong together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seedo.tables import Column, Table

Array = NDArray[np.float64]
Scale = Literal["real", "positive", "count", "yes/no", "share", "per cent"]
"""What the values of an outcome are, for its effects to stay within their range."""
TOPS: dict[Scale, float] = {"yes/no": 1.0, "share": 1.0, "per cent": 100.0}
"""Where the means of an outcome end that begin at nought."""


@dataclass(frozen=True, eq=False)
class Covariate:
    """A variable that is held while the cause is changed.

    Attributes:
        name: shown to people.
        values: float64[R].
        named: values are codes of names, not amounts.
    """

    name: str
    values: Array
    named: bool = False


@dataclass(frozen=True, eq=False)
class Sample:
    """R rows.

    Attributes:
        outcome: float64[R]; NaN where missing (such rows still count as population).
        cause: float64[R], finite.
        covariates: each of R finite values.
        scale: of the outcome: what values its mean may have.
        cause_named: the cause's values are codes of names, not amounts.
        clusters: int64[R], rows that are not independent of each other; None: all are.
        weight: float64[R], how many rows a row stands for; None: one.
        ordered: rows stand in the order of time.
        episode: int64[R]: rows of one episode follow each other.
        time: float64[R], when each was taken; None where unknown.
    """

    outcome: Array
    cause: Array
    covariates: tuple[Covariate, ...] = ()
    scale: Scale = "real"
    cause_named: bool = False
    clusters: NDArray[np.int64] | None = None
    weight: Array | None = None
    ordered: bool = False
    episode: NDArray[np.int64] | None = None
    time: Array | None = None

    @property
    def rows(self) -> int:
        return len(self.cause)

    @property
    def weights(self) -> Array:
        """float64[R], ones if none are given."""
        return np.ones(self.rows) if self.weight is None else self.weight

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Sample:
        """Some of the rows."""
        clusters = self.clusters
        if clusters is not None:
            clusters = np.unique(clusters[rows], return_inverse=True)[1].reshape(-1)
        return replace(
            self,
            outcome=self.outcome[rows],
            cause=self.cause[rows],
            covariates=tuple(replace(c, values=c.values[rows]) for c in self.covariates),
            clusters=clusters,
            weight=None if self.weight is None else self.weight[rows],
            episode=None if self.episode is None else self.episode[rows],
            time=None if self.time is None else self.time[rows],
        )


def scale_of(column: Column, values: Array) -> Scale:
    """What values the mean of a column may have."""
    finite = values[np.isfinite(values)]
    if column.type == "yes/no" or (len(finite) > 0 and np.isin(finite, (0.0, 1.0)).all()):
        return "yes/no"
    if column.type == "count":
        return "count"
    if column.type == "positive":
        return "positive"
    if column.type == "bounded" and len(finite):
        return "share" if finite.max() <= 1 else "per cent"
    return "real"


def sample_of(
    table: Table,
    rows: NDArray[np.bool_],
    cause: int,
    outcome: Array,
    covariates: list[int],
    scale: Scale,
) -> Sample:
    """Rows of a table as an estimator wants them; those without cause or covariates left out.

    Args:
        table: all rows.
        rows: bool[R], which are used.
        cause: variable.
        outcome: float64[R]: a column, or whether an event happened.
        covariates: variables that are held; sources, if there are several, are held as well.
        scale: of the outcome.
    """
    order = np.arange(table.rows)
    if table.time is not None:
        order = np.argsort(table.time, kind="stable")
    needed = table.values[:, [cause, *covariates]]
    kept = order[(rows & np.isfinite(needed).all(axis=1))[order]]
    held = [
        Covariate(table.variables[j], table.values[kept, j], table.columns[j].named)
        for j in covariates
    ]
    if len(np.unique(table.source[kept])) > 1:
        held.append(Covariate("source", table.source[kept].astype(np.float64), True))
    clusters = table.units_of(kept)
    weight = None if table.weight is None else table.weight[kept]
    if weight is not None:
        positive = weight > 0
        if not positive.all():
            return sample_of(
                table, rows & (table.weight > 0), cause, outcome, covariates, scale  # type: ignore[operator]
            )  # fmt: skip
    episodes = np.unique(table.episode[kept])
    return Sample(
        outcome[kept], table.values[kept, cause],
        tuple(c for c in held if np.ptp(c.values) > 0) if len(kept) else (),
        scale, table.columns[cause].named, clusters, weight,
        ordered=table.time is not None,
        episode=table.episode[kept] if len(episodes) < len(kept) else None,
        time=None if table.time is None else table.time[kept],
    )  # fmt: skip
