"""What would be read at a setting that nobody tried: a model of a recorded campaign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.spaces import Space
from seedo.worlds.recorded._record import Record

Array = NDArray[np.float64]

EMULATORS = ("gp", "forest")
_FOLDS = 5
_MOST_FITTED = 400
"""Rows by which a Gaussian process's length scales are found."""
_MOST_ROWS = 4_000
"""Rows that a Gaussian process is made of."""


@dataclass(frozen=True, eq=False)
class Emulator:
    """A model for each reading, scikit-learn's: a Gaussian process (RBF with a length scale a
    coordinate, white noise; Rasmussen & Williams 2006), or a forest of 100 trees (Breiman 2001).

    Attributes:
        space: whose `coordinates` it sees.
        models: one a reading.
        noise: float64[M], standard deviation of a run about the model: of replicates where at
            least five were made, else what the model leaves (of a forest, out of bag).
        lowest: float64[M], 0 where nothing negative was ever read, else -inf.
        notes: how far it is off where rows were left out, one line a reading.
    """

    space: Space
    models: tuple[Any, ...]
    noise: Array
    lowest: Array
    notes: tuple[str, ...]

    def expected(self, x: Array) -> Array:
        """float64[M', M], the mean of each reading at settings float64[M', K]."""
        at = self.space.coordinates(x)
        means = np.stack([model.predict(at) for model in self.models], axis=1)
        return np.maximum(means, self.lowest)

    def drawn(self, x: Array, rng: np.random.Generator) -> Array:
        """float64[M], what a run at a setting, float64[K], reads."""
        run = self.expected(x[None])[0] + self.noise * rng.normal(size=len(self.noise))
        return np.maximum(run, self.lowest)


def fitted(kind: str, record: Record, space: Space) -> Emulator:
    """The emulator of a record; the same rows give the same one.

    Raises:
        UserError: there are too few rows, or too many for a Gaussian process.
    """
    at = space.coordinates(record.settings)
    models, noise, notes = [], [], []
    for i, name in enumerate(record.names):
        y = record.readings[:, i]
        known = np.isfinite(y)
        if len(np.unique(record.which[known])) < 2 * _FOLDS:
            remedy = f"an emulator needs {name} at {2 * _FOLDS} settings or more: replay it"
            raise UserError("emulator", kind, remedy)
        model, left = _fit(kind, at[known], y[known])
        replicate = record.replicate_sd(i)
        models.append(model)
        noise.append(left if replicate is None else replicate)
        share, off = _left_out(kind, model, at[known], y[known], record.which[known])
        of = "replicates" if replicate is not None else "what the model leaves"
        notes.append(
            f"{name}: emulated by {_WORDS[kind]}; where settings are left out it is off by "
            f"{off:.3g} (root mean square; R² {share:.2f}); noise {noise[-1]:.3g}, of {of}"
        )
    lowest = np.where(np.nanmin(record.readings, axis=0) >= 0, 0.0, -np.inf)
    return Emulator(space, tuple(models), np.array(noise), lowest, tuple(notes))


_WORDS = {"gp": "a Gaussian process", "forest": "a random forest"}


def _fit(kind: str, at: Array, y: Array) -> tuple[Any, float]:
    """A model, and the standard deviation of what it leaves."""
    if kind == "forest":
        from sklearn.ensemble import RandomForestRegressor

        forest = RandomForestRegressor(100, oob_score=True, random_state=0).fit(at, y)
        return forest, float(np.std(y - forest.oob_prediction_))
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

    if len(y) > _MOST_ROWS:
        remedy = f"{len(y):,} rows are too many for a Gaussian process: emulator=forest"
        raise UserError("emulator", kind, remedy)
    kernel = ConstantKernel(1.0, (1e-2, 1e2)) * RBF(
        np.full(at.shape[1], 0.5), (2e-2, 2e1)
    ) + WhiteKernel(1e-2, (1e-6, 1e0))
    few = np.random.default_rng(0).permutation(len(y))[:_MOST_FITTED]
    process = GaussianProcessRegressor(kernel, normalize_y=True, random_state=0)
    with _quietly():
        process.fit(at[few], y[few])
    if len(few) < len(y):
        process = _again(process, at, y)
    ratio = float(np.sqrt(process.kernel_.k2.noise_level))
    return process, ratio * float(np.std(y))


def _again(model: Any, at: Array, y: Array) -> Any:
    """A model of the same hyperparameters, on other rows."""
    from sklearn.base import clone

    if hasattr(model, "kernel_"):
        fresh = clone(model).set_params(kernel=model.kernel_, optimizer=None)
    else:
        fresh = clone(model)
    return fresh.fit(at, y)


def _left_out(
    kind: str, model: Any, at: Array, y: Array, which: NDArray[np.int64]
) -> tuple[float, float]:
    """R² and root mean squared error where whole settings are left out, a fifth at a time."""
    fold = np.random.default_rng(0).permutation(int(which.max()) + 1)[which] % _FOLDS
    predicted = np.empty(len(y))
    for i in range(_FOLDS):
        out = fold == i
        if out.any():
            predicted[out] = _again(model, at[~out], y[~out]).predict(at[out])
    off = float(np.mean((y - predicted) ** 2))
    spread = float(np.var(y))
    return (1 - off / spread if spread > 0 else 0.0), float(np.sqrt(off))


def _quietly() -> Any:
    """Bounds of hyperparameters that are reached are no news to users."""
    import warnings

    return warnings.catch_warnings(action="ignore")
