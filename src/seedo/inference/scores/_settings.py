"""What variables that were set in every row rule out about the others.

A factor i that moves k moves whatever k causes. If k -> j, the factor's total effect on j is that
of k on j times its own on k, unless another path from i to j cancels it exactly. So where i moves k
beyond doubt and does not move j at all, though j goes with k (given the factors) so closely that it
would have to, k does not cause j: something hidden is behind both, or they share what all factors
together do in a way that no family fits. The same reasoning makes i an instrument (Sargan 1958,
Econometrica 26:393, for its use as a test). And where nothing goes with j in k once all factors are
given, whatever their effects are, neither causes the other (as in the algorithm of Spirtes &
Glymour 1991): a family that does not fit the factors' joint effect would take k for a stand-in.
Both assume that no two effects cancel exactly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seedo.inference.scores._basis import LINEAR, WAVY, Basis, make_basis
from seedo.inference.scores._row_groups import units
from seedo.tables import Table

MOVED, STILL, WOULD = 6.0, 3.0, 3.0
"""Standard errors: beyond which a factor moves k; within which it does not move j; by which what it
would do to j through k is missed."""
BENT_STILL = 4.0
"""Standard errors within which a square goes with nothing."""
PART = 0.2
"""Of what it would do, the most that it may seem to do."""


def ruled_out(table: Table, factors: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Edges that cannot be, bool[n, n] (parent, child), whatever else is.

    Args:
        table: complete rows.
        factors: bool[n], variables set in every row.
    """
    centre, scale = units(table, True)
    standard = (table.values - centre) / scale
    basis = make_basis(table, standard)
    n = len(factors)
    found = np.zeros((n, n), np.bool_)
    settings, others = np.flatnonzero(factors), np.flatnonzero(~factors)
    settings = settings[standard[:, settings].std(axis=0) > 0]
    columns = [basis.of(i, LINEAR) for i in settings]
    design = np.column_stack([np.ones(len(standard)), *(basis.columns[:, own] for own in columns)])
    if not len(settings) or len(others) < 2 or len(standard) < 4 * design.shape[1]:
        return found
    single = np.array([len(own) == 1 for own in columns])
    places = 1 + np.cumsum([0, *(len(own) for own in columns)])[:-1]
    effect, error, left = _regress(design, standard[:, others])
    effect, error = effect[places], np.maximum(error[places], 1e-12)
    found[np.ix_(others, others)] = _apart(basis, standard, settings, others)
    found[np.ix_(settings, others)] = _idle(basis, standard, settings, others)
    still = (np.abs(effect) < STILL * error) & ~_bent(basis, standard, settings, others)
    moved = np.abs(effect) > MOVED * error
    for a, k in enumerate(others):
        for b, j in enumerate(others):
            if a == b or left[:, a].std() < 1e-9:
                continue
            slope = (left[:, a] @ left[:, b]) / (left[:, a] @ left[:, a])
            through = np.abs(effect[:, b] - slope * effect[:, a])
            spread = np.hypot(error[:, b], slope * error[:, a])
            little = np.abs(effect[:, b]) < PART * np.abs(slope * effect[:, a])
            against = moved[:, a] & still[:, b] & little & (through > WOULD * spread) & single
            if against.any():
                found[k, j] = True
                found[settings[against], j] = True
    return found


def _apart(
    basis: Basis,
    standard: NDArray[np.float64],
    settings: NDArray[np.int64],
    others: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """bool[others, others]: two variables that have nothing to do with each other given the
    factors: neither they nor the square of either go together."""
    columns = [basis.columns[:, basis.of(int(i), WAVY)] for i in settings]
    design = np.column_stack([np.ones(len(standard)), *columns])
    if len(standard) < 4 * design.shape[1]:
        return np.zeros((len(others), len(others)), np.bool_)
    frame, triangle = np.linalg.qr(design)
    frame = frame[:, np.abs(np.diag(triangle)) > 1e-6]
    left = standard[:, others] - frame @ (frame.T @ standard[:, others])
    square = left**2 - (left**2).mean(axis=0)
    together = np.abs(_scores(left, left)) > STILL
    bent = np.abs(_scores(square, left)) > BENT_STILL
    found: NDArray[np.bool_] = ~(together | bent | bent.T)
    return found


def _idle(
    basis: Basis,
    standard: NDArray[np.float64],
    settings: NDArray[np.int64],
    others: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """bool[settings, others]: factors that do nothing to a variable beside the others, neither by
    themselves nor together with another one."""
    groups = [basis.columns[:, basis.of(int(i), WAVY)] for i in settings]
    design = np.column_stack([np.ones(len(standard)), *groups])
    found = np.zeros((len(settings), len(others)), np.bool_)
    if len(standard) < 4 * design.shape[1]:
        return found
    effect, error, left = _regress(design, standard[:, others])
    strength = np.abs(effect) / np.maximum(error, 1e-12)
    first = np.column_stack([group[:, 0] for group in groups])
    start = 1
    for row, group in enumerate(groups):
        alone = strength[start : start + group.shape[1]].max(axis=0)
        jointly = np.abs(_scores(first * group[:, :1], left))
        jointly[row] = 0.0
        found[row] = (alone < STILL) & (jointly.max(axis=0) < BENT_STILL)
        start += group.shape[1]
    return found


def _scores(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard normal if columns of x and y are independent, however unequal their noise."""
    found: NDArray[np.float64] = x.T @ y / np.sqrt(np.maximum((x**2).T @ y**2, 1e-30))
    return found


def _regress(
    design: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Coefficients and their standard errors [c, m], robust to unequal noise (White 1980), and what
    is left [R, m]."""
    inverse = np.linalg.pinv(design)
    effect = inverse @ y
    left = y - design @ effect
    share = len(y) / max(1, len(y) - design.shape[1])
    return effect, np.sqrt(share * (inverse**2) @ left**2), left


def _bent(
    basis: Basis,
    standard: NDArray[np.float64],
    settings: NDArray[np.int64],
    others: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """bool[settings, others]: a factor acts on a variable, if not along a straight line."""
    found = np.zeros((len(settings), len(others)), np.bool_)
    y = standard[:, others] - standard[:, others].mean(0)
    total = (y**2).sum(0)
    for row, i in enumerate(settings):
        z = basis.columns[:, basis.of(i, WAVY)]
        explained = ((z @ np.linalg.lstsq(z, y, rcond=None)[0]) ** 2).sum(0)
        strength = explained / np.maximum(total - explained, 1e-12) * len(y)
        found[row] = strength > z.shape[1] + 5 * np.sqrt(2 * z.shape[1])
    return found
