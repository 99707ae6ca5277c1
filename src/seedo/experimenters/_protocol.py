"""The protocol between whoever chooses interventions and whoever runs them."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Protocol

from seedo.worlds import Action, Spec


class Experimenter(Protocol):
    """A chooser of interventions; `Player` has the defaults of all but `name`, `begin` and `act`.

    It is pure JAX for one episode, so that the loop maps and scans it inside one compiled program:
    its memory, any pytree, keeps its shapes and dtypes. Or, where `host`, plain Python: keys are
    NumPy generators, observations NumPy arrays, and its memory is whatever it likes.
    """

    @property
    def name(self) -> str:
        """What logs and reports call it."""
        ...

    @property
    def knows_system(self) -> bool:
        """Whether `begin` is told the world's `privileged` view of the task."""
        ...

    @property
    def host(self) -> bool:
        """Whether it is plain Python, to be played step by step."""
        ...

    @property
    def episodes_at_once(self) -> int | None:
        """Episodes of one compiled call; None: as many as the world plays at once."""
        ...

    @property
    def record(self) -> dict[str, Any]:
        """What a run's manifest keeps of the player, as plain JSON."""
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
        """Its action, one of those that the world has, and its memory after it.

        `observation` is what `World.observe` gives, mostly a `worlds.Observation`.
        """
        ...


class Player:
    """The base of players: a subclass says `name`, `begin` and `act`, see `Experimenter`; all else
    has a default, which a class attribute (`host = True`) or a property replaces."""

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
