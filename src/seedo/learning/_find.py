"""Trained agents by name or folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seedo.errors import UserError
from seedo.learning._folder import Stored, read_agent
from seedo.learning._kinds import NETWORKS, NetworkKind


def load_agent(path: str | Path, greedy: bool = True) -> Any:
    """An agent that plays, from its folder, or a shipped one, e.g. `pretrained:dag`.

    Raises:
        UserError: no such agent; a file missing, damaged or of another format; one that speaks.
    """
    stored = read_agent(path)
    kind = _kind(stored)
    if kind.speaks:
        raise UserError("agent", stored.name, "it speaks: play it with `seedo perform`")
    return kind.load(stored, greedy)


def find_agent(name: str, world: Any, greedy: bool, seed: int) -> Any:
    """The agent of a name or folder, if it plays in this family of worlds.

    Raises:
        UserError: as `load_agent`; or it plays elsewhere.
    """
    agent, own = load_agent(name, greedy), _kind(read_agent(name))
    _check_family(name, agent.architecture.kind, own, world)
    if world.shows is not None and not world.measures_variables:
        _check_shown(name, agent, world)
    return agent


def _check_family(name: str, kind: str, own: NetworkKind, world: Any) -> None:
    """Raises UserError for an agent that plays elsewhere."""
    if world.family not in own.families:
        raise UserError("agent", name, f"its network ({kind}) does not play world {world.name}")


def _check_shown(name: str, agent: Any, world: Any) -> None:
    """Raises UserError for an agent that has watched something that is shown otherwise."""
    for watched in agent.training.get("data", ()):
        for field, now in world.shows.items():
            then = watched.get("world_config", {}).get(field, now)
            if field != "raw_noise" and then != now:
                remedy = f"agent {name} has watched {field}={then}: play with --set {field}={then}"
                raise UserError(field, now, remedy)


def open_network(name: str, world: Any, seed: int) -> tuple[Any, Any]:
    """The agent of a name, to be looked into, and a network like its own that has learnt nothing.

    Raises:
        UserError: as `find_agent`; or the network keeps its states to itself.
    """
    stored = read_agent(name)
    own, kind = _kind(stored), stored.architecture["kind"]
    _check_family(name, kind, own, world)
    if own.inside is None:
        raise UserError("agent", name, f"networks of kind {kind} cannot be looked into")
    return own.inside(stored, world, seed)


def open_agent(path: str | Path) -> Any:
    """An agent of any kind, those that speak included."""
    stored = read_agent(path)
    return _kind(stored).load(stored, True)


def _kind(stored: Stored) -> NetworkKind:
    name = stored.architecture.get("kind")
    # A name alone: what a folder says is not to be imported.
    if not isinstance(name, str) or name not in NETWORKS:
        remedy = f"no such network is installed; there are {', '.join(NETWORKS.names())}"
        raise UserError(f"{stored.folder / 'agent.json'}: architecture", name, remedy)
    kind: NetworkKind = NETWORKS.find(name)
    return kind
