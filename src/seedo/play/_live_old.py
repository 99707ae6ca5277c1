"""Until blicket is on the protocol."""

from __future__ import annotations

from typing import Any


class LiveOld:
    """An episode in progress that takes one action a step.

    Attributes:
        world, index: which of the world's episodes.
        seen: what was seen before every step up to the next, as NumPy arrays.
    """

    def __init__(self, world: Any, index: int, first: Any) -> None:
        self.world, self.index = world, index
        self.seen: list[Any] = [first]
        self._done: list[Any] = []  # what is logged of every step

    @property
    def observation(self) -> Any:
        """What is seen before the next step."""
        return self.seen[-1]

    @property
    def step(self) -> int:
        """Number of the next step, from 0."""
        return len(self._done)

    @property
    def finished(self) -> bool:
        return self.step == self.world.spec.steps

    @property
    def phase(self) -> int:
        """OBSERVE, EXPLORE or EXPLOIT: what the next step is for."""
        phase: int = self.world.spec.phases[self.step]
        return phase

    def _refuse_at_end(self) -> None:
        """Raises RuntimeError if there is no next step."""
        if self.finished:
            raise RuntimeError("the episode is over")

    def _add(self, done: Any, seen: Any) -> None:
        self._done.append(done)
        self.seen.append(seen)
