"""Tables whose true effect is known: one family of data a function, for study `calibration`.

In every family d is the cause, y the outcome; z is measured beside them where it plays a part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedo.inference import KnownGraph
from seedo.tables import Column, Table

Array = NDArray[np.float64]
Random = np.random.Generator

A_UNIT = "effect of d on y"
ARMS = "effect of d on y from 0 to 1"
NO_YES = ("no", "yes")
OBSERVATIONS = 2000
"""Confounded rows of `fusion`."""
EXPERIMENTS = 30
"""Its experiments."""


class Sample(NamedTuple):
    """One table, one question, and the number that its answer should cover.

    Attributes:
        table: rows.
        question: about d and y.
        truth: in the population the rows come from.
        graph: where the design gives one.
    """

    table: Table
    question: str
    truth: float
    graph: KnownGraph | None = None

    def column(self, name: str) -> Array:
        """float64[R]."""
        return self.table.values[:, self.table.index(name)]

    @property
    def settings(self) -> tuple[float, float]:
        """The values of d that are compared."""
        if self.question == A_UNIT:
            return 0.0, 1.0
        low, _, high = self.question.partition(" from ")[2].partition(" to ")
        return float(low), float(high)


Family = Callable[[Random], Sample]


def table(
    columns: dict[str, Array],
    types: dict[str, str] | None = None,
    factors: Sequence[str] = (),
) -> Table:
    """Rows by column; `types`: where not real; `factors`: set by the experimenter in every row."""
    names = list(columns)
    values = np.column_stack(list(columns.values()))
    target = np.zeros(values.shape, np.bool_)
    target[:, [names.index(name) for name in factors]] = True
    found = []
    for name in names:
        kind = (types or {}).get(name, "real")
        levels = NO_YES if kind == "yes/no" else ()
        role = "factor" if name in factors else "measured"
        missing = int(np.isnan(columns[name]).sum())
        found.append(Column(name, kind, role, levels, missing=missing))
    return replace(Table.from_rows(names, values, target), columns=tuple(found))


def graph(arrows: str) -> KnownGraph:
    """Of one-letter names: "z>d z>y d>y"; "d-y" is a hidden common cause."""
    words = arrows.split()
    names = tuple(sorted({name for word in words for name in word[::2]}))
    return KnownGraph(
        names,
        frozenset((w[0], w[2]) for w in words if w[1] == ">"),
        frozenset((w[0], w[2]) for w in words if w[1] == "-"),
    )


ADJUST = graph("z>d z>y d>y")


def chance(x: Array) -> Array:
    """The logistic function."""
    found: Array = 1 / (1 + np.exp(-x))
    return found


def arms(rng: Random, count: int) -> Array:
    """float64[count] of 0 and 1 in equal numbers, in random order."""
    return rng.permutation(np.arange(count) % 2).astype(np.float64)


# -- families ----------------------------------------------------------------------------------


def linear(rng: Random) -> Sample:
    """Observations, a line, one measured common cause."""
    z = rng.normal(size=200)
    d = 0.8 * z + rng.normal(size=200)
    y = 0.5 * d + z + rng.normal(size=200)
    return Sample(table({"z": z, "d": d, "y": y}), A_UNIT, 0.5, ADJUST)


def curved(rng: Random) -> Sample:
    """A randomised dose with a curved response."""
    d = rng.uniform(-2, 2, 240)
    y = d**2 + d + rng.normal(size=240)
    return Sample(table({"d": d, "y": y}, factors="d"), "effect of d on y from 0 to 1", 2.0)


def curved_confounder(rng: Random) -> Sample:
    """Who is treated and what comes of it both bend with a measured common cause."""
    z = rng.normal(size=400)
    d = (rng.random(400) < chance(z**2 - 1)).astype(np.float64)
    y = d + z**2 + rng.normal(size=400)
    return Sample(table({"z": z, "d": d, "y": y}, {"d": "yes/no"}), ARMS, 1.0, ADJUST)


def interaction(rng: Random) -> Sample:
    """The effect differs with what decides who is treated."""
    z = rng.normal(size=400)
    d = (rng.random(400) < chance(z - 1)).astype(np.float64)
    y = 0.5 * d + d * z + z + rng.normal(size=400)
    return Sample(table({"z": z, "d": d, "y": y}, {"d": "yes/no"}), ARMS, 0.5, ADJUST)


def binary(rng: Random) -> Sample:
    """Two arms, an outcome that is yes or no."""
    d = arms(rng, 1000)
    y = (rng.random(1000) < 0.10 + 0.05 * d).astype(np.float64)
    kinds = {"d": "yes/no", "y": "yes/no"}
    return Sample(table({"d": d, "y": y}, kinds, "d"), ARMS, 0.05)


def count(rng: Random) -> Sample:
    """Two arms, an outcome that counts, more variable than Poisson's."""
    d = arms(rng, 300)
    y = rng.poisson((2 + d) * rng.gamma(2, 0.5, 300)).astype(np.float64)
    return Sample(table({"d": d, "y": y}, {"d": "yes/no", "y": "count"}, "d"), ARMS, 1.0)


