"""What a journal says has happened: runs that wait, runs that are done, what was spent."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.play.campaign._plan import Plan
from seedo.spaces import Knob, Space

Array = NDArray[np.float64]

STATES = ("waits", "done", "failed", "skipped")
"""A run that failed was made, and read nothing; one that was skipped was not made."""


@dataclass
class Run:
    """A proposal and what became of it.

    Attributes:
        number: from 0, in the order of proposals.
        setting: float64[K]: what was proposed, or what was set instead; NaN where that is no value
            of the knob any more.
        state: one of `STATES`.
        readings: float64[M], NaN where nothing was read.
        asked: how often it was handed out to be measured.
        cost: of the run, 0 while it waits.
        why: why it failed or was skipped.
        odd: what is odd about it, one line each.
        seconds: that measuring took; NaN where unknown.
    """

    number: int
    setting: Array
    state: str = "waits"
    readings: Array = field(default_factory=lambda: np.empty(0))
    asked: int = 0
    cost: float = 0.0
    why: str = ""
    odd: tuple[str, ...] = ()
    seconds: float = math.nan

    @property
    def made(self) -> bool:
        return self.state in ("done", "failed")


def runs_of(entries: Sequence[Mapping[str, Any]], plan: Plan) -> list[Run]:
    """All runs of a journal, in the order of their numbers.

    Raises:
        UserError: an entry is of no run, or lacks a field.
    """
    runs: list[Run] = []
    for place, entry in enumerate(entries, 1):
        try:
            enter(runs, entry, plan)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, UserError):
                raise
            remedy = f"cannot be read ({type(error).__name__}: {error})"
            raise UserError(f"journal entry {place}", None, remedy) from None
    return runs


def enter(runs: list[Run], entry: Mapping[str, Any], plan: Plan) -> None:
    """What one entry changes, in place."""
    if entry["kind"] == "proposed":
        for proposed in entry["runs"]:
            if proposed["number"] != len(runs):
                raise ValueError(f"run {proposed['number']} stands where {len(runs)} belongs")
            setting = _setting(plan.space, proposed["setting"])
            runs.append(Run(len(runs), setting, readings=np.full(len(plan.names), np.nan)))
    elif entry["kind"] == "asked":
        runs[_number(entry, runs)].asked += 1
    elif entry["kind"] == "taken back":
        runs[_number(entry, runs)].asked -= 1
    elif entry["kind"] == "result":
        run = runs[_number(entry, runs)]
        if entry["state"] not in STATES[1:]:
            raise ValueError(f"there is no state {entry['state']!r}")
        run.state = entry["state"]
        if run.state == "done":
            read = entry["readings"]
            run.readings = np.array(
                [math.nan if read.get(name) is None else float(read[name]) for name in plan.names]
            )
        if "setting" in entry:
            run.setting = _setting(plan.space, entry["setting"])
        run.cost, run.why = float(entry.get("cost", 0.0)), str(entry.get("why", ""))
        run.odd = tuple(map(str, entry.get("odd", ())))
        run.seconds = float(entry.get("seconds", math.nan))


def _number(entry: Mapping[str, Any], runs: Sequence[Run]) -> int:
    number = entry["run"]
    if not isinstance(number, int) or not 0 <= number < len(runs):
        raise ValueError(f"there is no run {number}")
    return number


def _setting(space: Space, given: Mapping[str, Any]) -> Array:
    """A setting of a journal, whose knobs may have had other ranges and levels when it was made."""
    return np.array([lenient(knob, given.get(knob.name)) for knob in space.knobs])


def lenient(knob: Knob, value: Any) -> float:
    """A value of a knob, also outside of its range; NaN where it is none, as an unknown level."""
    if value is None:
        return math.nan
    if knob.named:
        return float(knob.levels.index(str(value))) if str(value) in knob.levels else math.nan
    try:
        number = float(value)
    except (TypeError, ValueError):
        return math.nan
    return number if math.isfinite(number) else math.nan
