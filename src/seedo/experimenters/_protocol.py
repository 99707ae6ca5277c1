"""The protocol between whoever chooses interventions and whoever runs them."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Protocol

from seedo.worlds import Action, Spec


class Experimenter(Protocol):
    """A chooser of interventions; `Player` has the defaults of all but `name`, `begin` and `act`.

    It is pure JAX, so that the runner maps and scans it over episodes inside one compiled program;
    or, where `host`, plain Python: keys are NumPy generators, observations NumPy arrays.
    """

    @property
    def name(self) -> str: ...
    @property
    def knows_system(self) -> bool:
        """Whether `begin` is told the world's `privileged` view of the task."""
        ...

    @property
    def host(self) -> bool: ...
    @property
    def episodes_at_once(self) -> int | None:
        """Episodes of one compiled call; None: as many as the world plays at once."""
        ...

    @property
    def record(self) -> dict[str, Any]:
        """What a run's manifest keeps of the player."""
        ...

    @property
    def program(self) -> Hashable:
        """Players of one program compute the same, whatever their weights."""
        ...

    def check(self, spec: Spec) -> None:
        """Raises UserError when the player cannot play in a world."""
        ...

    def begin(self, spec: Spec, key: Any, privileged: Any) -> Any:
        """Its memory before the first step; `privileged` is None unless it knows the system."""
        ...

    def act(self, memory: Any, observation: Any, key: Any) -> tuple[Action, Any]:
        """Its action, and its memory after it."""
        ...


class Player:
    """An experimenter with no optional power: a base for those that have some."""

    @property
    def knows_system(self) -> bool:
        return False

    @property
    def host(self) -> bool:
        return False

    @property
    def episodes_at_once(self) -> int | None:
        return None

    @property
    def record(self) -> dict[str, Any]:
        return {}

    @property
    def program(self) -> Hashable:
        own: Any = self
        name: str = own.name
        return name

    def check(self, spec: Spec) -> None:
        """Plays anywhere."""
