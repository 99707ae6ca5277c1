"""World `plants`: simulated plants of knobs, readings in between and a goal, by published
generators of random causal systems.

Linear plants: an Erdős-Rényi graph, weights uniform in size from 0.5 to 2 and of either sign,
normal noise of variance 1 (Zheng et al. 2018, NOTEARS, NeurIPS). Curved ones: the same graphs, each
variable a sum of functions of its parents drawn from a Gaussian process with a squared exponential
kernel of bandwidth 1, with noise of a standard deviation from 1/5 to sqrt(2)/5 (Bühlmann, Peters &
Ernest 2014, CAM, Annals of Statistics 42), by 64 random Fourier features (Rahimi & Recht 2007).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError, one_of, whole
from seedo.spaces import CausalGraph, Goal, Goals, Knob, Space, climbed
from seedo.worlds._bench import Bench
from seedo.worlds._world import References

Array = NDArray[np.float64]

FORMS = ("linear", "curved")
_REACH = 2.0
"""Ends of a knob's range, in standard deviations of how it moves by itself."""
_FEATURES = 64
_NOISE_DRAWS = 64
"""Of the noise that expectations are taken over, the same for all settings of a plant."""
_SOUGHT = 4096
"""Settings among which the best is looked for, before steps around it."""


class Plant(NamedTuple):
    """A plant of n variables: K knobs, readings in between, last the goal.

    Attributes:
        parents: bool[n, n], `[i, j]`: j is moved by i.
        weights: f64[n, n]; of linear plants.
        frequency, phase, amplitude: f64[n, n, 64], of the features of curved ones.
        spread: f64[n], standard deviations of the noise.
        hidden: f64[n], by how much a hidden cause moves each variable that nobody sets.
        noise: f64[64, n], draws that expectations are taken over.
        best: f64[K], the setting of the largest expected goal.
        highest, middle: that expectation, and the mean one of random settings.
    """

    parents: NDArray[np.bool_]
    weights: Array
    frequency: Array
    phase: Array
    amplitude: Array
    spread: Array
    hidden: Array
    noise: Array
    best: Array
    highest: float
    middle: float