def skewed(rng: Random) -> Sample:
    """Two arms, a positive skewed outcome with zeros."""
    d = arms(rng, 400)
    spent = rng.random(400) < 0.7
    y = np.where(spent, np.exp(1 + 0.25 * d + 0.8 * rng.normal(size=400)), 0.0)
    truth = 0.7 * float(np.exp(1.32)) * float(np.exp(0.25) - 1)
    return Sample(table({"d": d, "y": y}, {"d": "yes/no"}, "d"), ARMS, truth)


def clustered(rng: Random) -> Sample:
    """Twenty-four animals of ten readings each, treated or not as a whole."""
    unit = np.repeat(np.arange(24), 10)
    d = arms(rng, 24)[unit]
    y = 0.5 * d + rng.normal(size=24)[unit] + rng.normal(size=240)
    rows = table({"d": d, "y": y}, {"d": "yes/no"}, "d")
    return Sample(replace(rows, unit=unit, unit_name="animal"), ARMS, 0.5)


def walk(rng: Random, length: int, memory: float) -> Array:
    """float64[length]: each value `memory` times the one before plus normal noise; stationary."""
    x = rng.normal(size=length)
    x[0] /= np.sqrt(1 - memory**2)
    for t in range(1, length):
        x[t] += memory * x[t - 1]
    return x


def autocorrelated(rng: Random) -> Sample:
    """Readings in order of time, where both the cause and the rest of the outcome linger."""
    d, rest = walk(rng, 300, 0.6), walk(rng, 300, 0.6)
    rows = table({"d": d, "y": 0.5 * d + rest})
    return Sample(replace(rows, time=np.arange(300.0)), A_UNIT, 0.5, graph("d>y"))


def missing(rng: Random) -> Sample:
    """A trial whose outcome is missing where a measured variable is high; it alters the effect."""
    z = rng.normal(size=400)
    d = arms(rng, 400)
    y = d * (1 + z) + z + rng.normal(size=400)
    y[rng.random(400) < chance(1.2 * z - 0.5)] = np.nan
    return Sample(table({"z": z, "d": d, "y": y}, {"d": "yes/no"}, "d"), ARMS, 1.0,
                  graph("z>y d>y"))  # fmt: skip


def trial(rng: Random) -> Sample:
    """Two arms of 225, an effect of 2.7 standard errors."""
    d = np.repeat([0.0, 1.0], 225)
    y = 10 + d + rng.normal(0, 3.93, 450)
    return Sample(table({"d": d, "y": y}, {"d": "yes/no"}, "d"), ARMS, 1.0)


def instrument(rng: Random) -> Sample:
    """A randomised encouragement; cause and outcome share a hidden cause."""
    z, u = arms(rng, 500), rng.normal(size=500)
    d = z + u + rng.normal(size=500)
    y = 1.5 * d + 2 * u + rng.normal(size=500)
    return Sample(table({"z": z, "d": d, "y": y}, {"z": "yes/no"}), A_UNIT, 1.5,
                  graph("z>d d>y d-y"))  # fmt: skip


def fusion(strength: float, experiments: int = EXPERIMENTS) -> Family:
    """Observations confounded by a hidden cause, and a few experiments.

    Args:
        strength: 0 for none; 1: the observed slope is off by 3/3.25, twice the true effect.
        experiments: rows in which d was set.
    """

    def draw(rng: Random) -> Sample:
        u, rest = rng.normal(size=(2, OBSERVATIONS + experiments))
        d = 1.5 * strength * u + rng.normal(size=len(u))
        d[OBSERVATIONS:] = rng.choice([-2.0, 0.0, 2.0], experiments)
        y = 0.5 * d + 2 * strength * u + rest
        target = np.where(np.arange(len(u)) < OBSERVATIONS, -1, 0)
        return Sample(Table.from_rows(["d", "y"], np.column_stack([d, y]), target), A_UNIT, 0.5)

    return draw


STRENGTHS = (0.0, 0.1, 0.2, 0.35, 0.5, 1.0, 2.0)
"""Of the hidden cause in `fusion`, fixed before the first run."""
FAMILIES: dict[str, Family] = {
    "linear": linear,
    "curved": curved,
    "curved confounder": curved_confounder,
    "interaction": interaction,
    "binary": binary,
    "count": count,
    "skewed": skewed,
    "clustered": clustered,
    "autocorrelated": autocorrelated,
    "missing": missing,
    "trial": trial,
    "instrument": instrument,
    **{f"fusion {strength:g}": fusion(strength) for strength in STRENGTHS},
}
