"""What the variables of a scenario are called on the screen, and how their values are shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedo.lab._called import Called
from seedo.lab._scenario import STREAM, Scenario
from seedo.language import name_variables
from seedo.play import Live


@dataclass(frozen=True)
class Naming:
    """Names, and signs of what is shown: a name like `drought` shows the negative of rain."""

    words: tuple[str, ...]
    signs: tuple[int, ...]
    units: tuple[str, ...] = ()

    @staticmethod
    def of(scenario: Scenario, episode: Live) -> Naming:
        """As a language model would be told them.

        Raises:
            UserError: names of this kind do not fit this world.
        """
        if scenario.called is not None:
            return Naming.own(scenario.called)
        names = name_variables(episode, scenario.names, scenario.seed, STREAM)
        return Naming(names.words, names.signs)

    def shown(self, values: NDArray[np.float32]) -> list[float | None]:
        """Values [n] as people see them; None where unobserved."""
        signed = np.asarray(values, np.float64) * np.asarray(self.signs)
        return [round(float(x), 4) if np.isfinite(x) else None for x in signed]

    @staticmethod
    def own(called: Called) -> Naming:
        """As somebody has named them."""
        return Naming(called.names, (1,) * len(called.names), called.units)

    def unit(self, target: int) -> str:
        """What stands after a variable's value, with a space before it; "": nothing."""
        unit = self.units[target] if self.units else ""
        return f" {unit}" if unit else ""

    def shown_value(self, target: int, value: float) -> float:
        """An intervention's value, from the system's to the person's; and back."""
        return value * self.signs[target] if target >= 0 else value
