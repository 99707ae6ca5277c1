"""How long a comparison will still take, by how long its parts took lately."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

_LATELY = 5  # measurements of one kind


@dataclass(frozen=True)
class Ahead:
    """What one cell still needs.

    Attributes:
        player: its name.
        label: for people.
        compiling: seconds spent so far on its first part, with its program; None: that is over.
        episodes: to play after the first part.
        reading: seconds spent so far on its final estimates.
        size: episodes that those rest on.
    """

    player: str
    label: str
    compiling: float | None
    episodes: int
    reading: float
    size: int


class Pace:
    """How long things took lately, by kind and player."""

    def __init__(self) -> None:
        self._notes: dict[tuple[str, str], deque[float]] = {}

    def note(self, kind: str, player: str, seconds: float, amount: int = 1) -> None:
        """So many of a kind took so long."""
        notes = self._notes.setdefault((kind, player), deque(maxlen=_LATELY))
        notes.append(seconds / amount)

    def each(self, kind: str, player: str) -> float | None:
        """Seconds that one takes, the median of the last; None: not known yet."""
        notes = self._notes.get((kind, player))
        return statistics.median(notes) if notes else None


def time_left(ahead: Sequence[Ahead], pace: Pace, threads: int) -> tuple[float | None, list[str]]:
    """Seconds left on so many threads, one of which at a time works on final estimates; None with
    what has to be over before they are known."""
    work = reading = 0.0
    awaited: list[str] = []
    for cell in ahead:
        if cell.compiling is not None:
            compiling = _rest(pace.each("compile", cell.player), cell.compiling)
            if compiling is None:
                awaited.append(f"the first episodes of {cell.label}")
            work += compiling or 0.0
        each = pace.each("play", cell.player)
        if cell.episodes and each is None and cell.compiling is None:
            awaited.append(f"some more episodes of {cell.label}")
        elif cell.episodes and each is None:
            awaited.append(f"the first episodes of {cell.label}")
        work += cell.episodes * (each or 0.0)
        each = pace.each("read", cell.player) or pace.each("read", "")
        estimates = _rest(None if each is None else each * cell.size, cell.reading)
        if estimates is None:
            awaited.append(f"the Bayes ratio of {cell.label}" if cell.reading else "a Bayes ratio")
        reading += estimates or 0.0
    if awaited:
        return None, list(dict.fromkeys(awaited))
    return max((work + reading) / threads, reading), []


def _rest(whole: float | None, spent: float) -> float | None:
    """What is left of something; None where it is unknown, or takes longer than expected."""
    return None if whole is None or spent > whole else whole - spent
