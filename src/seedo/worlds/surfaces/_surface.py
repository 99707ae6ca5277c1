"""Random response surfaces: what an outcome is at every setting.

Random Fourier features (Rahimi & Recht 2007) of normal or heavy-tailed spectra make samples of
Gaussian processes, with a length scale for every knob, of all knobs together, of one (additive
parts) or of two (interactions); over them a hill, a region in which all fails, and a curve that
skews, clips or saturates what comes out.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedo.worlds.surfaces._knobs import CATEGORICAL, MOST_LEVELS, Knobs, draw_settings

Array = NDArray[np.float64]

_ALL, _ONE, _TWO = 64, 32, 32
"""Features of all knobs together, of single ones and of pairs."""
_F = _ALL + _ONE + _TWO
_OUTPUTS = 5
"""Functions of the same features: the surface, its failing region, three mistaken beliefs."""
_REFERENCE = 256
"""Settings on which parts of a surface are brought to mean 0 and standard deviation 1."""


class Surface(NamedTuple):
    """A surface over D knobs, W coordinates a knob (3: places of levels in a space of properties).

    Attributes:
        knobs: what they are.
        relevant: bool[D].
        warp: f64[D], exponents that bend ranges.
        places: f64[D, MOST_LEVELS, 3], of categorical levels.
        frequencies: f64[D, 3, F]; phases: f64[F]; amplitudes: f64[F, 5].
        centre: f64[D, 3]; width: f64[D]; height: of the hill.
        failing: (whether there is a failing region, its threshold, the width of its edge).
        curve: name of the last transformation; strength: of it.
        scales: (mean, standard deviation) of parts, in the order in which they are made.
    """

    knobs: Knobs
    relevant: NDArray[np.bool_]
    warp: Array
    places: Array
    frequencies: Array
    phases: Array
    amplitudes: Array
    centre: Array
    width: Array
    height: float
    failing: tuple[bool, float, float]
    curve: str
    strength: float
    scales: tuple[Any, ...]


def draw_surface(knobs: Knobs, rng: np.random.Generator) -> Surface:
    """A random surface over knobs."""
    count = len(knobs.kinds)
    relevant = rng.random(count) > rng.choice([0.0, 0.2, 0.5], p=[0.4, 0.35, 0.25])
    relevant[rng.integers(count)] = True
    effective = int(relevant.sum())
    scale = rng.uniform(np.log(0.2), np.log(1.6)) + 0.5 * np.log(effective) * rng.random()
    lengths = np.exp(scale - 0.7 * knobs.mixture + rng.random() * rng.normal(size=count))
    width = np.exp(rng.uniform(np.log(0.25), np.log(1.5)) + 0.5 * rng.normal(size=count))
    centre = rng.uniform(-0.1, 1.1, (count, 3))
    if knobs.mixture:
        centre, width = centre * 2.5 / effective, width * 0.6
    surface = Surface(
        knobs,
        relevant,
        np.where(rng.random(count) < 0.35, np.exp(rng.uniform(-1.2, 1.25, count)), 1.0),
        rng.normal(size=(count, MOST_LEVELS, 3)) * np.exp(rng.uniform(-1.4, 0.0, (count, 1, 1))),
        _frequencies(relevant, lengths, rng),
        rng.uniform(0, 2 * np.pi, _F),
        _amplitudes(rng),
        centre,
        width * np.sqrt(effective),
        float(np.exp(rng.uniform(-0.7, 1.4))) * (rng.random() < 0.35),
        (rng.random() < 0.2, 0.7 * rng.normal(), float(np.exp(rng.uniform(-3.5, -0.7)))),
        str(rng.choice(
            ["plain", "rare best", "rare worst", "floor", "saturated"],
            p=[0.32, 0.25, 0.2, 0.1, 0.13],
        )),
        float(np.exp(rng.uniform(np.log(0.5), np.log(2.2)))),
        (),
    )  # fmt: skip
    at = draw_settings(knobs, _REFERENCE, rng)
    return surface._replace(scales=_scales(surface, at))


def outcomes(surface: Surface, settings: Array, jitter: Array | float = 0.0) -> Array:
    """What comes out, float64[M], about standardised, at settings float64[M, D].

    Args:
        jitter: float64[M], added before the curve bends what comes out.
    """
    waves, hill = _parts(surface, settings)
    return _made(surface, waves, hill, jitter, list(surface.scales))[0]


def beliefs(surface: Surface, settings: Array) -> Array:
    """Three surfaces of the same kind that somebody might believe in, float64[M, 3]."""
    waves, _ = _parts(surface, settings)
    mean, sd = surface.scales[0]
    found: Array = ((waves - mean) / sd)[:, 2:]
    return found


def _frequencies(relevant: Array, lengths: Array, rng: np.random.Generator) -> Array:
    count = len(relevant)
    tail = rng.choice(["normal", "t4", "t2"], p=[0.5, 0.3, 0.2])
    square = rng.exponential(size=(2, _F))
    chi = {"normal": np.ones(_F), "t4": square.mean(axis=0), "t2": square[0]}[str(tail)]
    frequencies = rng.normal(size=(count, 3, _F)) / np.sqrt(chi + 1e-3) / lengths[:, None, None]
    order = np.where(relevant[:, None], rng.random((count, _F)), -1.0)
    rank = (order[:, None] < order[None]).sum(axis=1)
    most = np.repeat([count, 1, 2], [_ALL, _ONE, _TWO])
    kept = relevant[:, None] & (rank < most)
    return frequencies * kept[:, None]


def _amplitudes(rng: np.random.Generator) -> Array:
    weights = [[1, 0, 0], [0, 1, 0], [0, 0.6, 1.0], [0.7, 0.7, 0.7]]
    of_group = np.array(weights[rng.choice(4, p=[0.35, 0.2, 0.2, 0.25])])
    group = np.repeat([0, 1, 2], [_ALL, _ONE, _TWO])
    return rng.normal(size=(_F, _OUTPUTS)) * of_group[group][:, None]


def _parts(surface: Surface, settings: Array) -> tuple[Array, Array]:
    """Outputs of the features, float64[M, 5], and how far settings are from the hill's top."""
    knobs = surface.knobs
    z = np.zeros((*settings.shape, 3))
    z[..., 0] = settings**surface.warp
    for i in np.flatnonzero(knobs.kinds == CATEGORICAL):
        codes = np.rint(settings[:, i] * (knobs.levels[i] - 1)).astype(int)
        z[:, i] = surface.places[i, codes]
    flat = surface.frequencies.reshape(-1, _F)
    waves = np.cos(z.reshape(len(z), -1) @ flat + surface.phases) @ surface.amplitudes
    far = z - surface.centre
    far[:, knobs.kinds != CATEGORICAL, 1:] = 0.0
    distance = ((far**2).sum(axis=2) / surface.width**2 * surface.relevant).sum(axis=1)
    return waves, np.exp(-0.5 * distance)


