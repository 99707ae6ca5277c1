"""Coverage and length of ways to join a small experiment with many confounded observations.

    python benchmarks/fused_intervals.py

The true effect is theta; e ~ N(theta, s_e^2) from m experiments, o ~ N(theta + b, s_o^2) from 2,000
observations, both of variance 1 a row. Over a grid of biases b from none to 8 standard errors of
e - o, a line a way and m: the smallest coverage of its nominal 95 % interval, and its mean length,
in lengths of the experiment's own, without bias and at its worst. Seeds are fixed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from _sizes import sized
from numpy.typing import NDArray

from seedo.inference.effects import pooled_interval

Array = NDArray[np.float64]
Z = 1.959963984540054
EXPERIMENTS = (30, 60, 100, 150, 400)
OBSERVATIONS = 2000
BIASES = np.arange(0, 8.01, 0.25)


def alone(e: Array, o: Array, s_e: float, s_o: float) -> tuple[Array, Array]:
    """The experiment only."""
    return e, np.full_like(e, Z * s_e)


def pooled(e: Array, o: Array, s_e: float, s_o: float) -> tuple[Array, Array]:
    """Weighted by precision, as if there were no bias."""
    weight = s_o**2 / (s_e**2 + s_o**2)
    return weight * e + (1 - weight) * o, np.full_like(e, Z * s_e * np.sqrt(weight))


def tested(e: Array, o: Array, s_e: float, s_o: float) -> tuple[Array, Array]:
    """Pooled unless a test at 5 % tells them apart."""
    same = np.abs(e - o) < Z * np.hypot(s_e, s_o)
    both, one = pooled(e, o, s_e, s_o), alone(e, o, s_e, s_o)
    return np.where(same, both[0], one[0]), np.where(same, both[1], one[1])


def averaged(e: Array, o: Array, s_e: float, s_o: float) -> tuple[Array, Array]:
    """Mean and spread of a posterior: no bias by half, any bias (10 s_e wide) by half."""
    apart, wide = np.hypot(s_e, s_o), 10 * s_e
    log_odds = np.log(np.hypot(apart, wide) / apart) - 0.5 * (e - o) ** 2 * (
        1 / apart**2 - 1 / (apart**2 + wide**2)
    )
    share = 1 / (1 + np.exp(-log_odds))
    (a, half_a), (b, half_b) = pooled(e, o, s_e, s_o), alone(e, o, s_e, s_o)
    mean = share * a + (1 - share) * b
    variance = share * (half_a**2 + Z**2 * (a - mean) ** 2)
    variance = variance + (1 - share) * (half_b**2 + Z**2 * (b - mean) ** 2)
    return mean, np.sqrt(variance)


def ours(e: Array, o: Array, s_e: float, s_o: float) -> tuple[Array, Array]:
    """The shortest interval that covers under any bias."""
    apart = float(np.hypot(s_e, s_o))
    made = pooled_interval(s_e / apart)
    if made is None:
        return alone(e, o, s_e, s_o)
    shift, half = made.at((e - o) / apart)
    return e - s_e * shift, s_e * half


WAYS: dict[str, Callable[[Array, Array, float, float], tuple[Array, Array]]] = {
    "experiment alone": alone,
    "pooled": pooled,
    "tested, then pooled": tested,
    "averaged over models": averaged,
    "seedo": ours,
}


def main(draws: int) -> None:
    print(f"{'way':22}{'m':>5}{'worst coverage':>16}{'length, no bias':>17}{'longest':>9}")
    for experiments in EXPERIMENTS:
        rng = np.random.default_rng(experiments)
        s_e, s_o = experiments**-0.5, OBSERVATIONS**-0.5
        e = s_e * rng.normal(size=draws)
        o = s_o * rng.normal(size=draws)
        for name, way in WAYS.items():
            covered, length = [], []
            for bias in BIASES * np.hypot(s_e, s_o):
                value, half = way(e, o + bias, s_e, s_o)
                covered.append((np.abs(value) <= half).mean())
                length.append(half.mean() / (Z * s_e))
            print(f"{name:22}{experiments:5}{min(covered):16.3f}{length[0]:17.3f}"
                  f"{max(length):9.3f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=100_000)
    main(sized(parser, draws=2_000).draws)
