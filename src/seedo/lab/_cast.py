"""Who can act in a scenario, and who cannot and why."""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedo.errors import UserError
from seedo.experimenters import READERS, ROOMS_PLAYERS
from seedo.lab._scenario import Config, Scenario, stage_of
from seedo.play import find_player
from seedo.worlds import DagConfig

RIVALS = ("scripted:random", "scripted:largest-effect", "pretrained:dag", "bayes:eig")
"""Whom a person plays against: the floor, the best heuristic, the understudy, the Bayesian."""

_LABELS = {
    "scripted:expert": "Expert (knows the system)",
    "scripted:random": "Random",
    "scripted:largest-effect": "Largest effect (best heuristic)",
    "pretrained:dag": "Seedo (learnt by watching)",
    "pretrained:dag-plain": "Understudy, plain network",
    "pretrained:dag-text": "Seedo in words",
    "bayes:eig": "Bayesian (most information)",
    "bayes:goal": "Bayesian (most gain for the goal)",
}
_KINDS = {"scripted": "heuristic", "bayes": "bayesian", "pretrained": "network", "llm": "language"}

_LOADING = threading.Lock()  # networks are read once, however many ask at first


@dataclass(frozen=True)
class Role:
    """One who may act.

    Attributes:
        name: as on the command line, e.g. `scripted:random`.
        label: for people.
        kind: `expert`, `heuristic`, `bayesian`, `network` or `language`.
        why_not: why it cannot act in the scenario; "" if it can.
    """

    name: str
    label: str
    kind: str
    why_not: str = ""


def cast(
    scenario: Scenario, agents: tuple[str, ...] = (), models: tuple[str, ...] = ()
) -> list[Role]:
    """Everyone, in the order to offer them; `agents` are folders, `models` language models."""
    if scenario.world == "rooms":
        names = [f"scripted:{name}" for name in ROOMS_PLAYERS]
    else:
        scripted = ["expert", "random", *READERS]
        names = [f"scripted:{name}" for name in scripted]
        names += ["bayes:eig", "bayes:goal", "pretrained:dag", "pretrained:dag-plain"]
    roles = [Role(n, label(n), kind(n), why_not(n, scenario)) for n in (*names, *agents)]
    spoken = [*(["pretrained:dag-text"] if scenario.world == "dag" else [])]
    spoken += [f"llm:{model}" for model in models]
    return roles + [Role(name, label(name), "language") for name in spoken]


def label(name: str) -> str:
    """What people call a player."""
    if name in _LABELS:
        return _LABELS[name]
    prefix, _, rest = name.partition(":")
    if prefix in ("scripted", "bayes", "llm", "pretrained") and rest:
        return rest.replace("-", " ").capitalize() if prefix == "scripted" else rest
    return Path(name).name


def kind(name: str) -> str:
    if name == "scripted:expert":
        return "expert"
    return _KINDS.get(name.partition(":")[0], "network")


def why_not(name: str, scenario: Scenario) -> str:
    """Why this player cannot act in this scenario; "" if it can."""
    try:
        player(name, scenario)
    except UserError as error:
        return error.remedy
    return ""


def player(name: str, scenario: Scenario) -> Any:
    """A player on the protocol; the same object every time, so that it is compiled once.

    Raises:
        UserError: no such player, or one that cannot act here.
    """
    if name.startswith(("scripted:", "bayes:")):
        return _of_world(name, scenario.config)
    with _LOADING:
        agent = _trained(name, scenario.world)
    if isinstance(scenario.config, DagConfig):
        agent.check(scenario.stage().spec)
    return agent


@functools.lru_cache(maxsize=256)
def _of_world(name: str, config: Config) -> Any:
    return find_player(name, stage_of(config))


@functools.lru_cache(maxsize=32)
def _trained(name: str, world: str) -> Any:
    from seedo.learning import load_agent, load_rooms_agent

    return load_rooms_agent(name) if world == "rooms" else load_agent(name)
