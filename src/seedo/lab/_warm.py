"""Compile what a visitor's first game needs, before there is a visitor."""

from __future__ import annotations

import gc
from pathlib import Path

import jax

from seedo.errors import UserError
from seedo.lab._background import Job
from seedo.lab._belief import beliefs, no_belief
from seedo.lab._cast import RIVALS, player
from seedo.lab._scenario import Scenario
from seedo.play import Actor
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
    """Play the scenario once with everyone; quick from the second time on."""
    episode = scenario.begin()
    episode.act(0, scenario.config.do_values[-1])
    if not no_belief(scenario.config):
        beliefs(scenario.config, [0], [episode.observation.outcome])
    for name in RIVALS:
        try:
            Actor(player(name, scenario), scenario.begin()).action()
        except UserError:
            continue
