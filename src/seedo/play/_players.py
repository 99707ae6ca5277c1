"""Players by name."""

from __future__ import annotations

import re
from typing import Any

from seedo.errors import UserError
from seedo.experimenters import (
    BLICKET_PLAYERS,
    MISTAKES,
    LastSteps,
    Mistaken,
    bayesian,
    blicket_bayesian,
    blicket_player,
    rooms_player,
    scripted,
)
from seedo.play._record import fitted_memoriser


def find_player(name: str, world: Any, greedy: bool = True, seed: int = 0) -> Any:
    """`scripted:NAME`, `bayes:NAME`, `pretrained:NAME` or an agent folder, for this world.

    In world `dag` also `last-K:PLAYER`, a player who sees only the last K steps, and
    `misread-T:PLAYER` or `slip-T:PLAYER`, one who makes a mistake at step T (see `LastSteps`,
    `Mistaken`).
    """
    if world.name == "rooms":
        return _in_rooms(name, greedy)
    if world.name == "blicket":
        return _of_blickets(name)
    kind, colon, rest = name.partition(":")
    if colon and (change := CHANGED.fullmatch(kind)) is not None:
        inner = find_player(rest, world, greedy, seed)
        limited = changed(inner, change["how"], int(change["number"]))
        limited.check(world.spec)
        return limited
    if kind == "scripted" and colon:
        memoriser, _, logs = rest.partition("@")
        if memoriser == "memoriser":
            return fitted_memoriser(world, seed, logs or None)
        return scripted(rest)
    if kind == "bayes" and colon:
        return bayesian(rest, world.config())
    from seedo.learning import load_agent

    agent = load_agent(name, greedy)
    agent.check(world.spec)
    return agent


CHANGED = re.compile(rf"(?P<how>last|{'|'.join(MISTAKES)})-(?P<number>[0-9]{{1,5}})")


def changed(player: Any, how: str, number: int) -> LastSteps | Mistaken:
    """The player with a short memory, or with a mistake at step `number`."""
    return LastSteps(player, number) if how == "last" else Mistaken(player, number, how)


def _in_rooms(name: str, greedy: bool) -> Any:
    kind, colon, rest = name.partition(":")
    if kind == "scripted" and colon:
        return rooms_player(rest)
    if kind == "bayes" and colon:
        raise UserError("agent", name, "exact Bayesian players are for world dag")
    from seedo.learning import load_rooms_agent

    return load_rooms_agent(name, greedy)


def _of_blickets(name: str) -> Any:
    kind, _, rest = name.partition(":")
    if kind == "scripted":
        return blicket_player(rest)
    if kind == "bayes":
        return blicket_bayesian(rest)
    known = ", ".join(f"scripted:{player}" for player in BLICKET_PLAYERS)
    raise UserError("agent", name, f"in world blicket use one of {known}, bayes:eig")
