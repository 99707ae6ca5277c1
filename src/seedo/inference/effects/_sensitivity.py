"""How strong a hidden common cause would have to be to explain an effect away."""

from __future__ import annotations

import math

from seedo.inference.effects._estimate import Estimate
from seedo.inference.effects._intervals import quantile

HIDDEN = "nothing hidden moves"
"""How every line of `sensitivity` begins."""


def robustness(value: float, standard_error: float, freedom: float) -> float:
    """Robustness value (Cinelli & Hazlett 2020, eq. 15): the share of what is left of the variance
    of cause and of outcome, both, that a hidden cause would have to explain to bring the estimate
    to nought."""
    if standard_error <= 0 or freedom <= 0:
        return 0.0
    f = abs(value) / standard_error / math.sqrt(freedom)
    return (math.sqrt(f**4 + 4 * f**2) - f**2) / 2


def robustness_of_interval(value: float, standard_error: float, freedom: float) -> float:
    """The same to bring nought into the 95 % interval (ibid., eq. 19)."""
    if standard_error <= 0 or freedom <= 1:
        return 0.0
    f = abs(value) / standard_error / math.sqrt(freedom)
    f -= quantile(freedom - 1) / math.sqrt(freedom - 1)
    return (math.sqrt(f**4 + 4 * f**2) - f**2) / 2 if f > 0 else 0.0


def e_value(ratio: float) -> float:
    """E-value of a risk ratio (VanderWeele & Ding 2017): how much likelier a hidden cause would
    have to make cause and outcome, both."""
    ratio = max(ratio, 1 / ratio) if ratio > 0 else math.inf
    return ratio + math.sqrt(ratio * (ratio - 1)) if math.isfinite(ratio) else math.inf


def sensitivity(found: Estimate, rows: float, both: str = "both") -> str:
    """One line.

    Args:
        found: an effect from observations.
        rows: how many independent units it rests on.
        both: what nothing hidden may move.
    """
    freedom = max(rows - 2, 2.0)
    if not found.standard_error > 0:
        return ""
    whole = robustness(found.value, found.standard_error, freedom)
    part = robustness_of_interval(found.value, found.standard_error, freedom)
    if part == 0:
        return f"{HIDDEN} {both}; the interval includes no effect even so"
    return (
        f"{HIDDEN} {both}: to make the effect nought it would have to explain "
        f"{whole:.0%} of what is left of the variance of both, "
        f"{part:.0%} to make the interval include nought"
    )
