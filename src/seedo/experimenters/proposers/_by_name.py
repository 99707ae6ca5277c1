"""Players of worlds with a space, by the kind of their names."""

from __future__ import annotations

from typing import Any

from seedo.errors import UserError
from seedo.experimenters._by_chance import ByChance
from seedo.experimenters._proposer import Proposer
from seedo.experimenters.proposers._plain import (
    GridProposer,
    OneFactorProposer,
    RandomProposer,
    SobolProposer,
)
from seedo.experimenters.proposers._response_surface import ResponseSurfaceProposer
from seedo.worlds import World


def random_player(rest: str, world: World, greedy: bool, seed: int) -> Any:
    """`random`: in a world with a space, any setting; elsewhere any action."""
    _alone("random", rest)
    return RandomProposer() if world.spec.space is not None else ByChance()


def sobol(rest: str, world: World, greedy: bool, seed: int) -> Proposer:
    """`sobol`: fills the space."""
    _alone("sobol", rest)
    return SobolProposer(seed)


def grid(rest: str, world: World, greedy: bool, seed: int) -> Proposer:
    """`grid`: a full factorial."""
    _alone("grid", rest)
    return GridProposer(seed)


def one_factor(rest: str, world: World, greedy: bool, seed: int) -> Proposer:
    """`one-factor`: one factor at a time."""
    _alone("one-factor", rest)
    return OneFactorProposer()


def response_surface(rest: str, world: World, greedy: bool, seed: int) -> Proposer:
    """`response-surface`: polynomials up to second order."""
    _alone("response-surface", rest)
    return ResponseSurfaceProposer(seed)


def _alone(kind: str, rest: str) -> None:
    """Raises UserError where something follows the name."""
    if rest:
        raise UserError("player", f"{kind}:{rest}", f"use {kind}: nothing may follow it")
