"""Whether the families of the likeliest graph fit the rows; how far to trust a posterior if not.

What a family leaves of a variable should be noise: it should not depend on any variable that is no
descendant of it, be as large whatever its parents are, and be normal. Each is a chi-square test:
N R^2 of the remainder on a group of columns of the other variable (Lagrange multiplier), N R^2 of
its square on the parents (Koenker 1981, J. Econometrics 17:107), its skewness and kurtosis (Jarque
& Bera 1987). Nor should it go with what is left of the row before, in two variables or more (in one
it may be the order in which rows were sorted): then rows are fewer than they seem, by the factor
(1 - r) / (1 + r) of an autoregression (Bayley & Hammersley 1946). Where rows come in units whose
rows resemble each other in two variables or more, and units have no constants of their own (see
`_row_groups`), rows are fewer by the design effect 1 + (m - 1) r s, m rows in a unit, r and s the
intraclass correlations of the two (Scott & Holt 1982, JASA 77:848).

Every statistic grows with the rows. Where one is beyond its limit (Bonferroni), the posterior is
taken to the power limit / statistic: that of as many rows as would not show the misfit (a coarsened
posterior; Miller & Dunson 2019, JASA 114:1113).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from seedo.inference.scores import Fusion, Mechanisms, UnknownNoise
from seedo.inference.scores._basis import BENT, WAVY
from seedo.inference.scores._curved import PLAIN
from seedo.inference.scores._likeness import constant_within, resemblance
from seedo.inference.scores._row_groups import repeated_units, within_units
from seedo.tables import Table

LEVEL = 0.01
"""Family-wise: of a hundred tables that fit, one is said not to."""
TAILS = 0.25
"""How much the form of the noise counts: it misleads least of all about edges."""
CREDIBLE = 0.1
"""Power under which no edge is called certain: nine rows of ten would have to be disregarded for
the misfit not to show, and no power mends a wrong model."""
_FEWEST = 30


@dataclass(frozen=True)
class Fit:
    """What the tests gave.

    Attributes:
        power: to which the likelihood should be taken; 1 where nothing is amiss.
        misfits: what is amiss, in words, worst first.
        tests: how many there were.
    """

    power: float
    misfits: tuple[str, ...]
    tests: int

    @property
    def credible(self) -> bool:
        """Whether anything may be called certain."""
        return self.power >= CREDIBLE


def find_misfits(fusion: Fusion, graphs: NDArray[np.bool_]) -> Fit:
    """Tests the families of the most frequent graph.

    Args:
        fusion: rows and families.
        graphs: bool[S, n, n], draws of the posterior.
    """
    if not isinstance(fusion.model, UnknownNoise):
        return Fit(1.0, (), 0)
    table, names = fusion.table, fusion.table.variables
    packed, count = np.unique(graphs.reshape(len(graphs), -1), axis=0, return_counts=True)
    graph = packed[np.argmax(count)].reshape(table.n, table.n)
    below = _descendants(graph)
    mechanisms = fusion.mechanisms or _straight(fusion)
    found: list[tuple[float, int, float, str]] = []
    serial: list[tuple[float, float]] = []
    for child in range(table.n):
        rows = mechanisms.row_groups(child)[0].rows
        if mechanisms.kinds[child] != "number" or table.factors[child] or rows.sum() < _FEWEST:
            continue
        parents = np.flatnonzero(graph[:, child])
        family = mechanisms.curved(child, (), mechanisms.pairs[child])
        left, fitted = family.remainder(mechanisms.shapes[child], parents.tolist())
        if fitted.shape[1] > len(left) / 4:
            continue
        columns = mechanisms.basis.columns[rows]
        of = mechanisms.basis.of
        for other in np.flatnonzero(~below[child]):
            if other != child:
                group = columns[:, of(int(other), WAVY)]
                what = f"what is left of {names[child]} goes with {names[other]}"
                found.append((*_explained(left, fitted, group), 1.0, what))
        if len(parents):
            group = np.concatenate([columns[:, of(int(i), BENT)] for i in parents], axis=1)
            what = f"the noise of {names[child]} is larger in some rows than in others"
            found.append((*_explained(left**2 - 1, np.ones((len(left), 1)), group), 1.0, what))
        shape = len(left) * ((left**3).mean() ** 2 / 6 + ((left**4).mean() - 3) ** 2 / 24)
        found.append((float(shape), 2, TAILS, f"the noise of {names[child]} is not normal"))
        serial.append(_with_the_row_before(left, np.flatnonzero(rows)))
    fit = _judge(found, sorted(serial)[-2] if len(serial) > 1 else (0.0, 0.0))
    fewer = _design_effect(table)
    if fewer == 1.0 or table.unit is None:
        return fit
    units = len(np.unique(table.unit))
    what = f"rows of one {table.unit_name or 'unit'} resemble each other, and there are {units}"
    ratios = sorted([(fit.power, 1), (1 / fewer, 0)])
    misfits = (*fit.misfits, what) if ratios[0][1] else (what, *fit.misfits)
    return Fit(ratios[0][0], misfits, fit.tests)


def _design_effect(table: Table) -> float:
    """How many rows count for one, 1 where units are none or have constants of their own."""
    code = repeated_units(table)
    if code is None or within_units(table):
        return 1.0
    likeness = []
    for j in range(table.n):
        x = table.values[:, j]
        several = table.columns[j].named and len(table.columns[j].levels) > 2
        parts = [(x == k).astype(float) for k in np.unique(x)] if several else [x]
        each = [
            (1.0, 0.0) if constant_within(part, code) else resemblance(part - part.mean(), code, 1)
            for part in parts
            if np.ptp(part) > 0
        ]
        likeness.append(max((r for r, p in each if p * table.n * len(each) < LEVEL), default=0.0))
    size = np.bincount(code)
    first, second = sorted(likeness)[-2:]
    return float(max(1.0, 1 + ((size**2).sum() / size.sum() - 1) * first * second))


def _with_the_row_before(left: NDArray[np.float64], rows: NDArray[np.int64]) -> tuple[float, float]:
    """Statistic of one degree of freedom, and the correlation of rows that follow each other; of
    positive ones only."""
    next_to = np.flatnonzero(np.diff(rows) == 1)
    if len(next_to) < _FEWEST:
        return 0.0, 0.0
    r = float(np.corrcoef(left[next_to], left[next_to + 1])[0, 1])
    return (len(next_to) * r**2, r) if r > 0 else (0.0, 0.0)


def _judge(found: list[tuple[float, int, float, str]], serial: tuple[float, float]) -> Fit:
    ratios = []
    statistic, r = serial
    if statistic > special.chdtri(1, LEVEL / max(1, len(found))):
        fewer = (1 - r) / (1 + r)
        ratios.append(
            (fewer, "rows that follow each other are alike (a series in time, or groups)")
        )
    for statistic, freedom, weight, what in found:
        limit = float(special.chdtri(freedom, LEVEL / len(found))) if freedom else np.inf
        if statistic > limit:
            ratios.append((min(1.0, limit / (weight * statistic)), what))
    ratios.sort()
    power = ratios[0][0] if ratios else 1.0
    return Fit(power, tuple(what for _, what in ratios), len(found))


def _explained(
    y: NDArray[np.float64], given: NDArray[np.float64], group: NDArray[np.float64]
) -> tuple[float, int]:
    """N R^2 of y on a group of columns beside what is given, and its degrees of freedom."""
    basis, triangle = np.linalg.qr(np.concatenate([given, group], axis=1))
    size = given.shape[1]
    kept = np.abs(np.diag(triangle))[size:] > 1e-6 * np.sqrt(len(y))
    y = y - basis[:, :size] @ (basis[:, :size].T @ y)
    total = float(y @ y)
    share = float(((basis[:, size:][:, kept].T @ y) ** 2).sum() / total) if total > 0 else 0.0
    return len(y) * share, int(kept.sum())


def _descendants(graph: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """bool[n, n]: the second lies below the first."""
    reach = graph.copy()
    for _ in range(max(1, len(graph).bit_length())):
        reach |= (reach.astype(np.float32) @ reach.astype(np.float32)) > 0
    return reach


def _straight(fusion: Fusion) -> Mechanisms:
    n = fusion.table.n
    assert isinstance(fusion.model, UnknownNoise)
    standard = (fusion.table.values - fusion.centre) / fusion.scale
    return Mechanisms(fusion.table, standard, fusion.model, fusion.prior, ((PLAIN,),) * n,
                      ((),) * n, np.zeros(n, np.bool_))  # fmt: skip
