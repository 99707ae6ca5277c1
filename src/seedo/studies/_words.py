"""What verdicts are made of: estimates in words, and which side of a bound they lie on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from seedo.statistics import Estimate, mean


def told(found: Mapping[str, Any] | Estimate, form: str = ".3f", none: str = "unknown") -> str:
    """`0.812 [0.790, 0.833]`; without an interval `0.812`, without a value what `none` says."""
    own = found.to_json() if isinstance(found, Estimate) else found
    if own["value"] is None:
        return none
    if own.get("low") is None or own.get("high") is None:
        return f"{own['value']:{form}}"
    return f"{own['value']:{form}} [{own['low']:{form}}, {own['high']:{form}}]"


def slug(name: str) -> str:
    """A name as part of a file's name."""
    return name.replace(", ", "-").replace(" ", "-")


def told_ends(found: Mapping[str, Any], form: str, none: str) -> str:
    """The same where a bound that is missing means something, which `none` says."""
    value, low, high = (
        none if found[k] is None else f"{found[k]:{form}}" for k in ("value", "low", "high")
    )
    return f"{value} [{low}, {high}]"


def over_seeds(values: Sequence[float]) -> str:
    """Mean over independent seeds with its t interval, where there are several."""
    return told(mean(np.array(values))) + (" (one seed)" if len(values) == 1 else "")


def supports(good: bool) -> str:
    """`supports` or `refutes`."""
    return "supports" if good else "refutes"


def verdict(supported: bool, refuted: bool) -> str:
    """`supports`, `refutes` or, where neither is sure, `leaves open`."""
    return "refutes" if refuted else "supports" if supported else "leaves open"


def of_the_claim(verdict: str) -> str:
    """`supports the claim`, `leaves the claim open`."""
    return "leaves the claim open" if verdict == "leaves open" else f"{verdict} the claim"


def beyond(estimate: Estimate, bound: float) -> str:
    """Whether the whole interval lies above a bound: yes, no, or open where it holds the bound."""
    if estimate.low is None or estimate.high is None:
        return "open"
    return "yes" if estimate.low > bound else "no" if estimate.high < bound else "open"
