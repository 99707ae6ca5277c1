"""What is refuted: an answer's numbers, and the question asked again of other rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seedo.tables import Table

NORMAL = 1.959963984540054
"""Half the 95 % interval of a standard normal distribution."""
FEWEST = 30
"""Independent units below which a refuter that finds nothing says nothing."""
Way = Literal["set", "adjustment", "instrument", "paths", "mixture", "graphs"]


@dataclass(frozen=True)
class Figure:
    """A number of an answer with its 95 % interval.

    Attributes:
        name: which of the answer's numbers; "" of its only one.
        value, low, high: as in the answer.
    """

    name: str
    value: float
    low: float
    high: float

    @property
    def strength(self) -> float:
        """|value| in lengths of the interval's side towards nought: above 1 where the interval
        excludes no effect. As a statistic it is studentised, so that shuffled rows may differ in
        spread from those as they are (DiCiccio & Romano 2017)."""
        reach = self.value - self.low if self.value > 0 else self.high - self.value
        if self.value == 0:
            return 0.0
        return abs(self.value) / reach if reach > 0 else np.inf

    @property
    def error(self) -> float:
        """Standard error that the interval's width stands for."""
        return (self.high - self.low) / (2 * NORMAL)


Again = Callable[[Table], tuple[Figure, ...]]


@dataclass(frozen=True, eq=False)
class Subject:
    """An answer that is refuted.

    Attributes:
        table: all rows.
        cause, outcome: variables.
        figures: the answer's numbers.
        again: the same question asked of other rows; no figures where there is no answer.
        widened: the same, with a further column (float64[R]) held as a common cause of both; None
            where nothing can be held.
        way: how the answer came about.
        strata: int64[R], rows among which the cause's values may be exchanged; -1: not used.
        least: independent units behind the figure that has fewest: twice those of its smallest arm,
            where the cause has few settings.
        held: variables that are held, where the answer comes from observations by adjustment.
        in_order: neighbouring rows may be neighbours in time.
        dependent: they are taken to resemble each other.
        counted: each row of the table is one of several that a row of the user's stands for.
    """

    table: Table
    cause: int
    outcome: int
    figures: tuple[Figure, ...]
    again: Again
    widened: Callable[[NDArray[np.float64]], tuple[Figure, ...]] | None
    way: Way
    strata: NDArray[np.int64]
    least: int
    held: tuple[int, ...] | None = None
    in_order: bool = False
    dependent: bool = False
    counted: bool = False

    @property
    def unit(self) -> NDArray[np.int64]:
        """int64[U], the independent unit of each row that is used, counted from 0."""
        used = self.strata >= 0
        found = self.table.units_of(used)
        return np.arange(int(used.sum())) if found is None else found

    @property
    def units(self) -> int:
        """How many independent units are used."""
        unit = self.unit
        return int(unit.max()) + 1 if len(unit) else 0

    @property
    def word(self) -> str:
        """What is independent, for people."""
        return "rows" if self.table.unit is None else f"{self.table.unit_name or 'unit'}s"

    @property
    def too_few(self) -> str:
        """Why what was found says nothing; "" where there are units enough."""
        if self.least >= FEWEST:
            return ""
        return f"{self.least} {self.word} are too few for this to find a fault"

    def matched(self, found: tuple[Figure, ...]) -> dict[str, Figure]:
        """Figures of the same names as the answer's."""
        names = {one.name for one in self.figures}
        return {one.name: one for one in found if one.name in names}
