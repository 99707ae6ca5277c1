"""What any advice has: a table, a goal, remarks, and how it was asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from seedo import __version__
from seedo.inference import Goal
from seedo.tables import Table


@dataclass(frozen=True)
class Advised(ABC):
    """What to do next, and what it rests on.

    Attributes:
        goal: None if only learning counts.
        notes: what was noticed while reading the table, one line each.
        command: what was asked, for the report.
    """

    goal: Goal | None
    notes: tuple[str, ...] = ()
    command: str = ""

    @property
    @abstractmethod
    def table(self) -> Table:
        """The rows."""

    @property
    @abstractmethod
    def data(self) -> str:
        """The rows in words."""

    @abstractmethod
    def experiments(self) -> list[dict[str, Any]]:
        """The plan, one experiment each; "experiment" names it."""

    @property
    def names(self) -> tuple[str, ...]:
        return self.table.variables

    @property
    def goal_name(self) -> str | None:
        return None if self.goal is None else self.names[self.goal.variable]

    @property
    def purpose(self) -> str:
        """E.g. "to raise yield"; "" without a goal."""
        if self.goal is None:
            return ""
        return f"to {'raise' if self.goal.sign > 0 else 'lower'} {self.goal_name}"

    def common(self) -> dict[str, Any]:
        """What every advice says, as plain JSON values."""
        return {
            "data": self.data,
            "variables": list(self.names),
            "notes": list(self.notes),
            "experiments": self.experiments(),
            "seedo_version": __version__,
        }
