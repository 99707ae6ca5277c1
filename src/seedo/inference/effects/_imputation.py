"""Missing cells filled in at random from what the other columns say of them, several times over.

Chained equations (van Buuren, Flexible Imputation of Missing Data, 2018, sec. 4.5): numbers by a
draw from the posterior of a normal regression (Rubin 1987, p. 167), names by a logistic regression
of rows drawn again (scikit-learn's). Every other column is a predictor, the outcome too, with
squares and products where the rows ask for them. scikit-learn's `IterativeImputer` draws no
coefficients, so that its intervals are too short; statsmodels' `MICE` takes the values of like
rows, which are lacking just where the outcome decides what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from seedo.inference.checks import added_terms

Array = NDArray[np.float64]

_ROUNDS = 10
"""Rounds over the columns, where several miss values."""
_ASKED = 0.01
"""Level at which squares and products are taken in."""
_ROWS_A_TERM = 20
_TESTED = 20_000
_FITTED = 50_000
"""Rows on which the regression of a column of names is fitted, at most."""


def completed(
    values: Array, named: Sequence[bool], times: int, seed: int, weight: Array | None = None
) -> Iterator[Array]:
    """Tables without holes.

    Args:
        values: float64[R, n], NaN where missing; every column has some values.
        named: bool[n], columns of which only values that occur are drawn.
        times: how many tables.
        seed: of the draws.
        weight: float64[R], how many rows a row stands for.

    Yields:
        float64[R, n].
    """
    missing = ~np.isfinite(values)
    order = [int(j) for j in np.argsort(missing.sum(axis=0), kind="stable") if missing[:, j].any()]
    weight = np.ones(len(values)) if weight is None else weight
    for key in np.random.SeedSequence(seed).spawn(times):
        rng = np.random.default_rng(key)
        filled = values.copy()
        for j in order:
            filled[missing[:, j], j] = rng.choice(values[~missing[:, j], j], missing[:, j].sum())
        for _ in range(_ROUNDS if len(order) > 1 else 1):
            for j in order:
                _draw(filled, j, missing[:, j], named, weight, rng)
        yield filled


def _draw(
    filled: Array, j: int, missing: NDArray[np.bool_], named: Sequence[bool], weight: Array,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Draws one column's missing cells anew, in place."""
    others = [k for k in range(filled.shape[1]) if k != j]
    known = ~missing & (weight > 0)
    filled[missing, j] = drawn(filled, j, others, named, known, missing, weight, rng)()


def drawn(
    filled: Array, j: int, others: Sequence[int], named: Sequence[bool], known: NDArray[np.bool_],
    missing: NDArray[np.bool_], weight: Array, rng: np.random.Generator,
) -> Callable[[], Array]:  # fmt: skip
    """Draws of a column's missing cells, all from one draw of the regression on others.

    Args:
        filled: float64[R, n], without holes.
        j: column.
        others: those it is regressed on.
        named: bool[n].
        known: bool[R], rows that the regression is fitted to.
        missing: bool[R], rows that are drawn.
        weight: float64[R].
        rng: of everything.
    """
    matrix = _predictors(filled, others, named, filled[:, j], known, weight)
    of = _names if named[j] else _numbers
    return of(matrix, filled[:, j], np.flatnonzero(known), missing, weight, rng)


def _predictors(
    filled: Array, others: Sequence[int], named: Sequence[bool], target: Array,
    known: NDArray[np.bool_], weight: Array,
) -> Array:  # fmt: skip
    """float64[R, k], an intercept first."""
    blocks = []
    for k in others:
        x = filled[:, k]
        if named[k]:
            blocks.append((x[:, None] == np.unique(x)[None, 1:]).astype(np.float64))
        else:
            blocks.append(((x - x.mean()) / (x.std() or 1.0))[:, None])
    plain = np.concatenate([np.ones((len(filled), 1)), *blocks], axis=1)
    more = [blocks[i] ** 2 for i, k in enumerate(others) if not named[k]]
    more += [
        (one[:, :, None] * other[:, None, :]).reshape(len(filled), -1)
        for i, one in enumerate(blocks) for other in blocks[i + 1 :]
    ]  # fmt: skip
    width = plain.shape[1] + sum(block.shape[1] for block in more)
    if not more or known.sum() < _ROWS_A_TERM * width:
        return plain
    rich = np.concatenate([plain, *more], axis=1)
    some = np.flatnonzero(known)
    some = some[:: len(some) // _TESTED + 1]
    beta = np.linalg.lstsq(plain[some], target[some], rcond=None)[0]
    left = target[some] - plain[some] @ beta
    asked = added_terms(left, plain[some], rich[some, plain.shape[1] :], weight=weight[some])
    return rich if asked < _ASKED else plain


def _numbers(
    matrix: Array, target: Array, known: NDArray[np.int64], missing: NDArray[np.bool_],
    weight: Array, rng: np.random.Generator,
) -> Callable[[], Array]:  # fmt: skip
    x, y, w = matrix[known], target[known], weight[known]
    gram = x.T @ (w[:, None] * x)
    inverse = np.linalg.pinv(gram, rcond=1e-10, hermitian=True)
    beta = inverse @ (x.T @ (w * y))
    left = y - x @ beta
    free = max(float(w.sum()) - x.shape[1], 1.0)
    spread = np.sqrt(float(w @ left**2) / rng.chisquare(free))
    values, vectors = np.linalg.eigh(inverse)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    beta = beta + spread * (root @ rng.normal(size=len(beta)))
    mean = matrix[missing] @ beta
    return lambda: mean + spread * rng.normal(size=len(mean))


def _names(
    matrix: Array, target: Array, known: NDArray[np.int64], missing: NDArray[np.bool_],
    weight: Array, rng: np.random.Generator,
) -> Callable[[], Array]:  # fmt: skip
    from sklearn.linear_model import LogisticRegression  # takes long to import

    chance = weight[known] / weight[known].sum()
    again = rng.choice(known, min(len(known), _FITTED), p=chance)
    levels = np.unique(target[again])
    if len(levels) == 1:
        return lambda: np.full(int(missing.sum()), levels[0])
    fitted = LogisticRegression(C=10.0, max_iter=200).fit(matrix[again, 1:], target[again])
    reach = np.cumsum(fitted.predict_proba(matrix[missing, 1:]), axis=1)
    levels = fitted.classes_

    def draw() -> Array:
        found: Array = levels[(rng.random((len(reach), 1)) > reach[:, :-1]).sum(axis=1)]
        return found

    return draw
