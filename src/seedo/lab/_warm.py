"""Compile what a visitor's first pages need, before there is a visitor."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import jax

from seedo.errors import UserError
from seedo.lab._background import Job
from seedo.lab._belief import beliefs
from seedo.lab._cast import RIVALS
from seedo.lab._findings import Findings
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


def warm_up(findings: Findings, also: Sequence[Scenario] = (), job: Job | None = None) -> None:
    """Compile for the usual game, one thing after another: its steps, what everyone else needs who
    plays it, each in the lane in which a game would ask for it, the steps of `also`, then what
    Watch opens with."""
    FIRST.begin().act(-1)
    for name in RIVALS:
        findings.ahead(name, partial(_move, name)).wait()
        if job is not None:
            job.rest(0.0)
    findings.ahead("lesson", _believe).wait()
    for scenario in also:
        scenario.begin().act(-1)
        if job is not None:
            job.rest(0.0)
    watched = shown_as(FIRST.world)
    for name in watched.usual:
        with suppress(UserError):
            watched.frames(FIRST, name, lambda *_: None)
        if job is not None:
            job.rest(0.0)


def _move(name: str) -> None:
    with suppress(UserError):  # who cannot play it has nothing to compile
        shown_as(FIRST.world).actor(name, FIRST, FIRST.begin()).action()


def _believe() -> None:
    seen = FIRST.begin().act(0, FIRST.config.do_values[-1])
    beliefs(FIRST.config, [0], [seen.outcome])
