"""What to move to move an outcome most, with what is not known about it marked as such."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from seedo import inference
from seedo.errors import UserError
from seedo.inference import Answer, Beliefs, CausalPosterior
from seedo.inference.questions import Effect, Ranking, number, shown
from seedo.tables import Table

_MOST_RUNS = 100_000
"""More runs than anybody makes: no number is said."""


@dataclass(frozen=True)
class Lever:
    """One column, and what moving it over what was seen does to the outcome.

    Attributes:
        name: of the column.
        effect, low, high: the change of the outcome's mean and its 95 % interval. Where `known` is
            false: no effect; between `low` and `high` lies what the possible graphs say, None where
            nothing can be said.
        known: whether rows and assumptions determine it.
        start, end: between which it is moved, as in the table; "" where that is open.
        why_not: why it is not known; "" if it is.
        experiment: what would settle it; "" where nothing needs to be.
    """

    name: str
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    known: bool = False
    start: str = ""
    end: str = ""
    why_not: str = ""
    experiment: str = ""

    @property
    def size(self) -> float:
        """How far it may move the outcome; below 0 where nothing can be said."""
        if self.known:
            return abs(self.effect or 0.0)
        return max((abs(x) for x in (self.low, self.high) if x is not None), default=-1.0)


@dataclass(frozen=True)
class Levers:
    """The columns by how far each moves, or may move, an outcome.

    Attributes:
        outcome: its name.
        levers: the strongest first; what is not known stands where it would if the largest effect
            that is possible were true.
        answer: to "rank the causes of" the outcome, on which all of it rests.
    """

    outcome: str
    levers: tuple[Lever, ...]
    answer: Answer

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "outcome": self.outcome,
            "levers": [asdict(lever) for lever in self.levers],
            "answer": self.answer.to_dict(),
        }


def levers(
    outcome: str,
    table: Table,
    beliefs: Beliefs | None = None,
    weigh: Callable[[], CausalPosterior] | None = None,
) -> Levers:
    """Ranks the columns of a table by what moving them does to an outcome.

    Args:
        outcome: a variable.
        table: rows.
        beliefs: nothing is known if None.
        weigh: see `inference.ask`; called once for every cause that is not known and once more.

    Raises:
        UserError: there is no such variable, or the question cannot be asked of this table.
    """
    at = table.index(outcome)
    ranking = inference.ask(Ranking(outcome), table, beliefs, weigh=weigh)
    told = {str(row["cause"]): row for row in ranking.table}
    found = [_known(row) if row["effect"] is not None
             else _unknown(name, at, str(row["why not"]), table, beliefs, weigh)
             for name, row in told.items()]  # fmt: skip
    return Levers(outcome, tuple(sorted(found, key=lambda one: -one.size)), ranking)


def _known(row: dict[str, Any]) -> Lever:
    return Lever(str(row["cause"]), row["effect"], row["low"], row["high"], True,
                 str(row["from"]), str(row["to"]))  # fmt: skip


def _unknown(
    name: str,
    outcome: int,
    why: str,
    table: Table,
    beliefs: Beliefs | None,
    weigh: Callable[[], CausalPosterior] | None,
) -> Lever:
    at = table.index(name)
    ends = _ends(table, at)
    if ends is None:
        return Lever(name, why_not=why)
    query = Effect(name, table.variables[outcome], *ends)
    try:
        possible = inference.ask(query, table, beliefs, weigh=weigh).table
    except UserError:
        possible = ()
    # Of an effect that is not identified, one row an answer that some of the graphs give.
    said = [row for row in possible if {"low", "high", "effect"} <= row.keys() and "if" in row]
    low = min((float(row["low"]) for row in said), default=None)
    high = max((float(row["high"]) for row in said), default=None)
    start, end = (shown(name, value, table.columns) for value in ends)
    apart = max((abs(float(row["effect"])) for row in said), default=0.0)
    return Lever(name, None, low, high, False, start, end, why,
                 _experiment(table, at, outcome, (start, end), apart))  # fmt: skip


def _ends(table: Table, at: int) -> tuple[float, float] | None:
    """Between what a variable would be moved: its 5 and 95 % points, or its first and last level;
    None where it does not vary."""
    values = table.values[:, at]
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    if table.columns[at].named:
        low, high = float(values.min()), float(values.max())
    else:
        low, high = (float(number(float(x))) for x in np.quantile(values, [0.05, 0.95]))
    return (low, high) if low < high else None


def _experiment(
    table: Table, cause: int, outcome: int, ends: tuple[str, str], apart: float
) -> str:  # fmt: skip
    """What would tell an effect of size `apart` from none."""
    name, measured = table.variables[cause], table.variables[outcome]
    each = _runs(table, outcome, apart)
    some, others = "some runs", "others"
    if each is not None:
        some, others = f"{each:,} runs", f"{each:,} others"
    return (f"set {name} to {ends[0]} in {some} and to {ends[1]} in {others}, by lot, and measure "
            f"{measured}")  # fmt: skip


def _runs(table: Table, outcome: int, apart: float) -> int | None:
    """Runs an arm from which on the 95 % interval of two means' difference, 1.96 s sqrt(2 / n) to
    either side, is too short to hold both an effect of size `apart` and none."""
    values = table.values[:, outcome]
    scatter = float(np.nanstd(values))
    if not (apart > 0 and scatter > 0):
        return None
    each = max(4, math.ceil(2 * (1.96 * scatter / (apart / 2)) ** 2))
    return each if each <= _MOST_RUNS else None
