"""A mechanism, fitted to observed rows and to runs.

It is the same whether knobs were set or moved by themselves, unless something hidden moves a knob
and the reading: what runs show beside observed rows is therefore a correction, which is 0 unless it
predicts runs left out (Kennedy & O'Hagan 2001, JRSS B 63, with cross-validation for their prior).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedo.experimenters.proposers._search import fitted
from seedo.inference.design import Response

Array = NDArray[np.float64]
Model = Callable[[Array], tuple[Array, Array]]
"""Inputs float64[M, I] -> mean and standard error of the mean, float64[M] each."""

_CLEARLY = 0.9
"""Ratio of left-out errors from which on a correction of observed rows is believed."""


@dataclass(frozen=True, eq=False)
class Mechanism:
    """A fitted mechanism.

    Attributes:
        model: what it gives.
        error: root mean square error of runs left out (of observed rows, where nothing was set).
        left_out: float64[R], what is predicted of each row; of runs nearly as if left out.
        spread: standard deviation of a row about the mean.
    """

    model: Model
    error: float
    left_out: Array
    spread: float


def mechanism(x: Array, y: Array, seen: NDArray[np.bool_], after: int = 0) -> Mechanism:
    """A mechanism of inputs float64[R, I]; with `after`, so many inputs before them are ignored."""
    base: Model | None = None
    told = np.zeros(len(y))
    error = spread = float(y.std())
    if seen.sum() >= x.shape[1] + 3:
        watched = fitted(x[seen], y[seen])
        base, told = watched.alone, watched.alone(x)[0]
        error, spread = watched.left_out, watched.noise
    made = ~seen
    correction: Response | None = None
    if made.sum() >= x.shape[1] + 2 or (base is None and made.sum() >= 3):
        off = y[made] - told[made]
        correction = fitted(x[made], off)
        if base is not None:
            error = float(np.sqrt((off**2).mean()))
            if correction.left_out > _CLEARLY * error:
                correction = None
        if correction is not None:
            error, spread = correction.left_out, correction.noise
            told = told + correction.alone(x)[0]
    model = _sum(base, correction, float(y.mean()), float(y.std()))
    if after:
        return Mechanism(lambda inputs: model(inputs[:, after:]), error, told, spread)
    return Mechanism(model, error, told, spread)


def corrected(x: Array, y: Array, seen: NDArray[np.bool_]) -> Mechanism:
    """A mechanism of inputs float64[R, I] that something hidden moves in observed rows: runs alone,
    or, where that predicts runs left out clearly better, observed rows with a correction."""
    made = ~seen
    alone = mechanism(x[made], y[made], seen[made])
    if seen.sum() < x.shape[1] + 3:
        return alone
    base = fitted(x[seen], y[seen]).alone
    correction = fitted(x[made], y[made] - base(x[made])[0])
    if correction.left_out > _CLEARLY * alone.error:
        return alone
    model = _sum(base, correction, 0.0, 0.0)
    return Mechanism(model, correction.left_out, model(x)[0], correction.noise)


def _sum(base: Model | None, more: Response | None, middle: float, wide: float) -> Model:
    parts = [part for part in (base, more.alone if more is not None else None) if part is not None]

    def model(x: Array) -> tuple[Array, Array]:
        if not parts:
            return np.full(len(x), middle), np.full(len(x), wide)
        told = [part(x) for part in parts]
        mean: Array = np.sum([value for value, _ in told], axis=0)
        return mean, np.sqrt(np.sum([error**2 for _, error in told], axis=0))

    return model
