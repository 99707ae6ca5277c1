"""How strong a hidden common cause would have to be to explain an effect away."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedo.inference.effects._estimate import Estimate
from seedo.inference.effects._intervals import quantile
from seedo.tables import Table

Array = NDArray[np.float64]

HIDDEN = "nothing hidden moves"
"""How every line of `sensitivity` begins."""


def robustness(value: float, standard_error: float, freedom: float) -> float:
    """Robustness value (Cinelli & Hazlett 2020, eq. 15): the share of what is left of the variance
    of cause and of outcome, both, that a hidden cause would have to explain to bring the estimate
    to nought."""
    if standard_error <= 0 or freedom <= 0:
        return 0.0
    f = abs(value) / standard_error / math.sqrt(freedom)
    return (math.sqrt(f**4 + 4 * f**2) - f**2) / 2


def robustness_of_interval(value: float, standard_error: float, freedom: float) -> float:
    """The same to bring nought into the 95 % interval (ibid., eq. 19)."""
    if standard_error <= 0 or freedom <= 1:
        return 0.0
    f = abs(value) / standard_error / math.sqrt(freedom)
    f -= quantile(freedom - 1) / math.sqrt(freedom - 1)
    return (math.sqrt(f**4 + 4 * f**2) - f**2) / 2 if f > 0 else 0.0


def e_value(ratio: float) -> float:
    """E-value of a risk ratio (VanderWeele & Ding 2017): how much likelier a hidden cause would
    have to make cause and outcome, both."""
    ratio = max(ratio, 1 / ratio) if ratio > 0 else math.inf
    return ratio + math.sqrt(ratio * (ratio - 1)) if math.isfinite(ratio) else math.inf


def sensitivity(found: Estimate, rows: float, both: str = "both") -> str:
    """One line.

    Args:
        found: an effect from observations.
        rows: how many independent units it rests on.
        both: what nothing hidden may move.
    """
    freedom = max(rows - 2, 2.0)
    if not found.standard_error > 0:
        return ""
    whole = robustness(found.value, found.standard_error, freedom)
    part = robustness_of_interval(found.value, found.standard_error, freedom)
    if part == 0:
        return f"{HIDDEN} {both}; the interval includes no effect even so"
    return (
        f"{HIDDEN} {both}: to make the effect nought it would have to explain "
        f"{whole:.0%} of what is left of the variance of both, "
        f"{part:.0%} to make the interval include nought"
    )


@dataclass(frozen=True)
class Benchmark:
    """How strong a measured common cause is, to hold a hidden one against.

    Attributes:
        name: of the variable.
        of_cause: share of what the other ones leave of the cause's variance that it explains.
        of_outcome: the same of the outcome, the cause held too.
    """

    name: str
    of_cause: float
    of_outcome: float


def strongest(
    table: Table, rows: NDArray[np.bool_], cause: int, outcome: int, held: Sequence[int]
) -> Benchmark | None:
    """The variable held that moves the estimate most; None where rows are too few.

    Args:
        table: all rows.
        rows: bool[R], which are used.
        cause, outcome: variables.
        held: variables.
    """
    kept = rows & np.isfinite(table.values[:, [cause, outcome, *held]]).all(axis=1)
    x, y = table.values[kept, cause], table.values[kept, outcome]
    root = np.ones(len(x)) if table.weight is None else np.sqrt(table.weight[kept])
    blocks = {j: _columns(table.values[kept, j], table.columns[j].named) for j in held}
    if len(x) < 3 + sum(block.shape[1] for block in blocks.values()):
        return None
    effect = _columns(x, table.columns[cause].named)
    found = []
    for j in held:
        rest = [np.ones((len(x), 1)), *(block for k, block in blocks.items() if k != j)]
        of_cause = max(_explained(column, blocks[j], rest, root) for column in effect.T)
        of_outcome = _explained(y, blocks[j], [*rest, effect], root)
        found.append(Benchmark(table.variables[j], of_cause, of_outcome))
    return max(found, key=lambda one: _bias(one, 1.0)[2])


def _columns(x: Array, named: bool) -> Array:
    """float64[R, k]: the numbers, or whether they are each level but the first."""
    if not named:
        return x[:, None]
    found: Array = (x[:, None] == np.unique(x)[1:]).astype(np.float64)
    return found


def _explained(y: Array, block: Array, rest: Sequence[Array], root: Array) -> float:
    """Share of what `rest` leaves of y's variance that a block of columns explains."""

    def left(matrix: Array) -> float:
        both = root[:, None] * matrix
        off = root * y - both @ np.linalg.lstsq(both, root * y, rcond=None)[0]
        return float(off @ off)

    before = np.concatenate(list(rest), axis=1)
    plain = left(before)
    return 1 - left(np.concatenate([before, block], axis=1)) / plain if plain > 0 else 0.0


def _bias(measured: Benchmark, times: float) -> tuple[float, float, float]:
    """What a hidden cause so many times as strong explains of cause and outcome, at most, and the
    bias, in standard errors over the root of the degrees of freedom.

    Cinelli & Hazlett 2020, eq. 20 and 22, with the shares of `sensemakr`'s bounds.
    """
    x, y = (min(max(r, 0.0), 1 - 1e-9) for r in (measured.of_cause, measured.of_outcome))
    of_cause = times * x / (1 - x)
    if of_cause >= 1 or times * x >= 1:
        return 1.0, 1.0, math.inf
    shared = times * x**2 / ((1 - times * x) * (1 - x))
    if shared >= 1:
        return of_cause, 1.0, math.inf
    of_outcome = (math.sqrt(times) + math.sqrt(shared)) ** 2 / (1 - shared) * y / (1 - y)
    of_outcome = min(of_outcome, 1.0)
    return of_cause, of_outcome, math.sqrt(of_outcome * of_cause / (1 - of_cause))


def tipping_point(
    value: float, standard_error: float, freedom: float, measured: Benchmark, most: float = 100.0
) -> float:
    """How many times as strong as a measured cause a hidden one has to be until the 95 % interval
    reaches nought.

    Args:
        value, standard_error, freedom: of the effect.
        measured: what the hidden cause is held against.
        most: at most so many times are looked at.
    """

    def room(times: float) -> float:
        of_cause, of_outcome, bias = _bias(measured, times)
        if not math.isfinite(bias):
            return -math.inf
        error = math.sqrt((1 - of_outcome) / (1 - of_cause) * freedom / (freedom - 1))
        off = bias * math.sqrt(freedom) + quantile(freedom - 1) * error
        return abs(value) - standard_error * off

    if standard_error <= 0 or freedom <= 1 or room(most) > 0:
        return most
    low, high = 0.0, most
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if room(middle) > 0 else (low, middle)
    return high
