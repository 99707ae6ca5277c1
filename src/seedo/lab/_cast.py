"""Who can act in a scenario, and who cannot and why."""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedo.errors import UserError
from seedo.experimenters import READERS, parse_name
from seedo.lab._once import once
from seedo.lab._palette import look
from seedo.lab._scenario import Config, Scenario, stage_of
from seedo.play import Actor, Live, find_player

RIVALS = ("scripted:random", "scripted:largest-effect", "pretrained:dag", "bayes:eig")
"""Whom a person plays against: the floor, the best heuristic, the understudy, the Bayesian."""

CAUSES = (
    *(f"scripted:{name}" for name in ("expert", "random", *READERS)),
    "bayes:eig",
    "bayes:goal",
    "pretrained:dag",
    "pretrained:dag-plain",
    "pretrained:dag-soft",
)
"""Who acts where variables are told."""

_LABELS = {
    "scripted:expert": "Expert (knows the system)",
    "scripted:random": "Random",
    "scripted:largest-effect": "Largest effect (best heuristic)",
    "pretrained:dag": "Seedo (learnt by watching)",
    "pretrained:dag-plain": "Seedo, plain network",
    "pretrained:dag-soft": "Seedo, plain network that watched a learner",
    "pretrained:dag-text": "Seedo in words",
    "bayes:eig": "Bayesian (most information)",
    "bayes:goal": "Bayesian (most gain for the goal)",
}
_KINDS = {
    "scripted:expert": "expert",
    "scripted": "heuristic",
    "bayes": "bayesian",
    "llm": "language",
    "hf": "language",
}
"""By a whole name, or by what stands before the colon; the rest are networks."""


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

    def to_json(self) -> dict[str, Any]:
        """For a page, with how it is drawn there."""
        return {**vars(self), "look": look(self.name)._asdict()}


def label(name: str) -> str:
    """What people call a player."""
    kind, rest = parse_name(name)
    if name in _LABELS:
        return _LABELS[name]
    if kind == "scripted":
        return rest.replace("-", " ").capitalize()
    return Path(rest).name if kind == "folder" else rest or kind


def kind(name: str) -> str:
    """See `Role`."""
    return _KINDS.get(name) or _KINDS.get(parse_name(name).kind, "network")


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
    return _found(name, scenario.config)


def actor(name: str, scenario: Scenario, episode: Live) -> Actor:
    """A player at an episode's beginning, ready to act.

    Raises:
        UserError: no such player, or one that cannot act here.
    """
    with once("act", name, scenario.config):
        acting = Actor(player(name, scenario), episode, quickly=True)
        acting.chosen()
    return acting


@functools.lru_cache(maxsize=256)
def _found(name: str, config: Config) -> Any:
    with _LOADING:
        return find_player(name, stage_of(config))
