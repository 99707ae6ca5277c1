"""What our own players need to know to speak where a language model would.

A language model sees messages. Our scripted, Bayesian and network players see numbers, and an
expert sees the system. So that they run through the same tasks, whoever runs a task puts what is
being played on stage here before it asks for a reply.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Protocol


class Performance(Protocol):
    """Something that is being played, seen by our own players."""

    def line(self, player: str, seed: int) -> str:
        """What the player of this name (`scripted:expert`, `bayes:eig`, ...) replies now."""
        ...


on_stage: ContextVar[Performance | None] = ContextVar("on_stage", default=None)
"""Who plays in this context, for models that are not called from outside; None: nobody."""
