"""What linear probes decode from the states of a network that is watched, beside how well they do.

Probes of a network are fitted once for all systems of one kind, on episodes of a stream of their
own, none of which is ever watched.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import numpy as np

from seedo import abstraction, learning
from seedo.abstraction import Decoder
from seedo.errors import UserError
from seedo.lab._background import Background, Job, Jobs
from seedo.lab._belief import no_belief
from seedo.lab._cast import kind, player
from seedo.lab._frames import inputs_of, lived
from seedo.lab._scenario import Scenario, encode
from seedo.play import episodes

EPISODES = 600
_STREAM = "probes"
_MOST_STEPS = 24


class Probing:
    """Decoded beliefs, being worked out; one network at a time."""

    def __init__(self, background: Background) -> None:
        self._fits = Jobs(background, "probes", kept=16)
        self._shown = Jobs(background, "probes")

    def ask(self, scenario: Scenario, name: str, begin: bool) -> dict[str, Any]:
        """A network's decoded belief in a scenario, or how far it is: state `ready`, `preparing`,
        `failed`, `unavailable` or, where its probes are not fitted yet, `waiting`.

        Args:
            scenario: as it plays it.
            name: of the network.
            begin: fit its probes, if they are not.
        """
        if why := _why_not(scenario, name):
            return {"state": "unavailable", "why": why}
        key = (scenario.config, name)
        fit = self._fits.find(key)
        if fit is None or (fit.failure and begin):
            if not begin:
                return {"state": "waiting"}
            fit = self._fits.start(key, partial(_fitted, scenario, name))
        if fit.result is None:
            return _state(fit)
        shown = self._shown.start((encode(scenario), name), partial(_decoded, scenario, name, fit))
        return _state(shown) if shown.result is None else {"state": "ready", **shown.result}


def _state(job: Job) -> dict[str, Any]:
    if job.failure is not None:
        refused = isinstance(job.failure, UserError)
        return {"state": "unavailable" if refused else "failed", "why": job.why}
    waited = {"done": job.done, "total": job.total, "seconds": round(job.seconds, 1)}
    return {"state": "preparing", "doing": job.doing, **waited}


def _why_not(scenario: Scenario, name: str) -> str:
    """What is known at once; the rest is said by whoever tries."""
    world = scenario.stage()
    if kind(name) != "network":
        return "it has no network whose state could be read"
    if not world.measures_variables or world.family != "dag":
        return "probes look for arrows between variables that the network is told"
    if world.spec.steps > _MOST_STEPS:
        return f"probes look at episodes of at most {_MOST_STEPS} steps"
    return no_belief(world.settings)


def _fitted(scenario: Scenario, name: str, job: Job) -> Decoder:
    world = scenario.stage()
    abstraction.exact_posterior(world)  # refuses, before anything is played, what `look` would
    agent, untrained = learning.open_network(name, world, 1)
    job.doing = f"watching it in {EPISODES} other episodes"
    acting = player(name, scenario)
    batch = episodes(world, acting, 0, _STREAM, 0, EPISODES, systems=True)
    job.doing = "reading its states, and what could be known"
    job.progress(0, 0)
    steps = range(world.spec.steps)
    looking = abstraction.look(agent.network, untrained, world, batch, steps=steps)
    job.doing = "fitting probes"
    return abstraction.decoder(looking, job.progress)


def _decoded(scenario: Scenario, name: str, fit: Job, job: Job) -> dict[str, Any]:
    job.doing = "reading this episode"
    decoder: Decoder = fit.result
    own = inputs_of(lived(scenario, name, job.progress))
    inputs = jax.tree.map(lambda column: np.asarray(column)[None], own)
    network = player(name, scenario).network
    scores = {"found": decoder.found, "untrained": decoder.untrained, "known": decoder.known}
    return {
        "edges": np.round(decoder(network, inputs)[0], 3).tolist(),
        "auc": {who: [one.to_json() for one in each] for who, each in scores.items()},
        "layer": decoder.layer,
        "taught": decoder.taught,
        "tested": decoder.tested,
    }
