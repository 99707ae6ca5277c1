"""What is said in world `dag`, on stage and in transcripts alike."""

from __future__ import annotations

import numpy as np

from seedo.language.scenes._names import Names
from seedo.language.scenes.replies import say_number


def say_variables(names: Names, relevant: np.ndarray) -> list[str]:
    """Which variables there are, and which of them matter if not all do."""
    said = [f"Variables: {names.listed()}"]
    if not relevant.all():
        said.append(f"Relevant: {names.listed(np.flatnonzero(relevant).tolist())}")
    return said


def say_results(names: Names, outcome: np.ndarray, decimals: int) -> str:
    """The values of all variables that were observed: "dax=0.3 wug=-1.2"."""
    return " ".join(
        f"{names.words[i]}={say_value(names, i, outcome[i], decimals)}"
        for i in names.order
        if np.isfinite(outcome[i])
    )


def say_action(names: Names, target: int, value: float, decimals: int) -> str:
    """The line that sets a variable, or -1: only observes."""
    if target < 0:
        return "observe"
    return f"do {names.words[target]}={say_value(names, target, value, decimals)}"


def say_goal(names: Names, goal: int) -> str:
    """Which variable to raise."""
    return f"Goal: {names.words[goal]}"


def say_value(names: Names, variable: int, value: float, decimals: int) -> str:
    """A variable's value on the scale that its name has."""
    return say_number(names.signs[variable] * float(value), decimals)
