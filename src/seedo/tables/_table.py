"""Rows of measurements: what was seen, and what had been done to the system when it was seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.tables._column import Column


@dataclass(frozen=True)
class Regime:
    """What had been done to the system in some of the rows. Variables are given by index.

    Attributes:
        name: shown to people, e.g. "observed" or "do(X)".
        hard: variables that were set; their rows say nothing about their own mechanism.
        soft: variables whose mechanism was shifted by an unknown constant.
        replaced: variables whose mechanism was replaced by an unknown one (imperfect or mechanism
            changes; Tian & Pearl 2001): it has parameters of its own but the same parents.
        unknown: something else may have been touched too, nobody knows what (Eaton & Murphy 2007).
    """

    name: str
    hard: frozenset[int] = frozenset()
    soft: frozenset[int] = frozenset()
    replaced: frozenset[int] = frozenset()
    unknown: bool = False

    @property
    def targets(self) -> frozenset[int]:
        """All variables known to have been intervened on, in whatever way."""
        return self.hard | self.soft | self.replaced

    @property
    def observational(self) -> bool:
        return not self.targets and not self.unknown


OBSERVED = Regime("observed")
"""The regime of rows in which nothing was set."""
MOST_REPEATED = 2_000_000
"""Most rows that a table with weights is written out to."""


@dataclass(frozen=True, eq=False)
class Table:
    """R rows of n variables.

    Attributes:
        variables: n names.
        values: float64[R, n], NaN where missing.
        regime: int64[R], position in `regimes`.
        regimes: every kind of row; not all need occur.
        source: int64[R], position in `sources`; rows of one source may share an offset of their
            own in every variable (another laboratory, another day).
        sources: names.
        episode: int64[R], id of the episode (the row's own number where there are none).
        step: int64[R], step within the episode.
        title: where the rows come from, for people.
        columns: how each variable was read; plain numbers if not said. A variable of role `factor`
            was set in every row.
        unit: int64[R], the independent unit that a row belongs to; None: every row is one.
        unit_name: of the column that says so.
        weight: float64[R], how many rows a row stands for; None: one.
        time: float64[R], when a row was taken, in the order of the rows' numbers; None: unknown.
        others: columns of the file that are no variables.
    """

    variables: tuple[str, ...]
    values: NDArray[np.float64]
    regime: NDArray[np.int64]
    regimes: tuple[Regime, ...]
    source: NDArray[np.int64]
    sources: tuple[str, ...]
    episode: NDArray[np.int64]
    step: NDArray[np.int64]
    title: str = ""
    columns: tuple[Column, ...] = ()
    unit: NDArray[np.int64] | None = None
    unit_name: str = ""
    weight: NDArray[np.float64] | None = None
    time: NDArray[np.float64] | None = None
    others: tuple[Column, ...] = ()

    def __post_init__(self) -> None:
        if not self.columns:
            object.__setattr__(self, "columns", tuple(Column(name) for name in self.variables))

    @property
    def n(self) -> int:
        return len(self.variables)

    @property
    def rows(self) -> int:
        return len(self.values)

    @property
    def hard(self) -> NDArray[np.bool_]:
        """bool[R, n]: the variable was set in that row."""
        by_regime = np.zeros((len(self.regimes), self.n), np.bool_)
        for i, regime in enumerate(self.regimes):
            by_regime[i, list(regime.hard)] = True
        return by_regime[self.regime]

    def units_of(self, rows: NDArray[Any]) -> NDArray[np.int64] | None:
        """int64, the independent unit of each of some rows (bool[R], or their numbers), counted
        from 0; None: every row is one."""
        if self.unit is None:
            return None
        return np.unique(self.unit[rows], return_inverse=True)[1].reshape(-1)

    def set_alone(self, variable: int) -> NDArray[np.bool_]:
        """bool[R]: the variable was set in that row, and nothing else was done."""
        alone = [r.targets == r.hard == {variable} and not r.unknown for r in self.regimes]
        return np.array(alone, np.bool_)[self.regime]

    @property
    def complete(self) -> NDArray[np.bool_]:
        """bool[R]: nothing is missing in that row."""
        found: NDArray[np.bool_] = np.all(np.isfinite(self.values), axis=1)
        return found

    @property
    def observational(self) -> NDArray[np.bool_]:
        """bool[R]: nothing had been done to the system."""
        return np.array([r.observational for r in self.regimes], np.bool_)[self.regime]

    @property
    def factors(self) -> NDArray[np.bool_]:
        """bool[n]: the variable was set in every row, by declaration or by what was done."""
        declared = np.array([column.role == "factor" for column in self.columns], np.bool_)
        found: NDArray[np.bool_] = declared | (self.hard.all(axis=0) if self.rows else declared)
        return found

    @property
    def useless(self) -> dict[str, str]:
        """Columns that are no variables because they tell nothing, and why: "is 3 in every row"."""
        return {column.name: column.useless for column in self.others if column.useless}

    def index(self, name: str) -> int:
        """Position of a variable.

        Raises:
            UserError: there is none of this name.
        """
        if name not in self.variables:
            raise UserError("variable", name, f"use one of {', '.join(self.variables)}")
        return self.variables.index(name)

    def take(self, rows: NDArray[Any]) -> Table:
        """The rows at `rows` (indices or bool[R])."""
        fields = {name: getattr(self, name)[rows]
                  for name in ("values", "regime", "source", "episode", "step", "unit", "weight",
                               "time")
                  if getattr(self, name) is not None}  # fmt: skip
        return replace(self, **fields)

    def repeated(self) -> Table:
        """The table with every row as often as its weight says, for who counts rows.

        Raises:
            UserError: weights are no whole numbers, or stand for more rows than `MOST_REPEATED`.
        """
        if self.weight is None:
            return self
        name = next((c.name for c in self.others if c.role == "weight"), "weights")
        remedy = f"a graph is weighed by counting rows: give --graph, or --roles {name}=ignored"
        if np.any(self.weight != np.floor(self.weight)):
            odd = float(self.weight[np.argmax(self.weight != np.floor(self.weight))])
            raise UserError(f"--weights {name}", odd, f"no whole number; {remedy}")
        if self.weight.sum() > MOST_REPEATED:
            shown = f"{self.weight.sum():,.0f}"
            raise UserError(f"--weights {name}", shown, f"at most {MOST_REPEATED:,}; {remedy}")
        rows = np.repeat(np.arange(self.rows), self.weight.astype(np.int64))
        return replace(self.take(rows), weight=None)

    def only(self, variables: Sequence[int]) -> Table:
        """The same rows with some of the variables, in the given order.

        An intervention on a variable that is left out makes a regime's name, nothing more.
        """
        place = {old: new for new, old in enumerate(variables)}

        def kept(indices: frozenset[int]) -> frozenset[int]:
            return frozenset(place[i] for i in indices if i in place)

        regimes = tuple(
            replace(r, hard=kept(r.hard), soft=kept(r.soft), replaced=kept(r.replaced))
            for r in self.regimes
        )
        names = tuple(self.variables[i] for i in variables)
        columns = tuple(self.columns[i] for i in variables)
        return replace(
            self, variables=names, values=self.values[:, list(variables)], regimes=regimes,
            columns=columns,
        )  # fmt: skip

    @staticmethod
    def from_rows(
        variables: Sequence[str],
        values: NDArray[Any],
        target: NDArray[Any] | None = None,
        title: str = "",
    ) -> Table:
        """Rows of which is known which variables were set.

        Args:
            variables: n names.
            values: numbers [R, n].
            target: int[R], the variable set in a row, -1 for an observation; or bool[R, n], all
                that were. None: nothing was set.
            title: where the rows come from.
        """
        values = np.asarray(values, np.float64)
        count = len(values)
        target = np.full(count, -1) if target is None else np.asarray(target)
        sets = [frozenset[int](), *(frozenset([i]) for i in range(len(variables)))]
        if target.ndim == 2:
            several = target.sum(axis=1) > 1
            combined, which = np.unique(target[several], axis=0, return_inverse=True)
            target = np.where(target.any(axis=1), target.argmax(axis=1), -1)
            target[several] = len(variables) + which.reshape(-1)
            sets += [frozenset(np.flatnonzero(row).tolist()) for row in combined]
        regimes = tuple(
            Regime(f"do({', '.join(variables[i] for i in sorted(hard))})", hard)
            if hard else OBSERVED for hard in sets
        )  # fmt: skip
        rows = np.arange(count, dtype=np.int64)
        nought = np.zeros(count, np.int64)
        return Table(tuple(variables), values, target.astype(np.int64) + 1, regimes, nought,
                     ("data",), rows, nought, title)  # fmt: skip
