"""What the tuner learns from: logs in which somebody who knows the system chooses.

A system is a random response surface and the settings that can be chosen. Its history is that of a
varied experimenter: random settings, steps around the best so far, choices by a belief about the
surface, from badly mistaken to nearly right, or by what was read, well or led astray. The expert,
who knows the system, is then asked which further setting to run, and chooses among those that
improve on the best so far, each with a probability in proportion to its gain to the power of his
sharpness: at 1 gains count as they are, at infinity the best of all settings alone. Imitated, this
is the posterior mean of his choices: as in Decision-Pretrained Transformers (Lee et al. 2023,
NeurIPS), an amortised posterior sampling, and at sharpness 1 nearly expected improvement. He also
explains: what each setting would read. No network ever acts while it learns.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, special

from seedo.experimenters.proposers.tuner import Question
from seedo.worlds.surfaces import (
    CATEGORICAL,
    NUMERIC,
    Knobs,
    Surface,
    beliefs,
    draw_knobs,
    draw_settings,
    draw_surface,
    outcomes,
    snapped,
)

Array = NDArray[np.float64]

RUNS = 28
"""Most runs of a history."""
ASKED = 4
"""Questions about one system."""
WITHOUT = ("", "categorical", "mixtures", "noise", "shapes")
"""What training worlds can lack: knobs with levels, shares of a whole, noise; hills, failing
regions and skewed, clipped or saturated outcomes."""
_SHARPEST = 8.0
_FEWEST = 48
"""Settings of a small system."""


class Lessons(NamedTuple):
    """Questions about S systems, `ASKED` each, with what the expert chooses.

    Attributes:
        questions: with axes [S] before all fields; `known` [S, ASKED, H], `sharpness` [S, ASKED].
        open: bool[S, ASKED, M], settings that can be chosen.
        chosen: f32[S, ASKED, M], probabilities of the expert's choices; they sum to 1.
        gain: f32[S, ASKED, M], gain of each setting over the best so far, in shares of the largest.
        said: f32[S, M], the expert's explanation: what each setting would read.
    """

    questions: Question
    open: Any
    chosen: Any
    gain: Any
    said: Any


class System(NamedTuple):
    """A simulated campaign to choose from: M settings of D knobs and their outcomes.

    Attributes:
        knobs: what they are.
        settings: f64[M, D], from 0 to 1.
        truth: f64[M], to be raised.
        wrong: f64[M, 3], what mistaken people believe.
        noise: standard deviation of what is read around the truth.
    """

    knobs: Knobs
    settings: Array
    truth: Array
    wrong: Array
    noise: float


def draw_system(count: int, most_knobs: int, rng: np.random.Generator, without: str = "") -> System:
    """A random system of `count` settings and at most so many knobs; `without`: one of `WITHOUT`,
    what it has none of."""
    knobs = draw_knobs(rng)
    while len(knobs.kinds) > most_knobs or _has(knobs, without):
        knobs = draw_knobs(rng)
    surface = draw_surface(knobs, rng)
    while without == "shapes" and _shaped(surface):
        surface = draw_surface(knobs, rng)
    settings = _crowded(knobs, surface, draw_settings(knobs, count, rng), rng)
    noise = np.exp(rng.uniform(np.log(0.01), np.log(0.5))) * (rng.random() < 0.75)
    noise = 0.0 if without == "noise" else noise
    place = rng.choice(["within", "after", "fresh"], p=[0.35, 0.25, 0.4])
    frozen = noise * rng.normal(size=count)
    truth = outcomes(surface, settings, frozen if place == "within" else 0.0)
    truth = truth / (truth.std() + 1e-9)
    if place == "after":  # what made each recorded setting special stays with it
        truth = truth + frozen
    wrong = beliefs(surface, settings)
    return System(knobs, settings, truth, wrong, noise if place == "fresh" else 0.0)


def _has(knobs: Knobs, without: str) -> bool:
    if without == "categorical":
        return bool((knobs.kinds == CATEGORICAL).any())
    return without == "mixtures" and knobs.mixture


def _shaped(surface: Surface) -> bool:
    return surface.curve != "plain" or surface.failing[0] or surface.height > 0


def _crowded(knobs: Knobs, surface: Any, settings: Array, rng: np.random.Generator) -> Array:
    """Some settings moved around a few, good ones mostly, as earlier campaigns leave them."""
    share = rng.choice([0.0, 0.3, 0.7], p=[0.55, 0.25, 0.2])
    if not share:
        return settings
    count = len(settings)
    believed = outcomes(surface, settings) + np.exp(rng.uniform(-1.6, 1.6)) * rng.normal(size=count)
    near = settings[np.argsort(-believed)[:4]][rng.integers(4, size=count)]
    if knobs.mixture:
        moved = near + 0.3 * rng.random((count, 1)) * (settings - near)
    else:
        width = np.exp(rng.uniform(np.log(0.02), np.log(0.3)))
        step = width * rng.normal(size=near.shape) * (rng.random(near.shape) < 0.6)
        moved = snapped(knobs, np.clip(near + step, 0, 1))
    return np.where(rng.random((count, 1)) < share, moved, settings)


def draw_history(system: System, there: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Which settings, among the first `there`, a varied experimenter runs, int64[RUNS]; never the
    very best, so that there is something to choose at every step."""
    settings, truth = system.settings, system.truth
    style = rng.choice(
        ["chance", "belief", "near", "turns", "improvement"], p=[0.08, 0.2, 0.07, 0.15, 0.5]
    )
    right = rng.uniform(0, 0.7) + rng.uniform(0, 0.6) * (rng.random() < 0.7) * np.linspace(
        0, 1, RUNS
    )
    right = np.minimum(right, 1.0)
    turn = rng.normal(size=3) + np.exp(rng.uniform(-4, 0)) * rng.normal(size=(RUNS, 3)).cumsum(0)
    turn /= np.linalg.norm(turn, axis=1, keepdims=True)
    random_runs = int(rng.integers(1, 9))
    free = np.ones(there, np.bool_)
    free[np.argmax(truth[:there])] = False
    settings, truth, wrong = settings[:there], truth[:there], system.wrong[:there]
    if style == "improvement":
        return _improving(system, there, random_runs, free, rng)
    chosen: list[int] = []
    for t in range(RUNS):
        how = rng.choice(["chance", "belief", "near"], p=[0.25, 0.45, 0.3])
        how = "chance" if t < random_runs else how if style == "turns" else style
        luck = rng.gumbel(size=there)
        if how == "belief":
            luck = right[t] * truth + (1 - right[t]) * (wrong @ turn[t]) + 0.05 * luck
        elif how == "near":
            best = max(chosen, key=lambda i: truth[i])
            far = np.abs(settings - settings[best]) @ rng.exponential(size=settings.shape[1]) ** 3
            luck = -np.log(0.03 + far) + 0.3 * luck
        chosen.append(int(np.argmax(np.where(free, luck, -np.inf))))
        free[chosen[-1]] = False
    return np.array(chosen)