def _made(
    surface: Surface, waves: Array, hill: Array, jitter: Array | float, scales: list[Any] | None
) -> tuple[Array, list[Any]]:
    """The outcome from its parts; where no scales are given, they are taken from these."""
    taken: list[Any] = []

    def standard(part: Array) -> Array:
        if scales is None:
            taken.append((part.mean(axis=0), part.std(axis=0) + 1e-6))
        else:
            taken.append(scales[len(taken)])
        mean, sd = taken[-1]
        scaled: Array = (part - mean) / sd
        return scaled

    waves, hill = standard(waves), standard(hill)
    f = standard(waves[:, 0] + surface.height * hill)
    fails, threshold, edge = surface.failing
    if fails:
        works = 1 / (1 + np.exp(-np.clip((waves[:, 1] - threshold) / edge, -50, 50)))
        f = f * works - 2 * (1 - works)
    f = standard(f) + jitter
    s = surface.strength
    if surface.curve == "rare best":
        f = np.exp(np.minimum(s * f, 20))
    elif surface.curve == "rare worst":
        f = -np.exp(np.minimum(-s * f, 20))
    elif surface.curve == "floor":
        f = np.maximum(f, 1.2 * np.clip(s - 0.5, 0, 1) - 1.2)
    elif surface.curve == "saturated":
        f = np.tanh(s * (f - 0.3))
    return standard(f), taken


def _scales(surface: Surface, at: Array) -> tuple[Any, ...]:
    waves, hill = _parts(surface, at)
    return tuple(_made(surface, waves, hill, 0.0, None)[1])
