"""How good the best of few runs is, and whether its interval covers.

    python benchmarks/advise_best.py --tables 200 --out FILE.json

Thirty runs over five factors (three of numbers, two of names), drawn at random from a grid of 216
settings; the mean bends in one factor and is straight in the others. Runs scatter by 2, 5 or 10
about means whose range is 34, or end in yes or no with a chance from .05 to .95. `lost`: the share
of that range by which the setting of the best fitted mean falls short of the best; `covers`: how
often its 95 % interval holds the true mean there, and that of any setting. Beside it, on the same
runs that end in yes or no: logistic regressions (ridge 1) of the true form, whose coefficients
alone are unknown, and of second order; and random settings. With 95 % intervals over tables.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from _sizes import sized
from numpy.typing import NDArray

from seedo.inference.design import Factor, fit_response
from seedo.statistics import mean, share

Array = NDArray[np.float64]
LEVELS = ([40.0, 60, 80, 100], [1.0, 3, 5], [1.0, 2, 3], [0.0, 1, 2], [0.0, 1])
FACTORS = (Factor("temp", 40, 100), Factor("conc", 1, 5), Factor("stir", 1, 3),
           Factor("cat", 0, 2, (0.0, 1.0, 2.0)), Factor("sol", 0, 1, (0.0, 1.0)))  # fmt: skip
RUNS, RIDGE = 30, 1.0


def means(x: Array) -> Array:
    temp, conc, stir, cat, sol = x.T
    of_cat = np.array([0.0, 6, 2])[cat.astype(int)]
    return -0.02 * (temp - 70) ** 2 + 3 * conc + 1.5 * stir + of_cat + 3 * sol


def true_form(x: Array) -> Array:
    """Terms float64[M, 8] of which the mean is made."""
    temp, conc, stir, cat, sol = x.T
    bend = (temp - 70) / 30
    rest = [(conc - 3) / 2, stir - 2, cat == 1, cat == 2, sol]
    return np.stack([np.ones(len(x)), bend, bend**2, *rest], axis=1)


def second_order(x: Array) -> Array:
    """The same with all products and squares."""
    one = true_form(x)
    lines = one[:, [1, 3, 4, 5, 6, 7]]
    pairs = [lines[:, i] * lines[:, j] for i in range(6) for j in range(i) if (i, j) != (4, 3)]
    return np.column_stack([one, *pairs, lines[:, 1] ** 2, lines[:, 2] ** 2])


def logistic(x: Array, y: Array) -> Array:
    """Coefficients, the constant free, the others shrunk."""
    beta, ridge = np.zeros(x.shape[1]), np.full(x.shape[1], RIDGE)
    ridge[0] = 1e-6
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        slope = x.T @ (y - p) - ridge * beta
        step = np.linalg.solve((x.T * (p * (1 - p) + 1e-9)) @ x + np.diag(ridge), slope)
        beta = beta + step * min(1, 2 / max(np.abs(step).max(), 1e-12))
    return beta


def measured(scatter: float | None, tables: int) -> dict[str, object]:
    """Of runs that scatter by so much; None: that end in yes or no."""
    grid = np.array(np.meshgrid(*LEVELS)).reshape(5, -1).T
    truth = means(grid)
    if scatter is None:
        truth = 0.05 + 0.9 * (truth - truth.min()) / np.ptp(truth)
    lost: dict[str, list[float]] = {}
    best_in, any_in = 0, []

    def note(name: str, fitted: Array) -> int:
        best = int(np.argmax(fitted))
        lost.setdefault(name, []).append(float(truth.max() - truth[best]) / np.ptp(truth))
        return best

    for number in range(tables):
        rng = np.random.default_rng([number, 7])
        at = rng.integers(len(grid), size=RUNS)
        if scatter is None:
            y = (rng.random(RUNS) < truth[at]).astype(float)
        else:
            y = truth[at] + scatter * rng.normal(size=RUNS)
        found = fit_response(FACTORS, grid[at], y)
        if scatter is None:
            found = replace(found, ends=(0.0, 1.0))
            for name, form in (("logistic, true form", true_form),
                               ("logistic, second order", second_order)):  # fmt: skip
                note(name, form(grid) @ logistic(form(grid[at]), y))
        note("random", rng.random(len(grid)))
        best = note("advise", found.alone(grid)[0])
        _, low, high = found.interval(grid)
        inside = (low <= truth) & (truth <= high)
        best_in += bool(inside[best])
        any_in.append(float(inside.mean()))
    return {
        "tables": tables,
        "lost": {name: mean(values).to_json() for name, values in lost.items()},
        "covers at the best": share(best_in, tables).to_json(),
        "covers at any": mean(any_in).to_json(),
    }


def main() -> None:
    """Prints JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tables", type=int, default=200)
    parser.add_argument("--out", type=Path, default=None)
    given = sized(parser, tables=3)
    kinds = {"yes/no": None, "scatter 2": 2.0, "scatter 5": 5.0, "scatter 10": 10.0}
    found = {kind: measured(scatter, given.tables) for kind, scatter in kinds.items()}
    if given.out is not None:
        given.out.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
