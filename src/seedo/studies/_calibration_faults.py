"""Tables with a fault that would halve coverage if nobody noticed, and clean ones of like kinds."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from seedo.inference import Answer
from seedo.studies._calibration_samples import (
    A_UNIT,
    ADJUST,
    ARMS,
    Family,
    Random,
    Sample,
    arms,
    binary,
    chance,
    count,
    fusion,
    graph,
    linear,
    table,
    trial,
    walk,
)
from seedo.studies._textbook import Interval, adjusted, plain
from seedo.tables import Column


@dataclass(frozen=True)
class Fault:
    """One kind.

    Attributes:
        draw: a table that has it.
        words: what an answer says that has noticed it, a regular expression.
        ignoring: what somebody answers who does not look.
    """

    draw: Family
    words: str
    ignoring: Callable[[Sample], Interval]

    def noticed(self, answer: Answer) -> bool:
        """Whether the answer names the fault, or is refused with its name."""
        said = (answer.answer, answer.refused, answer.rests_on, *answer.warnings)
        return re.search(self.words, " ".join(said), re.IGNORECASE) is not None


def _curvature(rng: Random) -> Sample:
    z = rng.normal(size=400)
    d = 0.7 * (z**2 - 1) + rng.normal(size=400)
    y = 0.5 * d + z**2 + rng.normal(size=400)
    return Sample(table({"z": z, "d": d, "y": y}), A_UNIT, 0.5, ADJUST)


def _interaction(rng: Random) -> Sample:
    z = rng.normal(size=400)
    d = (rng.random(400) < chance(2 * z - 2)).astype(np.float64)
    y = 0.5 * d + 1.5 * d * z + z + rng.normal(size=400)
    return Sample(table({"z": z, "d": d, "y": y}, {"d": "yes/no"}), ARMS, 0.5, ADJUST)


def _no_overlap(rng: Random) -> Sample:
    z = rng.normal(size=400)
    y = z + 0.7 * z**3 + rng.normal(size=400)  # the treatment does nothing
    rows = table({"z": z, "d": (z > 0.3).astype(np.float64), "y": y}, {"d": "yes/no"})
    return Sample(rows, ARMS, 0.0, ADJUST)


def _autocorrelation(rng: Random) -> Sample:
    d, y = walk(rng, 300, 0.95), walk(rng, 300, 0.95)
    return Sample(table({"d": d, "y": y}), A_UNIT, 0.0, graph("d>y"))


def _clusters(rng: Random) -> Sample:
    unit = np.repeat(np.arange(20.0), 20)
    treated = arms(rng, 20)[unit.astype(int)]
    y = treated + rng.normal(size=20)[unit.astype(int)] + rng.normal(size=400)
    found = table({"animal": unit, "d": treated, "y": y}, {"d": "yes/no"}, "d")
    animals = Column("animal", "categorical", levels=tuple(f"r{k}" for k in range(20)))
    return Sample(replace(found, columns=(animals, *found.columns[1:])), ARMS, 1.0)


def _copies(rng: Random) -> Sample:
    d = np.repeat(rng.normal(size=40), 12)
    y = 0.3 * d + np.repeat(rng.normal(size=40), 12)
    return Sample(table({"d": d, "y": y}), A_UNIT, 0.3, graph("d>y"))


def _one_row(rng: Random) -> Sample:
    d = rng.normal(size=150)
    y = 0.5 * d + rng.normal(size=150)
    d[rng.integers(150)] *= 100  # somebody wrote per cent
    return Sample(table({"d": d, "y": y}), A_UNIT, 0.5, graph("d>y"))


def _heavy_tails(rng: Random) -> Sample:
    d = rng.normal(size=150)
    y = 0.5 * d + rng.normal(size=150)
    worst = int(np.argmax(d))
    y[worst] += 60  # a slip of the decimal point
    return Sample(table({"d": d, "y": y}), A_UNIT, 0.5, graph("d>y"))


def _missingness(rng: Random) -> Sample:
    z = rng.normal(size=500)
    d = arms(rng, 500)
    y = d * (1 + 1.5 * z) + z + rng.normal(size=500)
    y[rng.random(500) < chance(1.5 * z)] = np.nan
    return Sample(table({"z": z, "d": d, "y": y}, {"d": "yes/no"}, "d"), ARMS, 1.0,
                  graph("z>y d>y"))  # fmt: skip


FAULTS: dict[str, Fault] = {
    "curvature": Fault(_curvature, r"curv|bend|spline|straight|not linear", adjusted),
    "interaction": Fault(_interaction, r"interact|differ", adjusted),
    "no overlap": Fault(_no_overlap, r"overlap|counterpart|comparable|decides|alike", adjusted),
    "autocorrelation": Fault(_autocorrelation, r"autocorrel|random walk|neighbouring", plain),
    "clusters": Fault(_clusters, r"cluster|within|groups?\b|units?\b|animal", plain),
    "copies": Fault(_copies, r"cop(y|ies)|duplicat|repeat", plain),
    "heavy tails": Fault(_heavy_tails, r"tail|outl|decides|row \d|single row", plain),
    "one far row": Fault(_one_row, r"tail|outl|decides|row \d|single row|leverage|straight", plain),
    "missingness": Fault(_missingness, r"missing", plain),
    "hidden cause": Fault(fusion(1.0, 60), r"hidden|confound|contradict|disagree", plain),
}


def _randomised_dose(rng: Random) -> Sample:
    z, d = rng.normal(size=200), rng.uniform(0, 4, 200)
    y = 0.5 * d + z + rng.normal(size=200)
    return Sample(table({"z": z, "d": d, "y": y}, factors="d"), A_UNIT, 0.5)


def _missing_at_random(rng: Random) -> Sample:
    sample = linear(rng)
    sample.table.values[rng.random(200) < 0.1, 2] = np.nan
    return sample


CLEAN: dict[str, Family] = {
    "line": linear,
    "dose": _randomised_dose,
    "two arms": trial,
    "yes or no": binary,
    "count": count,
    "values missing by chance": _missing_at_random,
    "fused": fusion(0.0, 60),
}
"""Tables without any fault; by kind."""
