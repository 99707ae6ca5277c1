"""The worlds that people can take part in: the one place that says which."""

from __future__ import annotations

import functools
import threading

from seedo.lab._scenario import Scenario
from seedo.lab.study._causes import Causes
from seedo.lab.study._machine import Machine
from seedo.lab.study._odd import Odd
from seedo.lab.study._task import Task

KINDS: dict[str, type[Task]] = {"dag": Causes, "blicket": Machine, "rooms": Odd}
"""By the world's name."""

_KEPT = 4096  # tasks in memory, a few kilobytes each
_ONE_AT_A_TIME = threading.Lock()


def prepare(scenario: Scenario) -> Task:
    """The task of a scenario; from memory if it was asked for before."""
    with _ONE_AT_A_TIME:  # the first one of a world compiles, which others wait for
        return _prepare(scenario)


@functools.lru_cache(maxsize=_KEPT)
def _prepare(scenario: Scenario) -> Task:
    return KINDS[scenario.world].of(scenario)
