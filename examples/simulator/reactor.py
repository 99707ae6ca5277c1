"""A simulator of one's own as a world: `external:reactor:stirred_tank`.

A stirred tank in which A becomes B, and B, where it is hot, becomes waste (A -> B -> C, both first
order, Arrhenius), or slowly sticks to the wall. What it is asked for is the share of B at the
outlet; the thermometer's reading stands between the jacket's temperature and the reaction.
"""

import math
import random


def stirred_tank():
    """What the world is: knobs, readings, goals, and a function of a setting."""
    return {
        "knobs": {
            "jacket": {"low": 280, "high": 420, "unit": "K"},
            "time": {"low": 10, "high": 300, "unit": "s"},
            "stirrer": {"type": "ordered", "levels": ["slow", "medium", "fast"]},
        },
        "readings": {"temperature": {"unit": "K"}, "B": {"unit": "%"}},
        "goals": {"B": {"aim": "maximize"}},
        "run": run,
    }


def run(setting, seed=None):
    """One run; with the same seed, the same noise."""
    noise = random.Random(seed)
    coupling = {"slow": 0.80, "medium": 0.95, "fast": 0.93}[setting["stirrer"]]
    inside = 290 + coupling * (setting["jacket"] - 290) + noise.gauss(0, 0.5)
    first = 1e9 * math.exp(-8500 / inside)
    second = 4e13 * math.exp(-12800 / inside)
    t = setting["time"]
    made = first / (second - first) * (math.exp(-first * t) - math.exp(-second * t))
    return {"temperature": inside, "B": 100 * made * math.exp(-t / 600) + noise.gauss(0, 1.0)}
