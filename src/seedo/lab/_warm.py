"""Compile what a visitor's first pages need, before there is a visitor."""

from __future__ import annotations

import gc
from contextlib import suppress
from pathlib import Path

import jax

from seedo.errors import UserError
from seedo.lab._background import Job
from seedo.lab._cast import RIVALS
from seedo.lab._scenario import Scenario
from seedo.lab._worlds import shown_as
from seedo.worlds import configure

FIRST = Scenario(configure())
"""What Play and Watch open with: world `dag`, preset `linear`."""

_MOST_MAPS = 30_000
_SECONDS = 20.0  # between looks


def stay_light(job: Job) -> None:
    """For ever, forget what is compiled whenever it is so much that XLA would crash before long.

    Every program takes memory maps, of which Linux allows a process 65,530. What is needed again
    comes from the cache on disk.
    """
    maps = Path("/proc/self/maps")
    while maps.exists():
        if maps.read_bytes().count(b"\n") > _MOST_MAPS:
            jax.clear_caches()
            gc.collect()
        job.rest(_SECONDS)


def warm_up(scenario: Scenario = FIRST) -> None:
    """Watch everyone play it whom Play and Watch open with; quick from the second time on."""
    shown = shown_as(scenario.world)
    for name in dict.fromkeys((*shown.usual, *RIVALS)):
        with suppress(UserError):
            shown.frames(scenario, name, lambda *_: None)