def _improving(
    system: System, there: int, random_runs: int, free: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Runs of the largest expected improvement under a Gaussian process whose length scale and
    noise are guessed once: an experimenter who goes by what is read, led astray at times by a
    belief or by chance."""
    settings, width = system.settings[:there], system.settings.shape[1]
    length = np.exp(rng.uniform(-1.6, 0.4)) * np.sqrt(width) * np.exp(0.4 * rng.normal(size=width))
    level = system.knobs.kinds == CATEGORICAL
    apart = settings[:, None] - settings[None]
    apart = np.where(level, 0.5 * (np.abs(apart) > 1e-6), apart)
    near = np.exp(-np.sqrt(((apart / length) ** 2).sum(axis=2)))
    noise = np.exp(rng.uniform(-6.0, -0.5))
    read = system.truth[:there] + system.noise * rng.normal(size=there)
    astray = (
        np.exp(rng.uniform(-3.0, 0.7))
        * (rng.random() < 0.5)
        * _standard(system.wrong[:there] @ rng.normal(size=3))
    )
    luck = np.exp(rng.uniform(-3.0, 0.3)) * (rng.random() < 0.3)
    chosen: list[int] = []
    mean, left, roots = np.zeros(there), np.ones(there), np.empty((RUNS, there))
    known = np.empty(RUNS)
    for t in range(RUNS):
        if t < random_runs:
            worth = rng.random(there)
        else:
            y = read[chosen]
            centre, spread = y.mean(), y.std() + 1e-9
            mean = _conditional(roots[:t], known, (y - centre) / spread, chosen)
            best = mean[chosen].max()
            unsure = np.sqrt(np.maximum(left, 1e-9))
            z = np.clip((mean - best) / unsure, -8, 8)
            worth = np.log(unsure * (np.exp(-z * z / 2) * 0.3989423 + z * special.ndtr(z)) + 1e-12)
            worth = worth + astray + luck * rng.gumbel(size=there)
        i = int(np.argmax(np.where(free, worth, -np.inf)))
        # One more row of the Cholesky factor, for all settings at once.
        row = near[i] - roots[:t, i] @ roots[:t]
        known[t] = np.sqrt(max(row[i] + noise, 1e-9))
        roots[t] = row / known[t]
        left = left - roots[t] ** 2
        chosen.append(i)
        free[i] = False
    return np.array(chosen)


def _standard(a: Array) -> Array:
    found: Array = (a - a.mean()) / (a.std() + 1e-9)
    return found


def _conditional(roots: Array, known: Array, y: Array, chosen: list[int]) -> Array:
    """Posterior means from rows of the factor of all settings, by forward substitution."""
    t = len(chosen)
    factor = np.tril(roots[:, chosen].T, -1) + np.diag(known[:t])
    found: Array = linalg.solve_triangular(factor, y, lower=True) @ roots
    return found


def scaled(settings: Array) -> tuple[Array, Array]:
    """Settings f64[M, D] from 0 to 1 along what they span, and ranks of values from 0 to 1."""
    low, high = settings.min(axis=0), settings.max(axis=0)
    unit = (settings - low) / np.maximum(high - low, 1e-12)
    rank = np.empty_like(unit)
    for i, column in enumerate(unit.T):
        order = np.sort(column)
        left, right = np.searchsorted(order, column), np.searchsorted(order, column, "right")
        rank[:, i] = (left + right) / 2 / len(column)
    return unit, rank


def draw_lessons(
    systems: int, settings: int, most_knobs: int, rng: np.random.Generator, without: str = ""
) -> Lessons:
    """Lessons about random systems; arrays have the shapes that these numbers say."""
    each = [
        _lesson(draw_system(settings, most_knobs, rng, without), most_knobs, rng)
        for _ in range(systems)
    ]
    stacked = [
        Question(
            *(np.stack(field) for field in zip(*(lesson.questions for lesson in each), strict=True))
        )
    ]
    rest = [np.stack(field) for field in zip(*(lesson[1:] for lesson in each), strict=True)]
    return Lessons(stacked[0], *rest)


def _lesson(system: System, most_knobs: int, rng: np.random.Generator) -> Lessons:
    count, width = system.settings.shape
    there = count if rng.random() < 0.5 else int(rng.integers(_FEWEST, count + 1))
    runs = draw_history(system, there, rng)
    read = system.truth[runs] + system.noise * rng.normal(size=RUNS)
    unit, rank = (wide(a, most_knobs) for a in scaled(system.settings))
    half = ASKED // 2
    seen = np.concatenate([rng.integers(2, 12, half), rng.integers(5, RUNS + 1, ASKED - half)])
    known = np.arange(RUNS) < seen[:, None]
    when = np.full(count, RUNS)
    when[runs] = np.arange(RUNS)
    open_ = (np.arange(count) < there) & (when >= seen[:, None])
    best = np.where(known, system.truth[runs], -np.inf).max(axis=1)
    gain = np.where(open_, np.maximum(system.truth - best[:, None], 0), 0)
    gain = gain / (gain.max(axis=1, keepdims=True) + 1e-12)
    sharpness = np.exp(rng.uniform(np.log(0.8), np.log(_SHARPEST), ASKED))
    chosen = np.where(gain > 0, gain ** sharpness[:, None], 0)
    chosen = chosen / (chosen.sum(axis=1, keepdims=True) + 1e-12)
    live = np.arange(most_knobs) < width
    kind = np.full(most_knobs, NUMERIC, np.int32)
    kind[:width] = system.knobs.kinds
    single = np.float32
    question = Question(
        unit[runs].astype(single), rank[runs].astype(single), read.astype(single),
        known.astype(single), unit.astype(single), rank.astype(single), kind,
        live.astype(single), single(system.knobs.mixture), sharpness.astype(single),
    )  # fmt: skip
    said = system.truth + system.noise * rng.normal(size=count)
    return Lessons(question, open_, chosen.astype(single), gain.astype(single), said.astype(single))


def wide(a: Array, width: int) -> Array:
    """Settings float64[M, D] with room for so many knobs."""
    return np.pad(a, [(0, 0), (0, width - a.shape[1])])
