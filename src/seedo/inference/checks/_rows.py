"""Faults of rows as such: exact copies, single rows that decide, missing values that tell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtr

from seedo.inference.checks._added import added_terms
from seedo.inference.checks._finding import SHARE, Finding
from seedo.tables import chance_pairs

Array = NDArray[np.float64]


def copies(values: Array) -> NDArray[np.int64] | None:
    """Group of every row with its exact copies; None where copies are no more than chance.

    Rows of measured numbers hardly ever agree in every column. A pair of independent rows agrees
    in column j with probability sum p_v^2; columns that hold few values prove nothing, so at least
    one must hold many, and as many pairs must agree as independence makes improbable.

    Args:
        values: float64[R, n]; NaN counts as a value.
    """
    rows, columns = values.shape
    if rows < 10 or columns == 0:
        return None
    plain = np.where(np.isfinite(values), values, np.inf)
    agree, most = 1.0, 0
    for column in plain.T:
        _, count = np.unique(column, return_counts=True)
        most = max(most, len(count))
        agree *= float((count * (count - 1.0)).sum() / (rows * (rows - 1.0)))
    different, code, count = np.unique(plain, axis=0, return_inverse=True, return_counts=True)
    pairs = float((count * (count - 1.0)).sum() / 2)
    expected = agree * rows * (rows - 1) / 2
    there = np.isfinite(different).all(axis=1)
    if there.sum() > 2 and pairs < 5 * chance_pairs(plain, different[there]):
        return None
    repeated = float(count[count > 1].sum()) / rows
    # Columns go together, so chance agreement is commoner than under independence: hence the
    # factor, and a share of rows that must be concerned before anybody is troubled.
    if most < max(10, rows / 20) or repeated < 0.1 or pairs < 20 * expected + 5:
        return None
    return code.reshape(-1).astype(np.int64)


def heavy_tails(influence: Array) -> int | None:
    """The row that decides the answer by itself, None where no single one does.

    Skewed outcomes have many large values; what is looked for is one that stands apart.

    Args:
        influence: float64[R], each row's part in the error of the estimate.
    """
    total = float(influence @ influence)
    if len(influence) < FEWEST_TAILS or total == 0:
        return None
    size = np.abs(influence)
    second, first = np.argpartition(size, -2)[-2:]
    if size[second] > size[first]:
        first, second = second, first
    alone = size[first] > APART * size[second] and size[first] ** 2 > 0.25 * total
    return int(first) if alone else None


def far_out(residual: Array) -> bool:
    """Whether the spread is that of a few rows far out, and so the mean theirs.

    The standard deviation over that of the middle half if it were normal: 1 in normal rows, 1.2 to
    1.4 in exponential or t (3) ones; without end where the variance is infinite.

    Args:
        residual: float64[R].
    """
    if len(residual) < FEWEST_FAR or len(np.unique(residual)) < len(residual) / 2:
        return False
    low, high = np.quantile(residual, [0.25, 0.75])
    wide = FAR if len(residual) >= MANY_FAR else FAR_OF_FEW
    return bool(residual.std() > wide * (high - low) / 1.349 > 0)


FEWEST_FAR, MANY_FAR = 40, 100
FAR, FAR_OF_FEW = 1.8, 2.2
"""Ratio from which rows are far out; in fewer rows than `MANY_FAR`. Of 300 tables each of 100, 200
and 500 rows with t (1.5) errors 87, 96 and 100 % lie beyond, of normal ones none."""
FEWEST_TAILS = 12
APART = 4.0
"""How many times the next influence that of a row must be to decide by itself."""


def missing_tells(missing: NDArray[np.bool_], others: Array) -> list[int]:
    """Columns whose values differ between rows with and without a missing value.

    By Welch's test of each column, Holm over columns.

    Args:
        missing: bool[R].
        others: float64[R, n], other columns; only finite cells are compared.
    """
    tested: list[tuple[float, int]] = []
    for j, column in enumerate(others.T):
        there = np.isfinite(column)
        gone, kept = column[there & missing], column[there & ~missing]
        if min(len(gone), len(kept)) < 5:
            continue
        error = gone.var(ddof=1) / len(gone) + kept.var(ddof=1) / len(kept)
        if error > 0:
            z = abs(gone.mean() - kept.mean()) / np.sqrt(error)
            freedom = min(len(gone), len(kept)) - 1
            tested.append((2 * float(stdtr(freedom, -z)), j))
    found = []
    for place, (p, j) in enumerate(sorted(tested)):
        if p >= SHARE["missingness"] / (len(tested) - place):
            break
        found.append(j)
    return found


def missing_by_outcome(missing: NDArray[np.bool_], outcome: Array, beside: Array) -> float:
    """p-value of a value's being missing having nothing to do with the outcome, given the rest.

    A linear model of what is missing, to which the outcome and its square are added: those rows
    may be chosen by its size or by how far out it is.

    Args:
        missing: bool[R].
        outcome: float64[R], finite.
        beside: float64[R, n], what else may decide it, finite.
    """
    if min(int(missing.sum()), int((~missing).sum())) < FEWEST_MISSING or np.ptp(outcome) == 0:
        return 1.0
    spread = beside.std(axis=0)
    beside = (beside - beside.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    y = (outcome - outcome.mean()) / outcome.std()
    model = np.concatenate([np.ones((len(y), 1)), beside], axis=1)
    gone = missing.astype(np.float64)
    left = gone - model @ np.linalg.lstsq(model, gone, rcond=None)[0]
    return added_terms(left, model, np.stack([y, y**2], axis=1))


FEWEST_MISSING = 5


def missing_finding(name: str, count: int, rows: int, by: list[str], mended: bool) -> Finding:
    """What is said of cells of one column that are missing, and by what they go missing."""
    shown = ", ".join(by[:3])
    return Finding(
        "missingness", "mended" if mended else "warning",
        f"{name} is missing in {count:,} of {rows:,} rows, and more often at some values of "
        f"{shown} than at others: rows without it are no random sample",
        f"it is filled in from {shown}, which is right if nothing else decides what is missing"
        if mended else f"an answer that takes {shown} into account needs a graph: add --graph",
    )  # fmt: skip


def unequal_spread(one: Array, other: Array) -> float:
    """p-value of equal spreads about the medians (Brown & Forsythe 1974)."""
    a, b = np.abs(one - np.median(one)), np.abs(other - np.median(other))
    error = a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)
    return float(2 * ndtr(-abs(a.mean() - b.mean()) / np.sqrt(error))) if error > 0 else 1.0