class PlantsWorld(Bench):
    """Simulated plants: knobs, readings in between, and a goal; see the module.

    Args:
        runs: how many, before the setting to keep.
        watched: rows that are seen first, knobs moving by themselves (normal, variance 1).
        knobs, between: how many knobs, and readings between them and the goal.
        form: one of `FORMS`.
        hidden: whether a hidden cause moves the first knob and the goal while nobody sets it.
    """

    name = "plants"

    def __init__(
        self,
        runs: int = 20,
        watched: int = 0,
        knobs: int = 5,
        between: int = 3,
        form: str = "linear",
        hidden: bool = False,
    ) -> None:
        whole("runs", runs, 1, 1000)
        whole("watched", watched, 0, 10_000)
        whole("knobs", knobs, 1, 12)
        whole("between", between, 0, 12)
        one_of("form", form, FORMS)
        if not isinstance(hidden, bool):
            raise UserError("hidden", hidden, "use true or false")
        self.form, self.hidden, self.watched, self.runs = form, hidden, watched, runs
        self.between = between
        axes = tuple(Knob(f"k{i + 1}", low=-_REACH, high=_REACH) for i in range(knobs))
        readings = (*(f"r{i + 1}" for i in range(between)), "goal")
        super().__init__(Space(axes), readings, Goals((Goal("goal"),)), runs, watched)

    def config(self) -> dict[str, Any]:
        return {
            "runs": self.runs,
            "watched": self.watched,
            "knobs": self.space.size,
            "between": self.between,
            "form": self.form,
            "hidden": self.hidden,
        }

    def sample(self, key: Any) -> Plant:
        n, knobs = self.spec.n, self.space.size
        parents = np.triu(key.random((n, n)) < 0.5, 1)
        parents[:, :knobs] = False
        if self.between:  # knobs act on the goal through readings
            parents[:knobs, -1] &= key.random(knobs) < 0.25
        for j in range(knobs, n):
            first = knobs if j == n - 1 and self.between else 0
            if not parents[:, j].any():
                parents[key.integers(first, j), j] = True
        size = (n, n, _FEATURES)
        spread = np.ones(n)
        if self.form == "curved":
            spread[knobs:] = key.uniform(1 / 5, np.sqrt(2) / 5, n - knobs)
        hidden = np.zeros(n)
        if self.hidden:
            hidden[[0, -1]] = key.uniform(1.0, 2.0, 2) * key.choice([-1.0, 1.0], 2)
        plant = Plant(
            parents,
            parents * key.uniform(0.5, 2.0, (n, n)) * key.choice([-1.0, 1.0], (n, n)),
            key.normal(size=size),
            key.uniform(0, 2 * np.pi, size),
            parents[:, :, None] * key.normal(size=size) * np.sqrt(2 / _FEATURES),
            spread,
            hidden * spread,
            spread * key.normal(size=(_NOISE_DRAWS, n)),
            np.zeros(knobs),
            0.0,
            0.0,
        )
        return self._solved(plant, key)

    def graph(self, task: Plant) -> CausalGraph:
        """What moves what in a plant."""
        names = self.spec.variables
        arrows = ((names[i], names[j]) for i, j in np.argwhere(task.parents))
        hidden = ((names[0], names[-1]),) if self.hidden else ()
        return CausalGraph(tuple(arrows), hidden)

    def measured(self, task: Plant, setting: Array, rng: np.random.Generator) -> Array:
        knobs = self.space.size
        noise = task.spread * rng.normal(size=self.spec.n)
        noise[knobs:] += task.hidden[knobs:] * rng.normal()
        return self._moved(task, setting[None], noise[None])[0, knobs:]

    def seen(self, task: Plant, step: int, rng: np.random.Generator) -> Array:
        knobs = self.space.size
        noise = task.spread * rng.normal(size=self.spec.n) + task.hidden * rng.normal()
        return self._moved(task, noise[None, :knobs], noise[None])[0]

    def worth(self, task: Plant, setting: Array, readings: Array) -> float:
        """The expected goal at a setting."""
        return float(self.expected(task, setting[None])[0])

    def references(self, task: Plant) -> References:
        oracle: Any = np.float32(task.highest)
        random: Any = np.float32(task.middle)
        return References(oracle, random)

    def expected(self, task: Plant, settings: Array) -> Array:
        """The expected goal, float64[M], at settings float64[M, K]."""
        if self.form == "linear":
            noiseless = np.zeros((len(settings), self.spec.n))
            return self._moved(task, settings, noiseless)[:, -1]
        found = []
        for part in np.array_split(settings, max(1, len(settings) // 64)):
            at = np.repeat(part, _NOISE_DRAWS, axis=0)
            noise = np.tile(task.noise, (len(part), 1))
            found.append(self._moved(task, at, noise)[:, -1].reshape(len(part), -1).mean(axis=1))
        return np.concatenate(found)

    def _moved(self, task: Plant, knobs: Array, noise: Array) -> Array:
        """All variables, float64[M, n], at knobs float64[M, K] with noise float64[M, n]."""
        values = np.array(noise)
        values[:, : self.space.size] = knobs
        for j in range(self.space.size, self.spec.n):
            for i in np.flatnonzero(task.parents[:, j]):
                if self.form == "linear":
                    values[:, j] += task.weights[i, j] * values[:, i]
                else:
                    wave = np.cos(values[:, [i]] * task.frequency[i, j] + task.phase[i, j])
                    values[:, j] += wave @ task.amplitude[i, j]
        return values

    def _solved(self, plant: Plant, rng: np.random.Generator) -> Plant:
        if self.form == "linear":
            corners = self.space.sobol(_SOUGHT, rng)
            slope = np.linalg.lstsq(corners, self.expected(plant, corners), rcond=None)[0]
            best = _REACH * np.where(slope >= 0, 1.0, -1.0)
            return plant._replace(best=best, highest=float(self.expected(plant, best[None])[0]))
        some = self.space.sobol(_SOUGHT // 4, rng)
        at, worth = climbed(
            self.space, some, lambda x: self.expected(plant, x), rng, best=8, count=32
        )
        top, middle = int(np.argmax(worth)), float(worth[: len(some)].mean())
        return plant._replace(best=at[top], highest=float(worth[top]), middle=middle)
