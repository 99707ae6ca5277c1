"""What a player of world `dag` did, saw and could know of it, step by step, for the screen.

Frame k is after k steps: what the last of them was, and what its player's data say by then.
"""

from __future__ import annotations

import functools
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from seedo import programs
from seedo.experimenters import is_trained
from seedo.lab._belief import beliefs, no_belief
from seedo.lab._cast import actor, player
from seedo.lab._naming import Naming
from seedo.lab._once import once
from seedo.lab._scenario import Scenario
from seedo.lab._shown import Progress
from seedo.learning import Agent, Decision, Inputs
from seedo.play import Live

MOST_CHOICES = 5
_LEAST = 0.01  # probability of an arrow that is worth sending


def dag_setting(scenario: Scenario) -> dict[str, Any]:
    """What is the same for everyone who plays, the hidden system included, as JSON; of world `dag`
    and of worlds that stand on it."""
    episode: Any = scenario.begin()
    naming, spec = Naming.of(scenario, episode), episode.world.spec
    weights = np.asarray(episode.task.system.weights)
    hidden = len(weights) - spec.n
    signs = np.array([*naming.signs, *[1] * hidden])
    settings = episode.world.settings
    return {
        "world": "dag",
        "names": [*naming.words, *(f"H{i + 1}" for i in range(hidden))],
        "hidden": hidden,
        "relevant": np.asarray(episode.task.relevant).tolist(),
        "phases": list(spec.phases),
        "goals": np.asarray(episode.task.goal).tolist(),
        "truth": [
            [int(i), int(j), round(float(signs[i] * signs[j] * weights[i, j]), 2)]
            for i, j in np.argwhere(weights)
        ],
        "linear": settings.mechanism == "linear",
        "places": [list(place) for place in scenario.drawn.places] if scenario.drawn else [],
        "no_belief": no_belief(settings),
        "oracle": round(episode.oracle_return, 4),
        "random": round(episode.random_return, 4),
    }


def dag_frames(scenario: Scenario, name: str, progress: Progress) -> dict[str, Any]:
    """The frames of one of our own players, as JSON.

    Raises:
        UserError: it cannot act here.
    """
    episode = lived(scenario, name, progress)
    steps = episode.world.spec.steps
    progress(steps, steps, "working out what its data say")
    shown = tell_episode(scenario, episode)
    if is_trained(name) and episode.world.measures_variables:
        progress(steps, steps, "working out how likely its choices were")
        naming = Naming.of(scenario, episode)
        _add_decisions(shown["frames"], player(name, scenario), episode, naming)
    return shown


def lived(scenario: Scenario, name: str, progress: Progress) -> Live:
    """The episode as one of our own players plays it.

    Raises:
        UserError: it cannot act here.
    """
    steps = scenario.stage().spec.steps
    progress(0, steps, "preparing the system")
    episode = scenario.begin()
    progress(0, steps, "preparing its program")
    acting = actor(name, scenario, episode)
    with once("step", scenario.config):
        episode.act(*acting.action())
    while not episode.finished:
        progress(episode.step, steps, "acting")
        episode.act(*acting.action())
    return episode


def tell_episode(scenario: Scenario, episode: Live) -> dict[str, Any]:
    """The frames of a finished episode, whoever played it."""
    naming, seen = Naming.of(scenario, episode), episode.seen[1:]
    targets = [int(row.target) for row in seen]
    frames: list[dict[str, Any]] = [{}]
    for target, row in zip(targets, seen, strict=True):
        value = round(naming.shown_value(target, float(row.value)), 4)
        frames.append({"target": target, "value": value, "outcome": naming.shown(row.outcome)})
    config = episode.world.settings
    if episode.world.measures_variables and not no_belief(config):
        for frame, belief in zip(
            frames, beliefs(config, targets, [row.outcome for row in seen]), strict=True
        ):
            frame["belief"], frame["bits"] = _arrows(belief.edges), round(belief.bits, 3)
    return {"frames": frames, "returns": round(episode.returns, 4)}


def _add_decisions(
    frames: list[dict[str, Any]], agent: Agent, episode: Live, naming: Naming
) -> None:
    """How likely a network found each action, and the graph that it would give as its reason."""
    decision = _program()(agent.network, inputs_of(episode), len(frames) - 1)
    values = agent.architecture.do_values
    explains = agent.training.get("recipe", {}).get("explanations", "none") != "none"
    for frame, log_probs, edges in zip(
        frames[1:], np.asarray(decision.log_probs), np.asarray(decision.edges), strict=True
    ):
        if frame["target"] < 0:
            continue
        likely = np.exp(log_probs)
        frame["choices"] = [
            [
                int(action // len(values)),
                naming.shown_value(int(action // len(values)), values[action % len(values)]),
                round(float(likely[action]), 3),
            ]
            for action in np.argsort(-likely, kind="stable")[:MOST_CHOICES]
        ]
        if explains:
            frame["reason"] = _arrows(1 / (1 + np.exp(-edges)))


def inputs_of(episode: Live) -> Inputs:
    """A finished episode as networks read it."""
    seen: Any = jax.tree.map(lambda *rows: np.stack(rows), *episode.seen[1:])
    return Inputs(
        phase=jnp.asarray(episode.world.spec.phases, jnp.int32),
        goal=jnp.asarray(episode.task.goal, jnp.int32),
        target=jnp.asarray(seen.target, jnp.int32),
        value=jnp.asarray(seen.value, jnp.float32),
        outcome=jnp.asarray(seen.outcome, jnp.float32),
        relevant=jnp.asarray(episode.task.relevant),
    )


@functools.cache
def _program() -> Any:
    """Compiled in little time: it runs once an episode."""
    options: dict[str, Any] = {"compiler_options": programs.quickly()}
    return eqx.filter_jit(_decisions, **options)


def _decisions(network: Any, inputs: Inputs, steps: int) -> Decision:
    decision: Decision = network.read(inputs, jnp.arange(steps))
    return decision


def _arrows(probability: np.ndarray) -> list[list[float]]:
    """[cause, effect, probability] of those that are at all likely."""
    off = ~np.eye(len(probability), dtype=bool)
    return [
        [int(i), int(j), round(float(probability[i, j]), 3)]
        for i, j in np.argwhere((probability >= _LEAST) & off)
    ]
