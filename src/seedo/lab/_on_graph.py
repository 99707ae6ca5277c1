"""Games of people on graphs: one variable is set to one of a few values, and all may be seen."""

from __future__ import annotations

from typing import Any

from seedo.lab._cast import RIVALS
from seedo.lab._naming import Naming
from seedo.lab._scenario import Scenario
from seedo.lab._shown import Shown
from seedo.lab._turns import read_setting, signed
from seedo.play import Live


class OnGraph(Shown):
    """A world whose page shows effects, beliefs and a graph."""

    graphs = True

    def opponents(self, scenario: Scenario) -> tuple[str, ...]:
        return RIVALS

    def read(self, episode: Live, naming: Naming, target: int, value: float) -> tuple[int, float]:
        return read_setting(episode, naming, self.called(naming), target, value)

    def carry_out(self, episode: Live, naming: Naming, move: tuple[int, float]) -> dict[str, Any]:
        episode.act(*move)
        return self.seen(episode, naming, episode.step - 1)

    def words(self, episode: Live, naming: Naming, move: tuple[int, float]) -> str:
        target, value = move[0], naming.shown_value(*move)
        said = f"{self.called(naming)[target]} at {signed(value)}{naming.unit(target)}"
        return said if target >= 0 else "look"

    def seen(self, episode: Live, naming: Naming, step: int) -> dict[str, Any]:
        return {"outcome": naming.shown(episode.seen[step + 1].outcome)}
